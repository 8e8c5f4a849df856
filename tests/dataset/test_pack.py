"""test.py: the split and data.h5."""

import csv
import shutil
from collections import Counter

import h5py
import numpy as np
import pytest
from common import assert_one_line, draw, draw_set, run, tree
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from shuzi.core.command import Problem
from shuzi.dataset import split
from shuzi.dataset.h5 import DataError, open_data


def make_raw(raw, rows, shade=None):
    """raw_data by hand: (class, writer, seed) of each picture; the same seed gives the same picture."""
    raw.mkdir(parents=True, exist_ok=True)
    lines = [["file", "class", "source", "writer"]]
    for i, (cls, writer, seed) in enumerate(rows, 1):
        file = raw / cls / f"{cls}_{i:05d}.png"
        file.parent.mkdir(exist_ok=True)
        pixels = np.random.default_rng(seed).integers(0, 256, (64, 64, 1), np.uint8)
        Image.fromarray(np.repeat(pixels, 3, 2)).save(file)
        lines.append([f"{cls}/{file.name}", cls, "x", writer])
    with open(raw / "manifest.csv", "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(lines)
    return raw


def read_all(path):
    with open_data(path) as data:
        return {name: data[name][()] for name in data} | {"attributes": dict(data.attrs)}


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    """raw_data of 3 classes by 20 writers, and its data.h5"""
    folder = tmp_path_factory.mktemp("packed")
    classes = enumerate(("1", "10", "猫"))
    rows = [(cls, f"writer-{w}", (w, c, i)) for c, cls in classes for w in range(20) for i in range(3)]
    make_raw(folder / "raw", rows)
    result = run("test.py", "--raw", folder / "raw", "--out", folder / "data.h5")
    assert (result.returncode, result.stderr) == (0, "")
    assert "153 pictures to train on, 27 to test on" in result.stdout.splitlines()[-1]
    return folder


def test_layout(packed):
    with h5py.File(packed / "data.h5") as data:
        for part, count in (("train", 153), ("test", 27)):
            x, y = data[f"X_{part}"], data[f"y_{part}"]
            assert (x.shape, x.dtype) == ((count, 64, 64, 3), np.uint8) and x.chunks and x.compression == "gzip"
            assert (y.shape, y.dtype) == ((count, 1), np.int64)
            names = data[f"files_{part}"].asstr()[:]
            assert len(set(names)) == count
            for i in range(count):  # picture, label, file and writer belong together
                assert (x[i] == np.asarray(Image.open(packed / "raw" / names[i]))).all()
                assert data["classes"].asstr()[y[i, 0]] == names[i].split("/")[0]
            assert not np.array_equal(y[:], np.sort(y[:], 0))  # shuffled
        assert list(data["classes"].asstr()) == ["1", "10", "猫"]
        assert not set(data["writers_train"]) & set(data["writers_test"])
        assert Counter(data["y_test"][:, 0]) == {0: 9, 1: 9, 2: 9}
        assert {"format", "version", "seed", "split"} <= set(data.attrs)
        assert data.attrs["seed"] == 0 and data.attrs["split"] == "by writer"


def test_the_cells_of_the_old_notebook(packed):
    f = h5py.File(packed / "data.h5", "r")
    x = np.array(f["X_train"][:]) / 255.0
    y = np.array(f["y_train"][:])
    assert x.shape == (153, 64, 64, 3) and 0 <= x.min() < 0.1 and 0.9 < x.max() <= 1
    assert np.eye(3)[y.reshape(-1)].shape == (153, 3)


def test_the_seed_decides_the_split(packed):
    run("test.py", "--raw", packed / "raw", "--out", packed / "again.h5")
    assert (packed / "again.h5").read_bytes() == (packed / "data.h5").read_bytes()
    run("test.py", "--raw", packed / "raw", "--out", packed / "other.h5", "--seed", "1")
    first, other = read_all(packed / "data.h5"), read_all(packed / "other.h5")
    assert set(first["writers_test"]) != set(other["writers_test"])


def test_the_writers_to_test_on_can_be_named(packed, tmp_path):
    """For the same test year after year, and for figures that others can compare with."""
    for seed in "0", "1":
        out = tmp_path / f"{seed}.h5"
        result = run(
            "test.py", "--raw", packed / "raw", "--out", out, "--seed", seed, "--test-writers", "writer-3, writer-17"
        )
        assert (result.returncode, result.stderr) == (0, "")
        assert "split by writer, as named: 18 writers to train on, 2 others to test on" in result.stdout
        data = read_all(out)
        assert Counter(data["writers_test"]) == {b"writer-3": 9, b"writer-17": 9}
        assert len(data["X_train"]) == 162 and not {b"writer-3", b"writer-17"} & set(data["writers_train"])
        assert data["attributes"]["test"] == 0.1


def test_copies_of_what_is_tested_on_are_not_trained_on(tmp_path):
    rows = [(cls, writer, ord(cls) * 1000 + i) for cls in "12" for i, writer in enumerate(["a", "b", "c", ""])]
    rows.append(("1", "", ord("1") * 1000))  # a picture by a, once more
    raw = make_raw(tmp_path / "raw", rows)
    assert run("test.py", "--raw", raw, "--out", tmp_path / "d.h5", "--test-writers", "a").returncode == 0
    data = read_all(tmp_path / "d.h5")
    assert sorted(data["writers_test"]) == [b"", b"a", b"a"]
    assert not {x.tobytes() for x in data["X_train"]} & {x.tobytes() for x in data["X_test"]}


def test_writers_to_test_on_that_can_not_be(packed, tmp_path):
    def refused(raw, writers, *words):
        assert_one_line(run("test.py", "--raw", raw, "--out", tmp_path / "d.h5", "--test-writers", writers), 2, *words)

    refused(packed / "raw", "writer-3,Mei,Wei", "no picture is by Mei, Wei;", "writer-0")
    refused(packed / "raw", " , ", "--test-writers needs names")
    refused(packed / "raw", ",".join(f"writer-{i}" for i in range(20)), "class 1", "nobody else")
    rows = [("1", "a", 1), ("1", "b", 2), ("2", "a", 3), ("2", "c", 4)]
    refused(make_raw(tmp_path / "raw", rows), "b", "class 2", "none of them")
    unknown = make_raw(tmp_path / "unknown", [(cls, "", ord(cls) + i) for cls in "12" for i in range(3)])
    refused(unknown, "b", "unknown")
    shared = [(cls, "a", ord(cls)) for cls in "12"] + [("1", "b", ord("1")), ("1", "c", 3), ("2", "c", 4)]
    refused(make_raw(tmp_path / "shared", shared), "a", "copies of pictures by b;", "name these, too")
    assert not (tmp_path / "d.h5").exists()


def test_unknown_writers_are_split_by_class_and_copies_stay_together(tmp_path):
    rows = [("1", "", i) for i in range(40)] + [("2", "", 100 + i % 60) for i in range(80)]
    result = run("test.py", "--raw", make_raw(tmp_path / "raw", rows), "--out", tmp_path / "d.h5", "--test", "0.25")
    assert result.returncode == 0
    data = read_all(tmp_path / "d.h5")
    assert data["attributes"]["split"] == "by class"
    assert Counter(data["y_test"][:, 0].tolist()) == {0: 10, 1: 20}
    assert not {x.tobytes() for x in data["X_train"]} & {x.tobytes() for x in data["X_test"]}


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.sampled_from(["", "a", "b", "c", "d"]), st.integers(0, 30)),
        min_size=1,
    ),
    st.floats(0.05, 0.9),
    st.integers(0, 5),
)
def test_no_split_tears_a_writer_or_copies_apart(rows, share, seed):
    names = ["x", "y", "z"]
    labels = np.array([label for label, _, _ in rows])
    writers = [writer for _, writer, _ in rows]
    digests = [bytes([digest]) for _, _, digest in rows]
    groups = split.make_groups(writers, digests)
    try:
        test = split.choose_test(labels, groups, names, share, np.random.default_rng(seed))
    except Problem:
        return
    for column in (writers, digests):
        train_side = {value for value, is_test in zip(column, test) if value and not is_test}
        assert not train_side & {value for value, is_test in zip(column, test) if value and is_test}
    assert set(labels[test]) == set(labels[~test]) == {0, 1, 2}


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 2), st.sampled_from(["", "a", "b", "c", "d"])), min_size=1),
    st.integers(2, 4),
    st.integers(0, 5),
)
def test_parts_tear_no_writer_apart_and_leave_each_class_in_the_first(rows, parts, seed):
    labels = np.array([label for label, _ in rows])
    groups = split.make_groups(writer for _, writer in rows)
    part_of = split.choose_parts(labels, groups, parts, np.random.default_rng(seed))
    assert set(part_of) <= set(range(parts))
    for group in set(groups):
        assert len(set(part_of[groups == group])) == 1
    assert set(labels[part_of == 0]) == set(labels)


def test_parts_are_about_equal():
    labels, groups = np.arange(6000) % 3, np.arange(6000) // 30
    part_of = split.choose_parts(labels, groups, 4, np.random.default_rng(0))
    assert all(400 < count < 600 for count in np.bincount(part_of * 3 + labels))


def test_a_class_that_can_not_be_split_is_left_to_training_where_that_is_asked_for():
    labels, groups = np.array([0, 0, 0, 0, 1, 1]), np.array([0, 1, 2, 3, 4, 4])
    test = split.choose_test(labels, groups, "ab", 0.25, np.random.default_rng(0), every_class=False)
    assert test.sum() == 1 and not test[4:].any()


@pytest.mark.parametrize("seed", range(5))
def test_my_own_hand_is_always_learned(tmp_path, seed):
    rows = [
        (cls, f"writer-{writer}", list(f"{cls}{writer}{i}".encode()))
        for cls in "12"
        for writer in ["me", *"abcdefgh"]
        for i in range(3)
    ]
    raw = make_raw(tmp_path / "raw", rows)
    assert run("test.py", "--raw", raw, "--out", tmp_path / "d.h5", "--seed", str(seed)).returncode == 0
    with h5py.File(tmp_path / "d.h5") as data:
        writers = data["writers_train"].asstr()[:]
        assert "writer-me" not in data["writers_test"].asstr()[:]
        assert np.sum(writers == "writer-me") == 6


@settings(deadline=None)
@given(st.lists(st.integers(1, 12), min_size=20, max_size=60), st.integers(0, 5))
def test_the_share_is_near_what_was_asked_for(sizes, seed):
    groups = np.repeat(np.arange(len(sizes)), sizes)
    labels = np.arange(len(groups)) % 2
    groups = np.concatenate([groups, len(sizes) + np.arange(4)])
    labels = np.concatenate([labels, [0, 0, 1, 1]])
    test = split.choose_test(labels, groups, ["a", "b"], 0.2, np.random.default_rng(seed))
    assert abs(test.sum() - 0.2 * len(test)) <= 6  # half of the largest group


def test_few_writers_and_few_pictures(tmp_path):
    rows = [(cls, writer, list(f"{cls}{writer}{i}".encode())) for cls in "12" for writer in "ab" for i in range(3)]
    assert run("test.py", "--raw", make_raw(tmp_path / "two", rows), "--out", tmp_path / "d.h5").returncode == 0
    data = read_all(tmp_path / "d.h5")
    assert len(data["X_test"]) == 6 and len(set(data["writers_test"])) == 1

    one_writer = make_raw(tmp_path / "one", [(cls, "a", ord(cls) * 1000 + i) for cls in "12" for i in range(9)])
    assert_one_line(run("test.py", "--raw", one_writer, "--out", tmp_path / "x.h5"), 2, "class 1", "others")
    one_picture = make_raw(tmp_path / "few", [("1", "", 1), ("1", "", 2), ("2", "", 3)])
    assert_one_line(run("test.py", "--raw", one_picture, "--out", tmp_path / "x.h5"), 2, "class 2", "too few")
    copies = make_raw(tmp_path / "copies", [("1", "", 1), ("1", "", 2), ("2", "", 3), ("2", "", 3)])
    assert_one_line(run("test.py", "--raw", copies, "--out", tmp_path / "x.h5"), 2, "class 2", "copies")
    one_class = make_raw(tmp_path / "class", [("1", "", 1), ("1", "", 2)])
    assert_one_line(run("test.py", "--raw", one_class, "--out", tmp_path / "x.h5"), 2, "only one class")
    assert not (tmp_path / "x.h5").exists()


def test_raw_data_is_not_trusted(tmp_path):
    raw = make_raw(tmp_path / "raw", [(cls, "", ord(cls) * 1000 + i) for cls in "12" for i in range(20)])
    good = (raw / "1" / "1_00001.png").read_bytes()
    (raw / "1" / "1_00002.png").unlink()
    (raw / "1" / "1_00003.png").write_bytes(good[:-20])
    (raw / "1" / "1_00004.png").write_bytes(good[:200] + b"\0\1\2" + good[203:])
    (raw / "1" / "1_00005.png").write_bytes(b"")
    Image.new("RGB", (65, 64)).save(raw / "1" / "1_00006.png")
    Image.new("L", (64, 64)).save(raw / "1" / "1_00007.png")
    draw(raw / "1" / "8.jpg", 1)
    (raw / "1" / "8.jpg").replace(raw / "1" / "1_00008.png")
    shutil.copy(raw / "1" / "1_00009.png", tmp_path / "outside.png")
    with open(raw / "manifest.csv", "a", encoding="utf-8") as file:
        file.write("../outside.png,1,x,\n" + f"{tmp_path}/outside.png,1,x,\n" + "1/1_00009.png\n")
    result = run("test.py", "--raw", raw, "--out", tmp_path / "data.h5")
    assert result.returncode == 1 and "Traceback" not in result.stderr
    lines = result.stderr.splitlines()
    assert len(lines) == 11 and all(line.startswith("test.py: ") for line in lines)
    for number in range(2, 9):
        assert any(f"1_{number:05d}.png: " in line for line in lines)
    assert "10 refused" in lines[-1]
    data = read_all(tmp_path / "data.h5")
    assert len(data["X_train"]) + len(data["X_test"]) == 40 - 7


def test_what_it_can_not_do(packed, tmp_path):
    data = tmp_path / "data.h5"
    assert_one_line(run("test.py", "--raw", tmp_path / "none", "--out", data), 2, "no such folder", "datapro.py")
    (tmp_path / "raw").mkdir()
    assert_one_line(
        run("test.py", "--raw", tmp_path / "raw", "--out", data), 2, "manifest.csv is missing", "datapro.py"
    )
    (tmp_path / "raw" / "manifest.csv").write_text("a,b\n1,2\n")
    assert_one_line(run("test.py", "--raw", tmp_path / "raw", "--out", data), 2, "manifest.csv", "datapro.py")
    (tmp_path / "raw" / "manifest.csv").write_text("file,class,source,writer\n")
    assert_one_line(run("test.py", "--raw", tmp_path / "raw", "--out", data), 2, "no usable picture")
    (tmp_path / "raw" / "manifest.csv").write_bytes(b"file,class,source,writer\n\xff\xfe,1,x,\n")
    assert_one_line(run("test.py", "--raw", tmp_path / "raw", "--out", data), 2, "damaged")
    assert_one_line(run("test.py", "--raw", packed / "raw", "--out", tmp_path), 2, "is a folder")
    for seed in ("-1", str(2**64)):
        assert_one_line(run("test.py", "--raw", packed / "raw", "--out", data, "--seed", seed), 2, "--seed")
    assert_one_line(
        run("test.py", "--raw", packed / "raw", "--out", packed / "raw" / "manifest.csv" / "x.h5"), 2, "folder"
    )
    for share in ("0", "1", "-1", "nan"):
        assert_one_line(run("test.py", "--raw", packed / "raw", "--out", data, "--test", share), 2, "--test")
    assert not data.exists()


def test_from_handwriting_to_data(tmp_path):
    draw_set(tmp_path / "hand", writers=10)
    run("datapro.py", tmp_path / "hand", "--out", tmp_path / "raw")
    before = tree(tmp_path / "raw")
    assert run("test.py", "--raw", tmp_path / "raw", "--out", tmp_path / "new" / "data.h5").returncode == 0
    assert tree(tmp_path / "raw") == before
    data = read_all(tmp_path / "new" / "data.h5")
    assert len(data["X_train"]) + len(data["X_test"]) == 60
    assert {name.decode() for name in data["writers_test"]} <= {f"writer-{i:02d}" for i in range(1, 11)}


# ---- a data.h5 from anywhere ---------------------------------------------------------------------


def delete(name):
    def change(data):
        del data[name]

    return change


def put(name, value, **options):
    def change(data):
        del data[name]
        data.create_dataset(name, data=value, **options)

    return change


def set_format(value):
    return lambda data: data.attrs.update(format=value)


def claim_more(data):
    del data["X_train"]
    data.create_dataset("X_train", (10**9, 64, 64, 3), np.uint8, chunks=(64, 64, 64, 3), compression="gzip")


def link_away(data):
    del data["X_train"]
    data["X_train"] = h5py.ExternalLink("/etc/passwd", "/")


def store_away(data):
    del data["X_test"]
    data.create_dataset("X_test", (27, 64, 64, 3), np.uint8, external=[("/etc/passwd", 0, h5py.h5f.UNLIMITED)])


@pytest.mark.parametrize(
    "change, word",
    [
        (delete("X_train"), "X_train"),
        (delete("classes"), "classes"),
        (delete("writers_test"), "writers_test"),
        (lambda data: data.attrs.pop("format"), "not of this program"),
        (set_format(2), "format 2"),
        (set_format("no"), "format no"),
        (put("X_test", np.zeros((27, 64, 64), np.uint8)), "X_test"),
        (put("X_test", np.zeros((27, 32, 64, 3), np.uint8)), "X_test"),
        (put("X_test", np.zeros((27, 64, 64, 3), np.float32)), "X_test"),
        (put("X_test", np.zeros((0, 64, 64, 3), np.uint8)), "X_test"),
        (put("X_test", np.uint8(3)), "X_test"),
        (put("y_test", np.zeros((27,), np.int64)), "y_test"),
        (put("y_test", np.zeros((26, 1), np.int64)), "y_test"),
        (put("y_test", np.zeros((27, 1), np.int32)), "y_test"),
        (put("y_test", np.full((27, 1), 3)), "labels"),
        (put("y_train", np.full((153, 1), -1)), "labels"),
        (put("classes", np.arange(3)), "not text"),
        (put("classes", ["1", "1", "2"]), "class names"),
        (put("classes", "1"), "class names"),
        (put("files_train", ["a"]), "one file"),
        (claim_more, "1,000,000,000"),
        (link_away, "X_train"),
        (store_away, "another file"),
    ],
)
def test_a_data_file_with_a_fault_is_refused_with_a_sentence(packed, tmp_path, change, word):
    shutil.copy(packed / "data.h5", tmp_path)
    with h5py.File(tmp_path / "data.h5", "r+") as data:
        change(data)
    with pytest.raises(DataError, match=word) as error:
        open_data(tmp_path / "data.h5")
    assert "python test.py" in str(error.value) and "\n" not in str(error.value)


def test_no_data_file_and_damaged_ones(packed, tmp_path):
    path = tmp_path / "data.h5"
    with pytest.raises(DataError, match="datapro.py"):
        open_data(path)
    whole = (packed / "data.h5").read_bytes()
    for content in (b"", b"text", whole[: len(whole) // 2]):
        path.write_bytes(content)
        with pytest.raises(DataError, match="can't be opened"):
            open_data(path)
    rng = np.random.default_rng(0)
    opened = 0
    for _ in range(200):  # bytes changed anywhere in the head, where the structure is: an answer, not a crash
        damaged = bytearray(whole)
        for at in rng.integers(0, 8000, 3):
            damaged[at] = rng.integers(256)
        path.write_bytes(damaged)
        try:
            open_data(path).close()
            opened += 1
        except DataError as error:
            assert "\n" not in str(error)
    assert opened < 200
