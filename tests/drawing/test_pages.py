"""Drawn pages for the ink finder: the truth is where the ink is, and each kind can be asked for."""

import cv2
import numpy as np
import pytest

from shuzi.drawing.pages import CONTENTS, KINDS, choose_kind, draw_page
from shuzi.drawing.papers import PAPERS


def page(seed, side=256, kinds=None):
    return draw_page(np.random.default_rng(seed), side, kinds)


def test_same_seed_same_page():
    for seed in range(6):
        for one, other in zip(page(seed), page(seed)):
            assert np.array_equal(one, other)


@pytest.mark.parametrize("side", [96, 256, 384])
def test_shapes_and_ranges(side):
    for seed in range(12):
        picture, ink, kind = page(seed, side)
        assert picture.shape == (side, side, 3) and picture.dtype == np.uint8
        assert ink.shape == (side, side) and ink.dtype == np.float32
        assert ink.min() >= 0 and ink.max() <= 1
        assert set(kind.split()) <= {*KINDS, "bitmap"}


@pytest.mark.parametrize("name", KINDS)
def test_each_kind_draws(name):
    for seed in range(3):
        _, _, kind = page(seed, 128, [name])
        assert name in kind.split()


def test_excluded_kinds_never_occur():
    rng = np.random.default_rng(0)
    allowed = (set(PAPERS) - {"mi", "plain"}) | {"scan", "screenshot", "numerals", "empty"}
    drawn = [choose_kind(rng, allowed) for _ in range(2000)]
    assert {paper for paper, _, _ in drawn} == set(PAPERS) - {"mi", "plain", "blackboard", "whiteboard"}
    assert {capture for _, capture, _ in drawn} == {"scan", "screenshot", "bitmap"}
    assert {content for _, _, content in drawn} == {"numerals", "empty"}


def test_kinds_that_leave_nothing():
    with pytest.raises(ValueError, match="nothing can be drawn"):
        choose_kind(np.random.default_rng(0), ["blackboard", "scan"])
    with pytest.raises(ValueError, match="no such kind.*parchment"):
        choose_kind(np.random.default_rng(0), ["parchment"])


def test_every_kind_is_common_enough():
    rng = np.random.default_rng(0)
    drawn = [name for _ in range(4000) for name in choose_kind(rng)]
    assert all(drawn.count(name) > 30 for name in KINDS)
    assert 0.12 < drawn.count("empty") / 4000 < 0.18 and set(CONTENTS) <= set(drawn)


def test_empty_pages_have_no_ink():
    for seed in range(40):
        assert page(seed, 128, ["empty"])[1].max() == 0


def contrast(picture, ink):
    """How far the ink's colour is from that of the paper beside it, 0..255; nan where there is no ink."""
    inked = ink > 0.6
    beside = (cv2.dilate(inked.astype(np.uint8), np.ones((9, 9))) > 0) & (ink < 0.02)
    if inked.sum() < 40 or beside.sum() < 40:
        return np.nan
    weight = cv2.blur(beside.astype(float), (31, 31)) + 1e-6
    paper = cv2.blur(picture * beside[:, :, None].astype(float), (31, 31)) / weight[:, :, None]
    return np.abs((picture - paper)[inked].mean(0)).max()


def test_truth_is_where_the_ink_is():
    found = [contrast(*page(seed, 256, ["numerals", "writing"])[:2]) for seed in range(100)]
    found = np.array([value for value in found if not np.isnan(value)])
    assert len(found) > 75
    assert (found > 8).mean() > 0.96 and np.median(found) > 30


def test_truth_moved_aside_fits_worse():
    """Turned, tilted and bent pages: shifted by a stroke's width, the truth no longer covers the ink."""
    better = []
    for seed in range(40):
        picture, ink, _ = page(seed, 256, ["plain", "photo", "numerals"])
        here, aside = contrast(picture, ink), contrast(picture, np.roll(ink, (9, 9), (0, 1)))
        if not np.isnan(here) and not np.isnan(aside):
            better.append(here > aside)
    assert len(better) > 25 and np.mean(better) > 0.9
