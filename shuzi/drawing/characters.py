"""How 9,574 characters are written, simplified and traditional: the middle line of each stroke, in the pen's order.

`ways(character)` gives them in the notation of strokes.py, which `draw` takes; `medians` as points. They lie in
characters.npz, made from the npm package hanzi-writer-data, whose data Make Me a Hanzi (Shaunak Kishore) took from
fonts of Arphic Technology. That file, and it alone, is under the Arphic Public License, ARPHICPL.TXT beside it;
NOTICE.txt in it says what was changed. To make it again:

    npm pack hanzi-writer-data@2.0.1
    tar xzf hanzi-writer-data-2.0.1.tgz
    python -m shuzi.drawing.characters package
"""

import argparse
import io
import json
import math
import zipfile
from functools import lru_cache
from pathlib import Path

import numpy as np

from shuzi.core.command import Problem, run
from shuzi.core.files import replacing

DATA = Path(__file__).with_name("characters.npz")
LICENSE = Path(__file__).with_name("ARPHICPL.TXT")
NOTICE = """Strokes of {count} characters, from hanzi-writer-data {version} (npm), which has them from Make Me a Hanzi,
which derived them from the fonts AR PL UKai and AR PL KaitiM of Arphic Technology Co., Ltd.

This file was changed from those on 2026-11-28 by `python -m shuzi.drawing.characters`: outlines are left out; of the
medians, points that change little, and the short turns where a brush is set down and lifted, are left out; what
remains is rounded to 255 steps.

Copyright (C) 1999 Arphic Technology Co., Ltd. It is passed on, as it came, under the Arphic Public License,
ARPHICPL.TXT: you may copy, change and pass it on under that license, without any warranty.
"""

# In the package: 1024 units a side, y upwards from -124 to 900.
SIDE, TOP = 1024, 900
STEPS = 255
STRAIGHT = 0.015  # of the side: points that lie as near to the line between their neighbours are left out


# Making the file


def make(package, out=DATA):
    """Write characters.npz from a folder of <character>.json files. Returns their number. Raises Problem."""
    paths = [path for path in Path(package).glob("*.json") if len(path.stem) == 1]
    if not paths:
        raise Problem(
            f"{package} has no files like 七.json; unpack hanzi-writer-data there: npm pack hanzi-writer-data"
        )
    strokes, points, places = [], [], []
    paths.sort(key=lambda path: path.stem)
    for path in paths:
        whole = json.loads(path.read_text("utf-8"))["medians"]
        lines = [tidy((np.array(line, float) * [1, -1] + [0, TOP]) / SIDE) for line in whole]
        strokes.append(len(lines))
        points += map(len, lines)
        places += lines
    whole = np.concatenate(places)
    steps = np.diff(np.clip(np.round(whole * STEPS), 0, STEPS).astype(np.uint8), axis=0, prepend=np.uint8([[0, 0]]))
    arrays = {
        "characters": np.array([ord(path.stem) for path in paths], np.uint32),
        "strokes": np.array(strokes, np.uint8),
        "points": np.array(points, np.uint8),
        "steps": np.ascontiguousarray(steps.T),  # x, then y: steps from point to point, modulo 256
    }
    version = json.loads((Path(package) / "package.json").read_text("utf-8")).get("version", "?")
    with replacing(out) as part, zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:

        def write(name, content):  # always with the same date, so that a package makes one file
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED, 9)

        write("NOTICE.txt", NOTICE.format(count=f"{len(paths):,}", version=version))
        for name, array in arrays.items():
            file = io.BytesIO()
            np.save(file, array)
            write(f"{name}.npy", file.getvalue())
    return len(paths)


def tidy(line):
    """A stroke, float (n, 2) in 0..1, y downwards, of few points, and without the turns of a brush that is set down."""
    line = line[np.r_[True, np.any(np.diff(line, axis=0) != 0, axis=1)]]
    if len(line) < 2:
        line = np.concatenate([line, line + 1 / STEPS])[:2]
    line = _simplify(line)
    for _ in range(2):  # at the start; then, turned round, at the end, where a sharp turn upwards is a hook
        first = line[1] - line[0]
        if len(line) > 2 and np.hypot(*first) < 0.045 and _turn(first, line[2] - line[1]) > 35:
            line = line if is_hook(line[::-1]) else line[1:]
        line = line[::-1]
    return line


def _simplify(line):
    """Leaves out points that lie within STRAIGHT of the line without them (Ramer 1972; Douglas and Peucker 1973)."""
    keep, parts = {0, len(line) - 1}, [(0, len(line) - 1)]
    while parts:
        a, b = parts.pop()
        if b - a < 2:
            continue
        x, y = line[b] - line[a]
        off = np.abs(x * (line[a + 1 : b, 1] - line[a, 1]) - y * (line[a + 1 : b, 0] - line[a, 0]))
        furthest = int(off.argmax())
        if off[furthest] > STRAIGHT * max(math.hypot(x, y), 1e-6):
            keep.add(a + 1 + furthest)
            parts += [(a, a + 1 + furthest), (a + 1 + furthest, b)]
    return line[sorted(keep)]


def _turn(one, two):
    """Degrees, 0-180, between two directions."""
    cross, dot = one[0] * two[1] - one[1] * two[0], one @ two
    return abs(math.degrees(math.atan2(cross, dot)))


def is_hook(line):
    """Whether a stroke, float (n, 2), ends in a hook: a short sharp turn upwards, to the left or steep (亅 乚 ㇆)."""
    if len(line) < 3:
        return False
    last, before = line[-1] - line[-2], line[-2] - line[-3]
    upwards = last[1] < 0 and (last[0] < 0 or last[1] < -0.8 * last[0])
    return bool(upwards and np.hypot(*last) < 0.25 and _turn(before, last) > 55)


# Reading it


@lru_cache(maxsize=1)
def _load():
    """(index of each character, first stroke (n + 1,), first point (strokes + 1,), points uint8 (m, 2))."""
    with np.load(DATA) as data:
        index = {chr(code): i for i, code in enumerate(data["characters"])}
        first_stroke = np.r_[0, np.cumsum(data["strokes"], dtype=np.int64)]
        first_point = np.r_[0, np.cumsum(data["points"], dtype=np.int64)]
        return index, first_stroke, first_point, np.cumsum(data["steps"], axis=1, dtype=np.uint8).T


def known():
    """All characters that can be drawn from this file, a list in the order of Unicode."""
    return list(_load()[0])


def medians(character):
    """The strokes of a character in the pen's order: a list of float (n, 2), 0..1, y downwards. Raises KeyError."""
    index, first_stroke, first_point, points = _load()
    i = index[character]
    bounds = first_point[first_stroke[i] : first_stroke[i + 1] + 1]
    return [points[a:b] / STEPS for a, b in zip(bounds, bounds[1:])]


def stroke_count(character):
    """How many strokes a character has. Raises KeyError."""
    index, first_stroke, _, _ = _load()
    return int(first_stroke[index[character] + 1] - first_stroke[index[character]])


@lru_cache(maxsize=4096)
def ways(character):
    """Ways of writing a character: {name: (how common, strokes in the notation of strokes.py)}. Raises KeyError.

    "regular" has the strokes as a copybook has them; where one ends near the next one's start, a hasty writer may
    drag the pen. "running" does not lift it there.
    """
    return styles(medians(character))


def styles(lines):
    """The same of strokes, a list of float (n, 2)."""
    regular = _text(lines, dragged=0.4, joined=0)
    running = _text(lines, dragged=0.5, joined=0.22)
    found = {"regular": (4, regular)}
    if running != regular:
        found["running"] = (1.5, running)
    return found


def _text(lines, dragged, joined):
    """Notation of strokes: `~` after those that end within `dragged` of the next; within `joined` they are one."""
    text, in_one_go = "", 0
    for line, following in zip(lines, [*lines[1:], None]):
        hook = is_hook(line)
        words = [f"{100 * x:.0f},{100 * y:.0f}" for x, y in line]
        for k in range(1, len(line) - 1):
            words[k] += "!" * (_turn(line[k] - line[k - 1], line[k + 1] - line[k]) > 50)
        if hook:
            words[-1] = f"({words[-1]})"
        text += " ".join(words)
        if following is None:
            return text
        gap = np.hypot(*(following[0] - line[-2 if hook else -1]))
        if gap < joined and not hook and in_one_go < 3:  # with more in one go, no one could read it
            text += "! "
            in_one_go += 1
        else:
            text += " ~ " if gap < dragged else " | "
            in_one_go = 0
    raise ValueError("no strokes")


def main(argv=None):
    parser = argparse.ArgumentParser(
        description="Makes characters.npz, the strokes of 9,574 characters, from the npm package hanzi-writer-data.",
        epilog="example: npm pack hanzi-writer-data, tar xzf hanzi-writer-data-*.tgz, "
        "python -m shuzi.drawing.characters package",
    )
    parser.add_argument("package", metavar="FOLDER", help="the unpacked package")
    parser.add_argument("--out", default=DATA, type=Path, metavar="FILE.npz", help="(default: beside this program)")
    args = parser.parse_args(argv)
    count = make(args.package, args.out)
    print(f"{args.out}: {count:,} characters, {args.out.stat().st_size / 1e6:.2f} MB; its license: {LICENSE.name}")
    return 0


if __name__ == "__main__":
    run(main)
