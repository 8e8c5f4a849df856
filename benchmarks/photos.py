"""Simulated photos of handwritten numerals: what do they cost in accuracy beside scans of the same?

A character is drawn once and taken twice: scanned, black on white, and photographed, as shuzi/drawing/photos.py does it.

Reads model.keras; prints a Markdown table of accuracy by condition, and how many photos of empty pages are known for
what they are (a tenth as many); and draws a contact sheet on request.
"""

import argparse
import io
import multiprocessing
import os

import cv2
import numpy as np
from PIL import Image
from tqdm import tqdm

from benchmarks.common import Report, share
from shuzi import ink
from shuzi.core.command import Problem, run
from shuzi.core.numerals import DEFAULT_CLASSES
from shuzi.drawing.photos import photograph
from shuzi.reading.reader import load_reader

ABOUT = """Each character is drawn once and taken twice: as a photo and as a scan, what it would be at best. In brackets:
95% confidence intervals."""
THUMBNAIL = 160  # pixels; longer side of a photo on the sheet


def _prepared(source):
    try:
        return ink.read_picture(source) if isinstance(source, bytes) else ink.prepare(source)
    except ink.PictureError:
        return np.full((ink.SIZE, ink.SIZE, 3), 255, np.uint8)  # which the model may guess at, and be wrong


def _empty_page(seed):
    """A photo of a page without writing, prepared; None if that was seen."""
    try:
        return ink.read_picture(photograph(None, seed)[0])
    except ink.NoInkError:
        return None


def _make(job):
    """One character both ways, prepared: (class, photo, scan, conditions, thumbnail of the photo)."""
    name, seed = job
    photo, scan, conditions = photograph(name, seed)
    image = Image.open(io.BytesIO(photo))
    image.draft("RGB", (2 * THUMBNAIL, 2 * THUMBNAIL))
    image.thumbnail((THUMBNAIL, THUMBNAIL))
    return name, _prepared(photo), _prepared(scan), sorted(conditions), np.asarray(image.convert("RGB"))


def draw_sheet(rows, path, columns=8):
    """Each photo as it was taken, what the model sees of it, and of the scan."""
    side = ink.SIZE
    width, height = THUMBNAIL + side + 8, max(THUMBNAIL, 2 * side) + 8
    sheet = np.full((-(-len(rows) // columns) * height, columns * width, 3), 128, np.uint8)
    for number, (_, photo, scan, _, thumbnail) in enumerate(rows):
        top, left = number // columns * height, number % columns * width
        sheet[top : top + thumbnail.shape[0], left : left + thumbnail.shape[1]] = thumbnail
        sheet[top : top + side, left + THUMBNAIL : left + THUMBNAIL + side] = photo
        sheet[top + side : top + 2 * side, left + THUMBNAIL : left + THUMBNAIL + side] = scan
    Image.fromarray(sheet).save(path)


def parse_arguments(argv):
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n\n")[0],
        epilog="example: python -m benchmarks.photos --model model.keras --count 2000 --sheet photos.png",
    )
    parser.add_argument("--model", default="model.keras", help="the trained model (default: model.keras)")
    parser.add_argument("--count", type=int, default=500, help="photos to take (default: 500)")
    parser.add_argument("--seed", type=int, default=0, help="of the first photo (default: 0)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes (default: one per core)")
    parser.add_argument("--sheet", metavar="FILE.png", help="draw the misread photos and some more")
    args = parser.parse_args(argv)
    if args.count < 1 or args.jobs < 1:
        parser.error("--count and --jobs are 1 or more")
    return args


def main(argv=None):
    args = parse_arguments(argv)
    reader = load_reader(args.model)
    names = [name for name in DEFAULT_CLASSES if name in reader.classes]
    if not names:
        raise Problem(f"{args.model}: reads none of the classes {', '.join(DEFAULT_CLASSES)}")
    jobs = [(names[i % len(names)], args.seed + i) for i in range(args.count)]
    with multiprocessing.get_context("spawn").Pool(args.jobs, cv2.setNumThreads, (1,)) as pool:
        rows = list(tqdm(pool.imap(_make, jobs, 4), total=len(jobs), unit="photo", disable=None))
        pages = pool.map(_empty_page, range(args.seed, args.seed + args.count // 10), 4)

    truth = np.array([reader.classes.index(row[0]) for row in rows])
    photo, scan = (reader.predict(np.stack([row[i] for row in rows])).argmax(1) == truth for i in (1, 2))
    with Report("Simulated photos of one numeral", ABOUT, argv) as say:
        say("| condition | photos | photo read right | scan read right |\n|---|---:|---:|---:|")
        for condition in ["all", *sorted(set().union(*(row[3] for row in rows)))]:
            of = np.array([condition == "all" or condition in row[3] for row in rows])
            say(
                f"| {condition} | {of.sum()} | {share(photo[of].sum(), of.sum())} | {share(scan[of].sum(), of.sum())} |"
            )
        if pages:
            inked = [page for page in pages if page is not None]
            unsure = np.sum(reader.is_unsure(reader.predict(np.stack(inked)))) if inked else 0
            say(f"Photos of empty pages: {len(pages)}; no ink found on {len(pages) - len(inked)}, unsure {unsure}.")
    if args.sheet:
        order = np.argsort(photo, kind="stable")[: max(80, min(400, int((~photo).sum())))]
        draw_sheet([rows[i] for i in order], args.sheet)
        print(args.sheet)
    return 0


if __name__ == "__main__":
    run(main)
