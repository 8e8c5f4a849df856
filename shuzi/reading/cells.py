"""Pages of many cells, read cell by cell: ruled tables, and the forms of `forms.py`."""

import cv2
import numpy as np

from shuzi import ink
from shuzi.dataset import cells, cells_form, cells_grid
from shuzi.ink import decode
from shuzi.reading.layout import CELLS, Layout

SIDE = 2600  # pixels; longer side of a page as it is read


def find_cells(source, page, grey):
    """The Layout of a page of cells, its boxes in pixels of `grey`; None where it is no such page.

    source, page: as of `open_colour`. grey: uint8 (h, w), the same, as `open_picture` gives it.
    """
    if cells_form.has_markers(grey):
        picture = decode.open_colour(source, page, SIDE).rgb
        found = [form for form in cells_form.read_forms(picture) if isinstance(form, cells_form.Form)]
        parts = [(form.cells, form.flat) for form in found]
    else:
        if cells_grid.plain_table(grey) is None:
            return None
        picture = decode.open_colour(source, page, SIDE).rgb
        try:
            grid = cells_grid.find_grid(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY))
        except cells_grid.GridError:
            return None
        flat, made = cells.cut_grid(picture, grid)
        parts = [(made, flat)]
    scale = np.array(grey.shape[1::-1]) / picture.shape[1::-1]
    glyphs, boxes, lines = [], [], []
    for made, flat in parts:
        row = None
        for cell in made:
            if cell.state != "filled":
                continue
            try:
                glyphs.append(ink.prepare(cell.picture)[:, :, 0])
            except ink.PictureError:
                continue
            x, y, width, height = cell.box
            bottom, right = (min(end, side - 1) for end, side in zip((y + height, x + width), flat.depth.shape))
            corners = flat.places[[y, y, bottom, bottom], [x, right, right, x]] * scale
            low, high = corners.min(0), corners.max(0)
            boxes.append((*low, *(high - low)))
            if cell.row != row:
                lines.append([])
                row = cell.row
            lines[-1].append(len(glyphs) - 1)
    if not glyphs:
        return None
    return Layout(np.array(glyphs), np.array(boxes), np.zeros((len(glyphs), 2)), CELLS, lines)
