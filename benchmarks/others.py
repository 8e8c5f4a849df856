"""Pictures that are no numeral: how many are flagged as unsure, and what does that cost real numerals?

Draws other Chinese characters, letters, digits and scribbles with the virtual writers, pens and papers of
synthesize.py, writers that no set for training holds, and reads them as predict.py does. None of it is ever
trained on.
"""

import argparse
import math
import re
from collections import Counter, namedtuple
from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from tqdm import tqdm

from benchmarks import other_characters as signs
from benchmarks.common import Report
from shuzi import ink
from shuzi.core.command import run
from shuzi.core.numerals import character, class_name
from shuzi.dataset.h5 import DataError, open_data
from shuzi.drawing import handwriting
from shuzi.net.calibration import calibration_error, lead
from shuzi.reading.reader import load_reader

# of one kind of sign: pictures (n, 64, 64, 3), the best probability of each, and the character it is read as
Group = namedtuple("Group", "title pictures names lead read_as")
WRITERS = 2_000_003  # the first seed of these writers, far from those of sets for training
PRICE = 0.01  # share of numerals that may be flagged
ABOUT = __doc__.split("\n\n")[1]


def other_characters(per_character, seed):
    """Draw Chinese characters that are no numerals, prepared as for reading.

    Every picture comes from a writer of its own. Returns (pictures uint8 (n, 64, 64, 3), names: list of n
    characters), per_character pictures of each. The same numbers draw the same pictures.
    """
    return draw_all(simple_characters() | middling_characters(), per_character, seed)


def simple_characters():
    """Those with few strokes, the nearest to numerals: {character: ways of writing, as in strokes.py}."""
    return dict(signs.CHARACTERS)


def middling_characters():
    """The same of those with more strokes, or of several parts."""
    compounds = {name: _put_together(parts) for name, parts in signs.COMPOUNDS.items()}
    return _one_way(signs.MIDDLING) | _one_way(compounds)


def _one_way(strokes):
    return {name: {"regular": (1, text)} for name, text in strokes.items()}


def _put_together(parts):
    """The strokes of a compound: each part's, moved into its box."""
    texts = []
    for name, left, top, right, bottom in parts:
        text = signs.PARTS.get(name) or signs.CHARACTERS[name]["regular"][1]

        def move(point, left=left, top=top, right=right, bottom=bottom):
            x, y = float(point[1]), float(point[2])
            return f"{left + x * (right - left) / 100:.1f},{top + y * (bottom - top) / 100:.1f}"

        texts.append(re.sub(r"(-?[\d.]+),(-?[\d.]+)", move, text))
    return " | ".join(texts)


def scribbles(count, seed):
    """{name: ways of writing} of `count` scribbles, by turns of six kinds."""
    kinds = (_tangle, _zigzag, _spiral, _hatching, _sticks, _dots)
    rng = np.random.default_rng([WRITERS, seed])
    texts = {}
    for i in range(count):
        kind = kinds[i % len(kinds)]
        strokes = (" ".join(f"{x:.1f},{y:.1f}" for x, y in stroke) for stroke in kind(rng))
        texts[f"{kind.__name__[1:]} {i}"] = " | ".join(strokes)
    return _one_way(texts)


def _tangle(rng):
    return [rng.uniform(0, 100, (rng.integers(8, 25), 2))]


def _zigzag(rng):
    n = rng.integers(6, 16)
    return [np.stack([np.linspace(0, 100, n), 50 + 40 * (-1.0) ** np.arange(n) + rng.normal(0, 6, n)], 1)]


def _spiral(rng):
    turns = rng.uniform(2, 5)
    angle = np.linspace(0, turns * 2 * math.pi, int(turns * 9))
    radius = np.linspace(5, 50, len(angle)) + rng.normal(0, 2, len(angle))
    return [50 + np.stack([np.cos(angle), np.sin(angle)], 1) * radius[:, None]]


def _hatching(rng):
    starts = np.linspace(20, 100, rng.integers(5, 12))
    return [[(x, rng.uniform(0, 12)), (x - rng.uniform(0, 30), rng.uniform(88, 100))] for x in starts]


def _sticks(rng):
    return [rng.uniform(0, 100, (2, 2)) for _ in range(rng.integers(4, 9))]


def _dots(rng):
    dots = rng.uniform(0, 100, (rng.integers(4, 10), 1, 2))
    return [dot + rng.uniform(-4, 4, (2, 2)) for dot in dots]


def draw_all(ways, per_name, seed):
    """Draw any {name: ways of writing}: (pictures uint8 (n, 64, 64, 3), names: list of n)."""
    names = [name for name in ways for _ in range(per_name)]
    pictures = np.empty((len(names), ink.SIZE, ink.SIZE, 3), np.uint8)
    for i, name in enumerate(tqdm(names, desc="drawing", leave=False, disable=None)):
        pictures[i] = _draw_one(name, ways[name], np.random.default_rng([WRITERS, seed, i]), seed)
    return pictures, names


def _draw_one(name, ways, rng, seed):
    many = all(len(re.findall("[|~]", text)) > 5 for _, text in ways.values())
    for _ in range(20):
        writer = handwriting.make_writer(WRITERS + seed, int(rng.integers(1 << 40)))
        if many:  # nobody writes many strokes that small, or with that broad a pen
            writer = writer._replace(size=max(writer.size, 28), width=min(writer.width, 0.09))
        grey, _ = handwriting.picture(name, writer, rng, ways)
        try:
            return ink.prepare(grey)
        except ink.NoInkError:
            continue  # too faint to be found; another writer's turn
    raise ValueError(f"no ink is found in any picture of {name!r}")


def spots_and_blanks(count, seed):
    """Pictures without writing: (those in which ink is found, uint8 (n, 64, 64, 3), number of those refused).

    By turns empty paper, and one to three blots.
    """
    rng = np.random.default_rng([WRITERS, seed, 1])
    pictures = []
    for i in range(count):
        size = int(rng.integers(80, 300))
        mark = np.zeros((size, size), np.float32)
        for _ in range(rng.integers(1, 4) if i % 2 else 0):
            middle = rng.integers(0.2 * size, 0.8 * size, 2).tolist()
            axes = rng.integers(0.02 * size + 1, 0.2 * size, 2).tolist()
            cv2.ellipse(mark, middle, axes, rng.uniform(0, 180), 0, 360, 1.0, -1, cv2.LINE_AA)
        grey, _ = handwriting.capture(mark, str(rng.choice(["scan", "photo"])), rng, rng.uniform(0.6, 1))
        try:
            pictures.append(ink.prepare(grey))
        except ink.NoInkError:
            continue
    return np.array(pictures, np.uint8).reshape(-1, ink.SIZE, ink.SIZE, 3), count - len(pictures)


def read_test_part(path, reader):
    """Probabilities and true labels (the model's) of the test part of data.h5. Raises DataError."""
    with open_data(path) as data:
        classes = [class_name(name) for name in data["classes"].asstr()[:]]
        unknown = [name for name in classes if name not in reader.classes]
        if unknown:
            raise DataError(f"{path} has classes the model lacks: {', '.join(unknown)}; train it on them")
        labels = np.array([reader.classes.index(name) for name in classes])[data["y_test"][:, 0]]
        pictures = data["X_test"]
        parts = [reader.predict(pictures[at : at + 1024]) for at in range(0, len(pictures), 1024)]
    return np.concatenate(parts), labels


def auroc(numerals, others):
    """The chance that a numeral's lead is above another picture's; ties count half."""
    others = np.sort(others)
    below = np.searchsorted(others, numerals, "left") + np.searchsorted(others, numerals, "right")
    return float(below.mean() / 2 / len(others))


def read_groups(per_character, seed, reader):
    """Draw everything and read it. Returns a list of Groups; the first two are the other characters."""
    look_alikes = {name: text for name, (_, text) in signs.LOOK_ALIKES.items()}
    ways = {
        "characters of few strokes": simple_characters(),
        "characters of more strokes": middling_characters(),
        "letters": _one_way(signs.LETTERS),
        "digits": _one_way(signs.DIGITS),
        "look-alikes": _one_way(look_alikes),
    }
    known = {character(name) for name in reader.classes}  # these are trained on, and no others
    drawn = []
    for title, group in ways.items():
        others = {name: way for name, way in group.items() if name not in known}
        drawn.append((title, *draw_all(others, per_character, seed)))
    drawn.append(("scribbles", *draw_all(scribbles(15 * per_character, seed), 1, seed)))

    groups = []
    for title, pictures, names in drawn:
        probabilities = reader.predict(pictures)
        read_as = [character(reader.classes[label]) for label in probabilities.argmax(1)]
        kinds = [name.split()[0] for name in names]  # "zigzag 7" is a zigzag
        groups.append(Group(title, pictures, np.array(kinds), lead(probabilities), np.array(read_as)))
    return groups


def save_sheet(path, groups, limit, columns=20):
    """All groups' prepared pictures as one: a row a sign, those below the limit in a red frame."""
    rows = []
    for group in groups:
        for name in dict.fromkeys(group.names):
            row = np.full((ink.SIZE, ink.SIZE * columns, 3), 255, np.uint8)
            for k, i in enumerate(np.flatnonzero(group.names == name)[:columns]):
                cell = row[:, k * ink.SIZE : (k + 1) * ink.SIZE]
                cell[:] = group.pictures[i]
                if group.lead[i] < limit:
                    cell[[0, -1]] = cell[:, [0, -1]] = (220, 0, 0)
            rows.append(row)
    Image.fromarray(np.vstack(rows)).save(path)


def flagged_least(groups, limit, count):
    """Markdown table of the `count` signs that are flagged least, and what they are taken for."""
    rows = []
    for group in groups:
        for name in dict.fromkeys(group.names):
            mine = group.names == name
            passed = mine & (group.lead >= limit)
            taken = " ".join(f"{sign} {n}" for sign, n in Counter(group.read_as[passed]).most_common(3))
            flagged = 1 - passed.sum() / mine.sum()
            rows.append((flagged, f"| {name} | {flagged:.0%} | {taken} |"))
    rows.sort(key=lambda row: row[0])
    return ["| sign | flagged | where not, read as |", "|---|---|---|", *(row for _, row in rows[:count])]


def make_report(args, reader, groups):
    """The lines of the report, Markdown."""
    limit = reader.unsure_below
    others = np.concatenate([group.lead for group in groups[:2]])
    probabilities, labels = read_test_part(args.data, reader)
    numerals = lead(probabilities)
    blots, refused = spots_and_blanks(100, args.seed)
    flagged = refused + int(reader.is_unsure(reader.predict(blots)).sum())
    strict = float(np.quantile(numerals, PRICE))

    lines = [
        f"{Path(args.model).name}: unsure below a lead of {limit:.2f}. {args.per_character} pictures of each sign, "
        f"seed {args.seed}; numerals: the test part of {Path(args.data).name}.",
        "",
        "| pictures | number | flagged |",
        "|---|---|---|",
        f"| **other characters** | {len(others)} | **{(others < limit).mean():.1%}** |",
        f"| **numerals: the price** | {len(numerals)} | **{(numerals < limit).mean():.2%}** |",
    ]
    for group in groups:
        lines.append(f"| {group.title} | {len(group.names)} | {(group.lead < limit).mean():.1%} |")
    lines += [
        f"| spots and empty paper ({refused} found to hold no ink) | 100 | {flagged}.0% |",
        "",
        f"At a price of {PRICE:.0%} (unsure below {strict:.2f}), {(others < strict).mean():.1%} of the other "
        "characters would be flagged.",
        f"AUROC of the lead, numerals against other characters: {auroc(numerals, others):.4f}.",
        f"Numerals: accuracy {(probabilities.argmax(1) == labels).mean():.2%}, expected calibration error "
        f"{calibration_error(probabilities, labels):.4f} (15 bins).",
        "",
        "Other characters that are flagged least:",
        "",
        *flagged_least(groups[:2], limit, 15),
        "",
        "Letters and digits that are flagged least:",
        "",
        *flagged_least(groups[2:4], limit, 8),
        "",
        "Signs that are written like a numeral: "
        + ", ".join(f"{name} like {character(of)}" for name, (of, _) in signs.LOOK_ALIKES.items())
        + ".",
        "",
        *flagged_least([groups[4]], limit, len(signs.LOOK_ALIKES)),
    ]
    return lines


def parse_arguments(argv):
    parser = argparse.ArgumentParser(
        description="Measure how many pictures of no numeral are flagged as unsure, and the price of it.",
        epilog="example: python -m benchmarks.others --per-character 5 --sheet others.png",
    )
    add = parser.add_argument
    add("--model", default="model.keras", help="(default: %(default)s)")
    add("--data", default="data.h5", help="with its test part (default: %(default)s)")
    add("--per-character", type=int, default=20, metavar="N", help="of each sign (default: %(default)s)")
    add("--seed", type=int, default=0, help="of the drawing (default: %(default)s)")
    add("--sheet", metavar="FILE.png", help="save what was drawn; red: flagged")
    args = parser.parse_args(argv)
    if args.per_character < 1 or args.seed < 0:
        parser.error("--per-character must be 1 or more, --seed 0 or more")
    return args


def main(argv=None):
    args = parse_arguments(argv)
    open_data(args.data).close()  # before minutes of drawing
    reader = load_reader(args.model)
    with Report("Pictures that are no numeral", ABOUT, argv) as say:
        groups = read_groups(args.per_character, args.seed, reader)
        for line in make_report(args, reader, groups):
            say(line)
    if args.sheet:
        save_sheet(args.sheet, groups, reader.unsure_below)
        print(f"{args.sheet}: rows", *(name for group in groups for name in dict.fromkeys(group.names)))
    return 0


if __name__ == "__main__":
    run(main)
