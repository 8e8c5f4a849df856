"""One run of one net: ours, made by the cells of cnn.ipynb, or one of three others; measured, in a process of its own.

    python -m benchmarks.nets ours data.h5 model.keras --seed 0

prints its result as JSON. `bench.py` and `teach.py` start such processes; nobody else needs to.
"""

import argparse
import json
import os
import time
from pathlib import Path

import numpy as np

from benchmarks.common import last_words, run_script
from shuzi import ink
from shuzi.dataset.h5 import open_data
from shuzi.net import calibration, devices, notebook
from shuzi.reading.reader import load_reader

TARGET = 0.94  # the old net's best accuracy, on its own pictures
BUDGET = 60  # seconds of training
WARM_UP = 20  # steps at the start that speed is not measured on: TensorFlow compiles then
PEAK_SIDE = 4096
PRECISIONS = {"float32": "float32", "bfloat16": "mixed_bfloat16"}  # Keras's policies


def one(name, *arguments):
    """A run in a process of its own. Returns its result, or {"failed": why}."""
    ran = run_script(["-m", "benchmarks.nets", name, *arguments])
    if ran.returncode:
        return {"failed": last_words(ran)}
    return json.loads(ran.stdout.splitlines()[-1])


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


# ---- one run ---------------------------------------------------------------------------------------


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
    """Train as cnn.ipynb does: its own cells, but for the one that fits, and those that only draw.

    strangers: a data.h5 of other handwriting, all of which the trained net reads. without: "augmentation" or
    "outliers", to see what they are worth. measured: else only the model and its accuracy are wanted.
    """
    parameters = {"data": data, "model_path": model_path, "seed": seed} | ({"epochs": epochs} if epochs else {})
    changes = {"parameters": parameters}
    if without:
        changes[without] = {"augmentation": []} if without == "augmentation" else {"no_numerals": None}
    names = notebook.run_cells_before("fit", changes)
    train, model = names["train"], names["in_training"]
    callbacks = []
    if measured:
        peak = matrix_product_peak()
        clock = make_clock(names["X_test"], names["y_test"].ravel())
        callbacks.append(clock)
    model.fit(train, epochs=names["epochs"], shuffle=False, verbose=0, callbacks=callbacks)
    for tag in "calibrate", "unsure", "evaluate", "save":
        notebook.run_cell(tag, names)
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
    return result | {"model_bytes": os.path.getsize(model_path), "precision": names["machine"].precision}


def force_precision(policy):
    """The cells of cnn.ipynb that this process runs shall learn in it, whatever devices.py would choose."""

    def set_precision(gpus):
        devices.import_keras().mixed_precision.set_global_policy(policy)
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
    """Train one of BASELINES on all training pictures, with the threads of ours, in float32."""
    force_precision("float32")
    devices.set_up(seed)
    import keras

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
    reader = load_reader(model_path)
    seconds = []
    for path in sorted(Path(pictures).iterdir())[:200]:
        begin = time.perf_counter()
        reader.predict(ink.read_picture(path)[None])
        seconds.append(time.perf_counter() - begin)
    return {"latency": float(np.median(seconds)), "latency_95": float(np.quantile(seconds, 0.95))}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    add(
        "name", help='one of those of bench.py; "train", ours without measuring anything but its accuracy; or "latency"'
    )
    add("files", nargs="+", help="data.h5, the model to write, a data.h5 to read; for latency a model and a folder")
    add("--seed", type=int, default=0)
    add("--epochs", type=int)
    args = parser.parse_args()
    name, (kind, *rest) = args.name, args.files
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


if __name__ == "__main__":
    main()
