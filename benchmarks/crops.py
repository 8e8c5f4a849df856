"""Close crops, large and small: does a model read them as it reads the same writing on a page?

The strokes are those of synthesize.py's virtual writers, drawn with pens of three widths and cropped to the ink, or nearly: sharp
and clean, or soft and with noise; dark on light and light on dark. What matters is how far each row falls behind the last one,
the same strokes in the middle of a page. A crop of 一 alone is left out: there is hardly any paper on it.

Reads model.keras; prints a Markdown table.
"""

import argparse

import numpy as np

from benchmarks.common import Report, share
from shuzi import ink
from shuzi.core.command import Problem, run
from shuzi.drawing.crops import MARGINS, NAMES, SEED, SIDES, draw, take
from shuzi.reading.reader import load_reader


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

    with Report("Close crops", __doc__.split("\n\n")[1], argv) as say:
        say(
            "| longer side | margin | clean | soft, noisy | light on dark | the same, soft, noisy |\n|---|---|---|---|---|---|"
        )
        for side in SIDES:
            for margin in MARGINS:
                shares = [right(side, margin, soft, light) for light in (False, True) for soft in (False, True)]
                say(f"| {side} pixels | {margin:.0%} | {' | '.join(f'{each:.1%}' for each in shares)} |")
        on_a_page = share(right(SIDES[-1], 1) * len(truth), len(truth))
        say(f"{len(truth)} numerals; the same strokes on a page: {on_a_page}.")
    return 0


if __name__ == "__main__":
    run(main)
