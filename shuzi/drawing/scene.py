"""A page while it is drawn: its colours, its ink, where it lies in the picture; and noise to draw it with.

Everything on a page is given in paper coordinates, the pixels of a picture taken straight from above;
a Place says where a point of the paper is seen. Lines and strokes are drawn where they are seen, once,
so the truth follows every turn, tilt and bend exactly.
"""

import math
from functools import lru_cache

import cv2
import numpy as np

FINE = 3  # printed lines are drawn this much larger, then reduced
SHIFT = 4  # fractional bits of OpenCV's coordinates


class Scene:
    """colour: float32 (3, n, n), 0..1, RGB planes. ink: float32 (n, n), 0..1, how much is handwriting."""

    def __init__(self, n, colour, place):
        self.n, self.place = n, place
        self.paper = np.asarray(colour, np.float32)
        self.colour = np.empty((3, n, n), np.float32)
        self.colour[:] = planes(colour)
        self.ink = np.zeros((n, n), np.float32)

    def mix(self, alpha, colour):
        """Colour the page with `colour` where alpha (n, n) is 1; what is below shows where it is less."""
        self.colour += alpha * (planes(colour) - self.colour)

    def dye(self, alpha, colour):
        """As mix(), but clear: what is below stays visible, as under a highlighter or a stain."""
        self.colour *= 1 - alpha * (1 - planes(colour))

    def cover(self, alpha, colour):
        """Lay something over the page that hides its ink."""
        self.mix(alpha, colour)
        self.ink *= 1 - alpha

    def print(self, canvas, colour):
        """Mix in what was drawn on a canvas of canvas_for()."""
        self.mix(reduced(canvas, self.n), colour)


class Place:
    """Where a point of the paper is seen: turn, tilt (perspective) and bend (curl), around the middle.

    turn: radians. tilt: (2,) how much nearer one side is. bend: pixels. wave: of the bend, in turns a page.
    """

    def __init__(self, n, turn=0.0, tilt=(0.0, 0.0), bend=0.0, wave=0.5, phase=0.0):
        self.n, self.bend, self.wave, self.phase = n, bend, wave, phase
        c, s, half = math.cos(turn), math.sin(turn), n / 2
        middle = np.array([[1, 0, -half], [0, 1, -half], [0, 0, 1]])
        view = np.array([[c, -s, 0], [s, c, 0], [tilt[0] / n, tilt[1] / n, 1]])
        self.matrix = np.linalg.inv(middle) @ view @ middle

    def __call__(self, points):
        """float (..., 2) on the paper -> float (..., 2) in the picture."""
        x, y = points[..., 0], points[..., 1]
        if self.bend:
            y = y + self.bend * np.sin(2 * math.pi * (self.wave * x / self.n + self.phase))
        m = self.matrix
        depth = np.maximum(m[2, 0] * x + m[2, 1] * y + m[2, 2], 0.2)
        return np.stack(
            [(m[0, 0] * x + m[0, 1] * y + m[0, 2]) / depth, (m[1, 0] * x + m[1, 1] * y + m[1, 2]) / depth], -1
        )


def planes(colour):
    colour = np.asarray(colour, np.float32)
    return colour.reshape(3, 1, 1) if colour.size == 3 else colour


def canvas_for(n):
    return np.zeros((FINE * n, FINE * n), np.uint8)


def reduced(canvas, n):
    """uint8 canvas -> float32 (n, n), 0..1."""
    if canvas.shape[0] != n:
        canvas = cv2.resize(canvas, (n, n), interpolation=cv2.INTER_AREA)
    return canvas.astype(np.float32) * np.float32(1 / 255)


def fixed(points, fine):
    """Points in pixels -> OpenCV's fixed-point coordinates on a canvas `fine` times as large."""
    return np.round(((points + 0.5) * fine - 0.5) * (1 << SHIFT)).astype(np.int32)


def rule(canvas, place, lines, width, tone=1.0, dash=None):
    """Print straight lines on a canvas of canvas_for().

    lines: float (m, 2, 2), ends on the paper. width: pixels. tone: 0..1.
    dash: (length, gap) in pixels, or None for solid lines.
    """
    lines = _near(np.asarray(lines, float).reshape(-1, 2, 2), place)
    if dash and len(lines):
        lines = _near(dashed(lines, *dash), place)
    if not len(lines):
        return
    paths = lines
    if place.bend and not dash:
        along = np.linspace(0, 1, 17)[:, None]
        paths = lines[:, :1] + along * (lines[:, 1:] - lines[:, :1])
    thick = max(1, round(width * FINE))
    tone = tone * min(1, width * FINE)
    cv2.polylines(canvas, list(fixed(place(paths), FINE)), False, round(255 * tone), thick, cv2.LINE_AA, SHIFT)


def _near(lines, place):
    """Those of the lines that may be in the picture."""
    seen = place(lines)
    return lines[(seen.max(1) > -20).all(1) & (seen.min(1) < place.n + 20).all(1)]


def dashed(lines, length, gap):
    """Solid lines (m, 2, 2) cut into dashes (k, 2, 2)."""
    way = lines[:, 1] - lines[:, 0]
    total = np.sqrt(np.square(way).sum(1)) + 1e-9
    at = np.arange(0, total.max(), length + gap)[:400] / total[:, None]
    which, along = np.nonzero(at < 1)
    ends = np.stack([at[which, along], np.minimum(at[which, along] + length / total[which], 1)], 1)
    return lines[which, :1] + ends[:, :, None] * way[which, None]


def area(n, place, outline, soft=0.0):
    """float32 (n, n), 1 inside the outline, float (m, 2) on the paper. soft: sigma of its rim in pixels."""
    canvas = np.zeros((2 * n, 2 * n), np.uint8)
    seen = place(np.asarray(outline, float)) if place else np.asarray(outline, float)
    cv2.fillPoly(canvas, [fixed(np.clip(seen, -4 * n, 5 * n), 2)], 255, cv2.LINE_AA, SHIFT)
    field = reduced(canvas, n)
    return cv2.GaussianBlur(field, (0, 0), soft) if soft > 0.3 else field


@lru_cache(maxsize=16)
def _bank(across, along):
    """Noise of mean 0 and deviation 1, smooth over that many pixels; made once, a page takes a part."""
    field = np.random.default_rng(7).standard_normal((768, 768), np.float32)
    if across or along:
        field = cv2.GaussianBlur(
            field, (0, 0), sigmaX=along or 1e-3, sigmaY=across or 1e-3, borderType=cv2.BORDER_REFLECT
        )
    return field / field.std()


def grain(rng, n, smooth=0.0, along=None):
    """Noise float32 (n, n), deviation 1. smooth: sigma in pixels; along: another one along the rows."""
    bank = _bank(smooth, smooth if along is None else along)
    if n > bank.shape[0]:
        bank = np.tile(bank, (-(-n // bank.shape[0]) + 1,) * 2)
    y, x = rng.integers(0, bank.shape[0] - n + 1, 2)
    part = bank[y : y + n, x : x + n]
    return part[:: rng.choice((-1, 1)), :: rng.choice((-1, 1))]


def clouds(rng, n, cells=4):
    """Slowly changing noise float32 (n, n), deviation about 0.7."""
    coarse = rng.standard_normal((cells + 2, cells + 2), np.float32)
    return cv2.resize(coarse, (n, n), interpolation=cv2.INTER_CUBIC)


def pick(rng, weights):
    """One key of {key: weight}."""
    keys = list(weights)
    shares = np.cumsum([weights[key] for key in keys], dtype=float)
    return keys[int(np.searchsorted(shares, rng.random() * shares[-1], side="right"))]


def between(rng, low, high):
    """A number between two, every ratio as likely."""
    return math.exp(rng.uniform(math.log(low), math.log(high)))


def tint(rng, grey, spread=0.03):
    """A colour near that grey."""
    return np.clip(grey + rng.uniform(-spread, spread, 3), 0, 1)


def hue(rng, angle, strength, value):
    """A colour of hue `angle` (in turns; 0 red, 1/3 green, 2/3 blue). strength, value: as in HSV."""
    wheel = np.clip(np.abs((angle + np.array([0, 2 / 3, 1 / 3])) % 1 * 6 - 3) - 1, 0, 1)
    return value * (1 - strength * (1 - wheel)) + rng.uniform(-0.02, 0.02, 3)
