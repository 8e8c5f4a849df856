"""The whole pipeline on a small set, by its real commands: synthesize, datapro, test, cnn.ipynb, predict."""

import csv
import json
import os
import re
import subprocess
import sys

import h5py
import numpy as np
import pytest
from cells import notebook
from common import PROJECT, draw, draw_set, run

from shuzi.core.fonts import find_cjk_font_file
from shuzi.core.numerals import character
from shuzi.reading.reader import load_reader

OWN = {"8": "plus", "10": "加号"}  # two of the folders get names of a user's own
CLASSES = ["1", "3", "plus", "加号"]
EPOCHS = 14


def papermill(output, parameters, cwd=PROJECT, **environment):
    """Run cnn.ipynb as `make run` does. Returns the finished process and the cells as they ran."""
    options = [text for name, value in parameters.items() for text in ("-p", name, str(value))]
    command = [
        "-m",
        "papermill",
        "--no-progress-bar",
        "--kernel",
        "python3",
        str(PROJECT / "cnn.ipynb"),
        str(output),
        *options,
    ]
    ran = subprocess.run(
        [sys.executable, *command],
        cwd=cwd,
        env=os.environ | {"JUPYTER_PREFER_ENV_PATH": "1"} | environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
    )
    return ran, json.loads(output.read_text("utf-8"))["cells"]


def printed(cells, stream="stdout"):
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    return "".join("".join(output["text"]) for output in outputs if output.get("name") == stream)


def figures(cells):
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    return sum("image/png" in output.get("data", {}) for output in outputs)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with everything from hwtrainset/ to data.h5."""
    folder = tmp_path_factory.mktemp("pipeline")
    drawing = ("--classes", "1,3,8,10", "--per-class", 150, "--writers", 50, "--seed", 11)
    for script, *arguments in (
        ("synthesize.py", "--out", folder / "hwtrainset", *drawing),
        ("datapro.py", folder / "hwtrainset", "--out", folder / "raw_data"),
        ("test.py", "--raw", folder / "raw_data", "--out", folder / "data.h5"),
    ):
        result = run(script, *arguments)
        assert result.returncode in (0, 1), result.stderr  # 1: a drawn picture or two may be refused
        if script == "synthesize.py":
            for name, own in OWN.items():
                (folder / "hwtrainset" / name).rename(folder / "hwtrainset" / own)
    return folder


@pytest.fixture(scope="module")
def trained(folder):
    """The cells of a run without a Chinese font; the folder then has the model too."""
    parameters = {
        "data": folder / "data.h5",
        "model_path": folder / "model.keras",
        "epochs": EPOCHS,
        "seed": 3,
    }
    ran, cells = papermill(folder / "run.ipynb", parameters, CJK_FONT="none")
    assert ran.returncode == 0, ran.stderr[-3000:]
    return cells


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


def test_notebook_shows_no_warnings(trained):
    assert printed(trained, "stderr") == ""
    assert figures(trained) >= 6


def test_saved_model_reads_as_the_notebook_did(folder, metrics):
    reader = load_reader(folder / "model.keras")
    assert reader.classes == CLASSES
    assert 0 < reader.unsure_below < 10
    with h5py.File(folder / "data.h5") as data:
        assert list(data["classes"].asstr()[:]) == CLASSES
        probabilities = reader.predict(data["X_test"][:])
        right = probabilities.argmax(axis=1) == data["y_test"][:].ravel()
    assert np.mean(right) == pytest.approx(metrics["test_accuracy"], abs=1e-9)
    assert (folder / "model.keras").stat().st_size < 4_000_000


def test_predict_reads_new_pictures(folder, metrics):
    drawing = ("--classes", "1,3,8,10", "--per-class", 10, "--writers", 10, "--seed", 12)
    assert run("synthesize.py", "--out", folder / "new", *drawing).returncode == 0
    result = run("predict.py", folder / "new", "--model", folder / "model.keras", "--csv", folder / "new.csv")
    assert result.returncode in (0, 1), result.stderr
    with open(folder / "new.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0][:7] == [
        "file",
        "prediction",
        "character",
        "confidence",
        "second",
        "second_confidence",
        "note",
    ]
    rows = [dict(zip(rows[0], row)) for row in rows[1:]]
    files = [row["file"] for row in rows]
    assert len(rows) == 40 and files == sorted(files)
    read = [row for row in rows if row["prediction"]]
    assert len(read) >= 36
    assert {row["prediction"] for row in read} <= set(CLASSES)
    assert all(row["character"] == character(row["prediction"]) for row in read)
    assert all(float(row["confidence"]) >= float(row["second_confidence"]) for row in read)
    wanted = [os.path.basename(os.path.dirname(row["file"])) for row in read]
    assert np.mean([OWN.get(name, name) == row["prediction"] for name, row in zip(wanted, read)]) > 0.75


@pytest.mark.skipif(find_cjk_font_file() is None, reason="no font with Chinese characters here")
def test_chinese_labels_show_without_warnings(folder):
    parameters = {"data": folder / "data.h5", "model_path": folder / "font" / "model.keras", "epochs": 1}
    ran, cells = papermill(folder / "font.ipynb", parameters)
    assert ran.returncode == 0, ran.stderr[-3000:]
    assert printed(cells, "stderr") == ""
    assert "一" in printed(cells)


def test_a_small_set_of_own_classes(tmp_path):
    """Two dozen pictures, of writers unknown; and in my_handwriting/ a picture, and what is none."""
    draw_set(tmp_path / "hand", classes=("cat", "dog"), writers=6)
    for path in (tmp_path / "hand").rglob("*.png"):
        path.rename(path.with_name(path.name.removeprefix("writer-")))
    (tmp_path / "my_handwriting").mkdir()
    draw(tmp_path / "my_handwriting" / "7.png", 1)
    (tmp_path / "my_handwriting" / "7.txt").write_text("no picture")
    assert run("datapro.py", tmp_path / "hand", "--out", tmp_path / "raw").returncode == 0
    assert run("test.py", "--raw", tmp_path / "raw", "--out", tmp_path / "data.h5").returncode == 0
    ran, cells = papermill(tmp_path / "run.ipynb", {"epochs": 1}, cwd=tmp_path, PYTHONPATH=str(PROJECT))
    assert ran.returncode == 0, ran.stderr[-3000:]
    assert "7.txt: not a picture" in printed(cells)
    assert load_reader(tmp_path / "model.keras").classes == ["cat", "dog"]


def assert_fails_with(output, data, *words):
    ran, _ = papermill(output, {"data": data, "model_path": output.with_suffix(".keras")})
    assert ran.returncode != 0
    last = ran.stderr.strip().splitlines()[-1]
    assert all(word in last for word in words), last
    assert not output.with_suffix(".keras").exists()


def test_without_data_the_last_line_says_what_to_do(tmp_path):
    assert_fails_with(tmp_path / "run.ipynb", "missing/data.h5", "DataError: no missing/data.h5", "python test.py")


def test_so_it_does_with_data_of_the_old_program(tmp_path):
    with h5py.File(tmp_path / "data.h5", "w") as file:
        for part in "train", "test":
            file[f"X_{part}"] = np.zeros((4, 64, 64, 3), np.float32)
            file[f"y_{part}"] = np.zeros((4, 1), int)
    assert_fails_with(tmp_path / "run.ipynb", tmp_path / "data.h5", "is not of this program", "python test.py")


# ---- the notebook as it is in the repository ----------------------------------------------------------


def test_stored_outputs_are_of_a_whole_run():
    cells = [cell for cell in notebook()["cells"] if cell["cell_type"] == "code"]
    counts = [cell["execution_count"] for cell in cells]
    assert counts == sorted(filter(None, counts)), "run it from top to bottom"
    assert re.search(r"train accuracy: [01]\.\d{4}\ntest accuracy: 0\.\d{4}\n$", printed(cells))
    assert figures(cells) >= 8
    assert printed(cells, "stderr") == ""
    assert not [output for cell in cells for output in cell["outputs"] if output["output_type"] == "error"]


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
