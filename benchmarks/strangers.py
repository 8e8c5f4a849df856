"""Is the model unsure of what is no numeral, and how often of a stranger's numerals?

Nets of cnn.ipynb learn from some writers of a set and read others', and real characters that are no numerals. With
--rule they tell where to be unsure begins: each net has seen nothing of some writers and of some kinds of outliers, and
reads these. What is kept for the end, writers 57-70 and the folders whose number ends in 6, is read with --kept alone.
"""

import argparse
import csv
import io
import tempfile
import time
import zipfile
from pathlib import Path, PurePosixPath

import numpy as np

from benchmarks.common import Report, finish, pack, share
from shuzi import ink
from shuzi.core.command import Problem, run
from shuzi.core.numerals import character
from shuzi.net import notebook, outliers, sketches
from shuzi.net.calibration import calibration_error, lead

PRICE = 0.005  # share of a stranger's numerals that may be unsure
TESTED_ON, KEPT = range(43, 57), range(57, 71)  # writers; those with smaller numbers are learned from
GROUPS = [("collages",), ("characters", "pairs"), ("parts", "signs"), ("scribbles", "specks")]  # left out in turn
FACTORS = (0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8)  # of the lead that training asks of numerals
QUANTILES = (0.0025, 0.005, 0.01, 0.02)  # of the leads of validation writers


def read_others(path, kept):
    """Characters that are no numeral, of a zip with a folder a character: (pictures uint8 (n, 64, 64, 3), folders int
    (n,)).

    kept: those whose number ends in 6, or else all others. Empty pictures are left out. Raises Problem.
    """
    pictures, folders = [], []
    with zipfile.ZipFile(path) as archive:
        for name in sorted(archive.namelist()):
            folder = PurePosixPath(name).parent.name
            if folder.isdigit() and folder.endswith("6") == kept and not name.endswith("/"):
                try:
                    pictures.append(ink.read_picture(archive.read(name)))
                except ink.PictureError:
                    continue
                folders.append(int(folder))
    if not pictures:
        raise Problem(f"{path} has no pictures in folders that are numbers")
    return np.array(pictures), np.array(folders)


def prepare(args, folder):
    """A data.h5 with the writers to learn from and those to test on, and no others. Raises Failed."""
    tested = KEPT if args.kept else TESTED_ON
    learned, classes = range(1, tested[0]), None
    if args.learn:
        learned, tested = (), KEPT if args.kept else range(1, KEPT[0])
        classes = {path.name for path in args.learn.iterdir() if path.is_dir()}
    unpack(args.data, folder / "set", {*learned, *tested}, classes)
    finish("datapro.py", *([args.learn] if args.learn else []), folder / "set", "--out", folder / "raw")
    pack(folder / "raw", folder / "data.h5", ",".join(f"writer-real{number}" for number in tested))
    return folder / "data.h5"


def unpack(path, folder, writers, classes):
    """Pictures of some writers of a Chinese MNIST zip as class folders. classes: names, or None for all."""
    with zipfile.ZipFile(path) as archive:
        table = next(name for name in archive.namelist() if name.endswith(".csv"))
        for row in csv.DictReader(io.StringIO(archive.read(table).decode("utf-8-sig"))):
            if int(row["suite_id"]) in writers and (classes is None or row["value"] in classes):
                name = "data/data/input_{suite_id}_{sample_id}_{code}.jpg".format(**row)
                out = folder / row["value"] / "writer-real{suite_id}_{sample_id}.jpg".format(**row)
                out.parent.mkdir(parents=True, exist_ok=True)
                out.write_bytes(archive.read(name))


def train(data, seed, epochs, kinds, without=None):
    """Run the notebook's cells up to the one that decides when to be unsure. Returns the names they made.

    kinds: of outliers. without: function of the names -> bool (n,), training pictures that are not to be seen.
    """
    names = {}
    for tag in notebook.cells():
        if tag == "evaluate":
            return names
        notebook.run_cell(tag, names)
        if tag == "parameters":
            names.update(data=str(data), seed=seed, epochs=epochs or names["epochs"])
        if tag == "validation" and without is not None:
            unseen = without(names)
            for part in "train", "validation":
                rows = names[f"{part}_rows"]
                names[f"{part}_rows"] = rows[~unseen[rows]]
            rows = names["validation_rows"]
            names.update(X_validation=names["X_train"][rows], y_validation=names["y_train"][rows])
        if tag == "outliers":
            rows = names["sample"] = names["train_rows"][:4000]
            begin = time.perf_counter()
            labels = names["y_train"][rows].ravel()
            count, rng = len(names["no_numerals"]), np.random.default_rng(seed)
            names["no_numerals"] = outliers.draw(names["X_train"][rows], labels, names["classes"], count, rng, kinds)
            names["drawing_seconds"] = time.perf_counter() - begin
    raise KeyError("evaluate")


def predict(names, pictures):
    return names["model"].predict(pictures, batch_size=500, verbose=0)


def measure(say, args, data, others, folders):
    """Nets that learn from some writers, and read other writers and other characters."""
    say(
        "| seed | accuracy | calibration error | numerals unsure | others unsure | of them at a price of 0.5% | at 1% "
        "| training |"
    )
    say("|---:|---:|---:|---:|---:|---:|---:|---:|")
    missed, relative = np.zeros(len(others)), []
    for seed in range(args.seeds):
        names = train(data, seed, args.epochs, args.kinds)
        probabilities, labels = predict(names, names["X_test"]), names["y_test"].ravel()
        read = predict(names, others)
        numerals, strangers = lead(probabilities), lead(read)
        limit = names["unsure_below"]
        right = int((probabilities.argmax(1) == labels).sum())
        cells = [
            f"{right / len(labels):.2%}",
            f"{calibration_error(probabilities, labels):.2%}",
            f"{(numerals < limit).mean():.2%}",
            share(int((strangers < limit).sum()), len(strangers)),
            *(f"{(strangers < np.quantile(numerals, price)).mean():.1%}" for price in (PRICE, 2 * PRICE)),
            f"{names['training_seconds']:.0f} s",
        ]
        say(f"| {seed} | " + " | ".join(cells) + " |")
        missed += strangers >= limit
        asked = float(lead(names["train"].targets).mean()) / names["temperature"]
        relative.append((numerals / asked, strangers / asked))
        taken = [character(names["classes"][i]) for i in read.argmax(1)]
        names["file"].close()
    say("")
    say("| unsure below, of the lead asked for | numerals unsure | others unsure |")
    say("|---:|---:|---:|")
    for factor in FACTORS:
        price, found = np.mean([[(leads < factor).mean() for leads in both] for both in relative], axis=0)
        say(f"| {factor} | {price:.2%} | {found:.1%} |")
    by_folder = sorted(
        ((missed[folders == folder].mean() / args.seeds, folder) for folder in set(folders)), reverse=True
    )
    worst = []
    for rate, folder in by_folder[:5]:
        here = [one for one, of, often in zip(taken, folders, missed) if of == folder and often]
        worst.append(f"folder {folder} {rate:.0%}" + (f", read as {max(set(here), key=here.count)}" if here else ""))
    say("")
    say(f"Missed most often: {'; '.join(worst)}.")


def choose_rule(say, args, data):
    """What each rule costs writers and how many outliers of kinds that the net has not seen it finds."""
    rows = []  # of each net: relative leads of unseen numerals, of unseen kinds, of validation pictures
    kinds = ("collages", *sketches.KINDS)
    for seed in range(args.seeds):
        for part, group in enumerate(GROUPS):

            def unseen(names, part=part):
                return np.unique(names["writers_train"], return_inverse=True)[1] % len(GROUPS) == part

            names = train(data, seed, args.epochs, [kind for kind in kinds if kind not in group], unseen)
            theirs = unseen(names)
            X, y = names["X_train"][theirs], names["y_train"][theirs].ravel()
            strange = outliers.draw(X, y, names["classes"], 1500, np.random.default_rng(1000 + seed), group)
            asked = float(lead(names["train"].targets).mean()) / names["temperature"]
            rows.append([lead(predict(names, each)) / asked for each in (X, strange, names["X_validation"])])
            names["file"].close()
            numerals, others, _ = rows[-1]
            found = (others < np.quantile(numerals, PRICE)).mean()
            say(f"Without {' and '.join(group)}, seed {seed}: {found:.1%} of these are unsure at a price of 0.5%.")
    say("")
    say("| unsure below | numerals of unseen writers | outliers of unseen kinds, mean | worst |")
    say("|---|---:|---:|---:|")
    rules = {f"{factor} of the lead asked for": lambda _, factor=factor: factor for factor in FACTORS}
    rules |= {f"the {q:.2%} least leads of validation": lambda v, q=q: np.quantile(v, q) for q in QUANTILES}
    rules |= {
        f"{factor}, or the 2% least if that is less": lambda v, factor=factor: min(factor, np.quantile(v, 0.02))
        for factor in (0.65, 0.7, 0.75)
    }
    for title, rule in rules.items():
        price = np.mean(np.concatenate([numerals < rule(v) for numerals, _, v in rows]))
        found = [np.mean(others < rule(v)) for _, others, v in rows]
        say(f"| {title} | {price:.2%} | {np.mean(found):.1%} | {min(found):.1%} |")


def main(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n\n")[0],
        epilog="example: python -m benchmarks.strangers --data chinese-mnist.zip --others other-characters.zip",
    )
    add = parser.add_argument
    add("--data", required=True, type=Path, help="numerals of writers 1-70: a Chinese MNIST zip")
    add("--others", type=Path, help="a zip of other characters, a folder each, named by numbers")
    add("--learn", type=Path, help="learn from these class folders, and read writers 1-56, or those kept")
    add("--kept", action="store_true", help="read what is kept for the end; else 43-56 are read by nets of 1-42")
    add("--rule", action="store_true", help="compare rules for unsure, on writers 1-42")
    add("--kinds", help="of outliers in training, such as collages (default: all)")
    add("--epochs", type=int, help="(default: those of cnn.ipynb)")
    add("--seeds", type=int, default=1, help="nets (default: %(default)s)")
    args = parser.parse_args(argv)
    if args.seeds < 1 or (args.epochs is not None and args.epochs < 1):
        parser.error("--seeds and --epochs must be 1 or more")
    if args.rule and args.kept or not args.rule and not args.others:
        parser.error("give --others, or --rule without --kept")
    args.kinds = args.kinds.split(",") if args.kinds else ("collages", *sketches.KINDS)
    title = "When to be unsure" if args.rule else "What is no numeral, and strangers' numerals"
    with (
        tempfile.TemporaryDirectory(prefix="strangers-") as folder,
        Report(title, __doc__.split("\n\n")[1], argv) as say,
    ):
        data = prepare(args, Path(folder))
        if args.rule:
            choose_rule(say, args, data)
        else:
            measure(say, args, data, *read_others(args.others, args.kept))
    return 0


if __name__ == "__main__":
    run(main)
