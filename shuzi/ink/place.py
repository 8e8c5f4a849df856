"""Ink of any size -> 64x64x3: cropped, scaled with its aspect kept, centred on white."""

import math

import cv2
import numpy as np
from PIL import Image

from shuzi.ink.decode import NoInkError

SIZE = 64  # pixels; side of the prepared picture
INK_SIZE = 52  # pixels; longer side of the ink in it, which leaves a margin of 6 all round
PALEST = 0.1  # of full ink; what is paler does not count where the ink is cropped


def place(ink):
    """Crop to the ink, scale with the aspect kept, centre on white.

    ink: float32 (h, w), 0 paper to 1 ink. Returns uint8 (64, 64, 3): the ink's longer side INK_SIZE pixels,
    dark on white. Raises NoInkError.
    """
    left, right = _ends(ink.max(0))
    top, bottom = _ends(ink.max(1))
    lengths = max(right - left, 1), max(bottom - top, 1)
    step = max(lengths) / INK_SIZE  # of the picture's pixels are one of the result's
    if step > 4:
        ink = _thicken(ink, 1.5 * step)
    # even numbers of pixels, so that the middle of the ink is the middle of the result
    width, height = (2 * math.ceil(length / step / 2 - 1e-6) for length in lengths)
    x, y = (left + right - width * step) / 2, (top + bottom - height * step) / 2
    edge = math.ceil(step) + 1
    image = Image.fromarray(cv2.copyMakeBorder(ink, edge, edge, edge, edge, cv2.BORDER_CONSTANT, value=0))
    x, y = x + edge, y + edge
    box = (x, y, x + width * step, y + height * step)
    small = np.asarray(image.resize((width, height), Image.Resampling.BILINEAR, box))
    # fine lines turn pale when shrunk: bring the ink back to full depth
    inked = np.sort(small[small > 0.1])
    deep = inked[len(inked) * 4 // 5] if len(inked) else 1
    picture = np.full((SIZE, SIZE), 255, np.uint8)
    top, left = (SIZE - height) // 2, (SIZE - width) // 2
    picture[top : top + height, left : left + width] = 255.5 - 255 * np.minimum(small / deep, 1)
    return cv2.merge([picture, picture, picture])


def _ends(darkest):
    """Where ink begins and ends, to parts of a pixel. darkest: float32 (n,), of each row or column."""
    at = np.flatnonzero(darkest > PALEST)
    if not len(at):
        raise NoInkError("no ink found")
    first, last = int(at[0]), int(at[-1])
    reach = (last - first) // 8 + 2
    return _begin(darkest, first, reach), len(darkest) - _begin(darkest[::-1], len(darkest) - 1 - last, reach)


def _begin(darkest, first, reach):
    """Where the outermost stroke comes to 0.3 of its own depth, for it may be fainter than the others.

    first: the first that is not paper; reach: how many from there are looked at for that depth.
    """
    edge = max(0.3 * float(darkest[first : first + reach].max()), PALEST)
    first += int((darkest[first:] > edge).argmax())
    before = darkest[first - 1] if first else 0
    # 0.2 more, so that a hard edge counts as it is
    return first + 0.5 - float((darkest[first] - edge) / (darkest[first] - before)) + 0.2


def _thicken(ink, least):
    """Broaden the strokes to `least` pixels, where they are finer: shrunk, they would break up."""
    mask = (ink > 0.5).astype(np.uint8)
    area = cv2.countNonZero(mask)
    edge = area - cv2.countNonZero(cv2.erode(mask, np.ones((3, 3), np.uint8)))
    missing = int(least - 2 * area / max(edge, 1))
    if missing <= 0:
        return ink
    return cv2.dilate(ink, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (missing + 1, missing + 1)))
