"""Virtual writers: from a numeral's points to the track of a pen.

Every writer has habits of their own (favourite ways of writing, slant, proportions, hooks, haste, pen, paper), and
varies around them. The pen moves as the kinematic theory of handwriting describes it (R. Plamondon, "A kinematic theory
of rapid human movements", Biological Cybernetics 72, 1995): overlapping lognormal pulses of speed, which round the
corners of a hasty hand and make fast parts of a stroke thin.
"""

import math
from collections import namedtuple

import numpy as np

from shuzi.drawing.pens import PAPERS, PENS
from shuzi.drawing.strokes import parse
from shuzi.drawing.ways import Ways, number_of, ways_of

# One writer's hand: lengths in parts of the character's size, angles in radians.
Writer = namedtuple(
    "Writer",
    "seed number pen width paper size dark edge haste looseness slant rise turn aspect bow hooks press tremor",
)


def make_writer(seed: int, number: int) -> Writer:
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


def draw(
    name: str, writer: Writer, rng: np.random.Generator, way: str | None = None, ways: Ways | None = None
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Write class `name` once. Returns a list of strokes: (points float (n, 2), widths float (n,)).

    Points are in parts of the character's size, x to the right, y downwards, roughly in 0..1; widths are
    factors of the pen's width. `way` is one of ways_of(name); without it the writer's habit decides. `ways`: to
    write it in, instead of those. Raises KeyError for a class of which there are no strokes.
    """
    ways = ways or ways_of(name)
    habit = np.random.default_rng([writer.seed, writer.number, 1 + number_of(name)])
    hurry = {"running": 2 * writer.haste}
    shares = _shares(common * hurry.get(key, 1) for key, (common, _) in ways.items())
    usual, other = habit.choice(list(ways), 2, p=shares)
    way = way or (usual if rng.random() < 0.85 else other)
    strokes = parse(ways[way][1])
    # where there are more strokes than in any numeral they lie closer, and are set with more care
    care = min(1.0, 14 / len(strokes))
    loose = care * writer.looseness

    lines = []
    for points, corners, hook, joinable in strokes:
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
        shift = care * habit.normal(0, 0.024, 2) + loose * rng.normal(0, 0.016, 2)
        points = middle + shift + scale * (points - middle) @ _turning(angle)
        points = points + care * habit.normal(0, 0.012, points.shape) + loose * rng.normal(0, 0.010, points.shape)
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
