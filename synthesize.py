"""Draws handwriting: strokes → hwtrainset/<class>/drawn_writer-<id>_<n>.png (or .jpg), by virtual writers."""

import argparse
import multiprocessing
import os
import re
import signal
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from shuzi.core.files import run
from shuzi.core.numerals import DEFAULT_CLASSES, class_name
from shuzi.drawing.handwriting import draw, make_writer, picture, render
from shuzi.drawing.strokes import WAYS
from shuzi.ink import NoInkError, read_picture


def encode(grey, suffix, rng):
    """The bytes of an image file; a picture of black and white only takes one bit a pixel."""
    if suffix == ".jpg":
        options = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(50, 92))]
    else:
        two = bool(np.isin(grey, (0, 255)).all())
        options = [cv2.IMWRITE_PNG_COMPRESSION, 9, *([cv2.IMWRITE_PNG_BILEVEL, 1] if two else [])]
    return cv2.imencode(suffix, grey, options)[1].tobytes()


def legible_picture(name, writer, rng):
    """An image file's bytes and suffix; drawn again where noise has drowned the strokes, once in 5,000 pictures."""
    while True:
        grey, suffix = picture(name, writer, rng)
        content = encode(grey, suffix, rng)
        try:
            read_picture(content)
        except NoInkError:
            continue
        return content, suffix


def write_pictures(job):
    """Draw and file one writer's pictures, return their paths. job: (folder, seed, writer, {class: count})."""
    folder, seed, number, counts = job
    writer = make_writer(seed, number)
    paths = []
    for name, count in counts.items():
        for k in range(count):
            rng = np.random.default_rng([seed, number, 100 + list(WAYS).index(name), k])
            content, suffix = legible_picture(name, writer, rng)
            path = Path(folder, name, f"drawn_writer-{number:03d}_{k + 1:02d}{suffix}")
            beside = path.with_suffix(".part")
            beside.write_bytes(content)
            os.replace(beside, path)
            paths.append(path)
    return paths


OWN = re.compile(r"drawn_writer-\d+_\d+\.(png|jpg|part)$")


def preview(names, seed, columns=12):
    """Every way of writing every class, each by `columns` writers: grey uint8 (h, w), labelled."""
    cell, label = 72, 190
    rows = []
    for name in names:
        for way in WAYS[name]:
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
    add("--classes", default=classes, help="such as 1,2,3 or 十,百, or all (default: %(default)s)")
    add("--per-class", type=int, default=1000, metavar="N", help="pictures a class (default: %(default)s)")
    add("--writers", type=int, metavar="N", help="virtual writers (default: one for 2 pictures of a class)")
    add("--seed", type=int, default=0, help="another number draws another set (default: %(default)s)")
    add("--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="processes (default: one a core)")
    add("--preview", metavar="FILE.png", help="draw a sheet of every way of writing instead")
    args = parser.parse_args(argv)

    names = [class_name(part.strip()) for part in args.classes.split(",")]
    args.names = list(WAYS) if args.classes == "all" else list(dict.fromkeys(names))
    for name in args.names:
        if name not in WAYS:
            parser.error(f"no strokes for class {name!r} in strokes.py; it has {', '.join(WAYS)}")
    if args.writers is None:
        args.writers = -(-args.per_class // 2)
    if args.per_class < 1 or args.writers < 1 or args.jobs < 1 or args.seed < 0:
        parser.error("--per-class, --writers and --jobs must be 1 or more, --seed 0 or more")
    return args


def main(argv=None):
    args = parse_arguments(argv)
    if args.preview:
        sheet = preview(args.names, args.seed)
        Path(args.preview).write_bytes(cv2.imencode(".png", sheet)[1].tobytes())
        ways = sum(len(WAYS[name]) for name in args.names)
        print(f"{args.preview}: {ways} ways of writing {len(args.names)} classes")
        return 0

    out = Path(args.out)
    for name in args.names:
        (out / name).mkdir(parents=True, exist_ok=True)
    jobs = []
    for number in range(1, min(args.writers, args.per_class) + 1):
        count = len(range(number, args.per_class + 1, args.writers))  # the writers take turns
        jobs.append((str(out), args.seed, number, dict.fromkeys(args.names, count)))
    written = set()
    with multiprocessing.Pool(min(args.jobs, len(jobs)), _start_process) as pool:
        done = pool.imap_unordered(write_pictures, jobs)
        for paths in tqdm(done, total=len(jobs), unit="writer", disable=None):
            written.update(paths)
    for name in args.names:
        for path in (out / name).iterdir():
            if OWN.match(path.name) and path not in written:
                path.unlink()  # drawn by a run before
    size = sum(path.stat().st_size for path in written)
    made = f"{len(written)} pictures, {len(args.names)} classes, {len(jobs)} writers, {size / 1e6:.1f} MB"
    print(f"{out}: {made}")
    return 0


def _start_process():
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the main process's to answer
    cv2.setNumThreads(1)


if __name__ == "__main__":
    run(main)
