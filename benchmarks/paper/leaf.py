"""Sheets of paper: plain, tinted, and with every kind of printed line, and where on them one would write.

A page is linear light, float32 (h, w, 3), 0 black to 1 white.
"""

import cv2
import numpy as np

from .pen import linear, noise

LINE_COLOURS = {
    "red": [(215, 90, 90), (235, 140, 140), (190, 40, 50)],
    "green": [(90, 165, 110), (150, 200, 160), (60, 130, 80)],
    "grey": [(150, 150, 150), (185, 185, 185), (115, 115, 118)],
    "blue": [(110, 150, 210), (160, 190, 225), (70, 100, 180)],
    "black": [(40, 40, 42), (20, 20, 22), (70, 70, 70)],
    "brown": [(170, 120, 80), (200, 160, 120)],
}
STYLES = ("solid", "dashed", "dotted")


def plain(shape, rng, tint=None):
    """Paper with nothing on it. tint: sRGB; without it nearly white."""
    if tint is None:
        tint = np.array([250, 249, 246]) - rng.uniform(0, 14) * np.array([0.6, 0.7, 1.2])
    page = np.empty((*shape, 3), np.float32)
    page[:] = linear(tint)
    page *= 1 + 0.008 * noise(shape, 1, rng)[:, :, None] + 0.006 * noise(shape, 40, rng)[:, :, None]
    return page


TINTS = [
    (250, 243, 222),
    (255, 244, 170),
    (214, 232, 250),
    (250, 216, 224),
    (216, 240, 214),
    (205, 178, 140),
    (228, 226, 220),
    (240, 228, 205),
]


def tinted(shape, rng):
    page = plain(shape, rng, np.array(TINTS[rng.integers(len(TINTS))]) + rng.integers(-6, 7, 3))
    if rng.random() < 0.3:  # fibres, as recycled paper and packing paper have them
        for _ in range(int(rng.integers(20, 120))):
            x, y = rng.integers(0, shape[1]), rng.integers(0, shape[0])
            dx, dy = rng.integers(-9, 10, 2)
            cv2.line(
                page,
                (int(x), int(y)),
                (int(x + dx), int(y + dy)),
                (page[y, x] * rng.uniform(0.8, 1.1)).tolist(),
                1,
                cv2.LINE_AA,
            )
    return page


class Ruling:
    """Lines of one print: colour, width in pixels, and how evenly they came out."""

    def __init__(self, shape, rng, colour=None, width=None):
        colour = colour or str(rng.choice(list(LINE_COLOURS), p=(0.27, 0.16, 0.2, 0.14, 0.18, 0.05)))
        shades = LINE_COLOURS[colour]
        self.colour = linear(np.clip(np.array(shades[rng.integers(len(shades))]) + rng.integers(-10, 11, 3), 0, 255))
        self.width = width or float(np.exp(rng.uniform(np.log(0.9), np.log(4.0))))
        self.cover = np.zeros(shape, np.uint8)
        self.rng = rng

    def line(self, start, end, style="solid", width=None, period=None):
        start, end = np.asarray(start, float), np.asarray(end, float)
        width = width or self.width
        length = np.hypot(*(end - start))
        if style == "solid" or length < 4:
            self._part(start, end, width)
            return
        period = period or max(4.0, 3.5 * width + 3)
        filled = {"dashed": 0.58, "dotted": 0.03, "dash-dot": 0.6}[style]
        for i in range(int(length / period) + 1):
            low, high = i * period, min((i + filled) * period, length)
            if low < length:
                way = (end - start) / length
                self._part(
                    start + way * low, start + way * max(high, low + 0.1), width * (1.25 if style == "dotted" else 1)
                )
                if style == "dash-dot" and (i + 0.8) * period < length:
                    self._part(start + way * (i + 0.8) * period, start + way * ((i + 0.8) * period + 0.5), width)

    def _part(self, start, end, width):
        thick = max(1, int(np.floor(width)))
        tone = int(255 * min(1.0, 0.45 + 0.55 * width / (thick + 0.4))) if width < 1.6 else 255
        ends = [tuple(np.round(p * 16).astype(int).tolist()) for p in (start, end)]
        cv2.line(self.cover, *ends, tone, thick, cv2.LINE_AA, 4)

    def box(self, left, top, right, bottom, style="solid", width=None):
        corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
        for a, b in zip(corners, corners[1:] + corners[:1]):
            self.line(a, b, style, width)

    def onto(self, page):
        cover = self.cover.astype(np.float32) / 255
        cover *= np.clip(0.93 + 0.07 * noise(cover.shape, 2, self.rng) + 0.05 * noise(cover.shape, 60, self.rng), 0, 1)
        page *= 1 - cover[:, :, None] * (1 - self.colour)
        return page


def cell(ruling, kind, left, top, side, rng, style):
    """One cell of practice paper. kind: tian, mi, hui, jiu or fang."""
    right, bottom = left + side, top + side
    middle_x, middle_y = left + side / 2, top + side / 2
    thin = max(0.8, ruling.width * style["inner"])
    inner = style["dashes"]
    ruling.box(left, top, right, bottom, style["frame"])
    if style["double"]:
        gap = max(3.0, side * 0.035)
        ruling.box(left - gap, top - gap, right + gap, bottom + gap, "solid", ruling.width * 1.4)
    if kind in ("tian", "mi") or kind == "hui" and style["cross"]:
        ruling.line((left, middle_y), (right, middle_y), inner, thin)
        ruling.line((middle_x, top), (middle_x, bottom), inner, thin)
    if kind == "mi":
        ruling.line((left, top), (right, bottom), inner, thin)
        ruling.line((right, top), (left, bottom), inner, thin)
    if kind == "hui":
        a, b = side * style["hui"][0] / 2, side * style["hui"][1] / 2
        ruling.box(middle_x - a, middle_y - b, middle_x + a, middle_y + b, inner, thin)
    if kind == "jiu":
        for part in (1 / 3, 2 / 3):
            ruling.line((left, top + part * side), (right, top + part * side), inner, thin)
            ruling.line((left + part * side, top), (left + part * side, bottom), inner, thin)


def cell_style(rng):
    return {
        "dashes": str(rng.choice(["solid", "dashed", "dotted", "dash-dot"], p=(0.25, 0.45, 0.2, 0.1))),
        "inner": rng.uniform(0.5, 1.0),
        "frame": "solid" if rng.random() < 0.9 else "dashed",
        "double": rng.random() < 0.12,
        "cross": rng.random() < 0.6,
        "hui": (rng.uniform(0.36, 0.62), rng.uniform(0.5, 0.72)),
        "pinyin": rng.random() < 0.12,
        "gap": 0.0 if rng.random() < 0.55 else rng.uniform(0.08, 0.35),
    }


def practice(kind, rng, scale=1.0):
    """A page of cells and the one to write in: (page, (left, top, side of the cell), ruling's own scale).

    What is seen: one cell with paper around it, some cells, or many.
    """
    view = rng.choice(["one", "some", "many"], p=(0.45, 0.35, 0.2))
    rows, columns = {"one": (1, 1), "some": rng.integers(1, 4, 2), "many": rng.integers(4, 9, 2)}[str(view)]
    rows, columns = int(rows), int(columns)
    side = scale * {"one": rng.uniform(90, 520), "some": rng.uniform(90, 260), "many": rng.uniform(60, 130)}[str(view)]
    style = cell_style(rng)
    gap_x = 0 if rng.random() < 0.4 else side * style["gap"]
    gap_y = side * style["gap"]
    if style["pinyin"]:
        gap_y = max(gap_y, 0.45 * side)
    margins = rng.uniform(0.08, 0.6, 4) * side if view != "many" else rng.uniform(0.2, 1.0, 4) * side
    h = int(margins[0] + margins[1] + rows * side + (rows - 1) * gap_y + gap_y * style["pinyin"])
    w = int(margins[2] + margins[3] + columns * side + (columns - 1) * gap_x)
    page = plain((h, w), rng) if rng.random() < 0.8 else tinted((h, w), rng)
    ruling = Ruling((h, w), rng, width=float(np.exp(rng.uniform(np.log(0.9), np.log(max(1.2, min(5.0, side / 35)))))))
    first = margins[0] + gap_y * style["pinyin"]
    for r in range(rows):
        for c in range(columns):
            left, top = margins[2] + c * (side + gap_x), first + r * (side + gap_y)
            cell(ruling, kind, left, top, side, rng, style)
            if style["pinyin"]:
                for k in range(4):
                    y = top - gap_y * (0.12 + 0.25 * k)
                    ruling.line((left, y), (left + side, y), "solid", max(0.8, ruling.width * 0.6))
    ruling.onto(page)
    r, c = rng.integers(rows), rng.integers(columns)
    return page, (margins[2] + c * (side + gap_x), first + r * (side + gap_y), side)


def squares(rng, scale=1.0):
    """Squared, dotted or millimetre paper: (page, box to write in)."""
    pitch = scale * rng.uniform(16, 60)
    rows, columns = rng.integers(4, 14, 2)
    h, w = int(pitch * rows + rng.uniform(0, pitch)), int(pitch * columns + rng.uniform(0, pitch))
    page = plain((h, w), rng)
    dotted = rng.random() < 0.15
    ruling = Ruling((h, w), rng, width=float(np.exp(rng.uniform(np.log(0.8), np.log(2.2)))))
    x0, y0 = rng.uniform(0, pitch, 2)
    style = str(rng.choice(["solid", "dashed", "dotted"], p=(0.8, 0.1, 0.1)))
    if dotted:
        for y in np.arange(y0, h, pitch):
            for x in np.arange(x0, w, pitch):
                cv2.circle(
                    ruling.cover,
                    (int(x * 16), int(y * 16)),
                    int(16 * max(0.9, ruling.width * 0.8)),
                    255,
                    -1,
                    cv2.LINE_AA,
                    4,
                )
    else:
        for y in np.arange(y0, h, pitch):
            ruling.line((0, y), (w, y), style)
        for x in np.arange(x0, w, pitch):
            ruling.line((x, 0), (x, h), style)
        if rng.random() < 0.15 and pitch > 30:  # finer ones between, as millimetre paper has
            fine = Ruling((h, w), rng, "red" if rng.random() < 0.5 else "green", 0.8)
            for k in np.arange(y0 % (pitch / 5), max(h, w), pitch / 5):
                fine.line((0, k), (w, k))
                fine.line((k, 0), (k, h))
            fine.onto(page)
    ruling.onto(page)
    side = float(np.clip(pitch * rng.uniform(0.8, 5), min(26, 0.5 * min(h, w)), 0.75 * min(h, w)))
    if rng.random() < 0.3 and pitch > 30:  # in one square
        c, r = rng.integers(1, max(2, int((w - x0) / pitch) - 1)), rng.integers(1, max(2, int((h - y0) / pitch) - 1))
        return page, (x0 + c * pitch, y0 + r * pitch, pitch)
    return page, (rng.uniform(0.05 * w, 0.95 * w - side), rng.uniform(0.05 * h, 0.95 * h - side), side)


def ruled(rng, scale=1.0):
    """A leaf of a notebook: level lines, perhaps a margin and holes: (page, box to write in)."""
    pitch = scale * rng.uniform(26, 90)
    rows = rng.integers(3, 12)
    h, w = int(pitch * rows), int(pitch * rng.uniform(0.6, 1.4) * rows)
    page = plain((h, w), rng)
    ruling = Ruling((h, w), rng, width=float(np.exp(rng.uniform(np.log(0.8), np.log(2.5)))))
    style = str(rng.choice(STYLES, p=(0.8, 0.12, 0.08)))
    y0 = rng.uniform(0.1, 1) * pitch
    margin = rng.uniform(0.03, 0.2) * w if rng.random() < 0.35 else 0
    for y in np.arange(y0, h, pitch):
        ruling.line((0, y), (w, y), style)
    ruling.onto(page)
    if margin:
        upright = Ruling((h, w), rng, str(rng.choice(["red", "blue", "black"])))
        upright.line((margin, 0), (margin, h))
        if rng.random() < 0.3:
            upright.line((margin + 5, 0), (margin + 5, h))
        upright.onto(page)
    if rng.random() < 0.15:
        for y in np.arange(0.5 * pitch, h, pitch * rng.uniform(1, 3)):
            cv2.circle(
                page,
                (int(0.02 * w + 6), int(y)),
                int(max(4, 0.12 * pitch)),
                (0.05, 0.05, 0.05) if rng.random() < 0.5 else (0.5, 0.5, 0.5),
                -1,
                cv2.LINE_AA,
            )
    side = min(pitch * rng.uniform(0.6, 2.6), 0.8 * min(h, w - margin))
    row = rng.integers(0, max(1, int((h - side) / pitch)))
    y = np.clip(y0 + row * pitch + rng.uniform(-0.15, 0.25) * pitch + (pitch - side) / 2, 1, h - side - 1)
    return page, (rng.uniform(margin + 0.04 * w, max(margin + 0.05 * w, 0.96 * w - side)), y, side)


def boxed(rng, scale=1.0):
    """One box, drawn or printed, with paper around it: (page, box to write in)."""
    side = scale * rng.uniform(70, 480)
    wide = side * np.exp(rng.normal(0, 0.12))
    margins = rng.uniform(0.03, 0.5, 4) * side
    h, w = int(side + margins[0] + margins[1]), int(wide + margins[2] + margins[3])
    page = plain((h, w), rng) if rng.random() < 0.75 else tinted((h, w), rng)
    ruling = Ruling((h, w), rng, width=float(np.exp(rng.uniform(np.log(1), np.log(max(1.5, side / 22))))))
    left, top = margins[2], margins[0]
    style = rng.random()
    if style < 0.2:  # rounded
        r = side * rng.uniform(0.05, 0.2)
        t = np.linspace(0, np.pi / 2, 9)
        arcs = [
            (left + wide - r, top + r, -np.pi / 2),
            (left + wide - r, top + side - r, 0),
            (left + r, top + side - r, np.pi / 2),
            (left + r, top + r, np.pi),
        ]
        ring = np.concatenate([np.stack([x + r * np.cos(t + a), y + r * np.sin(t + a)], 1) for x, y, a in arcs])
        cv2.polylines(ruling.cover, [np.int32(ring * 16)], True, 255, max(1, int(ruling.width)), cv2.LINE_AA, 4)
    elif style < 0.35:  # by hand
        jitter = rng.normal(0, 0.012 * side, (4, 2))
        corners = np.array([(left, top), (left + wide, top), (left + wide, top + side), (left, top + side)]) + jitter
        for a, b in zip(corners, np.roll(corners, -1, 0)):
            ruling.line(a, b + rng.normal(0, 0.006 * side, 2))
    else:
        ruling.box(left, top, left + wide, top + side, str(rng.choice(STYLES, p=(0.8, 0.14, 0.06))))
    if rng.random() < 0.25:  # corner marks of the form beside it
        ruling.line((0, h - 3), (w, h - 3))
    ruling.onto(page)
    inner = min(side, wide)
    return page, (left + (wide - inner) / 2, top + (side - inner) / 2, inner)
