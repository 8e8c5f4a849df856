"""Pictures that are no numeral, for training: so that the net learns to doubt what belongs to no class."""

from collections.abc import Sequence

import cv2
import numpy as np

from shuzi.core.numerals import TRADITIONAL_CAPITALS, VALUES, character
from shuzi.ink import INK_SIZE, SIZE
from shuzi.net import sketches
from shuzi.net.sketches import coarse

COLLAGES = 0.35  # of all; the others are sketches


def draw(
    pictures: np.ndarray,
    labels: np.ndarray,
    classes: Sequence[str],
    count: int,
    rng: np.random.Generator,
    kinds: Sequence[str] = ("collages", *sketches.KINDS),
) -> np.ndarray:
    """Pictures that are of no class: collages of those that are, and characters, signs, scribbles and specks, drawn.

    Outlier Exposure (Hendrycks, Mazeika and Dietterich 2019): a net that sees such pictures in training,
    with the same target for every class, keeps its confidence low on what belongs to no class. The characters are those
    of shuzi.drawing.characters that are no class and are not kept for measuring; those that look more like a class come
    more often. What looks much like some picture of the set all the same is left out, or gives way to strokes at
    random.

    pictures: uint8 (n, 64, 64, 3), 0 ink to 255 paper. labels: int (n,). classes: names, in label order. kinds: which.
    Returns uint8 (count, 64, 64, 3), in no order.
    """
    known = pictures[rng.permutation(len(pictures))[:4000]]
    grey = known[..., 0]
    drawn = [kind for kind in kinds if kind != "collages"]
    share = 0 if "collages" not in kinds else COLLAGES if drawn else 1
    made = np.empty((0, *pictures.shape[1:]), np.uint8)
    if share < 1:
        limit = likeness_limit(grey)
        choose = sketches.Choice(forms(classes), coarse(grey[:1000]))
        sketched = sketches.sketch(grey, round(count * (1 - share) * 1.05), rng, choose, drawn)
        sketched = sketched[likeness(sketched, grey) <= limit][: round(count * (1 - share))]
        made = np.repeat(sketched[..., None], 3, axis=-1)
    if len(made) < count:
        made = np.concatenate([made, collages(pictures, labels, count - len(made), rng)])
    return made[rng.permutation(count)]


def forms(classes: Sequence[str]) -> set[str]:
    """Characters and signs that are not to be drawn, since they are classes, or another form of one (萬, 〇, 貳)."""
    own = {*classes, *map(character, classes)}
    return (
        own
        | {form for form, value in VALUES.items() if str(value) in own}
        | {form for form, capital in TRADITIONAL_CAPITALS.items() if capital in own}
    )


def collages(pictures: np.ndarray, labels: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Pictures that are no numeral, cut and pasted from pictures that are, to learn doubt from.

    Of each kind in COMBINATIONS there are equally many. What looks much like some picture of the set all the same (一
    above 二 is 三) gives way to strokes at random.

    pictures: uint8 (n, 64, 64, 3), 0 ink to 255 paper. labels: int (n,). rng: numpy Generator.
    Returns uint8 (count, 64, 64, 3).
    """
    grey = pictures[..., 0]
    made = np.empty((count, *grey.shape[1:]), np.uint8)
    for picture in made:
        one, two = rng.integers(len(grey), size=2)
        for _ in range(10):
            if labels[one] != labels[two]:
                break
            two = rng.integers(len(grey))
        combine = COMBINATIONS[rng.integers(len(COMBINATIONS))]
        picture[:] = combine(grey[one], grey[two], rng)
    for i in np.flatnonzero(likeness(made, grey) > likeness_limit(grey)):
        made[i] = _random_strokes(made[i], None, rng)
    return np.repeat(made[..., None], 3, axis=-1)


def likeness_limit(grey: np.ndarray) -> float:
    """As like as pictures of a set, uint8 (n, 64, 64), are to each other, but for the 30% that are least so.

    With 15% or 50%, fewer other characters were doubted.
    """
    known = coarse(grey)
    likeness = known[:500] @ known.T
    np.fill_diagonal(likeness, 0)
    return float(np.quantile(likeness.max(axis=1), 0.3))


def likeness(pictures: np.ndarray, grey: np.ndarray) -> np.ndarray:
    """How like each of uint8 (m, 64, 64) is to that of uint8 (n, 64, 64) which it is most like: float (m,), 0-1."""
    known = coarse(grey)
    parts = [coarse(pictures[start : start + 500]) @ known.T for start in range(0, len(pictures), 500)]
    return np.concatenate([part.max(axis=1) for part in parts]) if parts else np.empty(0)


def _halves(one, two, rng):
    """The left half of one and the right half of the other, or the upper and the lower."""
    half = len(one) // 2
    return _turned_by_chance(lambda a, b: np.concatenate([a[:, :half], b[:, half:]], axis=1), one, two, rng)


def _squeezed(one, two, rng):
    """One squeezed to half the width or height, beside or above the other, which is squeezed or cut in half."""
    half = len(one) // 2
    cut = rng.random() < 0.5
    return _turned_by_chance(
        lambda a, b: np.concatenate([_squeeze(a), b[:, half:] if cut else _squeeze(b)], axis=1), one, two, rng
    )


def _turned_by_chance(combine, one, two, rng):
    """Side by side; or, turned and turned back, above each other."""
    return combine(one.T, two.T).T if rng.random() < 0.5 else combine(one, two)


def _squeeze(picture):
    return np.minimum(picture[:, ::2], picture[:, 1::2])


def _overlaid(one, two, rng):
    return np.minimum(one, two)


def _struck_through(picture, other, rng):
    """A picture with one long stroke more, from one side of the ink to the other, level or upright, mostly on paper.

    王 is 三 struck through.
    """
    low, high = (SIZE - INK_SIZE) // 2, (SIZE + INK_SIZE) // 2
    near_ink = cv2.erode(picture, np.ones((7, 7), np.uint8)) < 128
    for _ in range(20):  # along a stroke that is there already it would change little
        ends = np.array([[low, 0], [high, 0]]) + rng.normal(0, 3, (2, 2))
        ends[:, 1] += rng.uniform(low, high)
        ends = np.int32(np.clip(ends, low, high).round())
        if rng.random() < 0.5:
            ends = ends[:, ::-1]
        stroke = np.full_like(picture, 255)
        cv2.line(stroke, ends[0].tolist(), ends[1].tolist(), 0, int(rng.integers(1, 5)), cv2.LINE_AA)
        if near_ink[stroke < 128].mean() < rng.uniform(0.2, 1):
            break
    return np.minimum(picture, stroke)


def _struck_twice(picture, other, rng):
    return _struck_through(_struck_through(picture, other, rng), other, rng)


def _framed(picture, other, rng):
    """A picture at about half its size and two to four sides of a box around it, as in 回, 同 and 压."""
    side = len(picture)
    inner = int(side * rng.uniform(0.35, 0.6))
    small = cv2.resize(picture, (inner, inner), interpolation=cv2.INTER_AREA)
    result = np.full_like(picture, 255)
    top, left = np.clip((side - inner) // 2 + rng.integers(-6, 7, 2), 8, side - inner - 8)
    result[top : top + inner, left : left + inner] = np.clip(1.5 * small - 128, 0, 255)  # as dark as before
    low, high = (SIZE - INK_SIZE) // 2, (SIZE + INK_SIZE) // 2
    corners = np.array([[low, low], [high, low], [high, high], [low, high]]) + rng.integers(-3, 4, (4, 2))
    width = int(rng.integers(1, 5))
    for i in rng.permutation(4)[: rng.integers(2, 5)]:
        cv2.line(result, corners[i].tolist(), corners[(i + 1) % 4].tolist(), 0, width, cv2.LINE_AA)
    return result


def _random_strokes(picture, other, rng):
    """Nothing of a picture but its size: three to nine straight or bent strokes, as in a character that is none."""
    side = len(picture)
    count = rng.integers(3, 10)
    # most strokes of Chinese characters run level, upright or slanting down; some end in a turn or hook
    angle = rng.choice([0, 0, 0.5, 0.5, 0.25, 0.75], count) * np.pi + rng.normal(0, 0.12, count)
    reach = np.stack([np.cos(angle), np.sin(angle)], axis=1) * rng.uniform(0.1, 0.45, (count, 1))
    middle = rng.uniform(0, 1, (count, 2))
    hook = middle + reach + rng.normal(0, 0.2, (count, 2)) * (rng.random((count, 1)) < 0.4)
    lines = np.stack([middle - reach, middle + reach, hook], axis=1)  # (count, 3, 2)
    # centred and as large as shuzi.ink makes it
    low, high = lines.min(axis=(0, 1)), lines.max(axis=(0, 1))
    lines = (lines - (low + high) / 2) / (high - low).max() * INK_SIZE + side / 2
    picture = np.full((side, side), 255, np.uint8)
    cv2.polylines(picture, np.int32(lines.round()), False, 0, int(rng.integers(1, 5)), cv2.LINE_AA)
    return picture


# Of two grey pictures, uint8 (64, 64), of different classes, one that is no numeral. _squeezed makes two kinds, and
# comes twice.
COMBINATIONS = [
    _halves,
    _squeezed,
    _squeezed,
    _overlaid,
    _struck_through,
    _struck_twice,
    _framed,
    _random_strokes,
]
