"""python -m shuzi.net.crossval: each picture is read by a net that has not seen its writer, and wrong labels show."""

import numpy as np
import pytest
from PIL import Image

from shuzi import ink
from shuzi.core.command import Problem
from shuzi.drawing import handwriting
from shuzi.net import crossval


def divide(writers, parts, pictures=None):
    writers = np.array(writers)
    pictures = np.arange(len(writers)) if pictures is None else pictures
    return crossval.divide(np.zeros(len(writers), int), writers, pictures, parts)


def test_a_writer_is_in_one_part_only():
    writers = [f"writer-{i % 7}" for i in range(70)]
    parts = divide(writers, 3)
    assert len(set(zip(writers, parts))) == 7
    assert sorted(np.bincount(parts)) == [20, 20, 30]


def test_pictures_of_unknown_writers_are_spread_evenly():
    counts = np.bincount(divide([""] * 30 + ["writer-1", "writer-2", "writer-3"], 3))
    assert len(counts) == 3 and set(counts) <= {10, 11, 12}


def test_two_copies_of_a_picture_are_in_one_part():
    parts = divide([""] * 300, 3, np.arange(300) // 2)
    assert (parts[::2] == parts[1::2]).all() and len(set(parts)) == 3


def test_too_few_writers_are_a_problem_of_one_line():
    with pytest.raises(Problem, match="2 writers, too few for 3 parts"):
        divide(["writer-1", "writer-2"] * 5, 3)


def test_a_class_of_one_writer_is_a_problem_of_one_line():
    parts, labels = np.array([0, 1, 2, 2, 2]), np.array([0, 0, 0, 1, 1])
    crossval.check_parts(parts, labels[[0, 1, 2, 0, 1]], ["cat"])
    with pytest.raises(Problem, match="class dog has too few writers"):
        crossval.check_parts(parts, labels, ["cat", "dog"])


def test_pictures_are_named_as_their_source_has_them(tmp_path):
    (tmp_path / "manifest.csv").write_text("\ufefffile,class,source\n1/1_00001.png,1,1/mei.jpg\n", "utf-8")
    assert crossval.sources(tmp_path, ["1/1_00001.png", "1/1_00002.png"]) == ["1/mei.jpg", "1/1_00002.png"]
    assert crossval.sources(tmp_path / "gone", ["1/1_00001.png"]) == ["1/1_00001.png"]


def test_without_data_one_line_says_what_to_do(tmp_path):
    with pytest.raises(Problem, match="python test.py"):
        crossval.main([str(tmp_path / "data.h5"), "--out", str(tmp_path / "out.md")])


def test_a_wrong_label_is_found(tmp_path, write_data, policy):
    drawn = []
    for writer in range(20):
        hand = handwriting.make_writer(7, writer)
        for cls in "2", "4":
            for i in range(7):
                drawing, _ = handwriting.legible_picture(cls, hand, np.random.default_rng([writer, int(cls), i]))
                # one 四 is filed under 二
                folder = "2" if (cls, writer, i) == ("4", 3, 0) else cls
                drawn.append(
                    (ink.read_picture(drawing), folder, f"{folder}/{cls}_{writer}_{i}.png", f"writer-{writer}")
                )
    write_data(tmp_path / "data.h5", drawn)
    options = ["--parts", "2", "--seeds", "1", "--epochs", "40", "--raw", str(tmp_path)]
    assert crossval.main([str(tmp_path / "data.h5"), "--out", str(tmp_path / "out.md"), *options]) == 0
    lines = (tmp_path / "out.md").read_text("utf-8").splitlines()
    seed, wrong, of, *_ = lines[2].strip("| ").split(" | ")
    assert seed == "0" and 1 <= int(wrong) < 40 and int(of) == len(drawn)
    listed = [line for line in lines if ".png" in line]
    assert len(listed) == int(wrong)
    assert any(line.startswith("| 2/4_3_0.png | 2 | 1 | 4 |") for line in listed[:10]), listed
    with Image.open(tmp_path / "out.png") as picture:
        assert picture.width > 500
