"""benchmarks/crossval.py: each picture is read by a net that has not seen its writer, and wrong labels show."""

import subprocess
import sys

import numpy as np
import pytest
from common import PROJECT
from PIL import Image

from benchmarks import crossval
from shuzi.core.files import Problem
from shuzi.drawing import handwriting as synthesize


def test_a_writer_is_in_one_part_only():
    writers = np.array([f"writer-{i % 7}" for i in range(70)])
    parts = crossval.divide(writers, 3)
    assert all(len(set(parts[writers == writer])) == 1 for writer in set(writers))
    assert sorted(np.bincount(parts)) == [20, 20, 30]


def test_pictures_of_unknown_writers_are_spread_evenly():
    parts = crossval.divide(np.array([""] * 30 + ["writer-1", "writer-2", "writer-3"]), 3)
    assert set(np.bincount(parts)) == {11}


def test_too_few_writers_are_a_problem_of_one_line():
    with pytest.raises(Problem, match="2 writers, too few for 3 parts"):
        crossval.divide(np.array(["writer-1", "writer-2"] * 5), 3)


def test_own_pictures_beside_those_of_nobody_known():
    parts = crossval.divide(np.array([""] * 300 + ["writer-me"] * 50), 3)
    assert len(set(parts[300:])) == 1
    assert all(100 <= np.sum(parts[:300] == part) + 15 <= 135 for part in range(3))


def test_a_class_of_one_writer_is_a_problem_of_one_line():
    parts, labels = np.array([0, 1, 2, 2, 2]), np.array([0, 0, 0, 1, 1])
    crossval.check_parts(parts, labels[[0, 1, 2, 0, 1]], ["cat"])
    with pytest.raises(Problem, match="class dog has too few writers"):
        crossval.check_parts(parts, labels, ["cat", "dog"])


def test_a_set_without_a_usable_picture_is_one_line_that_points_to_nothing_gone(tmp_path):
    (tmp_path / "set" / "7").mkdir(parents=True)
    (tmp_path / "set" / "7" / "blank.png").write_text("no picture")
    command = [sys.executable, PROJECT / "benchmarks" / "crossval.py", "--data", tmp_path / "set"]
    ran = subprocess.run([*command, "--out", tmp_path / "out.md"], capture_output=True, text=True, encoding="utf-8")
    assert ran.returncode == 2 and len(ran.stderr.splitlines()) == 1, ran.stderr
    assert "no usable picture" in ran.stderr and "run datapro.py by itself" in ran.stderr
    assert "refused.csv" not in ran.stderr


def test_a_wrong_label_is_found(tmp_path):
    for writer in range(20):
        hand = synthesize.make_writer(7, writer)
        for cls in "2", "4", "10":
            for i in range(8):
                grey, _ = synthesize.picture(cls, hand, np.random.default_rng([writer, int(cls), i]))
                # one 四 is filed under 二
                folder = "2" if (cls, writer, i) == ("4", 3, 0) else cls
                (tmp_path / "set" / folder).mkdir(parents=True, exist_ok=True)
                Image.fromarray(grey).save(tmp_path / "set" / folder / f"{cls}_writer-{writer}_{i}.png")
    command = [
        sys.executable,
        PROJECT / "benchmarks" / "crossval.py",
        "--data",
        tmp_path / "set",
        "--out",
        tmp_path / "out.md",
    ]
    options = ["--parts", "2", "--seeds", "1", "--epochs", "30", "--test-writers", "writer-0,writer-1,writer-2"]
    ran = subprocess.run([*command, *options], capture_output=True, text=True, encoding="utf-8")
    assert ran.returncode == 0, ran.stderr
    lines = (tmp_path / "out.md").read_text("utf-8").splitlines()
    seed, wrong, of, *_ = lines[2].strip("| ").split(" | ")
    assert seed == "0" and 1 <= int(wrong) < 20
    assert int(of) == 17 * 24  # all but those of the writers that were left out
    listed = [line for line in lines if "_writer-" in line]
    assert len(listed) == int(wrong)
    assert any(line.startswith("| 2/4_writer-3_0.png | 2 | 1 | 4 |") for line in listed), listed
    with Image.open(tmp_path / "out.png") as picture:
        assert picture.width > 500
