"""benchmarks/paper: every kind is drawn, the same each time, as a file that opens; what was read is counted."""

import io
import json
import zipfile

import cv2
import numpy as np
import pytest
from PIL import Image

from benchmarks.paper import __main__ as command
from benchmarks.paper import camera, contact, kinds, measure, real
from shuzi.core.numerals import DEFAULT_CLASSES


class FakeReader:
    """Reads everything as 五, sure where `sure`."""

    classes = DEFAULT_CLASSES

    def __init__(self, sure=True):
        self.sure = sure

    def predict(self, pictures):
        probabilities = np.full((len(pictures), 10), 0.01, np.float32)
        probabilities[:, 4] = 0.91
        return probabilities

    def is_unsure(self, probabilities):
        return np.full(len(probabilities), not self.sure)


@pytest.fixture(autouse=True)
def small_photos(monkeypatch):
    monkeypatch.setattr(camera, "SIDES", (240, 250))


@pytest.mark.parametrize("kind", kinds.KINDS)
def test_each_kind_is_a_file_that_opens(kind):
    with Image.open(io.BytesIO(kinds.draw(kind, 3, truth_of(kind)))) as image:
        assert min(image.size) >= 8
        assert max(high - low for low, high in image.convert("RGBA").getextrema()) > 0
    assert kinds.group(kind) in kinds.GROUPS


@pytest.mark.parametrize("group", kinds.GROUPS)
def test_a_kind_is_the_same_each_time_and_another_with_another_number(group):
    for kind in [kind for kind in kinds.KINDS if kinds.group(kind) == group][-1:]:
        content = kinds.draw(kind, 3, truth_of(kind))
        assert content == kinds.draw(kind, 3, truth_of(kind))
        assert content not in (kinds.draw(kind, 4, truth_of(kind)), kinds.draw(kind, 3, truth_of(kind), seed=1))


def truth_of(kind):
    return None if kind.startswith("empty") else "4"


def job(kind, truth, source=None):
    return measure.Job(kind, 0, 0, source, truth)


def test_what_is_read_is_counted(monkeypatch):
    blank = cv2.imencode(".png", np.full((80, 90), 255, np.uint8))[1].tobytes()
    monkeypatch.setattr(real, "load", lambda source: blank)
    jobs = [job("bitmap", "5"), job("bitmap", "4"), job("blank", None, source=("any", "blank.png"))]
    right, wrong, empty = measure.measure(jobs, FakeReader(), 0, thumbs=True)
    assert (right.outcome, wrong.outcome, empty.outcome) == ("right", "wrong", "empty")
    assert right.sure and wrong.sure and not empty.sure and wrong.answer == "5" and wrong.found.shape == (64, 64)
    tally = measure.Tally()
    tally.add(right, "right")
    tally.add(wrong, "right")
    tally.add(empty, "empty")
    counts = tally.as_dict()
    assert counts["right"] == pytest.approx(2 / 3) and counts["sure_and_wrong"] == counts[
        "said_empty"
    ] == pytest.approx(1 / 3)
    (unsure,) = measure.measure([job("bitmap", "4")], FakeReader(sure=False), 0)
    assert not unsure.sure and measure.outcome_is(unsure, "unsure") and not measure.outcome_is(unsure, "right")


def test_interval():
    assert measure.wilson(0, 0) == (0, 1)
    assert measure.wilson(90, 100) == pytest.approx((0.8256, 0.9448), abs=1e-3)


def test_cells_are_cut_at_or_beside_their_lines_and_never_into_ink(tmp_path):
    page = np.full((300, 300, 3), 250, np.uint8)
    cv2.rectangle(page, (97, 97), (173, 173), (0, 0, 0), 2)
    cv2.line(page, (103, 135), (167, 135), (120, 30, 20), 3)
    archive = tmp_path / "sheets.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("scan0008.jpg", cv2.imencode(".jpg", page)[1].tobytes())
        rows = [
            "sheet,row,column,left,top,right,bottom,playful",
            "scan0008,1,1,100,100,171,171,0",
            "scan0008,2,1,1,1,9,9,1",
        ]
        file.writestr("cells.csv", "\n".join(rows))
    jobs = real.sheet_cells(archive, {8}, 4)
    assert len(jobs) == 9 and {truth for *_, truth in jobs} == {"1"}
    for kind, source, _ in jobs:
        picture = cv2.imdecode(np.frombuffer(real.load(source), np.uint8), cv2.IMREAD_GRAYSCALE)
        assert min(picture.shape) > 50 and max(picture.shape) < 95
        stroke = np.flatnonzero(picture[picture.shape[0] // 2 - 8 : picture.shape[0] // 2 + 8].min(0) < 130)
        assert len(stroke) > 55, kind
    assert real.sheet_cells(archive, {9}, 1) == []


def test_command_writes_table_json_and_sheet(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(command, "load_reader", lambda path: FakeReader())
    sheet, figures = tmp_path / "sheet.png", tmp_path / "figures.json"
    args = [
        "--count",
        "3",
        "--kinds",
        "bitmap,empty: ruled",
        "--jobs",
        "0",
        "--sheet",
        str(sheet),
        "--json",
        str(figures),
    ]
    assert command.main(args) == 0
    assert "| bitmap, light on dark | 3 | 0.0% |" in capsys.readouterr().out
    assert json.loads(figures.read_text())["kinds"]["bitmap"]["sure_and_wrong"] == 1
    with Image.open(sheet) as image:
        assert image.size[0] == contact.ACROSS * contact.CARD[0]


def test_sheets_kept_for_the_end_are_not_read_by_chance():
    with pytest.raises(SystemExit):
        command.parse_arguments(["--only", "8-15"])
    assert command.parse_arguments([]).only == list(range(8, 15))
