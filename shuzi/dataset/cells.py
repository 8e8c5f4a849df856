"""Cuts a page of many cells into pictures: each cell's own writing on white, over the lines too, no neighbour's.

`cells_grid.py` finds the lines that someone ruled, `cells_form.py` the forms that `forms.py` made. Either way the page
is laid flat, so that its cells are upright boxes at known places, and from there on all is the same: what is dark
and not printed is ink, ink that hangs together belongs to the cell that has most of it, and what is left of a cell is
empty, crossed out, or a picture.
"""

import functools
from collections import namedtuple

import cv2
import numpy as np

CELL = 64, 120  # pixels; least and largest side of a cell laid flat. The ink that a net sees is 52
FAINTEST = 0.06  # of the paper's light; how much darker ink is at the least: pencil
DARKER = 0.10  # and somewhere in each stroke
DARKEST = 0.15  # and somewhere in each cell, or else it holds a smudge, or what shows through the paper
SMALLEST = 0.13  # of a cell's side; what is written is no smaller
SPECK = 0.035  # of a cell's side; smaller marks are no part of a character
OVER = 0.75  # of a joined mark; what a cell must have of it to get it whole, or else it is cut at the line
# of a cell's diagonal; a stroke that long strikes the cell out. Of 1,650 drawn numerals, up to 0.95 of their cell, none
# had one, and 1.3% of strokes that began and ended up to an eighth of a cell beside the corners are shorter
STRUCK = 0.84
DIAGONAL = 48  # pixels; side of a cell in which a stroke from corner to corner is looked for

# A page laid flat. picture: uint8 (h, w, 3), RGB, paper evened out to white; depth: float32 (h, w), 0 paper to 1 black;
# labels: int32 (h, w), the number of the cell a place belongs to, from 1, 0 for none;
# boxes: {(row, column): (left, top, right, bottom)} in pixels of it, in the order of the numbers;
# places: float32 (h, w, 2), where in the page's picture each pixel is, x and y
Flat = namedtuple("Flat", "picture depth labels boxes places")
# One cell. state: "filled", "empty" or "crossed out"; picture: uint8 (h, w, 3), RGB on white, None if empty;
# box: x, y, w, h of the ink, or of an empty cell, in pixels of the flat page
Cell = namedtuple("Cell", "row column state picture box")


def cut_grid(picture, grid):
    """All cells of a ruled page.

    picture: uint8 (h, w, 3), RGB. grid: a `cells_grid.Grid` of it. Returns (Flat, list of Cell in reading order).
    """
    side = cell_side(grid.nodes)
    places, xs, ys = _places_of_grid(grid.nodes, side)
    flat = sample(picture, places)
    even, depth = evened(flat, side)
    labels = np.zeros(depth.shape, np.int32)
    boxes = {}
    for row in range(len(ys) - 1):
        for column in range(len(xs) - 1):
            box = tuple(int(round(v)) for v in (xs[column], ys[row], xs[column + 1], ys[row + 1]))
            boxes[row + 1, column + 1] = box
            labels[box[1] : box[3], box[0] : box[2]] = len(boxes)
    flat = Flat(even, depth, labels, boxes, places)
    ink = _without_lines(flat, ink_mask(depth, even), xs, ys, side)
    return flat, cut(flat, ink, side)


def cell_side(nodes):
    """How large to lay a page flat: pixels of a cell's side, much as the picture has it."""
    steps = np.concatenate([np.linalg.norm(np.diff(nodes, axis=axis), axis=-1).ravel() for axis in (0, 1)])
    return float(np.clip(np.median(steps), *CELL))


def _places_of_grid(nodes, side):
    """The grid laid flat, half a cell of the page around it: (places of its pixels, of upright, of level lines)."""
    nodes = nodes.astype(np.float64)
    sizes = [np.linalg.norm(np.diff(nodes, axis=axis), axis=-1).mean(1 - axis) for axis in (1, 0)]
    unit = side / np.median(np.concatenate(sizes))
    margin = side / 2
    xs, ys = (margin + np.r_[0, np.cumsum(size * unit)] for size in sizes)
    for axis, positions in (0, ys), (1, xs):  # go on around the grid as it ends
        first, second = nodes.take([0], axis), nodes.take([1], axis)
        last, before = nodes.take([-1], axis), nodes.take([-2], axis)
        step = positions[1] - positions[0], positions[-1] - positions[-2]
        nodes = np.concatenate(
            [first + (first - second) * margin / step[0], nodes, last + (last - before) * margin / step[1]], axis
        )
    at_x, at_y = (np.r_[0, positions, positions[-1] + margin] for positions in (xs, ys))
    width, height = int(at_x[-1]), int(at_y[-1])
    across = np.interp(np.arange(width), at_x, np.arange(len(at_x))).astype(np.float32)
    down = np.interp(np.arange(height), at_y, np.arange(len(at_y))).astype(np.float32)
    places = cv2.remap(np.float32(nodes), *np.meshgrid(across, down), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return places, xs, ys


def sample(picture, places):
    """The picture at places float32 (h, w, 2), x and y in its pixels; averaged where they lie far apart."""
    step = max(np.abs(np.diff(places[::8], axis=1)).max(-1).mean(), 1e-6)
    if step > 1.5:
        factor = 1 / step
        picture = cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        places = np.float32((places + 0.5) * factor - 0.5)
    return cv2.remap(picture, places, None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)


# ---- ink -----------------------------------------------------------------------------------------


def evened(flat, side):
    """Paper made white in all light. Returns (uint8 RGB, depth float32: how dark, 0-1, in the darkest channel)."""
    factor = max(int(side / 24), 1)
    small = cv2.resize(flat, (flat.shape[1] // factor, flat.shape[0] // factor), interpolation=cv2.INTER_AREA)
    reach = int(0.45 * side / factor) | 1
    paper = cv2.morphologyEx(cv2.medianBlur(small, 3), cv2.MORPH_CLOSE, np.ones((reach, reach), np.uint8))
    paper = cv2.GaussianBlur(paper, (0, 0), reach / 3)
    paper = cv2.resize(paper, flat.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    even = cv2.divide(flat, np.maximum(paper, 1), scale=255)
    darkest = cv2.min(cv2.min(even[..., 0], even[..., 1]), even[..., 2])
    return even, (255 - darkest).astype(np.float32) / 255


def ink_mask(depth, even=None, printed=None):
    """Where ink is: bool (h, w). printed: float (h, w), how dark the print may be there, or None."""
    smooth = cv2.GaussianBlur(depth, (0, 0), 0.7)
    noise = 1.5 * float(np.median(np.abs(smooth - np.median(smooth))))
    least = max(FAINTEST, 5 * noise)
    if printed is not None:
        least = least + printed
    mask = smooth > least
    count, parts, _, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    strong = np.zeros(count, bool)
    strong[np.unique(parts[smooth > np.maximum(DARKER, 1.4 * least)])] = True
    strong[0] = False
    return strong[parts]


def _without_lines(flat, ink, xs, ys, side):
    """The ink without the grid's lines, but for strokes that cross them."""
    views = [
        (flat.depth, flat.picture, ys, (xs[0], xs[-1])),
        (flat.depth.T, flat.picture.transpose(1, 0, 2), xs, (ys[0], ys[-1])),
    ]
    bands = [_bands(*view, side) for view in views]  # of the level lines, and of the upright ones on its side
    upright = bands[1].T
    kept = [
        _crossing(ink & ~upright, bands[0], side),
        _crossing((ink & ~bands[0]).T, bands[1], side).T,
    ]
    lines = bands[0] | upright
    corners = bands[0] & upright
    other = _other_colour(flat.picture, lines) & ~cv2.dilate(corners.astype(np.uint8), np.ones((5, 5))).astype(bool)
    keep = (bands[0] & ~corners & kept[0]) | (upright & ~corners & kept[1]) | (lines & other)
    ink = ink & (~lines | keep)
    # what is left along a line, its soft edge
    count, parts, stats, _ = cv2.connectedComponentsWithStats(ink.astype(np.uint8), connectivity=8)
    beside = cv2.dilate(lines.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    near = np.bincount(parts[beside], minlength=count)
    rest = near >= 0.95 * stats[:, cv2.CC_STAT_AREA]
    rest[0] = False
    return ink & ~rest[parts]


def _bands(depth, picture, lines, ends, side):
    """Where level lines are, followed along the page: bool (h, w). lines: their rows; ends: of the lines."""
    bands = np.zeros(depth.shape, bool)
    start, end = max(int(ends[0]) - 4, 0), min(int(ends[1]) + 5, depth.shape[1])
    far = max(int(0.07 * side), 4)
    step = max(int(side / 5), 4)
    for at in lines:
        low = int(round(at)) - far
        if low < 0 or low + 2 * far + 1 > len(depth):
            continue
        strip = depth[low : low + 2 * far + 1, start:end]
        blocks = [np.median(strip[:, x : x + 2 * step], axis=1) for x in range(0, max(end - start - step, 1), step)]
        profile = np.median(blocks, axis=0)
        peaks = np.array([_peak(block, far) for block in blocks])
        seen = np.array([block.max() for block in blocks]) > max(0.4 * profile.max(), 0.04)
        usual = np.median(peaks[seen]) if seen.any() else far
        places = (np.arange(len(blocks)) + 1) * step
        if seen.sum() >= 3:
            trend = np.polyfit(places[seen], peaks[seen], min(2, seen.sum() - 2))
            guess = np.polyval(trend, places)
            peaks = np.where(seen & (np.abs(peaks - guess) < 0.03 * side + 1), peaks, guess)
        else:
            peaks[:] = usual
        centres = np.interp(np.arange(end - start), places, peaks)
        half = _half_width(strip, centres, side) + 0.7
        rows = np.arange(2 * far + 1)[:, None]
        bands[low : low + 2 * far + 1, start:end] |= np.abs(rows - centres[None]) <= half
    return bands


def _peak(profile, middle):
    """Where a line is in a profile across it, to parts of a pixel; the middle where none is."""
    best = int(np.argmax(profile - 1e-4 * np.abs(np.arange(len(profile)) - middle)))
    near = slice(max(best - 2, 0), best + 3)
    weights = profile[near] - profile.min()
    return (
        float((np.arange(len(profile))[near] * weights).sum() / max(weights.sum(), 1e-6))
        if weights.sum() > 1e-3
        else middle
    )


def _half_width(strip, centres, side):
    """Half the width of a line in pixels. strip: float (h, w) along it; centres: float (w,)."""
    rows = np.clip(np.rint(centres).astype(int)[None] + np.arange(-8, 9)[:, None], 0, len(strip) - 1)
    profile = np.median(strip[rows, np.arange(strip.shape[1])[None]], axis=1)
    if profile.max() < 0.03:  # faint or broken: as thin as lines are
        return max(0.02 * side, 1)
    dark = profile > max(0.6 * FAINTEST, 0.06 * profile.max())
    ends = [np.flatnonzero(~side_of)[:1] for side_of in (dark[8:], dark[8::-1])]  # from its middle to paper
    return min(float(max((end[0] if len(end) else 8) for end in ends)), 0.07 * side + 1)


def _crossing(ink, bands, side):
    """Where strokes run across level lines: bool (h, w). ink: bool without the upright lines."""
    half = max(int(bands.sum(0).max() / max((np.diff(bands.astype(np.int8), axis=0) == 1).sum(0).max(), 1) / 2), 1)
    reach = np.ones((1, 2 * half + 1), np.uint8)
    result = np.zeros_like(ink)
    count, parts, stats, _ = cv2.connectedComponentsWithStats(bands.astype(np.uint8), connectivity=4)
    for left, top, width, height, _ in stats[1:]:
        columns = slice(left, left + width)
        band = bands[top : top + height, columns]
        first = top + band.argmax(0)
        last = top + height - 1 - band[::-1].argmax(0)
        x = np.arange(left, left + width)
        above = ink[np.maximum(first - 1, 0), x] | ink[np.maximum(first - 2, 0), x]
        below = ink[np.minimum(last + 1, len(ink) - 1), x] | ink[np.minimum(last + 2, len(ink) - 1), x]
        both = [cv2.dilate(edge.astype(np.uint8)[None], reach)[0] > 0 for edge in (above, below)]
        result[top : top + height, columns] |= band & (both[0] & both[1])[None]
    return result


def _other_colour(picture, lines):
    """Where a line is covered by ink of another colour or much darker than it: bool (h, w)."""
    light, low = picture.max(2).astype(np.int16), picture.min(2)
    colour = light - low
    core = cv2.erode(lines.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    if not core.any():
        return np.zeros(lines.shape, bool)
    other = (colour > np.percentile(colour[core], 80) + 45) | (light < np.percentile(light[core], 10) - 50)
    return cv2.morphologyEx((other & lines).astype(np.uint8), cv2.MORPH_OPEN, np.ones((2, 2), np.uint8)) > 0


# ---- whose ink -----------------------------------------------------------------------------------


def cut(flat, ink, side):
    """Give each mark to its cell. ink: bool (h, w). Returns a list of Cell, in the order of the boxes."""
    owner = _owners(ink, flat.labels, len(flat.boxes), side)
    areas = np.bincount(owner.ravel(), minlength=len(flat.boxes) + 1)
    return [
        _cell(flat, owner, number, place, box, side)
        if areas[number] > 2 * SMALLEST * side
        else Cell(*place, "empty", None, _xywh(box))
        for number, (place, box) in enumerate(flat.boxes.items(), 1)
    ]


def _owners(ink, labels, cells, side):
    """The cell that each place's ink belongs to: int32 (h, w), 0 for none."""
    count, parts, stats, _ = cv2.connectedComponentsWithStats(ink.astype(np.uint8), connectivity=8)
    at = np.flatnonzero(ink.ravel())
    part, label = parts.ravel()[at], labels.ravel()[at]
    shares = np.zeros((count, cells + 1), np.int32)
    np.add.at(shares, (part, label), 1)
    most = shares.argmax(1)
    whole = shares.max(1) >= OVER * np.maximum(shares.sum(1), 1)
    small = np.maximum(stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT]) < max(SPECK * side, 2.5)
    given = np.where(whole[part], most[part], label)
    given[small[part]] = 0
    owner = np.zeros(ink.size, np.int32)
    owner[at] = given
    return owner.reshape(ink.shape)


def _cell(flat, owner, number, place, box, side):
    left, top, right, bottom = box
    reach = int(0.6 * side)
    x, y = max(left - reach, 0), max(top - reach, 0)
    area = slice(y, bottom + reach), slice(x, right + reach)
    mine = owner[area] == number
    inner = 0.14 * side  # what lies only along a border and is small came from beyond it
    columns, rows = np.flatnonzero(mine.any(0)), np.flatnonzero(mine.any(1))
    if not len(columns):
        return Cell(*place, "empty", None, _xywh(box))
    ends = columns[0] + x, rows[0] + y, columns[-1] + 1 + x, rows[-1] + 1 + y
    longest = max(ends[2] - ends[0], ends[3] - ends[1])
    inside = ends[2] > left + inner and ends[0] < right - inner and ends[3] > top + inner and ends[1] < bottom - inner
    if longest < SMALLEST * side or (not inside and longest < 0.6 * side):
        return Cell(*place, "empty", None, _xywh(box))
    ends = tuple(map(int, ends))
    margin = int(0.1 * side)  # from here on, only what is needed: the cell, and what reaches out of it
    x, y = max(min(ends[0], left) - margin, 0), max(min(ends[1], top) - margin, 0)
    area = slice(y, max(ends[3], bottom) + margin), slice(x, max(ends[2], right) + margin)
    owners, depth = owner[area], flat.depth[area]
    mine = owners == number
    dark = depth[mine]
    if np.partition(dark, -1 - len(dark) // 20)[-1 - len(dark) // 20] < DARKEST:
        return Cell(*place, "empty", None, _xywh(box))
    if is_crossed_out(mine, (left - x, top - y, right - x, bottom - y)):
        return Cell(*place, "crossed out", None, _xywh(ends))
    mine = _without_smears(mine, depth)
    soft = cv2.dilate(mine.astype(np.uint8), cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5)))
    soft[(owners > 0) & ~mine] = 0
    picture = np.where(soft[..., None] > 0, flat.picture[area], np.uint8(255))
    return Cell(*place, "filled", picture, _xywh(ends))


def _without_smears(mine, depth):
    """A cell's ink without marks that are far paler than the rest: smears, remains of print. Both arrays (h, w)."""
    count, parts, stats, _ = cv2.connectedComponentsWithStats(mine.astype(np.uint8), connectivity=8)
    if count <= 2:
        return mine
    peaks = np.zeros(count)
    np.maximum.at(peaks, parts[mine], depth[mine])
    areas = stats[:, cv2.CC_STAT_AREA].copy()
    areas[0] = 0
    smear = peaks < np.where(areas < 0.2 * areas.max(), 0.4, 0.22) * peaks.max()  # a pencil's palest stroke has 0.28
    smear[0] = False
    return mine & ~smear[parts]


def _xywh(box):
    left, top, right, bottom = box
    return left, top, right - left, bottom - top


def is_crossed_out(mine, box):
    """Whether a cell was struck through from corner to corner, or scribbled over.

    mine: bool (h, w), its ink. box: left, top, right, bottom of the cell in it.
    """
    left, top, right, bottom = box
    width, height = right - left, bottom - top
    inner = mine[max(top, 0) : bottom, max(left, 0) : right]
    ink = inner.astype(np.uint8)
    core = cv2.distanceTransform(ink, cv2.DIST_L2, 3)
    pen = max(2 * np.percentile(core[core > 0], 80), 2.0) if core.any() else 2.0
    if ink.sum() / pen > 11 * max(width, height) and ink.mean() > 0.3:  # a numeral has up to 7 sides of strokes
        return True
    columns, rows = ink.any(0), ink.any(1)
    if columns.sum() < 0.6 * width or rows.sum() < 0.6 * height:  # quicker than to look
        return False
    ink = cv2.dilate(ink, np.ones((3, 3), np.uint8)) * 255
    small = cv2.resize(ink, (DIAGONAL, DIAGONAL), interpolation=cv2.INTER_AREA) > 40
    return max(_longest_diagonal(small), _longest_diagonal(small[:, ::-1])) >= STRUCK


def _longest_diagonal(ink):
    """The longest straight falling stroke, as a part of the cell's diagonal. ink: bool (DIAGONAL, DIAGONAL)."""
    rows, columns, lengths = _diagonals()
    hit = ink[rows, columns]
    ends = np.cumsum(hit, axis=1)
    # length of the run of ink that ends at each place
    runs = ends - np.maximum.accumulate(np.where(hit, 0, ends), axis=1)
    return float((runs.max(1) / hit.shape[1] * lengths).max())


@functools.cache
def _diagonals():
    """Falling lines from near one corner to near the other: rows, columns int (lines, places), lengths (lines,)."""
    n = DIAGONAL
    ends = range(0, int(0.26 * n), 3)
    starts = [(end, 0) for end in ends] + [(0, end) for end in ends[1:]]
    lines = np.array([(*a, n - 1 - b[0], n - 1 - b[1]) for a in starts for b in starts], float)
    along = np.linspace(0, 1, 2 * n)
    rows = lines[:, :1] + along * (lines[:, 2:3] - lines[:, :1])
    columns = lines[:, 1:2] + along * (lines[:, 3:] - lines[:, 1:2])
    lengths = np.hypot(lines[:, 2] - lines[:, 0], lines[:, 3] - lines[:, 1]) / np.hypot(n - 1, n - 1)
    return np.rint(rows).astype(int), np.rint(columns).astype(int), lengths
