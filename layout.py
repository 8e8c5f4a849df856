"""Several characters in one picture: which strokes belong together, line by line.

Connected strokes are gathered into pieces, pieces that may make a character are all shown to the model, and
the way of cutting is taken whose characters the model knows best and whose sizes and gaps are most
like writing: over-segmentation with recognition (R. Casey and E. Lecolinet, "A survey of methods and
strategies in character segmentation", IEEE PAMI 18, 1996). A picture of one character stays one.
Characters that touch each other are not cut apart.
"""

from collections import namedtuple

import cv2
import numpy as np

from ink import place

MOST_PIECES = 4  # of one character side by side: 八 and 亿 have two, broken strokes add to them
MOST_BANDS = 6  # of one line, one above the other: 三 has three, 零 more
MOST_GLYPHS = 600  # of one picture; a picture of more is no line of numerals

# Penalties, in units of log probability; tuned on lines put together from handwriting (benchmarks/lines.py)
# and on pictures of one character, which must stay whole.
SPLIT = 3.0  # for seeing several characters at all
LINE = 2.0  # for each line after the first
SIZE = 0.35  # spread of the log of a character's longer side around the others'
GAP_INSIDE = 0.35  # of the characters' size: a gap as wide as this within a character costs 1, twice as wide 4
GAP_BETWEEN = 0.12  # likewise: narrower gaps between characters than this cost up to 2
FLAT = 4.0  # for a flat shape that is not 一, or a 一 that is not flat
FLOOR = -6.0  # a log probability is no worse than this

# One picture's possible characters. glyphs: uint8 (k, 64, 64), the first one the whole picture; boxes: int (k, 4),
# x, y, w, h in pixels of the ink map; lines: list of (first band, band after the last, edges), where edges are
# (first piece, piece after the last, glyph, widest gap inside, gap before), in pixels.
Layout = namedtuple("Layout", "glyphs boxes lines bands")


def find_layout(ink):
    """The characters that a picture may hold.

    ink: float32 (h, w), 0 paper to 1 ink, from `ink.find_ink`. Returns a Layout; where its `lines` are empty,
    the picture holds one character. Raises NoInkError.
    """
    whole = place(ink)[:, :, 0]
    mask = (ink > 0.3).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    parts = stats[1:, :4].astype(int)  # x, y, w, h
    box = _around(parts)
    alone = Layout(whole[None], box[None], [], 0)
    if len(parts) < 2:
        return alone
    bands = _runs(parts[:, 1], parts[:, 1] + parts[:, 3])
    columns = _pieces(parts, np.arange(len(parts)))
    if len(columns) == 1 and (len(bands) == 1 or box[3] < 1.4 * box[2]):
        return alone

    glyphs, boxes, lines = [whole], [box], []
    known = {tuple(range(len(parts))): 0}
    for first in range(len(bands)):
        for last in range(first, min(first + MOST_BANDS, len(bands))):
            members = np.concatenate(bands[first : last + 1])
            pieces = _pieces(parts, members)
            edges = []
            line_box = _around(parts[members])
            for start in range(len(pieces)):
                reach = parts[pieces[start], 0].min()
                before = reach - _right(parts, pieces[start - 1]) if start else np.inf
                inside = 0
                for end in range(start + 1, min(start + MOST_PIECES, len(pieces)) + 1):
                    group = np.concatenate(pieces[start:end])
                    box = _around(parts[group])
                    if end > start + 1:
                        if box[2] > 2.5 * line_box[3]:
                            break
                        inside = max(inside, parts[pieces[end - 1], 0].min() - _right(parts, pieces[end - 2]))
                    key = tuple(sorted(group))
                    if key not in known:
                        if len(glyphs) == MOST_GLYPHS:
                            return alone
                        known[key] = len(glyphs)
                        glyphs.append(_glyph(ink, labels, group, box))
                        boxes.append(box)
                    edges.append((start, end, known[key], inside, before))
            lines.append((first, last + 1, len(pieces), edges))
    return Layout(np.array(glyphs), np.array(boxes), lines, len(bands))


def choose(layout, probabilities, is_flat):
    """The characters that the picture most likely holds.

    probabilities: float (k, classes) of the layout's glyphs. is_flat: bool (classes,), which class is a single
    level stroke. Returns lines from the top, each a list of glyph indices from the left; [[0]] is one character.
    """
    best = np.log(np.maximum(probabilities.max(axis=1), 1e-9)).clip(FLOOR)
    flat = is_flat[probabilities.argmax(axis=1)]
    width, height = layout.boxes[:, 2], layout.boxes[:, 3]
    scores = best - FLAT * np.where(flat, width < 1.5 * height, width > 2.0 * height)
    longest = np.log(np.maximum(width, height))
    found, found_score = [[0]], scores[0]
    sizes = np.unique(longest[1:].round(1)) if len(longest) > 1 else []
    for size in sizes:
        fitting = scores - ((longest - size) / SIZE) ** 2 / 2
        lines, score = _best_lines(layout, fitting, np.exp(size))
        if score - SPLIT > found_score and sum(map(len, lines)) > 1:
            found, found_score = lines, score - SPLIT
    return found


def _best_lines(layout, scores, size):
    """Dynamic programming over the bands: (lines, score)."""
    best = [(0.0, [])] + [(-np.inf, [])] * layout.bands
    for first, last, pieces, edges in sorted(layout.lines, key=lambda line: line[0]):
        line, score = _best_cut(pieces, edges, scores, size)
        score += best[first][0] - (LINE if first else 0)
        if score > best[last][0]:
            best[last] = score, best[first][1] + [line]
    return best[-1][1], best[-1][0]


def _best_cut(pieces, edges, scores, size):
    """Dynamic programming over the pieces of a line: (glyph indices, score)."""
    best = [(0.0, [])] + [(-np.inf, [])] * pieces
    for start, end, glyph, inside, before in edges:
        score = best[start][0] + scores[glyph] - max(0, inside / size / GAP_INSIDE) ** 2
        if start:
            score -= 2 * np.clip(1 - before / size / GAP_BETWEEN, 0, 1)
        if score > best[end][0]:
            best[end] = score, best[start][1] + [glyph]
    return best[-1][1], best[-1][0]


def _runs(starts, ends):
    """Intervals -> groups of those that overlap or touch, in order: list of index arrays."""
    runs, reach = [], -1
    for index in np.argsort(starts, kind="stable"):
        if starts[index] > reach:
            runs.append([])
        runs[-1].append(index)
        reach = max(reach, ends[index])
    return [np.array(run) for run in runs]


def _pieces(parts, members):
    """Parts that stand over one another are one piece. Returns a list of index arrays, from the left."""
    pieces = []
    for index in members[np.argsort(parts[members, 0], kind="stable")]:
        piece = [index]
        # what overlaps by half of the narrower one's width belongs together
        for other in [other for other in pieces if _overlap(parts, piece, other) >= 0.5]:
            pieces.remove(other)
            piece = other + piece
        pieces.append(piece)
    pieces.sort(key=lambda piece: parts[piece, 0].min() + _right(parts, piece))
    return [np.array(piece) for piece in pieces]


def _overlap(parts, one, other):
    left = max(parts[one, 0].min(), parts[other, 0].min())
    right = min(_right(parts, one), _right(parts, other))
    narrower = min(_right(parts, group) - parts[group, 0].min() for group in (one, other))
    return (right - left) / narrower


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
