"""Strokes that are broken, blurred, thick, faded or coarse: how many of such pictures does a model still read?

The test pictures of a data.h5, as datapro.py prepared them, and the same with one fault each. Reads model.keras;
prints a Markdown table. With `--sheet` a PNG shows what the faults look like.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from benchmarks.common import Report, share
from shuzi.core.command import Problem, run
from shuzi.core.files import replacing
from shuzi.dataset.h5 import open_data
from shuzi.ink import SIZE
from shuzi.reading.reader import load_reader

# All take ink, float32 (64, 64), 0 paper to 1 full ink, and a generator of random numbers, and return the same.


def cut(ink, rng, lines=3, width=2):
    """Strokes cut by straight lines of paper from border to border."""
    for _ in range(lines):
        middle, angle = rng.uniform(10, SIZE - 10, 2), rng.uniform(0, np.pi)
        ink = erase(ink, middle, angle, 2 * SIZE, width)
    return ink


def skip(ink, rng, gaps=3, width=2):
    """Short gaps in the strokes, where the pen wrote nothing."""
    dark = np.argwhere(ink > 0.5)[:, ::-1]
    for _ in range(gaps):
        angle, reach = rng.uniform(0, np.pi), rng.uniform(3, 8)
        ink = erase(ink, dark[rng.integers(len(dark))], angle, reach, width)
    return ink


def erase(ink, middle, angle, reach, width):
    """Ink without a straight line, which goes `reach` pixels to either side of its middle (x, y)."""
    to_end = reach * np.array([np.cos(angle), np.sin(angle)])
    line = np.zeros(ink.shape, np.uint8)
    cv2.line(line, *(np.int32(middle + sign * to_end).tolist() for sign in (-1, 1)), 1, width)
    return ink * (1 - line)


def blur(ink, rng, sigma=2):
    blurred = cv2.GaussianBlur(ink, (0, 0), sigma)
    return blurred / blurred.max()


def thicken(ink, rng, width=5):
    return cv2.dilate(ink, np.ones((width, width), np.uint8))


def fade(ink, rng, faintest=0.3):
    """Here darker and there fainter."""
    weights = rng.uniform(faintest, 1, (4, 4)).astype(np.float32)
    return ink * cv2.resize(weights, ink.shape, interpolation=cv2.INTER_CUBIC).clip(faintest, 1)


def coarsen(ink, rng, side=20):
    """Black and white on so few pixels."""
    small = cv2.resize(ink, (side, side), interpolation=cv2.INTER_AREA)
    return cv2.resize(np.float32(small > 0.33), ink.shape, interpolation=cv2.INTER_LINEAR)


FAULTS = {
    "as they are": lambda ink, rng: ink,
    "3 short gaps, 2 pixels wide": skip,
    "6 short gaps, 3 pixels wide": lambda ink, rng: skip(ink, rng, 6, 3),
    "cut by 3 lines, 2 pixels wide": cut,
    "cut by 5 lines, 3 pixels wide": lambda ink, rng: cut(ink, rng, 5, 3),
    "blurred, 2 pixels": blur,
    "blurred, 3 pixels": lambda ink, rng: blur(ink, rng, 3),
    "thicker by 2 pixels a side": thicken,
    "faded to as little as 0.3": fade,
    "black and white on 20x20 pixels": coarsen,
}


def worn(pictures, fault, seed=0):
    """Pictures uint8 (n, 64, 64, 3), 0 ink to 255 paper, each with a fault; those without ink stay as they are."""
    rng = np.random.default_rng(seed)
    result = pictures.copy()
    for picture in result:
        ink = 1 - picture[..., 0].astype(np.float32) / 255
        if ink.max() > 0.5:
            picture[:] = np.round(255 * (1 - fault(ink, rng)))[..., None]
    return result


def main(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n\n")[0],
        epilog="example: python -m benchmarks.wear --data data.h5 --model model.keras",
    )
    parser.add_argument("--data", default="data.h5", help="whose test pictures are read (default: data.h5)")
    parser.add_argument("--model", default="model.keras", help="the trained model (default: model.keras)")
    parser.add_argument("--sheet", type=Path, metavar="FILE", help="a PNG of 16 pictures with each fault, a row each")
    args = parser.parse_args(argv)
    reader = load_reader(args.model)
    with open_data(args.data) as file:
        pictures, names = file["X_test"][:], file["classes"].asstr()[:][file["y_test"][:, 0]]
    if not set(names) <= set(reader.classes):
        raise Problem(f"{args.model}: does not read all of the classes of {args.data}")
    rows = []
    with Report(f"Faults in the test pictures of {Path(args.data).name}", __doc__.split("\n\n")[0], argv) as say:
        say(f"| {len(pictures):,} pictures | read right | unsure |\n|---|---:|---:|")
        for name, fault in FAULTS.items():
            faulty = worn(pictures, fault)
            rows.append(np.hstack(faulty[:16]))
            probabilities = reader.predict(faulty)
            right = np.array(reader.classes)[probabilities.argmax(axis=1)] == names
            say(f"| {name} | {share(right.sum(), len(right))} | {reader.is_unsure(probabilities).mean():.2%} |")
    if args.sheet:
        with replacing(args.sheet) as part:
            Image.fromarray(np.vstack(rows)).save(part, format="PNG")
    return 0


if __name__ == "__main__":
    run(main)
