"""Draws handwriting with the strokes of strokes.py.

Every picture comes from a virtual writer with habits of their own (favourite ways of writing, slant,
proportions, hooks, haste, pen, paper), and varies around them. The pen moves as the kinematic theory
of handwriting describes it (R. Plamondon, "A kinematic theory of rapid human movements", Biological
Cybernetics 72, 1995): overlapping lognormal pulses of speed, which round the corners of a hasty hand
and make fast parts of a stroke thin.
"""

import math
from collections import namedtuple

import cv2
import numpy as np

from shuzi.drawing.strokes import WAYS, parse

# One line a pen. common: how many write with it; width: thinnest and thickest, as a part of the character's
# size; flow: how much thinner the line gets where the pen is fast; taper: how pointed strokes end;
# nib: how much broader the line is across the nib's edge; fade: how much lighter a light touch is;
# grain: how much of the paper shows through.
Pen = namedtuple("Pen", "common width flow taper nib fade grain")
PENS = {
    "ballpoint": Pen(30, (0.012, 0.040), 0.25, 0.3, 0.0, 0.50, 0.15),
    "gel pen": Pen(20, (0.015, 0.045), 0.15, 0.2, 0.0, 0.15, 0.00),
    "pencil": Pen(12, (0.015, 0.050), 0.25, 0.3, 0.0, 0.60, 0.55),
    "fountain pen": Pen(8, (0.020, 0.060), 0.35, 0.5, 0.3, 0.20, 0.00),
    "marker": Pen(10, (0.060, 0.170), 0.10, 0.0, 0.3, 0.00, 0.05),
    "brush": Pen(6, (0.070, 0.170), 0.40, 0.9, 0.2, 0.00, 0.10),
    "finger": Pen(4, (0.060, 0.140), 0.00, 0.0, 0.0, 0.00, 0.00),
    "mouse": Pen(18, (0.040, 0.135), 0.00, 0.0, 0.0, 0.00, 0.00),
}
# how common; a mouse or finger has a screen instead
PAPERS = {"scan": 40, "photo": 18, "small": 27, "copy": 15}

# One writer's hand: lengths in parts of the character's size, angles in radians.
Writer = namedtuple(
    "Writer",
    "seed number pen width paper size dark edge haste looseness slant rise turn aspect bow hooks press tremor",
)


def make_writer(seed, number):
    """The virtual writer `number` of the set that `seed` draws: always the same one."""
    rng = np.random.default_rng([seed, number])
    pen = rng.choice(list(PENS), p=_shares(pen.common for pen in PENS.values()))
    paper = "screen" if pen in ("mouse", "finger") else rng.choice(list(PAPERS), p=_shares(PAPERS.values()))
    low, high = PENS[pen].width
    width = math.exp(rng.uniform(math.log(low), math.log(high)))
    low, high = {"small": (9, 44), "screen": (18, 60), "copy": (36, 120)}.get(paper, (45, 150))
    return Writer(
        seed=seed,
        number=number,
        pen=str(pen),
        width=min(2.2 * width, 0.16) if paper == "small" else width,  # the same pen, a smaller character
        paper=str(paper),
        size=math.exp(rng.uniform(math.log(low), math.log(high))),  # pixels
        haste=rng.beta(1.4, 2.2),
        looseness=math.exp(rng.normal(0, 0.35)),
        slant=rng.normal(0.04, 0.13),
        rise=rng.normal(0.04, 0.08),
        turn=rng.normal(0, 0.05),
        aspect=math.exp(rng.normal(0, 0.17)),  # width by height
        bow=tuple(rng.normal(0, 0.07, 2)),  # of level and of upright strokes
        hooks=0.0 if rng.random() < 0.25 else math.exp(rng.normal(-0.2, 0.45)),
        press=rng.random() * (rng.random() < 0.35),
        tremor=rng.gamma(1.5, 0.0022) * (2.5 if pen in ("mouse", "finger") else 1),
        edge=rng.uniform(0, math.pi),
        dark=rng.uniform(0.45, 1) if paper in ("small", "photo") else rng.uniform(0.6, 1),
    )


def _shares(weights):
    weights = np.array(list(weights), float)
    return weights / weights.sum()


# Drawing: from a numeral's points to the track of the pen


def draw(name, writer, rng, way=None):
    """Write class `name` once. Returns a list of strokes: (points float (n, 2), widths float (n,)).

    Points are in parts of the character's size, x to the right, y downwards, roughly in 0..1; widths are
    factors of the pen's width. `way` is a key of WAYS[name]; without it the writer's habit decides.
    Raises KeyError for a class that has no strokes in strokes.py.
    """
    ways = WAYS[name]
    habit = np.random.default_rng([writer.seed, writer.number, 1 + list(WAYS).index(name)])
    hurry = {"running": 2 * writer.haste}
    shares = _shares(common * hurry.get(key, 1) for key, (common, _) in ways.items())
    usual, other = habit.choice(list(ways), 2, p=shares)
    way = way or (usual if rng.random() < 0.85 else other)
    loose = writer.looseness

    lines = []
    for points, corners, hook, joinable in parse(ways[way][1]):
        points, corners = points.copy(), corners.copy()
        if hook:
            length = writer.hooks * math.exp(rng.normal(0, 0.3)) if rng.random() < 0.9 else 0
            points[-1] = points[-2] + length * (points[-1] - points[-2])
            if length < 0.15:
                points, corners = points[:-1], corners[:-1]
        # each stroke has its place, length and direction; part is the writer's own, part new in each picture
        middle = (points[0] + points[-1]) / 2
        scale = math.exp(habit.normal(0, 0.09) + loose * rng.normal(0, 0.06))
        angle = habit.normal(0, 0.05) + loose * rng.normal(0, 0.04)
        shift = habit.normal(0, 0.024, 2) + loose * rng.normal(0, 0.016, 2)
        points = middle + shift + scale * (points - middle) @ _turning(angle)
        points = points + habit.normal(0, 0.012, points.shape) + loose * rng.normal(0, 0.010, points.shape)
        lines.append((*_bow(points, corners, writer, rng), joinable))

    tracks = []
    for points, corners, touch in _join(lines, writer, rng):
        track, widths = _track(points, corners, touch, writer, rng)
        tracks.append((track, widths))
        if rng.random() < 0.006:  # gone over once more
            tracks.append((track + rng.normal(0, 0.012, 2), widths))
    warp = _warp(writer, rng)
    return [(warp(points), widths) for points, widths in tracks]


def _turning(angle):
    return np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])


def _bow(points, corners, writer, rng):
    """Long straight parts bend the way the writer's hand does."""
    new_points, new_corners = [points[0]], [corners[0]]
    for i in range(1, len(points)):
        way = points[i] - points[i - 1]
        ends_sharp = (i == 1 or corners[i - 1]) and (i == len(points) - 1 or corners[i])
        if ends_sharp and np.hypot(*way) > 0.3:
            bow = writer.bow[0 if abs(way[0]) > abs(way[1]) else 1] + rng.normal(0, 0.035)
            side = np.array([way[1], -way[0]])
            new_points.append(points[i - 1] + way * rng.uniform(0.35, 0.65) + side * bow)
            new_corners.append(False)
        new_points.append(points[i])
        new_corners.append(corners[i])
    return np.array(new_points), np.array(new_corners)


def _join(lines, writer, rng):
    """Strokes run together by haste: whole ligatures, or only the start or the end of one.

    Yields (points, corners, touch): touch is the pen's pressure on each part between two points, 0..1.
    """
    points, corners, touch = None, None, None
    for i, (line, sharp, joinable) in enumerate(lines):
        line_touch = np.ones(len(line) - 1)
        if points is None:
            points, corners, touch = line, sharp, line_touch
            if rng.random() < 0.5 * writer.press:  # the pen is set down and presses first
                start = points[0] + rng.normal(-0.03, 0.015, 2)
                points = np.vstack([start, points])
                corners, touch = np.r_[True, corners], np.r_[0.9, touch]
        else:  # dragged here from the stroke before
            points = np.vstack([points, line])
            corners = np.r_[corners[:-1], True, True, sharp[1:]]
            touch = np.r_[touch, rng.uniform(0.3, 1), line_touch]
        if i + 1 < len(lines):
            if joinable and rng.random() < 0.5 * writer.haste**2:
                continue
            if rng.random() < 0.35 * writer.haste:  # lifted on the way to the next stroke
                end = points[-1] + rng.uniform(0.08, 0.3) * (lines[i + 1][0][0] - points[-1])
                points, corners, touch = np.vstack([points, end]), np.r_[corners, True], np.r_[touch, 0.6]
                corners[-2] = True
        yield points, corners, touch
        points = None


def _track(points, corners, touch, writer, rng):
    """The pen's track through the points: (points (n, 2), widths (n,)), by the sigma-lognormal model.

    Each part between two points is a pulse of speed in its direction. The next pulse starts before the last
    one ends: early at points of a curve, late at corners, and the earlier the hastier the writer is.
    """
    pen = PENS[writer.pen]
    ways = np.diff(points, axis=0)
    lengths = np.hypot(*ways.T)
    durations = 0.15 + lengths**0.6  # longer ways are faster, but not by as much (isochrony)
    wait = np.where(corners[1:-1], 0.95 - 0.4 * writer.haste, 0.42 - 0.10 * writer.haste)
    starts = np.r_[0, np.cumsum(durations[:-1] * wait)]
    sigma = 0.28
    times = np.linspace(0, (starts + durations).max(), 10 + 14 * len(ways))[:, None]
    since = np.maximum(times - starts, 1e-6) / (durations * math.exp(-2.2 * sigma))
    done = _normal_cdf(np.log(since) / sigma)  # (times, parts): how much of each part is behind the pen
    done /= done[-1]
    track = points[0] + done @ ways

    pulses = np.diff(done, axis=0) * lengths
    speed = pulses.sum(1) + 1e-9
    pressure = (pulses @ touch) / speed
    slowness = np.clip(1 - speed / speed.mean(), -0.8, 0.5)
    slowness = np.convolve(np.pad(slowness, 3, "edge"), np.ones(7) / 7, "valid")
    widths = np.clip(pressure * (1 + pen.flow * slowness), 0.3, 1.5)
    heading = np.arctan2(*np.gradient(track, axis=0).T[::-1])
    widths *= 1 + pen.nib * np.cos(2 * (heading[1:] - writer.edge))
    if pen.taper:
        along = np.linspace(0, 1, len(widths))
        lift = pen.taper * rng.uniform(0.3, 1)
        widths *= 1 - lift * np.clip((along - 0.75) / 0.25, 0, 1) ** 2
        widths *= 1 - 0.7 * lift * np.clip((0.15 - along) / 0.15, 0, 1)
    track = track[1:]

    distance = np.r_[0, np.cumsum(np.hypot(*np.diff(track, axis=0).T))]
    for wavelength in (0.07, 0.2, 0.45):  # tremor
        phase = rng.uniform(0, 2 * math.pi, 2)
        size = writer.tremor * (wavelength / 0.2) ** 0.7
        track = track + rng.normal(0, size, 2) * np.sin(distance[:, None] * 2 * math.pi / wavelength + phase)
    if writer.pen == "mouse":  # seen at few points, with straight lines between them
        step = rng.uniform(0.02, 0.12)
        at = np.append(np.arange(0, distance[-1], step), distance[-1])
        track = np.stack([np.interp(at, distance, track[:, 0]), np.interp(at, distance, track[:, 1])], 1)
        widths = np.ones(len(at))
    return track, widths


def _normal_cdf(x):
    return 0.5 * (1 + np.tanh(0.7978845608 * (x + 0.044715 * x**3)))


def _warp(writer, rng):
    """A function that gives points the writer's slant, rise and proportions."""
    loose = writer.looseness
    slant = writer.slant + loose * rng.normal(0, 0.05)
    rise = writer.rise + loose * rng.normal(0, 0.03)
    turn = _turning(writer.turn + loose * rng.normal(0, 0.03))
    aspect = writer.aspect * math.exp(loose * rng.normal(0, 0.08))
    uneven = rng.normal(0, 0.07, 2)  # one half of the character larger than the other
    bend = rng.normal(0, 0.03, 2)

    def warp(points):
        x, y = (points - 0.5).T
        x, y = (
            x + uneven[0] * (0.25 - x * x) + bend[0] * y * y,
            y + uneven[1] * (0.25 - y * y) + bend[1] * x * x,
        )
        x, y = x * math.sqrt(aspect), y / math.sqrt(aspect)
        x, y = x - slant * y, y - rise * x
        return np.stack([x, y], 1) @ turn + 0.5

    return warp


# Rendering: from the pen's track to a picture


def render(strokes, pen, width, size, rng, edge=0.0, stepped=False):
    """Draw strokes as draw() returns them. Returns ink, float32 (h, w), 0 paper .. 1 ink, cropped to it.

    pen: a name in PENS. width: the pen's, in parts of the character's size. size: of the character, pixels.
    stepped: with the stairs of a simple drawing program, without grey at the edges.
    """
    fine = 1 if stepped else max(1, round(360 / size))  # drawn larger, then reduced
    unit = size * fine
    points = np.concatenate([points for points, _ in strokes])
    margin = width * unit + 2 * fine
    low = points.min(0)
    w, h = (np.ceil((points.max(0) - low) * unit + 2 * margin).astype(int) // fine + 1) * fine
    canvas = np.zeros((h, w), np.uint8)
    line_type = cv2.LINE_8 if stepped else cv2.LINE_AA
    for points, widths in strokes:
        pixels = np.round(((points - low) * unit + margin) * 16).astype(int)
        thick = np.maximum(1, np.round(widths * width * unit)).astype(int).tolist()
        tone = np.round(255 * (1 - PENS[pen].fade * np.clip(1 - widths, 0, 0.8))).astype(int).tolist()
        pixels = pixels.tolist()
        for i in range(1, len(pixels)):
            cv2.line(canvas, pixels[i - 1], pixels[i], tone[i], thick[i], line_type, 4)
    ink = canvas.astype(np.float32) / 255
    if fine > 1:
        ink = cv2.resize(ink, (w // fine, h // fine), interpolation=cv2.INTER_AREA)
    if PENS[pen].grain:
        grain = cv2.GaussianBlur(rng.random(ink.shape, np.float32), (0, 0), 0.7)
        ink = ink * np.clip(1 - PENS[pen].grain * (0.5 + 3 * (grain - 0.5)), 0, 1)
    rows, columns = np.nonzero(ink.max(1) > 0.1)[0], np.nonzero(ink.max(0) > 0.1)[0]
    if len(rows) == 0:
        return ink
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def capture(ink, paper, rng, dark=1.0):
    """Put ink on paper and take it as a scanner, phone or screen would.

    ink: as render() returns it. paper: a name in PAPERS, or "screen". dark: of the ink, 0..1.
    Returns (grey uint8 (h, w), suffix); suffix is the file type that suits it, ".png" or ".jpg".
    """
    take = {"scan": _scan, "photo": _photo, "small": _small, "copy": _copy, "screen": _screen}
    return take[paper](ink, rng, dark)


def _margins(ink, rng, low, high):
    """Paper around the ink, each side its own share of the larger side; below 0 cuts into it."""
    h, w = ink.shape
    if min(h, w) < 0.3 * max(h, w):
        low, high = max(low, 0.06), max(high, 0.2)  # a tight crop of 一 would be ink and no paper
    top, bottom, left, right = (int(round(share * max(h, w))) for share in rng.uniform(low, high, 4))
    out = np.zeros((max(4, h + top + bottom), max(4, w + left + right)), np.float32)
    part = ink[max(0, -top) : h + min(0, bottom), max(0, -left) : w + min(0, right)]
    y, x = max(0, top), max(0, left)
    part = part[: out.shape[0] - y, : out.shape[1] - x]
    out[y : y + part.shape[0], x : x + part.shape[1]] = part
    return out


def _develop(ink, paper, dark, noise, rng):
    """Ink 0..1 on paper of grey `paper`, as uint8; dark 1 is black ink."""
    grey = paper * (1 - dark * ink)
    if noise:
        grey = grey + rng.normal(0, noise, ink.shape).astype(np.float32)
    return np.clip(np.round(grey), 0, 255).astype(np.uint8)


def _scan(ink, rng, dark):
    tight = rng.random() < 0.4
    ink = _margins(ink, rng, -0.01, 0.01) if tight else _margins(ink, rng, 0.02, 0.5)
    ink = cv2.GaussianBlur(ink, (0, 0), rng.uniform(0.3, 0.9))
    if rng.random() < 0.5:
        return _develop(ink, rng.uniform(235, 255), dark, 0, rng) // 8 * 8 + 7, ".png"
    return _develop(ink, rng.uniform(215, 255), dark, rng.uniform(0.5, 4), rng), ".jpg"


def _photo(ink, rng, dark):
    ink = _margins(ink, rng, 0.03, 0.5)
    ink = cv2.GaussianBlur(ink, (0, 0), rng.uniform(0.5, 1.6))
    y, x = np.mgrid[-1 : 1 : ink.shape[0] * 1j, -1 : 1 : ink.shape[1] * 1j]
    light = rng.uniform(130, 235) * (1 + rng.uniform(-0.2, 0.2) * x + rng.uniform(-0.2, 0.2) * y)
    return _develop(ink, np.clip(light, 0, 255).astype(np.float32), dark, rng.uniform(1, 7), rng), ".jpg"


def _small(ink, rng, dark):
    """A small character somewhere on a small field, as sets for machines have it, often light on dark."""
    side = max(28, int(max(ink.shape) * rng.uniform(1.05, 2.5)))
    field = np.zeros((side, side), np.float32)
    y, x = (int(rng.integers(0, side - length + 1)) for length in ink.shape)
    field[y : y + ink.shape[0], x : x + ink.shape[1]] = ink
    if rng.random() < 0.5:
        field = cv2.GaussianBlur(field, (0, 0), rng.uniform(0.3, 0.7))
    grey = _develop(field, 255, dark, rng.uniform(0, 5) * (rng.random() < 0.5), rng)
    grey = 255 - grey if rng.random() < 0.5 else grey
    return (grey, ".jpg") if rng.random() < 0.5 else (grey // 8 * 8 + grey // 37, ".png")


def _copy(ink, rng, dark):
    """A photocopy: black and white only."""
    ink = _margins(ink, rng, -0.01, 0.2)
    ink = cv2.GaussianBlur(ink, (0, 0), rng.uniform(0.4, 1.0)) + rng.normal(0, 0.05, ink.shape)
    copy = np.where(ink > min(0.5, 0.6 * ink.max()), 0, 255).astype(np.uint8)
    return (255 - copy if rng.random() < 0.15 else copy), ".png"


def _screen(ink, rng, dark):
    """A drawing program's bitmap, at its own size or made larger."""
    ink = _margins(ink, rng, 0.0, 0.25)
    style = rng.random()
    if style < 0.55:
        bitmap = np.where(ink > 0.45, 0, 255).astype(np.uint8)
    else:
        bitmap = _develop(ink, 255, 1, 0, rng) // 16 * 17
    if style < 0.25:
        larger = int(rng.integers(2, 5))
        bitmap = cv2.resize(bitmap, None, fx=larger, fy=larger, interpolation=cv2.INTER_NEAREST)
    return (255 - bitmap if rng.random() < 0.25 else bitmap), ".png"


def picture(name, writer, rng):
    """One raw picture of class `name` by `writer`: (grey uint8 (h, w), suffix)."""
    strokes = draw(name, writer, rng)
    # a character of many strokes is written large enough for them, and a broad pen makes it larger still:
    # at most about half of the square is ink
    length = sum(np.hypot(*np.diff(points, axis=0).T).sum() for points, _ in strokes)
    size = max(writer.size * math.exp(rng.normal(0, 0.15)), 3.5 * length)  # pixels
    thinnest = {"screen": 1.3, "copy": 1.6, "small": 0.9}.get(writer.paper, 0.7)  # pixels; finer lines break
    width = min(max(writer.width * math.exp(rng.normal(0, 0.12)), thinnest / size), 0.5 / length)
    stepped = writer.paper == "screen" and rng.random() < 0.5
    ink = render(strokes, writer.pen, width, size, rng, writer.edge, stepped)
    return capture(ink, writer.paper, rng, writer.dark)
