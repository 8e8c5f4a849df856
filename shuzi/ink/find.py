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
NEAR = 0.15  # of the writing's longer side, around it in the second look
INK = 0.5  # from here on a pixel is ink
PALEST = 0.1  # its soft edges

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
        return Found(_strokes(ink), 0, 0, 1)
    found = _look(picture, 0, 0, *picture.shape[1::-1], FIRST_LOOK)
    strokes = _strokes(found.ink)
    x, y, w, h = cv2.boundingRect(np.uint8(strokes > PALEST))
    around = NEAR * max(w, h) + 6
    left, top = (max(0, math.floor((side - around) * found.step)) for side in (x, y))
    right, bottom = (math.ceil((side + around) * found.step) for side in (x + w, y + h))
    right, bottom = min(right, picture.shape[1]), min(bottom, picture.shape[0])
    if _step(right - left, bottom - top, SECOND_LOOK) * CLOSER > found.step:
        return found._replace(ink=strokes)
    near = _look(picture, left, top, right - left, bottom - top, SECOND_LOOK)
    return near._replace(ink=_strokes(near.ink))


def margins(shape):
    """Rows and columns to add above, below, left and right of a picture of this shape: no stroke ends at the border."""
    return (math.ceil(0.08 * max(shape[:2])),) * 4


def with_margin(picture):
    """The picture, uint8 (h, w, 3), with a margin of the colour that is usual along its border."""
    rim = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])
    return cv2.copyMakeBorder(picture, *margins(picture.shape), cv2.BORDER_CONSTANT, value=np.median(rim, 0).tolist())


def _step(width, height, most):
    """How many pixels of a picture go into one, so that there are `most` at most."""
    step = max(math.sqrt(width * height / most), 1)
    return max(min(step, max(width, height) / LEAST_SIDE), 1 / MOST_ENLARGED)


def _look(picture, left, top, width, height, most):
    """What the net sees in a part of the picture, as Found."""
    step = _step(width, height, most)
    part = picture[top : top + height, left : left + width]
    if step > 1:
        size = [max(1, round(side / step)) for side in (width, height)]
        part = cv2.resize(part, size, interpolation=cv2.INTER_AREA)
        step = max(width, height) / max(size)
    rows, columns = part.shape[:2]
    edge = margins(part.shape)[0]
    part = with_margin(part)
    # what the net takes; small pictures are enlarged
    sides = [max(16, round(side / min(step, 1) / 16) * 16) for side in part.shape[1::-1]]
    part = cv2.resize(part, sides, interpolation=cv2.INTER_LINEAR)
    net = _net()
    net.setInput(np.ascontiguousarray(part.transpose(2, 0, 1)[None], np.float32) / 255)
    ink = 1 / (1 + np.exp(-net.forward()[0, 0]))
    finer = max(1, round(1 / min(step, 1)))  # ink keeps what enlarging has shown
    ink = cv2.resize(ink, ((columns + 2 * edge) * finer, (rows + 2 * edge) * finer), interpolation=cv2.INTER_LINEAR)
    ink = ink[edge * finer : (edge + rows) * finer, edge * finer : (edge + columns) * finer]
    return Found(np.clip((ink - 0.1) / 0.8, 0, 1), left, top, max(step, 1) / finer)


@functools.cache
def _net():
    return cv2.dnn.readNetFromONNX(str(Path(__file__).with_name("finder.onnx")))


def _strokes(ink):
    """The ink of strokes, without that of specks. ink: float32 (h, w), 0-1; so is what is returned. Raises NoInkError."""
    mask = np.uint8(ink > PALEST)
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
    return np.where(np.take(keep, labels) > 0, ink, 0)


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
