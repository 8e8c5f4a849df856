"""datapro.py and test.py on sets of other kinds, from end to end."""

import csv
import gzip
import os
import shutil
import struct
import zipfile

import numpy as np
import pytest
from common import assert_one_line, draw, draw_set, run
from PIL import Image

from shuzi.core.text import from_cell


def manifest(raw):
    with open(raw / "manifest.csv", encoding="utf-8-sig", newline="") as file:
        return {from_cell(row["source"]): row for row in csv.DictReader(file)}


def refused(raw):
    with open(raw / "refused.csv", encoding="utf-8-sig", newline="") as file:
        return {from_cell(row["source"]): row["reason"] for row in csv.DictReader(file)}


def png(seed):
    path = os.path.join(os.environ.get("TMPDIR", "/tmp"), f"drawn-{os.getpid()}.png")
    draw(path, seed)
    with open(path, "rb") as file:
        data = file.read()
    os.unlink(path)
    return data


def test_pages_are_pictures_of_their_own(tmp_path):
    for cls in ("1", "2"):
        pages = []
        for i in range(3):
            draw(tmp_path / "p.png", (int(cls), i))
            pages.append(Image.open(tmp_path / "p.png").convert("1" if cls == "1" else "L"))
            pages[-1].load()
        for name in ("scan.tif", "film.gif", "paper.pdf"):
            (tmp_path / "set" / cls).mkdir(parents=True, exist_ok=True)
            pages[0].save(tmp_path / "set" / cls / name, save_all=True, append_images=pages[1:], duration=100)
    for source in (tmp_path / "set", shutil.make_archive(tmp_path / "set", "zip", tmp_path / "set")):
        result = run("datapro.py", source, "--out", tmp_path / "raw")
        assert result.returncode == 0, result.stderr
        names = {f"{c}/{name}#p{i}" for c in "12" for name in ("scan.tif", "film.gif", "paper.pdf") for i in (1, 2, 3)}
        assert set(manifest(tmp_path / "raw")) == names
    assert (
        len({Image.open(tmp_path / "raw" / row["file"]).tobytes() for row in manifest(tmp_path / "raw").values()}) >= 12
    )


def test_pictures_of_iphones(tmp_path):
    pillow_heif = pytest.importorskip("pillow_heif")
    draw_set(tmp_path / "set")
    for path in list((tmp_path / "set").rglob("*_1.png")):
        pillow_heif.from_pillow(Image.open(path).convert("RGB")).save(path.with_suffix(".HEIC"))
        path.unlink()
    result = run("datapro.py", tmp_path / "set", "--out", tmp_path / "raw")
    assert result.returncode == 0 and "24 pictures of 3 classes" in result.stdout


def test_sets_of_arrays_in_workers(tmp_path):
    """HWDB, IDX and npz in a zip, with worker processes, and again."""
    draw_set(tmp_path / "x", classes=("a",), writers=5, each=2)
    drawn = [np.asarray(Image.open(path).resize((28, 28))) for path in sorted((tmp_path / "x").rglob("*.png"))]
    stack, labels = np.stack(drawn), np.arange(10, dtype=np.uint8)
    record = b"".join(
        struct.pack("<I2sHH", 10 + 784, character.encode("gbk"), 28, 28) + picture.tobytes()
        for character, picture in zip("七八九十百千万壹贰叁", drawn)
    )
    with zipfile.ZipFile(tmp_path / "all.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("HWDB1.1trn_gnt/1001-c.gnt", record)
        archive.writestr(
            "train-images-idx3-ubyte.gz", gzip.compress(struct.pack(">4I", 2051, 10, 28, 28) + stack.tobytes())
        )
        archive.writestr("train-labels-idx1-ubyte.gz", gzip.compress(struct.pack(">2I", 2049, 10) + labels.tobytes()))
        np.savez(tmp_path / "set.npz", x=255 - stack, y=labels)
        archive.write(tmp_path / "set.npz", "set.npz")
    made = [run("datapro.py", tmp_path / "all.zip", "--out", tmp_path / "raw", timeout=100) for _ in range(2)]
    assert [result.returncode for result in made] == [0, 0], made[0].stderr
    assert (
        "30 pictures of 17 classes, 30 of them made now" in made[0].stdout and " 0 of them made now" in made[1].stdout
    )
    rows = manifest(tmp_path / "raw")
    assert (
        rows["HWDB1.1trn_gnt/1001-c.gnt#1"]["class"] == "7" and rows["HWDB1.1trn_gnt/1001-c.gnt#1"]["writer"] == "1001"
    )
    for line in ("labels from 1 HWDB file", "labels from 1 IDX file", "20 pictures are of no known writer"):
        assert line in made[0].stdout


def test_what_is_refused_is_listed_also_when_nothing_remains(tmp_path):
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        for cls in "12":
            archive.writestr(f"{cls}/a.png", png(1))
    data = bytearray((tmp_path / "set.zip").read_bytes())
    for start in (b"PK\1\2", b"PK\3\4"):
        at = -1
        while (at := data.find(start, at + 1)) >= 0:
            data[at + (10 if start == b"PK\1\2" else 8)] = 9  # Deflate64, as Windows packs what is large
    (tmp_path / "set.zip").write_bytes(data)
    result = run("datapro.py", tmp_path / "set.zip", "--out", tmp_path / "raw")
    assert_one_line(result, 2, "no pictures in", "set.zip", "refused.csv")
    assert set(refused(tmp_path / "raw")) == {"1/a.png", "2/a.png"}
    assert "Deflate64" in refused(tmp_path / "raw")["1/a.png"]


def test_a_question_is_one_line_and_changes_nothing(tmp_path):
    draw_set(tmp_path / "set")
    run("datapro.py", tmp_path / "set", "--out", tmp_path / "raw")
    before = (tmp_path / "raw" / "manifest.csv").read_bytes()
    for who in ("1", "2", "3"):
        draw(tmp_path / "numbered" / who / "1" / "a.png", 1)
        draw(tmp_path / "numbered" / who / "2" / "a.png", 2)
    result = run("datapro.py", tmp_path / "numbered", "--out", tmp_path / "raw")
    assert_one_line(result, 2, "--layout writer/class", "--layout class/writer")
    assert (tmp_path / "raw" / "manifest.csv").read_bytes() == before
    result = run("datapro.py", tmp_path / "numbered", "--out", tmp_path / "raw", "--layout", "writer/class")
    assert result.returncode == 0 and "2 classes in 3 students' folders" in result.stdout


# ---- test.py: the split, and pictures in two classes ----------------------------------------------


def split_set(root):
    for part, writers in (("train", "abc"), ("val", "d"), ("test", "ef")):
        for w in writers:
            for cls in ("1", "2", "3"):
                draw(root / part / cls / f"writer-{w}_1.png", (ord(w), int(cls)))


def test_the_split_that_a_set_came_with_is_kept(tmp_path):
    split_set(tmp_path / "set")
    made = run("datapro.py", tmp_path / "set", "--out", tmp_path / "raw")
    assert "split as it came: 12 pictures to train on, 6 to test on" in made.stdout
    assert manifest(tmp_path / "raw")["val/1/writer-d_1.png"]["split"] == "train"
    result = run("test.py", "--raw", tmp_path / "raw", "--out", tmp_path / "data.h5")
    assert (
        result.returncode == 0 and "split as the set came: 4 writers to train on, 2 others to test on" in result.stdout
    )
    result = run("test.py", "--raw", tmp_path / "raw", "--out", tmp_path / "data.h5", "--test", "0.2")
    assert result.returncode == 0 and "split by writer" in result.stdout
    shutil.copy(tmp_path / "set" / "train" / "1" / "writer-a_1.png", tmp_path / "set" / "test" / "1" / "writer-a_2.png")
    draw(tmp_path / "set" / "test" / "1" / "writer-b_2.png", 99)
    run("datapro.py", tmp_path / "set", "--out", tmp_path / "raw")
    result = run("test.py", "--raw", tmp_path / "raw", "--out", tmp_path / "data.h5")
    assert "as copies of test pictures: 1" in result.stderr
    assert "2 writers are on both sides" in result.stderr and "--test 0.15" in result.stderr


def test_a_class_without_test_pictures(tmp_path):
    split_set(tmp_path / "set")
    shutil.rmtree(tmp_path / "set" / "test" / "2")
    run("datapro.py", tmp_path / "set", "--out", tmp_path / "raw")
    result = run("test.py", "--raw", tmp_path / "raw", "--out", tmp_path / "data.h5")
    assert_one_line(result, 2, "class 2 has no test picture", "--test 0.15")


def test_one_picture_in_two_classes(tmp_path):
    draw_set(tmp_path / "set")
    shutil.copy(tmp_path / "set" / "1" / "writer-01_1.png", tmp_path / "set" / "2" / "writer-09_1.png")
    Image.open(tmp_path / "set" / "2" / "writer-02_1.png").save(
        tmp_path / "set" / "10" / "writer-08_1.bmp"
    )  # pixel for pixel
    run("datapro.py", tmp_path / "set", "--out", tmp_path / "raw")
    result = run("test.py", "--raw", tmp_path / "raw", "--out", tmp_path / "data.h5")
    assert result.returncode == 1
    for name in (
        "1/writer-01_1.png",
        "2/writer-09_1.png",
        "2/writer-02_1.png",
        "10/writer-08_1.bmp",
        "4 pictures are in several",
    ):
        assert name in result.stderr
    result = run("test.py", "--raw", tmp_path / "raw", "--out", tmp_path / "data.h5", "--keep-contradictions")
    assert result.returncode == 0 and result.stderr == ""
