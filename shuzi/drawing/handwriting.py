"""Drawn handwriting: pictures of numerals by virtual writers, each the same again for the same seed.

The public place of the room: how numerals are written is in `strokes.py`, who writes them in `writers.py`, what
with and on what in `pens.py`.
"""

import math

import cv2
import numpy as np

from shuzi.drawing.pens import PAPERS, PENS, capture, render
from shuzi.drawing.strokes import WAYS
from shuzi.drawing.ways import Ways
from shuzi.drawing.writers import Writer, draw, make_writer
from shuzi.ink import NoInkError, read_picture

__all__ = [
    "PAPERS", "PENS", "WAYS", "Writer", "capture", "draw", "encode", "legible_picture", "make_writer", "picture",
    "render",
]  # fmt: skip


def picture(name: str, writer: Writer, rng: np.random.Generator, ways: Ways | None = None) -> tuple[np.ndarray, str]:
    """One raw picture of class `name` by `writer`: (grey uint8 (h, w), suffix). ways: as of `draw`."""
    strokes = draw(name, writer, rng, ways=ways)
    # a character of many strokes is written large enough for them, and a broad pen makes it larger still:
    # at most about half of the square is ink, and less where strokes lie close, as in 圆
    length = sum(np.hypot(*np.diff(points, axis=0).T).sum() for points, _ in strokes)
    size = max(writer.size * math.exp(rng.normal(0, 0.15)), (3.5 if name in WAYS else 5) * length)  # pixels
    thinnest = {"screen": 1.3, "copy": 1.6, "small": 0.9}.get(writer.paper, 0.7)  # pixels; finer lines break
    width = min(
        max(writer.width * math.exp(rng.normal(0, 0.12)), thinnest / size), (0.5 if name in WAYS else 0.38) / length
    )
    stepped = writer.paper == "screen" and rng.random() < 0.5
    ink = render(strokes, writer.pen, width, size, rng, writer.edge, stepped)
    return capture(ink, writer.paper, rng, writer.dark)


def encode(grey: np.ndarray, suffix: str, rng: np.random.Generator) -> bytes:
    """The bytes of an image file; a picture of black and white only takes one bit a pixel."""
    if suffix == ".jpg":
        options = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(50, 92))]
    else:
        two = bool(np.isin(grey, (0, 255)).all())
        options = [cv2.IMWRITE_PNG_COMPRESSION, 9, *([cv2.IMWRITE_PNG_BILEVEL, 1] if two else [])]
    return cv2.imencode(suffix, grey, options)[1].tobytes()


def legible_picture(name: str, writer: Writer, rng: np.random.Generator) -> tuple[bytes, str]:
    """An image file's bytes and suffix; drawn again where noise has drowned the strokes, once in 5,000 pictures."""
    while True:
        grey, suffix = picture(name, writer, rng)
        content = encode(grey, suffix, rng)
        try:
            read_picture(content)
        except NoInkError:
            continue
        return content, suffix
