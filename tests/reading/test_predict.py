"""predict.py, its model file, lines of several characters, and the sheet; with a model that knows four drawn shapes."""

import csv
import functools
import json
import os
import shutil
import signal
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from common import PROJECT, assert_one_line, call, run, tree
from PIL import Image, ImageDraw

import predict
from shuzi import ink
from shuzi.core import fonts
from shuzi.reading import characters, layout, reader, sheet, table

posix = pytest.mark.skipif(os.name == "nt", reason="POSIX files and signals")
CLASSES = ["1", "2", "10", "box"]  # 一, 二, 十 and a class of the user's own
HEADER = ["file", "prediction", "character", "confidence", "second", "second_confidence", "note", "box"]
SHAPES = {  # strokes: x, y of both ends, in parts of the size
    "1": [(0, 0.5, 1, 0.5)],
    "2": [(0.15, 0.2, 0.85, 0.2), (0, 0.8, 1, 0.8)],
    "10": [(0, 0.5, 1, 0.5), (0.5, 0, 0.5, 1)],
    "box": [
        (0.1, 0, 1, 0.1),
        (1, 0.1, 0.85, 1),
        (0.85, 1, 0, 0.9),
        (0, 0.9, 0.1, 0),
    ],  # by hand: no frame is so oblique
}


def write(names, size=60, gap=25, margin=30, width=6, down=False):
    """A picture of shapes side by side, or one below the other: PIL image, and the boxes of the shapes' lines."""
    long = 2 * margin + len(names) * (size + gap) - gap
    image = Image.new("L", (2 * margin + size, long) if down else (long, 2 * margin + size), 250)
    pen = ImageDraw.Draw(image)
    for i, name in enumerate(names):
        x, y = margin, margin
        x, y = (x, y + i * (size + gap)) if down else (x + i * (size + gap), y)
        for x0, y0, x1, y1 in SHAPES[name]:
            pen.line((x + x0 * size, y + y0 * size, x + x1 * size, y + y1 * size), fill=15, width=width)
    return image


def shape_model(classes=CLASSES, side=64):
    """Knows a shape by the nearest of the shapes above, in thin and thick strokes: fixed weights, nothing to train."""
    import keras

    shapes = np.stack([ink.prepare(write([name], width=width)) for name in CLASSES for width in (2, 4, 8, 12)])
    pooled = (1 - shapes[..., 0] / 255).reshape(-1, 8, 8, 8, 8).mean((2, 4)).reshape(-1, 64)
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((side, side, 3)),
            layers.Rescaling(-1 / 255, 1.0),
            layers.AveragePooling2D(side // 8),
            layers.Conv2D(1, 1, use_bias=False, name="grey"),
            layers.Flatten(),
            layers.Dense(len(shapes), activation="softmax", name="shapes"),
            layers.Dense(len(classes), use_bias=False, name="classes"),
        ]
    )
    model.get_layer("grey").set_weights([np.full((1, 1, 3, 1), 1 / 3)])
    model.get_layer("shapes").set_weights([4 * pooled.T, -2 * (pooled**2).sum(1)])
    model.get_layer("classes").set_weights([np.repeat(np.eye(len(classes)), 4, axis=0)])
    return model


@pytest.fixture(scope="module")
def model_path(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "model.keras"
    reader.save_model(shape_model(), path, CLASSES, 0.3)
    return path


@pytest.fixture
def predicted(model_path, capsys):
    """predict.py's main, here where TensorFlow is loaded already: returns (code, rows of the CSV, stdout)."""

    def predicted(folder, *args):
        out = folder.parent / "out.csv"
        code = predict.main([str(folder), "--model", str(model_path), "--csv", str(out), *map(str, args)])
        with open(out, encoding="utf-8-sig", newline="") as file:
            lines = list(csv.reader(file))
        assert lines[0] == HEADER
        return code, [dict(zip(HEADER, line, strict=True)) for line in lines[1:]], capsys.readouterr().out

    return predicted


# ---- the command ---------------------------------------------------------------------------------


def test_a_folder_of_all_sorts(tmp_path, model_path):
    """One run as people run it: single characters, a line, what is no picture, odd names, links in a circle."""
    folder = tmp_path / "pictures"
    (folder / "deep" / "er").mkdir(parents=True)
    for name, shapes in (("b", ["10"]), ("a", ["box"]), ("deep/er/7", ["1"]), ("c", ["2", "10", "1"])):
        write(shapes).save(folder / f"{name}.png")
    (folder / "=1+1.png").write_bytes((folder / "b.png").read_bytes())
    (folder / "notes.txt").write_text("hello")
    (folder / "empty.jpg").write_bytes(b"")
    Image.new("L", (50, 50), 255).save(folder / "blank.png")
    (folder / ".hidden.png").write_bytes((folder / "b.png").read_bytes())
    (folder / "README.md").write_text("about")
    if os.name != "nt":
        (folder / "deep" / "again").symlink_to(folder, target_is_directory=True)
        os.mkfifo(folder / "pipe.png")
    args = ("pictures", "--model", model_path, "--csv", "out.csv", "--sheet", "out.png")
    result = run("predict.py", *args, cwd=tmp_path)
    assert result.returncode == 1 and result.stderr == ""
    assert (tmp_path / "out.csv").read_bytes().startswith(b"\xef\xbb\xbffile,prediction,")  # so Excel knows UTF-8
    with open(tmp_path / "out.csv", encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    refused = {"notes.txt", "empty.jpg", "blank.png"} | ({"pipe.png"} if os.name != "nt" else set())
    read = [row for row in rows if row["prediction"]]
    names = [os.path.relpath(row["file"], "pictures").replace("\\", "/") for row in read]
    assert names == ["=1+1.png", "a.png", "b.png", *["c.png"] * 3, "deep/er/7.png"]
    assert [row["file"] for row in rows] == sorted(row["file"] for row in rows)
    assert [row["prediction"] for row in read] == ["10", "box", "10", "2", "10", "1", "1"]
    assert [row["character"] for row in read] == ["十", "box", "十", "二", "十", "一", "一"]
    assert [row["note"] for row in read] == ["", "", "", "number 21", "", "", ""]
    assert [bool(row["box"]) for row in read] == [False] * 3 + [True] * 3 + [False]
    for row in read:
        assert 1 >= float(row["confidence"]) >= float(row["second_confidence"]) >= 0
        assert row["second"] in CLASSES and row["second"] != row["prediction"]
    for row in rows:
        if os.path.basename(row["file"]) in refused:
            refused.discard(os.path.basename(row["file"]))
            assert row["note"] and row["character"] == row["confidence"] == row["second"] == ""
    assert not refused
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["file", "character", "value", "confidence", "second", "note"]
    assert len([line for line in lines if "c.png" in line]) == 3
    assert "7 characters read" in lines[-1] and "out.csv" in lines[-1] and "out.png" in lines[-1]
    assert Image.open(tmp_path / "out.png").format == "PNG"
    assert not [name for name in tree(tmp_path) if ".part" in name]


def test_what_it_wrote_among_the_pictures_is_not_read_the_next_time(tmp_path, model_path, capsys):
    write(["10"]).save(tmp_path / "a.png")
    (tmp_path / "other.csv").write_text("no output of this run")
    outputs = ["--csv", str(tmp_path / "out.csv"), "--sheet", str(tmp_path / "deep" / ".." / "sheet.png")]
    (tmp_path / "deep").mkdir()
    for _ in range(2):
        assert predict.main([str(tmp_path), "--model", str(model_path), *outputs]) == 1
        with open(tmp_path / "out.csv", encoding="utf-8-sig", newline="") as file:
            assert [os.path.basename(row["file"]) for row in csv.DictReader(file)] == ["a.png", "other.csv"]


def test_class_names_of_a_strange_model_are_shown_escaped(tmp_path, capsys):
    strange = ["a\x1b]0;title\x07", "b\nc", "10", "d"]
    reader.save_model(shape_model(), tmp_path / "model.keras", strange, 0.3)
    for i, name in enumerate(CLASSES):
        write([name]).save(tmp_path / f"{i}.png")
    predict.main([*(str(tmp_path / f"{i}.png") for i in range(4)), "--model", str(tmp_path / "model.keras")])
    printed = capsys.readouterr().out
    assert "a\\x1b]0;title\\x07" in printed and "b\\nc" in printed
    assert all(line.isprintable() for line in printed.splitlines())


def test_named_pictures_in_sorted_order_once_each(tmp_path, model_path, capsys):
    for name in ("b", "a"):
        write(["10"]).save(tmp_path / f"{name}.png")
    paths = [str(tmp_path / name) for name in ("b.png", "a.png", "./b.png")]
    assert predict.main([*paths, "--model", str(model_path), "--csv", str(tmp_path / "out.csv")]) == 0
    with open(tmp_path / "out.csv", encoding="utf-8-sig", newline="") as file:
        assert [row["file"] for row in csv.DictReader(file)] == sorted(paths[:2])


def test_many_pictures_are_read_the_same_in_processes(tmp_path, predicted):
    folder = tmp_path / "many"
    folder.mkdir()
    for i in range(predict.FEW + 70):
        write([CLASSES[i % 4]] if i % 10 else ["10", "1"], width=4 + i % 5).save(folder / f"{i}.png")
    (folder / "99.png").write_text("no picture")
    one = predicted(folder, "--jobs", 1)
    two = predicted(folder, "--jobs", 2)
    assert one == two and one[0] == 1 and len(one[1]) == predict.FEW + 70 + 17


def test_cells_that_a_spreadsheet_would_run(tmp_path, monkeypatch, model_path, capsys):
    monkeypatch.chdir(tmp_path)
    for name in ("=cmd.png", "+1.png", "-1.png", "@x.png"):
        write(["10"]).save(name)
    paths = ["./" + name for name in sorted(os.listdir())]
    predict.main([*paths, "--model", str(model_path), "--csv", "out.csv"])
    with open("out.csv", encoding="utf-8-sig", newline="") as file:
        cells = [cell for line in list(csv.reader(file))[1:] for cell in line]
    assert [cell for cell in cells if cell.endswith(".png")] == ["'+1.png", "'-1.png", "'=cmd.png", "'@x.png"]
    assert not [cell for cell in cells if cell.startswith(tuple("=+-@"))]


def test_unsure_is_said(tmp_path, capsys):
    path = tmp_path / "model.keras"
    reader.save_model(shape_model(), path, CLASSES, 1000)
    write(["box"]).save(tmp_path / "a.png")
    write(["2", "10"]).save(tmp_path / "b.png")
    code = predict.main(
        [str(tmp_path / f"{n}.png") for n in "ab"] + ["--model", str(path), "--csv", str(tmp_path / "o")]
    )
    with open(tmp_path / "o", encoding="utf-8-sig", newline="") as file:
        assert [row["note"] for row in csv.DictReader(file)] == ["unsure", "unsure; number 20", "unsure"]
    assert code == 0 and "3 of them unsure" in capsys.readouterr().out


@posix
def test_ctrl_c_is_one_line(tmp_path, model_path):
    folder = tmp_path / "many"
    folder.mkdir()
    image = write(["10"])
    image.save(folder / "0.png")
    for i in range(1, 3000):
        os.link(folder / "0.png", folder / f"{i}.png")
    (tmp_path / "out.csv").write_text("before")
    command = [sys.executable, PROJECT / "predict.py", folder, "--model", model_path, "--csv", tmp_path / "out.csv"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8")
    process.stdout.readline()  # the table's head
    process.stdout.readline()  # the first picture: the model is loaded
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=120)
    assert process.returncode == 130 and len(stderr.splitlines()) == 1, stderr
    assert "begins anew" in stderr
    assert (tmp_path / "out.csv").read_text() == "before"
    assert not list(tmp_path.glob("*.part"))


# ---- faults --------------------------------------------------------------------------------------


FAULTY = """
import os, signal
from shuzi.reading import characters, layout

def find_layout(ink, *rest):  # stands in for a fault in the program; which, the picture's width says
    if ink.shape[1] == 201:
        raise IndexError("list index out of range")
    if ink.shape[1] == 202:
        os.kill(os.getpid(), signal.SIGKILL)
    return layout.find_layout(ink, *rest)

characters.find_layout = find_layout
import predict
if __name__ == "__main__":
    predict.run(predict.main)
"""


@posix
def test_a_fault_on_one_picture_or_a_killed_process_costs_that_picture_only(tmp_path, model_path):
    folder = tmp_path / "many"
    folder.mkdir()
    image = write(["10"], size=100)
    for i in range(predict.FEW + 40):
        image.save(folder / f"{i}.png")
    for name, width in (("fails", 201), ("kills", 202)):
        image.resize((width, width)).save(folder / f"{name}.png")
    (tmp_path / "faulty.py").write_text(FAULTY)
    command = [sys.executable, "faulty.py", folder, "--model", model_path, "--csv", "out.csv", "--jobs", "2"]
    result = subprocess.run(
        command, cwd=tmp_path, env=dict(os.environ, PYTHONPATH=str(PROJECT)), capture_output=True, text=True
    )
    assert (result.returncode, result.stderr) == (1, "")
    with open(tmp_path / "out.csv", encoding="utf-8-sig", newline="") as file:
        rows = {os.path.basename(row["file"]): row for row in csv.DictReader(file)}
    assert len(rows) == predict.FEW + 42
    assert rows.pop("fails.png")["note"] == "the program failed on it, IndexError: list index out of range"
    assert rows.pop("kills.png")["note"] == "the program crashed on it"
    assert all(row["prediction"] == "10" for row in rows.values())


@pytest.fixture
def picture(tmp_path):
    write(["10"]).save(tmp_path / "a.png")
    return tmp_path / "a.png"


@pytest.mark.parametrize(
    "args, words",
    [
        (["nothing.png"], ["nothing.png", "no such file"]),
        (["hollow"], ["hollow", "no pictures"]),
        (["a.png", "--model", "none.keras"], ["none.keras", "cnn.ipynb"]),
        (["a.png", "--model", "a.png"], ["a.png", "not a model"]),
        (["a.png", "--csv", "away/out.csv"], ["away/out.csv: not there"]),
        (["a.png", "--sheet", "away/out.png"], ["away/out.png: not there"]),
        (["a.png", "--sheet", "./a.png"], ["a.png: to be read, and to be written to"]),
        (["a.png", "--model", "no\npe.keras"], ["no\\npe.keras"]),
        (["a.png", "--csv", "hollow"], ["hollow", "a folder"]),
    ],
)
def test_what_can_not_be_done_is_one_line(args, words, tmp_path, picture, model_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "hollow").mkdir()
    shutil.copy(model_path, tmp_path / "model.keras")
    assert_one_line(call("predict.py", *args), 2, *words)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "hollow", "model.keras"]


@pytest.mark.parametrize(
    "args", [["--jobs", "0"], ["--sheet", "out.gif"], ["--sheet", "out.png", "--csv", "../here/out.png"]]
)
def test_arguments_that_make_no_sense(args, tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    result = call("predict.py", *args)
    assert result.returncode == 2 and args[0] in result.stderr and "Traceback" not in result.stderr


def test_help_has_an_example():
    result = call("predict.py", "--help")
    assert result.returncode == 0 and "example: python predict.py" in result.stdout


# ---- model files ---------------------------------------------------------------------------------


def test_a_model_comes_back_as_it_was_saved(tmp_path, model_path):
    loaded = reader.load_reader(model_path)
    assert loaded.classes == CLASSES and loaded.unsure_below == 0.3
    pictures = np.stack([ink.prepare(write([CLASSES[i % 4]], width=3 + i % 7)) for i in range(reader.BATCH + 10)])
    probabilities = loaded.predict(pictures)
    assert probabilities.shape == (len(pictures), 4) and probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities, shape_model().predict(pictures, verbose=0), atol=1e-5)
    np.testing.assert_allclose(loaded.predict(pictures[7:8]), probabilities[7:8], atol=1e-5)
    np.testing.assert_allclose(loaded.predict(pictures[:3].astype(np.float64)), probabilities[:3], atol=1e-5)
    assert loaded.predict(pictures[:0]).shape == (0, 4)
    with pytest.raises(ValueError):
        loaded.predict(pictures[0])


def test_keras_reads_the_same_file(model_path):
    import keras

    assert keras.saving.load_model(model_path).output_shape == (None, 4)


def test_a_failed_save_leaves_the_old_model(tmp_path, model_path):
    path = tmp_path / "model.keras"
    shutil.copy(model_path, path)
    before = path.read_bytes()
    for classes, unsure_below in ((CLASSES[:3], 0.5), (["1", "1", "2", "3"], 0.5), (CLASSES, -1), (CLASSES, np.inf)):
        with pytest.raises(ValueError):
            reader.save_model(shape_model(), path, classes, unsure_below)
    assert tree(tmp_path) == {"model.keras": before}


def changed(model_path, path, about=None, drop=False, cut=None):
    """A copy of a model file with another classes.json, without one, or cut short."""
    with zipfile.ZipFile(model_path) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            if name != reader.CLASSES_FILE:
                new.writestr(name, old.read(name))
        if not drop:
            new.writestr(reader.CLASSES_FILE, json.dumps(about))
    if cut:
        path.write_bytes(path.read_bytes()[:cut])


@pytest.mark.parametrize(
    "change, words",
    [
        ({"drop": True}, "holds no classes.json"),
        ({"about": []}, "format"),
        ({"about": {"format": 0, "classes": CLASSES, "unsure_below": 0.5}}, "format"),
        ({"about": {"format": 2, "classes": [], "unsure_below": 0.5}}, "class names"),
        ({"about": {"format": 2, "classes": [1, 2, 3, 4], "unsure_below": 0.5}}, "class names"),
        ({"about": {"format": 2, "classes": ["1", "1", "2", "3"], "unsure_below": 0.5}}, "twice"),
        ({"about": {"format": 2, "classes": CLASSES, "unsure_below": "high"}}, "unsure_below"),
        ({"about": {"format": 2, "classes": CLASSES[:3], "unsure_below": 0.5}}, "3 classes"),
        ({"about": {"format": 2, "classes": CLASSES, "unsure_below": 0.5}, "cut": 4000}, "damaged"),
    ],
)
def test_model_files_that_do_not_fit(change, words, tmp_path, model_path):
    path = tmp_path / "model.keras"
    changed(model_path, path, **change)
    with pytest.raises(reader.ModelError, match=words) as error:
        reader.load_reader(path)
    assert "\n" not in str(error.value) and str(path) in str(error.value)


def test_a_model_of_other_pictures(tmp_path, monkeypatch):
    path = tmp_path / "model.keras"
    with pytest.raises(ValueError, match="not pictures"):
        reader.save_model(shape_model(side=32), path, CLASSES, 0.5)
    with monkeypatch.context() as patch:
        patch.setattr(reader, "_check_shapes", lambda model, classes: None)
        reader.save_model(shape_model(side=32), path, CLASSES, 0.5)
    with pytest.raises(reader.ModelError, match="not pictures"):
        reader.load_reader(path)


def test_a_model_can_not_bring_code(tmp_path, monkeypatch, picture):
    import keras

    trap = str(tmp_path / "trap")
    act = keras.layers.Lambda(lambda x: (open(trap, "w").close(), x[:, 0, :4, 0])[1])
    model = keras.Sequential([keras.Input((64, 64, 3)), act])
    path = tmp_path / "model.keras"
    reader.save_model(model, path, CLASSES, 0.5)
    os.unlink(trap)  # it ran when the model was made
    result = call("predict.py", picture, "--model", path, "--csv", tmp_path / "out.csv")
    assert_one_line(result, 2, "code of its own")
    assert not os.path.exists(trap) and not (tmp_path / "out.csv").exists()


# ---- several characters --------------------------------------------------------------------------


def rows_of(image, model_path, tmp_path):
    image.save(tmp_path / "line.png")
    return table.rows_of(characters.read_picture(tmp_path / "line.png", loaded(model_path)))


@functools.cache
def loaded(model_path):
    return reader.load_reader(model_path)


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize("size, width", [(40, 3), (60, 6), (200, 9), (300, 36)])
def test_one_character_stays_one(name, size, width, model_path, tmp_path):
    (row,) = rows_of(write([name], size=size, width=width), model_path, tmp_path)
    assert row.best[0][0] == name and row.box is None and row.note == ""


@pytest.mark.parametrize(
    "names, note",
    [
        (["10", "1"], "number 11"),
        (["2", "10", "2"], "number 22"),
        (["1", "2"], "number 12"),
        (["10", "10", "2"], "no well-formed number"),
        (["box", "10"], "no well-formed number"),
    ],
)
def test_a_line(names, note, model_path, tmp_path):
    rows = rows_of(write(names), model_path, tmp_path)
    assert [row.best[0][0] for row in rows] == names
    assert rows[0].note.startswith(note) and not any(row.note for row in rows[1:])
    lefts = [row.box[0] for row in rows]
    assert lefts == sorted(lefts)


def test_a_column(model_path, tmp_path):
    rows = rows_of(write(["2", "10", "box"], gap=40, down=True), model_path, tmp_path)
    assert [row.best[0][0] for row in rows] == ["2", "10", "box"]
    assert "no well-formed" in rows[0].note and not any(row.note for row in rows[1:])


def test_lines_are_numbers_of_their_own(model_path, tmp_path):
    page = Image.new("L", (330, 300), 250)
    page.paste(write(["2", "10", "1"]), (10, 20))
    page.paste(write(["10", "2"]), (10, 150))
    rows = rows_of(page, model_path, tmp_path)
    assert [row.best[0][0] for row in rows] == ["2", "10", "1", "10", "2"]
    assert [row.note for row in rows] == ["number 21", "", "", "number 12", ""]


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_boxes_are_in_pixels_of_the_upright_picture(orientation, model_path, tmp_path):
    upright = write(["10", "box"], size=700, gap=300, margin=400, width=60)  # reduced when it is read
    turned = {1: None, 3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}
    stored = upright if orientation == 1 else upright.transpose(turned[orientation])
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored.save(tmp_path / "a.jpg", exif=exif)
    rows = characters.read_picture(tmp_path / "a.jpg", loaded(model_path)).characters
    assert [row.best[0][0] for row in rows] == ["10", "box"]
    # strokes are 60 wide: half of that stands out around the box
    for row, expected in zip(rows, ((400, 400, 700, 700), (1370, 370, 760, 760)), strict=True):
        assert np.abs(np.subtract(row.box, expected)).max() <= 15


@pytest.mark.parametrize("specks", [50, 390, 5000])
def test_a_page_of_specks_is_not_searched_for_ever(specks):
    rng = np.random.default_rng(0)
    page = np.zeros((1000, 1000), np.float32)
    for y, x in rng.integers(0, 990, (specks, 2)):
        page[y : y + 3, x : x + 3] = 1
    assert 1 <= len(layout.find_layout(page).glyphs) <= layout.MOST_GLYPHS


# ---- the sheet -----------------------------------------------------------------------------------


def shown(*boxes, unsure=False, reason="", size=(200, 160)):
    """A picture for the sheet: with a character in each box, or refused."""
    glyph = np.full((64, 64), 255, np.uint8)
    best = [("10", 0.9), ("1", 0.06), ("box", 0.04)]
    lines = [] if reason else [[characters.Character(glyph, best, unsure, box) for box in boxes]]
    photo = None if reason else np.full((80, 100, 3), 250, np.uint8)
    reading = characters.Reading(lines, reason, size, photo)
    return sheet.Shown("a.png", table.rows_of(reading), reading)


def test_sheet_marks_what_is_unsure_and_what_was_refused():
    plain, unsure, refused = (
        np.asarray(sheet.draw_sheet([one])) for one in (shown(None), shown(None, unsure=True), shown(reason="no ink"))
    )
    amber, red = (np.array([int(c[i : i + 2], 16) for i in (1, 3, 5)]) for c in (sheet.UNSURE, sheet.REFUSED))

    def holds(image, color):
        return bool((image == color).all(axis=2).any())

    assert holds(unsure, amber) and not holds(plain, amber) and not holds(refused, amber)
    assert holds(refused, red) and not holds(plain, red)


def test_sheet_draws_the_boxes():
    boxed = np.asarray(sheet.draw_sheet([shown((30, 30, 100, 100), (155, 75, 40, 10))]))
    elsewhere = np.asarray(sheet.draw_sheet([shown((0, 0, 1, 1), (0, 0, 1, 1))]))
    assert boxed.shape == elsewhere.shape and (boxed != elsewhere).any()


def test_sheet_of_many_pictures_stays_bounded(tmp_path):
    with sheet.sheet_file(tmp_path / "out.png") as add:
        for i in range(5 * sheet.MOST):
            add(f"{i}.png", shown(None).reading)
    width, height = Image.open(tmp_path / "out.png").size
    assert width < 1500 and height < 200 * sheet.MOST / sheet.COLUMNS + 300


def test_class_names_stand_in_where_no_font_has_the_characters(monkeypatch):
    monkeypatch.setenv("CJK_FONT", "none")
    fonts.find_cjk_font_file.cache_clear()
    try:
        assert fonts.find_cjk_font_file() is None and fonts.find_cjk_font() is None
        assert sheet.SheetPen(None).label("10") == "10"
        assert sheet.draw_sheet([shown(None)]).size[0] > 0
    finally:
        monkeypatch.undo()
        fonts.find_cjk_font_file.cache_clear()


def test_a_font_that_is_found_shows_the_characters():
    path = fonts.find_cjk_font_file()
    if path is None:
        pytest.skip("no font with Chinese characters here")
    drawn = set()
    for text in [*"零一二三四五六七八九十百千万亿", *"0123456789%", "一1"]:  # some fonts have Chinese only
        image = Image.new("L", (60, 40))
        sheet.SheetPen(ImageDraw.Draw(image)).write((2, 2), text, "white", 30)
        drawn.add(image.tobytes())
    assert len(drawn) == 27 and sheet.SheetPen(None).label("10") == "十"
    assert isinstance(fonts.find_cjk_font(), str)


@pytest.mark.skipif(os.name == "nt", reason="pipes of POSIX")
def test_a_reader_that_has_seen_enough_is_no_error():
    """As in `predict.py folder | head`."""
    code = "from shuzi.core.command import run\nrun(lambda: print('a line\\n' * 100_000))"
    process = subprocess.Popen(
        [sys.executable, "-c", code], cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    process.stdout.readline()
    process.stdout.close()
    with process.stderr as errors:
        assert errors.read() == b""
    assert process.wait(timeout=30) == 141


@pytest.mark.parametrize(
    "names, note",
    [
        (["3", "100", "2"], "number 320"),
        (["贰", "仟", "0", "伍", "元", "叁", "角", "整"], "amount 2005.30 元"),
        (["5", "圆"], "amount 5.00 元"),
        (["5", "元", "3"], "no well-formed amount: 三 has no unit of its own"),
        (["春", "5"], "no well-formed number"),
    ],
)
def test_what_a_line_says(names, note):
    line = [characters.Character(np.zeros((64, 64), np.uint8), [(name, 1.0)], False, None) for name in names]
    assert characters.note_of(line).startswith(note)
