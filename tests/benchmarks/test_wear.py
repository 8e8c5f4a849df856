"""benchmarks/wear.py: each fault is one, and leaves something to read."""

import numpy as np
import pytest

from benchmarks import wear
from shuzi import ink
from shuzi.drawing import handwriting as synthesize


@pytest.fixture(scope="module")
def pictures():
    grey = [
        synthesize.picture(str(1 + i % 10), synthesize.make_writer(7, i), np.random.default_rng([7, i]))[0]
        for i in range(20)
    ]
    return np.stack([ink.prepare(picture) for picture in grey])


@pytest.mark.parametrize("name", wear.FAULTS)
def test_a_fault_changes_pictures_and_leaves_most_ink(pictures, name):
    before = pictures.copy()
    faulty = wear.worn(pictures, wear.FAULTS[name])
    assert np.array_equal(pictures, before)  # it works on a copy
    assert faulty.shape == pictures.shape and faulty.dtype == np.uint8
    assert np.array_equal(faulty, wear.worn(pictures, wear.FAULTS[name]))  # the same each time
    difference = np.abs(faulty.astype(int) - pictures).mean(axis=(1, 2, 3))
    if name == "as they are":
        assert difference.max() == 0
    else:
        assert np.mean(difference > 0.3) > 0.8
    left = (255.0 - faulty).sum(axis=(1, 2, 3)) / (255.0 - pictures).sum(axis=(1, 2, 3))
    assert 0.4 < np.median(left) < 3


def test_a_picture_without_ink_stays_as_it_is():
    paper = np.full((2, 64, 64, 3), 255, np.uint8)
    for fault in wear.FAULTS.values():
        assert np.array_equal(wear.worn(paper, fault), paper)
