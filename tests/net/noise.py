"""The notebook's net, built by its own cells, to train on noise; and what tests run of it in processes of their own."""

import json
import time
from types import SimpleNamespace

import numpy as np

from shuzi.net import cluster, devices
from shuzi.net.notebook import run_cell

rng = np.random.default_rng(0)
PICTURES = rng.integers(0, 256, (320, 64, 64, 3), np.uint8)
LABELS = rng.integers(0, 3, (320, 1))
ROWS = np.arange(256)


def build(**given):
    """The names that the cells make, up to a compiled net. given: names to use instead of those that cells make."""
    with devices.quiet_stderr():
        keras = devices.import_keras()
        from shuzi.net import augment, batches, outliers
        from shuzi.net.model import FusedBatchNormalization
    keras.utils.set_random_seed(0)
    names = {
        "np": np,
        "keras": keras,
        "layers": keras.layers,
        "ops": keras.ops,
        "time": time,
        "augment": augment,
        "batches": batches,
        "outliers": outliers,
        "figures": SimpleNamespace(show=lambda *_, **__: None),
        "FusedBatchNormalization": FusedBatchNormalization,
        "machine": "",
        "classes": ["1", "2", "3"],
        "epochs": 2,
        "seed": 0,
        "X_train": PICTURES,
        "y_train": LABELS,
        "train_rows": ROWS,
        "X_validation": PICTURES[256:],
        "y_validation": LABELS[256:],
    }
    for tag, made in ("augmentation", "augmentation"), ("outliers", "no_numerals"):
        if made not in given:
            run_cell(tag, names)
    names.update(given)
    for tag in "net", "batches", "compile":
        run_cell(tag, names)
    return names


def plain_step(names):
    """The weights before and after training without chance: a plain optimizer, no augmentation, no outliers."""
    model = names["in_training"]
    before = model.get_weights()
    model.compile(
        names["keras"].optimizers.SGD(0.01), model.loss, jit_compile=names["keras"].backend.backend() == "jax"
    )
    model.fit(names["train"], validation_data=names["validation"], steps_per_epoch=1, epochs=1, verbose=0)
    return before, model.get_weights()


def largest(one, other):
    return max(float(np.abs(a - b).max()) for a, b in zip(one, other))


def print_two_devices():
    """One step on one device, and on two that share the batch."""
    with devices.quiet_stderr():
        import tensorflow as tf

        cpu = tf.config.list_physical_devices("CPU")[0]
        tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
        before, one = plain_step(build(augmentation=[], no_numerals=None))
        devices.share_among(tf.config.list_logical_devices("CPU"))
        shared = devices.replicas()
        before_two, two = plain_step(names := build(augmentation=[], no_numerals=None))
        from shuzi.net.model import for_reading

        for_reading(names["model"])
    result = {
        "same start": all(np.array_equal(a, b) for a, b in zip(before, before_two)),
        "replicas": [shared, devices.replicas()],
        "moved": largest(before, one),
        "apart": largest(one, two),
    }
    print(json.dumps(result))


def print_a_step():
    """Training without chance, on this machine or on those that TF_CONFIG names; alone, with augmentation, too."""
    with devices.quiet_stderr():
        devices.import_keras()
        cluster.join()
    names = build(augmentation=[], no_numerals=None)
    model = names["in_training"]
    before = model.get_weights()
    model.compile(names["keras"].optimizers.SGD(0.01), model.loss)
    model.fit(names["train"], validation_data=names["validation"], epochs=1, verbose=0)
    after = model.get_weights()
    from shuzi.net.model import for_reading

    alone = for_reading(names["model"])
    result = {
        "place": cluster.place(),
        "pictures": sum(len(names["train"][i][0]) for i in range(len(names["train"]))),
        "moved": largest(before, after),
        "weights": np.concatenate([part.ravel() for part in after]).tolist(),
        "read": alone.predict(PICTURES[:3], verbose=0).tolist(),
    }
    if cluster.place() == (0, 1):
        whole = build()
        history = whole["in_training"].fit(whole["train"], epochs=1, verbose=0).history
        assert all(np.isfinite(values).all() for values in history.values()), history
    print(json.dumps(result))
