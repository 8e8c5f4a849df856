"""The quick way for clean bitmaps and scans: dark or light strokes on plain paper that reaches all round them.

Most of a training set is such pictures, and for them one tone tells ink from paper. The way is taken only where
nothing in a picture could need the net.
"""

import cv2
import numpy as np

LARGEST = 420  # pixels; a larger picture is a page
BITMAP = 100  # pixels; what is no larger has no room for lines around the writing
CONTRAST = 70  # grey levels between ink and paper, at the least
EVEN = 14  # grey levels that paper may differ from its tone


def clean_ink(picture):
    """Ink, float32 (h, w), 0 paper to 1 ink, of a clean picture uint8 (h, w, 3); None of any other."""
    height, width = picture.shape[:2]
    if max(height, width) > LARGEST or min(height, width) < 16:
        return None
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    rim = np.concatenate([grey[:2].ravel(), grey[-2:].ravel(), grey[:, :2].ravel(), grey[:, -2:].ravel()])
    paper = int(np.median(rim))
    noise = int(np.abs(rim.astype(np.int16) - paper).max())
    if noise > EVEN:  # something reaches the border
        return None
    off = cv2.absdiff(grey, float(paper))
    deep = float(np.quantile(off[off > 0.3 * off.max()], 0.6)) if off.any() else 0
    bitmap = max(height, width) <= BITMAP
    if deep < (max(30, 6 * noise) if bitmap else CONTRAST):
        return None
    ink = np.clip(off * np.float32(1 / (0.9 * deep)), 0, 1)
    if bitmap:  # no paper with lines on it: what is paler is a paler stroke
        return np.where(off > max(1.5 * noise, 0.1 * deep), ink, 0)
    threshold = np.uint8(max(0.5 * deep, EVEN))
    mask = np.uint8(off >= threshold)
    # ink on one side of the paper's tone only, and nothing between the two tones but the strokes' own edges
    near = cv2.dilate(mask, np.ones((5, 5), np.uint8))
    if (off[near == 0] > EVEN).any() or (mask.astype(bool) & ((grey < paper) != (paper > 127))).any():
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
