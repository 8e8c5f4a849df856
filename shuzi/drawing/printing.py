"""Print: lines of text, labels, printed characters, stamps. None of it is ink."""

import math
from functools import lru_cache

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from shuzi.drawing.scene import between, grain, hue, pick

LETTERS = np.array(list("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"))
DIGITS = np.array(list("0123456789"))
HERSHEY = (
    cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_COMPLEX, cv2.FONT_HERSHEY_TRIPLEX,
    cv2.FONT_HERSHEY_COMPLEX_SMALL,
)  # fmt: skip
TYPEFACES = {"sans": 40, "hershey": 20, "blocks": 40}
GLYPHS, GLYPH = 160, 32  # how many printed characters there are, and their side in pixels


@lru_cache(maxsize=1)
def glyphs():
    """Printed characters that do not exist, uint8 (GLYPHS, GLYPH, GLYPH): straight, even, on a raster.

    Half have thin level and thick upright strokes with small triangles (Song), half are even (Hei).
    """
    rng = np.random.default_rng(11)
    made = np.zeros((GLYPHS, GLYPH * 4, GLYPH * 4), np.uint8)
    side = GLYPH * 4
    for i, field in enumerate(made):
        song = i % 2 == 0
        thin, thick = (4, 11) if song else (9, 9)
        columns, rows = np.linspace(14, side - 14, 5).astype(int), np.linspace(12, side - 12, 6).astype(int)
        for _ in range(int(rng.integers(2, 5))):  # level
            y, (a, b) = int(rng.choice(rows)), sorted(rng.choice(5, 2, replace=False))
            cv2.line(field, (int(columns[a]), y), (int(columns[b]), y), 255, thin)
            if song:
                end = int(columns[b])
                cv2.fillPoly(field, [np.array([(end - 14, y), (end - 4, y - 10), (end + 3, y + 2)])], 255)
        for _ in range(int(rng.integers(1, 4))):  # upright
            x, (a, b) = int(rng.choice(columns)), sorted(rng.choice(6, 2, replace=False))
            cv2.line(field, (x, int(rows[a])), (x, int(rows[b])), 255, thick)
        if rng.random() < 0.5:  # a box
            x0, x1 = (int(v) for v in sorted(rng.choice(columns, 2, replace=False)))
            y0, y1 = (int(v) for v in sorted(rng.choice(rows, 2, replace=False)))
            for x in (x0, x1):
                cv2.line(field, (x, y0), (x, y1), 255, thick)
            for y in (y0, y1):
                cv2.line(field, (x0, y), (x1, y), 255, thin)
        for side_way in (-1, 1):  # falling
            if rng.random() < 0.4:
                x, y = int(rng.choice(columns[1:4])), int(rng.choice(rows[:3]))
                cv2.line(field, (x, y), (x + side_way * 40, y + 55), 255, (thin + thick) // 2)
    return np.stack([cv2.resize(f, (GLYPH, GLYPH), interpolation=cv2.INTER_AREA) for f in made])


@lru_cache(maxsize=64)
def _font(size):
    return ImageFont.load_default(size)


def words(rng, length):
    """Text that means nothing, about that many letters."""
    text = []
    while length > 0:
        count = int(rng.integers(1, 9))
        source = DIGITS if rng.random() < 0.25 else LETTERS[:26] if rng.random() < 0.8 else LETTERS
        text.append("".join(rng.choice(source, count)))
        length -= count + 1
    return " ".join(text)


def line_of_text(rng, length, height, face=None, bold=None):
    """A printed line, uint8 (h, w), 255 where the print is; h about 1.3 times `height`, in pixels."""
    face = face or pick(rng, TYPEFACES)
    height = max(4, int(round(height)))
    if face == "blocks":
        which = glyphs()[rng.integers(0, GLYPHS, max(1, int(length / 1.7)))]
        pitch = max(4, round(height * 1.08))
        row = np.concatenate([np.pad(glyph, ((2, 2), (1, 1))) for glyph in which], 1)
        size = (max(2, row.shape[1] * pitch // (GLYPH + 2)), max(2, round(height * 1.15)))
        return cv2.resize(row, size, interpolation=cv2.INTER_AREA if height < GLYPH else cv2.INTER_LINEAR)
    text = words(rng, length)
    if face == "sans":
        size = height
        field = Image.new("L", (int(_font(size).getlength(text)) + 2, round(1.3 * height)))
        ImageDraw.Draw(field).text((0, 0), text, fill=255, font=_font(size))
        return np.asarray(field)
    bold = bold or 1 + (rng.random() < 0.4)
    font = HERSHEY[int(rng.integers(len(HERSHEY)))]
    scale = height / 30
    (width, tall), below = cv2.getTextSize(text, font, scale, bold)
    field = np.zeros((tall + below + 4, width + 4), np.uint8)
    cv2.putText(field, text, (1, tall + 1), font, scale, 255, bold, cv2.LINE_AA)
    return field


class Sheet:
    """Print that lies straight on the paper: uint8, drawn upright, then seen as the page is."""

    def __init__(self, n):
        self.n, self.margin = n, n // 8
        self.field = np.zeros((n + 2 * self.margin,) * 2, np.uint8)
        self.used = False

    def put(self, text, x, y, tone=255):
        """Print `text` (uint8 (h, w)) with its upper left corner at x, y on the paper."""
        x, y = int(x) + self.margin, int(y) + self.margin
        x0, y0 = max(0, x), max(0, y)
        part = text[y0 - y : self.field.shape[0] - y, x0 - x : self.field.shape[1] - x]
        if part.size and x0 < self.field.shape[1] and y0 < self.field.shape[0]:
            h, w = part.shape
            part = part if tone == 255 else (part * (tone / 255)).astype(np.uint8)
            np.maximum(self.field[y0 : y0 + h, x0 : x0 + w], part, out=self.field[y0 : y0 + h, x0 : x0 + w])
            self.used = True

    def onto(self, scene, colour):
        if not self.used:
            return
        n, m = self.n, self.margin
        corners = np.array([[0, 0], [n, 0], [n, n], [0, n]], np.float32)
        seen = scene.place(corners).astype(np.float32)
        matrix = cv2.getPerspectiveTransform(corners + m, seen)
        field = cv2.warpPerspective(self.field, matrix, (n, n), flags=cv2.INTER_LINEAR)
        scene.mix(field.astype(np.float32) / 255, colour)


def paragraph(rng, sheet, box, height, spacing=1.6):
    """Lines of text that fill a box (x0, y0, x1, y1)."""
    x0, y0, x1, y1 = box
    face, y = pick(rng, TYPEFACES), y0
    count = 0
    while y < y1 and count < 14:
        length = (x1 - x0) / (0.55 * height) * (1 if rng.random() < 0.8 else rng.uniform(0.2, 0.9))
        text = line_of_text(rng, max(1, length), height, face)
        sheet.put(text[:, : max(1, int(x1 - x0))], x0, y)
        y += spacing * height
        count += 1


def stamp(rng, n):
    """A seal or a rubber stamp: (alpha float32 (n, n), colour)."""
    side = int(between(rng, 0.12, 0.5) * n)
    field = np.zeros((side, side), np.uint8)
    edge = max(1, side // 24)
    middle = (side // 2, side // 2)
    if rng.random() < 0.5:
        cv2.circle(field, middle, side // 2 - edge, 255, edge, cv2.LINE_AA)
        if rng.random() < 0.6:
            turns = np.arange(5) * 0.8 * math.pi
            star = 0.5 + 0.22 * np.stack([np.sin(turns), -np.cos(turns)], 1)
            cv2.fillPoly(field, [(star * side).astype(np.int32)], 255)
    else:
        cv2.rectangle(field, (edge, edge), (side - edge - 1, side - edge - 1), 255, edge)
        count = int(rng.integers(1, 3))
        cell = (side - 4 * edge) // count
        if cell >= 6:
            for row in range(count):
                for column in range(count):
                    glyph = cv2.resize(glyphs()[rng.integers(GLYPHS)], (cell - 2, cell - 2))
                    y, x = 2 * edge + row * cell, 2 * edge + column * cell
                    field[y : y + cell - 2, x : x + cell - 2] = glyph
        if rng.random() < 0.3:
            field = 255 - field
    turn = cv2.getRotationMatrix2D(middle, rng.normal(0, 15), 1)
    turn[:, 2] += rng.uniform(-0.3 * side, n - 0.7 * side, 2)
    alpha = cv2.warpAffine(field, turn, (n, n)).astype(np.float32) / 255
    worn = np.clip(0.75 + 0.4 * grain(rng, n, 1.2), 0, 1)
    angle = rng.normal(0, 0.02) if rng.random() < 0.8 else rng.random()
    return alpha * worn * rng.uniform(0.4, 0.95), hue(rng, angle, rng.uniform(0.6, 0.9), rng.uniform(0.6, 0.9))
