"""Numerals drawn with a mouse on 28x28 pixels, thick and jagged: does a model read them that has seen only pens?

The strokes are those of synthesize.py's virtual writers, so that it is other hands and another pen at once for a model
that was trained on people's handwriting, and only another pen for one that was trained on the default set. With
--data they are the strokes of people: the test pictures of a data.h5, made as thin or thick as the bitmap's.
Bitmaps whose strokes run together, or that lose a hole, are left out: nobody could read many of them.

Reads model.keras; prints a Markdown table of accuracy by the strokes' width.
"""

import argparse

import cv2
import numpy as np

from benchmarks.common import Report, share
from shuzi import ink
from shuzi.core.command import Problem, run
from shuzi.core.numerals import DEFAULT_CLASSES, character
from shuzi.dataset.h5 import open_data
from shuzi.drawing import handwriting
from shuzi.reading.reader import load_reader

SIDE = 28  # pixels
WIDTHS = (2, 3, 4)  # pixels
SHAKE = 0.2  # pixels; standard deviation of a point's place
JAGGED = 0.12  # of a pixel; standard deviation of how much of it must be covered
FINE = 8  # how much finer the strokes are drawn to see what they look like
SEED = 1_000_005  # of the hands


def bitmap(points, width, scale=1):
    """Strokes in pixels -> black on white without grey, uint8 (28 * scale, 28 * scale)."""
    picture = np.full((SIDE * scale, SIDE * scale), 255, np.uint8)
    for line in points:
        cv2.polylines(picture, [np.int32((line * scale).round())], False, 0, width)
    return picture


def shape(picture):
    """How many parts the ink has, and how many the paper: strokes that run together, or a hole that fills, show in it."""
    black = (picture < 128).astype(np.uint8)
    return cv2.connectedComponents(black, connectivity=8)[0], cv2.connectedComponents(1 - black, connectivity=4)[0]


def draw(name, number, width):
    """One numeral of one hand, uint8 (28, 28), or None where its strokes run together."""
    rng = np.random.default_rng([SEED, number, DEFAULT_CLASSES.index(name)])
    points = [line for line, _ in handwriting.draw(name, handwriting.make_writer(SEED, number), rng)]
    low, high = np.min([line.min(0) for line in points], 0), np.max([line.max(0) for line in points], 0)
    factor = rng.uniform(19, 25) / (high - low).max()
    corner = (SIDE - (high - low) * factor) / 2 + rng.uniform(-1, 1, 2)
    points = [(line - low) * factor + corner for line in points]
    picture = bitmap([line + rng.normal(0, SHAKE, line.shape) for line in points], width)
    return picture if shape(picture) == shape(bitmap(points, FINE // 2, FINE)) else None


def of_hands(count):
    """[(class, width, bitmap or None)] of so many virtual writers."""
    drawn = []
    for number in range(count):
        width = WIDTHS[number % len(WIDTHS)]
        drawn += [(name, width, draw(name, number, width)) for name in DEFAULT_CLASSES]
    return drawn


def redraw(picture, width, rng):
    """A prepared picture, uint8 (64, 64), as a bitmap, uint8 (28, 28), or None where its strokes run together."""
    factor = rng.uniform(19, 25) / ink.INK_SIZE * FINE
    corner = (SIDE * FINE - factor * ink.SIZE) / 2 + rng.uniform(-FINE, FINE, 2)
    place = np.array([[factor, 0, corner[0]], [0, factor, corner[1]]])
    fine = np.uint8(cv2.warpAffine(255 - picture, place, (SIDE * FINE, SIDE * FINE)) > 127)
    inside = cv2.distanceTransform(fine, cv2.DIST_L2, 5)
    middle = (inside > 0) & (inside == cv2.dilate(inside, np.ones((3, 3))))
    missing = round(width * FINE / 2 - np.median(inside[middle]))
    change = cv2.dilate if missing > 0 else cv2.erode
    thick = change(fine, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * abs(missing) + 1,) * 2))
    share = cv2.resize(thick.astype(np.float32), (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    picture = np.where(share > rng.normal(0.5, JAGGED, share.shape), 0, 255).astype(np.uint8)
    return picture if shape(picture) == shape(255 - 255 * fine) else None


def of_people(data):
    """The same of the test pictures of a data.h5."""
    rng = np.random.default_rng(SEED)
    with open_data(data) as file:
        names = file["classes"].asstr()[:][file["y_test"][:, 0]]
        pictures = file["X_test"][:, :, :, 0]
    return [
        (name, width, redraw(picture, width, rng))
        for name, picture in zip(names, pictures, strict=True)
        if name in DEFAULT_CLASSES
        for width in WIDTHS
    ]


def main(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n\n")[0], epilog="example: python -m benchmarks.mouse --model model.keras"
    )
    parser.add_argument("--model", default="model.keras", help="the trained model (default: model.keras)")
    parser.add_argument("--hands", type=int, default=300, help="virtual writers (default: 300)")
    parser.add_argument("--data", help="redraw the test pictures of this data.h5 instead")
    args = parser.parse_args(argv)
    if args.hands < len(WIDTHS):
        parser.error(f"--hands is {len(WIDTHS)} or more")
    reader = load_reader(args.model)
    if not set(DEFAULT_CLASSES) <= set(reader.classes):
        raise Problem(f"{args.model}: does not read all of the classes {', '.join(DEFAULT_CLASSES)}")
    drawn = of_people(args.data) if args.data else of_hands(args.hands)
    legible = [each for each in drawn if each[2] is not None]
    if not legible:
        raise Problem(
            f"{args.data}: no test picture of the classes {', '.join(DEFAULT_CLASSES)} makes a legible bitmap"
        )
    names, widths, pictures = zip(*legible, strict=True)
    read = reader.predict(np.stack([ink.prepare(picture) for picture in pictures])).argmax(1)
    right = np.array([reader.classes[label] for label in read]) == names
    wrong = [character(name) for name, fine in zip(names, right, strict=True) if not fine]
    counts = ", ".join(f"{sign} {wrong.count(sign)}" for sign in dict.fromkeys(wrong))
    with Report("Numerals drawn with a mouse on 28x28 pixels", __doc__.split("\n\n")[1], argv) as say:
        say("| strokes of | bitmaps | read right |\n|---|---:|---:|")
        for width in WIDTHS:
            of = np.array(widths) == width
            say(f"| {width} pixels | {of.sum()} | {share(right[of].sum(), of.sum())} |")
        say(f"| all | {len(right)} | {share(right.sum(), len(right))} |")
        say(f"Misread: {counts or 'none'}. Left out: {len(drawn) - len(right)}.")
    return 0


if __name__ == "__main__":
    run(main)
