"""Several characters in one picture: which strokes belong together, line by line.

Connected strokes are gathered into pieces, pieces that may make a character are all shown to the model, and
the way of cutting is taken whose characters the model knows best and whose sizes and gaps are most
like writing: over-segmentation with recognition (R. Casey and E. Lecolinet, "A survey of methods and
strategies in character segmentation", IEEE PAMI 18, 1996). A picture of one character stays one.
Characters that touch each other are not cut apart.
"""

from typing import NamedTuple

import cv2
import numpy as np

from shuzi.core import numerals
from shuzi.ink import place

SMALLEST = 16  # pixels; several characters take twice this from side to side or from top to bottom
MOST_PIECES = 4  # of one character side by side: 八 and 亿 have two, broken strokes add to them
MOST_BANDS = 6  # of one line, one above the other: 三 has three, 零 more
MOST_PARTS, MOST_GLYPHS = 400, 600  # of one picture; a picture of more is no lines of numerals

# In units of log probability; tuned on lines put together from handwriting (benchmarks/lines.py)
# and on pictures of one character, which must stay whole.
BONUS = 3.0  # for each character: strokes thrown together by chance seldom look like one
FLAT_BONUS = 1.0  # for 一, which any level stroke looks like, beside others; 0 alone in its line
SPLIT = 2.5  # penalty for seeing several characters at all
LINE = 1.0  # penalty for each line after the first
SIZE_SPREAD = 0.40  # of the log of a character's longer side around the others'
ASPECT_SPREAD = 0.4  # of the log of width by height around a square; not for 一
BETWEEN = 0.10  # of the characters' size: narrower gaps between characters than this cost up to 2
STRAIGHT = 0.25  # thickness by length; a thinner shape is a single stroke, which is no numeral but 一
FLOOR = -6.0  # a log probability is no worse than this

# White from side to side, and from top to bottom, that costs 1 within a character, in parts of its longer side:
# about what one in fifty of real characters exceeds.
WHITE = {
    "2": (0.06, 0.70), "3": (0.06, 0.45), "4": (0.12, 0.06), "5": (0.06, 0.15), "6": (0.06, 0.28), "8": (0.38, 0.06),
    "0": (0.06, 0.10), "100": (0.06, 0.10), "1000": (0.06, 0.17), "10000": (0.06, 0.10), "100000000": (0.20, 0.06),
}  # fmt: skip
WHITE_NUMERAL, WHITE_OWN = (0.06, 0.06), (0.35, 0.35)  # other numerals; classes of the user's own


CELLS = -1  # for the bands of a Layout whose characters stand in cells, so that `lines` holds their glyphs


class Layout(NamedTuple):
    """One picture's possible characters."""

    glyphs: np.ndarray  # uint8 (k, 64, 64), the first one the whole picture
    boxes: np.ndarray  # int (k, 4): x, y, w, h in pixels of the ink
    white: np.ndarray  # int (k, 2): the widest white column and row inside, likewise
    bands: int  # how many rows of strokes with white between them
    lines: list  # (first band, band after the last, pieces, edges); an edge: (piece, piece after, glyph, white before)


def find_layout(ink: np.ndarray, several: bool = True) -> Layout:
    """The characters that a picture may hold.

    ink: float32 (h, w), 0 paper to 1 ink, from `ink.find_ink`. several: whether it may hold more than one. Returns a
    Layout; where its `lines` are empty, the picture holds one character. Raises NoInkError.
    """
    whole = place(ink)[:, :, 0]
    mask = (ink > 0.3).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    parts = stats[1:, :4].astype(int)  # x, y, w, h
    box = _around(parts)
    alone = Layout(whole[None], box[None], np.zeros((1, 2)), 0, [])
    if not several or not 2 <= len(parts) <= MOST_PARTS or max(box[2:]) < 2 * SMALLEST:
        return alone
    bands = _runs(parts, axis=1)
    columns = _pieces(parts, np.arange(len(parts)))
    if len(columns) == 1 and (len(bands) == 1 or box[3] < 1.4 * box[2]):
        return alone

    groups, lines = [np.arange(len(parts))], []
    known = {tuple(range(len(parts))): 0}
    for first in range(len(bands)):
        for last in range(first, min(first + MOST_BANDS, len(bands))):
            members = np.concatenate(bands[first : last + 1])
            pieces = _pieces(parts, members)
            height = _around(parts[members])[3]
            edges = []
            for start in range(len(pieces)):
                left = parts[pieces[start], 0].min()
                before = left - _right(parts, pieces[start - 1]) if start else 0
                for end in range(start + 1, min(start + MOST_PIECES, len(pieces)) + 1):
                    group = np.sort(np.concatenate(pieces[start:end]))
                    if end > start + 1 and _right(parts, group) - left > 2.5 * height:
                        break
                    key = tuple(group)
                    if key not in known:
                        if len(groups) == MOST_GLYPHS:
                            return alone
                        known[key] = len(groups)
                        groups.append(group)
                    edges.append((start, end, known[key], before))
            lines.append((first, last + 1, len(pieces), edges))
    boxes = np.array([_around(parts[group]) for group in groups])
    glyphs = [_glyph(ink, labels, group, box) for group, box in zip(groups[1:], boxes[1:])]
    white = np.array([[_white(parts[group], axis) for axis in (0, 1)] for group in groups])
    return Layout(np.array([whole, *glyphs]), boxes, white, len(bands), lines)


def choose(layout: Layout, probabilities: np.ndarray, classes: list[str]) -> list[list[int]]:
    """The characters that the picture most likely holds.

    probabilities: float (k, n) of the layout's glyphs. classes: the n names. Returns lines from the top, each a list of
    glyph indices from the left, or one line of a column of characters; [[0]] is one character.
    """
    if not layout.lines:
        return [[0]]
    if layout.bands == CELLS:
        return layout.lines
    names = [classes[i] for i in probabilities.argmax(axis=1)]
    best = np.log(np.maximum(probabilities.max(axis=1), 1e-9))
    flat = np.array([name == "1" for name in names])
    numeral = np.array([numerals.value(name) is not None for name in names])
    width, height = layout.boxes[:, 2:].T
    # 一 is about as wide as three squares, and may be as much flatter as it likes
    aspect = np.where(flat, np.minimum(np.log(width / height / 3), 0), np.log(width / height))
    best[numeral & ~flat & (_thickness(layout.glyphs) < STRAIGHT)] = FLOOR
    scores = best.clip(FLOOR) - (aspect / ASPECT_SPREAD) ** 2 / 2 + np.where(flat, FLAT_BONUS, BONUS)
    room = np.array([WHITE.get(name, WHITE_NUMERAL if is_one else WHITE_OWN) for name, is_one in zip(names, numeral)])
    white = layout.white / room
    longer = np.maximum(width, height)

    scores[0] -= FLAT_BONUS if flat[0] else 0
    found, found_score = [[0]], scores[0] - ((white[0] / longer[0]) ** 2).sum()
    for size in np.exp(np.unique(np.log(longer[1:]).round(1))):
        fitting = scores - (np.log(longer / size) / SIZE_SPREAD) ** 2 / 2 - ((white / size) ** 2).sum(axis=1)
        lines, score = _best_lines(layout, fitting, flat, size)
        if score - SPLIT > found_score and sum(map(len, lines)) > 1:
            found, found_score = lines, score - SPLIT
    if all(len(line) == 1 for line in found):
        return [[glyph for line in found for glyph in line]]  # one column, read downwards
    return found


def _best_lines(layout, scores, flat, size):
    """Dynamic programming over the bands: (lines, score)."""
    best = [(0.0, [])] + [(-np.inf, [])] * layout.bands
    for first, last, pieces, edges in layout.lines:  # in the order of their first bands
        line, score = _best_cut(pieces, edges, scores, size)
        score -= FLAT_BONUS if len(line) == 1 and flat[line[0]] else 0
        score += best[first][0] - (LINE if first else 0)
        if score > best[last][0]:
            best[last] = score, best[first][1] + [line]
    return best[-1][1], best[-1][0]


def _best_cut(pieces, edges, scores, size):
    """Dynamic programming over the pieces of a line: (glyph indices, score)."""
    best = [(0.0, [])] + [(-np.inf, [])] * pieces
    for start, end, glyph, before in edges:
        score = best[start][0] + scores[glyph]
        if start:
            score -= 2 * min(max(1 - before / (size * BETWEEN), 0), 1)
        if score > best[end][0]:
            best[end] = score, best[start][1] + [glyph]
    return best[-1][1], best[-1][0]


def _runs(parts, axis):
    """Parts that overlap or touch along an axis, 0 x or 1 y, are one run. Returns index arrays, in order."""
    starts, ends = parts[:, axis], parts[:, axis] + parts[:, axis + 2]
    runs, reach = [], -1
    for index in np.argsort(starts, kind="stable"):
        if starts[index] > reach:
            runs.append([])
        runs[-1].append(index)
        reach = max(reach, ends[index])
    return [np.array(run) for run in runs]


def _white(parts, axis):
    """The widest gap between parts along an axis, 0 where they overlap or touch."""
    order = np.argsort(parts[:, axis])
    starts, ends = parts[order, axis], np.maximum.accumulate((parts[:, axis] + parts[:, axis + 2])[order])
    return max(0, (starts[1:] - ends[:-1]).max(initial=0))


def _pieces(parts, members):
    """Parts that stand over one another are one piece. Returns a list of index arrays, from the left."""
    pieces = []  # (left, right, members), by their left sides
    for index in members[np.argsort(parts[members, 0], kind="stable")]:
        left, right, piece = int(parts[index, 0]), int(parts[index, 0] + parts[index, 2]), [index]
        apart = []
        for other in pieces:
            # what overlaps by half of the narrower one's width belongs together
            overlap = min(right, other[1]) - max(left, other[0])
            if 2 * overlap >= min(right - left, other[1] - other[0]):
                left, right, piece = min(left, other[0]), max(right, other[1]), other[2] + piece
            else:
                apart.append(other)
        pieces = apart + [(left, right, piece)]
    pieces.sort(key=lambda piece: piece[0] + piece[1])
    return [np.array(piece) for _, _, piece in pieces]


def _right(parts, group):
    return (parts[group, 0] + parts[group, 2]).max()


def _around(parts):
    """The box around boxes: x, y, w, h."""
    left, top = parts[:, :2].min(axis=0)
    right, bottom = (parts[:, :2] + parts[:, 2:]).max(axis=0)
    return np.array([left, top, right - left, bottom - top])


def _glyph(ink, labels, group, box):
    """The strokes of a group alone, prepared as the model takes them: uint8 (64, 64)."""
    x, y, w, h = box
    rows, columns = slice(max(y - 1, 0), y + h + 1), slice(max(x - 1, 0), x + w + 1)
    mine = np.isin(labels[rows, columns], group + 1).astype(np.uint8)
    soft_edges = cv2.dilate(mine, np.ones((3, 3), np.uint8))
    return place(ink[rows, columns] * soft_edges)[:, :, 0]


def _thickness(glyphs):
    """How thick each shape is by its length, 0 a line to 1 a disc: the ratio of its ink's principal spreads."""
    ink = 1 - glyphs.reshape(len(glyphs), -1) / 255
    ink /= ink.sum(axis=1, keepdims=True)
    y, x = np.divmod(np.arange(ink.shape[1]), glyphs.shape[2])
    mean_x, mean_y = ink @ x, ink @ y
    xx, yy, xy = ink @ (x * x) - mean_x**2, ink @ (y * y) - mean_y**2, ink @ (x * y) - mean_x * mean_y
    middle, half = (xx + yy) / 2, np.hypot((xx - yy) / 2, xy)
    return np.sqrt(np.maximum(middle - half, 0) / (middle + half))
