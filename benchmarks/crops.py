"""Close crops, large and small: does a model read them as it reads the same writing on a page?

The strokes are those of synthesize.py's virtual writers, drawn with pens of three widths and cropped to the ink, or nearly: sharp
and clean, or soft and with noise; dark on light and light on dark. What matters is how far each row falls behind the last one,
the same strokes in the middle of a page. A crop of 一 alone is left out: there is hardly any paper on it.

Reads model.keras; prints a Markdown table.
"""

import argparse

import cv2
import numpy as np

from shuzi import ink
from shuzi.core.command import Problem, run
from shuzi.core.numerals import DEFAULT_CLASSES
from shuzi.drawing import handwriting as synthesize
from shuzi.reading.reader import load_reader

SIDES = (28, 40, 100, 400)  # pixels; longer side of the ink
MARGINS = (0, 0.05)  # of that side
WIDTHS = (0.04, 0.07, 0.1)  # of that side
SEED = 3_000_017  # of the hands
NAMES = [name for name in DEFAULT_CLASSES if name != "1"]


def draw(name, number, side, margin):
    """Ink of one numeral of one hand, float (h, w), 0 paper to 1 ink; the width of its pen goes by the number."""
    rng = np.random.default_rng([SEED, number, NAMES.index(name)])
    points = [line for line, _ in synthesize.draw(name, synthesize.make_writer(SEED, number), rng)]
    low, high = np.min([line.min(0) for line in points], 0), np.max([line.max(0) for line in points], 0)
    width = max(1, round(WIDTHS[number % len(WIDTHS)] * side))
    factor = (side - width) / (high - low).max()
    edge = round(margin * side)
    columns, rows = np.maximum(np.ceil((high - low) * factor).astype(int) + width + 2 * edge, 6)
    picture = np.zeros((rows, columns), np.uint8)
    for line in points:
        place = np.int32((16 * ((line - low) * factor + edge + width / 2)).round())
        cv2.polylines(picture, [place], False, 255, width, cv2.LINE_AA, 4)
    return picture / 255


def take(strokes, soft, rng):
    """A picture of the ink, uint8 (h, w), dark on light."""
    if not soft:
        return np.uint8(255 - 255 * strokes)
    strokes = cv2.GaussianBlur(strokes, (0, 0), 0.7)
    return np.uint8(np.clip(225 - 155 * strokes + rng.normal(0, 3, strokes.shape), 0, 255))


def prepared(picture):
    try:
        return ink.prepare(picture)
    except ink.PictureError:
        return np.full((ink.SIZE, ink.SIZE, 3), 255, np.uint8)  # counts as misread, but by chance


def main(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n\n")[0], epilog="example: python -m benchmarks.crops --model model.keras"
    )
    parser.add_argument("--model", default="model.keras", help="the trained model (default: model.keras)")
    parser.add_argument("--hands", type=int, default=60, help="virtual writers (default: 60)")
    args = parser.parse_args(argv)
    if args.hands < 1:
        parser.error("--hands is 1 or more")
    reader = load_reader(args.model)
    if not set(NAMES) <= set(reader.classes):
        raise Problem(f"{args.model}: does not read all of the classes {', '.join(NAMES)}")
    truth = np.array([reader.classes.index(name) for _ in range(args.hands) for name in NAMES])

    def right(side, margin, soft=False, light=False):
        rng = np.random.default_rng(SEED)
        pictures = [take(draw(name, number, side, margin), soft, rng) for number in range(args.hands) for name in NAMES]
        pictures = [prepared(255 - picture if light else picture) for picture in pictures]
        return (reader.predict(np.stack(pictures)).argmax(1) == truth).mean()

    print(
        "| longer side | margin | clean | soft, noisy | light on dark | the same, soft, noisy |\n|---|---|---|---|---|---|"
    )
    for side in SIDES:
        for margin in MARGINS:
            shares = [right(side, margin, soft, light) for light in (False, True) for soft in (False, True)]
            print(f"| {side} pixels | {margin:.0%} | {' | '.join(f'{share:.1%}' for share in shares)} |", flush=True)
    print(f"{len(truth)} numerals; on a page: {right(SIDES[-1], 1):.1%}")
    return 0


if __name__ == "__main__":
    run(main)
