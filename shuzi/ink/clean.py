"""The quick way for clean bitmaps and scans: dark or light strokes on plain paper that reaches all round them.

Most of a training set is such pictures, and for them one tone tells ink from paper. The way is taken only where
nothing in a picture could need the net.
"""

import math

import cv2
import numpy as np

LARGEST = 420  # pixels; a larger picture is a page
TINY = 40  # pixels; what is no larger was cut close, if anything reaches its borders
BITMAP = 100  # pixels; what is no larger has no room for lines around the writing
CONTRAST = 30  # grey levels between ink and paper, at the least
EVEN = 14  # grey levels that paper may differ from its tone


def clean_ink(picture):
    """Ink, float32 (h, w), 0 paper to 1 ink, of a clean picture uint8 (h, w, 3); None of any other."""
    height, width = picture.shape[:2]
    if max(height, width) > LARGEST or min(height, width) < 6:
        return None
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    rim = np.concatenate([grey[:2].ravel(), grey[-2:].ravel(), grey[:, :2].ravel(), grey[:, -2:].ravel()])
    paper = int(np.median(rim))
    noise = int(np.abs(rim.astype(np.int16) - paper).max())
    if noise > EVEN:  # something reaches the border
        return _ink_of_two_tones(grey) if max(height, width) <= TINY else None
    off = cv2.absdiff(grey, float(paper))
    deep = float(np.quantile(off[off > 0.3 * off.max()], 0.6)) if off.any() else 0
    bitmap = max(height, width) <= BITMAP
    if deep < max(CONTRAST, 6 * noise):
        return None
    ink = np.clip(off * np.float32(1 / (0.9 * deep)), 0, 1)
    if bitmap:  # no paper with lines on it: what is paler is a paler stroke
        return np.where(off > max(1.5 * noise, 0.1 * deep), ink, 0)
    threshold = np.uint8(max(0.5 * deep, EVEN))
    mask = np.uint8(off >= threshold)
    # ink on one side of the paper's tone only, and nothing between the two tones but the strokes' own edges
    near = cv2.dilate(mask, np.ones((5, 5), np.uint8))
    darker = grey[mask > 0] < paper
    if (off[near == 0] > EVEN).any() or darker.any() != darker.all():
        return None
    if _may_have_frame(mask):
        return None
    # strokes of one tone: a paler one is for the net, which knows what is paler ink and what is dirt
    count, labels, boxes, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    if count - 1 > 16:
        return None
    deepest = np.zeros(count)
    np.maximum.at(deepest, labels.ravel(), ink.ravel())
    if deepest[1:].min(initial=1) < 0.75 or boxes[1:, 4].min(initial=99) < 3:
        return None
    return ink


def _ink_of_two_tones(grey):
    """Ink of a bitmap of two tones whose strokes may reach its borders, float32 (h, w), 0-1; None of any other."""
    _, light = cv2.threshold(grey, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    masks = light, 1 - light
    if not all(mask.any() for mask in masks):
        return None
    tones, spreads = [], []
    for mask in masks:
        core = cv2.erode(mask, np.ones((3, 3)), borderValue=0)  # without the strokes' soft edges
        (tone,), (spread,) = cv2.meanStdDev(grey, mask=core if core.any() else mask)
        tones.append(float(tone[0]))
        spreads.append(float(spread[0]))
    apart = tones[0] - tones[1]
    if apart < CONTRAST or max(spreads) > 0.1 * apart:
        return None
    paper, ink = tones if _paper_likeness(masks[0]) >= _paper_likeness(masks[1]) else tones[::-1]
    return np.clip((paper - grey.astype(np.float32)) / (paper - ink), 0, 1)


def _paper_likeness(mask):
    """How much like paper a part of a bitmap is, beside the same of the other part.

    Paper is broader than a stroke and has more of the border, but in a close crop it has not: there strokes
    cut it into more parts than they have themselves. The weights are rounded from a logistic regression on drawn and
    real numerals, cropped at random (18,000, dark on light and light on dark).
    """
    _, labels = cv2.connectedComponents(mask, connectivity=8)
    rim = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    parts = len(np.unique(rim[rim > 0]))
    half_width = min(cv2.distanceTransform(mask, cv2.DIST_L2, 3).max() / max(mask.shape), 1)
    return 1.5 * math.log(half_width + 0.01) + math.log(parts + 0.5) + 0.7 * np.count_nonzero(rim) / len(rim)


def _may_have_frame(mask):
    """Whether two opposite ends of a part are straight lines all along, as of a frame or a table."""
    count, labels, boxes, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    for part in range(1, count):
        x, y, w, h = boxes[part, :4]
        if min(w, h) < 0.4 * max(mask.shape):
            continue
        shape = labels[y : y + h, x : x + w] == part
        for turned in (shape, shape.T):
            edge = max(3, len(turned) // 12)
            ends = turned[:edge].any(0).mean(), turned[-edge:].any(0).mean()
            if min(ends) > 0.85:
                return True
    return False
