"""datapro.py, run as people run it, on pictures drawn here."""

import csv
import os
import shutil
import socket
import zipfile

import numpy as np
import pytest
from common import assert_one_line, draw, draw_set, quick_ink, run, tree
from PIL import Image

from shuzi import ink
from shuzi.core.text import from_cell
from shuzi.dataset import raw_data

posix = pytest.mark.skipif(os.name == "nt", reason="POSIX files")


def table(path):
    with open(path, encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def refused(out):
    return {row["source"]: row["reason"] for row in table(out / "refused.csv")}


@pytest.fixture
def hand(tmp_path):
    draw_set(tmp_path / "hand")
    return tmp_path / "hand"


@pytest.fixture
def words(tmp_path, monkeypatch):
    """A source for the quick ink: 3 classes of 10 pictures, told apart by their text."""
    quick_ink(monkeypatch)
    for cls in ("1", "2", "own"):
        for i in range(10):
            path = tmp_path / "words" / cls / f"{i}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{cls} {i}")
    return tmp_path / "words"


def test_pictures_manifest_and_overview(hand, tmp_path):
    draw(hand / "猫" / "a.jpg", 1)
    result = run("datapro.py", hand, "--out", tmp_path / "raw")
    assert result.returncode == 0 and result.stderr == ""
    assert "25 pictures of 4 classes" in result.stdout.splitlines()[-1]
    rows = table(tmp_path / "raw" / "manifest.csv")
    assert list(rows[0])[:5] == ["file", "class", "source", "writer", "split"]
    # numbered through the set: classes by value, then own ones; in a class by the natural order of the source
    classes = ["1"] * 8 + ["2"] * 8 + ["10"] * 8 + ["猫"]
    assert [row["file"] for row in rows] == [f"{c}/{c}_{i:05d}.png" for i, c in enumerate(classes, 1)]
    assert [row["class"] for row in rows] == classes
    assert (rows[9]["source"], rows[9]["writer"]) == ("2/writer-01_2.png", "writer-01")
    assert (rows[24]["source"], rows[24]["writer"]) == ("猫/a.jpg", "")
    for row in rows:
        with Image.open(tmp_path / "raw" / row["file"]) as picture:
            assert (picture.format, picture.mode, picture.size) == ("PNG", "RGB", (64, 64))
            pixels = np.asarray(picture)
        assert pixels[0].min() > 200 and pixels.min() < 100  # paper at the edge, ink inside
    assert Image.open(tmp_path / "raw" / "overview.png").size[1] > 4 * 64
    assert refused(tmp_path / "raw") == {}
    assert sorted(os.listdir(tmp_path / "raw")) == sorted(
        [".refused_before.json", "1", "2", "10", "猫", "manifest.csv", "overview.png", "refused.csv"]
    )


def test_stretch_is_a_plain_resize(hand, tmp_path):
    import cv2

    run("datapro.py", hand, "--out", tmp_path / "raw", "--fit", "stretch", "--classes", "1")
    expected = cv2.resize(
        np.asarray(Image.open(hand / "1" / "writer-01_1.png")), (64, 64), interpolation=cv2.INTER_AREA
    )
    assert (np.asarray(Image.open(tmp_path / "raw" / "1" / "1_00001.png")) == expected[:, :, None]).all()


def test_folders_that_mean_one_class_and_choosing_classes(hand, tmp_path):
    draw(hand / "一" / "b.png", 7)
    draw(hand / "１" / "c.png", 8)
    result = run("datapro.py", hand, "--out", tmp_path / "raw", "--classes", "一, 10")
    assert result.returncode == 0
    rows = table(tmp_path / "raw" / "manifest.csv")
    assert [row["class"] for row in rows] == ["1"] * 10 + ["10"] * 8
    # a run with other classes takes away what is no longer asked for
    run("datapro.py", hand, "--out", tmp_path / "raw", "--classes", "10")
    assert {row["class"] for row in table(tmp_path / "raw" / "manifest.csv")} == {"10"}
    assert not (tmp_path / "raw" / "1").exists()
    assert_one_line(run("datapro.py", hand, "--out", tmp_path / "raw", "--classes", "3"), 2, "no class 3", "1, 2, 10")


def add(words):
    (words / "1" / "0a.png").write_text("added")


def change(words):
    (words / "2" / "3.png").write_text("changed")


def move(words):
    (words / "1" / "4.png").rename(words / "own" / "moved.png")


def remove(words):
    (words / "1" / "0.png").unlink()


def remove_class(words):
    shutil.rmtree(words / "2")


def refuse(words):
    (words / "1" / "1.png").write_text("refuse")


@pytest.mark.parametrize("edit, made", [(add, 1), (change, 1), (move, 1), (remove, 0), (remove_class, 0), (refuse, 0)])
def test_a_rerun_does_what_changed_and_ends_as_a_first_run(words, tmp_path, edit, made):
    run("datapro.py", words, "--out", tmp_path / "raw")
    edit(words)
    again = run("datapro.py", words, "--out", tmp_path / "raw")
    assert f" {made} of them made now" in again.stdout
    run("datapro.py", words, "--out", tmp_path / "fresh")
    assert tree(tmp_path / "raw") == tree(tmp_path / "fresh")


def test_an_unchanged_rerun_reads_no_picture_and_writes_nothing(words, tmp_path, monkeypatch):
    (words / "1" / "x.png").write_text("refuse")
    run("datapro.py", words, "--out", tmp_path / "raw")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "raw").rglob("*") if path.is_file()}
    monkeypatch.setattr(ink, "open_picture", None)  # it would fail on each
    again = run("datapro.py", words, "--out", tmp_path / "raw")
    assert again.returncode == 1 and " 0 of them made now" in again.stdout
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "raw").rglob("*") if path.is_file()} == before


def test_another_preparation_makes_all_anew(words, tmp_path, monkeypatch):
    run("datapro.py", words, "--out", tmp_path / "raw")
    monkeypatch.setattr(raw_data, "PREPARATION", raw_data.PREPARATION + 1)
    assert " 30 of them made now" in run("datapro.py", words, "--out", tmp_path / "raw").stdout
    assert " 30 of them made now" in run("datapro.py", words, "--out", tmp_path / "raw", "--fit", "stretch").stdout


def test_pictures_lost_or_spoilt_are_made_again(words, tmp_path):
    run("datapro.py", words, "--out", tmp_path / "raw")
    whole = tree(tmp_path / "raw")
    (tmp_path / "raw" / "1" / "1_00001.png").unlink()
    Image.new("RGB", (64, 64)).save(tmp_path / "raw" / "2" / "2_00012.png")
    (tmp_path / "raw" / "own" / "own_00021.png").write_bytes(b"")
    assert " 3 of them made now" in run("datapro.py", words, "--out", tmp_path / "raw").stdout
    assert tree(tmp_path / "raw") == whole
    (tmp_path / "raw" / "manifest.csv").unlink()
    (tmp_path / "raw" / "overview.png").unlink()
    assert " 0 of them made now" in run("datapro.py", words, "--out", tmp_path / "raw").stdout
    assert tree(tmp_path / "raw") == whole


def test_what_others_put_into_the_output_stays(words, tmp_path):
    own = ["README.md", "1/notes.txt", "1/1_7.png", "mine/picture.png"]
    for name in own:
        (tmp_path / "raw" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "raw" / name).write_text("mine")
    run("datapro.py", words, "--out", tmp_path / "raw")
    shutil.rmtree(words / "1")
    assert run("datapro.py", words, "--out", tmp_path / "raw").returncode == 0
    assert [(tmp_path / "raw" / name).read_text() for name in own] == ["mine"] * 4
    assert not list((tmp_path / "raw").glob("1/1_0*.png"))

    (tmp_path / "other" / "1").mkdir(parents=True)
    (tmp_path / "other" / "1" / "1_00003.png").write_text("mine")
    (words / "1").mkdir()
    for i in range(5):
        (words / "1" / f"{i}.png").write_text(f"{i}")
    result = run("datapro.py", words, "--out", tmp_path / "other")
    assert_one_line(result, 2, "1_00003.png is in the way")
    assert (tmp_path / "other" / "1" / "1_00003.png").read_text() == "mine"


def test_a_manifest_of_others_is_not_overwritten(words, tmp_path):
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "manifest.csv").write_text("name,price\n")
    assert_one_line(run("datapro.py", words, "--out", tmp_path / "raw"), 2, "manifest.csv", "choose another --out")
    assert (tmp_path / "raw" / "manifest.csv").read_text() == "name,price\n"


def test_bad_pictures_are_refused_and_the_others_made(hand, tmp_path):
    (hand / "README.md").write_text("what this is")  # beside the class folders: fine
    draw(hand / "loose.png", 1)
    folder = hand / "1"
    (folder / "notes.txt").write_text("not a picture")
    (folder / "text.png").write_text("not a picture")
    (folder / "empty.png").write_bytes(b"")
    Image.new("L", (50, 50), 255).save(folder / "blank.png")
    draw(folder / "whole.jpg", 5, (300, 300))
    (folder / "cut.jpg").write_bytes((folder / "whole.jpg").read_bytes()[:900])
    (folder / "wrong.png").write_bytes((folder / "whole.jpg").read_bytes())  # a JPEG for all that
    draw(folder / "deep" / "er" / "p.png", 6)
    for hidden in (".DS_Store", "Thumbs.db", "._x.png"):
        (folder / hidden).write_bytes(b"\0\1")
    (hand / "3").mkdir()
    (hand / "4").mkdir()
    (hand / "4" / "x.png").write_text("no picture")
    result = run("datapro.py", hand, "--out", tmp_path / "raw")
    assert result.returncode == 1
    assert "class 3" in result.stderr and "class 4" in result.stderr and "refused.csv" in result.stderr
    assert "Traceback" not in result.stderr
    reasons = refused(tmp_path / "raw")
    assert set(reasons) == {
        "loose.png",
        "1/notes.txt",
        "1/text.png",
        "1/empty.png",
        "1/blank.png",
        "1/cut.jpg",
        "3",
        "4/x.png",
    }
    assert all(reasons.values())
    sources = {row["source"] for row in table(tmp_path / "raw" / "manifest.csv")}
    assert {"1/whole.jpg", "1/wrong.png", "1/deep/er/p.png"} < sources and len(sources) == 24 + 3


@posix
def test_things_that_are_no_files(hand, tmp_path):
    os.mkfifo(hand / "1" / "pipe.png")
    os.chdir(hand / "1")  # a socket's path is short
    listener = socket.socket(socket.AF_UNIX)
    listener.bind("socket.png")
    (hand / "1" / "loop").symlink_to(hand)
    (hand / "1" / "self.png").symlink_to("self.png")
    (hand / "1" / "nowhere.png").symlink_to("nothing")
    (hand / "1" / "linked.png").symlink_to(hand / "2" / "writer-01_1.png")
    result = run("datapro.py", hand, "--out", tmp_path / "raw")
    listener.close()
    assert result.returncode == 1
    reasons = refused(tmp_path / "raw")
    assert set(reasons) == {f"1/{name}" for name in ("pipe.png", "socket.png", "loop", "self.png", "nowhere.png")}
    assert len(table(tmp_path / "raw" / "manifest.csv")) == 25


@posix
def test_odd_names(hand, tmp_path):
    names = [
        "with space.png",
        "new\nline.png",
        "表情🙂.png",
        "x" * 246 + ".png",
        '"quoted", comma.png',
        "=1+1.png",
    ]
    for i, name in enumerate(names):
        draw(hand / "1" / name, i)
    draw(os.fsdecode(os.fsencode(str(hand / "1")) + b"/not utf-8 \xff.png"), 77)
    result = run("datapro.py", hand, "--out", tmp_path / "raw")
    assert result.returncode == 0, result.stderr
    sources = {from_cell(row["source"]) for row in table(tmp_path / "raw" / "manifest.csv")}
    assert {f"1/{name}" for name in names} < sources
    assert "1/not utf-8 \\udcff.png" in sources
    (hand / os.fsdecode(b"class \xff")).mkdir()
    draw(hand / os.fsdecode(b"class \xff") / "a.png", 1)
    draw(hand / ("很" * 80) / "a.png", 1)
    result = run("datapro.py", hand, "--out", tmp_path / "raw")
    assert result.returncode == 1 and set(refused(tmp_path / "raw")) == {"class \\udcff", "很" * 80}


def test_no_cell_runs_as_a_formula(tmp_path):
    for cls in ("=cmd()", "+1", "-2", "@x", "'=y"):
        draw(tmp_path / "hand" / cls / "a.png", 1)
        (tmp_path / "hand" / cls / "b.png").write_text("x")
    assert run("datapro.py", tmp_path / "hand", "--out", tmp_path / "raw").returncode == 1
    for name in ("manifest.csv", "refused.csv"):
        with open(tmp_path / "raw" / name, encoding="utf-8-sig", newline="") as file:
            cells = [cell for row in csv.reader(file) for cell in row]
        assert len(cells) > 10 and not [cell for cell in cells if cell[:1] in tuple("=+-@\t\r")]
    names = [from_cell(row["class"]) for row in table(tmp_path / "raw" / "manifest.csv")]
    assert sorted(names) == sorted(["=cmd()", "+1", "-2", "@x", "'=y"])
    result = run("test.py", "--raw", tmp_path / "raw", "--out", tmp_path / "data.h5")
    assert_one_line(result, 2, "can't be split", "--classes")  # the names are read back as they were


def test_what_it_can_not_do(hand, tmp_path):
    out = tmp_path / "raw"
    (tmp_path / "empty").mkdir()
    (tmp_path / "hollow" / "1").mkdir(parents=True)
    (tmp_path / "text.zip").write_text("no zip")
    (tmp_path / "words" / "1").mkdir(parents=True)
    (tmp_path / "words" / "1" / "a.png").write_text("no picture")
    assert_one_line(run("datapro.py", tmp_path / "none", "--out", out), 2, "no such folder", "none")
    assert_one_line(run("datapro.py", tmp_path / "empty", "--out", out), 2, "no pictures in", "empty")
    assert_one_line(run("datapro.py", hand / "1", "--out", out), 2, "pictures, not class folders")
    assert_one_line(run("datapro.py", tmp_path / "text.zip", "--out", out), 2, "text.zip", "zip")
    assert_one_line(run("datapro.py", hand, "--out", hand), 2, "--out", "in the source")
    assert_one_line(run("datapro.py", hand, "--out", hand / "raw"), 2, "--out", "in the source")
    assert not out.exists() and not (hand / "raw").exists()
    assert_one_line(run("datapro.py", tmp_path / "hollow", "--out", out), 2, "no pictures in", "hollow")
    assert refused(out) == {"1": "a class folder without pictures"}
    assert_one_line(run("datapro.py", hand, "--out", tmp_path / "text.zip"), 2, "text.zip")
    assert_one_line(run("datapro.py", tmp_path / "words", "--out", out), 2, "no usable picture")
    assert list(refused(out)) == ["1/a.png"] and not (out / "manifest.csv").exists()
    for result in (run("datapro.py", "--help"), run("test.py", "--help")):
        assert result.returncode == 0 and "example: python" in result.stdout


# ---- Chinese MNIST -------------------------------------------------------------------------------

CHARACTERS = "零一二三四五六七八九十百千万亿"
VALUES = [*range(11), 100, 1000, 10_000, 100_000_000]


def chinese_mnist(folder, suites=2):
    lines = ["suite_id,sample_id,code,value,character"]
    for suite in range(1, suites + 1):
        for code in range(1, 16):
            draw(folder / "data" / "data" / f"input_{suite}_1_{code}.jpg", (suite, code), (64, 64))
            lines.append(f"{suite},1,{code},{VALUES[code - 1]},{CHARACTERS[code - 1]}")
    (folder / "chinese_mnist.csv").write_text("\n".join(lines), encoding="utf-8")


def zipped(folder, path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                archive.write(file, file.relative_to(folder))
    return path


def pixels(out):
    return {
        (row["class"], row["writer"], row["source"].rpartition("/")[2]): np.asarray(
            Image.open(out / row["file"])
        ).tobytes()
        for row in table(out / "manifest.csv")
    }


def test_chinese_mnist_zip_folder_and_without_its_table(tmp_path):
    chinese_mnist(tmp_path / "mnist")
    made = []
    for i, source in enumerate(
        [
            tmp_path / "mnist",
            zipped(tmp_path / "mnist", tmp_path / "mnist.zip"),
            tmp_path / "mnist" / "data" / "data",
            zipped(tmp_path / "mnist" / "data", tmp_path / "pictures.zip"),
        ]
    ):
        result = run("datapro.py", source, "--out", tmp_path / f"raw{i}")
        assert (result.returncode, result.stderr) == (0, "")
        made.append(pixels(tmp_path / f"raw{i}"))
    assert len(made[0]) == 30 and made[1] == made[0] and made[2] == made[0] and made[3] == made[0]
    assert {(cls, writer) for cls, writer, _ in made[0]} == {(str(v), s) for v in VALUES for s in "12"}
    assert all(str(VALUES[int(file[:-4].split("_")[3]) - 1]) == cls for cls, _, file in made[0])


def test_chinese_mnist_table_counts_and_what_is_not_in_it(tmp_path):
    chinese_mnist(tmp_path / "mnist", suites=1)
    (tmp_path / "mnist" / "chinese_mnist.csv").write_text(
        "suite_id,sample_id,code,value,character\n1,1,2,7,七\ncut off", encoding="utf-8"
    )
    draw(tmp_path / "mnist" / "data" / "data" / "input_1_1_16.jpg", 1)
    draw(tmp_path / "mnist" / "data" / "data" / "other.jpg", 1)
    (tmp_path / "mnist" / "LICENSE").write_text("free")
    result = run("datapro.py", tmp_path / "mnist", "--out", tmp_path / "raw")
    assert result.returncode == 1
    assert set(refused(tmp_path / "raw")) == {"data/data/input_1_1_16.jpg", "data/data/other.jpg"}
    made = {file: cls for cls, _, file in pixels(tmp_path / "raw")}
    assert made["input_1_1_2.jpg"] == "7" and made["input_1_1_3.jpg"] == "2"


def test_zipped_class_folders(hand, tmp_path):
    for i, folder in enumerate((hand, tmp_path)):  # with and without a folder around them
        with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
            for file in hand.rglob("*.png"):
                archive.write(file, file.relative_to(folder))
        assert run("datapro.py", tmp_path / "z.zip", "--out", tmp_path / f"raw{i}").returncode == 0
    run("datapro.py", hand, "--out", tmp_path / "raw")
    assert pixels(tmp_path / "raw0") == pixels(tmp_path / "raw1") == pixels(tmp_path / "raw")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_hostile_zip(tmp_path):
    draw(tmp_path / "good.png", 1)
    good = (tmp_path / "good.png").read_bytes()
    (tmp_path / "box").mkdir()
    path = tmp_path / "box" / "z.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("1/good.png", good)
        archive.writestr("2/good.png", good)
        for name in (
            "../../1/up.png",
            "/tmp/absolute.png",
            "1/../../up.png",
            "C:/drive.png",
            "1\\..\\..\\back.png",
        ):
            archive.writestr(name, good)
        link = zipfile.ZipInfo("1/link.png")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("1/bomb.png", bytes(100_000_000))
        archive.writestr("2/twice.png", good)
        archive.writestr("2/twice.png", good)
        archive.writestr("1/broken.png", good)
        archive.writestr("1/locked.png", good)
        archive.writestr("__MACOSX/1/._good.png", b"x")
    data = bytearray(path.read_bytes())
    at = data.index(b"1/broken.png") + len("1/broken.png")
    data[at : at + 40] = bytes(40)  # the packed data of the entry
    at = data.rindex(b"1/locked.png") - 46  # its entry in the directory
    data[at + 8] |= 1
    path.write_bytes(data)
    result = run("datapro.py", path, "--out", tmp_path / "box" / "raw")
    assert result.returncode == 1 and "Traceback" not in result.stderr
    reasons = refused(tmp_path / "box" / "raw")
    assert set(map(from_cell, reasons)) == {
        "../../1/up.png", "/tmp/absolute.png", "1/../../up.png", "C:/drive.png", "1\\..\\..\\back.png",
        "1/link.png", "1/bomb.png", "2/twice.png", "1/broken.png", "1/locked.png",
    }  # fmt: skip
    assert {cls for cls, _, _ in pixels(tmp_path / "box" / "raw")} == {"1", "2"}
    assert sorted(os.listdir(tmp_path)) == ["box", "good.png"] and sorted(os.listdir(tmp_path / "box")) == [
        "raw",
        "z.zip",
    ]

    path.write_bytes(data[: len(data) // 2])
    assert_one_line(run("datapro.py", path, "--out", tmp_path / "raw"), 2, "z.zip", "whole zip")


def test_the_scripts_start_without_the_project_as_working_folder(hand, tmp_path):
    result = run("datapro.py", "hand", cwd=tmp_path)
    assert result.returncode == 0 and (tmp_path / "raw_data" / "manifest.csv").exists()
    result = run("test.py", cwd=tmp_path)
    assert result.returncode == 0 and (tmp_path / "data.h5").exists()
