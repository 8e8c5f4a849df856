"""Drawn numerals cropped to the ink, or nearly: sharp and clean, or soft and with noise. To test on."""

import cv2
import numpy as np

from shuzi.core.numerals import DEFAULT_CLASSES
from shuzi.drawing import handwriting

SIDES = (28, 40, 100, 400)  # pixels; longer side of the ink
MARGINS = (0, 0.05)  # of that side
WIDTHS = (0.04, 0.07, 0.1)  # of that side
SEED = 3_000_017  # of the hands
NAMES = [name for name in DEFAULT_CLASSES if name != "1"]


def draw(name: str, number: int, side: int, margin: float) -> np.ndarray:
    """Ink of one numeral of one hand, float (h, w), 0 paper to 1 ink; the width of its pen goes by the number."""
    rng = np.random.default_rng([SEED, number, NAMES.index(name)])
    points = [line for line, _ in handwriting.draw(name, handwriting.make_writer(SEED, number), rng)]
    low, high = np.min([line.min(0) for line in points], 0), np.max([line.max(0) for line in points], 0)
    width = max(1, round(WIDTHS[number % len(WIDTHS)] * side))
    factor = (side - width) / (high - low).max()
    edge = round(margin * side)
    columns, rows = np.maximum(np.ceil((high - low) * factor).astype(int) + width + 2 * edge, 6)
    picture = np.zeros((rows, columns), np.uint8)
    for line in points:
        place = np.int32((16 * ((line - low) * factor + edge + width / 2)).round())
        cv2.polylines(picture, [place], False, 255, width, cv2.LINE_AA, 4)
    return picture / 255


def take(strokes: np.ndarray, soft: bool, rng: np.random.Generator) -> np.ndarray:
    """A picture of the ink, uint8 (h, w), dark on light."""
    if not soft:
        return np.uint8(255 - 255 * strokes)
    strokes = cv2.GaussianBlur(strokes, (0, 0), 0.7)
    return np.uint8(np.clip(225 - 155 * strokes + rng.normal(0, 3, strokes.shape), 0, 255))
