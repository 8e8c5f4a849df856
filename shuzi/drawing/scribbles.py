"""Handwriting that is no numeral: characters, letters, cursive, scribbles, ticks, crossings-out.

Strokes come as those of draw(): a list of (points float (n, 2) roughly in 0..1, widths float (n,)).
"""

import math
from functools import lru_cache

import numpy as np

from shuzi.drawing.strokes import parse

# in the notation of strokes.py; many are of boxes and crosses, which look like printed cells
SHAPES = """
18,20 20,85 | 18,20 84,17! 80,84 | 20,80 80,78
12,12 14,92 | 12,12 88,10! 86,92 | 14,50 86,49 | 50,12 50,90 | 14,90 86,89
10,10 11,92 | 10,10 90,8! 89,92 | 34,34 35,66 | 34,34 66,33! 65,66 | 35,65 65,64 | 11,91 89,90
14,12 86,10 | 20,50 80,48 | 50,11 50,90 | 6,91 94,89
25,8 26,95 | 25,8 76,6! 75,95 | 26,35 75,34 | 26,62 75,61 | 26,92 75,91
22,10 23,92 | 22,10 78,8! 77,92 | 23,50 77,49 | 23,90 77,89
12,26 14,62 | 12,26 88,24! 85,62 | 14,60 86,59 | 50,4 50,98
20,35 80,33 | 50,8 50,90 | 6,91 94,89
18,15 82,13 | 50,14 50,88 | 6,90 94,88
48,8 48,90 | 50,45 85,42 | 6,92 94,90
6,12 94,10 | 48,12 48,96 | 52,38 80,52
8,36 92,34 | 50,6 46,45 8,95 | 50,40 65,70 94,94
50,6 44,45 6,94 | 48,40 66,70 95,93
6,14 94,12 | 60,14 40,40 8,62 | 50,32 50,96 | 60,42 90,60
8,34 92,32 | 50,4 50,97 | 48,36 32,62 6,82 | 52,36 70,62 95,82
50,5 50,90! 40,84 | 26,36 8,70 | 74,34 94,66
50,8 50,86 | 14,38 15,88 85,86 | 86,34 85,92
10,8 11,94 | 10,8 90,6! 89,94 | 26,28 74,27 | 30,50 70,49 | 50,28 50,76 | 24,77 78,76 | 11,93 89,92
28,6 26,60 8,96 | 72,5 72,96 | 6,32 94,30 | 6,64 94,62
20,8 82,6 | 28,32 76,30 | 6,56 94,54 | 50,7 50,96
18,8 16,70 6,94 | 50,12 50,80 | 84,8 84,96
28,8 26,70 12,96 | 28,8 76,6! 75,94 66,88 | 27,34 75,33 | 27,58 75,57
50,2 40,18 | 20,20 21,96 | 20,20 80,18! 79,96 | 21,56 79,55 | 21,92 79,91
14,10 15,66 | 14,10 86,8! 85,66 | 15,38 85,37 | 15,65 85,64 | 50,10 50,98
34,6 12,46 | 26,32 27,96 | 46,22 92,20 | 70,6 70,70! 60,64 | 50,44 60,56
20,20 80,18 | 50,4 50,50 | 10,50 90,47 | 30,60 14,92 | 50,62 52,88 | 72,58 92,86
14,12 40,20 | 10,34 34,38 | 10,88 40,56 | 50,10 92,8 | 70,10 68,90 | 46,46 96,44 | 44,92 98,90
50,5 20,20 12,60 30,92 60,94 88,60 80,20 50,5
30,25 55,5! 54,95
18,25 45,5 78,25 60,55 15,94! 85,92
18,15 60,5 78,25 45,45! 82,65 65,92 18,88
62,5 15,65! 90,62 | 65,40 62,96
80,6 30,8! 24,42! 70,45 80,72 55,94 18,88
72,6 30,40 18,75 50,95 78,72 50,55 24,68
15,8 85,6! 45,95
75,20 45,5 25,25 70,65 55,94 25,80 50,48 76,20
76,30 45,8 24,34 50,52 76,30! 72,60 60,95
50,5 10,95 | 50,5 90,95 | 26,62 74,60
18,6 20,95 | 18,6 70,12 64,42 20,46! 80,60 72,92 20,94
82,18 45,5 14,50 45,95 84,80
18,6 20,94 | 18,6 70,14 86,50 66,90 20,94
80,6 20,8! 20,94! 82,92 | 20,50 70,48
18,5 18,95 | 82,5 82,95 | 18,50 82,48
15,95 16,6! 50,65! 84,6! 85,95
15,95 16,6! 82,94! 84,5
78,15 45,5 24,25 70,55 75,80 45,95 18,82
8,8 92,6 | 50,7 50,96
10,8 90,94 | 90,6 8,95
8,6 50,50! 92,6 | 50,50 50,96
70,45 40,35 20,62 40,92 68,70! 70,38! 74,92
24,5 24,92 | 24,60 55,42 74,66 55,92 24,86
20,65 75,60 60,38 24,50 30,88 78,84
20,40 24,92 | 24,60 50,40 68,50 70,92
22,35 40,90! 60,38! 76,92! 92,36
20,55 40,90! 85,8
50,10 50,92 | 8,50 92,50
12,36 88,34 | 12,66 88,64
6,50 94,48! 74,30 | 94,48 74,70
"""


@lru_cache(maxsize=1)
def shapes():
    return [
        [(points, corners) for points, corners, _, _ in parse(line)]
        for line in SHAPES.strip().splitlines()
        if line.strip()
    ]


def smooth(points, corners=None):
    """A pen's track past the points: curved (Chaikin's cutting of corners), sharp where corners are."""
    if corners is not None and corners[1:-1].any():
        cuts = [0, *(np.nonzero(corners[1:-1])[0] + 1), len(points) - 1]
        parts = [smooth(points[a : b + 1]) for a, b in zip(cuts, cuts[1:])]
        return np.concatenate([parts[0], *(part[1:] for part in parts[1:])])
    if len(points) == 2:
        along = np.linspace(0, 1, 9)[:, None]
        return points[0] + along * (points[1] - points[0])
    for _ in range(3 if len(points) < 12 else 2):
        a, b = points[:-1], points[1:]
        cut = np.empty((2 * len(a), 2))
        cut[0::2], cut[1::2] = 0.75 * a + 0.25 * b, 0.25 * a + 0.75 * b
        points = np.concatenate([points[:1], cut, points[-1:]])
    return points


class Hand:
    """How one hand's strokes differ from the ideal ones."""

    def __init__(self, rng, loose=None):
        self.loose = math.exp(rng.normal(0, 0.4)) if loose is None else loose
        self.slant, self.rise = rng.normal(0.03, 0.12), rng.normal(0.03, 0.07)
        self.aspect = math.exp(rng.normal(0, 0.15))
        self.tremor = rng.gamma(1.5, 0.0015) * (3 if rng.random() < 0.1 else 1)
        self.bow = rng.normal(0, 0.05)
        self.taper = rng.random() * (rng.random() < 0.5)
        self.pressure = rng.uniform(0.05, 0.35)

    def write(self, strokes, rng, own=0.02):
        """strokes: (points, corners) in 0..1 -> strokes as draw() returns them."""
        written = []
        for points, corners in strokes:
            points = points + rng.normal(0, own * self.loose, points.shape) + rng.normal(0, 0.015, 2)
            if len(points) == 2:
                way = points[1] - points[0]
                bow = (self.bow + rng.normal(0, 0.04)) * np.array([way[1], -way[0]])
                points = np.stack([points[0], points[0] + rng.uniform(0.3, 0.7) * way + 1.4 * bow, points[1]])
                corners = None
            track = smooth(points, corners)
            written.append((self.turned(self.shaken(track, rng)), self.widths(len(track), rng)))
        return written

    def shaken(self, track, rng):
        at = np.arange(len(track))[:, None]
        size = self.tremor
        return track + rng.normal(0, size, 2) * np.sin(at * rng.uniform(0.3, 0.9) + rng.uniform(0, 6, 2))

    def turned(self, points):
        x, y = (points - 0.5).T
        x, y = x * math.sqrt(self.aspect), y / math.sqrt(self.aspect)
        return np.stack([x - self.slant * y, y - self.rise * x], 1) + 0.5

    def widths(self, count, rng):
        along = np.linspace(0, 1, count)
        widths = 1 + self.pressure * np.sin(along * rng.uniform(1, 6) + rng.uniform(0, 6))
        if self.taper:
            widths *= 1 - self.taper * rng.uniform(0.2, 0.9) * np.clip((along - 0.6) / 0.4, 0, 1) ** 2
        return widths


def character(rng, hand):
    """A known shape: a Chinese character, a letter, a digit or a sign."""
    return hand.write(shapes()[int(rng.integers(len(shapes())))], rng)


def pseudo(rng, hand):
    """A character that does not exist: strokes in one, two or three parts of the square."""
    parts = [[(0, 0, 1, 1)], [(0, 0, 0.42, 1), (0.45, 0, 1, 1)], [(0, 0, 1, 0.45), (0, 0.5, 1, 1)]]
    strokes = []
    for x0, y0, x1, y1 in parts[int(rng.integers(3))]:
        scale, low = np.array([x1 - x0, y1 - y0]), np.array([x0, y0])
        for _ in range(int(rng.integers(1, 5))):
            kind, (u, v) = rng.random(), rng.random(2)
            if kind < 0.35:  # level
                points = [(0.1 + 0.3 * u, v), (0.6 + 0.4 * u, v)]
            elif kind < 0.6:  # upright, sometimes hooked
                points = [(u, 0.1 * v), (u, 0.7 + 0.3 * v)]
                if rng.random() < 0.3:
                    points.append((u - 0.15, 0.6 + 0.3 * v))
            elif kind < 0.85:  # falling left or right
                side = 0.5 * rng.choice((-1, 1))
                points = [(u, v * 0.5), (u + 0.4 * side, v * 0.5 + 0.3), (u + side, v * 0.5 + 0.5)]
            else:  # a bent one
                points = [(0.1, 0.2 * v), (0.9, 0.2 * v), (0.85, 0.95), (0.7, 0.85)]
            points = low + scale * np.array(points)
            corners = np.zeros(len(points), bool)
            corners[1:-1] = kind < 0.6 or kind >= 0.85
            strokes.append((points, corners))
    return hand.write(strokes, rng)


def cursive(rng, hand):
    """A word of joined loops, wider than high; about 1 high."""
    letters = int(rng.integers(2, 9))
    t = np.linspace(0, letters, letters * 9)
    heights = np.interp(t, np.arange(letters + 1), rng.choice((0.4, 0.45, 0.9), letters + 1, p=(0.4, 0.35, 0.25)))
    speed, loop = 2 * math.pi * rng.uniform(0.9, 1.2), rng.uniform(0.05, 0.35)
    x = 0.42 * t + loop * np.sin(t * speed + rng.uniform(0, 6) + 0.4 * np.sin(t * 2.1))
    y = 0.6 - 0.5 * heights * np.sin(t * speed) + 0.05 * np.sin(1.3 * t)
    strokes = [(np.stack([x, y], 1) + rng.normal(0, 0.02, (len(t), 2)), None)]
    if rng.random() < 0.5:  # a dot or a bar of a t
        at = rng.uniform(0.2, 0.9) * x.max()
        strokes.append((np.array([[at, 0.0], [at + rng.uniform(0.03, 0.5), rng.uniform(-0.02, 0.1)]]), None))
    return hand.write(strokes, rng, own=0.008)


def scribble(rng, hand):
    """A tangle, a zigzag or a curl that fills about the square."""
    kind = rng.random()
    if kind < 0.4:
        points = rng.random((int(rng.integers(3, 12)), 2))
    elif kind < 0.75:
        count = int(rng.integers(4, 16))
        points = np.stack([np.linspace(0, 1, count), np.arange(count) % 2 * rng.uniform(0.2, 0.9)], 1)
        points = points + rng.normal(0, 0.05, points.shape)
    else:
        t = np.linspace(0, rng.uniform(4, 22), 40)
        radius = 0.5 * np.linspace(1, rng.uniform(0.1, 1), 40)
        points = 0.5 + np.stack([radius * np.cos(t), radius * np.sin(t)], 1) + rng.normal(0, 0.02, (40, 2))
    sharp = np.full(len(points), rng.random() < 0.3 and len(points) < 12)
    return hand.write([(points, sharp)], rng, own=0.01)


def dots(rng, hand):
    """One to three dots, commas or short ticks, small beside a character."""
    strokes = []
    for _ in range(int(rng.integers(1, 4))):
        start = rng.uniform(0.2, 0.8, 2)
        strokes.append((np.stack([start, start + rng.normal(0, 0.06, 2)]), None))
    return hand.write(strokes, rng, own=0.003)


def crossing_out(rng, hand):
    """Lines or a zigzag through what was written before, or a line below it."""
    kind = rng.random()
    if kind < 0.4:
        y = rng.uniform(0.2, 1.1)
        strokes = [(np.array([[-0.1, y], [1.1, y + rng.normal(0, 0.08)]]), None)]
    elif kind < 0.7:
        strokes = [(np.array([[0.0, 0.0], [1, 1]]), None), (np.array([[1.0, 0], [0, 1]]), None)]
    else:
        count = int(rng.integers(6, 14))
        points = np.stack([np.linspace(-0.1, 1.1, count), 0.2 + 0.6 * (np.arange(count) % 2)], 1)
        strokes = [(points, np.full(count, True))]
    return hand.write(strokes, rng, own=0.04)


WRITING = {character: 40, pseudo: 30, cursive: 14, scribble: 12, dots: 4}
