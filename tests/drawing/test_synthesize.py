"""synthesize.py: what it draws, that it draws the same again, and that other people's files stay."""

import os
import re
import signal
import subprocess
import sys

import cv2
import numpy as np
import pytest
from common import PROJECT as ROOT
from common import call

from shuzi import ink
from shuzi.core.numerals import ALL_CLASSES, DEFAULT_CLASSES
from shuzi.drawing import handwriting as synthesize
from shuzi.drawing import strokes


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def command(*arguments):
    return call("synthesize.py", *(() if "--jobs" in arguments else ("--jobs", 0)), *arguments)


def contents(folder):
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_every_numeral_has_strokes_that_can_be_read():
    assert sorted(strokes.WAYS) == sorted(ALL_CLASSES)
    for ways in strokes.WAYS.values():
        assert len(ways) >= 5
        for common, text in ways.values():
            assert common > 0
            for points, corners, _hook, _joinable in strokes.parse(text):
                assert len(points) == len(corners) >= 2
                assert points.min() >= -0.05 and points.max() <= 1.05


@pytest.mark.parametrize("text", ["10,10", "10,10 20;30", "10,10 (20,20) 30,30", "10,10 20,20 | 5,5"])
def test_strokes_that_make_no_sense_are_named(text):
    with pytest.raises(ValueError, match=r"point|hook"):
        strokes.parse(text)


def test_notation():
    first, second = strokes.parse("10,20 50,60! 90,20 ~ 0,0 50,50 (40,30)")
    np.testing.assert_allclose(first[0], [[0.1, 0.2], [0.5, 0.6], [0.9, 0.2]])
    assert first[1].tolist() == [False, True, False] and not first[2] and first[3]
    assert second[2] and not second[3]
    assert second[1].tolist() == [False, True, False]  # the pen turns into the hook


def test_a_writer_is_always_the_same_and_no_two_pictures_are():
    writer = synthesize.make_writer(0, 5)
    assert writer == synthesize.make_writer(0, 5) != synthesize.make_writer(1, 5)
    rngs = map(np.random.default_rng, (1, 1, 2))
    one, again, other = (synthesize.picture("5", writer, rng)[0] for rng in rngs)
    assert np.array_equal(one, again)
    assert one.shape != other.shape or not np.array_equal(one, other)


def test_pictures_of_one_writer_are_more_alike_than_of_two():
    def pictures(number):
        writer = synthesize.make_writer(0, number)._replace(pen="gel pen")
        drawn = [synthesize.draw("7", writer, np.random.default_rng(k), "regular") for k in range(4)]
        inks = [synthesize.render(one, "gel pen", 0.06, 60, None) for one in drawn]
        small = [cv2.GaussianBlur(cv2.resize(ink.place(i)[:, :, 0], (16, 16)), (0, 0), 1) for i in inks]
        return np.array(small, float).reshape(4, -1)

    hands = [pictures(number) for number in range(1, 13)]
    within = np.mean([np.linalg.norm(hand[0] - hand[1]) for hand in hands])
    between = np.mean([np.linalg.norm(hands[i][0] - hands[i - 1][0]) for i in range(len(hands))])
    assert within < 0.8 * between


@pytest.mark.parametrize("pen", synthesize.PENS)
def test_every_pen_leaves_ink_where_the_strokes_are(pen):
    rng = np.random.default_rng(0)
    writer = synthesize.make_writer(0, 1)._replace(pen=pen, slant=0, rise=0)
    low, high = synthesize.PENS[pen].width
    for width in (max(low, 0.02), high):
        result = synthesize.render(synthesize.draw("10", writer, rng, "regular"), pen, width, 80, rng)
        assert result.dtype == np.float32 and result.min() >= 0 and result.max() <= 1
        middle = result[result.shape[0] // 4 : -result.shape[0] // 4]
        assert (middle.max(axis=1) > 0.2).mean() > 0.8  # the upright stroke goes all the way through
        assert result[:, 0].max() > 0.05 and result[0].max() > 0.05  # cropped to the ink


@pytest.mark.parametrize("paper", [*synthesize.PAPERS, "screen"])
def test_every_paper_gives_a_picture_that_can_be_read(paper):
    for number in range(1, 9):
        rng = np.random.default_rng(number)
        writer = synthesize.make_writer(3, number)
        strokes_drawn = synthesize.draw("6", writer, rng)
        drawn = synthesize.render(strokes_drawn, "gel pen", 0.06, 50, rng)
        grey, suffix = synthesize.capture(drawn, paper, rng, 0.9)
        assert grey.dtype == np.uint8 and grey.ndim == 2
        data = synthesize.encode(grey, suffix, rng)
        assert ink.read_picture(data).shape == (64, 64, 3)


def test_command_draws_class_folders_with_writers(tmp_path):
    size = ("--per-class", 7, "--writers", 3, "--jobs", 2)
    result = command("--out", "set", "--classes", "3,十,亿", *size)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    assert result.stdout.splitlines()[-1].startswith("set: 21 pictures, 3 classes, 3 writers")
    assert sorted(path.name for path in (tmp_path / "set").iterdir()) == ["10", "100000000", "3"]
    for folder in (tmp_path / "set").iterdir():
        names = [path.name for path in folder.iterdir()]
        assert len(names) == 7
        writers = [re.search(r"writer-(\d+)_\d+\.(png|jpg)$", name)[1] for name in names]
        assert sorted(writers) == ["001"] * 3 + ["002"] * 2 + ["003"] * 2


def test_same_seed_same_bytes_whatever_the_number_of_processes(tmp_path):
    for out, seed, jobs in (("one", 4, 0), ("two", 4, 3), ("other", 5, 0)):
        arguments = ("--out", out, "--classes", "5,9", "--per-class", 6, "--seed", seed, "--jobs", jobs)
        assert command(*arguments).returncode == 0
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    assert contents(tmp_path / "one") != contents(tmp_path / "other")


def test_a_class_looks_the_same_whichever_others_are_drawn(tmp_path):
    assert command("--out", "one", "--classes", "8", "--per-class", 4).returncode == 0
    assert command("--out", "two", "--classes", "2,8", "--per-class", 4).returncode == 0
    assert contents(tmp_path / "one" / "8") == contents(tmp_path / "two" / "8")


def test_any_characters_and_the_capitals(tmp_path):
    result = command("--out", "one", "--classes", "春,夏,鳳,貳,capitals", "--per-class", 1)
    assert result.returncode == 0, result.stderr
    assert "22 classes" in result.stdout  # 貳 is of class 贰, which is among the capitals
    for path in (tmp_path / "one").rglob("*.*g"):
        ink.read_picture(path)
    assert command("--out", "two", "--classes", "鳳", "--per-class", 1).returncode == 0
    assert contents(tmp_path / "one" / "鳳") == contents(tmp_path / "two" / "鳳")


def test_own_pictures_stay_and_older_drawn_ones_go(tmp_path):
    own = {"7/writer-001_01.png": b"a", "7/drawn_writer-me_1.png": b"b", "mei/a.jpg": b"c", "README.md": b"d"}
    for name, data in own.items():
        path = tmp_path / "set" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    assert command("--out", "set", "--classes", "7", "--per-class", 8).returncode == 0
    assert command("--out", "set", "--classes", "7", "--per-class", 3).returncode == 0
    after = contents(tmp_path / "set")
    assert {name: after[name] for name in own} == own
    assert len(after) == len(own) + 3


def test_preview_shows_every_way_of_writing(tmp_path):
    result = command("--preview", "ways.png", "--classes", "7,8")
    assert result.returncode == 0, result.stderr
    ways = len(strokes.WAYS["7"]) + len(strokes.WAYS["8"])
    assert f"{ways} ways" in result.stdout
    sheet = cv2.imread(str(tmp_path / "ways.png"), cv2.IMREAD_GRAYSCALE)
    rows = sheet[:, 200:].reshape(ways, -1)
    assert (rows.min(axis=1) < 50).all()  # ink in each
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ways.png"]


@pytest.mark.parametrize(
    "arguments, says",
    [
        (["--classes", "7,Q"], "Q"),
        (["--per-class", "0"], "1 or more"),
        (["--writers", "-3"], "1 or more"),
        (["--out", "file"], "file"),
        (["--preview", "no/such/folder.png"], "folder.png"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(tmp_path, arguments, says):
    (tmp_path / "file").write_text("not a folder")
    result = command(*arguments)
    assert result.returncode == 2
    assert "Traceback" not in result.stderr
    assert says in result.stderr.splitlines()[-1]
    assert (tmp_path / "file").read_text() == "not a folder"
    assert len(list(tmp_path.iterdir())) == 1


def test_the_default_set_is_what_it_is_said_to_be():
    folder = ROOT / "hwtrainset"
    writers, size = set(), 0
    for name in DEFAULT_CLASSES:
        drawn = list((folder / name).glob("drawn_writer-*"))
        assert len(drawn) >= 240
        writers |= {re.search(r"writer-(\d+)", path.name)[1] for path in drawn}
        size += sum(path.stat().st_size for path in drawn)
    assert len(writers) >= 60
    assert size <= 15_000_000
    readme = (folder / "README.md").read_text(encoding="utf-8")
    assert f"{len(writers):,} virtual writers" in readme
    assert f"{len(drawn):,} of each class" in readme


def test_every_picture_of_the_default_set_can_be_read():
    """Of 一, that is, which has the least ink; datapro.py would end with exit code 1 on a clone's first run."""
    for path in (ROOT / "hwtrainset" / "1").glob("drawn_writer-*"):
        ink.read_picture(path)


def test_what_noise_has_drowned_is_drawn_again(monkeypatch):
    drawn = iter(
        [np.full((60, 60), 200, np.uint8), cv2.line(np.full((60, 60), 200, np.uint8), (9, 30), (50, 30), 0, 4)]
    )
    monkeypatch.setattr(synthesize, "picture", lambda *_: (next(drawn), ".png"))
    content, suffix = synthesize.legible_picture("1", None, np.random.default_rng(0))
    assert suffix == ".png" and ink.read_picture(content).min() < 50
    assert next(drawn, None) is None


def test_the_default_set_is_drawn_by_the_program_as_it_is():
    writer = synthesize.make_writer(0, 11)
    for path in (ROOT / "hwtrainset" / "4").glob("drawn_writer-011_01.*"):
        rng = np.random.default_rng([0, 11, 100 + list(strokes.WAYS).index("4"), 0])
        grey, suffix = synthesize.picture("4", writer, rng)
        assert suffix == path.suffix
        stored = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_GRAYSCALE)
        assert stored.shape == grey.shape
        if suffix == ".png":
            assert np.abs(stored.astype(int) - grey).mean() < 2  # other platforms round differently
        return
    raise AssertionError("drawn_writer-011_01 is not in class 4")


FAULTY = """
import os, signal
import synthesize
from shuzi.drawing import handwriting

def make_writer(seed, number):
    if number == 2:
        raise IndexError("a fault")
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return handwriting.make_writer(seed, number)

synthesize.make_writer = make_writer
if __name__ == "__main__":
    synthesize.run(synthesize.main)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="POSIX signals")
def test_a_writer_that_fails_is_left_out_and_the_others_draw(tmp_path):
    (tmp_path / "faulty.py").write_text(FAULTY)
    line = [sys.executable, "faulty.py", "--out", "set", "--classes", "1", "--per-class", "5", "--writers", "5"]
    result = subprocess.run(line, env=dict(os.environ, PYTHONPATH=str(ROOT)), capture_output=True, text=True)
    assert result.returncode == 1 and "3 pictures, 1 classes, 3 writers" in result.stdout
    assert [said.partition(": ")[2] for said in result.stderr.splitlines()] == [
        "writer 2 is left out: the program failed on it, IndexError: a fault",
        "writer 3 is left out: the program crashed on it",
    ]
    assert len(list((tmp_path / "set" / "1").iterdir())) == 3
