"""The notebook's net on noise: it learns on one device, on two, on another backend, on two machines, in half precision."""

import json
import os
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import noise
import numpy as np
import pytest
from common import PROJECT

from shuzi.core.command import Problem
from shuzi.net import cluster
from shuzi.net.devices import quiet_stderr
from shuzi.net.notebook import run_cell

with quiet_stderr():
    import keras

    from shuzi.net import batches


def python(code, **environment):
    """Run code with the project on its path. Returns what the last line of its stdout says."""
    path = os.pathsep.join([str(PROJECT), str(PROJECT / "tests" / "net"), os.environ.get("PYTHONPATH", "")])
    ran = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": path} | environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    return json.loads(ran.stdout.splitlines()[-1])


def test_same_seed_same_weights():
    """To the last bit, on one machine, with augmentation and all threads."""
    results = []
    for _ in range(2):
        names = noise.build()
        names["in_training"].fit(names["train"], verbose=0)
        results.append(names["in_training"].get_weights())
    assert all(np.array_equal(one, again) for one, again in zip(*results))


def test_fitting_from_disk_reads_each_window_once_an_epoch(monkeypatch):
    reads = []

    class OnDisk:
        shape, dtype = noise.PICTURES.shape, noise.PICTURES.dtype

        def __len__(self):
            return len(noise.PICTURES)

        def __getitem__(self, rows):
            reads.append(rows)
            return noise.PICTURES[rows]

    monkeypatch.setattr(batches, "WINDOW", 64)
    names = noise.build(X_train=OnDisk(), augmentation=[], no_numerals=None)
    train = names["train"]
    train.batch_size = 4
    train.on_epoch_end()
    reads.clear()
    run_cell("fit", names)
    assert (len(train.windows), len(train)) == (4, 64)
    # Keras fetches up to 11 batches ahead of one that a worker is slow with: fewer than the 16 of a window.
    assert len(reads) <= 2 * len(train.windows) + 1  # two epochs, and one look ahead


def test_net_and_augmentation_train_in_half_precision(policy):
    """As on GPUs with tensor cores; processors can, if slowly."""
    keras.mixed_precision.set_global_policy("mixed_float16")
    names = noise.build()
    model = names["in_training"]
    before = model.get_weights()
    assert any(layer.compute_dtype == "float16" for layer in model.layers), "nothing is in half precision"
    pictures, targets = (part[:16] for part in names["train"][0])
    history = model.fit(pictures, targets, verbose=0).history
    probabilities = names["model"].predict(noise.PICTURES[:16], verbose=0)
    assert probabilities.dtype == np.float32 and np.allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    assert np.isfinite(history["loss"]).all() and all(np.isfinite(part).all() for part in model.get_weights())
    assert any((a != b).any() for a, b in zip(before, model.get_weights())), "nothing was learned"


def test_two_devices_train_as_one():
    """Half a batch on each of two, normalized over the whole batch, makes the step that one makes."""
    result = python("import noise; noise.print_two_devices()")
    assert result["same start"] and result["replicas"] == [2, 1]
    assert result["moved"] > 1e-2
    assert result["apart"] < 1e-2 * result["moved"]


@pytest.mark.slow
def test_two_machines_train_as_one():
    """Two processes that TF_CONFIG names, on Keras's JAX backend, each with half of each batch; and one alone, with all."""
    pytest.importorskip("jax")
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        workers = [f"127.0.0.1:{each.getsockname()[1]}" for each in (one, other)]
    configs = [json.dumps({"cluster": {"worker": workers}, "task": {"type": "worker", "index": i}}) for i in (0, 1)]

    def train(config):
        return python("import noise; noise.print_a_step()", KERAS_BACKEND="jax", TF_CONFIG=config)

    with ThreadPoolExecutor(3) as pool:
        alone, *both = pool.map(train, ["", *configs])
    assert alone["place"] == [0, 1] and [each["place"] for each in both] == [[0, 2], [1, 2]]
    assert alone["pictures"] == 256 and [each["pictures"] for each in both] == [128, 128]
    assert alone["moved"] > 1e-2
    for each in both:
        np.testing.assert_allclose(each["weights"], alone["weights"], atol=1e-2 * alone["moved"])
        np.testing.assert_allclose(each["read"], alone["read"], atol=1e-3)


@pytest.mark.parametrize("config", ["{", "[]", '{"cluster": {"worker": ["a:1", "b:1"]}}'])
def test_wrong_cluster_is_refused_with_a_sentence(config, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", config)
    with pytest.raises(Problem, match="TF_CONFIG"):
        cluster.join()


def test_several_machines_need_the_jax_backend(monkeypatch):
    monkeypatch.setenv("TF_CONFIG", '{"cluster": {"worker": ["a:1", "b:1"]}, "task": {"index": 1}}')
    with pytest.raises(Problem, match="KERAS_BACKEND=jax"):
        cluster.join()
