"""Pictures that are no numeral: pictures still, and none of them one of the set."""

import numpy as np
import pytest

from benchmarks import other_characters
from shuzi.net import outliers, sketches


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


def test_drawn_outliers_are_of_no_class(pictures):
    classes = [str(number) for number in range(1, 11)]
    made = outliers.draw(pictures, labels_of(pictures), classes, 300, np.random.default_rng(0))
    assert_pictures(made, 300)
    again = outliers.draw(pictures, labels_of(pictures), classes, 300, np.random.default_rng(0))
    assert np.array_equal(made, again)
    alike = outliers.likeness(made[..., 0], pictures[..., 0])
    assert (alike > outliers.likeness_limit(pictures[..., 0]) + 0.01).mean() < 0.1


@pytest.mark.parametrize("kind", ["collages", *sketches.KINDS])
def test_every_kind_alone(kind, pictures):
    made = outliers.draw(pictures, labels_of(pictures), list("abcdefghij"), 12, np.random.default_rng(1), [kind])
    assert made.shape == (12, 64, 64, 3) and (made.min(axis=(1, 2, 3)) < 128).all()


def test_classes_and_what_doubt_is_measured_on_are_never_drawn():
    forms = outliers.forms(["1", "10000", "贰", "春", "A"])
    assert {"一", "万", "萬", "貳", "春", "A"} <= forms
    names = sketches.Choice(forms).names
    assert len(names) > 8000 and not set(names) & forms
    assert not set(names) & set(other_characters.CHARACTERS)
    assert not set(names) & set(other_characters.MIDDLING) and not set(names) & set(other_characters.COMPOUNDS)
    assert not set(names) & set("宋寒寸对垦峤庞")
    assert "A" not in set(sketches.SIGNS) - forms


def test_rounding_keeps_the_ends_and_every_stroke_apart():
    lines = sketches.of_strokes([[np.array([[0, 0], [1, 0], [1, 1]]), np.array([[0, 1], [1, 1]])], [np.eye(2)]])
    smooth = sketches.rounded(lines)
    assert len(smooth) == 2 and len(smooth.points) == 4 * len(lines.points)
    for stroke in range(3):
        before, after = lines.points[lines.stroke == stroke], smooth.points[smooth.stroke == stroke]
        assert np.array_equal(before[[0, -1]], after[[0, -1]])


def test_stroke_widths_are_pixels():
    grey = np.full((2, 64, 64), 255, np.uint8)
    grey[0, 30:33, 8:56] = grey[1, 28:36, 8:56] = 0
    assert sketches.stroke_widths(grey) == pytest.approx([3, 8], abs=1.5)
