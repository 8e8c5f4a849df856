"""Draws forms as a PDF: lines, and characters as the strokes of `drawing/strokes.py`, so that no font is needed.

The lines and characters are light red: the red of a picture hardly shows them, printed in grey they are lighter than
any pen. Characters of classes that have no strokes are taken from a font of the system as small bitmaps.
"""

import zlib

import cv2
import numpy as np

from shuzi.core.fonts import find_cjk_font
from shuzi.core.numerals import ALL_CLASSES, class_name
from shuzi.dataset import forms
from shuzi.dataset.page_code import encode
from shuzi.drawing.strokes import WAYS, parse

POINTS = 72 / 25.4  # to a millimetre
TINT = 1.0, 0.76, 0.66  # of lines and labels
TRACE = 1.0, 0.86, 0.80  # of characters to trace
HINT = "Write one character in each cell. Spoilt? A line from corner to corner leaves it out."
HINT_ZH = "每格写一个字。写坏了，就从一角到对角画一条线，这一格便不算。"
# 姓 and 名, in the notation of strokes.py
NAME = [
    "24,8 14,44 44,82 | 40,34 30,66 8,94 | 4,38 48,34 | "
    "62,10 52,34 | 54,30 92,26 | 56,56 90,53 | 73,6 73,90 | 48,92 98,89",
    "48,4 36,22 14,40 | 42,16 78,14! 56,44 8,68 | 36,30 52,42 | 36,56 36,96 | 37,57 86,54! 84,95 | 37,90 84,88",
]


def write(pages, path):
    """Write the PDF of `pages`, Pages of `forms.pages`, to a path. The same pages give the same bytes."""
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>", b""]
    objects.append(b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>")
    glyphs = _Glyphs(objects)
    kids = []
    total = max(page.page for page in pages)
    for page in pages:
        content = zlib.compress("\n".join(_page(page, total, glyphs)).encode("latin-1"), 6)
        objects.append(b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(content), content))
        width, height = (side * POINTS for side in forms.SIZES[page.paper])
        images = " ".join(f"/G{number} {number} 0 R" for number in glyphs.numbers())
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {width:.3f} {height:.3f}] /Contents {len(objects)} 0 R "
            f"/Resources << /Font << /F1 3 0 R >> /XObject << {images} >> >> >>".encode()
        )
        kids.append(len(objects))
    objects[1] = f"<< /Type /Pages /Count {len(kids)} /Kids [{' '.join(f'{kid} 0 R' for kid in kids)}] >>".encode()
    data = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    places = []
    for number, content in enumerate(objects, 1):
        places.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    start = len(data)
    data += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    data += b"".join(b"%010d 00000 n \n" % place for place in places)
    data += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    with open(path, "wb") as file:
        file.write(data)


def _page(page, total, glyphs):
    """The operators of one page's content, as lines. Millimetres from the upper left corner, y downwards."""
    width, height = forms.SIZES[page.paper]
    yield f"{POINTS:.5f} 0 0 {-POINTS:.5f} 0 {height * POINTS:.3f} cm 1 J 1 j"
    yield "0 g"
    for number, corners in forms.markers(page.paper).items():
        yield from _modules(_marker_bits(number), corners[0], forms.MARKER / 7)
    yield from _modules(encode(page), forms.code_origin(page.paper), forms.CODE)
    left = forms.INSIDE
    for i, strokes in enumerate(NAME):
        yield from _strokes(strokes, (left + 6.2 * i, 22.5), 5.2, 0.4)
    yield from _text("Name", left + 13.5, 27, 10)
    yield f"0.25 w {left} 31.5 m {forms.code_origin(page.paper)[0] - 14:.2f} 31.5 l S"
    about = f"page {page.page} of {total}" + (f", {forms.writer_name(page)}" if page.writer else "")
    yield from _text(about, left, 36, 8)
    yield from _text(HINT, left, 40.6, 8)
    yield from glyphs.text(HINT_ZH, left, 42.2, 3.2, (0.2,) * 3)
    yield f"{_rgb(TINT)} RG {_rgb(TINT)} rg"
    for cell in forms.cells(page):
        x, y, right, bottom = cell.box
        yield f"0.3 w {x:.3f} {y:.3f} {right - x:.3f} {bottom - y:.3f} re S"
        if cell.traced:
            side = 0.74 * (right - x)
            yield f"q {_rgb(TRACE)} RG {_rgb(TRACE)} rg"
            yield from _character(cell.name, x + 0.13 * (right - x), y + 0.15 * (right - x), side, 0.9, glyphs, TRACE)
            yield "Q"
        else:
            yield from _character(cell.name, x + 0.6, y + 0.6, forms.LABEL, 0.3, glyphs, TINT)


def _character(name, x, y, side, pen, glyphs, tint):
    if name in WAYS:
        yield from _strokes(WAYS[name]["regular"][1], (x, y), side, pen)
    elif name.isascii():
        size = min(side, 9.0 / max(len(name), 1))
        yield from _text(name[:14], x, y + 0.8 * size, size * POINTS)
    else:
        yield from glyphs.text(name, x, y, side, tint, widest=9.0)


def _rgb(colour):
    return " ".join(f"{part:g}" for part in colour)


def _modules(black, origin, side):
    """Black squares, those side by side in one piece. black: bool (h, w)."""
    for row, line in enumerate(black):
        ends = np.flatnonzero(np.diff(np.r_[0, line.astype(np.int8), 0]))
        for start, end in zip(ends[::2], ends[1::2]):
            x, y = origin[0] + start * side, origin[1] + row * side
            yield f"{x:.4f} {y:.4f} {(end - start) * side:.4f} {side:.4f} re"
    yield "f"


def _marker_bits(number):
    dictionary = cv2.aruco.getPredefinedDictionary(getattr(cv2.aruco, forms.DICTIONARY))
    return cv2.aruco.generateImageMarker(dictionary, number, 7) < 128


def _strokes(notation, origin, side, pen):
    yield f"{pen:g} w"
    for points, corners, _, _ in parse(notation):
        points = points * side + origin
        yield " ".join(_curve(points, corners)) + " S"


def _curve(points, corners):
    """A curve through points, sharp at corners: Catmull-Rom's, as Bezier curves."""
    yield f"{points[0][0]:.3f} {points[0][1]:.3f} m"
    for i in range(len(points) - 1):
        start, end = points[i], points[i + 1]
        before = start if i == 0 or corners[i] else points[i - 1]
        after = end if i + 2 == len(points) or corners[i + 1] else points[i + 2]
        handles = *(start + (end - before) / 6), *(end - (after - start) / 6), *end
        yield " ".join(f"{number:.3f}" for number in handles) + " c"


def _text(text, x, y, size):
    """ASCII in Helvetica, which every reader has. size: points."""
    escaped = (
        text.encode("ascii", "backslashreplace").decode().replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
    )
    yield f"BT /F1 {size / POINTS:.3f} Tf 1 0 0 -1 {x:.3f} {y:.3f} Tm ({escaped}) Tj ET"


class _Glyphs:
    """Text that neither strokes nor Helvetica have, as bitmaps of the system's font, or as code points."""

    HEIGHT = 72  # pixels

    def __init__(self, objects):
        self.objects, self.known = objects, {}

    def numbers(self):
        return [number for number, _ in self.known.values()]

    def text(self, text, x, y, side, tint, widest=None):
        if text not in self.known:
            self.known[text] = self._made(text)
        number, aspect = self.known[text]
        if number is None:
            if text != HINT_ZH:
                yield from _text(" ".join(f"U+{ord(c):04X}" for c in text)[:20], x, y + 2.4, 6)
            return
        if widest:
            side = min(side, widest / aspect)
        yield f"q {_rgb(tint)} rg {side * aspect:.3f} 0 0 {-side:.3f} {x:.3f} {y + side:.3f} cm /G{number} Do Q"

    def _made(self, text):
        from matplotlib import font_manager
        from PIL import Image, ImageDraw, ImageFont

        family = find_cjk_font()
        if not family:
            return None, 0
        font = ImageFont.truetype(font_manager.findfont(family), self.HEIGHT)
        left, top, right, bottom = font.getbbox(text)
        image = Image.new("L", (right - left + 8, bottom - top + 8), 0)
        ImageDraw.Draw(image).text((4 - left, 4 - top), text, 255, font)
        ink = np.asarray(image) < 128
        data = zlib.compress(np.packbits(ink, axis=1).tobytes(), 9)
        height, width = ink.shape
        self.objects.append(
            f"<< /Type /XObject /Subtype /Image /Width {width} /Height {height} /ImageMask true /BitsPerComponent 1 "
            f"/Filter /FlateDecode /Length {len(data)} >>\nstream\n".encode()
            + data
            + b"\nendstream"
        )
        return len(self.objects), width / height


def strokes_missing(classes):
    """Those of the classes that have no strokes, and are not written in ASCII."""
    return [name for name in classes if name not in WAYS and not name.isascii()]


def named(text):
    """Class names as a person gives them, `1,2,三`, `all` for all numerals -> list of classes, each once."""
    from shuzi.core.files import split_names

    if text == "all":
        return list(ALL_CLASSES)
    return list(dict.fromkeys(class_name(name) for name in split_names(text)))
