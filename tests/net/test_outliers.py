"""Pictures that are no numeral: pictures still, and none of them one of the set."""

import numpy as np
import pytest

from shuzi.net import outliers


def labels_of(pictures):
    return np.arange(len(pictures)) // 4


def assert_pictures(made, count):
    assert made.shape == (count, 64, 64, 3) and made.dtype == np.uint8
    assert (made == made[..., :1]).all()  # grey
    dark = (made[..., 0] < 128).mean(axis=(1, 2))
    assert dark.min() > 0.001 and dark.max() < 0.7  # ink on paper


def test_collages_are_pictures_and_none_of_them_a_source(pictures):
    made = outliers.collages(pictures, labels_of(pictures), 200, np.random.default_rng(0))
    assert_pictures(made, 200)
    sources = pictures.reshape(len(pictures), -1).astype(int)
    for picture in made.reshape(200, -1):
        assert np.abs(sources - picture).max(axis=1).min() > 100
    assert len({picture.tobytes() for picture in made}) > 190


def test_collages_come_from_their_generator_alone(pictures):
    one, two, other = (
        outliers.collages(pictures, labels_of(pictures), 20, np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    assert np.array_equal(one, two) and not np.array_equal(one, other)


@pytest.mark.parametrize(
    "rows",
    [[20], [20, 21, 22, 23], [20, 36], [0, 1, 2, 3], [0, 4, 8]],
    ids=["one picture", "one class", "two classes", "all flat, one class", "all flat"],
)
def test_collages_of_little(pictures, rows):
    made = outliers.collages(pictures[rows], labels_of(pictures)[rows], 30, np.random.default_rng(0))
    assert_pictures(made, 30)
    for source in pictures[rows]:
        assert not (made == source).all(axis=(1, 2, 3)).any()
