"""What happens to a sheet of paper: shine-through, folds, crumples, stains, holes, smudges, stamps, tape."""

import math

import cv2
import numpy as np

from shuzi.drawing.inking import Marks, pack, raster
from shuzi.drawing.printing import Sheet, paragraph, stamp
from shuzi.drawing.scene import area, between, clouds, grain, hue, pick, tint
from shuzi.drawing.scribbles import Hand, cursive, pseudo


def wear_paper(rng, scene, often=0.4):
    """Age the sheet before it is written on; each page with chance `often`, some in several ways."""
    while rng.random() < often:
        pick(rng, WEAR)(rng, scene)


def _shine_through(rng, scene):
    """The back of the sheet: pale, blurred, in mirror writing."""
    n = scene.n
    if rng.random() < 0.65:
        hand, size = Hand(rng), between(rng, 0.08, 0.6) * n
        width = size * between(rng, 0.02, 0.09)
        strokes = []
        for _ in range(int(rng.integers(1, 7))):
            at = rng.uniform(-0.2, 0.9, 2) * n
            written = (pseudo if rng.random() < 0.6 else cursive)(rng, hand)
            strokes += [(at + points * size, widths * max(0.8, width)) for points, widths in written]
        points, widths, counts = pack(strokes)
        field, _ = raster(scene.place, n, Marks(points * [-1, 1] + [n, 0], widths, counts))
    else:
        sheet = Sheet(n)
        paragraph(rng, sheet, (0, 0, n, n), between(rng, 0.03, 0.08) * n)
        inner = slice(sheet.margin, -sheet.margin)
        field = sheet.field[inner, inner][:, ::-1].astype(np.float32) / 255
    field = cv2.GaussianBlur(field, (0, 0), between(rng, 0.8, 3) * n / 256)
    field = field * np.clip(0.8 + 0.4 * clouds(rng, n, 4), 0, 1)
    colour = scene.paper * rng.uniform(0.4, 0.8) if rng.random() < 0.6 else tint(rng, 0.5, 0.15)
    scene.mix(field * between(rng, 0.06, 0.27), colour)


def _fold(rng, scene):
    """Creases, straight through the whole sheet, with light on one flank."""
    n = scene.n
    y, x = np.mgrid[0:n, 0:n].astype(np.float32)
    for _ in range(int(rng.integers(1, 3))):
        angle = rng.normal(0, 0.05) + (rng.integers(2) * math.pi / 2 if rng.random() < 0.8 else rng.uniform(0, 3))
        at = rng.uniform(0.1, 0.9) * n
        away = (x - at) * math.cos(angle) + (y - at) * math.sin(angle)
        line = np.exp(-((away / between(rng, 0.5, 2.2)) ** 2))
        flank = np.tanh(away / between(rng, 1, 5)) * np.exp(-np.abs(away) / (between(rng, 0.02, 0.2) * n))
        worn = np.clip(0.8 + 0.3 * grain(rng, n, 1.6), 0, 1)
        scene.colour *= 1 + rng.uniform(-0.35, 0.12) * line * worn + rng.uniform(-0.12, 0.12) * flank


def _crumple(rng, scene):
    """Facets of a sheet that was crumpled and smoothed."""
    n = scene.n
    height = np.zeros((n, n), np.float32)
    y, x = np.mgrid[0 : 1 : n * 1j, 0 : 1 : n * 1j].astype(np.float32)
    for _ in range(int(rng.integers(4, 12))):
        angle, at = rng.uniform(0, 6.3), rng.uniform(-0.7, 0.7)
        height += np.abs((x - 0.5) * math.cos(angle) + (y - 0.5) * math.sin(angle) - at) * rng.normal()
    height += 0.12 * clouds(rng, n, 6)
    angle = rng.uniform(0, 6.3)
    slope = np.gradient(height)
    lit = (slope[0] * math.sin(angle) + slope[1] * math.cos(angle)) * n
    scene.colour *= 1 + (rng.uniform(0.015, 0.06) * np.clip(lit, -3, 3))


def _stain(rng, scene):
    """Coffee, water or grease: a blot with a darker rim, or the ring of a cup."""
    n = scene.n
    y, x = np.mgrid[0 : 1 : n * 1j, 0 : 1 : n * 1j].astype(np.float32)
    cx, cy = rng.uniform(0, 1, 2)
    away = np.hypot(x - cx, y - cy) * (1 + 0.12 * clouds(rng, n, 3))
    radius = between(rng, 0.04, 0.45)
    ring = np.exp(-(((away - radius) / rng.uniform(0.006, 0.03)) ** 2))
    filled = 1 / (1 + np.exp(np.clip((away - radius) / 0.006, -30, 30)))
    shade = ring * rng.uniform(0, 1) + filled * rng.uniform(0, 0.6) * (rng.random() < 0.7)
    angle = rng.uniform(0.05, 0.13) if rng.random() < 0.8 else rng.random()
    colour = hue(rng, angle, rng.uniform(0.3, 0.8), rng.uniform(0.4, 0.8))
    scene.dye((shade * rng.uniform(0.08, 0.4)).clip(0, 1), colour)


def _holes(rng, scene):
    """Punched holes along a side, or the binding of a spiral pad; the dark below is seen."""
    n = scene.n
    radius = between(rng, 0.012, 0.06) * n
    pitch = radius * rng.choice((3.0, 5.0, 12.0))
    at = rng.uniform(0.0, 0.12) * n
    level = rng.choice((0.05, 0.3, 0.95))
    turned = rng.random() < 0.3
    t = np.linspace(0, 2 * math.pi, 16)[:-1]
    circle = np.stack([np.cos(t), np.sin(t)], 1) * radius
    for along in np.arange(rng.uniform(0, pitch), n, pitch):
        middle = np.array([along, at] if turned else [at, along])
        scene.colour *= 1 - 0.3 * area(n, scene.place, circle * 1.25 + middle + 1, 1.0)
        scene.cover(area(n, scene.place, circle + middle), tint(rng, level, 0.01))


def _staple(rng, scene):
    n = scene.n
    middle = rng.choice((rng.uniform(0.02, 0.15), rng.uniform(0.85, 0.98)), 2) * n
    angle, long, wide = rng.normal(0, 0.5), between(rng, 0.05, 0.12) * n, max(0.8, 0.006 * n)
    way = np.array([math.cos(angle), math.sin(angle)])
    side = np.array([-way[1], way[0]]) * wide
    ends = middle - way * long / 2, middle + way * long / 2
    outline = np.array([ends[0] - side, ends[1] - side, ends[1] + side, ends[0] + side])
    scene.colour *= 1 - 0.4 * area(n, scene.place, outline + wide, 1.0)
    scene.cover(area(n, scene.place, outline), tint(rng, rng.uniform(0.45, 0.85), 0.02))


def _smudge(rng, scene):
    """Pencil that was rubbed out: grey clouds, and faint dents of the old strokes."""
    n = scene.n
    middle, reach = rng.uniform(0.1, 0.9, 2) * n, between(rng, 0.05, 0.3) * n
    t = np.linspace(0, 2 * math.pi, 12)[:-1]
    blot = middle + np.stack([np.cos(t) * reach * rng.uniform(1, 2.5), np.sin(t) * reach], 1)
    field = area(n, scene.place, blot, 0.25 * reach) * np.clip(0.5 + 0.4 * grain(rng, n, 1.6, 9.0), 0, 1)
    scene.mix(field * rng.uniform(0.04, 0.18), tint(rng, 0.4, 0.02))
    if rng.random() < 0.5:
        hand = Hand(rng)
        points, widths, counts = pack(pseudo(rng, hand))
        marks = Marks(middle - reach + points * 2 * reach, widths * max(1, 0.06 * reach), counts)
        ghost = cv2.GaussianBlur(raster(scene.place, n, marks)[0], (0, 0), rng.uniform(0.7, 2))
        scene.mix(ghost * rng.uniform(0.02, 0.08), tint(rng, 0.4, 0.02))


def _stamp(rng, scene):
    scene.dye(*stamp(rng, scene.n))


def _tape(rng, scene):
    """Clear or milky tape, or a paper patch, with straight rims."""
    n = scene.n
    angle, middle = rng.uniform(0, math.pi), rng.uniform(-0.1, 1.1, 2) * n
    way = np.array([math.cos(angle), math.sin(angle)]) * between(rng, 0.15, 0.8) * n
    side = np.array([-way[1], way[0]]) / np.hypot(*way) * between(rng, 0.05, 0.2) * n / 2
    outline = np.array([middle - way - side, middle + way - side, middle + way + side, middle - way + side])
    field = area(n, scene.place, outline)
    scene.colour *= 1 - 0.15 * area(n, scene.place, outline + 1, 1.0) * (1 - field)
    scene.mix(field * rng.uniform(0.08, 0.5), hue(rng, 0.13, rng.uniform(0, 0.3), rng.uniform(0.75, 1)))


WEAR = {
    _shine_through: 26, _fold: 14, _crumple: 12, _stain: 9, _holes: 8, _staple: 3, _smudge: 12, _stamp: 10, _tape: 6,
}  # fmt: skip
