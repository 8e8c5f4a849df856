"""Pages to train the ink finder on: a picture of any paper with handwriting, and which pixels are ink.

    picture, ink, kind = draw_page(np.random.default_rng(7))

Everything is drawn here, nothing is read. A page is a paper with its print and wear, what is written on it,
and what a scanner, phone or program makes of it; each has a name, and `kinds` says which may occur.
"""

from collections import namedtuple

import cv2
import numpy as np

from shuzi.drawing import lighting
from shuzi.drawing.handwriting import PENS, draw, make_writer
from shuzi.drawing.inking import Ink, Marks, choose_ink, pack, pen_width, spill, write
from shuzi.drawing.papers import CELLS, PAPERS, Grid, paper_colour, print_paper
from shuzi.drawing.scene import Place, Scene, between, pick
from shuzi.drawing.screens import Screen
from shuzi.drawing.scribbles import WRITING, Hand, crossing_out, dots
from shuzi.drawing.strokes import WAYS
from shuzi.drawing.wear import wear_paper

# how common each way to take a picture is, by paper; all other papers as "plain"
CAPTURES = {
    "plain": {"scan": 42, "photo": 46, "copy": 12},
    "blackboard": {"photo": 100},
    "whiteboard": {"photo": 100},
    "screen": {"screenshot": 78, "photo": 22},
    "bitmap": {"bitmap": 100},
}
CONTENTS = {"numerals": 43, "writing": 42, "empty": 15}
LAYOUTS = {"close": 22, "one": 30, "few": 21, "lines": 16, "many": 11}
EVEN_CLASSES = dict.fromkeys(WAYS, 1)
KINDS = (*PAPERS, "scan", "photo", "copy", "screenshot", *CONTENTS)

Slot = namedtuple("Slot", "x y size")  # the middle and the size of a character, in pixels on the paper


def draw_page(rng, side=256, kinds=None):
    """Draw one page.

    rng: numpy's Generator; the same state draws the same page. side: of the picture in pixels, 64 or more.
    kinds: names out of KINDS that may occur. Papers, captures and contents are chosen apart; where none of
    them is named, all may occur. Without 米字格: kinds=set(PAPERS) - {"mi"}.
    Returns (picture uint8 (side, side, 3) RGB, ink float32 (side, side), kind): ink is the share of the pixel
    that handwriting covers, 0..1, however pale it is; kind such as "tian photo numerals".
    Raises ValueError for a name that is none of KINDS, and where the kinds leave nothing to draw.
    """
    paper, capture, content = choose_kind(rng, kinds)
    scale = pick(rng, LAYOUTS)
    n = _resolution(rng, paper, scale, side)
    scene, contrast = _written(rng, n, paper, capture, content, scale)
    picture = _taken(rng, scene, paper, capture, contrast)
    ink = scene.ink
    if n != side:
        way = cv2.INTER_AREA if n > side else pick(rng, _ENLARGED[paper == "bitmap"])
        picture = cv2.resize(picture, (side, side), interpolation=way)
        ink = cv2.resize(ink, (side, side), interpolation=min(way, cv2.INTER_LINEAR))
    if paper == "bitmap" and n < side and rng.random() < 0.3:
        picture = lighting.compressed(picture, int(rng.integers(40, 96)))
    return picture, np.clip(ink, 0, 1), f"{paper} {capture} {content}"


_ENLARGED = (
    {cv2.INTER_LINEAR: 50, cv2.INTER_CUBIC: 50},
    {cv2.INTER_LINEAR: 40, cv2.INTER_CUBIC: 20, cv2.INTER_NEAREST: 40},
)


def choose_kind(rng, kinds=None):
    """Names of a paper, a capture and a content that `kinds` allows."""
    named = set(KINDS if kinds is None else kinds)
    if named - set(KINDS):
        raise ValueError(f"no such kind of page: {', '.join(sorted(named - set(KINDS)))}")
    captures = {name for weights in CAPTURES.values() for name in weights} - {"bitmap"}
    allowed = [named & set(axis) or set(axis) for axis in (PAPERS, captures, CONTENTS)]
    if "bitmap" in named or not named & captures:  # goes with the paper of that name
        allowed[1].add("bitmap")
    possible = {}
    for paper, common in PAPERS.items():
        weights = CAPTURES.get(paper, CAPTURES["plain"])
        weights = {name: weight for name, weight in weights.items() if name in allowed[1]}
        if paper in allowed[0] and weights:
            total = sum(weights.values())
            possible.update({(paper, name): common * weight / total for name, weight in weights.items()})
    if not possible:
        raise ValueError(f"nothing can be drawn of {', '.join(sorted(named))}")
    paper, capture = pick(rng, possible)
    return paper, capture, pick(rng, {name: CONTENTS[name] for name in CONTENTS if name in allowed[2]})


def _resolution(rng, paper, scale, side):
    """How many pixels the page is drawn with; fewer ones are made larger afterwards."""
    if paper == "bitmap":
        return int(between(rng, 20, 72) if rng.random() < 0.7 else between(rng, 64, side))
    small = scale in ("lines", "many")
    if rng.random() < (0.9 if small else 0.7):
        return side
    return int(rng.uniform(0.7 if small else 0.28, 0.9) * side)


# The page


def _written(rng, n, paper, capture, content, scale):
    """The whole page before its picture is taken: (Scene, contrast of its ink 0..1)."""
    grid, slots, scale = _layout(rng, n, paper, scale)
    place = _place(rng, n, paper, capture)
    inside = None
    if paper == "screen":
        screen = Screen(rng, n)
        scene, inside = Scene(n, screen.canvas_colour, place), screen.inside
        scene.colour[:] = screen.colour
        if rng.random() < 0.1:
            _grid_of_an_app(rng, scene, grid, inside)
    elif paper == "bitmap":
        scene = Scene(n, _bitmap_colour(rng), place)
    else:
        scene = Scene(n, paper_colour(rng, paper), place)
        print_paper(rng, scene, paper, grid)
        if paper not in ("blackboard", "whiteboard"):
            wear_paper(rng, scene)
    if content == "empty":
        if rng.random() < 0.05 and paper != "screen":
            spill(rng, n, place, Ink("marker", np.full(3, 0.2), 0.9, 0, "even"), scene)
        return scene, rng.uniform(0.25, 0.8)  # as noisy as pages with ink
    contrast = 1.0
    for count, part in enumerate(_parts(rng, slots)):
        clean, fine = paper in ("screen", "bitmap"), part[0].size < 0.22 * n
        ink = choose_ink(rng, scene.paper, _pen(rng, paper), clean, fine)
        stepped = paper in ("screen", "bitmap") and rng.random() < 0.4
        write(scene, rng, _marks(rng, n, ink.pen, part, content, scale, paper), ink, stepped, inside)
        seen = np.abs(ink.colour - scene.paper).max() * ink.opacity * (0.6 if ink.texture in ("pencil", "chalk") else 1)
        contrast = min(contrast, float(seen))
        if count == 0 and inside is None and rng.random() < 0.03:
            spill(rng, n, place, ink, scene)
    return scene, contrast


def _grid_of_an_app(rng, scene, grid, inside):
    before = scene.colour.copy()
    print_paper(rng, scene, "squared" if rng.random() < 0.5 else "dotted", grid)
    scene.colour[:] = before + inside * (scene.colour - before)


def _bitmap_colour(rng):
    style = rng.random()
    if style < 0.5:
        return np.ones(3)
    if style < 0.8:
        return np.zeros(3)
    return np.full(3, rng.random()) if style < 0.92 else rng.random(3)


def _place(rng, n, paper, capture):
    if paper == "bitmap" or capture == "screenshot":
        return Place(n)
    turn = rng.integers(1, 4) * np.pi / 2 if rng.random() < 0.07 else 0.0
    if capture in ("scan", "copy"):
        turn += np.radians(rng.normal(0, 0.7) if rng.random() < 0.85 else rng.uniform(-8, 8))
        return Place(n, turn, bend=rng.normal(0, 0.004 * n) * (rng.random() < 0.15))
    turn += np.radians(rng.normal(0, 2.5) if rng.random() < 0.75 else rng.uniform(-15, 15))
    tilt = rng.normal(0, 0.1, 2) * (rng.random() < 0.7)
    bend = rng.normal(0, 0.02 * n) * (rng.random() < 0.25)
    return Place(n, turn, tilt, bend, rng.uniform(0.3, 1.2), rng.random())


def _taken(rng, scene, paper, capture, contrast):
    if capture in ("screenshot", "bitmap"):
        picture = cv2.merge(list(scene.colour))
        if capture == "bitmap" and rng.random() < 0.35:
            picture = lighting.noisy(rng, picture, min(rng.uniform(0, 0.12), 0.25 * contrast), colour=0.0)
        if capture == "bitmap" and rng.random() < 0.3:
            picture = lighting.blurred(picture, rng.uniform(0.3, 0.8))
        return lighting.finished(rng, picture, jpeg=0.3, sharpen=0.0, worst=30 if scene.n > 100 else 70)
    if capture == "photo":
        return lighting.photo(rng, scene, contrast, screen=paper == "screen")
    picture = (lighting.scan if capture == "scan" else lighting.copy)(rng, scene, contrast)
    return 255 - picture if rng.random() < 0.04 else picture


# Where the writing is

# of characters and of cells, by the scale of the page, in parts of its side
_SIZES = {"close": (0.75, 1.1), "one": (0.11, 0.85), "few": (0.12, 0.4), "lines": (0.1, 0.2), "many": (0.05, 0.1)}
_CELL_SIZES = {
    "close": (0.8, 1.5), "one": (0.45, 0.85), "few": (0.24, 0.45), "lines": (0.13, 0.24), "many": (0.075, 0.13),
}  # fmt: skip


def _layout(rng, n, paper, scale):
    """(Grid for the paper's lines, Slots to write in, scale): scale is a key of LAYOUTS, here made to suit n."""
    if paper == "bitmap" and n < 110:
        scale = pick(rng, {"close": 40, "one": 60} if n < 48 else {"close": 30, "one": 40, "few": 30})
    if paper in CELLS:
        if scale == "many" and paper not in ("cells", "table"):
            scale = "lines"
        return (*_cells(rng, n, scale, paper), scale)
    size = between(rng, *_SIZES[scale]) * n
    pitch = size * rng.uniform(1.05, 1.6), size * rng.uniform(1.1, 2)
    if scale in ("close", "one"):
        middle = n / 2 + rng.normal(0, 0.02 if scale == "close" else 0.2 * (1 - size / n), 2) * n
        slots = [Slot(*middle, size)]
        if rng.random() < 0.3:  # a neighbour that reaches in
            side = rng.choice((-1, 1))
            apart = (1, 0) if rng.random() < 0.6 else (0, 1)
            slots += [Slot(*(middle + side * np.array(apart) * size * rng.uniform(1.05, 1.5)), size)]
    else:
        start = rng.uniform(-0.4, 0.6, 2) * pitch
        x, y = np.meshgrid(np.arange(start[0], n + size / 2, pitch[0]), np.arange(start[1], n + size / 2, pitch[1]))
        if scale == "few":
            rows = slice(len(x) // 2, len(x) // 2 + int(rng.integers(1, 3)))
            x, y = x[rows], y[rows]
        at = np.stack([x.ravel(), y.ravel()], 1)
        slots = [Slot(*(point + rng.normal(0, 0.06, 2) * size), size * rng.uniform(0.8, 1.15)) for point in at]
        keep = rng.random(len(slots)) < rng.choice((0.2, 0.5, 0.9, 1.0))
        slots = [slot for slot, kept in zip(slots, keep) if kept] or slots[:1]
    height = pitch[1] if rng.random() < 0.7 else between(rng, 0.06, 0.4) * n
    return Grid(rng.uniform(0, height), slots[0].y + 0.5 * pitch[1] if pitch[1] == height else rng.uniform(0, n),
                height, height, 0.0), slots, scale  # fmt: skip


def _cells(rng, n, scale, paper):
    size = between(rng, *_CELL_SIZES[scale]) * n
    if scale == "close" and rng.random() < 0.4:  # a cell that was cut out along its lines, not quite
        size = rng.uniform(0.9, 1.1) * n
    long = 1.0
    if paper in ("table", "form"):
        long = between(rng, 0.7, 3.5) if rng.random() < 0.5 else rng.uniform(0.9, 1.15)
    elif rng.random() < 0.1:
        long = rng.uniform(0.8, 1.2)
    w, h = (size * long, size) if long < 1.5 or scale == "many" else (size, size / long)
    gap = h * rng.uniform(0.08, 0.5) if paper not in ("table", "form") and rng.random() < 0.3 else 0.0
    apart = rng.normal(0, 0.1, 2) if scale in ("close", "one") else rng.uniform(-0.5, 0.5, 2)
    x, y = n / 2 - w / 2 + apart[0] * w, n / 2 - h / 2 + apart[1] * h
    fill = rng.choice((0.15, 0.5, 0.9, 1.0))
    least = min(w, h)
    usual = least * np.clip(rng.normal(0.66, 0.16), 0.35, 1.1)
    slots = []
    for row in range(int(-y // (h + gap)), int((n - y) // (h + gap)) + 1):
        for column in range(int(-x // w), int((n - x) // w) + 1):
            if row == column == 0 or rng.random() < fill:
                middle = np.array([x + (column + 0.5) * w, y + row * (h + gap) + 0.5 * h])
                middle = middle + rng.normal(0, 0.07, 2) * least + [rng.uniform(-0.3, 0.3) * (w - least), 0]
                slots.append(Slot(*middle, usual * rng.uniform(0.85, 1.15)))
    return Grid(x, y, w, h, gap), slots[:140]


def _parts(rng, slots):
    """Slots by the pen they are written with: mostly one, at times two."""
    if len(slots) < 2 or rng.random() < 0.85:
        return [slots]
    cut = int(rng.integers(1, len(slots)))
    return [slots[:cut], slots[cut:]]


# What is written


def _pen(rng, paper):
    if paper == "blackboard":
        return "chalk"
    if paper == "whiteboard":
        return "marker"
    weights = {name: pen.common for name, pen in PENS.items() if name not in ("mouse", "finger")}
    if paper in ("screen", "bitmap"):
        weights = {"mouse": 40, "finger": 20, "marker": 25, "gel pen": 15, "brush": 10}
    return pick(rng, weights)


def _marks(rng, n, pen, slots, content, scale, paper):
    """What a pen writes in the slots: Marks on the paper."""
    own = pen if pen in PENS else "marker"
    writer = make_writer(int(rng.integers(1 << 30)), 1)
    shaky = writer.tremor / (2.5 if writer.pen in ("mouse", "finger") and own not in ("mouse", "finger") else 1)
    writer = writer._replace(pen=own, tremor=shaky)
    hand, wide = Hand(rng), rng.random() < 0.25
    width = pen_width(rng, own, slots[0].size, 0.7 if paper == "bitmap" else 0.9)
    distinct = 7 if scale in ("lines", "many") else len(slots)
    known, parts = [], []
    for i, slot in enumerate(slots):
        if i < distinct:
            if content == "numerals":
                strokes = draw(pick(rng, EVEN_CLASSES), writer, rng)
            else:
                strokes = pick(rng, WRITING)(rng, hand)
            if rng.random() < 0.05:
                strokes = strokes + (crossing_out if rng.random() < 0.6 else dots)(rng, hand)
            if rng.random() < 0.04:  # gone over again and again
                strokes = [(p + rng.normal(0, 0.02, 2), w) for p, w in strokes for _ in range(int(rng.integers(2, 5)))]
            known.append(pack(strokes))
        points, widths, counts = known[i if i < distinct else int(rng.integers(distinct))]
        middle, size = np.array([0.5, 0.5]), slot.size
        if scale == "close" and i == 0 and paper not in CELLS:
            middle, size = _fitted(rng, points, n)
        length = np.sqrt(np.square(np.diff(points, axis=0)).sum(1)).sum()
        thick = max(0.8, min(width, (0.5 if wide else 0.3) * size / max(length, 0.3)))
        turn = size * (1 + rng.normal(0, 0.03, 2))
        parts.append(Marks([slot.x, slot.y] + (points - middle) * turn, widths * thick, counts))
    return Marks(*(np.concatenate(fields) for fields in zip(*parts)))


def _fitted(rng, points, n):
    """The middle and the size with which points fill the picture, to its edges or beyond."""
    low, high = points.min(0), points.max(0)
    return (low + high) / 2, rng.uniform(0.82, 1.06) * n / max(high - low)
