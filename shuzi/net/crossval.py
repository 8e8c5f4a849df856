"""Which pictures are misread by nets that have seen nothing of their writers? What is filed wrongly tends to come first.

Cross-validation: the training pictures of data.h5 are divided by writer into parts, and those of each part are read by a
net of cnn.ipynb that has learned from the others. The test pictures are not looked at (the notebook shows the mistakes
among them), so that what is chosen by this can still be tested on them. Writes a Markdown table of the pictures that were
misread, most often misread first, and a PNG that shows them.
"""

import argparse
import csv
import hashlib
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import h5py
import matplotlib
import numpy as np

from shuzi.core import numerals
from shuzi.core.command import Problem, run
from shuzi.core.files import replacing
from shuzi.core.fonts import find_cjk_font
from shuzi.core.text import shown
from shuzi.dataset.h5 import open_data
from shuzi.dataset.split import choose_parts, make_groups
from shuzi.net import notebook

MOST = 96  # misread pictures that are drawn, and a fifth of it printed; the file has all
COLUMNS = "y", "files", "writers"  # of data.h5, beside the pictures


def divide(labels: np.ndarray, writers: np.ndarray, pictures: np.ndarray, parts: int) -> np.ndarray:
    """The part, 0 to parts - 1, of each picture: all of a writer in one, and all copies of a picture.

    labels: int (n,). writers: str (n,), empty where unknown. Returns int (n,). Raises Problem.
    """
    names = np.unique(writers)
    if len(names) < parts and "" not in names:
        raise Problem(
            f"the training pictures are of {len(names)} writers, too few for {parts} parts; take fewer: --parts"
        )
    digests = [hashlib.blake2b(picture.tobytes(), digest_size=16).digest() for picture in pictures]
    return choose_parts(labels, make_groups(writers.tolist(), digests), parts, np.random.default_rng(0))


def check_parts(part_of: np.ndarray, labels: np.ndarray, classes: Sequence[str]) -> None:
    """Each class must be in two parts at least, or a net would be asked for what it never saw. Raises Problem."""
    for label, name in enumerate(classes):
        if len(np.unique(part_of[labels == label])) < 2:
            raise Problem(
                f"class {shown(name)} has too few writers or pictures to divide; add some, or leave its folder out"
            )


def write_part(path: Path, data: h5py.File, pictures: np.ndarray, columns: dict, in_part: np.ndarray) -> None:
    """A data.h5 whose test pictures are those of one part, and whose training pictures are all others."""
    with h5py.File(path, "w") as out:
        out.attrs.update(data.attrs)
        data.copy("classes", out)
        for side, chosen in ("train", ~in_part), ("test", in_part):
            out[f"X_{side}"] = pictures[chosen]
            for name in COLUMNS:
                out.create_dataset(f"{name}_{side}", data=columns[name][chosen], dtype=data[f"{name}_train"].dtype)


def read_all(args: argparse.Namespace, folder: Path) -> Iterator:
    """Train the nets, and read. Yields (seed, float (n, classes)): probabilities of each picture.

    The first that it yields are (classes, true labels int (n,), pictures uint8 (n, 64, 64, 3), files).
    """
    with open_data(args.data) as data:
        pictures = data["X_train"][:]
        columns = {name: data[f"{name}_train"][:] for name in COLUMNS}
        classes = data["classes"].asstr()[:]
        labels = columns["y"].ravel()
        part_of = divide(labels, data["writers_train"].asstr()[:], pictures, args.parts)
        check_parts(part_of, labels, classes)
        for part in range(args.parts):
            write_part(folder / f"{part}.h5", data, pictures, columns, part_of == part)
        yield classes, labels, pictures, [name.decode() for name in columns["files"]]
    for seed in range(args.seeds):
        probabilities = np.empty((len(pictures), len(classes)), np.float32)
        for part in range(args.parts):
            begin = time.perf_counter()
            parameters = {"data": folder / f"{part}.h5", "seed": seed}
            if args.epochs:
                parameters["epochs"] = args.epochs
            names = notebook.run_cells_before("fit", {"parameters": parameters})
            for tag in "fit", "calibrate":
                notebook.run_cell(tag, names)
            probabilities[part_of == part] = names["model"].predict(pictures[part_of == part], verbose=0)
            names["file"].close()
            seconds = time.perf_counter() - begin
            print(f"seed {seed}, part {part + 1} of {args.parts}: read after {seconds:.0f} s", file=sys.stderr)
        yield seed, probabilities


def sources(raw: Path, files: Sequence[str]) -> list[str]:
    """Where the pictures of data.h5 come from, as raw_data/manifest.csv has it; else their names in raw_data."""
    try:
        with open(raw / "manifest.csv", encoding="utf-8-sig", newline="") as file:
            source_of = {row["file"]: row["source"] for row in csv.DictReader(file)}
    except (OSError, KeyError, ValueError):
        source_of = {}
    return [source_of.get(name, name) for name in files]


def measure(args: argparse.Namespace, folder: Path) -> Iterator[str]:
    """Yields the lines of the report; draws the misread."""
    rounds = read_all(args, folder)
    classes, labels, pictures, files = next(rounds)
    names = sources(args.raw, files)
    yield "| seed | misread | of | right |\n|---:|---:|---:|---:|"
    times, total = np.zeros(len(labels), int), 0
    for seed, read in rounds:
        wrong = read.argmax(axis=1) != labels
        times += wrong
        total = total + read
        yield f"| {seed} | {wrong.sum()} | {len(labels):,} | {1 - wrong.mean():.2%} |"
    mean = total / args.seeds
    order = sorted(np.flatnonzero(times), key=lambda i: (-times[i], mean[i, labels[i]]))
    likeliest = np.where(np.arange(len(classes)) == labels[:, None], -1, mean).argmax(axis=1)
    yield f"\n| picture | labelled | misread, of {args.seeds} | likeliest else | probability of the label |\n|---|---|---:|---|---:|"
    for i in order:
        row = shown(names[i]), classes[labels[i]], times[i], classes[likeliest[i]], f"{mean[i, labels[i]]:.2f}"
        yield "| " + " | ".join(map(str, row)) + " |"
    titles = [(classes[labels[i]], classes[likeliest[i]], times[i]) for i in order[:MOST]]
    with replacing(args.out.with_suffix(".png")) as path:
        draw(path, pictures[order[:MOST]], titles)


def draw(path: Path, pictures: np.ndarray, titles: Sequence[tuple]) -> None:
    """The misread, 8 in a row, each with (its label, what it was taken for, how often) above."""
    matplotlib.use("agg")
    from matplotlib import pyplot

    if font := find_cjk_font():
        pyplot.rcParams["font.family"] = [font, *pyplot.rcParams["font.family"]]
    rows = max(1, -(-len(pictures) // 8))
    figure, axes = pyplot.subplots(rows, 8, figsize=(10, rows * 1.6), squeeze=False)
    for axis in axes.flat:
        axis.axis("off")
    for axis, picture, (label, taken_for, times) in zip(axes.flat, pictures, titles):
        axis.imshow(picture)
        names = [numerals.character(name) if font else name for name in (label, taken_for)]
        axis.set_title(f"{names[0]} as {names[1]}, {times}x", fontsize=9)
    figure.tight_layout(pad=0.4)
    figure.savefig(path, format="png", dpi=100)
    pyplot.close(figure)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m shuzi.net.crossval",
        description=__doc__.split("\n")[0],
        epilog="example: python -m shuzi.net.crossval data.h5 --epochs 20",
    )
    add = parser.add_argument
    add("data", nargs="?", default="data.h5", type=Path, help="what test.py made (default: data.h5)")
    add("--raw", default="raw_data", type=Path, metavar="FOLDER", help="tells the pictures' names (default: raw_data)")
    add("--parts", type=int, default=3, metavar="N", help="of the set, one net each (default: %(default)s)")
    add("--seeds", type=int, default=2, metavar="N", help="nets of each part (default: %(default)s)")
    add("--epochs", type=int, metavar="N", help="(default: those of cnn.ipynb)")
    add("--out", default="results/crossval.md", type=Path, metavar="FILE", help="(default: %(default)s)")
    args = parser.parse_args(argv)
    if args.parts < 2 or args.seeds < 1 or (args.epochs is not None and args.epochs < 1):
        parser.error("--parts must be 2 or more, --seeds and --epochs 1 or more")
    lines = []
    args.out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="crossval-") as folder:
        for line in measure(args, Path(folder)):
            lines.append(line)
            if len(lines) <= args.seeds + MOST // 5:
                print(line, flush=True)
    with replacing(args.out) as part:
        part.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{args.out} lists the misread, {args.out.with_suffix('.png')} shows them")
    return 0


if __name__ == "__main__":
    run(main)
