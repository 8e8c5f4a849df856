"""Does it learn your hand? The default set alone, and with a few pictures of one person beside it.

Reads real handwriting whose writers are known (Chinese MNIST, or class folders with writer-<id> in the files'
names). A model of the default set reads half of each writer's pictures; the writers with the most mistakes
there are taught, one after the other: that half goes beside the default set as writer "me", a net is trained
on both, and reads the other half, which chose nothing. Writes and prints a Markdown table.
"""

import argparse
import shutil
import tempfile
from collections import defaultdict
from pathlib import Path

import numpy as np

from benchmarks.common import PROJECT, Failed, Report, finish
from benchmarks.nets import one
from shuzi import ink
from shuzi.core.command import Problem, run
from shuzi.dataset.sources import Options, read_source
from shuzi.reading.reader import load_reader

ABOUT = __doc__.split("\n\n")[1]


def halves(source, found, classes):
    """{writer: ([(class, picture)], [(class, picture)])}: every other picture of each class to teach, the rest to test.

    found: {class: pictures}, as `read_source` gives it.
    """
    people = defaultdict(lambda: ([], []))
    for cls in classes:
        of_writer = defaultdict(list)
        for picture in found.get(cls, []):
            of_writer[picture.writer].append(picture)
        for writer, pictures in of_writer.items():
            for i, picture in enumerate(pictures):
                people[writer][i % 2].append((cls, picture))
    people.pop("", None)
    if not people:
        raise Problem(f"{source.root} has no pictures of {', '.join(classes)} whose writers are known")
    return people


def count_right(model, source, pictures):
    """How many of [(class, name)] are read rightly."""
    reader = load_reader(model)
    prepared, truth = [], []
    for cls, name in pictures:
        try:
            with source.open(name) as file:
                prepared.append(ink.read_picture(file))
            truth.append(cls)
        except ink.PictureError:
            continue
    read = np.array(reader.classes)[reader.predict(np.stack(prepared)).argmax(axis=1)]
    return int(np.sum(read == truth))


def train(folder, name, hand, seed):
    """The whole pipeline on a folder of handwriting. Returns the model's path."""
    data, model = folder / "data.h5", folder / f"{name}.keras"
    finish("datapro.py", hand, "--out", folder / "raw")
    finish("test.py", "--raw", folder / "raw", "--out", data)
    result = one("train", "--seed", seed, data, model)
    if "failed" in result:
        raise Failed(result["failed"])
    return model


def measure(args, folder):
    hand = folder / "hand"
    shutil.copytree(args.hwtrainset, hand)
    classes = sorted(path.name for path in hand.iterdir() if path.is_dir())
    source, found, _ = read_source([args.real], Options(), lambda *refused: None)
    people = halves(source, found, classes)
    before = train(folder, "before", hand, args.seed)
    mistakes = {writer: len(half) - count_right(before, source, half) for writer, (half, _) in people.items()}
    chosen = sorted(mistakes, key=lambda writer: (-mistakes[writer], writer))[: args.writers]
    yield "| writer | pictures taught | pictures to test | right before | right after |\n|---|---:|---:|---:|---:|"
    sums = np.zeros(3, int)
    for writer in chosen:
        taught, tested = people[writer]
        copies = []
        for i, (cls, picture) in enumerate(taught):
            copies.append(hand / cls / f"own_writer-me_{i:03}{Path(picture.name).suffix}")
            with source.open(picture) as file:
                copies[-1].write_bytes(file.read())
        after = train(folder, f"after-{writer}", hand, args.seed)
        for path in copies:
            path.unlink()
        figures = len(tested), *(count_right(model, source, tested) for model in (before, after))
        sums += figures
        yield f"| {writer} | {len(taught)} | " + " | ".join(map(str, figures)) + " |"
    yield "| all | | " + " | ".join(map(str, sums)) + " |"


def main(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n")[0], epilog="example: python -m benchmarks.teach chinese-mnist.zip"
    )
    add = parser.add_argument
    add("real", help="real handwriting: class folders, or a Chinese MNIST folder or zip")
    add("--writers", type=int, default=5, metavar="N", help="how many are taught (default: %(default)s)")
    add("--hwtrainset", default=PROJECT / "hwtrainset", help="what they are taught beside")
    add("--seed", type=int, default=0, help="(default: %(default)s)")
    args = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="teach-") as folder, Report("Taught by one hand", ABOUT, argv) as say:
        try:
            for line in measure(args, Path(folder)):
                say(line)
        except Failed as error:
            raise Problem(str(error)) from error
    return 0


if __name__ == "__main__":
    run(main)
