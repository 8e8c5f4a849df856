"""Things that lie on or around a photographed page: the table, pens, fingers, cables. They hide ink."""

import math

import cv2
import numpy as np

from shuzi.drawing.scene import area, between, clouds, grain, hue, pick, tint


def table_top(rng, n):
    """The colours of a table, float32 (3, n, n)."""
    kind = pick(rng, {"wood": 45, "plain": 30, "cloth": 12, "stone": 13})
    if kind == "wood":
        angle, value = rng.uniform(0.04, 0.11), rng.uniform(0.25, 0.85)
        a, b = hue(rng, angle, rng.uniform(0.3, 0.7), value), hue(rng, angle, 0.6, value * rng.uniform(0.5, 0.9))
        veins = 0.5 + 0.35 * grain(rng, n, 1.6, 40.0) + 0.2 * grain(rng, n, 0.8, 9.0)
        veins = veins if rng.random() < 0.5 else veins.T
    else:
        dark = rng.uniform(0.05, 0.9)
        a = tint(rng, dark, 0.05) if rng.random() < 0.6 else hue(rng, rng.random(), rng.uniform(0.1, 0.6), dark)
        b = a * rng.uniform(0.6, 1.2)
        veins = 0.5 + (0.05 * clouds(rng, n, 4) if kind == "plain" else 0.35 * grain(rng, n, 1.6))
        if kind == "cloth":
            step = np.arange(n) * (2 * math.pi / between(rng, 2.5, 8))
            veins = veins + 0.3 * np.sin(step)[:, None] * np.sin(step)[None, :]
    veins = np.clip(veins, 0, 1).astype(np.float32)
    a, b = (np.asarray(c, np.float32).reshape(3, 1, 1) for c in (a, b))
    return np.clip(a + veins * (b - a), 0, 1)


def around_the_page(rng, scene):
    """The page ends inside the picture; a table, with the page's shadow, is beyond."""
    n = scene.n
    sides = rng.random(4) < rng.choice((0.3, 0.6, 1.0), p=(0.5, 0.3, 0.2))
    if not sides.any():
        sides[rng.integers(4)] = True
    x0, y0, x1, y1 = np.where(sides, between(rng, 0.01, 0.16) * rng.uniform(0.6, 1.4, 4), -0.6) * n
    skew = rng.normal(0, 0.015, 8).reshape(4, 2) * n
    outline = np.array([[x0, y0], [n - x1, y0], [n - x1, n - y1], [x0, n - y1]]) + skew
    beyond = 1 - area(n, scene.place, outline, 0)
    top = table_top(rng, n)
    if rng.random() < 0.6:  # the page's own shadow, or its thickness
        reach = rng.normal(0, 0.015, 2) * n
        top = top * (1 - rng.uniform(0.2, 0.6) * area(n, scene.place, outline + reach, rng.uniform(0.5, 5)))
    scene.cover(beyond, top)


def lay_objects(rng, scene):
    for _ in range(pick(rng, {1: 70, 2: 25, 3: 5})):
        thing = pick(rng, {pen: 45, finger: 15, cable: 12, block: 18, ring: 10})
        thing(rng, scene)


def _shaded(scene, outline, colours, across, rng, shadow=0.35):
    """Cover an outline (in the picture) with a thing that is rounded across.

    across: (point, direction, width): where its middle line is, for the light on it.
    """
    n = scene.n
    shape = area(n, None, outline, rng.uniform(0, 0.8))
    shift = rng.normal(0, 0.02, 2) * n
    fallen = area(n, None, np.asarray(outline) + shift, between(rng, 1, 8) * n / 256)
    scene.colour *= 1 - shadow * rng.random() * fallen
    point, (dx, dy), width = across
    y, x = np.mgrid[0:n, 0:n].astype(np.float32)
    off = ((x - point[0]) * -dy + (y - point[1]) * dx) / width  # -0.5..0.5 across the thing
    gloss = np.exp(-(((off - rng.uniform(-0.25, 0.25)) / 0.12) ** 2)) * rng.uniform(0, 0.5)
    shade = (1 - rng.uniform(0, 0.9) * np.abs(off) ** 1.5).clip(0.2, 1)
    body = np.clip(np.asarray(colours, np.float32).reshape(3, 1, 1) * shade + gloss, 0, 1)
    scene.cover(shape, body)


def _edge_point(rng, n):
    at, side = rng.uniform(0, n), rng.integers(4)
    return np.array([(at, 0), (at, n), (0, at), (n, at)][side], float)


def pen(rng, scene):
    """A pen or pencil that lies at a side, or across a corner."""
    n = scene.n
    start = _edge_point(rng, n)
    angle = math.atan2(n / 2 - start[1], n / 2 - start[0]) + rng.normal(0, 1.0)
    long, wide = rng.uniform(0.15, 0.9) * n, between(rng, 0.02, 0.09) * n
    way, side = np.array([math.cos(angle), math.sin(angle)]), np.array([-math.sin(angle), math.cos(angle)])
    start = start - 0.3 * n * way
    end = start + (long + 0.3 * n) * way
    tip = end + way * wide * rng.uniform(0.5, 3)
    half = side * wide / 2
    nib = half * rng.uniform(0, 0.3)
    colour = tint(rng, rng.random() * 0.9) if rng.random() < 0.4 else hue(rng, rng.random(), 0.8, rng.uniform(0.3, 1))
    across = (start, way, wide)
    _shaded(scene, [start - half, end - half, tip - nib, tip + nib, end + half, start + half], colour, across, rng)
    for _ in range(int(rng.integers(0, 3))):  # a ring, the grip, the cap
        a = start + way * rng.uniform(0.2, 1) * (long + 0.3 * n)
        b = a + way * wide * rng.uniform(0.3, 4)
        _shaded(scene, [a - half, b - half, b + half, a + half], tint(rng, rng.random()), across, rng, 0)


def finger(rng, scene):
    n = scene.n
    start = _edge_point(rng, n)
    angle = math.atan2(n / 2 - start[1], n / 2 - start[0]) + rng.normal(0, 0.5)
    way, side = np.array([math.cos(angle), math.sin(angle)]), np.array([-math.sin(angle), math.cos(angle)])
    wide, long = between(rng, 0.12, 0.3) * n, rng.uniform(0.05, 0.3) * n
    t = np.linspace(-math.pi / 2, math.pi / 2, 12)
    tip = start + way * long + (np.cos(t)[:, None] * way * 0.6 + np.sin(t)[:, None] * side * 0.5) * wide
    back = start - way * n * 0.3
    skin = hue(rng, rng.uniform(0.03, 0.08), rng.uniform(0.25, 0.55), rng.uniform(0.35, 0.95))
    _shaded(scene, [back - side * wide / 2, *tip, back + side * wide / 2], skin, (start, way, wide), rng, 0.6)
    if rng.random() < 0.4:  # a nail
        middle = start + way * (long + 0.3 * wide)
        t = np.linspace(0, 2 * math.pi, 14)[:-1]
        nail = middle + (np.cos(t)[:, None] * way * 0.25 + np.sin(t)[:, None] * side * 0.28) * wide
        scene.cover(area(n, None, nail, 0.8), np.clip(skin * 1.1 + 0.05, 0, 1))


def cable(rng, scene):
    """A cable, a string or a hair tie: a long smooth curve of even width from side to side."""
    n = scene.n
    t = np.linspace(0, 1, 40)[:, None]
    a, d = _edge_point(rng, n), _edge_point(rng, n)
    b, c = rng.uniform(-0.2, 1.2, (2, 2)) * n
    path = (1 - t) ** 3 * a + 3 * t * (1 - t) ** 2 * b + 3 * t**2 * (1 - t) * c + t**3 * d
    canvas = np.zeros((2 * n, 2 * n), np.uint8)
    wide = between(rng, 0.012, 0.05) * n
    for share, value in ((1, 255), (0.35, 150)):
        thick = max(1, int(2 * wide * share))
        cv2.polylines(canvas, [(path * 32).astype(np.int32)], False, value, thick, cv2.LINE_AA, 4)
    field = cv2.resize(canvas, (n, n), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    colour = tint(rng, rng.choice((0.1, 0.9))) if rng.random() < 0.7 else hue(rng, rng.random(), 0.6, 0.7)
    shadow = cv2.GaussianBlur(np.roll(np.minimum(field * 2, 1), (int(wide), int(wide)), (0, 1)), (0, 0), 0.5 * wide + 1)
    scene.colour *= 1 - 0.35 * shadow
    scene.cover(np.minimum(field * 2, 1), colour)
    scene.mix((field > 0.01) * (field < 0.8) * 0.25 * field, tint(rng, 0.95))


def block(rng, scene):
    """A phone, a box, a keyboard with its keys, a card or a book, that reaches in from a side."""
    n = scene.n
    start = _edge_point(rng, n)
    angle = rng.normal(0, 0.15) + rng.integers(4) * math.pi / 2
    way, side = np.array([math.cos(angle), math.sin(angle)]), np.array([-math.sin(angle), math.cos(angle)])
    inward = np.array([n / 2, n / 2]) - start
    inward = inward / (np.hypot(*inward) + 1e-6)
    size = rng.uniform(0.2, 0.7, 2) * n
    middle = start - inward * (size.min() / 2 - between(rng, 0.02, 0.15) * n)
    w, h = way * size[0] / 2, side * size[1] / 2
    colour = tint(rng, rng.random()) if rng.random() < 0.6 else hue(rng, rng.random(), 0.6, rng.uniform(0.2, 0.9))
    outline = [middle - w - h, middle + w - h, middle + w + h, middle - w + h]
    scene.colour *= 1 - rng.uniform(0, 0.5) * area(n, None, np.array(outline) + rng.normal(0, 0.015, 2) * n, 3)
    scene.cover(area(n, None, outline, rng.uniform(0, 0.8)), colour)
    if rng.random() < 0.4:  # keys
        key, lit = between(rng, 0.05, 0.1) * n, np.clip(colour + rng.uniform(-0.3, 0.3), 0, 1)
        canvas = np.zeros((2 * n, 2 * n), np.uint8)
        u, v = np.meshgrid(*(np.arange(-s / 2 + key * 0.6, s / 2 - key * 0.4, key) for s in size))
        for point in middle + u.reshape(-1, 1) * way + v.reshape(-1, 1) * side:
            box = ((float(point[0]) * 2, float(point[1]) * 2), (key * 1.6, key * 1.6), math.degrees(angle))
            cv2.fillConvexPoly(canvas, cv2.boxPoints(box).astype(np.int32), 255, cv2.LINE_AA)
        scene.cover(cv2.resize(canvas, (n, n), interpolation=cv2.INTER_AREA).astype(np.float32) / 255, lit)


def ring(rng, scene):
    """A coin, a cup's foot, a rubber, the cap of a pen: something round or oval at a side."""
    n = scene.n
    middle = _edge_point(rng, n) + rng.normal(0, 0.06, 2) * n
    t = np.linspace(0, 2 * math.pi, 40)[:-1]
    radius = between(rng, 0.06, 0.3) * n
    outline = middle + np.stack([np.cos(t), rng.uniform(0.6, 1) * np.sin(t)], 1) * radius
    colour = tint(rng, rng.random()) if rng.random() < 0.5 else hue(rng, rng.random(), 0.6, rng.uniform(0.3, 0.95))
    angle = rng.uniform(0, 6)
    _shaded(scene, outline, colour, (middle, (math.cos(angle), math.sin(angle)), 2 * radius), rng)
    if rng.random() < 0.5:
        scene.cover(area(n, None, middle + (outline - middle) * rng.uniform(0.5, 0.9)), np.clip(colour * 0.8, 0, 1))
