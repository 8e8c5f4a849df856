"""Real pictures, and those of reported situations, read out of the archives they come in.

A job is (kind, what to read, truth); `load` gives the bytes of the file that a person would hand in.
"""

import csv
import functools
import io
import re
import zipfile
from pathlib import PurePosixPath

import cv2
import numpy as np

from shuzi.core.numerals import class_name

OUT = 0.12  # of a cell's side; how far beside its lines a person cuts, at most
MARGIN = 3  # pixels from the inside of a cell to the middle of its lines


@functools.lru_cache(maxsize=1)
def _page(archive, member):
    with zipfile.ZipFile(archive) as file:
        return cv2.imdecode(np.frombuffer(file.read(member), np.uint8), cv2.IMREAD_COLOR)


def sheet_cells(archive, only, offsets):
    """Jobs for the filled cells of the sheets numbered in `only`, rows of jokes left out: cut inside the lines, and
    `offsets` times with them.
    """
    with zipfile.ZipFile(archive) as file:
        names = {PurePosixPath(name).stem: name for name in file.namelist() if name.lower().endswith((".jpg", ".png"))}
        table = next(name for name in file.namelist() if name.endswith("cells.csv"))
        rows = list(csv.DictReader(io.TextIOWrapper(file.open(table), "utf-8-sig")))
    jobs = []
    for row in rows:
        number = int(re.sub(r"\D", "", row["sheet"]))
        if number not in only or row["playful"] == "1":
            continue
        box = tuple(int(row[side]) for side in ("left", "top", "right", "bottom"))
        where = names[row["sheet"]], box, number * 10_000 + int(row["row"]) * 100 + int(row["column"])
        jobs.append(("real cells, inside the lines", (str(archive), *where, None), row["column"]))
        for k in range(offsets):
            jobs.append(("real cells, with all their lines", (str(archive), *where, ("all", k)), row["column"]))
            jobs.append(("real cells, cut by eye", (str(archive), *where, ("any", k)), row["column"]))
    return jobs


def cell(archive, member, box, number, cut):
    """One cell of a sheet, cut out: bytes of a file. cut: None, or (how, which time)."""
    page = _page(archive, member)
    left, top, right, bottom = box
    side = max(right - left, bottom - top)
    rng = np.random.default_rng([number, 0 if cut is None else 1 + 2 * cut[1] + (cut[0] == "any")])
    if cut is None:
        out = np.full(4, -2.0)
    elif cut[0] == "all":
        out = rng.uniform(MARGIN + 2, OUT * side, 4)
    else:
        out = rng.uniform(-OUT * side, OUT * side, 4)
    out = np.round(out).astype(int)
    grey = cv2.cvtColor(page, cv2.COLOR_BGR2GRAY)
    inner = grey[top + 3 : bottom - 3, left + 3 : right - 3]
    dark = inner < np.percentile(inner, 80) - 45
    for i, line in enumerate(
        (dark.any(0), dark.any(0)[::-1], dark.any(1), dark.any(1)[::-1])
    ):  # nobody cuts into the writing
        first = int(np.argmax(line)) if line.any() else 0
        out[i] = max(out[i], -(first + 1))
    x0, x1, y0, y1 = left - out[0], right + out[1], top - out[2], bottom + out[3]
    crop = page[max(0, y0) : y1, max(0, x0) : x1]
    if number % 2:
        return cv2.imencode(".png", crop)[1].tobytes()
    return cv2.imencode(".jpg", crop, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(75, 96))])[1].tobytes()


def situations(archive):
    """Jobs for every picture, by the name of its situation; the folder is the class."""
    jobs = []
    for name in _pictures(archive):
        path = PurePosixPath(name)
        situation = re.sub(r"-\w+_\d+$", "", path.stem)
        jobs.append((f"situation: {situation}", (str(archive), name), class_name(path.parent.name)))
    return sorted(jobs)


def others(archive, kept):
    """Jobs for characters that are no numerals; of folders that end in 6 only where `kept`, and then only those."""
    names = [name for name in _pictures(archive) if PurePosixPath(name).parent.name.endswith("6") == kept]
    return [("other characters, to be unsure of", (str(archive), name), None) for name in names]


def _pictures(archive):
    with zipfile.ZipFile(archive) as file:
        return sorted(name for name in file.namelist() if name.lower().endswith((".jpg", ".jpeg", ".png")))


def load(source):
    """The bytes of a job's file."""
    if len(source) == 2:
        with zipfile.ZipFile(source[0]) as file:
            return file.read(source[1])
    return cell(*source)
