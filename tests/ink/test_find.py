"""Handwriting is found on paper with lines, in cells, beside dark edges, in colour; and on an empty page there is none.

The papers here are drawn by the test itself, plainly, and not by what draws the pages that the finder learns from.
"""

import cv2
import numpy as np
import pytest

from shuzi import ink
from shuzi.drawing.handwriting import draw, make_writer, render
from shuzi.ink import clean, decode

HANDS = range(4)


def written(name, number, size=150):
    """Ink of class `name` in the hand of a writer, float32 (h, w), 0-1."""
    rng = np.random.default_rng([5, number])
    return render(draw(name, make_writer(5, number)._replace(pen="gel pen"), rng), "gel pen", 0.05, size, rng)


def on(paper, strokes, colour=(40, 40, 60)):
    """The strokes in the middle of a paper, uint8 (h, w, 3)."""
    page = paper.astype(np.float32)
    top, left = ((page.shape[i] - strokes.shape[i]) // 2 for i in (0, 1))
    part = page[top : top + strokes.shape[0], left : left + strokes.shape[1]]
    part += strokes[..., None] * (np.float32(colour) - part)
    return np.uint8(page + np.random.default_rng(0).normal(0, 2, page.shape).clip(-5, 5)).clip(0, 255)


def plain(height=320, width=320, tone=(240, 240, 236)):
    return np.full((height, width, 3), tone, np.uint8)


def practice_cell():
    page = plain()
    red = (200, 80, 80)
    cv2.rectangle(page, (30, 30), (290, 290), red, 2)
    for i in range(30, 290, 14):
        for one, other in (((i, 160), (i + 7, 160)), ((160, i), (160, i + 7)), ((i, i), (i + 5, i + 5))):
            cv2.line(page, one, other, red, 1, cv2.LINE_AA)
    return page


def table_cell():
    page = plain(240, 240)
    for at in (14, 226):
        cv2.line(page, (at, 0), (at, 239), (20, 20, 20), 3)
        cv2.line(page, (0, at), (239, at), (20, 20, 20), 3)
    return page


def scanner_edge():
    page = plain(420, 320)
    page[:, :26] = 8
    page[:12] = 8
    return page


def ruled():
    page = plain(400, 500)
    for y in range(30, 400, 60):
        cv2.line(page, (0, y), (499, y + 4), (150, 180, 215), 2, cv2.LINE_AA)
    return page


def shadow():
    x = np.arange(400)[None, :, None]
    return np.uint8(plain(300, 400) * (1 - 0.5 / (1 + np.exp((150 - x) / 4.0))))


PAPERS = [practice_cell, table_cell, scanner_edge, ruled, shadow]


def alike(one, other):
    """Nearly the same strokes, uint8 (64, 64, 3) each."""
    one, other = (cv2.GaussianBlur(picture[..., 0], (0, 0), 2).astype(int) for picture in (one, other))
    return np.abs(one - other).mean() < 12


@pytest.mark.parametrize("paper", PAPERS)
def test_strokes_are_found_and_lines_are_not(paper):
    found = 0
    for number in HANDS:
        for name in ("5", "7", "8", "10"):
            strokes = written(name, number)
            found += alike(ink.prepare(on(paper(), strokes)), ink.place(strokes))
    assert found >= 14  # of 16


@pytest.mark.parametrize("paper", [plain, *PAPERS])
def test_an_empty_page_holds_no_ink(paper):
    with pytest.raises(ink.NoInkError):
        ink.prepare(on(paper(), np.zeros((9, 9), np.float32)))


def test_ink_as_light_as_the_paper_is_found_by_its_colour():
    strokes = written("10", 1)
    page = on(plain(tone=(128, 128, 128)), strokes, (240, 80, 70))
    assert alike(ink.prepare(page), ink.place(strokes))


def test_half_clear_strokes_on_a_clear_ground():
    strokes = written("7", 2)
    rgba = np.full((*strokes.shape, 4), 255, np.uint8)
    rgba[..., 3] = 128 * strokes
    rgba = np.pad(rgba, ((40, 40), (40, 40), (0, 0)))
    assert alike(ink.prepare(rgba), ink.place(strokes))


def test_where_the_ink_is_in_the_picture():
    strokes = written("4", 0)
    page = on(plain(900, 1300), strokes)
    found = ink.find_ink(decode.decoded_of(page).rgb)
    rows, columns = np.nonzero(found.ink > 0.5)
    scale = 1300 / 1024
    middle = [
        (edge + (at.min() + at.max() + 1) / 2 * found.step) * scale
        for edge, at in ((found.left, columns), (found.top, rows))
    ]
    assert abs(middle[0] - 650) < 8 and abs(middle[1] - 450) < 8


@pytest.mark.parametrize("size", [60, 200])
def test_the_quick_way_gives_what_the_net_gives(size, monkeypatch):
    pages = [on(plain(size + 60, size + 60), written(name, 3, size)) for name in ("2", "5", "7")]
    quick = [ink.prepare(page) for page in pages]
    assert all(clean.clean_ink(page) is not None for page in pages)
    monkeypatch.setattr("shuzi.ink.find.clean_ink", lambda picture: None)
    assert all(alike(one, ink.prepare(page)) for one, page in zip(quick, pages))


@pytest.mark.parametrize("paper", [table_cell, scanner_edge, ruled, shadow])
def test_the_quick_way_is_for_clean_pictures_only(paper):
    assert clean.clean_ink(on(paper(), written("7", 0))) is None
