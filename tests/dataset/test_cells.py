"""Ruled pages: finding the grid, and cutting each cell with its own writing."""

import csv

import cv2
import numpy as np
import pytest
from PIL import Image

import datapro
from shuzi.core.command import Problem
from shuzi.dataset import cells, cells_grid
from shuzi.drawing.strokes import WAYS, parse

ROWS, COLUMNS = 6, 5
NAMES = ["1", "4", "5", "8", "10"]
LEFT, TOP, SIDE = 120, 200, 90


def page(tone=60, empty=(), shift=(0, 0), broken=False, rows=ROWS):
    """A ruled page with a heading, written on: uint8 (h, w, 3)."""
    picture = np.full((1000, 800, 3), 250, np.uint8)
    cv2.rectangle(picture, (100, 60), (700, 110), (tone,) * 3, 1)  # a heading in a frame of its own
    cv2.putText(picture, "Class 3b, Numerals", (150, 98), cv2.FONT_HERSHEY_SIMPLEX, 1, (60,) * 3, 2)
    for i in range(rows + 1):
        cv2.line(picture, (LEFT, TOP + i * SIDE), (LEFT + COLUMNS * SIDE, TOP + i * SIDE), (tone,) * 3, 2)
    for i in range(COLUMNS + 1):
        cv2.line(picture, (LEFT + i * SIDE, TOP), (LEFT + i * SIDE, TOP + rows * SIDE), (tone,) * 3, 2)
    if broken:
        for x in range(LEFT + 10, LEFT + COLUMNS * SIDE, 18):
            picture[TOP - 5 : TOP + rows * SIDE + 5, x : x + 6] = 250
    for row in range(rows):
        for column, name in enumerate(NAMES):
            if (row + 1, column + 1) in empty:
                continue
            for points, *_ in parse(WAYS[name]["regular"][1]):
                points = (points * 0.7 + 0.15) * SIDE + (LEFT + column * SIDE + shift[0], TOP + row * SIDE + shift[1])
                cv2.polylines(picture, [np.int32(points * 16)], False, (30, 40, 120), 3, cv2.LINE_AA, 4)
    return picture


def grid_of(picture, shape=(ROWS, COLUMNS)):
    return cells_grid.find_grid(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), shape)


def tilted(picture, degrees=6, lean=0.12):
    height, width = picture.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 0.85)
    picture = cv2.warpAffine(picture, turn, (width, height), borderValue=(120,) * 3)
    corners = np.float32([(0, 0), (width, 0), (width, height), (0, height)])
    moved = corners + np.float32([(lean * width, 0), (-lean * width, 30), (0, 0), (0, 0)])
    return cv2.warpPerspective(
        picture, cv2.getPerspectiveTransform(corners, moved), (width, height), borderValue=(120,) * 3
    )


@pytest.mark.parametrize("options", [{}, {"tone": 215}, {"broken": True}], ids=["plain", "faint", "broken"])
def test_the_grid_is_found_below_a_heading(options):
    nodes = grid_of(page(**options)).nodes
    wanted = np.stack(np.meshgrid(LEFT + SIDE * np.arange(COLUMNS + 1), TOP + SIDE * np.arange(ROWS + 1)), -1)
    assert np.abs(nodes - wanted).max() < 4


def test_a_photo_at_an_angle_in_shadow_is_cut_alike():
    picture = tilted(page(empty={(2, 3)}))
    light = np.linspace(1, 0.45, picture.shape[1])[None, :, None]
    picture = (picture * light).astype(np.uint8)
    _, found = cells.cut_grid(picture, grid_of(picture))
    assert [(cell.row, cell.column) for cell in found if cell.state == "empty"] == [(2, 3)]


def test_writing_over_a_line_stays_with_its_cell_and_lines_are_left_out():
    empty = {(row, column) for row in range(1, ROWS + 1) for column in range(1, COLUMNS + 1) if (row + column) % 2}
    picture = page(empty=empty, shift=(10, 12))  # out over the right and the lower line
    _, found = cells.cut_grid(picture, grid_of(picture))
    assert {(cell.row, cell.column) for cell in found if cell.state == "empty"} == empty
    for cell in found:
        if cell.state == "filled":
            blue = cell.picture[cell.picture.min(2) < 128].astype(int)
            # the ink's own colour, and hardly anything of the grey lines
            assert (blue[:, 2] - blue[:, 0] > 30).mean() > 0.93


def test_another_number_of_cells_than_there_are_is_refused_not_shifted():
    for shape in (ROWS - 1, COLUMNS), (ROWS + 1, COLUMNS), (ROWS, COLUMNS - 1):
        with pytest.raises(cells_grid.GridError):
            grid_of(page(), shape)
    with pytest.raises(cells_grid.GridError):
        grid_of(np.full((900, 700, 3), 255, np.uint8))


def test_a_table_is_counted_without_being_told():
    assert grid_of(page(), None).nodes.shape == (ROWS + 1, COLUMNS + 1, 2)


def test_predict_reads_a_table_cell_by_cell(tmp_path):
    from shuzi.reading.characters import prepare
    from shuzi.reading.layout import CELLS

    Image.fromarray(page(empty={(1, 1)})).save(tmp_path / "page.png")
    layout = prepare(tmp_path / "page.png").layout
    assert layout.bands == CELLS and [len(line) for line in layout.lines] == [4] + [5] * (ROWS - 1)
    x, y, width, height = layout.boxes[0]
    assert LEFT + SIDE < x < x + width < LEFT + 2 * SIDE and TOP < y < y + height < TOP + SIDE


def run(tmp_path, *arguments):
    code = datapro.main([*map(str, arguments), "--out", str(tmp_path / "raw"), "--jobs", "0"])
    with open(tmp_path / "raw" / "manifest.csv", encoding="utf-8-sig", newline="") as file:
        return code, list(csv.DictReader(file))


def test_datapro_files_each_column_by_its_class(tmp_path, capsys):
    scans = tmp_path / "scans"
    scans.mkdir()
    Image.fromarray(page(empty={(1, 1)})).save(scans / "monday_writer-li.png")
    Image.fromarray(page()).save(scans / "tuesday.png")
    arguments = scans, "--grid", "6x5", "--columns", "1,四,5,-,十"
    code, rows = run(tmp_path, *arguments)
    assert code == 0 and len(rows) == 2 * 4 * ROWS - 1
    assert "47 cells cut, 1 empty" in capsys.readouterr().out
    assert {(row["class"], row["source"].split("#")[1][2:]) for row in rows} == {
        ("1", "c1"),
        ("4", "c2"),
        ("5", "c3"),
        ("10", "c5"),
    }
    assert {row["writer"] for row in rows} == {"writer-li", "tuesday.png"}
    assert len(list((tmp_path / "raw" / "pages").iterdir())) == 2
    code, again = run(tmp_path, *arguments)
    assert again == rows and ", 0 of them made now" in capsys.readouterr().out


@pytest.mark.parametrize(
    "options, words",
    [
        (["--grid", "6x5", "--columns", "1,2"], "names 2"),
        (["--grid", "6x5"], "--columns"),
        (["--columns", "1,2"], "--grid"),
        (["--grid", "six", "--rows", "1"], "14x11"),
        (["--grid", "5x6", "--columns", "1,2,3,4,5,6"], "on its side"),
        (["--grid", "7x5", "--columns", "1,2,3,4,5"], "6x5"),
    ],
)
def test_what_does_not_fit_is_said(tmp_path, options, words):
    Image.fromarray(page()).save(tmp_path / "page.png")
    with pytest.raises(Problem, match=words):
        run(tmp_path, tmp_path / "page.png", *options)


def test_forms_lie_loose_among_class_folders(tmp_path, capsys):
    pytest.importorskip("pypdfium2")
    from forms_on_paper import fill, printed

    from shuzi.dataset import cells_form

    source = tmp_path / "set"
    (source / "1").mkdir(parents=True)
    cv2.imwrite(str(source / "1" / "one.png"), page()[210:280, 130:200])
    first, second = printed(tmp_path, "--writers", "2", "--classes", "4,5", "--each", "3")
    fill(first, cells_form.read_forms(first)[0].page)
    fill(second, cells_form.read_forms(second)[0].page)
    for name, picture in (
        ("a.png", first),
        ("b.png", second),
        ("b, taken again.png", np.rot90(second)),
        ("c.png", page()),
    ):
        Image.fromarray(np.ascontiguousarray(picture)).save(source / name)
    noise = np.random.default_rng(0).integers(90, 160, (800, 800, 3), np.uint8)
    Image.fromarray(noise).save(source / "d.png")
    code, rows = run(tmp_path, source)
    assert code == 1
    forms_read = [row for row in rows if "#" in row["source"]]
    assert {row["class"] for row in forms_read} == {"4", "5"}
    writers = {row["source"].split("#")[0]: row["writer"] for row in forms_read}
    assert sorted(writers) == ["a.png", "b, taken again.png"] or sorted(writers) == ["a.png", "b.png"]
    assert len(set(writers.values())) == 2 and all(name.startswith("writer-") for name in writers.values())
    refused = (tmp_path / "raw" / "refused.csv").read_text("utf-8-sig")
    for words in "a second time", "c.png,a table of 6x5 cells", "d.png,no form is to be seen":
        assert words in refused.replace('"', "")
