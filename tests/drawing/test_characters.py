"""Strokes of thousands of characters, and of the bank capitals: whole, readable, and made again from their source."""

import json
import zipfile

import numpy as np
import pytest

from shuzi.core.command import Problem
from shuzi.drawing import capitals, characters
from shuzi.drawing.strokes import parse


def test_every_character_has_strokes_that_draw_takes():
    names = characters.known()
    assert len(names) == len(set(names)) == 9574
    for name in names:
        lines = characters.medians(name)
        assert len(lines) == characters.stroke_count(name)
        for line in lines:
            assert len(line) >= 2 and line.min() >= 0 and line.max() <= 1
    for name in names[::40]:
        for _, text in characters.ways(name).values():
            assert parse(text)


def test_number_and_direction_of_strokes():
    # as primary schools teach them
    for name, count in {"人": 2, "春": 9, "国": 8, "國": 11, "龍": 16, "凹": 5}.items():
        assert characters.stroke_count(name) == count
    down, across = characters.medians("十")[1], characters.medians("十")[0]
    assert down[-1, 1] - down[0, 1] > 0.5 and across[-1, 0] - across[0, 0] > 0.5


@pytest.mark.parametrize("name, hooks", [("了", 1), ("小", 1), ("也", 2), ("人", 0), ("山", 0), ("口", 0)])
def test_hooks_are_told_from_other_turns(name, hooks):
    assert sum(map(characters.is_hook, characters.medians(name))) == hooks


def test_a_character_that_is_not_there():
    for name in "\U00030000", "ab", "", "a":
        with pytest.raises(KeyError):
            characters.ways(name)


def test_every_capital_is_written_in_several_ways():
    for name in capitals.CLASSES:
        ways = capitals.ways(name)
        assert len(ways) >= 3, name
        for common, text in ways.values():
            strokes = parse(text)
            assert common > 0 and strokes
            points = np.concatenate([points for points, *_ in strokes])
            assert points.min() > -0.1 and points.max() < 1.1, name
    with pytest.raises(KeyError):
        capitals.ways("春")


def test_the_license_is_beside_the_data_and_says_what_was_changed():
    assert characters.LICENSE.read_text().startswith("ARPHIC PUBLIC LICENSE")
    with zipfile.ZipFile(characters.DATA) as archive:
        notice = archive.read("NOTICE.txt").decode()
    assert "This file was changed" in notice and "Arphic Technology" in notice
    assert characters.DATA.stat().st_size < 1_000_000


def test_the_file_is_made_again_byte_by_byte(tmp_path):
    (tmp_path / "package.json").write_text('{"version": "1.0"}')
    line = [[100, 800], [110, 780], [500, 780], [900, 800], [905, 790]]
    for name in "七人":
        (tmp_path / f"{name}.json").write_text(json.dumps({"medians": [line, [[500, 900], [500, -100]]]}))
    for out in "one.npz", "two.npz":
        assert characters.make(tmp_path, tmp_path / out) == 2
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()
    with pytest.raises(Problem, match="npm pack"):
        characters.make(tmp_path / "nowhere")
