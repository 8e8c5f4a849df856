"""Which pictures are misread by nets that have seen nothing of their writers? For tuning, and for finding wrong labels.

Cross-validation: the training pictures of a set are divided by writer into parts, and those of each part are read by a
net of cnn.ipynb that has learned from the others. The test pictures of the set are not looked at, so that what is
chosen by these figures can still be tested on them. Writes a Markdown table of the figures and of the pictures that
were misread, and a PNG that shows them: what is misread with every seed is often labelled wrongly.
"""

import argparse
import sys
import tempfile
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent

import h5py  # noqa: E402
import matplotlib  # noqa: E402
import numpy as np  # noqa: E402

from benchmarks.bench import Failed, finish, manifest, one, pack  # noqa: E402
from shuzi.core import numerals  # noqa: E402
from shuzi.core.files import Problem, replacing, run, shown  # noqa: E402
from shuzi.core.fonts import find_cjk_font  # noqa: E402
from shuzi.dataset.h5 import open_data  # noqa: E402
from shuzi.reading.reader import load_reader  # noqa: E402

MOST = 96  # misread pictures that are drawn, and a fifth of it printed; the file has all
COLUMNS = "y", "files", "writers"  # of data.h5, beside the pictures


def divide(writers, parts, seed=0):
    """The part, 0 to parts - 1, of each picture: all of a writer in one; where the writer is unknown, by chance.

    writers: str (n,), empty where unknown. Returns int (n,).
    """
    rng = np.random.default_rng(seed)
    names = np.unique(writers[writers != ""])
    if len(names) < parts and np.all(writers != ""):
        raise Problem(
            f"the training pictures are of {len(names)} writers, too few for {parts} parts; take fewer: --parts"
        )
    of_writer = dict(zip(rng.permutation(names), np.arange(len(names)) % parts))
    by_chance = rng.permutation(len(writers)) % parts
    return np.array([of_writer.get(writer, chance) for writer, chance in zip(writers, by_chance)])


def check_parts(part_of, labels, classes):
    """Each class must be in two parts at least, or a net would be asked for what it never saw. Raises Problem."""
    for label, name in enumerate(classes):
        if len(np.unique(part_of[labels == label])) < 2:
            raise Problem(
                f"class {shown(name)} has too few writers or pictures to divide; add some, or leave its folder out"
            )


def write_part(path, data, pictures, columns, in_part):
    """A data.h5 whose test pictures are those of one part, and whose training pictures are all others."""
    with h5py.File(path, "w") as out:
        out.attrs.update(data.attrs)
        data.copy("classes", out)
        for side, chosen in ("train", ~in_part), ("test", in_part):
            out[f"X_{side}"] = pictures[chosen]
            for name in COLUMNS:
                out.create_dataset(f"{name}_{side}", data=columns[name][chosen], dtype=data[f"{name}_train"].dtype)


def read_all(args, folder):
    """Prepare the set, train the nets, and read. Yields (seed, float (n, classes)): probabilities of each picture.

    The first that it yields are (classes, true labels int (n,), pictures uint8 (n, 64, 64, 3), sources).
    """
    finish("datapro.py", args.data, "--out", folder / "raw")
    pack(folder / "raw", folder / "data.h5", args.test_writers)
    sources = {row["file"]: row["source"] for row in manifest(folder / "raw")}
    with open_data(folder / "data.h5") as data:
        pictures = data["X_train"][:]
        columns = {name: data[f"{name}_train"][:] for name in COLUMNS}
        classes = data["classes"].asstr()[:]
        part_of = divide(data["writers_train"].asstr()[:], args.parts)
        check_parts(part_of, columns["y"].ravel(), classes)
        for part in range(args.parts):
            write_part(folder / f"{part}.h5", data, pictures, columns, part_of == part)
        yield classes, columns["y"].ravel(), pictures, [sources[name.decode()] for name in columns["files"]]
    options = [] if args.epochs is None else ["--epochs", args.epochs]
    for seed in range(args.seeds):
        probabilities = np.empty((len(pictures), len(classes)), np.float32)
        for part in range(args.parts):
            model = folder / "model.keras"
            result = one("train", *options, "--seed", seed, folder / f"{part}.h5", model)
            if "failed" in result:
                raise Failed(result["failed"])
            probabilities[part_of == part] = load_reader(model).predict(pictures[part_of == part])
            print(f"seed {seed}, part {part + 1} of {args.parts}: {result['accuracy']:.2%}", file=sys.stderr)
        yield seed, probabilities


def measure(args, folder):
    """Yields the lines of the report; draws the misread."""
    results = read_all(args, folder)
    classes, labels, pictures, sources = next(results)
    yield "| seed | misread | of | right | mean of -log(probability) |\n|---|---:|---:|---:|---:|"
    read, times = [], np.zeros(len(labels), int)
    for seed, probabilities in results:
        read.append(probabilities)
        misread = probabilities.argmax(axis=1) != labels
        times += misread
        wrong = int(misread.sum())
        loss = -np.log(np.maximum(probabilities[np.arange(len(labels)), labels], 1e-30)).mean()
        yield f"| {seed} | {wrong} | {len(labels):,} | {1 - wrong / len(labels):.2%} | {loss:.4f} |"
    mean = np.mean(read, axis=0)
    # by how often; then by how little the net thought of the label
    order = sorted(np.flatnonzero(times), key=lambda i: (-times[i], mean[i, labels[i]]))
    likeliest = np.where(np.arange(len(classes)) == labels[:, None], -1, mean).argmax(axis=1)
    yield f"\n| picture | labelled | misread, of {len(read)} | likeliest else | probability of the label |\n|---|---|---:|---|---:|"
    for i in order:
        cells = (
            shown(sources[i]),
            classes[labels[i]],
            times[i],
            classes[likeliest[i]],
            f"{mean[i, labels[i]]:.2f}",
        )
        yield "| " + " | ".join(map(str, cells)) + " |"
    titles = [(classes[labels[i]], classes[likeliest[i]], times[i]) for i in order[:MOST]]
    with replacing(args.out.with_suffix(".png")) as path:
        draw(path, pictures[order[:MOST]], titles)


def draw(path, pictures, titles):
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


def main():
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n")[0],
        epilog="example: python -m benchmarks.crossval --data chinese-mnist.zip --epochs 20",
    )
    add = parser.add_argument
    add(
        "--data",
        default=PROJECT / "hwtrainset",
        metavar="PATH",
        help="class folders, or a Chinese MNIST zip (default: hwtrainset)",
    )
    add("--test-writers", metavar="NAMES", help="whom to leave out, as in test.py (default: a share of all, by chance)")
    add("--parts", type=int, default=3, metavar="N", help="of the set, one net each (default: %(default)s)")
    add("--seeds", type=int, default=2, metavar="N", help="nets of each part (default: %(default)s)")
    add("--epochs", type=int, metavar="N", help="(default: those of cnn.ipynb)")
    add(
        "--out",
        default=PROJECT / "results" / "crossval.md",
        type=Path,
        metavar="FILE",
        help="default: results/crossval.md",
    )
    args = parser.parse_args()
    if args.parts < 2 or args.seeds < 1 or (args.epochs is not None and args.epochs < 1):
        parser.error("--parts must be 2 or more, --seeds and --epochs 1 or more")
    args.out.parent.mkdir(parents=True, exist_ok=True)
    lines = []
    with tempfile.TemporaryDirectory(prefix="crossval-") as folder:
        try:
            for line in measure(args, Path(folder)):
                lines.append(line)
                if len(lines) <= args.seeds + MOST // 5:
                    print(line, flush=True)
        except Failed as error:
            raise Problem(str(error)) from error
    with replacing(args.out) as part:
        part.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{args.out} has all of them, {args.out.with_suffix('.png')} shows them")
    return 0


if __name__ == "__main__":
    run(main)
