"""Forms printed, filled and photographed, for the tests of whatever reads them."""

import cv2
import numpy as np
import pypdfium2 as pdfium

import forms as script
from shuzi.dataset import forms
from shuzi.drawing.strokes import WAYS, parse

DPI = 130


def printed(tmp_path, *options):
    """Pages of forms.pdf as pictures, uint8 (h, w, 3)."""
    script.main(["--out", str(tmp_path / "forms.pdf"), "--run", "5", *options])
    with pdfium.PdfDocument(tmp_path / "forms.pdf") as document:
        return [np.array(page.render(scale=DPI / 72).to_pil().convert("RGB")) for page in document]


def write(picture, box, name, shift=(0, 0), size=0.7):
    """A character in a cell, box in millimetres, as a blue pen writes it."""
    unit = DPI / 25.4
    left, top, right, _ = box
    side = right - left
    for points, *_ in parse(WAYS[name]["regular"][1]):
        points = (points * size + (1 - size) / 2) * side + (left + shift[0], top + shift[1])
        cv2.polylines(picture, [np.int32(points * unit * 16)], False, (30, 40, 120), 3, cv2.LINE_AA, 4)


def fill(picture, page):
    """Writes in all cells but every fifth; crosses out every seventh. Returns the state of each."""
    states = {}
    for number, cell in enumerate(forms.cells(page)):
        state = "empty" if number % 5 == 4 else "crossed out" if number % 7 == 3 else "filled"
        states[cell.row, cell.column] = state
        if state != "empty":
            write(picture, cell.box, cell.name, shift=(0.8, -0.6))
        if state == "crossed out":
            ends = np.int32(np.array(cell.box) * DPI / 25.4)
            cv2.line(picture, tuple(map(int, ends[:2])), tuple(map(int, ends[2:])), (30, 40, 120), 3, cv2.LINE_AA)
    return states


def put(ground, picture, corners):
    """A page into a larger picture, its corners at these places."""
    height, width = picture.shape[:2]
    from_ = np.float32([(0, 0), (width, 0), (width, height), (0, height)])
    turn = cv2.getPerspectiveTransform(from_, np.float32(corners))
    size = ground.shape[1::-1]
    inside = cv2.warpPerspective(np.full((height, width), 255, np.uint8), turn, size)[..., None] > 0
    return np.where(inside, cv2.warpPerspective(picture, turn, size, flags=cv2.INTER_AREA), ground)
