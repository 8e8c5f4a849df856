"""benchmarks/others.py: what it draws as "no numeral" is none, is writing, and is the same each time."""

import numpy as np
import pytest

from benchmarks import other_characters as signs
from benchmarks import others
from shuzi.core.numerals import OTHER_FORMS, VALUES
from shuzi.drawing.strokes import WAYS, parse

ALL = others.simple_characters() | others.middling_characters()


def test_no_numeral_is_among_the_other_characters():
    numerals = set(VALUES) | {chr(code) for code in OTHER_FORMS} | {"廿", "卅", "两", "〇"}
    assert not numerals & set(ALL)
    assert len(ALL) >= 100 and all(len(name) == 1 and "一" <= name <= "鿿" for name in ALL)


@pytest.mark.parametrize("group", [ALL, others._one_way(signs.LETTERS), others._one_way(signs.DIGITS)])
def test_strokes_can_be_read_and_fill_their_box(group):
    for name, ways in group.items():
        for way, (common, text) in ways.items():
            points = np.concatenate([points for points, *_ in parse(text)])
            assert common > 0, (name, way)
            assert points.min() >= -0.02 and points.max() <= 1.02, (name, way)
            assert np.ptp(points, axis=0).max() > 0.5, (name, way)


def test_no_two_signs_have_the_same_strokes():
    texts = [text for ways in (ALL | WAYS).values() for _, text in ways.values()]
    assert len(texts) == len(set(texts))


def test_other_characters_are_drawn_as_pictures_of_ink():
    pictures, names = others.other_characters(1, 0)
    assert pictures.shape == (len(ALL), 64, 64, 3) and pictures.dtype == np.uint8
    assert names == list(ALL)
    shares = (pictures[..., 0] < 128).mean((1, 2))
    assert (shares > 0.005).mean() > 0.97 and (shares < 0.6).all()


def test_the_seed_decides_the_pictures():
    few = {name: ALL[name] for name in "人国"}
    first, again, other = (others.draw_all(few, 2, seed)[0] for seed in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert not np.array_equal(first[0], first[1])


def test_every_scribble_is_drawn():
    drawn = others.scribbles(12, 0)
    pictures, names = others.draw_all(drawn, 1, 0)
    assert len(names) == 12 and (pictures.min((1, 2, 3)) < 128).all()


def test_auroc():
    assert others.auroc(np.array([0.9, 0.8]), np.array([0.1, 0.2])) == 1
    assert others.auroc(np.array([0.9, 0.1]), np.array([0.5, 0.9])) == pytest.approx(0.375)
