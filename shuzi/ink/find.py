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

FIRST_LOOK = 180_000  # pixels at most
SECOND_LOOK = 80_000
LEAST_SIDE = 128  # pixels; what is smaller is enlarged to this, so that fine strokes can be told apart
MOST_ENLARGED = 4
CLOSER = 1.25  # times as close the second look must come to be worth its while
MARGIN = 0.15  # of the writing's longer side, around it in the second look
INK = 0.5  # from here on a pixel is ink

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
        return Found(np.where(_strokes(ink) > 0, ink, 0), 0, 0, 1)
    found = _look(picture, 0, 0, *picture.shape[1::-1], FIRST_LOOK)
    x, y, w, h = cv2.boundingRect(_strokes(found.ink))
    around = MARGIN * max(w, h) + 6
    left, top = (max(0, math.floor((side - around) * found.step)) for side in (x, y))
    right, bottom = (math.ceil((side + around) * found.step) for side in (x + w, y + h))
    right, bottom = min(right, picture.shape[1]), min(bottom, picture.shape[0])
    if _step(right - left, bottom - top, SECOND_LOOK) * CLOSER < found.step:
        near = _look(picture, left, top, right - left, bottom - top, SECOND_LOOK)
        try:
            return near._replace(ink=np.where(_strokes(near.ink) > 0, near.ink, 0))
        except NoInkError:  # nothing of what it seemed to be from afar
            raise
    return found._replace(ink=np.where(_strokes(found.ink) > 0, found.ink, 0))


def _step(width, height, most):
    """How many pixels of a picture go into one, so that there are `most` at most."""
    step = max(math.sqrt(width * height / most), 1)
    return max(min(step, max(width, height) / LEAST_SIDE), 1 / MOST_ENLARGED)


def _look(picture, left, top, width, height, most):
    """What the net sees in a part of the picture, as Found."""
    step = _step(width, height, most)
    part = picture[top : top + height, left : left + width]
    sides = [max(16, round(side / step / 16) * 16) for side in (width, height)]  # what the net takes
    part = cv2.resize(part, sides, interpolation=cv2.INTER_AREA if step > 1 else cv2.INTER_LINEAR)
    net = _net()
    net.setInput(np.ascontiguousarray(part.transpose(2, 0, 1)[None], np.float32) / 255)
    ink = 1 / (1 + np.exp(-net.forward()[0, 0]))
    columns, rows = (max(1, round(side / step)) for side in (width, height))
    ink = cv2.resize(ink, (columns, rows), interpolation=cv2.INTER_LINEAR)
    return Found(np.clip((ink - 0.1) / 0.8, 0, 1), left, top, step)


@functools.cache
def _net():
    return cv2.dnn.readNetFromONNX(str(Path(__file__).with_name("finder.onnx")))


def _strokes(ink):
    """Where strokes are, with their soft edges, as a mask 0 or 255: without specks and strays. Raises NoInkError."""
    mask = np.uint8(ink > 0.1) * np.uint8(255)
    count, labels, boxes, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    deepest = np.zeros(count, np.float32)
    np.maximum.at(deepest, labels.ravel(), ink.ravel())
    mass = np.bincount(labels.ravel(), ink.ravel(), count)
    mass[0] = 0
    mass[deepest < INK] = 0
    order = np.argsort(-mass)
    first = order[0]
    if max(boxes[first, 2:4]) < 4 + 0.01 * max(mask.shape):
        raise NoInkError("no ink found")
    left, top, right, bottom = _corners(boxes[first])
    keep = np.zeros(count, np.uint8)
    for part in order[:300]:
        x0, y0, x1, y1 = _corners(boxes[part])
        gap = max(x0 - right, left - x1, y0 - bottom, top - y1) / max(right - left, bottom - top)
        if not mass[part] or mass[part] < mass[first] * _least_mass(gap, False):
            continue
        keep[part] = 255
        left, top, right, bottom = min(left, x0), min(top, y0), max(right, x1), max(bottom, y1)
    return np.take(keep, labels)


def _corners(box):
    x, y, w, h = box[:4]
    return x, y, x + w, y + h


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
