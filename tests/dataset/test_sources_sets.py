"""Sets that bring their labels: HWDB, IDX, npz, pixels in CSV; and tables of labels beside pictures."""

import csv
import gzip
import json
import struct
import zipfile

import numpy as np
import pytest
from looking import CHARACTERS, TEN, VALUES, asked, classes, lay, look

from shuzi.dataset.sources import Options, read_source, tables


def pixels(*paths, **options):
    """{name: what is opened} of all pictures."""
    source, found, _ = read_source([str(path) for path in paths], Options(**options), lambda *refused: None)
    return {picture.name: source.open(picture) for of_class in found.values() for picture in of_class}


# ---- HWDB ----------------------------------------------------------------------------------------


def gnt(characters, seed=0):
    rng = np.random.default_rng(seed)
    data = b""
    for character in characters:
        width, height = rng.integers(20, 60, 2).tolist()
        bitmap = rng.integers(0, 256, width * height, np.uint8).tobytes()
        data += struct.pack("<I2sHH", 10 + len(bitmap), character.encode("gbk").ljust(2, b"\0"), width, height) + bitmap
    return data


TEXT = "啊七阿壹9７Ａ百零三萬"


@pytest.fixture
def hwdb(tmp_path):
    for part, numbers in (("HWDB1.1trn_gnt", (1001, 1002)), ("HWDB1.1tst_gnt", (1241,))):
        for number in numbers:
            lay(tmp_path / "hwdb" / part, [f"{number}-c.gnt"], gnt(TEXT, number))
    return tmp_path / "hwdb"


def test_hwdb_numerals_and_capitals(hwdb):
    found, notes, refused = look(hwdb)
    assert len(found) == 18 and not refused
    assert found["HWDB1.1trn_gnt/1001-c.gnt#2"] == ("7", "1001", "train")
    assert found["HWDB1.1tst_gnt/1241-c.gnt#4"] == ("壹", "1241", "test")
    assert {cls for cls, _, _ in found.values()} == {"7", "壹", "100", "0", "3", "10000"}
    # an Arabic 9 or a full-width 7 is no 九 and no 七
    assert "passed over: 15 pictures of 5 other characters" in notes and "labels from 3 HWDB files" in notes


def test_hwdb_classes_that_are_asked_for(hwdb):
    found, _, _ = look(hwdb, classes=["啊", "7"])
    assert {cls for cls, _, _ in found.values()} == {"啊", "7"} and len(found) == 6


def test_hwdb_alone_in_a_zip_and_in_a_zip_in_a_zip(hwdb, tmp_path):
    file = hwdb / "HWDB1.1trn_gnt" / "1002-c.gnt"
    alone = pixels(file)
    assert set(alone) == {f"1002-c.gnt#{row}" for row in (2, 4, 8, 9, 10, 11)}
    with zipfile.ZipFile(tmp_path / "in.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(file, "1002-c.gnt")
    with zipfile.ZipFile(tmp_path / "out.zip", "w") as archive:
        archive.write(tmp_path / "in.zip", "in.zip")
    for path, prefix in ((tmp_path / "in.zip", ""), (tmp_path / "out.zip", "in.zip/")):
        packed = pixels(path)
        assert set(packed) == {prefix + name for name in alone}
        assert all((packed[prefix + name] == alone[name]).all() for name in alone)


def test_hwdb_that_is_cut_off(hwdb, tmp_path):
    lay(tmp_path, ["x/1003-c.gnt"], gnt(TEXT)[:-10])
    found, _, refused = look(tmp_path / "x")
    assert len(found) == 5 and "cut off" in refused["1003-c.gnt"]
    lay(tmp_path, ["x/1003-c.gnt"], b"\xff" * 100)
    assert "damaged" in look(tmp_path / "x")[2]["1003-c.gnt"]


# ---- IDX, npz, pixels in CSV ---------------------------------------------------------------------


def idx(array):
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.astype(np.uint8).tobytes()


@pytest.mark.parametrize("ending, pack", [("", bytes), (".gz", gzip.compress)])
@pytest.mark.parametrize("form", ["{}-idx{}-ubyte", "{}.idx{}-ubyte"])
@pytest.mark.parametrize("zipped", [False, True])
def test_mnist_as_it_is_published(tmp_path, ending, pack, form, zipped):
    pictures = np.random.default_rng(0).integers(0, 256, (30, 28, 28), np.uint8)
    labels = np.arange(30) % 10
    files = {}
    for part, here in (("train", slice(0, 20)), ("t10k", slice(20, 30))):
        files[form.format(f"{part}-images", 3) + ending] = pack(idx(pictures[here]))
        files[form.format(f"{part}-labels", 1) + ending] = pack(idx(labels[here]))
    source = tmp_path / "mnist"
    if zipped:
        source = tmp_path / "mnist.zip"
        with zipfile.ZipFile(source, "w") as archive:
            for name, data in files.items():
                archive.writestr(name, data)
    else:
        for name, data in files.items():
            lay(source, [name], data)
    found, notes, refused = look(source)
    name = form.format("train-images", 3) + ending
    assert found[f"{name}#8"] == ("7", "", "train") and len(found) == 30 and not refused
    assert "split as it came: 20 pictures to train on, 10 to test on" in notes
    assert (pixels(source)[f"{name}#8"] == pictures[7]).all()


def test_idx_without_labels_or_cut_off(tmp_path):
    pictures = np.zeros((5, 28, 28), np.uint8)
    lay(tmp_path, ["train-images-idx3-ubyte"], idx(pictures))
    assert (
        "its labels are missing; put train-labels-idx1-ubyte beside it" in look(tmp_path)[2]["train-images-idx3-ubyte"]
    )
    lay(tmp_path, ["train-labels-idx1-ubyte"], idx(np.zeros(4)))
    assert "5 pictures and 4 labels" in look(tmp_path)[2]["train-images-idx3-ubyte"]
    lay(tmp_path, ["train-images-idx3-ubyte"], idx(pictures)[:-1])
    assert "get it again" in look(tmp_path)[2]["train-images-idx3-ubyte"]


@pytest.mark.parametrize("shape", [(28, 28), (28, 28, 1), (64, 64, 3), (784,), (1, 28, 28)])
def test_npz_as_keras_has_it(tmp_path, shape):
    x = np.random.default_rng(0).integers(0, 256, (30, *shape), np.uint8)
    y = np.arange(30) % 10
    np.savez_compressed(tmp_path / "set.npz", x_train=x[:20], y_train=y[:20, None], x_test=x[20:], y_test=y[20:])
    found, _, refused = look(tmp_path / "set.npz")
    assert (
        found["set.npz/x_train#8"] == ("7", "", "train")
        and found["set.npz/x_test#3"] == ("2", "", "test")
        and not refused
    )
    picture = pixels(tmp_path / "set.npz")["set.npz/x_train#8"]
    assert (picture.reshape(-1) == x[7].reshape(-1)).all() and picture.ndim in (2, 3)


@pytest.mark.parametrize(
    "arrays",
    [lambda x, y: {"images": x, "labels": y}, lambda x, y: {"X": x / 255, "y": np.eye(10)[y]},
     lambda x, y: {"data": x, "target": y.astype(float)}, lambda x, y: {"train_images": x, "train_labels": y},
     lambda x, y: {"x": x, "y": np.array([CHARACTERS[i] for i in y])}],
)  # fmt: skip
def test_npz_of_other_names_and_types(tmp_path, arrays):
    x = np.random.default_rng(0).integers(0, 256, (20, 28, 28), np.uint8)
    np.savez(tmp_path / "set.npz", **arrays(x, np.arange(20) % 10))
    found, _, refused = look(tmp_path / "set.npz")
    assert classes(found)["set.npz#8"] == "7" and len(found) == 20 and not refused


def test_npz_that_holds_code_or_no_pictures(tmp_path):
    np.savez(tmp_path / "set.npz", x_train=np.array([{}, print], object), y_train=[0, 1])
    assert "set.npz" in look(tmp_path / "set.npz")[2]
    np.savez(tmp_path / "set.npz", weights=np.zeros(4))
    assert "weights" in look(tmp_path / "set.npz")[2]["set.npz"]


def pixel_csv(path, side=64, label=int, heading="pixel_{}"):
    pictures = np.random.default_rng(0).integers(0, 256, (30, side, side), np.uint8)
    with open(path, "w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow([*map(heading.format, range(side * side)), "label", "character"])
        for i, picture in enumerate(pictures):
            rows.writerow([*picture.ravel().tolist(), label(VALUES[i % 15]), CHARACTERS[i % 15]])
    return pictures


@pytest.mark.parametrize("label", [int, lambda value: VALUES.index(value), lambda value: VALUES.index(value) + 1])
@pytest.mark.parametrize("heading", ["pixel_{}", "{}"])
def test_chinese_mnist_as_csv(tmp_path, label, heading):
    pictures = pixel_csv(tmp_path / "chineseMNIST.csv", label=label, heading=heading)
    for source in (tmp_path / "chineseMNIST.csv", tmp_path):
        found, notes, refused = look(source)
        assert [found[f"chineseMNIST.csv#{i + 1}"][0] for i in range(30)] == (VALUES * 2) and not refused
        assert "1 table of pixels" in notes
    assert (pixels(tmp_path)["chineseMNIST.csv#8"] == pictures[7]).all()


def test_mnist_as_csv_and_rows_that_are_none(tmp_path):
    with open(tmp_path / "train.csv", "w") as file:
        file.write(",".join(["label", *(f"pixel{i}" for i in range(784))]) + "\r\n")
        file.write("7," + ",".join(["9"] * 784) + "\r\n" + "3," + ",".join(["0.5"] * 784) + "\r\n\r\n")
        file.write("1,2\r\n8," + ",".join(["300"] * 784) + "\r\n8," + ",".join(["x"] * 784) + "\r\n")
    found, _, refused = look(tmp_path)
    assert classes(found) == {"train.csv#1": "7", "train.csv#2": "3"} and "3 rows" in refused["train.csv"]
    assert (pixels(tmp_path)["train.csv#2"] == 127).all()


# ---- tables of labels ----------------------------------------------------------------------------

FILES = [f"pictures/img_{i:03d}.jpg" for i in range(12)]
LABELS = ["一", "7", "七", "10", "3", "0", "猫", "1", "2", "百", "8", "9"]
MEANT = ["1", "7", "7", "10", "3", "0", "猫", "1", "2", "100", "8", "9"]


def as_csv(rows, separator=",", end="\r\n"):
    return end.join(separator.join(row) for row in rows) + end


ROWS = [[file, label] for file, label in zip(FILES, LABELS)]
TABLES = {
    "usual": as_csv([["file", "label"], *ROWS]).encode(),
    "no heading": as_csv(ROWS).encode(),
    "other order and headings": as_csv(
        [["类别", "id", "文件名"], *([b, str(i), a] for i, (a, b) in enumerate(ROWS))]
    ).encode(),
    "BOM": as_csv([["filename", "class"], *ROWS]).encode("utf-8-sig"),
    "semicolons": as_csv([["image", "target"], *ROWS], ";", "\n").encode(),
    "GBK": as_csv([["文件", "标签"], *ROWS]).encode("gbk"),
    "Big5": as_csv([["檔案", "標籤"], *([a, b.replace("猫", "貓")] for a, b in ROWS)]).encode("big5"),
    "UTF-16": as_csv([["file", "label"], *ROWS], "\t").encode("utf-16"),
    "base names": as_csv([["file", "label"], *([a.rpartition("/")[2], b] for a, b in ROWS)]).encode(),
    "stems": as_csv([["id", "label"], *([a.rpartition("/")[2][:-4], b] for a, b in ROWS)]).encode(),
    "backslashes": as_csv(
        [["path", "label"], *(["C:\\Users\\li\\set\\" + a.replace("/", "\\"), b] for a, b in ROWS)]
    ).encode(),
    "quotes": as_csv([["file", "label"], *([f'"{a}"', f'"{b}"'] for a, b in ROWS)]).encode(),
}  # fmt: skip


@pytest.mark.parametrize("kind", TABLES)
@pytest.mark.parametrize("zipped", [False, True])
def test_tables_of_labels(tmp_path, kind, zipped):
    source = lay(tmp_path / "set", FILES)
    lay(source, ["labels.csv"], TABLES[kind])
    if zipped:
        source = tmp_path / "set.zip"
        with zipfile.ZipFile(source, "w") as archive:
            for name in (*FILES, "labels.csv"):
                archive.write(tmp_path / "set" / name, name)
    found, notes, refused = look(source)
    meant = [cls.replace("猫", "貓") if kind == "Big5" else cls for cls in MEANT]
    assert classes(found) == dict(zip(FILES, meant)) and not refused
    assert "labels from labels.csv" in notes


@pytest.mark.parametrize(
    "name, content",
    [("labels.json", json.dumps(dict(ROWS))), ("labels.json", json.dumps([{"image": a, "label": b} for a, b in ROWS])),
     ("labels.txt", "\n".join(f"{a} {b}" for a, b in ROWS)), ("labels.tsv", as_csv(ROWS, "\t"))],
)  # fmt: skip
def test_other_tables(tmp_path, name, content):
    lay(tmp_path, FILES)
    lay(tmp_path, [name], content.encode())
    assert classes(look(tmp_path)[0]) == dict(zip(FILES, MEANT))


def test_writers_and_splits_in_a_table(tmp_path):
    lay(tmp_path, FILES)
    rows = [[a, b, "ab"[i % 2], ("train", "val", "test")[i % 3]] for i, (a, b) in enumerate(ROWS)]
    lay(tmp_path, ["labels.csv"], as_csv([["file", "label", "writer", "split"], *rows]).encode())
    found, notes, _ = look(tmp_path)
    assert found[FILES[1]] == ("7", "b", "train") and found[FILES[2]] == ("7", "a", "test")
    assert "8 pictures to train on, 4 to test on" in notes


def test_a_table_for_each_part(tmp_path):
    lay(tmp_path, FILES)
    lay(tmp_path, ["train.csv"], as_csv([["file", "label"], *ROWS[:9]]).encode())
    lay(tmp_path, ["test.csv"], as_csv([["file", "label"], *ROWS[9:]]).encode())
    found, _, _ = look(tmp_path)
    assert found[FILES[0]] == ("1", "", "train") and found[FILES[11]] == ("9", "", "test")


def test_a_table_that_leaves_some_out_and_names_others(tmp_path):
    lay(tmp_path, FILES)
    lay(tmp_path, ["labels.csv"], as_csv([["file", "label"], *ROWS[:10], ["gone.jpg", "3"]]).encode())
    found, notes, refused = look(tmp_path)
    assert len(found) == 10 and refused == dict.fromkeys(FILES[10:], "not in labels.csv")
    assert "1 of its rows name no picture" in notes and "gone.jpg" in notes


def test_a_table_and_folders(tmp_path):
    lay(tmp_path, [f"{cls}/{cls}x.jpg" for cls in TEN])
    rows = [["file", "label"], *([f"{cls}x.jpg", cls] for cls in TEN)]
    lay(tmp_path, ["labels.csv"], as_csv(rows).encode())
    assert set(classes(look(tmp_path)[0]).values()) == set(TEN)  # they agree
    rows[7][1] = "八"
    lay(tmp_path, ["labels.csv"], as_csv(rows).encode())
    line = asked(tmp_path)
    assert "7/7x.jpg" in line and "--labels folders or --labels labels.csv" in line
    assert classes(look(tmp_path, labels="labels.csv")[0])["7/7x.jpg"] == "8"
    assert classes(look(tmp_path, labels="folders")[0])["7/7x.jpg"] == "7"
    lay(tmp_path, ["labels.csv"], b"name,price\na,3\n")
    assert "passed over: 1 file that is no picture: labels.csv" in look(tmp_path)[1]


@pytest.mark.parametrize(
    "rows, word",
    [([["file", "code"], *([a, str(i + 1)] for i, (a, _) in enumerate(ROWS))], "codes"),
     ([["file", "label", "value"], *([a, str(i), str(9 - i % 10)] for i, (a, _) in enumerate(ROWS))], "several"),
     ([["file", "label"], *([a, str(i + 1)] for i, (a, _) in enumerate(ROWS))], "--numbers values"),
     ([["file", "label"], *ROWS, [FILES[0], "九"]], "two labels")],
)  # fmt: skip
def test_tables_that_can_be_read_in_two_ways(tmp_path, rows, word):
    lay(tmp_path, FILES)
    lay(tmp_path, ["labels.csv"], as_csv(rows).encode())
    assert word in asked(tmp_path)


def test_files_of_one_name_in_two_folders(tmp_path):
    lay(tmp_path, ["a/1.jpg", "b/1.jpg", "b/2.jpg", "b/3.jpg"])
    lay(tmp_path, ["labels.csv"], b"file,label\n1.jpg,7\n2.jpg,8\n3.jpg,9\n")
    found, notes, refused = look(tmp_path)
    assert classes(found) == {"b/2.jpg": "8", "b/3.jpg": "9"}
    assert set(refused) == {"a/1.jpg", "b/1.jpg"} and "several: 1.jpg" in notes


def test_chinese_mnist_and_its_table(tmp_path):
    names = [f"data/data/input_{s}_{c}_{code}.jpg" for s in (1, 2) for c in (1, 2) for code in range(1, 16)]
    rows = [["suite_id", "sample_id", "code", "value", "character"]]
    rows += [
        [*map(str, (s, c, code)), VALUES[code - 1], CHARACTERS[code - 1]]
        for s in (1, 2)
        for c in (1, 2)
        for code in range(1, 16)
    ]
    lay(tmp_path, names)
    lay(tmp_path, ["chinese_mnist.csv"], as_csv(rows).encode())
    found, notes, refused = look(tmp_path)
    assert all(cls == VALUES[int(name[:-4].rpartition("_")[2]) - 1] for name, cls in classes(found).items())
    assert len(found) == 60 and not refused and "labels from chinese_mnist.csv" in notes
    lay(tmp_path, [f"sorted/{int(name[:-4].rpartition('_')[2])}/{name.rpartition('/')[2]}" for name in names])
    lay(tmp_path / "sorted", ["chinese_mnist.csv"], as_csv(rows).encode())
    found = look(tmp_path / "sorted")[0]  # by code: folder 1 is 零
    assert found["1/input_1_1_1.jpg"][0] == "0" and found["8/input_2_1_8.jpg"] == ("7", "2", "")


def test_a_table_is_found_by_how_many_pictures_it_names():
    files = tables.Files(["a/x.png", "b/x.png", "c/y.png"])
    assert (
        files.find("y") == [2]
        and files.find("b\\x.png") == [1]
        and files.find("x.png") == [0, 1]
        and files.find("") == []
    )
    assert files.find("/somewhere/else/c/y.png") == [2]
