"""cnn.ipynb from its first cell to its last: on a drawn set as `make run` does it, on a small one of own classes; and as stored."""

import csv
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from cells import notebook
from common import PROJECT, draw, run
from PIL import Image

from shuzi import ink
from shuzi.core.fonts import find_cjk_font_file
from shuzi.dataset.h5 import DataError
from shuzi.drawing import handwriting
from shuzi.net.notebook import run_cells_before
from shuzi.reading.reader import load_reader

CLASSES = ["1", "3", "plus", "加号"]
EPOCHS = 14


def papermill(output, parameters, cwd=PROJECT, **environment):
    """Run cnn.ipynb as `make run` does. Returns the cells as they ran."""
    options = [text for name, value in parameters.items() for text in ("-p", name, str(value))]
    command = ["-m", "papermill", "--no-progress-bar", "--kernel", "python3", PROJECT / "cnn.ipynb", output, *options]
    ran = subprocess.run(
        [sys.executable, *map(str, command)],
        cwd=cwd,
        env=os.environ | {"JUPYTER_PREFER_ENV_PATH": "1"} | environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=600,
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    return json.loads(output.read_text("utf-8"))["cells"]


def printed(cells, stream="stdout"):
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    return "".join("".join(output["text"]) for output in outputs if output.get("name") == stream)


def figures(cells):
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    return sum("image/png" in output.get("data", {}) for output in outputs)


@pytest.fixture(scope="module")
def folder(tmp_path_factory, write_data):
    """A folder with data.h5: 480 drawn pictures, four classes, 40 writers; ten of each class to test on."""
    folder = tmp_path_factory.mktemp("notebook")
    rows = []
    for writer in range(40):
        hand = handwriting.make_writer(11, writer)
        for drawn, name in zip(("1", "3", "8", "10"), CLASSES):
            for i in range(3):
                grey, _ = handwriting.picture(drawn, hand, np.random.default_rng([11, writer, int(drawn), i]))
                try:
                    rows.append((ink.prepare(grey), name, f"{name}/{writer}_{i}.png", f"writer-{writer}"))
                except ink.PictureError:
                    continue  # a drawn picture or two may be refused
    strangers = {f"writer-{writer}" for writer in range(6)}
    sides = [[row for row in rows if (row[3] in strangers) == tested] for tested in (False, True)]
    write_data(folder / "data.h5", *sides)
    return folder


@pytest.fixture(scope="module")
def trained(folder):
    """The cells of a run without a Chinese font; the folder then has the model too."""
    parameters = {"data": folder / "data.h5", "model_path": folder / "model.keras", "epochs": EPOCHS, "seed": 3}
    return papermill(folder / "run.ipynb", parameters, CJK_FONT="none")


@pytest.fixture(scope="module")
def metrics(folder, trained):
    return json.loads((folder / "metrics.json").read_text("utf-8"))


def test_metrics_are_those_that_the_notebook_prints_last(trained, metrics):
    lines = printed(trained).splitlines()
    assert lines[-2:] == [
        f"train accuracy: {metrics['train_accuracy']:.4f}",
        f"test accuracy: {metrics['test_accuracy']:.4f}",
    ]
    assert 0 < metrics["parameters"] < 1_000_000
    assert metrics["training_seconds"] > 0 and metrics["images_per_second"] > 0
    assert metrics["epochs"] == EPOCHS and metrics["seed"] == 3
    assert 0 <= metrics["calibration_error"] <= 1


def test_strangers_are_read(metrics):
    """Four classes: chance is 0.25."""
    assert metrics["train_accuracy"] > 0.9
    assert metrics["test_accuracy"] > 0.85
    assert metrics["validation_accuracy"] > 0.8


def test_notebook_shows_pictures_and_no_warnings(trained):
    assert printed(trained, "stderr") == ""
    assert figures(trained) >= 13


def test_saved_model_reads_as_the_notebook_did(folder, metrics):
    reader = load_reader(folder / "model.keras")
    assert reader.classes == CLASSES
    assert 0 < reader.unsure_below < 10
    with h5py.File(folder / "data.h5") as data:
        probabilities = reader.predict(data["X_test"][:])
        right = probabilities.argmax(axis=1) == data["y_test"][:].ravel()
    assert np.mean(right) == pytest.approx(metrics["test_accuracy"], abs=1e-9)
    assert (folder / "model.keras").stat().st_size < 4_000_000


def test_predict_reads_new_pictures(folder, trained):
    hand = handwriting.make_writer(12, 0)
    for drawn, name in zip(("1", "3", "8", "10"), CLASSES):
        grey, _ = handwriting.picture(drawn, hand, np.random.default_rng([12, int(drawn)]))
        (folder / "new" / name).mkdir(parents=True)
        Image.fromarray(grey).save(folder / "new" / name / "picture.png")
    assert (
        run("predict.py", folder / "new", "--model", folder / "model.keras", "--csv", folder / "new.csv").returncode
        == 0
    )
    with open(folder / "new.csv", encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [Path(row["file"]).parent.name for row in rows] == CLASSES
    assert sum(row["prediction"] == name for row, name in zip(rows, CLASSES)) >= 3
    assert {row["prediction"] for row in rows} <= set(CLASSES)


def test_a_small_set_of_own_classes(tmp_path, write_data):
    """Two dozen pictures, of writers unknown; labels in a Chinese font where there is one; a file that is no picture."""
    rows = []
    for i in range(24):
        draw(tmp_path / "picture.png", i)
        rows.append((ink.read_picture(tmp_path / "picture.png"), ("1", "cat")[i % 2], f"{i}.png", ""))
    write_data(tmp_path / "data.h5", rows)
    (tmp_path / "my_handwriting").mkdir()
    draw(tmp_path / "my_handwriting" / "7.png", 1)
    (tmp_path / "my_handwriting" / "7.txt").write_text("no picture")
    cells = papermill(tmp_path / "run.ipynb", {"epochs": 1}, cwd=tmp_path, PYTHONPATH=str(PROJECT))
    assert printed(cells, "stderr") == ""
    assert "7.txt: not a picture" in printed(cells)
    assert ("一" if find_cjk_font_file() else "1") in printed(cells).split("training pictures: ")[1][:3]
    assert load_reader(tmp_path / "model.keras").classes == ["1", "cat"]


def test_without_data_the_notebook_says_what_to_do(policy):
    with pytest.raises(DataError, match="no missing/data.h5.*python test.py"):
        run_cells_before("validation", {"parameters": {"data": "missing/data.h5"}})


def test_so_it_does_with_data_of_the_old_program(tmp_path, policy):
    with h5py.File(tmp_path / "data.h5", "w") as file:
        for part in "train", "test":
            file[f"X_{part}"] = np.zeros((4, 64, 64, 3), np.float32)
            file[f"y_{part}"] = np.zeros((4, 1), int)
    with pytest.raises(DataError, match="is not of this program.*python test.py"):
        run_cells_before("validation", {"parameters": {"data": tmp_path / "data.h5"}})


# ---- the notebook as it is in the repository ----------------------------------------------------------


def test_stored_outputs_are_of_a_whole_run():
    cells = [cell for cell in notebook()["cells"] if cell["cell_type"] == "code"]
    counts = [cell["execution_count"] for cell in cells]
    assert counts == sorted(filter(None, counts)), "run it from top to bottom"
    assert re.search(r"train accuracy: [01]\.\d{4}\ntest accuracy: [01]\.\d{4}\n$", printed(cells))
    assert figures(cells) >= 13
    assert printed(cells, "stderr") == ""
    assert not [output for cell in cells for output in cell["outputs"] if output["output_type"] == "error"]


def test_nothing_of_machines_comes_before_the_first_picture():
    before = []
    for cell in notebook()["cells"]:
        before += cell["source"]
        if any("image/png" in output.get("data", {}) for output in cell.get("outputs", [])):
            break
    text = "".join(before).lower()
    assert not [word for word in ("cluster", "thread", "stderr", "precision", "strategy", "worker") if word in text]


def test_stored_notebook_tells_nothing_of_the_machine():
    stored = notebook()
    text = [part for cell in stored["cells"] for output in cell.get("outputs", []) for part in texts(output)]
    text += ["".join(cell["source"]) for cell in stored["cells"]]
    text += [json.dumps(stored["metadata"]), *(json.dumps(cell["metadata"]) for cell in stored["cells"])]
    path = re.compile(r"(^|[\s\"'(=])(/[A-Za-z]+){2,}|[A-Z]:\\|file://")
    assert not [part for part in text if path.search(part)]
    assert "papermill" not in json.dumps([stored["metadata"], *(cell["metadata"] for cell in stored["cells"])])


def texts(output):
    """What an output says in words."""
    yield "".join(output.get("text", []))
    for kind, content in output.get("data", {}).items():
        if kind.startswith("text/"):
            yield "".join(content)
