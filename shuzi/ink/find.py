"""Tells handwriting from everything else in a picture: paper, print, lines, shadows, tables, screens.

A small net (finder.onnx, trained by `python -m shuzi.net.finder` on drawn pages) says of each pixel how much of it is
handwriting. It looks at the whole picture, and then once more, closer, at the part where something is written.
"""

import functools
import math
from collections import namedtuple
from pathlib import Path

import cv2
import numpy as np

from shuzi.ink.clean import clean_ink
from shuzi.ink.decode import NoInkError

COARSE = 36_000  # pixels in a look, at most; about as many as in training
FINE = 160_000  # where strokes are fine
LEAST_SIDE = 128  # pixels; what is smaller is enlarged to this, so that fine strokes can be told apart
MOST_ENLARGED = 4
FINEST = 2.5  # pixels; strokes that look finer are looked at again, closer
CLOSER = 1.25  # times as close the last look must come to be worth its while
NEAR = 0.15  # of the writing's longer side, around it in the last look
INK = 0.5  # from here on a pixel is ink
PALEST = 0.1  # its soft edges
MOST_PARTS = 300  # the largest; the rest are specks

# ink: float32 (h, w), 0 paper to 1 ink, of the part of the picture that was written on; left, top: where in the picture
# that part begins; step: pixels of the picture to one of the ink's.
Found = namedtuple("Found", "ink left top step")


def find_ink(picture):
    """Find the handwriting in a picture.

    picture: uint8 (h, w, 3) RGB or (h, w) grey, whatever is light or dark in it. Returns Found. Raises NoInkError.
    """
    if picture.ndim == 2:
        picture = cv2.cvtColor(picture, cv2.COLOR_GRAY2RGB)
    ink = clean_ink(picture)
    if ink is not None:
        return Found(_strokes(ink, sure=2 * PALEST), 0, 0, 1)
    whole = 0, 0, *picture.shape[1::-1]
    found = _look(picture, whole, _step(whole, COARSE))
    if found.step > 1 and stroke_width(found.ink) < FINEST:
        found = _look(picture, whole, _step(whole, FINE))
    strokes = _strokes(found.ink)
    part = _around(strokes, found, picture)
    step = _step(part, COARSE)
    if step * CLOSER > found.step:
        return found._replace(ink=strokes)
    near = _look(picture, part, step)
    return near._replace(ink=_strokes(near.ink, whole=False))


def _around(strokes, found, picture):
    """The part of the picture where strokes are, with some paper around them: left, top, width, height."""
    x, y, w, h = cv2.boundingRect(np.uint8(strokes > PALEST))
    around = NEAR * max(w, h) + 6
    left, top = (max(0, math.floor((side - around) * found.step)) for side in (x, y))
    right, bottom = (math.ceil((side + around) * found.step) for side in (x + w, y + h))
    return left, top, min(right, picture.shape[1]) - left, min(bottom, picture.shape[0]) - top


def stroke_width(ink):
    """How broad strokes are on average, in pixels: their area by half their outline. 0 where there is none."""
    mask = np.uint8(ink > INK)
    area = cv2.countNonZero(mask)
    outline = area - cv2.countNonZero(cv2.erode(mask, np.ones((3, 3), np.uint8), borderValue=0))
    return 2 * area / max(outline, 1)


def _step(part, most):
    """How many of its pixels, across, go into one, so that there are `most` at most, and LEAST_SIDE across at least."""
    _, _, width, height = part
    step = max(math.sqrt(width * height / most), 1)
    return max(min(step, max(width, height) / LEAST_SIDE), 1 / MOST_ENLARGED)


def _look(picture, part, step):
    """What the net sees in a part of the picture, as Found."""
    left, top, width, height = part
    step = max(step, 1 / MOST_ENLARGED)
    part = picture[top : top + height, left : left + width]
    if step > 1:
        size = [max(1, round(side / step)) for side in (width, height)]
        part = cv2.resize(part, size, interpolation=cv2.INTER_AREA)
        step = max(width, height) / max(size)
    rows, columns = part.shape[:2]
    # what the net takes; small pictures are enlarged
    sides = [max(16, round(side / min(step, 1) / 16) * 16) for side in (columns, rows)]
    part = cv2.resize(part, sides, interpolation=cv2.INTER_LINEAR)
    net = _net()
    net.setInput(np.ascontiguousarray(part.transpose(2, 0, 1)[None], np.float32) / 255)
    ink = 1 / (1 + np.exp(-net.forward()[0, 0]))
    finer = max(1, round(1 / min(step, 1)))  # ink keeps what enlarging has shown
    ink = cv2.resize(ink, (columns * finer, rows * finer), interpolation=cv2.INTER_LINEAR)
    return Found(np.clip((ink - 0.1) / 0.8, 0, 1), left, top, max(step, 1) / finer)


@functools.cache
def _net():
    return cv2.dnn.readNetFromONNX(str(Path(__file__).with_name("finder.onnx")))


def _strokes(ink, whole=True, sure=INK):
    """The ink of strokes, without that of specks and of neighbours that the picture's border cuts.

    ink: float32 (h, w), 0-1; so is what is returned. whole: its borders are the picture's. sure: how deep a part must be
    somewhere to be a stroke. Raises NoInkError.
    """
    count, labels, boxes, _ = cv2.connectedComponentsWithStats(np.uint8(ink > PALEST), connectivity=8)
    is_deep = np.zeros(count, bool)
    is_deep[labels[ink >= sure]] = True
    is_deep[0] = False
    mass = np.bincount(labels.ravel(), ink.ravel(), count) * is_deep
    order = np.argsort(-mass)[: min(MOST_PARTS, np.count_nonzero(mass))]
    if not len(order) or max(boxes[order[0], 2:4]) < 4 + 0.01 * max(ink.shape):
        raise NoInkError("no ink found")
    left, top, width, height = boxes[order, :4].T
    right, bottom = left + width, top + height
    cut = (np.minimum(left, top) <= 1) | (right >= ink.shape[1] - 1) | (bottom >= ink.shape[0] - 1)
    cut &= whole and not cut[0]
    keep = np.zeros(count, bool)
    x0, y0, x1, y1 = left[0], top[0], right[0], bottom[0]
    for i, part in enumerate(order):
        gap = max(left[i] - x1, x0 - right[i], top[i] - y1, y0 - bottom[i]) / max(x1 - x0, y1 - y0)
        foreign = cut[i] and gap > 0.4 and mass[part] < 0.25 * mass[order[0]]
        if not foreign and mass[part] >= mass[order[0]] * _least_mass(gap, cut[i]):
            keep[part] = True
            x0, y0, x1, y1 = min(x0, left[i]), min(y0, top[i]), max(x1, right[i]), max(y1, bottom[i])
    return np.where(keep[labels], ink, 0)


def _least_mass(gap, stray):
    """The mass that a part needs to be a stroke, as a share of the largest part's.

    Tuned on 8,400 scans of 56 people's handwriting with a pen.
    gap: distance to the strokes found so far, as a share of their size. stray: cut by the picture's border.
    """
    if gap <= 0:  # inside the character: nothing there moves the crop
        return 0.01
    if gap <= 0.4:  # the top of a faint 千, the dot of 六
        return 0.06 if stray else 0.022
    return 0.15 * gap
