"""Drawn crops: are close, of the side and pen they are said to be, and the same each time."""

import numpy as np
import pytest

from shuzi.drawing import crops


@pytest.mark.parametrize("side", crops.SIDES)
@pytest.mark.parametrize("margin", crops.MARGINS)
def test_crops_are_as_close_as_they_are_said_to_be(side, margin):
    for number, name in enumerate(crops.NAMES):
        strokes = crops.draw(name, number, side, margin)
        inked = strokes > 0.3
        rows, columns = np.flatnonzero(inked.any(1)), np.flatnonzero(inked.any(0))
        ends = [rows[0], columns[0], strokes.shape[0] - 1 - rows[-1], strokes.shape[1] - 1 - columns[-1]]
        rounded = 2 + side // 100  # of the pen's width
        assert all(abs(end - round(margin * side)) <= rounded for end in ends)
        assert abs(max(np.ptp(rows), np.ptp(columns)) + 1 - side) <= 2 * rounded
        assert np.array_equal(strokes, crops.draw(name, number, side, margin))


def test_soft_and_noisy_or_neither():
    strokes = crops.draw("5", 0, 100, 0)
    clean, noisy = (crops.take(strokes, soft, np.random.default_rng(0)) for soft in (False, True))
    assert clean.min() == 0 and clean.max() == 255 and len(np.unique(clean[strokes == 0])) == 1
    assert noisy.min() > 40 and noisy.max() < 245 and 1 < noisy[strokes == 0].std() < 10
