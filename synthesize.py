"""Draws handwriting: strokes → hwtrainset/<class>/drawn_writer-<id>_<n>.png (or .jpg), by virtual writers."""

import argparse
import functools
import os
import re
import sys
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from shuzi.core.command import Problem, run
from shuzi.core.numerals import DEFAULT_CLASSES, class_name
from shuzi.core.text import shown, split_names
from shuzi.core.workers import LOAD, Failure, Workers
from shuzi.drawing.handwriting import draw, legible_picture, make_writer, render
from shuzi.drawing.ways import expand, number_of, ways_of

OWN = re.compile(r"drawn_writer-\d+_\d+\.(png|jpg|part)$")


def write_pictures(folder, seed, jobs):
    """Runs in a worker: draws and files pictures of writers, returns a list of paths for each.

    jobs: list of (writer, {class: count}).
    """
    cv2.setNumThreads(1)  # the writers are what runs in parallel
    return [write_writer(folder, seed, number, counts) for number, counts in jobs]


def write_writer(folder, seed, number, counts):
    writer = make_writer(seed, number)
    paths = []
    for name, count in counts.items():
        for k in range(count):
            rng = np.random.default_rng([seed, number, 100 + number_of(name), k])
            content, suffix = legible_picture(name, writer, rng)
            path = Path(folder, name, f"drawn_writer-{number:03d}_{k + 1:02d}{suffix}")
            beside = path.with_suffix(".part")
            beside.write_bytes(content)
            os.replace(beside, path)
            paths.append(path)
    return paths


def preview(names, seed, columns=12):
    """Every way of writing every class, each by `columns` writers: grey uint8 (h, w), labelled."""
    cell, label = 72, 190
    rows = []
    for name in names:
        for way in ways_of(name):
            row = np.full((cell, label + cell * columns), 255, np.uint8)
            cv2.putText(row, name, (6, 30), cv2.FONT_HERSHEY_SIMPLEX, 0.55, 0, 1, cv2.LINE_AA)
            cv2.putText(row, way, (6, 54), cv2.FONT_HERSHEY_SIMPLEX, 0.45, 90, 1, cv2.LINE_AA)
            for i in range(columns):
                writer = make_writer(seed, i + 1)._replace(width=0.035)
                rng = np.random.default_rng([seed, i + 1, 7])
                ink = render(draw(name, writer, rng, way), "gel pen", 0.035, 54, rng)
                h, w = (min(cell - 4, length) for length in ink.shape)
                y, x = (cell - h) // 2, label + i * cell + (cell - w) // 2
                row[y : y + h, x : x + w] = 255 - np.round(255 * ink[:h, :w])
            rows.append(row)
    return np.vstack(rows)


def parse_arguments(argv):
    parser = argparse.ArgumentParser(
        description="Draw handwriting into class folders. A class drawn anew loses the pictures drawn before "
        "(drawn_writer-*); every other file in its folder, your own handwriting, stays as it is.",
        epilog="example: python synthesize.py --out more --classes all --per-class 2000",
    )
    add = parser.add_argument
    add("--out", default="hwtrainset", metavar="FOLDER", help="where to write (default: %(default)s)")
    classes = ",".join(DEFAULT_CLASSES)
    add(
        "--classes",
        default=classes,
        metavar="NAMES",
        help="any characters, such as 1,2,3 or 春,夏; all: 零 to 亿; capitals: 壹 to 仟, 两 元 圆 角 分 整 正; or "
        "all,capitals (default: %(default)s)",
    )
    add("--per-class", type=int, default=1000, metavar="N", help="pictures a class (default: %(default)s)")
    add("--writers", type=int, metavar="N", help="virtual writers (default: one for 2 pictures of a class)")
    add("--seed", type=int, default=0, help="another number draws another set (default: %(default)s)")
    add("--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="processes (default: one a core)")
    add("--preview", metavar="FILE.png", help="draw a sheet of every way of writing instead")
    args = parser.parse_args(argv)

    args.names = expand([class_name(name) for name in split_names(args.classes)])
    for name in args.names:
        try:
            ways_of(name)
        except KeyError:
            parser.error(f"no strokes of {name!r}; there are those of 9,574 Chinese characters, each a class by itself")
    if not args.names:
        parser.error("--classes names none")
    if args.writers is None:
        args.writers = -(-args.per_class // 2)
    if args.per_class < 1 or args.writers < 1 or args.jobs < 0 or args.seed < 0:
        parser.error("--per-class and --writers must be 1 or more, --seed and --jobs 0 or more")
    return args


def main(argv=None):
    args = parse_arguments(argv)
    if args.preview:
        if not Path(args.preview).parent.is_dir():  # before eight seconds are drawn
            raise Problem(f"{shown(args.preview)}: its folder is not there; make it, or choose another place")
        sheet = preview(args.names, args.seed)
        Path(args.preview).write_bytes(cv2.imencode(".png", sheet)[1].tobytes())
        ways = sum(len(ways_of(name)) for name in args.names)
        print(f"{args.preview}: {ways} ways of writing {len(args.names)} classes")
        return 0

    out = Path(args.out)
    for name in args.names:
        (out / name).mkdir(parents=True, exist_ok=True)
    jobs = []
    for number in range(1, min(args.writers, args.per_class) + 1):
        count = len(range(number, args.per_class + 1, args.writers))  # the writers take turns
        jobs.append((number, dict.fromkeys(args.names, count)))
    written, failed = set(), 0
    with Workers(functools.partial(write_pictures, str(out), args.seed), min(args.jobs, len(jobs))) as workers:
        done = workers.map(jobs, load=lambda job: LOAD / 4)
        for (number, _), paths in tqdm(done, total=len(jobs), unit="writer", disable=None):
            if isinstance(paths, Failure):
                failed += 1
                print(f"synthesize.py: writer {number} is left out: {paths.reason}", file=sys.stderr)
            else:
                written.update(paths)
    for name in args.names:
        for path in (out / name).iterdir():
            if OWN.match(path.name) and path not in written:
                path.unlink()  # drawn by a run before
    size = sum(path.stat().st_size for path in written)
    made = f"{len(written)} pictures, {len(args.names)} classes, {len(jobs) - failed} writers, {size / 1e6:.1f} MB"
    print(f"{out}: {made}")
    return 1 if failed else 0


if __name__ == "__main__":
    run(main)
