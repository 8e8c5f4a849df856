"""How good and how fast is the notebook's CNN, beside the net it succeeds and two textbook nets?

Every net is trained on the same split of the same handwriting, one process a run. Ours is what the cells of
cnn.ipynb make; nothing of it is copied here. Writes and prints one Markdown table, results/bench.md, after
every run anew: an interrupted benchmark leaves what it had.
"""

import argparse
import contextlib
import csv
import io
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import h5py
import numpy as np
from PIL import Image

PROJECT = Path(__file__).resolve().parent.parent

from shuzi.dataset.h5 import CHUNK, open_data  # noqa: E402
from shuzi.dataset.sources import Options, read_source  # noqa: E402
from shuzi.net import calibration  # noqa: E402
from shuzi.reading.reader import load_reader, quiet_stderr  # noqa: E402

TARGET = 0.94  # the old net's best accuracy, on its own pictures
BUDGET = 60  # seconds of training
LONG = 600  # seconds that --long aims at
WARM_UP = 20  # steps at the start that speed is not measured on: TensorFlow compiles then
PEAK_SIDE = 4096

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
PRECISIONS = {"float32": "float32", "bfloat16": "mixed_bfloat16"}  # Keras's policies
DEFAULT_NETS = "ours,no_augmentation,no_outliers,old,old_ink,lenet,tutorial"


# ---- the nets beside ours --------------------------------------------------------------------------


def old_net(classes):
    """The net and recipe of 2020; what is not known of it is Keras's default."""
    from keras import layers, optimizers

    net = [
        layers.Rescaling(1 / 255),
        layers.Conv2D(8, 4, padding="same", activation="relu"),
        layers.MaxPooling2D(8),
        layers.Conv2D(16, 2, padding="same", activation="relu"),
        layers.MaxPooling2D(4),
        layers.Flatten(),
        layers.Dense(classes, use_bias=False),
    ]
    return net, optimizers.Adam(0.005), {"batch_size": 64, "epochs": 100}


def lenet(classes):
    """LeNet-5 (LeCun et al. 1998) with today's optimizer. It takes 32x32 pixels."""
    from keras import layers, optimizers

    net = [
        *grey_ink(),
        layers.AveragePooling2D(2),  # 32x32
        layers.Conv2D(6, 5, activation="tanh"),
        layers.AveragePooling2D(2),
        layers.Conv2D(16, 5, activation="tanh"),
        layers.AveragePooling2D(2),
        layers.Flatten(),
        layers.Dense(120, activation="tanh"),
        layers.Dense(84, activation="tanh"),
        layers.Dense(classes),
    ]
    return net, optimizers.Adam(0.001), {"batch_size": 128, "epochs": 15}


def tutorial_cnn(classes):
    """What most tutorials on MNIST build."""
    from keras import layers, optimizers

    net = [
        *grey_ink(),
        layers.Conv2D(32, 3, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Conv2D(64, 3, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Flatten(),
        layers.Dropout(0.5),
        layers.Dense(classes),
    ]
    return net, optimizers.Adam(0.001), {"batch_size": 128, "epochs": 15}


def grey_ink():
    """0-255 in three equal channels to one of 0 paper to 1 ink, as MNIST has it."""
    from keras import layers

    return [layers.Rescaling(-1 / 255, offset=1), layers.Lambda(lambda pictures: pictures[..., :1])]


BASELINES = {"old": old_net, "old_ink": old_net, "lenet": lenet, "tutorial": tutorial_cnn}


# ---- one run, in a process of its own --------------------------------------------------------------


def make_clock(X_test, y_test):
    """A Keras callback that times training, stops its clock while it evaluates, and keeps what it found.

    It has: seconds (of training so far), accuracies [(seconds, accuracy)], speed (steps a second once warm).
    """
    import keras

    class Clock(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            self.accuracies, self.steps, self.warm_at = [], 0, None
            self.paused, self.begin = 0.0, time.perf_counter()
            self.next, self.reached = 0.25, False

        @property
        def seconds(self):
            return time.perf_counter() - self.begin - self.paused

        def on_train_batch_end(self, batch, logs=None):
            self.steps += 1
            if self.steps == WARM_UP:
                self.warm_at = self.seconds
            if self.seconds >= self.next:
                float(logs["loss"])  # a GPU has then done what it was told to do
                self.evaluate()

        def evaluate(self):
            now = time.perf_counter()
            seconds = now - self.begin - self.paused
            logits = self.model.predict(X_test, batch_size=500, verbose=0)
            self.accuracies.append((seconds, float(np.mean(logits.argmax(axis=1) == y_test))))
            self.reached |= self.accuracies[-1][1] >= TARGET
            # often at first; once the target is reached, only at the budget
            self.next = max(seconds + 0.25, seconds * 1.08)
            if seconds < BUDGET:
                self.next = BUDGET if self.reached else min(self.next, BUDGET)
            elif self.reached:
                self.next = float("inf")
            self.paused += time.perf_counter() - now

        def on_train_end(self, logs=None):
            self.total = self.seconds
            warm = self.warm_at if self.steps > WARM_UP else 0
            self.speed = (self.steps - (WARM_UP if warm else 0)) / (self.total - warm)
            self.evaluate()

    return Clock()


def run_ours(data, seed, epochs, model_path, strangers=None, without=None, measured=True):
    """Train as cnn.ipynb does: its own cells, but for the one that fits, and drawing.

    strangers: a data.h5 of other handwriting, all of which the trained net reads. without: "augmentation" or
    "outliers", to see what they are worth. measured: else only the model and its accuracy are wanted.
    """
    cells = [
        cell for cell in json.loads((PROJECT / "cnn.ipynb").read_text("utf-8"))["cells"] if cell["cell_type"] == "code"
    ]
    tags = [cell["metadata"].get("tags", []) for cell in cells]
    place = {tag: i for i, here in enumerate(tags) for tag in here}
    names = {}

    def execute(cell):
        with contextlib.redirect_stdout(io.StringIO()):
            exec(compile("".join(cell["source"]), "cnn.ipynb", "exec"), names)

    for i in range(place["fit"]):
        execute(cells[i])
        if i == place["parameters"]:
            names.update(data=data, model_path=model_path, seed=seed, epochs=epochs or names["epochs"])
        if without and i == place[without]:
            names[without] = [] if without == "augmentation" else None
    train, model = names["train"], names["in_training"]
    callbacks = []
    if measured:
        peak = matrix_product_peak()
        clock = make_clock(names["X_test"], names["y_test"].ravel())
        callbacks.append(clock)
    model.fit(train, epochs=names["epochs"], shuffle=False, verbose=0, callbacks=callbacks)
    for tag in "calibrate", "evaluate", "save":
        execute(cells[place[tag]])
    if not measured:
        return {"accuracy": names["test_accuracy"]}
    through_net = sum(len(train[i][0]) for i in range(len(train)))  # pictures of no class count here too
    result = measure(clock, names["model"], names["epochs"], len(names["train_rows"]), through_net, peak)
    # of the model that is saved, which reads in float32; the clock's may be of one that learns in 16 bits
    result |= {"accuracy": names["test_accuracy"], "calibration_error": names["calibration_error"]}
    result["epochs"] = names["epochs"]
    if names["augmentation"]:
        plain = [layer for layer in model.layers if layer not in names["augmentation"]]
        result["augmentation_share"] = augmentation_share(model, plain, train[0])
    result |= doubts(names["reader"], names["probabilities"])
    if strangers:
        result |= reading_strangers(strangers, names["reader"])
    return result | {"model_bytes": os.path.getsize(model_path), "precision": names["precision"]}


def force_precision(policy):
    """The cells of cnn.ipynb that this process runs shall learn in it, whatever devices.py would choose."""
    with quiet_stderr():
        import keras

        from shuzi.net import devices

    def set_precision(gpus):
        keras.mixed_precision.set_global_policy(policy)
        return policy

    devices.set_precision = set_precision


def doubts(reader, probabilities):
    """Share of drawn other characters that are unsure, and of the test pictures, whose probabilities are given."""
    from benchmarks.others import other_characters

    others = reader.predict(other_characters(8, 0)[0])
    return {
        "flagged": float(np.mean(reader.is_unsure(others))),
        "price": float(np.mean(reader.is_unsure(probabilities))),
    }


def reading_strangers(data, reader):
    """How many pictures of other handwriting are read rightly, of the classes that the net knows."""
    right = unsure = count = 0
    with open_data(data) as file:
        names = file["classes"].asstr()[:]
        for part in "train", "test":
            truth = names[file[f"y_{part}"][:, 0]]
            known = np.isin(truth, reader.classes)
            for start in range(0, len(truth), 5000):
                probabilities = reader.predict(file[f"X_{part}"][start : start + 5000])
                here = known[start : start + 5000]
                read = np.array(reader.classes)[probabilities.argmax(axis=1)]
                right += np.sum(here & (read == truth[start : start + 5000]))
                unsure += np.sum(here & reader.is_unsure(probabilities))
            count += known.sum()
    return {"strangers": float(right / count), "strangers_unsure": float(unsure / count)}


def run_baseline(name, data, seed, epochs):
    """Train one of BASELINES on all training pictures, with the threads of ours."""
    with quiet_stderr():
        import keras

        from shuzi.net import devices

        devices.set_threads()
        devices.set_gpu_memory()
    keras.utils.set_random_seed(seed)
    with open_data(data) as file:
        classes = len(file["classes"])
        X, y, X_test, y_test = (file[part][:] for part in ("X_train", "y_train", "X_test", "y_test"))
    net, optimizer, options = BASELINES[name](classes)
    options["epochs"] = epochs or options["epochs"]
    model = keras.Sequential([keras.Input((64, 64, 3)), *net])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer, loss, jit_compile=False)
    peak = matrix_product_peak()
    clock = make_clock(X_test, y_test.ravel())
    model.fit(X, y, verbose=0, callbacks=[clock], **options)
    probabilities = keras.ops.convert_to_numpy(keras.ops.softmax(model.predict(X_test, batch_size=500, verbose=0)))
    result = measure(clock, model, options["epochs"], len(X), len(X), peak)
    return result | {
        "calibration_error": calibration.calibration_error(probabilities, y_test.ravel()),
        "epochs": options["epochs"],
        "precision": "float32",
    }


def measure(clock, model, epochs, pictures, through_net, peak):
    """What is said of every net. pictures: of an epoch; through_net: with those of no class."""
    forward, training = operations(model)
    steps = clock.steps / epochs
    to_target = [seconds for seconds, accuracy in clock.accuracies if accuracy >= TARGET]
    in_budget = [accuracy for seconds, accuracy in clock.accuracies if seconds <= BUDGET * 1.02]
    return {
        "to_target": min(to_target, default=None),
        "in_budget": in_budget[-1],
        "accuracy": clock.accuracies[-1][1],
        "seconds": clock.total,
        "parameters": model.count_params(),
        "operations": forward,
        "pictures_per_second": clock.speed * pictures / steps,
        "peak": peak,
        "share_of_peak": clock.speed * through_net / steps * training / peak,
        "accuracies": clock.accuracies,
    }


def operations(model):
    """Floating-point operations for one picture, (forward, forward and backward); a multiply-add is two.

    Those of convolutions and dense layers are counted, which are nearly all. Backward takes as much again
    for the gradient of the weights, and for that of the input, which the first that learns does without.
    """
    forward = training = 0
    first = True
    for layer in model.layers:
        positions = int(np.prod(layer.output.shape[1:-1]))
        here = sum(2 * positions * int(np.prod(weight.shape)) for weight in layer.weights if len(weight.shape) > 1)
        forward += here
        training += here
        if here and layer.trainable_weights:
            training += here if first else 2 * here
            first = False
    return forward, training


def matrix_product_peak(repeats=4):
    """Operations a second in a float32 matrix product of 4096x4096, the quickest of a few."""
    import tensorflow as tf

    one = tf.random.normal((PEAK_SIDE, PEAK_SIDE))
    product = tf.function(lambda: tf.reduce_sum(tf.linalg.matmul(one, one)))  # a sum, so that it is waited for
    product().numpy()
    seconds = []
    for _ in range(repeats):
        begin = time.perf_counter()
        product().numpy()
        seconds.append(time.perf_counter() - begin)
    return 2 * PEAK_SIDE**3 / min(seconds)


def augmentation_share(model, plain_layers, batch, rounds=6, steps=6):
    """The part of a training step, 0-1, that leaving out the random layers saves. Trains the model on."""
    import keras

    plain = keras.Sequential([keras.Input(model.input_shape[1:]), *plain_layers])
    options = keras.optimizers.serialize(model.optimizer)
    plain.compile(keras.optimizers.deserialize(options), model.loss, jit_compile=False)
    seconds = {model: [], plain: []}
    for each in seconds:
        each.train_on_batch(*batch)
    for _ in range(rounds):  # by turns, so that both have the same of what else the machine does
        for each, times in seconds.items():
            for _ in range(steps):
                begin = time.perf_counter()
                each.train_on_batch(*batch)
                times.append(time.perf_counter() - begin)
    # the quickest quarter, where nothing else ran
    with_it, without = (np.mean(sorted(times)[: rounds * steps // 4]) for times in seconds.values())
    return 1 - without / with_it


def run_latency(model_path, pictures):
    """Seconds to read one picture, file to probabilities, with the model loaded: median, 95th percentile."""
    from shuzi import ink

    reader = load_reader(model_path)
    seconds = []
    for path in sorted(Path(pictures).iterdir())[:200]:
        begin = time.perf_counter()
        reader.predict(ink.read_picture(path)[None])
        seconds.append(time.perf_counter() - begin)
    return {"latency": float(np.median(seconds)), "latency_95": float(np.quantile(seconds, 0.95))}


def run_one(args):
    """The hidden option --one: one run here; its result is the last line of stdout, as JSON.

    Its value: one of NETS; "train", ours without measuring anything but its accuracy; or "latency".
    """
    os.environ["MPLBACKEND"] = "agg"
    name, (kind, *rest) = args.one, args.files
    if name == "latency":
        result = run_latency(kind, *rest)
    elif name in BASELINES:
        result = run_baseline(name, kind, args.seed, args.epochs)
    else:
        without = name.removeprefix("no_") if name.startswith("no_") else None
        if name in PRECISIONS:
            force_precision(PRECISIONS[name])
        result = run_ours(kind, args.seed, args.epochs, *rest, without=without, measured=name != "train")
    import keras
    import tensorflow as tf

    gpus = [tf.config.experimental.get_device_details(gpu) for gpu in tf.config.list_physical_devices("GPU")]
    result["versions"] = f"TensorFlow {tf.__version__}, Keras {keras.__version__}"
    result["gpus"] = [gpu.get("device_name", "GPU") for gpu in gpus]
    print(json.dumps(result))


# ---- all runs ----------------------------------------------------------------------------------------


class Failed(Exception):
    """A step that could not be done. The message is one line."""


def main():
    args = parse_arguments()
    if args.one:
        run_one(args)
        return 0
    try:
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            return bench(args, Path(folder))
    except Failed as error:
        print(f"bench.py: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"bench.py: stopped; what was measured is in {args.out}", file=sys.stderr)
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
    add(
        "--out",
        type=Path,
        default=PROJECT / "results" / "bench.md",
        metavar="FILE",
        help="default: results/bench.md",
    )
    add("--one", help=argparse.SUPPRESS)
    add("--seed", type=int, default=0, help=argparse.SUPPRESS)
    add("files", nargs="*", help=argparse.SUPPRESS)
    args = parser.parse_args()
    asked = {name.strip() for name in args.nets.split(",")}
    args.nets = [name for name in NETS if name in asked or (name == "long" and args.long)]
    if args.seeds < 1 or not args.nets or asked - set(NETS) or (args.epochs is not None and args.epochs < 1):
        parser.error(f"--seeds and --epochs must be 1 or more, --nets some of {','.join(NETS)}")
    if args.files and not args.one:
        parser.error(f"{args.files[0]}: the set to use comes after --data")
    return args


def bench(args, folder):
    seeds = range(1 if args.quick else args.seeds)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    source = Path(args.data) if args.data else PROJECT / "hwtrainset"
    about = prepare(source, folder, {NETS[name][1] for name in args.nets}, args.test_writers)
    if args.strangers:
        finish("datapro.py", args.strangers, "--out", folder / "strangers")
        pack(folder / "strangers", folder / "strangers.h5")
    log = args.out.with_suffix(".jsonl")
    log.write_text("")
    results = []

    def keep(name, seed, result):
        results.append({"net": name, "seed": seed} | result)
        with open(log, "a", encoding="utf-8") as file:
            file.write(json.dumps(results[-1]) + "\n")
        args.out.write_text(report(results, about, args), encoding="utf-8")
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
    args.out.write_text(report(results, about, args), encoding="utf-8")
    print(args.out.read_text("utf-8"))
    failed = [run for run in results if "failed" in run]
    print(f"{args.out}: {len(results) - len(failed)} runs" + (f", {len(failed)} failed" if failed else ""))
    return 1 if failed or about.get("failed") else 0


def prepare(source, folder, fits, test_writers=None):
    """A data.h5 for each fit, of the same pictures. Returns what the report says of data and machine."""
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
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    load = f", load {os.getloadavg()[0]:.1f} at the start" if hasattr(os, "getloadavg") else ""
    return {"data": text, "machine": f"{cores} cores, {processor()}{load}"}


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


def manifest(raw):
    with open(raw / "manifest.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


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
    ran = run([PROJECT / "predict.py", pictures, "--model", model, "--csv", folder / "predictions.csv"])
    seconds = time.perf_counter() - begin
    if ran.returncode not in (0, 1):
        return {"failed": f"predict.py: {last_words(ran)}"}
    result = one("latency", model, pictures)
    return {"predict_count": count, "predict_seconds": seconds, **result}


def one(name, *arguments):
    """A run in a process of its own. Returns its result, or {"failed": why}."""
    ran = run([Path(__file__).resolve(), "--one", name, *arguments])
    if ran.returncode:
        return {"failed": last_words(ran)}
    return json.loads(ran.stdout.splitlines()[-1])


def finish(script, *arguments):
    """Run a step of the pipeline. Raises Failed."""
    ran = run([PROJECT / script, *arguments])
    if ran.returncode not in (0, 1):
        # what it says to look at lies in a folder that is gone when this is read
        what, look, _ = last_words(ran).partition("; see ")
        raise Failed(f"{what}; run {script} by itself to see why" if look else what)


def pack(raw, data, test_writers=None):
    """test.py, with names of writers to test on as it takes them, or by chance. Raises Failed."""
    options = ["--test-writers", test_writers] if test_writers else []
    finish("test.py", "--raw", raw, "--out", data, *options)


def run(command):
    return subprocess.run([sys.executable, *map(str, command)], capture_output=True, text=True, encoding="utf-8")


def last_words(ran):
    """The last line that a process wrote to stderr; where it wrote none, how it ended."""
    lines = ran.stderr.strip().splitlines() or [f"{Path(ran.args[1]).name} ended with code {ran.returncode}"]
    return lines[-1]


def processor():
    """The processor's name, where the system tells."""
    with contextlib.suppress(OSError):
        for line in open("/proc/cpuinfo", encoding="utf-8"):
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


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

The old net (2020): pictures plainly resized, or those of ink.py; 100 epochs, Adam 0.005, batches of 64.
LeNet-5 and the tutorial's CNN: pictures of ink.py in grey, 15 epochs, Adam 0.001, batches of 128. These train
on all training pictures, without augmentation; ours sets a tenth of the writers aside for validation."""


def report(results, about, args):
    """Markdown: a column a net, a row a measure, and what they mean."""
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
    table = [["", *(NETS[name][0] for name in nets)], ["---", *("---:" for _ in nets)]]
    table += [[label, *(value(name) for name in nets)] for label, value in rows]
    lines = ["| " + " | ".join(row) + " |" for row in table]

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
        f"{about['machine']}, {gpus}; Python {platform.python_version()}, {first['versions']}.",
        f"Made by `python -m benchmarks.bench{options(args)}`.",
        NOTES.format(budget=BUDGET, target=TARGET, warm=WARM_UP, side=PEAK_SIDE, peak=peak),
    ]
    failures = [f"- {NETS[run['net']][0]}, seed {run['seed']}: {run['failed']}" for run in results if "failed" in run]
    failures += [f"- {about['failed']}"] if "failed" in about else []
    if failures:
        lines += ["", "Failed:", "", *failures]
    return "\n".join(lines) + "\n"


def options(args):
    """The options of this run, without paths of this machine."""
    text = (
        " --quick" * args.quick
        + (f" --seeds {args.seeds}" * (args.seeds != 5 and not args.quick))
        + (f" --baseline-seeds {args.baseline_seeds}" if args.baseline_seeds else "")
        + " --long" * args.long
    )
    text += f" --test-writers {args.test_writers}" if args.test_writers else ""
    text += f" --strangers {Path(args.strangers).name}" if args.strangers else ""
    text += f" --epochs {args.epochs}" if args.epochs else ""
    chosen = [name for name in args.nets if name != "long"]
    text += f" --nets {','.join(chosen)}" if set(chosen) != set(DEFAULT_NETS.split(",")) else ""
    return (f" --data {Path(args.data).name}" if args.data else "") + text


if __name__ == "__main__":
    sys.exit(main())
