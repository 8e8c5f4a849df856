"""Numbers written in several characters: how many are cut apart and read right?

Writes numbers by putting single characters of one hand side by side, in one to three lines or in a column, with
differing sizes and gaps, and reads them as predict.py does. Characters come from `synthesize.py`, hands that
the default set does not hold, or from a folder of class folders. Prints a Markdown table.
"""

import argparse
import math
import re
from collections import defaultdict
from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from tqdm import tqdm

from benchmarks.common import Report
from shuzi import ink
from shuzi.core.command import run
from shuzi.core.numerals import VALUES, character, class_name, write_number
from shuzi.drawing import handwriting
from shuzi.reading.characters import read_picture
from shuzi.reading.reader import load_reader
from shuzi.reading.table import rows_of

SIZE = 96  # pixels; about a character's longer side
SEED = 1_000_003  # of the hands


class DrawnHand:
    """A virtual writer of synthesize.py."""

    def __init__(self, seed, rng):
        self.writer = handwriting.make_writer(SEED, seed)
        self.rng = rng
        self.width = float(np.clip(self.writer.width, 0.015, 0.10))

    def write(self, name, size):
        """One character: (ink float32 (h, w), top in parts of the size)."""
        strokes = handwriting.draw(name, self.writer, self.rng)
        top = min(points[:, 1].min() for points, _ in strokes)
        return handwriting.render(strokes, self.writer.pen, self.width, size, self.rng, self.writer.edge), top


class FolderHand:
    """A writer of a folder of class folders: pictures: {class: paths}."""

    def __init__(self, pictures, rng):
        self.pictures, self.rng = pictures, rng
        # pictures of one writer are of one scale, so that sizes stay as they were written
        extents = [max(self._cut(paths[0]).shape) for paths in pictures.values()]
        self.extent = float(np.median(extents))

    def _cut(self, path):
        found = ink.find_ink(ink.open_picture(path).rgb).ink
        rows, columns = np.flatnonzero((found > 0.3).any(1)), np.flatnonzero((found > 0.3).any(0))
        return found[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]

    def write(self, name, size):
        paths = self.pictures[name]
        cut = self._cut(paths[self.rng.integers(len(paths))])
        factor = size / self.extent
        shape = max(1, round(cut.shape[1] * factor)), max(1, round(cut.shape[0] * factor))
        return cv2.resize(cut, shape, interpolation=cv2.INTER_LINEAR), 0.5 - shape[1] / size / 2


def hands_of(folder, classes):
    """The writers of a folder that wrote each of the classes: list of {class: paths}."""
    hands = defaultdict(lambda: defaultdict(list))
    for path in sorted(Path(folder).glob("*/*")):
        name, writer = class_name(path.parent.name), re.search(r"writer-([0-9a-zA-Z]+)", path.name)
        if name in classes and writer:
            hands[writer[1]][name].append(path)
    return [dict(pictures) for pictures in hands.values() if len(pictures) == len(classes)]


def random_number(classes, rng):
    """A number that the classes can write: (text, value); half of them by place, as years are written."""
    digits = [name for name in classes if name in ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]]
    while True:
        if rng.random() < 0.4:
            names = rng.choice(digits, rng.integers(2, 7))
            return "".join(character(str(name)) for name in names), int("".join(names))
        number = int(10 ** rng.uniform(1.05, 5.5 if "10000" in classes else 2))
        if rng.random() < 0.3:
            number = int(float(f"{number:.1g}"))
        text = write_number(number)
        if len(text) > 1 and all(str(VALUES[c]) in classes for c in text):
            return text, number


def write_line(text, hand, rng, gap, down=False):
    """Ink of one line or column: float32 (h, w)."""
    signs = []
    for c in text:
        size = SIZE * math.exp(rng.normal(0, 0.08))
        sign, top = hand.write(str(VALUES[c]), size)
        signs.append((sign, top * size))
    step = [gap * SIZE * math.exp(rng.normal(0, 0.3)) for _ in signs]
    canvas = np.zeros((4 * SIZE + 4 * SIZE * len(text), 6 * SIZE + 4 * SIZE * len(text)), np.float32)
    at = 3 * SIZE
    drift = rng.normal(0, 0.03)
    for (sign, top), space in zip(signs, step, strict=True):
        h, w = sign.shape
        wobble = rng.normal(0, 0.05) * SIZE
        if down:
            y, x = at, 3 * SIZE - w / 2 + wobble
            at += h + space
        else:
            y, x = 2 * SIZE + top + wobble + drift * at, at
            at += w + space
        y, x = max(0, round(y)), max(0, round(x))
        view = canvas[y : y + h, x : x + w]
        np.maximum(view, sign[: view.shape[0], : view.shape[1]], out=view)
    rows, columns = np.flatnonzero(canvas.any(1)), np.flatnonzero(canvas.any(0))
    return canvas[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def write_picture(hand, classes, kind, rng):
    """A picture of numbers: (grey uint8 (h, w), texts of the lines, numbers)."""
    texts, numbers = zip(
        *(random_number(classes, rng) for _ in range(kind if isinstance(kind, int) else 1)), strict=True
    )
    gap = rng.uniform(0.10, 0.45)
    lines = [write_line(text, hand, rng, gap * (1.5 if kind == "column" else 1), kind == "column") for text in texts]
    space = round(rng.uniform(0.35, 1.0) * SIZE)
    height = sum(line.shape[0] for line in lines) + space * (len(lines) - 1)
    page = np.zeros((height + SIZE, max(line.shape[1] for line in lines) + SIZE), np.float32)
    y = SIZE // 2
    for line in lines:
        x = SIZE // 2
        page[y : y + line.shape[0], x : x + line.shape[1]] = line
        y += line.shape[0] + space
    grey = 235 * (1 - 0.85 * page) + rng.normal(0, 3, page.shape)
    return grey.clip(0, 255).astype(np.uint8), texts, numbers


def read(grey, reader):
    """As predict.py reads it: a row for each character."""
    return rows_of(read_picture(grey, reader))


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0], epilog="example: python -m benchmarks.lines")
    add = parser.add_argument
    add("--model", default="model.keras", help="(default: %(default)s)")
    add("--data", metavar="FOLDER", help="class folders with writer-<id> in the files' names (default: drawn hands)")
    add("--pictures", type=int, default=300, metavar="N", help="of each kind (default: %(default)s)")
    add("--save", metavar="FOLDER", help="put the pictures that were read wrong there")
    args = parser.parse_args(argv)
    reader = load_reader(args.model)
    classes = [name for name in reader.classes if name in handwriting.WAYS]
    hands = hands_of(args.data, classes) if args.data else None
    if hands == []:
        parser.error(f"{args.data} has no writer who wrote each of the classes of {args.model}")
    with Report("Numbers of several characters", __doc__.split("\n\n")[1], argv) as say:
        say("| numbers in | cut right | characters right | numbers right |\n|---|---|---|---|")
        for kind, title in ((1, "one line"), (2, "two lines"), (3, "three lines"), ("column", "a column")):
            cut = right = total = numbers_right = numbers_total = 0
            for seed in tqdm(range(args.pictures), desc=title, disable=None):
                rng = np.random.default_rng([seed, len(title)])
                hand = FolderHand(hands[rng.integers(len(hands))], rng) if hands else DrawnHand(seed, rng)
                grey, texts, numbers = write_picture(hand, classes, kind, rng)
                rows = read(grey, reader)
                seen = "".join(character(row.best[0][0]) for row in rows)
                expected = "".join(texts)
                cut += len(seen) == len(expected)
                total += len(expected)
                right += sum(a == b for a, b in zip(seen, expected, strict=False)) if len(seen) == len(expected) else 0
                notes = [int(word) for row in rows for word in re.findall(r"number (\d+)", row.note)]
                numbers_total += len(numbers)
                numbers_right += (
                    sum(a == b for a, b in zip(notes, numbers, strict=False)) if len(notes) == len(numbers) else 0
                )
                if args.save and seen != expected:
                    Path(args.save).mkdir(parents=True, exist_ok=True)
                    Image.fromarray(grey).save(Path(args.save, f"{'-'.join(texts)}_{seen}_{seed}.png"))
            say(f"| {title} | {cut / args.pictures:.1%} | {right / total:.1%} | {numbers_right / numbers_total:.1%} |")
    return 0


if __name__ == "__main__":
    run(main)
