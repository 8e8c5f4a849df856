"""Papers to write on: plain, ruled, squared, practice cells, tables, forms, boards. Their print is no ink.

A paper is printed on a Scene by print_paper(); where its lines run is told by a Grid, so that writing can
be laid on the lines and in the cells.
"""

from collections import namedtuple

import numpy as np

from shuzi.drawing.printing import Sheet, line_of_text, paragraph
from shuzi.drawing.scene import area, between, canvas_for, clouds, grain, hue, pick, rule, tint

# A lattice on the paper, in pixels: one corner at (x, y), cells w wide and h high, rows `gap` apart.
Grid = namedtuple("Grid", "x y w h gap")

# paper -> how common
PAPERS = {
    "plain": 17, "ruled": 9, "squared": 9, "millimetre": 2, "dotted": 4, "cells": 7, "tian": 9, "mi": 8, "hui": 4,
    "jiu": 3, "table": 12, "form": 5, "text": 4, "blackboard": 3, "whiteboard": 3, "screen": 8, "bitmap": 9,
}  # fmt: skip
CELLS = ("cells", "tian", "mi", "hui", "jiu", "table", "form")  # those with a cell a character

SHEETS = {"white": 55, "cream": 12, "grey": 8, "tinted": 10, "kraft": 4, "card": 4, "deep": 2, "yellow": 4}


def paper_colour(rng, paper):
    """The colour of a sheet or board, float (3,), 0..1."""
    if paper == "blackboard":
        if rng.random() < 0.5:
            return hue(rng, rng.uniform(0.3, 0.5), rng.uniform(0.2, 0.6), rng.uniform(0.15, 0.4))
        return tint(rng, rng.uniform(0.06, 0.3))
    if paper == "whiteboard":
        return tint(rng, rng.uniform(0.85, 0.98), 0.015)
    kind = pick(rng, SHEETS) if rng.random() < 0.8 or paper in ("plain", "text") else "white"
    if kind == "white":
        return tint(rng, rng.uniform(0.9, 1), 0.015)
    if kind == "grey":
        return tint(rng, rng.uniform(0.45, 0.9), 0.02)
    angle = {"cream": 0.12, "yellow": 0.155, "kraft": 0.085}.get(kind, rng.random())
    low, high = {"cream": (0.04, 0.16), "yellow": (0.25, 0.5), "kraft": (0.3, 0.5), "tinted": (0.05, 0.2)}.get(
        kind, (0.2, 0.7)
    )
    value = {"kraft": (0.55, 0.8), "card": (0.5, 0.95), "deep": (0.12, 0.4)}.get(kind, (0.85, 1))
    return np.clip(hue(rng, angle, rng.uniform(low, high), rng.uniform(*value)), 0, 1)


def line_colour(rng, paper):
    """A colour for printed lines, seen on a paper of that colour, strongly or hardly."""
    if np.mean(paper) < 0.35:
        colour = tint(rng, rng.uniform(0.5, 0.9))
    else:
        kind = pick(rng, {"black": 28, "grey": 22, "red": 20, "green": 10, "blue": 14, "brown": 6})
        angle = {"red": rng.normal(0.0, 0.025), "green": 0.38, "blue": 0.6, "brown": 0.08}.get(kind)
        if angle is None:
            colour = tint(rng, rng.uniform(0.05, 0.25) if kind == "black" else rng.uniform(0.35, 0.75), 0.02)
        else:
            colour = hue(rng, angle + rng.normal(0, 0.02), rng.uniform(0.4, 0.9), rng.uniform(0.5, 0.95))
    strength = 1.0 if rng.random() < 0.55 else between(rng, 0.2, 1)
    return np.asarray(paper) + strength * (np.clip(colour, 0, 1) - np.asarray(paper))


def print_paper(rng, scene, paper, grid):
    """Print the lines, cells and text of `paper`, a key of PAPERS, where grid says."""
    n = scene.n
    _texture(rng, scene)
    sheet = Sheet(n)
    if paper in PRINTERS:
        PRINTERS[paper](rng, scene, sheet, grid)
    if paper not in ("blackboard", "whiteboard", "screen") and rng.random() < (0.12 if paper != "form" else 0.3):
        _print_around(rng, sheet, n)
    sheet.onto(scene, line_colour(rng, scene.paper) * 0.9)


def _texture(rng, scene):
    strength = rng.random()
    if strength < 0.3:
        return
    n = scene.n
    field = 1 + 0.012 * strength * clouds(rng, n, 5)
    if strength > 0.55:
        field += rng.uniform(0.003, 0.02) * grain(rng, n, rng.choice((0.0, 0.8, 1.6)))
    if strength > 0.92:  # fibres, laid paper
        field += rng.uniform(0.005, 0.02) * grain(rng, n, 0.8, 9.0)
    scene.colour *= field


def _reach(start, pitch, n, gap=0.0):
    """The first of each pitch from -n/2 to 3n/2, one of them at start."""
    step = pitch + gap
    first = start - np.ceil((start + 0.5 * n) / step) * step
    return np.arange(first, 1.5 * n, step)


def _levels(ys, n):
    """Level lines across the whole page at each of ys: (m, 2, 2)."""
    ys = np.asarray(ys, float)
    ends = np.full((len(ys), 2, 2), [[-0.5 * n, 0], [1.5 * n, 0]])
    ends[:, :, 1] = ys[:, None]
    return ends


def _uprights(xs, n):
    return _levels(xs, n)[:, :, ::-1]


def _thin(rng, n):
    """The width of a printed line in pixels."""
    return between(rng, 0.45, 2.2) * max(0.6, n / 256)


def _ruled(rng, scene, sheet, grid):
    n, canvas = scene.n, canvas_for(scene.n)
    ys = _reach(grid.y, grid.h, n)
    dash = (between(rng, 1, 6), between(rng, 2, 6)) if rng.random() < 0.12 else None
    lines = _levels(ys, n)
    if rng.random() < 0.5:  # a page with an edge to its lines
        lines[:, rng.integers(2), 0] = rng.uniform(-0.1, 1.1) * n
    if rng.random() < 0.1:
        lines = lines[:, :, ::-1]  # letter paper for columns
    rule(canvas, scene.place, lines, _thin(rng, n), dash=dash)
    if rng.random() < 0.15:  # double lines, as for first writers
        rule(canvas, scene.place, _levels(ys - rng.uniform(0.25, 0.5) * grid.h, n), _thin(rng, n), 0.8)
    scene.print(canvas, line_colour(rng, scene.paper))
    if rng.random() < 0.4:
        canvas = canvas_for(n)
        x = rng.uniform(0.02, 0.4) * n if rng.random() < 0.7 else rng.uniform(0.6, 0.98) * n
        beside = [x, x + rng.uniform(2, 5)] if rng.random() < 0.25 else [x]
        rule(canvas, scene.place, _uprights(beside, n), _thin(rng, n) * 1.2)
        angle = rng.choice((0.97, 0.0, 0.6))
        scene.print(canvas, hue(rng, angle, rng.uniform(0.3, 0.8), rng.uniform(0.7, 1)))


def _squared(rng, scene, sheet, grid):
    n, canvas = scene.n, canvas_for(scene.n)
    pitch = grid.h / rng.choice((1, 1, 1, 2, 3, 4))
    pitch = max(pitch, 4.5)
    width = min(_thin(rng, n), 0.2 * pitch)
    every = int(rng.choice((0, 0, 0, 4, 5, 10)))
    for lines, start in ((_levels, grid.y), (_uprights, grid.x)):
        at = _reach(start, pitch, n)
        rule(canvas, scene.place, lines(at, n), width, 0.7 if every else 1.0)
        if every:
            rule(canvas, scene.place, lines(at[::every], n), 1.5 * width)
    scene.print(canvas, line_colour(rng, scene.paper))


def _millimetre(rng, scene, sheet, grid):
    n, canvas = scene.n, canvas_for(scene.n)
    pitch = between(rng, 3, 9)
    for lines, start in ((_levels, grid.y), (_uprights, grid.x)):
        at = _reach(start, pitch, n)
        rule(canvas, scene.place, lines(at, n), 0.35, 0.8)
        rule(canvas, scene.place, lines(at[::5], n), 0.7)
        rule(canvas, scene.place, lines(at[::10], n), 1.2)
    angle = rng.choice((0.05, 0.0, 0.6, 0.36))
    colour = hue(rng, angle, rng.uniform(0.3, 0.8), rng.uniform(0.7, 1))
    scene.print(canvas, colour)


def _dotted(rng, scene, sheet, grid):
    n, canvas = scene.n, canvas_for(scene.n)
    pitch = max(5.5, grid.h / rng.choice((1, 1, 2, 3, 4)))
    width = min(between(rng, 0.7, 3), 0.3 * pitch)
    x, y = np.meshgrid(_reach(grid.x, pitch, n), _reach(grid.y, pitch, n))
    at = np.stack([x.ravel(), y.ravel()], 1)
    at = at[((at > -0.2 * n) & (at < 1.2 * n)).all(1)]
    crosses = rng.random() < 0.15
    if crosses:
        for reach in ([1.5, 0], [0, 1.5]):
            rule(canvas, scene.place, np.stack([at - reach, at + reach], 1) * 1.0, 0.5)
    else:
        rule(canvas, scene.place, np.stack([at, at], 1), width)
    scene.print(canvas, line_colour(rng, scene.paper))


# Practice cells


def _corners(grid, n):
    """Upper left corners (m, 2) of all cells in reach."""
    x, y = np.meshgrid(_reach(grid.x, grid.w, n), _reach(grid.y, grid.h, n, grid.gap))
    return np.stack([x.ravel(), y.ravel()], 1)


def _in_cells(corners, grid, lines):
    """Lines given in parts of a cell (k, 2, 2), in each cell: (m * k, 2, 2)."""
    lines = np.asarray(lines, float) * [grid.w, grid.h]
    return (corners[:, None, None] + lines[None]).reshape(-1, 2, 2)


def _dash(rng, size):
    """A way to dash lines in cells of that size, or None for solid ones."""
    style = rng.random()
    if style < 0.3:
        return None
    if style < 0.8:
        length = between(rng, 0.015, 0.08) * size
        return max(1.5, length), max(1.5, length * between(rng, 0.4, 1.5))
    return 0.01, max(2.5, between(rng, 0.015, 0.05) * size)  # dots


BOX = [[[0, 0], [1, 0]], [[0, 1], [1, 1]], [[0, 0], [0, 1]], [[1, 0], [1, 1]]]
CROSS = [[[0, 0.5], [1, 0.5]], [[0.5, 0], [0.5, 1]]]
DIAGONALS = [[[0, 0], [1, 1]], [[1, 0], [0, 1]]]
NINE = [[[0, 1 / 3], [1, 1 / 3]], [[0, 2 / 3], [1, 2 / 3]], [[1 / 3, 0], [1 / 3, 1]], [[2 / 3, 0], [2 / 3, 1]]]


def _practice(inner):
    def paper(rng, scene, sheet, grid):
        n, canvas = scene.n, canvas_for(scene.n)
        corners = _corners(grid, n)
        if grid.gap == 0 and rng.random() < 0.3:  # one cell only, or a block of cells, on a bare page
            middle = np.argmin(np.abs(corners + [grid.w / 2, grid.h / 2] - n / 2).sum(1))
            away = np.abs(corners - corners[middle]) / [grid.w, grid.h]
            corners = corners[(away < rng.choice((0.5, 1.5), 2)).all(1)]
        size = min(grid.w, grid.h)
        frame = min(between(rng, 0.006, 0.03) * size + 0.3, 4.5) if rng.random() < 0.7 else _thin(rng, n)
        rule(canvas, scene.place, _in_cells(corners, grid, BOX), frame)
        if inner is not None:
            lines = inner(rng)
            thin, tone = frame * rng.uniform(0.4, 1), rng.uniform(0.4, 1)
            rule(canvas, scene.place, _in_cells(corners, grid, lines), max(0.35, thin), tone, _dash(rng, size))
        if grid.gap and rng.random() < 0.6:  # the rows' outer lines, and lines for the sound of a character
            ys = _reach(grid.y - grid.gap, grid.h, n, grid.gap)
            shares = np.linspace(0, 1, 4)[1:-1] if rng.random() < 0.4 else []
            for share in shares:
                rule(canvas, scene.place, _levels(ys + share * grid.gap, n), 0.4 * frame, 0.7)
        scene.print(canvas, line_colour(rng, scene.paper))

    return paper


def _mi(rng):
    return [*CROSS, *DIAGONALS]


def _hui(rng):
    a, b = rng.uniform(0.18, 0.3), rng.uniform(0.1, 0.3)
    b = a if rng.random() < 0.5 else b
    inner = [[[a + (1 - 2 * a) * x, b + (1 - 2 * b) * y] for x, y in line] for line in BOX]
    return [*inner, *CROSS] if rng.random() < 0.4 else inner


# Tables and forms


def _table(rng, scene, sheet, grid):
    n, canvas = scene.n, canvas_for(scene.n)
    xs, ys = _reach(grid.x, grid.w, n), _reach(grid.y, grid.h, n)
    width, colour = _thin(rng, n) * rng.choice((1, 1, 1.7)), line_colour(rng, scene.paper)
    x0, x1, y0, y1 = -0.5 * n, 1.5 * n, -0.5 * n, 1.5 * n
    for low in (True, False):  # the table ends on the page
        if rng.random() < 0.3:
            edge = xs[xs < 0.3 * n] if low else xs[xs > 0.7 * n]
            edge = edge if len(edge) else xs  # cells larger than the page
            x0, x1 = (edge[-1], x1) if low else (x0, edge[0])
        if rng.random() < 0.3:
            edge = ys[ys < 0.3 * n] if low else ys[ys > 0.7 * n]
            edge = edge if len(edge) else ys
            y0, y1 = (edge[-1], y1) if low else (y0, edge[0])
    xs, ys = xs[(xs >= x0 - 1) & (xs <= x1 + 1)], ys[(ys >= y0 - 1) & (ys <= y1 + 1)]
    level = np.array([[[x0, y], [x1, y]] for y in ys])
    upright = np.array([[[x, y0], [x, y1]] for x in xs])
    if rng.random() < 0.25:  # shaded rows
        _shade(rng, scene, ys[:: 2 if rng.random() < 0.6 else 50], grid.h, (x0, x1))
    style = rng.random()
    if style > 0.12:
        rule(canvas, scene.place, level, width)
    if not 0.12 < style < 0.2:
        rule(canvas, scene.place, upright, width)
    if style > 0.75:  # double lines
        rule(canvas, scene.place, level[::2] + [0, 2 * width + 1], width)
    for edge in (level[:1], level[-1:], upright[:1], upright[-1:]):
        if rng.random() < 0.3:
            rule(canvas, scene.place, edge, width * rng.uniform(1.5, 3.5))
    scene.print(canvas, colour)
    if rng.random() < 0.35:  # printed cells: a column or a row of labels
        _labels(rng, sheet, grid, xs, ys)


def _shade(rng, scene, ys, height, span):
    shade = np.zeros((scene.n, scene.n), np.float32)
    for y in ys[:12]:
        if -height < y < scene.n:
            x0, x1 = span
            shade += area(scene.n, scene.place, [[x0, y], [x1, y], [x1, y + height], [x0, y + height]])
    scene.dye(shade * rng.uniform(0.05, 0.25), hue(rng, rng.random(), rng.uniform(0, 0.4), rng.uniform(0.3, 0.8)))


def _labels(rng, sheet, grid, xs, ys):
    size = min(0.5 * grid.h, 0.11 * sheet.n) * rng.uniform(0.5, 1)
    if size < 5:
        return
    column = rng.random() < 0.5
    at = [(xs[len(xs) // 3], y) for y in ys] if column else [(x, ys[len(ys) // 3]) for x in xs]
    face = pick(rng, {"sans": 5, "blocks": 4, "hershey": 2})
    for x, y in at[:14]:
        if -grid.w < x < sheet.n and -grid.h < y < sheet.n:
            text = line_of_text(rng, min(8, grid.w / size), size, face)
            sheet.put(text[:, : int(0.9 * grid.w)], x + 0.1 * grid.w, y + 0.5 * (grid.h - 1.2 * size))


def _form(rng, scene, sheet, grid):
    """Fields with a small printed label in a corner, a comb of boxes, lines to fill."""
    n, canvas = scene.n, canvas_for(scene.n)
    corners, width = _corners(grid, n), _thin(rng, n)
    style = rng.random()
    apart = rng.uniform(0.02, 0.12) if rng.random() < 0.5 else 0
    box = np.asarray(BOX, float) * (1 - 2 * apart) + apart
    if style < 0.65:
        rule(canvas, scene.place, _in_cells(corners, grid, box), width)
    elif style < 0.8:  # a line to write on, with a label before it
        rule(canvas, scene.place, _in_cells(corners, grid, [[[0.1, 0.92], [0.95, 0.92]]]), width)
    else:  # a comb
        rule(canvas, scene.place, _levels(_reach(grid.y, grid.h, n), n), width)
        rule(canvas, scene.place, _in_cells(corners, grid, [[[0, 0.6], [0, 1]]]), width)
    scene.print(canvas, line_colour(rng, scene.paper))
    size = np.clip(rng.uniform(0.1, 0.22) * grid.h, 5, 0.09 * n)
    for x, y in corners:
        if -0.9 * grid.w < x < n and -0.2 * grid.h < y < n and rng.random() < 0.7:
            text = line_of_text(rng, rng.uniform(1, 6), size)
            sheet.put(text[:, : int(0.8 * grid.w)], x + (apart + 0.04) * grid.w, y + (apart + 0.03) * grid.h)


def _text(rng, scene, sheet, grid):
    """A printed page; the writing is between or beside its lines."""
    n = scene.n
    height = between(rng, 0.03, 0.09) * n
    for y0, y1 in ((-0.1, rng.uniform(0.1, 0.4)), (rng.uniform(0.65, 0.9), 1.1)):
        paragraph(rng, sheet, (rng.uniform(-0.1, 0.2) * n, y0 * n, rng.uniform(0.7, 1.1) * n, y1 * n), height)


def _print_around(rng, sheet, n):
    """A heading, a page number, a label at one of the sides."""
    for _ in range(int(rng.integers(1, 3))):
        size = between(rng, 0.03, 0.1) * n
        if rng.random() < 0.2:  # a rule that sets a heading apart
            text = np.full((max(1, round(_thin(rng, n))), int(rng.uniform(0.5, 1.1) * n)), 255, np.uint8)
        else:
            text = line_of_text(rng, rng.uniform(2, 20), size)
        text = text if rng.random() < 0.85 else np.rot90(text)
        x = rng.uniform(-0.1, 0.8) * n
        y = rng.choice((rng.uniform(0, 0.06), rng.uniform(0.88, 0.97))) * n
        sheet.put(text, *((x, y) if rng.random() < 0.7 else (y, x)))


def _board(rng, scene, sheet, grid):
    """What was wiped off: chalk dust or pale marks in the wipe's direction."""
    n = scene.n
    wiped = np.clip(0.3 + 0.5 * clouds(rng, n, 4) + 0.3 * grain(rng, n, 1.6, 12.0), 0, 1)
    if np.mean(scene.paper) < 0.5:
        scene.mix(wiped * rng.uniform(0.02, 0.22), tint(rng, 0.85))
    elif rng.random() < 0.5:
        scene.mix(wiped * rng.uniform(0.01, 0.08), hue(rng, rng.random(), 0.5, 0.5))


PRINTERS = {
    "ruled": _ruled,
    "squared": _squared,
    "millimetre": _millimetre,
    "dotted": _dotted,
    "cells": _practice(None),
    "tian": _practice(lambda rng: CROSS),
    "mi": _practice(_mi),
    "hui": _practice(_hui),
    "jiu": _practice(lambda rng: NINE),
    "table": _table,
    "form": _form,
    "text": _text,
    "blackboard": _board,
    "whiteboard": _board,
}
