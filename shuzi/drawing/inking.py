"""Strokes put on a page with a pen, pencil, brush, chalk or screen pen; the page's truth with them."""

from collections import namedtuple

import cv2
import numpy as np

from shuzi.drawing.handwriting import PENS
from shuzi.drawing.scene import SHIFT, area, between, clouds, fixed, grain, hue, pick, reduced, tint

# colour: (3,), 0..1. opacity: 0..1 of a full touch. fade: how much lighter a light touch is.
# texture: a key of TEXTURES, or "clear" for a highlighter.
Ink = namedtuple("Ink", "pen colour opacity fade texture")

LIGHT_PAPER = {"black": 34, "blue": 24, "pencil": 12, "red": 10, "any": 6, "green": 4, "purple": 3, "brown": 2,
               "equal": 4}  # fmt: skip
DARK_PAPER = {"white": 68, "pastel": 22, "any": 7, "equal": 3}
LEAST = 0.2  # of the colour's range between ink and paper: less, and nobody sees it


def choose_ink(rng, paper, pen, clean=False, fine=False):
    """An Ink for a pen (a key of PENS, or "chalk") that is seen on paper of that colour.

    clean: a drawing program's, of one tone. fine: for small writing, which is lost where it is pale.
    """
    grey = float(np.mean(paper))
    least = LEAST * (1.8 if fine else 1)
    dark = grey < 0.35 or (grey < 0.6 and rng.random() < 0.3)
    for attempt in range(8):
        family = pick(rng, DARK_PAPER if dark else LIGHT_PAPER)
        if pen == "pencil" and not dark and rng.random() < 0.85:
            family = "pencil"
        colour = np.clip(_as_bright(rng, paper) if family == "equal" else COLOURS[family](rng), 0, 1)
        opacity = 1.0 if rng.random() < 0.6 else rng.uniform(0.45, 1)
        if attempt == 7:
            colour, opacity = (np.ones(3), 1.0) if dark else (np.full(3, 0.1), 1.0)
        if np.abs(colour - paper).max() * opacity > least * (1.4 if family == "pencil" else 1):
            break
    if clean:
        return Ink(pen, colour, opacity if rng.random() < 0.3 else 1.0, 0.0, "even")
    if pen == "chalk":
        return Ink(pen, colour, max(opacity, 0.6), 0.4, "chalk")
    if family == "pencil":
        return Ink(pen, colour, opacity, 0.55, "pencil")
    if pen == "marker" and not dark and grey > 0.7 and rng.random() < 0.06:  # a highlighter
        return Ink(pen, hue(rng, rng.random(), rng.uniform(0.6, 1), 1.0), rng.uniform(0.6, 1), 0.0, "clear")
    return Ink(pen, colour, opacity, PENS[pen].fade, pick(rng, PEN_TEXTURES.get(pen, {"even": 1})))


def _as_bright(rng, paper):
    """Another hue of the paper's luminance: seen by its colour alone."""
    colour, weights = hue(rng, rng.random(), rng.uniform(0.5, 1), 1.0), np.array([0.299, 0.587, 0.114])
    return colour * (weights @ paper) / (weights @ colour)


COLOURS = {
    "black": lambda rng: tint(rng, rng.uniform(0.03, 0.3)),
    "pencil": lambda rng: tint(rng, rng.uniform(0.22, 0.58), 0.015),
    "blue": lambda rng: hue(rng, rng.uniform(0.57, 0.69), rng.uniform(0.4, 0.95), rng.uniform(0.35, 0.95)),
    "red": lambda rng: hue(rng, rng.normal(0, 0.025), rng.uniform(0.5, 0.95), rng.uniform(0.5, 1)),
    "green": lambda rng: hue(rng, rng.uniform(0.28, 0.48), rng.uniform(0.4, 0.9), rng.uniform(0.3, 0.8)),
    "purple": lambda rng: hue(rng, rng.uniform(0.7, 0.92), rng.uniform(0.3, 0.8), rng.uniform(0.3, 0.9)),
    "brown": lambda rng: hue(rng, rng.uniform(0.02, 0.11), rng.uniform(0.4, 0.8), rng.uniform(0.25, 0.6)),
    "any": lambda rng: hue(rng, rng.random(), rng.uniform(0.3, 1), rng.uniform(0.3, 1)),
    "white": lambda rng: tint(rng, rng.uniform(0.75, 1)),
    "pastel": lambda rng: hue(rng, rng.random(), rng.uniform(0.1, 0.5), rng.uniform(0.8, 1)),
}
PEN_TEXTURES = {
    "ballpoint": {"gaps": 40, "even": 30, "uneven": 30},
    "gel pen": {"even": 60, "uneven": 25, "gaps": 15},
    "fountain pen": {"pool": 50, "uneven": 50},
    "marker": {"even": 45, "pool": 20, "uneven": 20, "dry": 15},
    "brush": {"even": 40, "dry": 35, "uneven": 25},
}


def _dry(rng, n, stroke):
    streaks = grain(rng, n, 0.8, 9.0)
    streaks = streaks if rng.random() < 0.5 else streaks.T
    return np.clip(1.6 - 0.6 * np.maximum(streaks, 0) ** 2 + 0.6 * clouds(rng, n, 5), 0.12, 1)


def _pool(rng, n, stroke):
    """Ink gathers at the stroke's rims, or in its middle."""
    middle = cv2.GaussianBlur(stroke, (0, 0), rng.uniform(1, 3))
    return np.clip(1 - rng.uniform(-0.5, 0.5) * (middle - 0.5) - 0.25, 0.45, 1)


TEXTURES = {
    "even": lambda rng, n, stroke: 1,
    "uneven": lambda rng, n, stroke: np.clip(0.85 + 0.22 * clouds(rng, n, 8), 0.45, 1),
    "pencil": lambda rng, n, stroke: np.clip(0.8 + rng.uniform(0.1, 0.3) * grain(rng, n, 0.7), 0.25, 1),
    "chalk": lambda rng, n, stroke: np.clip(0.8 + rng.uniform(0.15, 0.45) * grain(rng, n, 0.8), 0.15, 1),
    "gaps": lambda rng, n, stroke: np.clip(1.7 - 0.55 * np.maximum(grain(rng, n, 0.8), 0), 0.35, 1),
    "dry": _dry,
    "pool": _pool,
}


def pen_width(rng, pen, size, thinnest=0.9):
    """A pen's width in pixels for writing of that size in pixels."""
    low, high = PENS.get(pen, PENS["marker"]).width
    return max(between(rng, low, high) * size, thinnest * between(rng, 1, 1.5))


# Strokes laid end to end: points float (m, 2) on the paper, widths float (m,) in pixels, and how many of the
# points are each stroke's.
Marks = namedtuple("Marks", "points widths counts")


def pack(strokes):
    """Marks of a list of (points, widths), as draw() returns it."""
    points, widths = zip(*strokes)
    return Marks(np.concatenate(points), np.concatenate(widths), np.array([len(part) for part in widths]))


def write(scene, rng, marks, ink, stepped=False, inside=None):
    """Draw Marks into a scene: its colours and its truth.

    stepped: with stairs, as by a simple drawing program. inside: (n, n), 1 where the pen can write at all.
    """
    n = scene.n
    stroke, tone = raster(scene.place, n, marks, ink.fade, stepped)
    if inside is not None:
        stroke, tone = stroke * inside, tone * inside
    alpha = tone * ink.opacity
    np.maximum(scene.ink, stroke, out=scene.ink)
    if ink.texture == "clear":
        scene.dye(alpha, ink.colour)
        return
    if ink.texture != "even":
        alpha = alpha * TEXTURES[ink.texture](rng, n, stroke)
    scene.mix(alpha, ink.colour)


def raster(place, n, marks, fade=0.0, stepped=False):
    """Marks as pixels: (how much of each is covered, how dark the touch is), float32 (n, n), 0..1."""
    counts, widths = marks.counts, marks.widths
    seen = place(marks.points)
    starts = np.cumsum(counts) - counts
    usual = np.add.reduceat(widths, starts) / counts
    near = (np.maximum.reduceat(seen, starts) > -usual[:, None]).all(1)
    near &= (np.minimum.reduceat(seen, starts) < n + usual[:, None]).all(1)
    fine = 1 if stepped else 4 if usual.min() < 6 else 3

    # points about as far apart as needed, each stroke's ends among them
    stroke = np.repeat(np.arange(len(counts)), counts)
    first = np.zeros(len(seen), bool)
    first[starts] = True
    last = np.roll(first, -1)
    steps = np.sqrt(np.square(np.diff(seen, axis=0, prepend=seen[:1])).sum(1))
    along = np.cumsum(steps)
    cell = ((along - along[starts][stroke]) // np.maximum(1.2, 0.3 * usual)[stroke]).astype(int)
    kept = (first | last | (np.diff(cell, prepend=0) != 0)) & near[stroke]
    at, stroke, first = fixed(seen[kept], fine), stroke[kept], first[kept]

    # drawn in runs of one width and touch; small writing in whole strokes
    widths = np.where(usual[stroke] * fine < 7, usual[stroke], widths[kept])
    thick = np.maximum(1, np.round(widths * fine)).astype(int)
    touch = np.round(16 * (1 - fade * np.clip(1 - widths / usual[stroke], 0, 0.8))).astype(int)
    same = np.roll(first, 1)  # the second point: it ends the first run
    cuts = first | ((np.diff(thick, prepend=0) != 0) | (np.diff(touch, prepend=0) != 0)) & ~same
    canvas = np.zeros((fine * n, fine * n), np.uint8)
    tones = np.zeros_like(canvas) if fade else None
    begins = np.flatnonzero(cuts)
    ends = np.append(begins[1:], len(at))
    begins = np.where(first[begins], begins, begins - 1).tolist()
    thick, touch = thick.tolist(), np.minimum(255, 16 * touch).tolist()
    for begin, end in zip(begins, ends.tolist()):
        part = [at[begin:end]]
        cv2.polylines(canvas, part, False, 255, thick[end - 1], cv2.LINE_8, SHIFT)
        if fade:
            cv2.polylines(tones, part, False, touch[end - 1], thick[end - 1], cv2.LINE_8, SHIFT)
    covered = reduced(canvas, n)
    return covered, reduced(tones, n) if fade else covered


def spill(rng, n, place, ink, scene):
    """A blot or a few specks of ink, which are no writing."""
    for _ in range(int(rng.integers(1, 4))):
        t = np.linspace(0, 6.28, 12)[:-1]
        radius = between(rng, 0.6, 3.5) * (1 + 0.25 * rng.standard_normal(len(t)))
        outline = rng.uniform(0, n, 2) + np.stack([np.cos(t), np.sin(t)], 1) * radius[:, None]
        scene.mix(area(n, place, outline) * ink.opacity, ink.colour)
