"""Are any characters learned from drawings alone? 100 by chance, drawn from one source of strokes and read from another.

synthesize.py draws characters.py's strokes; a net of cnn.ipynb learns them, by the project's own steps; and it reads the
same characters drawn from KanjiVG's strokes, another hand's, with writers that no set has. Real handwriting is harder.
"""

import argparse
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np

from benchmarks.common import Report, finish, pack, share
from benchmarks.kanjivg import KanjiVG
from shuzi import ink
from shuzi.core.command import run
from shuzi.drawing import characters
from shuzi.drawing.handwriting import make_writer, picture
from shuzi.net import notebook
from shuzi.net.calibration import lead

WRITERS = 3_000_017  # the first seed of the writers who are read


def draw(names, source, per_character, seed):
    """Pictures uint8 (n, 64, 64, 3) of characters with KanjiVG's strokes, and labels int (n,). Every one has its writer."""
    pictures, labels = [], []
    for label, name in enumerate(names):
        ways = characters.styles([characters.tidy(stroke) for stroke in source.strokes(name)])
        while len(pictures) < (label + 1) * per_character:
            rng = np.random.default_rng([WRITERS, seed, label, len(pictures)])
            writer = make_writer(WRITERS + seed, int(rng.integers(1 << 40)))
            try:
                pictures.append(ink.prepare(picture(name, writer, rng, ways)[0]))
            except ink.NoInkError:
                continue  # too faint to be found; another writer's turn
            labels.append(label)
    return np.array(pictures), np.array(labels)


def measure(say, args, folder):
    source = KanjiVG(args.kanjivg)
    both = [name for name in characters.known() if name in source.files and "一" <= name <= "龥"]
    names = sorted(np.random.default_rng(args.seed).choice(both, args.count, replace=False).tolist())
    say(f"The characters: {''.join(names)}.")
    say("")
    options = ["--classes", ",".join(names), "--per-class", args.per_class, "--seed", args.seed]
    finish("synthesize.py", "--out", folder / "set", *options)
    finish("datapro.py", folder / "set", "--out", folder / "raw")
    pack(folder / "raw", folder / "data.h5")
    cells = {}
    for tag in notebook.cells():
        notebook.run_cell(tag, cells)
        if tag == "parameters":
            cells.update(data=str(folder / "data.h5"), model_path=str(folder / "model.keras"), seed=args.seed)
            cells["epochs"] = args.epochs or cells["epochs"]
        if tag == "save":
            break
    classes = list(cells["classes"])
    pictures, labels = draw(classes, source, args.read, args.seed)
    probabilities = cells["reader"].predict(pictures)
    rank = (probabilities > probabilities[np.arange(len(labels)), labels][:, None]).sum(axis=1)
    unsure = lead(probabilities) < cells["unsure_below"]
    count = len(labels)
    say("| read | pictures | right | among the first three | unsure |")
    say("|---|---:|---:|---:|---:|")
    say(f"| the same strokes, other writers | {len(cells['true']):,} | {cells['test_accuracy']:.2%} | | |")
    right, three = int((rank == 0).sum()), int((rank < 3).sum())
    say(f"| KanjiVG's strokes | {count:,} | {share(right, count)} | {share(three, count)} | {unsure.mean():.1%} |")
    wrong = Counter((classes[a], classes[b]) for a, b in zip(labels, probabilities.argmax(1)) if a != b)
    say("")
    say("Most often misread: " + ", ".join(f"{a} as {b} {n}x" for (a, b), n in wrong.most_common(10)) + ".")
    seconds = cells["training_seconds"]
    say(f"{args.per_class} drawings of each to learn from, {cells['epochs']} epochs, {seconds:.0f} s of training.")
    cells["file"].close()


def main(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n\n")[0],
        epilog="example: pip download --no-deps kanjivg, python -m benchmarks.characters --kanjivg kanjivg-*.whl",
    )
    add = parser.add_argument
    add("--kanjivg", required=True, type=Path, metavar="FILE.whl", help="the wheel of the PyPI package")
    add("--count", type=int, default=100, help="characters (default: %(default)s)")
    add("--per-class", type=int, default=200, help="drawings of each to learn from (default: %(default)s)")
    add("--read", type=int, default=20, help="drawings of each to read (default: %(default)s)")
    add("--epochs", type=int, help="(default: those of cnn.ipynb)")
    add("--seed", type=int, default=0, help="(default: %(default)s)")
    args = parser.parse_args(argv)
    title = "Any characters, learned from drawings alone"
    with (
        tempfile.TemporaryDirectory(prefix="characters-") as folder,
        Report(title, __doc__.split("\n\n")[1], argv) as say,
    ):
        measure(say, args, Path(folder))
    return 0


if __name__ == "__main__":
    run(main)
