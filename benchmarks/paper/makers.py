"""Makers of pictures: each is a function of (hand, rng) that gives the bytes of one file.

hand is what is written: its strokes, or none for an empty page.
"""

from collections import namedtuple

import cv2
import numpy as np

from shuzi.drawing.handwriting import draw as draw_strokes
from shuzi.drawing.handwriting import make_writer

from . import leaf, scanner, screens, things
from .camera import photograph, wall
from .pen import PAPER_PENS, PENS, choose_pen, ink_of, lay, linear, write

SEED = 4_000_037  # of the hands, which no set and no training page has

# strokes: [(points, widths)], or None for an empty page; name: the class
Hand = namedtuple("Hand", "strokes name")


def written(page, hand, box, rng, pens=None, share=None, pen=None, width=None):
    """Writes in a box of a page. Returns (page, ink, box of what was written)."""
    left, top, side = box
    share = rng.uniform(0.5, 0.88) if share is None else share
    size = side * share
    slack = (side - size) / 2
    x = left + slack + rng.uniform(-0.7, 0.7) * abs(slack)
    y = top + slack + rng.uniform(-0.7, 0.7) * abs(slack)
    if hand.strokes is None:
        return page, np.zeros(page.shape[:2], np.float32), (x, y, size)
    kind = pen
    for _ in range(6):  # until it is dark enough on this paper
        pen = kind or choose_pen(rng, pens or PAPER_PENS)
        low, high = PENS[pen].width
        low = max(low, min(high, 1.7 / size))
        chosen = width or float(np.exp(rng.uniform(np.log(low), np.log(max(high, low * 1.01)))))
        ink = write(page.shape[:2], hand.strokes, (x, y, size), pen, rng, chosen)
        colour, dark = ink_of(pen, rng)
        core = ink > 0.5 * ink.max()
        before = page[core]
        after = before * (1 - dark * ink[core][:, None] * (1 - linear(colour)))
        if np.percentile((scanner.to_srgb(before) - scanner.to_srgb(after)).max(-1), 40) > 55:
            break
    return lay(page, ink, colour, dark), ink, (x, y, size)


# ---- practice paper ------------------------------------------------------------------------------

PAPERS = {
    "tian": lambda rng: leaf.practice("tian", rng),
    "mi": lambda rng: leaf.practice("mi", rng),
    "hui": lambda rng: leaf.practice("hui", rng),
    "jiu": lambda rng: leaf.practice("jiu", rng),
    "squares": leaf.squares,
    "ruled": leaf.ruled,
    "box": leaf.boxed,
}
TITLES = {
    "tian": "田字格",
    "mi": "米字格",
    "hui": "回宫格",
    "jiu": "九宫格",
    "squares": "squares",
    "ruled": "ruled",
    "box": "a box",
}


def on_paper(paper, photo):
    def make(hand, rng):
        page, box = PAPERS[paper](rng)
        over = rng.random() < 0.2
        share = rng.uniform(0.88, 1.08) if over else rng.uniform(0.45, 0.86)
        if paper in ("squares", "ruled"):
            share = rng.uniform(0.75, 1.0)
        page, ink, box = written(page, hand, box, rng, share=share)
        if photo:
            picture, _ = photograph(page, ink, box, rng, shadow=0.35)
            return scanner.encode(picture, rng, png=False)
        return scanner.encode(scanner.scan(page, rng), rng)

    return make


def cell_cut(photo):
    """A practice cell or a table's, cut out with its lines: up to 12% inside or outside of them at each side."""

    def make(hand, rng):
        if rng.random() < 0.6:
            page, box = leaf.practice(str(rng.choice(["tian", "mi", "hui", "jiu", "fang"])), rng)
        else:
            page, box = _table(rng)
        page, ink, _ = written(page, hand, box, rng, share=rng.uniform(0.45, 0.8))
        left, top, side = box
        if photo:
            picture, where = photograph(page, ink, box, rng, whole=False, curl=0.15, tilt=0.2)
            rows, columns = np.flatnonzero((where > 0.3).any(1)), np.flatnonzero((where > 0.3).any(0))
            if len(rows) and hand.strokes is not None:
                size = max(np.ptp(rows), np.ptp(columns)) * rng.uniform(1.25, 1.9)
                middle = np.array([(columns[0] + columns[-1]) / 2, (rows[0] + rows[-1]) / 2])
                low = np.maximum(middle - size / 2 + rng.uniform(-0.08, 0.08, 2) * size, 0).astype(int)
                picture = picture[low[1] : low[1] + int(size) + 1, low[0] : low[0] + int(size) + 1]
            return scanner.encode(picture, rng, png=False)
        cut = rng.uniform(-0.12, 0.12, 4) * side  # > 0: outside the lines
        x0, y0, x1, y1 = _around(ink, left - cut[0], top - cut[1], left + side + cut[2], top + side + cut[3])
        picture = scanner.scan(page, rng, turn=rng.random() < 0.3)
        h, w = picture.shape[:2]
        picture = picture[max(0, int(y0)) : min(h, int(y1)), max(0, int(x0)) : min(w, int(x1))]
        return scanner.encode(picture, rng)

    return make


def _around(ink, x0, y0, x1, y1):
    """A cut that spares what is to be read: nobody cuts into that."""
    rows, columns = np.flatnonzero((ink > 0.3).any(1)), np.flatnonzero((ink > 0.3).any(0))
    if len(rows) == 0:
        return x0, y0, x1, y1
    return min(x0, columns[0] - 2), min(y0, rows[0] - 2), max(x1, columns[-1] + 3), max(y1, rows[-1] + 3)


def _table(rng):
    """Part of a table with lines: (page, box of the middle cell)."""
    side = rng.uniform(48, 200)
    shape = (int(side * 2.4), int(side * 2.4))
    page = leaf.plain(shape, rng)
    ruling = leaf.Ruling(shape, rng, width=float(np.exp(rng.uniform(np.log(0.9), np.log(max(1.3, side / 22))))))
    start = 0.7 * side
    for k in (0, 1):
        ruling.line((0, start + k * side), (shape[1], start + k * side))
        ruling.line((start + k * side, 0), (start + k * side, shape[0]))
    ruling.onto(page)
    return page, (start, start, side)


def framed(pen):
    """A table's cell cut out with its lines; one to four of them inside, slivers of what the neighbours wrote."""

    def make(hand, rng):
        page, (left, top, side) = _table(rng)
        aspect = rng.choice([1.0, rng.uniform(0.75, 1.3)])
        neighbours = rng.random() < 0.6
        if neighbours:
            for dx, dy in ((-1, 0), (1, 0), (0, -1), (0, 1)):
                if rng.random() < 0.6:
                    other = draw_strokes(str(rng.integers(1, 11)), make_writer(SEED + 9, int(rng.integers(1000))), rng)
                    place = (left + dx * side, top + dy * side, side)
                    written(page, Hand(other, ""), place, rng, pen=pen, share=rng.uniform(0.6, 1.15))
        page, ink, _ = written(page, hand, (left, top, side), rng, pen=pen, share=rng.uniform(0.38, 0.85))
        cut = np.array([rng.uniform(0.0, 0.12) if rng.random() < 0.65 else rng.uniform(-0.10, -0.01) for _ in range(4)])
        if (cut < 0).all():
            cut[rng.integers(4)] = rng.uniform(0.01, 0.12)
        cut *= side
        x0, y0, x1, y1 = _around(ink, left - cut[0], top - cut[1], left + side + cut[2], top + side + cut[3])
        picture = scanner.scan(page, rng, turn=rng.random() < 0.4)
        h, w = picture.shape[:2]
        picture = picture[max(0, int(y0)) : min(h, int(y1)), max(0, int(x0)) : min(w, int(x1))]
        if aspect != 1:
            picture = cv2.resize(picture, None, fx=aspect, fy=1, interpolation=cv2.INTER_AREA)
        return scanner.encode(picture, rng)

    return make


# ---- photos --------------------------------------------------------------------------------------


def bare(rng, tint=False):
    h, w = rng.uniform(420, 1000, 2).astype(int)
    page = leaf.tinted((h, w), rng) if tint else leaf.plain((h, w), rng)
    side = rng.uniform(0.15, 0.6) * min(h, w)
    return page, (rng.uniform(0.06 * w, 0.94 * w - side), rng.uniform(0.06 * h, 0.94 * h - side), side)


def photo(tint=False, pens=None, **options):
    def make(hand, rng):
        page, box = bare(rng, tint)
        page, ink, box = written(page, hand, box, rng, pens=pens, share=rng.uniform(0.8, 1))
        more = {key: value(rng) if callable(value) and key != "thing" else value for key, value in options.items()}
        if "thing" in more:
            more["thing"] = things.lay_thing(more["thing"])
        picture, _ = photograph(page, ink, box, rng, **more)
        return scanner.encode(picture, rng, png=False)

    return make


def large(hand, rng):
    """As telephones save it, of 12 megapixels."""
    page, box = bare(rng)
    page, ink, box = written(page, hand, box, rng, share=rng.uniform(0.8, 1))
    picture, _ = photograph(page, ink, box, rng, size=1300, shadow=0.3)
    scale = 4000 / max(picture.shape)
    picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    grain = rng.integers(-6, 7, (picture.shape[0] // 4, picture.shape[1], 1))
    picture[: 4 * len(grain)] = np.clip(picture[: 4 * len(grain)] + np.tile(grain, (4, 1, 1)), 0, 255)
    return scanner.encode(picture, rng, int(rng.integers(85, 96)), png=False)


def with_thing(kind):
    """Mostly photos; sometimes the thing was scanned along, in front of white."""
    take = photo(thing=kind, whole=lambda rng: rng.random() < 0.5, shadow=0.3)

    def make(hand, rng):
        if rng.random() < 0.75:
            return take(hand, rng)
        page, box = bare(rng)
        page, ink, _ = written(page, hand, box, rng, share=rng.uniform(0.8, 1))
        page = things.lay_thing(kind)(page, ink, rng)
        return scanner.encode(scanner.scan(page, rng), rng)

    return make


def board(white):
    def make(hand, rng):
        page, ink, box = screens.board(hand.strokes, rng, white)
        gloss = 0.5 if white else 0.1
        whole = rng.random() < 0.3
        picture, _ = photograph(page, ink, box, rng, whole=whole, curl=0, shadow=0.15, gloss=gloss, around=wall)
        return scanner.encode(picture, rng, png=False)

    return make


# ---- scans ---------------------------------------------------------------------------------------


def scanned(after=None, pens=None, quality=None):
    """A scan of plain paper; after: what happens to the picture then."""

    def make(hand, rng):
        page, box = bare(rng, tint=rng.random() < 0.15)
        page, ink, _ = written(page, hand, box, rng, pens=pens, share=rng.uniform(0.8, 1))
        picture = scanner.scan(page, rng)
        picture = after(picture, rng) if after else picture
        low, high = quality or (50, 95)
        return scanner.encode(picture, rng, int(rng.integers(low, high)), png=False if quality else None)

    return make


# ---- screens, bitmaps ----------------------------------------------------------------------------


def app(dark):
    def make(hand, rng):
        picture, _ = screens.app(hand.strokes, rng, dark)
        return scanner.encode(picture, rng, int(rng.integers(70, 96)), png=rng.random() < 0.75)

    return make


def screen_photo(hand, rng):
    """A monitor photographed: its dots and the sensor's make moiré."""
    picture, ink = screens.app(hand.strokes, rng, rng.random() < 0.3)
    rows, columns = np.flatnonzero((ink > 0.3).any(1)), np.flatnonzero((ink > 0.3).any(0))
    y, x = (rows[0], columns[0]) if len(rows) else (60, 60)
    side = max(np.ptp(rows), np.ptp(columns), 12) if len(rows) else 200
    room = int(rng.uniform(0.4, 1.0) * side) + 6
    y0, x0 = max(0, y - room), max(0, x - room)
    part = slice(y0, y + side + room), slice(x0, x + side + room)
    shrink = min(1.0, 420 / max(ink[part].shape))
    picture, ink = (
        cv2.resize(m[part], None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA) for m in (picture, ink)
    )
    page = screens.on_a_screen(picture, rng)
    box = tuple(3 * shrink * v for v in (x - x0, y - y0, side))
    ink = cv2.resize(ink, page.shape[1::-1])
    out, _ = photograph(
        page, ink, box, rng, curl=0, shadow=0.05, gloss=0.3, whole=False, tilt=0.25, size=int(rng.uniform(500, 1100))
    )
    return scanner.encode(out, rng, png=False)


def messenger(opened):
    def make(hand, rng):
        page, box = bare(rng) if rng.random() < 0.6 else leaf.practice("tian", rng)
        page, ink, box = written(
            page, hand, box, rng, share=rng.uniform(0.75, 0.9), pens=("gel", "felt pen", "marker", "ballpoint")
        )
        picture, _ = photograph(page, ink, box, rng, size=600, whole=False, shadow=0.3)
        picture = screens.messenger(picture, rng, opened)
        return scanner.encode(picture, rng, int(rng.integers(70, 92)))

    return make


def clear(white):
    return lambda hand, rng: scanner.encode(screens.clear_ground(hand.strokes, rng, white), rng)


def equal_grey(hand, rng):
    return scanner.encode(screens.equal_grey(hand.strokes, rng), rng, int(rng.integers(75, 96)))


def bitmap(light):
    """28 to 64 pixels, as sets for machines have them."""

    def make(hand, rng):
        n = int(rng.integers(28, 65))
        large = 6 * n
        share = rng.uniform(0.5, 0.95)
        ink = np.zeros((large, large), np.float32)
        if hand.strokes is not None:
            side = share * large
            x, y = rng.uniform(0, large - side, 2)
            ink = write(
                (large, large),
                hand.strokes,
                (x, y, side),
                "screen",
                rng,
                float(np.exp(rng.uniform(np.log(max(0.045, 1.3 / n)), np.log(0.12)))),
            )
        ink = cv2.resize(ink, (n, n), interpolation=cv2.INTER_AREA)
        tone = (
            255 - rng.uniform(140, 255) * ink + rng.uniform(0, 4) * rng.standard_normal((n, n)) * (rng.random() < 0.4)
        )
        picture = np.uint8(np.clip(255 - tone if light else tone, 0, 255))
        return scanner.encode(picture, rng, 90, png=rng.random() < 0.7)

    return make


def close_crop(hand, rng):
    """Cut so that the outer strokes touch the rim, or nearly."""
    n = int(np.exp(rng.uniform(np.log(36), np.log(420))))
    page = leaf.plain((n + 60, n + 60), rng) if rng.random() < 0.7 else leaf.tinted((n + 60, n + 60), rng)
    pen = choose_pen(rng)
    page, ink, _ = written(
        page, hand, (30, 30, n), rng, pen=pen, share=1.0, width=max(PENS[pen].width[0] * rng.uniform(1, 2), 1.8 / n)
    )
    picture = scanner.scan(page, rng, turn=False, dust=False)
    rows, columns = np.flatnonzero((ink > 0.3).any(1)), np.flatnonzero((ink > 0.3).any(0))
    low, high = (-0.015, 0.04) if hand.name != "1" else (0.02, 0.25)
    cut = np.round(rng.uniform(low, high, 4) * n).astype(int)
    high_edge = 30 if hand.name == "1" else 0
    y0, y1 = max(0, rows[0] - cut[0] - min(high_edge, n // 8)), rows[-1] + 1 + cut[1] + min(high_edge, n // 8)
    x0, x1 = max(0, columns[0] - cut[2]), columns[-1] + 1 + cut[3]
    return scanner.encode(picture[y0 : max(y1, y0 + 4), x0 : max(x1, x0 + 4)], rng)


def negative(picture, rng):
    return 255 - picture


def empty(make):
    return lambda hand, rng: make(Hand(None, None), rng)


def any_of(*makers):
    return lambda hand, rng: makers[rng.integers(len(makers))](hand, rng)
