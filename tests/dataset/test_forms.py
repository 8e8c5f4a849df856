"""Forms: what is printed, and reading it again however it lies in the picture."""

import cv2
import numpy as np
import pytest

pytest.importorskip("pypdfium2", reason="renders the PDF")

from forms_on_paper import DPI, fill, printed, put

import forms as script
from shuzi.core.command import Problem
from shuzi.dataset import cells_form, forms, page_code
from shuzi.dataset.page_code import Page, decode, encode

PAGE = Page("a4", ("1", "4", "10", "cat", "猫"), 4, False, 1, 7, 123)


def states_of(form):
    return {(cell.row, cell.column): cell.state for cell in form.cells}


def test_the_code_survives_a_thumb_and_is_never_read_wrong():
    modules = encode(PAGE)
    assert decode(modules) == PAGE
    covered = modules.copy()
    covered[:, 20:27] = True  # an eighth of it
    assert decode(covered) == PAGE
    covered[:, 10:40] = False
    assert decode(covered) is None


def test_names_that_are_too_long_for_the_code_are_refused():
    with pytest.raises(Problem, match="two forms"):
        forms.pages(["a name that is quite long " + str(i) for i in range(5)])


@pytest.mark.parametrize("option, word", [("--each=0", "--each"), ("--paper=a5", "letter"), ("--classes=,", "class")])
def test_bad_options_say_what_to_do(tmp_path, option, word):
    with pytest.raises(Problem, match=word):
        script.main([option, "--out", str(tmp_path / "forms.pdf")])


def test_every_writer_gets_pages_of_their_own(tmp_path):
    pages = printed(tmp_path, "--writers", "3", "--each", "20", "--classes", "all")
    assert len(pages) == 9  # 300 cells are three pages
    read = [cells_form.read_forms(page)[0].page for page in (pages[0], pages[-1])]
    assert [(page.writer, page.page) for page in read] == [(1, 1), (3, 3)]
    assert forms.writer_name(read[0]) != forms.writer_name(read[1])


def test_a_filled_form_is_read_with_what_was_left_empty_or_crossed_out(tmp_path):
    (picture,) = printed(tmp_path, "--trace")
    page = cells_form.read_forms(picture)[0].page
    assert set(states_of(cells_form.read_forms(picture)[0]).values()) == {"empty"}  # the print itself is no writing
    states = fill(picture, page)
    (form,) = cells_form.read_forms(picture)
    assert states_of(form) == states
    names = {(cell.row, cell.column): cell.name for cell in forms.cells(page)}
    for cell in form.cells:
        if cell.state == "filled":
            assert 0.01 < (cell.picture.min(2) < 128).mean() < 0.3
            assert names[cell.row, cell.column] in page.classes


def test_two_forms_in_one_photo_turned_and_in_shadow(tmp_path):
    first, second = printed(tmp_path, "--writers", "2", "--classes", "4,5,6", "--each", "4")
    pages = [cells_form.read_forms(picture)[0].page for picture in (first, second)]
    states = [fill(picture, page) for picture, page in zip((first, second), pages)]
    photo = np.full((1750, 2300, 3), (90, 80, 70), np.uint8)
    photo = put(photo, first, [(1060, 1600), (90, 1500), (140, 80), (1040, 140)])  # upside down
    photo = put(photo, second, [(1200, 150), (2200, 110), (2240, 1620), (1180, 1540)])
    shadow = np.ones(photo.shape[:2], np.float32)
    cv2.circle(shadow, (1150, 900), 600, 0.5, -1)
    photo = (photo * cv2.GaussianBlur(shadow, (0, 0), 25)[..., None]).astype(np.uint8)
    found = cells_form.read_forms(photo)
    assert [form.page for form in found] == pages
    assert [states_of(form) for form in found] == states


def test_a_form_whose_corner_is_cut_off_is_refused_with_that_reason(tmp_path):
    (picture,) = printed(tmp_path, "--each", "10")
    (form,) = cells_form.read_forms(picture[:, 150:])
    assert isinstance(form, cells_form.Unreadable) and "cut off" in form.reason
    covered = picture.copy()
    covered[: int(22 * DPI / 25.4), : int(22 * DPI / 25.4)] = (200, 150, 130)  # a thumb on a corner does no harm
    (form,) = cells_form.read_forms(covered)
    assert isinstance(form, cells_form.Form)


def test_classes_without_strokes_are_on_the_form_too(tmp_path):
    (picture,) = printed(tmp_path, "--classes", "猫,plus,3", "--each", "2")
    assert set(cells_form.read_forms(picture)[0].page.classes) == {"3", "plus", "猫"}
    assert page_code.KNOWN.index("1") == 1  # codes of printed forms stay true: only add to the list
