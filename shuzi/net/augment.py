"""What makes one picture of a numeral into many: other hands, other pens, other scanners.

Random layers for training: `RandomHand`, `RandomPen`, `RandomCapture`. They are of Keras 3 alone and
work on ink (n, 64, 64, 1), float 0 paper to 1 ink; outside training they pass it on unchanged. They
stand before the net in training only, so that the saved model has none of them. Together they take 22 ms a batch of 128 on two
cores, where the stock layers of Keras (RandomAffine, RandomElasticTransform and so on) took 490.

All ranges were tuned by the accuracy on validation writers, who wrote none of the training pictures.
"""

import math

import cv2
import keras
import numpy as np
from keras import ops

from shuzi.ink import SIZE


class RandomLayer(keras.layers.Layer):
    """Base: draws random numbers for each picture, and acts in training only; in float32, whatever the net is in."""

    def __init__(self, seed=None, dtype="float32", **kwargs):
        super().__init__(dtype=dtype, **kwargs)
        self.generator = keras.random.SeedGenerator(seed)

    def uniform(self, ink, low, high, shape=()):
        """Random numbers (n, *shape) for the n pictures of a batch, low to high."""
        return keras.random.uniform((ops.shape(ink)[0], *shape), low, high, seed=self.generator)

    def call(self, ink, training=False):
        return self.change(ink) if training else ink


class RandomHand(RandomLayer):
    """Another hand: the picture turned, slanted, sized, shifted, seen at an angle, squeezed and bent.

    Nine by nine points tell where in the picture the result comes from; between them it is drawn out linearly, and each
    pixel is the one that is nearest to its place: a finer choice is lost on a net that halves the picture first.
    Beyond the picture it goes on as at its border, which shuzi.ink leaves white.

    rotation: degrees. slant: tangent of the angle. size: natural logarithm of the factor. aspect:
    natural logarithm of width to height. shift: pixels. perspective: change of scale from centre to edge.
    proportions: largest displacement of whole columns and rows, as a part of half the picture. bend: standard
    deviation, in pixels, of smooth displacements (elastic distortions, Simard, Steinkraus and Platt 2003).
    """

    def __init__(
        self,
        rotation=10,
        slant=0.25,
        size=0.15,
        aspect=0.2,
        shift=3,
        perspective=0.1,
        proportions=0.12,
        bend=3,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.rotation, self.slant, self.size = math.radians(rotation), slant, size
        self.aspect, self.shift, self.perspective = aspect, shift, perspective
        self.proportions, self.bend = proportions, bend

    def change(self, ink):
        side = ink.shape[1]
        points = np.linspace(-1, 1, 9, dtype="float32")  # across the picture, as all places until they are pixels
        x, y = self._squeezed_and_bent(ink, points)
        x, y = self._turned(ink, x, y)
        pixels = (2 * np.arange(side, dtype="float32") + 1) / side - 1
        between = np.maximum(0, 1 - np.abs(pixels[:, None] - points) / (points[1] - points[0]))
        place = ops.matmul(between, ops.matmul(ops.stack([y, x], axis=1), between.T))
        row_column = ops.cast(ops.clip((place + 1) * side / 2, 0, side - 1), "int32")
        index = row_column[:, 0] * side + row_column[:, 1]
        first = ops.arange(ops.shape(ink)[0], dtype="int32") * side**2  # the index of each picture's first pixel
        return ops.take(ops.reshape(ink, (-1,)), index + first[:, None, None])[..., None]

    def _squeezed_and_bent(self, ink, points):
        """x and y, both (n, 9, 9), of the points so displaced."""
        waves = np.stack([np.sin(np.pi * points), np.cos(np.pi * points / 2) - 0.6, 0.5 * np.sin(2 * np.pi * points)])
        squeeze = ops.matmul(self.uniform(ink, -self.proportions, self.proportions, (2, len(waves))), waves)
        # a random number at every second point, spread to its neighbours; all have the same standard deviation
        spread = np.exp(-0.5 * ((points[:, None] - points[::2]) / 0.3) ** 2)
        spread /= np.linalg.norm(spread, axis=1, keepdims=True)
        deviation = self.bend / (ink.shape[1] / 2)
        numbers = keras.random.normal((ops.shape(ink)[0], 2, 5, 5), stddev=deviation, seed=self.generator)
        bend = ops.matmul(spread, ops.matmul(numbers, spread.T))
        return points + squeeze[:, 0, None, :] + bend[:, 0], points[:, None] + squeeze[:, 1, :, None] + bend[:, 1]

    def _turned(self, ink, x, y):
        """The places through one projective map a picture."""

        def uniform(limit):
            return self.uniform(ink, -limit, limit, (1, 1))

        angle, slant = uniform(self.rotation), uniform(self.slant)
        scale = ops.exp(uniform(self.size))
        stretch = ops.exp(uniform(self.aspect) / 2)
        cos, sin = ops.cos(angle), ops.sin(angle)
        depth = 1 + uniform(self.perspective) * x + uniform(self.perspective) * y
        shift = self.shift / (ink.shape[1] / 2)
        return (
            (scale * stretch * (cos * x + (slant * cos - sin) * y) + uniform(shift)) / depth,
            (scale / stretch * (sin * x + (slant * sin + cos) * y) + uniform(shift)) / depth,
        )


class RandomPen(RandomLayer):
    """Another pen: strokes thinner or thicker by so many pixels a side, at most.

    Grey dilation by 3x3 and 7x7 pixels, or erosion by 3x3, mixed with the picture. Thinner than 1, thicker than 3 is not
    possible. That much thicker is for markers, and for numerals that are drawn with a mouse on few pixels.
    """

    def __init__(self, thinner=0.6, thicker=3.0, **kwargs):
        super().__init__(**kwargs)
        self.thinner, self.thicker = thinner, thicker

    def change(self, ink):
        width = self.uniform(ink, -self.thinner, self.thicker, (1, 1))
        sign = ops.sign(width)  # to make ink thinner is to make paper thicker
        ink = sign * ink[..., 0]
        thick, thickest = _largest_around(ink, 3), _largest_around(ink, 7)
        ink += ops.minimum(ops.abs(width), 1) * (thick - ink) + ops.clip((width - 1) / 2, 0, 1) * (thickest - thick)
        return (sign * ink)[..., None]


def _largest_around(ink, side):
    """The largest of the side x side pixels around each of (n, h, w); along columns, then along rows."""
    for _ in range(2):  # pooling takes the last axis for channels, and many channels it pools quickly
        ink = ops.max_pool(ink, side, 1, "same", data_format="channels_last")
        ink = ops.transpose(ink, (0, 2, 1))
    return ink


class RandomCapture(RandomLayer):
    """Another scanner or screen: some pictures at a lower resolution, edges as they are or harder.

    coarse: share of pictures at a lower resolution. sides: those, in pixels, one as often as the other. hardness: largest
    natural logarithm of the contrast. threshold: how far from the middle the darkness may lie about which contrast grows.
    """

    def __init__(self, coarse=0.25, sides=(32, 24, 18, 14), hardness=1.2, threshold=0.15, **kwargs):
        super().__init__(**kwargs)
        self.coarse, self.hardness, self.threshold = coarse, hardness, threshold
        # made small, and large again as shuzi.ink does it, a picture is multiplied by a matrix from both sides
        one = np.eye(SIZE, dtype="float32")
        small = [cv2.resize(one, (SIZE, side), interpolation=cv2.INTER_AREA) for side in sides]
        self.resamplings = np.stack([cv2.resize(matrix, (SIZE, SIZE)) for matrix in small])

    def change(self, ink):
        number = ops.cast(self.uniform(ink, 0, len(self.resamplings)), "int32")
        resampling = ops.take(self.resamplings, number, axis=0)
        coarse = ops.matmul(ops.matmul(resampling, ink[..., 0]), ops.transpose(resampling, (0, 2, 1)))[..., None]
        # fine lines turn pale; shuzi.ink brings them back to full depth
        deepest = ops.max(coarse, axis=(1, 2, 3), keepdims=True)
        coarse = ops.minimum(1.3 * coarse / ops.maximum(deepest, 0.1), 1)
        is_coarse = ops.cast(self.uniform(ink, 0, 1, (1, 1, 1)) < self.coarse, ink.dtype)
        ink = ink + is_coarse * (coarse - ink)
        contrast = ops.exp(self.uniform(ink, 0, self.hardness, (1, 1, 1)))
        middle = 0.5 + self.uniform(ink, -self.threshold, self.threshold, (1, 1, 1))
        return ops.clip((ink - middle) * contrast + middle, 0, 1)
