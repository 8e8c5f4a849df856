"""How good and how fast is the notebook's CNN, beside the net it succeeds and two textbook nets?

Every net is trained on the same split of the same handwriting, one process a run. Ours is what the cells of
cnn.ipynb make; nothing of it is copied here. Its report is written after every run anew: an
interrupted benchmark leaves what it had.
"""

import argparse
import json
import platform
import shutil
import sys
import tempfile
import time
from pathlib import Path

import h5py
import numpy as np
from PIL import Image

from benchmarks import common
from benchmarks.common import PROJECT, Failed, Report, finish, last_words, manifest, pack, run_script
from benchmarks.nets import BASELINES, BUDGET, PEAK_SIDE, TARGET, WARM_UP, one
from shuzi.dataset.h5 import CHUNK, open_data
from shuzi.dataset.sources import Options, read_source

LONG = 600  # seconds that --long aims at

# name: (column, fit of datapro.py)
NETS = {
    "ours": ("ours", "ink"),
    "long": ("ours, longer", "ink"),
    "no_augmentation": ("ours without augmentation", "ink"),
    "no_outliers": ("ours without outliers", "ink"),
    "float32": ("ours in float32", "ink"),
    "bfloat16": ("ours in bfloat16", "ink"),
    "old": ("old net, its pictures", "stretch"),
    "old_ink": ("old net, our pictures", "ink"),
    "lenet": ("LeNet-5", "ink"),
    "tutorial": ("tutorial CNN", "ink"),
}
DEFAULT_NETS = "ours,no_augmentation,no_outliers,old,old_ink,lenet,tutorial"


def main():
    args = parse_arguments()
    try:
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            return bench(args, Path(folder))
    except Failed as error:
        print(f"bench.py: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"bench.py: stopped; what was measured is in {common.REPORTS}", file=sys.stderr)
        return 130


def parse_arguments():
    parser = argparse.ArgumentParser(
        description="Measure the notebook's CNN beside the net of 2020, LeNet-5 and a tutorial's CNN.",
        epilog="example: python -m benchmarks.bench --data chinese-mnist.zip --seeds 5",
    )
    add = parser.add_argument
    add(
        "--data",
        metavar="PATH",
        help="class folders, or a Chinese MNIST zip (default: the project's hwtrainset)",
    )
    add("--test-writers", metavar="NAMES", help="test on these, as in test.py (default: a share of all, by chance)")
    add("--strangers", metavar="PATH", help="other handwriting, of two writers or more, for ours to read")
    add("--seeds", type=int, default=5, metavar="N", help="runs of each net (default: 5)")
    add("--baseline-seeds", type=int, metavar="N", help="runs of the other nets (default: as many)")
    add("--epochs", type=int, metavar="N", help="of ours (default: those of cnn.ipynb)")
    add("--long", action="store_true", help=f"ours also with epochs for about {LONG} s of training")
    add("--nets", default=DEFAULT_NETS, help="which nets (default: %(default)s)")
    add(
        "--quick",
        action="store_true",
        help="one seed, two epochs, 500 pictures to predict: does it run at all?",
    )
    args = parser.parse_args()
    asked = {name.strip() for name in args.nets.split(",")}
    args.nets = [name for name in NETS if name in asked or (name == "long" and args.long)]
    if args.seeds < 1 or not args.nets or asked - set(NETS) or (args.epochs is not None and args.epochs < 1):
        parser.error(f"--seeds and --epochs must be 1 or more, --nets some of {','.join(NETS)}")
    return args


def bench(args, folder):
    seeds = range(1 if args.quick else args.seeds)
    source = Path(args.data) if args.data else PROJECT / "hwtrainset"
    about = prepare(source, folder, {NETS[name][1] for name in args.nets}, args.test_writers)
    if args.strangers:
        finish("datapro.py", args.strangers, "--out", folder / "strangers")
        pack(folder / "strangers", folder / "strangers.h5")
    report = Report(f"The net beside others: {source.name}")
    log = report.save().with_suffix(".jsonl")
    log.write_text("")
    results = []

    def write():
        report.lines = table(results, about, args)
        return report.save()

    def keep(name, seed, result):
        results.append({"net": name, "seed": seed} | result)
        with open(log, "a", encoding="utf-8") as file:
            file.write(json.dumps(results[-1]) + "\n")
        write()
        said = result.get("failed") or f"{result['accuracy']:.2%} after {result['seconds']:.0f} s of training"
        print(f"{NETS[name][0]}, seed {seed}: {said}", file=sys.stderr)

    for seed in seeds:  # every net once, then again: stopped early, it has something of each
        for name in args.nets:
            if name not in ("ours", "long") and args.baseline_seeds and seed >= args.baseline_seeds:
                continue
            epochs = 2 if args.quick else None if name in BASELINES else args.epochs
            if name == "long":
                ours = [run for run in results if run["net"] == "ours" and "failed" not in run]
                if not ours:
                    keep(name, seed, {"failed": "its epochs follow from those of ours"})
                    continue
                epochs = 4 if args.quick else max(1, round(0.95 * LONG * ours[0]["epochs"] / ours[0]["seconds"]))
            files = [folder / f"{NETS[name][1]}.h5"]
            if name not in BASELINES:
                files.append(folder / f"{name}-{seed}.keras")
                files += [folder / "strangers.h5"] if args.strangers else []
            options = [] if epochs is None else ["--epochs", epochs]
            keep(name, seed, one(name, *options, "--seed", seed, *files))
    model = next(iter(sorted(folder.glob("ours-*.keras"))), None)
    if model:
        about |= predicting(source, folder, model, 500 if args.quick else 10_000)
    out = write()
    print(out.read_text("utf-8"))
    failed = [run for run in results if "failed" in run]
    print(f"{out}: {len(results) - len(failed)} runs" + (f", {len(failed)} failed" if failed else ""))
    return 1 if failed or about.get("failed") else 0


def prepare(source, folder, fits, test_writers=None):
    """A data.h5 for each fit, of the same pictures. Returns what the report says of the data."""
    for fit in sorted({"ink", *fits}):
        finish("datapro.py", source, "--out", folder / fit, "--fit", fit)
    pack(folder / "ink", folder / "ink.h5", test_writers)
    if "stretch" in fits:
        fit_otherwise(folder, "stretch")
    with open_data(folder / "ink.h5") as file:
        text = f"{len(file['classes'])} classes; {len(file['X_train']):,} pictures to train on"
        text += f", {len(file['X_test']):,} to test on"
        if all(file["writers_test"].asstr()[:]):
            text += ", of writers not trained on"
    return {"data": text}


def fit_otherwise(folder, fit):
    """From ink.h5, one with the same pictures on the same sides in the same order, prepared by another fit.

    test.py by itself would split them a little differently, for some pictures have no ink to find.
    """
    files = {name: {row["source"]: row["file"] for row in manifest(folder / name)} for name in ("ink", fit)}
    sources = {file: source for source, file in files["ink"].items()}
    shutil.copy(folder / "ink.h5", folder / f"{fit}.h5")
    with h5py.File(folder / f"{fit}.h5", "r+") as data:
        for part in "train", "test":
            paths = [folder / fit / files[fit][sources[file]] for file in data[f"files_{part}"].asstr()[:]]
            for start in range(0, len(paths), 16 * CHUNK):  # whole chunks: each is packed once
                some = paths[start : start + 16 * CHUNK]
                data[f"X_{part}"][start : start + len(some)] = np.stack([read_png(path) for path in some])


def read_png(path):
    with Image.open(path) as picture:
        return np.asarray(picture)


def predicting(source, folder, model, count):
    """predict.py on many raw pictures of the source, and one picture's time."""
    pictures = folder / "pictures"
    pictures.mkdir()
    names = [row["source"] for row in manifest(folder / "ink")]
    names = [names[i] for i in np.random.default_rng(0).permutation(len(names))]
    opened, classes, _ = read_source([str(source)], Options(), lambda *refused: None)
    found = {picture.name: picture for of_class in classes.values() for picture in of_class}
    for i in range(count):  # some twice, where the set has fewer
        name = names[i % len(names)]
        with opened.open(found[name]) as file, open(pictures / f"{i:05}{Path(name).suffix}", "wb") as copy:
            shutil.copyfileobj(file, copy)
    begin = time.perf_counter()
    ran = run_script([PROJECT / "predict.py", pictures, "--model", model, "--csv", folder / "predictions.csv"])
    seconds = time.perf_counter() - begin
    if ran.returncode not in (0, 1):
        return {"failed": f"predict.py: {last_words(ran)}"}
    result = one("latency", model, pictures)
    return {"predict_count": count, "predict_seconds": seconds, **result}


# ---- the table -----------------------------------------------------------------------------------------


NOTES = """
1. Or in the end, where training ends sooner; on the test pictures, which choose nothing here. The test for
   {target:.0%} is made every 0.25 s or 8% of the time so far; the clock, as all here, stops while it is made.
2. With compilation, without validation.
3. After the first {warm} steps. Ours trains on pictures of no class besides, which this line does not count.
4. Operations of forward and backward pass, of all pictures that go through the net, beside a float32 product
   of {side}x{side} matrices by TensorFlow in the same process ({peak} G operations a second). Backward counts
   as two forward passes less the gradient of the first layer's input; augmentation, batch normalization and
   optimizer count as nothing.
5. Of the time of a training step, what is saved where the random layers are left out.
6. Forward; convolutions and dense layers, a multiply-add as two.
7. Expected calibration error on the test pictures, 15 bins; ours after temperature scaling.
8. From the shell's command to its end, from raw files to a CSV; one picture: median (95th percentile) of
   reading the file, finding the ink, and the net.
9. Drawn, not real: 8 of each of the 170 characters of benchmarks/other_characters.py.

The old net (2020): pictures plainly resized, or those of shuzi.ink; 100 epochs, Adam 0.005, batches of 64.
LeNet-5 and the tutorial's CNN: pictures of shuzi.ink in grey, 15 epochs, Adam 0.001, batches of 128. These train
on all training pictures, without augmentation; ours sets a tenth of the writers aside for validation."""


def table(results, about, args):
    """Lines of Markdown: a column a net, a row a measure, and what they mean."""
    nets = [name for name in NETS if any(run["net"] == name for run in results)]
    runs = {name: [run for run in results if run["net"] == name and "failed" not in run] for name in nets}
    old = "old" if runs.get("old") else "old_ink"
    old_errors = 1 - np.mean([run["accuracy"] for run in runs[old]]) if runs.get(old) else None

    def mean(name, key, text):
        values = [run[key] for run in runs[name] if run.get(key) is not None]
        return text.format(np.mean(values)) if values else ""

    def to_target(name):
        values = [run["to_target"] for run in runs[name]]
        reached = [seconds for seconds in values if seconds is not None]
        if not reached:
            return "never" if values else ""
        text = f"{np.mean(reached):.1f} s"
        return text if len(reached) == len(values) else f"{text} ({len(reached)} of {len(values)} runs)"

    def spread(name, key):
        values = [run[key] for run in runs[name]]
        return f"{np.mean(values):.2%} ± {np.std(values, ddof=1):.2%}" if len(values) > 1 else mean(name, key, "{:.2%}")

    def errors(name):
        if not old_errors or not runs[name]:
            return ""
        wrong = 1 - np.mean([run["accuracy"] for run in runs[name]])
        return (
            "1"
            if name == old
            else f"1/{old_errors / wrong:.3g}"
            if 0 < wrong < old_errors
            else f"{wrong / old_errors:.2g}"
        )

    rows = [
        (f"time to {TARGET:.0%}", to_target),
        (f"accuracy after {BUDGET} s [1]", lambda name: spread(name, "in_budget")),
        ("accuracy in the end", lambda name: spread(name, "accuracy")),
        ("errors, of the old recipe's", errors),
        ("epochs", lambda name: mean(name, "epochs", "{:.0f}")),
        ("seconds of training [2]", lambda name: mean(name, "seconds", "{:.0f}")),
        ("pictures a second, training [3]", lambda name: mean(name, "pictures_per_second", "{:,.0f}")),
        ("share of the matrix-product peak [4]", lambda name: mean(name, "share_of_peak", "{:.0%}")),
        ("augmentation's share of a step [5]", lambda name: mean(name, "augmentation_share", "{:.0%}")),
        ("parameters", lambda name: mean(name, "parameters", "{:,.0f}")),
        (
            "operations a picture, millions [6]",
            lambda name: f"{runs[name][0]['operations'] / 1e6:,.2f}" if runs[name] else "",
        ),
        ("calibration error [7]", lambda name: mean(name, "calibration_error", "{:.2%}")),
        ("other characters that are unsure [9]", lambda name: mean(name, "flagged", "{:.1%}")),
        ("test pictures that are", lambda name: mean(name, "price", "{:.2%}")),
        (
            "model.keras, MB",
            lambda name: f"{runs[name][0]['model_bytes'] / 1e6:.2f}" if name == "ours" and runs[name] else "",
        ),
    ]
    if args.strangers:
        label = f"accuracy on {Path(args.strangers).name}"
        rows.append((label, lambda name: spread(name, "strangers") if name not in BASELINES and runs[name] else ""))
        rows.append(("unsure of them", lambda name: mean(name, "strangers_unsure", "{:.2%}")))
    if "predict_seconds" in about:
        label = f"predict.py, {about['predict_count']:,} pictures [8]"
        rows.append((label, lambda name: f"{about['predict_seconds']:.1f} s" if name == "ours" else ""))
    if "latency" in about:
        text = f"{about['latency'] * 1e3:.1f} ms ({about['latency_95'] * 1e3:.1f} ms)"
        rows.append(("one picture, model loaded [8]", lambda name: text if name == "ours" else ""))
    rows_of_text = [["", *(NETS[name][0] for name in nets)], ["---", *("---:" for _ in nets)]]
    rows_of_text += [[label, *(value(name) for name in nets)] for label, value in rows]
    lines = ["| " + " | ".join(row) + " |" for row in rows_of_text]

    done = [run for name in nets for run in runs[name]]
    number = max((len(runs[name]) for name in nets), default=0)
    peak = f"{np.median([run['peak'] for run in done]) / 1e9:,.0f}" if done else "?"
    first = done[0] if done else {"versions": "", "gpus": []}
    gpus = (
        ", ".join(first["gpus"]) + f" ({runs['ours'][0]['precision']} for ours)"
        if first["gpus"] and runs.get("ours")
        else "no GPU"
    )
    fewer = f" ({min(len(runs[name]) for name in nets)} of some)" if done else ""
    unfinished = fewer * (len({len(runs[name]) for name in nets}) > 1)
    seeds = f"{number} seed{'s' * (number != 1)}{unfinished}"
    lines += [
        "",
        f"{about['data']}. Mean{' ± standard deviation' * (number > 1)} of {seeds}. "
        f"{gpus}; Python {platform.python_version()}, {first['versions']}.",
        NOTES.format(budget=BUDGET, target=TARGET, warm=WARM_UP, side=PEAK_SIDE, peak=peak),
    ]
    failures = [f"- {NETS[run['net']][0]}, seed {run['seed']}: {run['failed']}" for run in results if "failed" in run]
    failures += [f"- {about['failed']}"] if "failed" in about else []
    if failures:
        lines += ["", "Failed:", "", *failures]
    return lines


if __name__ == "__main__":
    sys.exit(main())
