"""Finds the ruled grid of a page: ruled or printed, scanned or photographed, with writing over its lines.

All lines of one direction are taken together. They meet in one vanishing point, and a bent page bends them alike, so
three numbers say how they run (`Family`), and these are chosen so that the dark ridges of the page fall on as few lines
as possible: broken, faint and crossed lines still add up, writing does not. Which of the lines are the grid's follows
from how far each is drawn, from their even distances, and from the lines across. In the end each line is followed
from crossing to crossing, since paper and hands are not that straight.
"""

from collections import namedtuple

import cv2
import numpy as np

SIDE = 1200  # pixels; longer side of the page on which lines are looked for
STEEPEST = 0.45  # the tangent of a page's tilt at most
BIN = 6  # pixels along a line that are covered or not
EVEN = 3.0  # how much an uneven distance weighs against lines that are missing, tuned on benchmarks/sheets.py

# One direction of lines, with across measured from the picture's middle in pixels and along from -1 to 1 of its half:
# across = position + (slope + turn * position) * along + bend * along**2
Family = namedtuple("Family", "slope turn bend")
# A grid on a page: nodes float32 (rows + 1, columns + 1, 2), x and y of its crossings in the picture's pixels;
# drawn: the part of its lines that is there, 0-1
Grid = namedtuple("Grid", "nodes drawn")


class GridError(Exception):
    """A page on which the grid isn't found. The message is one line for the person whose page it is."""


def find_grid(grey, shape=None):
    """The grid on a page.

    grey: uint8 (h, w), dark lines on light paper, tilted by up to 20 degrees. shape: (rows, columns) of its cells, or
    None for any of 3 x 3 and more. Returns Grid. Raises GridError.
    """
    scale = min(1, SIDE / max(grey.shape))
    small = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else grey
    level, upright = _ridges(small)
    page = _Page(small.shape, level, upright)
    lines = page.choose_lines(shape)
    nodes = page.nodes(*lines)
    drawn = page.drawn(nodes)
    if drawn < 0.5:
        raise GridError(_none_found(shape))
    return Grid((nodes + 0.5) / scale - 0.5, drawn)


def plain_table(grey):
    """The Grid of a picture that plainly is a table of 3 x 3 cells or more, else None. Quick where it is none.

    grey: uint8 (h, w).
    """
    scale = min(1, 500 / max(grey.shape))
    small = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    for ridge, box in zip(_ridges(small), ((21, 3), (3, 21))):
        straight = cv2.blur(np.float32(ridge), box) > 0.3
        if straight.sum() < 6 * min(small.shape):  # of 4 lines, some pixels broad
            return None
    try:
        grid = find_grid(grey)
    except GridError:
        return None
    rows, columns = grid.nodes.shape[0] - 1, grid.nodes.shape[1] - 1
    return grid if rows * columns >= 12 and grid.drawn > 0.75 else None


def _none_found(shape):
    return f"no grid of {shape[0]}x{shape[1]} cells found" if shape else "no grid found"


def _ridges(grey):
    """Where dark lines run level, and where upright: float32 (h, w) each, 0 to 1; 1 is as dark as such lines get."""
    grey = cv2.GaussianBlur(grey, (0, 0), 0.8)
    reach = max(grey.shape) // 40 | 1
    paper = cv2.morphologyEx(grey, cv2.MORPH_CLOSE, np.ones((reach, reach), np.uint8))
    depth = 1 - grey / np.maximum(cv2.blur(paper, (reach, reach)), 1).astype(np.float32)
    found = []
    for axis in 0, 1:
        beside = [np.roll(depth, step, axis) for step in (-4, 4)]
        ridge = depth - np.maximum(*beside)
        edge = [slice(None)] * 2
        for end in (slice(0, 5), slice(-5, None)):
            edge[axis] = end
            ridge[tuple(edge)] = 0
        found.append(ridge)
    level, upright = (np.maximum(here - np.maximum(other, 0), 0) for here, other in (found, found[::-1]))
    faint = 0.02 + 2 * np.median(np.abs(depth - np.median(depth)))
    # a dark stroke counts no more than a faint line does
    return [np.clip((ridge - faint) / 0.08, 0, 1) for ridge in (level, upright)]


class _Page:
    """What is known of the lines on one page. Axis 0: the level lines; axis 1: the upright ones."""

    def __init__(self, shape, level, upright):
        self.middle = np.array([(shape[1] - 1) / 2, (shape[0] - 1) / 2])  # x, y
        self.ridges = level, upright
        self.points, self.weights, self.families = [], [], []
        for axis, ridge in enumerate(self.ridges):
            y, x = np.nonzero(ridge > 0.1)
            points = np.stack([x, y], 1) - self.middle
            self.points.append(points)
            self.weights.append(ridge[y, x])
            self.families.append(_fit_family(*self._across_along(points, axis), ridge[y, x]))

    def _across_along(self, points, axis):
        """Points (n, 2), from the middle -> across in pixels, along in -1 to 1."""
        return points[:, 1 - axis], points[:, axis] / self.middle[axis]

    def positions(self, points, axis):
        across, along = self._across_along(points, axis)
        return _position(self.families[axis], across, along)

    def point(self, level, upright):
        """Positions of a level and of an upright line, arrays -> their crossing (…, 2), from the middle."""
        x, y = np.asarray(upright, float), np.asarray(level, float)
        for _ in range(12):
            row, column = self.families
            along = np.clip(x / self.middle[0], -1.5, 1.5)
            y = level + (row.slope + row.turn * level) * along + row.bend * along**2
            along = np.clip(y / self.middle[1], -1.5, 1.5)
            x = upright + (column.slope + column.turn * upright) * along + column.bend * along**2
        return np.stack(np.broadcast_arrays(x, y), -1)

    # ---- which lines are the grid's ----

    def choose_lines(self, shape):
        """The positions of the grid's level and upright lines. Raises GridError."""
        counts = (None, None) if shape is None else (shape[0] + 1, shape[1] + 1)
        maps = [self._covered(axis) for axis in (0, 1)]
        lines = [None, None]
        for _ in range(3):
            for axis in 0, 1:
                covered, start = maps[axis]
                other = lines[1 - axis]
                along = slice(None)
                between = None
                if other is not None:
                    ends = ((other[[0, -1]] - maps[1 - axis][1]) / BIN).astype(int)
                    along = slice(max(ends[0], 0), max(ends[1], 1))
                    between = self._crossed(1 - axis, other, maps, len(covered), start)
                share = covered[:, along].mean(1) if covered[:, along].size else np.zeros(len(covered))
                chosen = _choose(share, between, counts[axis])
                if chosen is None:
                    raise GridError(_none_found(shape))
                lines[axis] = chosen + start
        if shape:
            self._check_count(lines, maps, shape)
        return lines

    def _covered(self, axis):
        """What is drawn of each line: bool (position in pixels, BINs along), and the position of the first row.

        Along is measured by the position of the lines across, so that both directions have the same places.
        """
        across = self.positions(self.points[axis], axis)
        along = self.positions(self.points[axis], 1 - axis)
        limits = self.middle[1 - axis] * 1.3, self.middle[axis] * 1.3
        rows = np.round(across + limits[0]).astype(int)
        columns = ((along + limits[1]) / BIN).astype(int)
        shape = int(2 * limits[0]) + 2, int(2 * limits[1] / BIN) + 1
        inside = (rows >= 0) & (rows < shape[0]) & (columns >= 0) & (columns < shape[1])
        drawn = np.zeros(shape, np.float32)
        np.add.at(drawn, (rows[inside], columns[inside]), self.weights[axis][inside])
        # a line is some pixels broad, and not quite where its family says
        drawn = cv2.blur(drawn, (1, 5), borderType=cv2.BORDER_CONSTANT) * 5
        return drawn >= 0.6 * BIN * 0.5, -limits[0]

    def _crossed(self, axis, lines, maps, length, start):
        """Of the lines of `axis`, how many are drawn at each position along them: float (length,)."""
        covered, first = maps[axis]
        rows = np.clip(np.round(lines - first).astype(int), 2, len(covered) - 3)
        here = np.max([covered[rows + step] for step in (-2, 0, 2)], axis=0).mean(0)
        at = (np.arange(length) + 0.5) / BIN - 0.5
        return np.interp(at, np.arange(len(here)), here)

    def _check_count(self, lines, maps, shape):
        """A row or column more or less than was asked for would shift the classes. Raises GridError."""
        for axis, words in (0, "rows"), (1, "columns"):
            own = lines[axis]
            covered, start = maps[axis]
            other = lines[1 - axis]
            ends = ((other[[0, -1]] - maps[1 - axis][1]) / BIN).astype(int)
            share = covered[:, ends[0] : max(ends[1], ends[0] + 1)].mean(1)
            crossed = self._crossed(1 - axis, other, maps, len(covered), start)
            shares = np.array([share[_near(p - start, 3, share)].max(initial=0) for p in own])
            usual = np.median(shares)
            joined = [
                crossed[_near((a + b) / 2 - start, abs(b - a) * 0.25, crossed)].mean() for a, b in zip(own, own[1:])
            ]
            if shares.min() < 0.35 * usual or min(joined) < 0.4:
                raise GridError(f"no grid of {shape[0]}x{shape[1]} cells found")
            for edge, step in (own[0], own[0] - own[1]), (own[-1], own[-1] - own[-2]):
                at = edge + step - start
                line = share[_near(at, abs(step) * 0.12, share)]
                between = crossed[_near(edge + step / 2 - start, abs(step) * 0.25, crossed)]
                if line.size and between.size and line.max() > 0.6 * usual and between.mean() > 0.6:
                    raise GridError(f"the grid on the page has more {words} than {shape[axis]}; count them again")

    # ---- where the lines cross ----

    def nodes(self, level, upright):
        """Follow each line along the page -> crossings float32 (rows + 1, columns + 1, 2) in pixels."""
        v, u = np.meshgrid(level, upright, indexing="ij")
        nodes = self.point(v, u) + self.middle
        for reach in (0.3, 0.12):
            rows = _follow(self.ridges[0], nodes, 1, reach)
            columns = _follow(self.ridges[1], nodes.transpose(1, 0, 2), 0, reach)
            nodes = np.stack([columns.T, rows], -1)
        return nodes.astype(np.float32)

    def drawn(self, nodes):
        """The part of the grid's lines that is there."""
        shares = []
        for axis, ridge in enumerate(self.ridges):
            grid = nodes if axis == 0 else nodes.transpose(1, 0, 2)
            weights = (np.arange(12) + 0.5)[:, None] / 12
            points = grid[:, :-1, None] * (1 - weights) + grid[:, 1:, None] * weights
            broad = cv2.dilate(ridge.astype(np.float32), np.ones((5, 5)))
            values = cv2.remap(broad, *np.float32(points.reshape(1, -1, 2)).transpose(2, 0, 1), cv2.INTER_LINEAR)
            shares.append((values > 0.3).mean())
        return min(shares)


def _near(at, reach, values):
    return slice(max(int(at - reach), 0), max(int(at + reach) + 1, 0))


def _position(family, across, along):
    return (across - family.slope * along - family.bend * along**2) / (1 + family.turn * along)


def _fit_family(across, along, weights):
    """The Family in which the points fall on the fewest lines."""
    if len(across) < 50:
        return Family(0, 0, 0)
    if len(across) > 20_000:
        keep = np.random.default_rng(0).choice(len(across), 20_000, replace=False)
        across, along, weights = across[keep], along[keep], weights[keep]
    reach = float(np.abs(across).max()) + 1
    half = 600  # pixels along; slopes are of across over -1 to 1 along, which is about this

    def score(family, blur):
        position = _position(family, across, along)
        at = np.clip(position + 1.5 * reach, 0, 3 * reach - 1) / blur
        low = at.astype(int)
        share = at - low
        size = int(3 * reach / blur) + 2
        profile = np.bincount(low, weights * (1 - share), size) + np.bincount(low + 1, weights * share, size)
        return float((profile * profile).sum())

    best = max(
        (
            Family(slope * half, turn, 0)
            for slope in np.linspace(-STEEPEST, STEEPEST, 61)
            for turn in (-0.25, -0.12, 0, 0.12, 0.25)
        ),
        key=lambda family: score(family, 8),
    )
    steps = np.array([0.012 * half, 0.06, 16])
    for blur in (6, 4, 3, 2, 1.5, 1.5):
        best = max(
            [best] + [best._replace(bend=best.bend + k * steps[2]) for k in (-1, 1)], key=lambda f: score(f, blur)
        )
        for _ in range(4):
            around = [best]
            for i in range(3):
                for sign in (-1, 1):
                    moved = np.array(best)
                    moved[i] += sign * steps[i]
                    around.append(Family(*moved))
            new = max(around, key=lambda family: score(family, blur))
            if new is best:
                break
            best = new
        steps = steps / 2
    return best


def _choose(share, between, count):
    """Which positions are the grid's lines.

    share: float (n,), how much of a line is drawn at each position. between: float (n,), how many of the lines across
    are drawn there, or None. count: of the lines, or None. Returns positions float (count,), ascending, or None.
    """
    smooth = share
    peak = (smooth >= np.roll(smooth, 1)) & (smooth > np.roll(smooth, -1)) & (smooth > 0.15 * max(smooth.max(), 0.05))
    at = np.flatnonzero(peak)
    for i in np.argsort(-smooth[at], kind="stable"):  # of peaks side by side, the highest
        if peak[at[i]]:
            near = slice(max(at[i] - 7, 0), at[i] + 8)
            peak[near] = False
            peak[at[i]] = True
    at = np.flatnonzero(peak)
    if len(at) > 60:
        at = np.sort(at[np.argsort(-smooth[at], kind="stable")[:60]])
    if len(at) < (count or 4):
        return None
    heights = smooth[at] / max(np.sort(smooth[at])[-(count or 4)], 1e-6)
    heights = np.minimum(heights, 1)
    steps = (at[None] - at[:, None]).astype(float)
    gain = np.where(steps >= 8, 0.0, -np.inf)
    if between is not None:
        sums = np.r_[0, np.cumsum(between)]
        gain = gain + np.where(steps > 0, (sums[at][None] - sums[at][:, None]) / np.maximum(steps, 1), 0)
    if count is None:  # a line more must be worth it, and lines across must join it to the others
        heights = heights - 0.55
        gain = 2 * (gain - (0 if between is None else 1))
    chain = _best_chain(heights, gain, np.log(np.maximum(steps, 1)), count)
    return None if chain is None else at[chain].astype(float)


def _best_chain(heights, gain, logs, count):
    """The chain of lines with the most of height and gain, and even steps. Returns indices, or None."""
    n = len(heights)
    best = heights[:, None] + heights[None] + gain  # of chains that end with lines i, j
    back = []
    uneven = EVEN * (logs[:, :, None] - logs[None]) ** 2  # (h, i, j): the steps h to i and i to j
    uneven[:, gain == -np.inf] = np.inf
    ends = [best]
    for _ in range((count or min(n, 60)) - 2):
        scores = best[:, :, None] - uneven
        h = scores.argmax(0)
        back.append(h)
        best = np.take_along_axis(scores, h[None], 0)[0] + heights[None] + gain
        ends.append(best)
    if count:
        length = len(ends) - 1
    else:
        length = int(np.argmax([end.max() for end in ends]))
        if length < 2:  # three cells have four lines
            return None
    if not np.isfinite(ends[length].max()):
        return None
    i, j = np.unravel_index(ends[length].argmax(), (n, n))
    chain = [j, i]
    for step in range(length - 1, -1, -1):
        i, j = back[step][i, j], i
        chain.append(i)
    return np.array(chain[::-1])


def _follow(ridge, nodes, axis, reach):
    """Where lines really run near their crossings.

    ridge: float32 (h, w). nodes: (lines, crossings, 2) as they are thought to be. axis: 1 for lines that move in y,
    0 for x. reach: how far they may be off, of the distance between lines. Returns that coordinate (lines, crossings).
    """
    each = 6  # places between two crossings
    lines, crossings = nodes.shape[:2]
    at = np.linspace(0, crossings - 1, (crossings - 1) * each + 1)
    low = np.minimum(at.astype(int), crossings - 2)
    share = (at - low)[None, :, None]
    points = nodes[:, low] * (1 - share) + nodes[:, low + 1] * share
    apart = np.abs(np.diff(nodes[..., axis], axis=0)).mean()
    far = max(int(round(reach * apart)), 2)
    moves = np.arange(-far, far + 1)
    x = points[..., 0][..., None] + (moves if axis == 0 else 0)
    y = points[..., 1][..., None] + (moves if axis == 1 else 0)
    x, y = np.broadcast_arrays(x, y)
    broad = cv2.blur(ridge, (7, 1) if axis == 1 else (1, 7))
    shape = x.shape
    seen = cv2.remap(
        broad, np.float32(x).reshape(-1, shape[2]), np.float32(y).reshape(-1, shape[2]), cv2.INTER_LINEAR
    ).reshape(shape)
    # the way with the most of the line under it that bends little
    bend = 0.06 * (moves[:, None] - moves[None]) ** 2 * (20 / max(apart / each, 4))
    total = seen[:, 0] - 1e-4 * moves**2
    back = []
    for k in range(1, shape[1]):
        scores = total[:, :, None] - bend[None]
        best = scores.argmax(1)
        back.append(best)
        total = np.take_along_axis(scores, best[:, None], 1)[:, 0] + seen[:, k] - 1e-4 * moves**2
    way = np.empty((lines, shape[1]), int)
    way[:, -1] = total.argmax(1)
    for k in range(shape[1] - 2, -1, -1):
        way[:, k] = back[k][np.arange(lines), way[:, k + 1]]
    moved = points[..., axis] + moves[way]
    kernel = np.ones(each + 1) / (each + 1)
    smooth = np.array(
        [np.convolve(np.pad(row, each // 2, mode="reflect", reflect_type="odd"), kernel, "valid") for row in moved]
    )
    return smooth[:, ::each]
