"""What the notebook trains with: augment.py, batches.py, normalization.py, calibration.py, devices.py, its own net."""

import inspect
import json
import math
import os
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from unittest.mock import MagicMock, patch

import h5py
import numpy as np
import pytest
from cells import cell
from common import PROJECT

from shuzi import ink as ink_module
from shuzi.core.files import Problem
from shuzi.drawing import handwriting as synthesize
from shuzi.reading.reader import quiet_stderr

with quiet_stderr():
    import keras

    from shuzi.net import augment, batches, calibration, devices
    from shuzi.net.normalization import FusedBatchNormalization

CLASSES = [str(number) for number in range(1, 11)]


@pytest.fixture(scope="module")
def pictures():
    """uint8 (40, 64, 64, 3), four of each class 1 to 10, as ink.py prepares them, in the order of labels."""
    made = []
    for i in range(40):
        grey, _ = synthesize.picture(CLASSES[i // 4], synthesize.make_writer(7, i), np.random.default_rng([7, i]))
        made.append(ink_module.prepare(grey))
    return np.stack(made)


@pytest.fixture(scope="module")
def strokes(pictures):
    """The same as ink, float32 (40, 64, 64, 1), 0 paper to 1 ink."""
    return 1 - pictures[..., :1].astype("float32") / 255


@pytest.fixture
def policy():
    """Puts the precision back."""
    before = keras.mixed_precision.global_policy()
    yield
    keras.mixed_precision.set_global_policy(before)


# ---- augment.py: random layers ---------------------------------------------------------------------

RANDOM_LAYERS = [
    layer
    for layer in vars(augment).values()
    if inspect.isclass(layer) and issubclass(layer, augment.RandomLayer) and layer is not augment.RandomLayer
]
each_layer = pytest.mark.parametrize("layer", RANDOM_LAYERS)


def notebook_augmentation():
    names = {"augment": augment}
    exec(cell("augmentation"), names)
    return names["augmentation"]


def augmented(layers, ink):
    for layer in layers:
        ink = layer(ink, training=True)
    return np.array(ink)


def test_notebook_uses_every_random_layer():
    assert {type(layer) for layer in notebook_augmentation()} == set(RANDOM_LAYERS)


@each_layer
def test_outside_training_a_random_layer_changes_nothing(layer, strokes):
    assert np.array_equal(layer()(strokes), strokes)
    assert np.array_equal(layer()(strokes, training=False), strokes)


@each_layer
def test_in_training_every_picture_changes_and_stays_ink(layer, strokes):
    changed = np.array(layer(seed=1)(strokes, training=True))
    assert changed.shape == strokes.shape and changed.dtype == np.float32
    assert changed.min() >= -1e-4 and changed.max() <= 1 + 1e-4
    difference = np.abs(changed - strokes).mean(axis=(1, 2, 3))
    assert np.mean(difference > 1e-4) > 0.9  # a draw near none is rare, but may be


@each_layer
def test_pictures_of_a_batch_change_differently(layer, strokes):
    same = np.repeat(strokes[20:21], 8, axis=0)
    changed = np.array(layer(seed=2)(same, training=True))
    assert len({picture.tobytes() for picture in changed}) == 8


@each_layer
def test_paper_stays_white(layer, strokes):
    assert np.allclose(layer(seed=3)(np.zeros_like(strokes), training=True), 0, atol=1e-6)


@each_layer
def test_same_seed_of_keras_same_pictures(layer, strokes):
    results = []
    for seed in 5, 5, 6:
        keras.utils.set_random_seed(seed)
        results.append(np.array(layer()(strokes, training=True)))
    assert np.array_equal(results[0], results[1])
    assert not np.array_equal(results[0], results[2])


@each_layer
def test_where_nets_work_in_half_precision_the_pictures_are_the_same(layer, strokes, policy):
    strokes = strokes.astype("float16")
    full = np.array(layer(seed=4)(strokes.astype("float32"), training=True))
    keras.mixed_precision.set_global_policy("mixed_float16")
    made = layer(seed=4)(keras.ops.convert_to_tensor(strokes), training=True)
    assert np.abs(np.array(made, "float32") - full).max() < 1e-2


STILL = dict.fromkeys(["rotation", "slant", "size", "aspect", "shift", "perspective", "proportions", "bend"], 0)


def test_a_hand_that_changes_nothing_leaves_every_pixel(strokes):
    assert np.array_equal(augment.RandomHand(**STILL)(strokes, training=True), strokes)


@pytest.mark.parametrize("change", STILL)
def test_each_way_in_which_a_hand_differs_changes_pictures_and_none_alone_destroys_them(change, strokes):
    usual = getattr(augment.RandomHand(), change)
    usual = math.degrees(usual) if change == "rotation" else usual
    changed = np.array(augment.RandomHand(**STILL | {change: usual}, seed=1)(strokes, training=True))
    assert np.mean(np.abs(changed - strokes).mean(axis=(1, 2, 3)) > 1e-4) > 0.8
    assert np.all(changed.sum(axis=(1, 2, 3)) > 0.5 * strokes.sum(axis=(1, 2, 3)))


def test_a_hand_bends_level_strokes():
    level = np.zeros((20, 64, 64, 1), np.float32)
    level[:, 31:33, 8:56] = 1
    bent = np.array(augment.RandomHand(**STILL | {"bend": 3}, seed=1)(level, training=True))[..., 0]
    heights = (bent * np.arange(64)[:, None]).sum(axis=1) / np.maximum(bent.sum(axis=1), 1e-6)  # of each column's ink
    assert np.median(np.ptp(heights[:, 12:52], axis=1)) > 2


def test_no_ink_of_one_picture_comes_into_another(strokes):
    alternating = strokes * (np.arange(len(strokes)) % 2)[:, None, None, None]
    changed = np.array(augment.RandomHand(shift=40, seed=1)(alternating, training=True))
    assert not changed[::2].any() and changed[1::2].any()


@pytest.mark.parametrize(("coarse", "filled"), [(0, False), (1, True)])
def test_few_pixels_fill_a_gap_and_keep_the_ink_deep(coarse, filled):
    lines = np.zeros((4, 64, 64, 1), np.float32)
    lines[:, [30, 31, 34, 35], 8:56] = 1
    capture = augment.RandomCapture(coarse=coarse, sides=(14,), hardness=0, threshold=0, seed=1)
    changed = np.array(capture(lines, training=True))
    assert (changed[:, 32:34, 12:52].min() > 0.5) == filled and changed.max() == 1


def test_augmented_pictures_can_still_be_read(strokes):
    """Hardly any loses or gains most of its ink, is pushed over the border, or is no longer like itself."""
    keras.utils.set_random_seed(0)
    layers = notebook_augmentation()
    lost, over, like = [], [], []
    for _ in range(80):  # few pictures are lost: with ten, their share would change by a third with the seed
        changed = augmented(layers, strokes)
        ratio = changed.sum(axis=(1, 2, 3)) / strokes.sum(axis=(1, 2, 3))
        lost.append((ratio < 0.1) | (ratio > 6))
        border = changed.copy()
        border[:, 1:-1, 1:-1] = 0
        over.append(border.sum(axis=(1, 2, 3)) > 0.1 * changed.sum(axis=(1, 2, 3)))
        # at an eighth of the size, is it still more like its original than like other pictures?
        small = [part.reshape(40, 8, 8, 8, 8).mean(axis=(2, 4)).reshape(40, 64) for part in (changed, strokes)]
        small = [part / np.linalg.norm(part, axis=1, keepdims=True) for part in small]
        likeness = small[0] @ small[1].T
        like.append(likeness.diagonal()[:, None] >= likeness)
    assert np.mean(lost) < 0.03
    assert np.mean(over) < 0.03
    assert np.mean(like) > 0.9


# ---- augment.py: pictures of no class -----------------------------------------------------------------


def labels_of(pictures):
    return np.arange(len(pictures)) // 4


def assert_pictures(made, count):
    assert made.shape == (count, 64, 64, 3) and made.dtype == np.uint8
    assert (made == made[..., :1]).all()  # grey
    dark = (made[..., 0] < 128).mean(axis=(1, 2))
    assert dark.min() > 0.001 and dark.max() < 0.7  # ink on paper


def test_collages_are_pictures_and_none_of_them_a_source(pictures):
    made = augment.collages(pictures, labels_of(pictures), 200, np.random.default_rng(0))
    assert_pictures(made, 200)
    sources = pictures.reshape(len(pictures), -1).astype(int)
    for picture in made.reshape(200, -1):
        assert np.abs(sources - picture).max(axis=1).min() > 100
    assert len({picture.tobytes() for picture in made}) > 190


def test_collages_come_from_their_generator_alone(pictures):
    one, two, other = (
        augment.collages(pictures, labels_of(pictures), 20, np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    assert np.array_equal(one, two) and not np.array_equal(one, other)


@pytest.mark.parametrize(
    "rows",
    [[20], [20, 21, 22, 23], [20, 36], [0, 1, 2, 3], [0, 4, 8]],
    ids=["one picture", "one class", "two classes", "all flat, one class", "all flat"],
)
def test_collages_of_little(pictures, rows):
    made = augment.collages(pictures[rows], labels_of(pictures)[rows], 30, np.random.default_rng(0))
    assert_pictures(made, 30)
    for source in pictures[rows]:
        assert not (made == source).all(axis=(1, 2, 3)).any()


# ---- batches.py ---------------------------------------------------------------------------------------


def numbered(count):
    """Pictures that hold their own row number, uint8 (count, 64, 64, 3)."""
    made = np.zeros((count, 64, 64, 3), np.uint8)
    made[:, 0, 0, 0], made[:, 0, 0, 1] = np.arange(count) % 256, np.arange(count) // 256
    return made


def numbers(pictures):
    return pictures[:, 0, 0, 0].astype(int) + 256 * pictures[:, 0, 0, 1].astype(int)


def epoch(made):
    """All pictures and targets of an epoch, one batch after the other."""
    parts = [made[i] for i in range(len(made))]
    return np.concatenate([x for x, _ in parts]), np.concatenate([y for _, y in parts])


@pytest.fixture(params=["memory", "disk"])
def stored(request, tmp_path, monkeypatch):
    """500 numbered pictures as an array, or as a dataset of more than a window."""
    if request.param == "memory":
        yield numbered(500)
        return
    monkeypatch.setattr(batches, "WINDOW", 128)
    with h5py.File(tmp_path / "data.h5", "w") as file:
        yield file.create_dataset("X", data=numbered(500), chunks=(64, 64, 64, 3), compression="gzip")


def test_every_training_row_exactly_once_an_epoch(stored):
    rows = np.flatnonzero(np.arange(500) % 10)  # each tenth is set aside
    labels = np.arange(500)[:, None] % 7
    made = batches.Batches(stored, labels, rows, 7, batch_size=32, seed=3)
    orders = []
    for _ in range(3):
        x, targets = epoch(made)
        orders.append(numbers(x))
        assert sorted(orders[-1]) == list(rows)
        assert x.dtype == np.uint8 and targets.dtype == np.float32
        assert np.array_equal(targets.argmax(axis=1), orders[-1] % 7)
        assert np.allclose(targets.sum(axis=1), 1)
        assert np.allclose(targets.max(axis=1), 0.95 + 0.05 / 7)
        made.on_epoch_end()
    assert not np.array_equal(orders[0], orders[1]) and not np.array_equal(orders[1], orders[2])
    assert np.mean(np.diff(orders[0]) == 1) < 0.1  # shuffled


def test_same_seed_same_batches(stored):
    def two_epochs(seed):
        made = batches.Batches(stored, np.zeros(500, int), range(500), 3, outliers=numbered(9), seed=seed)
        first = epoch(made)[0]
        made.on_epoch_end()
        return np.concatenate([numbers(first), numbers(epoch(made)[0])])

    assert np.array_equal(two_epochs(1), two_epochs(1))
    assert not np.array_equal(two_epochs(1), two_epochs(2))


def test_outliers_are_added_to_every_batch_with_even_targets(stored):
    outliers = np.full((5, 64, 64, 3), 255, np.uint8)
    made = batches.Batches(
        stored, np.zeros(500, int), range(500), 4, batch_size=100, outliers=outliers, outlier_share=0.2
    )
    assert len(made) == (5 if isinstance(stored, np.ndarray) else 8)  # a window's last batch may be short
    for x, targets in (made[i] for i in range(len(made))):
        outlier = numbers(x) == 255 + 256 * 255
        assert outlier.sum() == 20
        assert np.allclose(targets[outlier], 0.25)
        assert (targets[~outlier].argmax(axis=1) == 0).all() and targets[~outlier].max() > 0.9


def test_two_threads_get_the_batches_that_one_gets(stored):
    made = batches.Batches(stored, np.arange(500) % 7, range(500), 7, batch_size=16)
    alone = [made[i][0] for i in range(len(made))]
    made.loaded = {}
    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(lambda i: made[i][0], range(len(made))))
    assert all((one == two).all() for one, two in zip(alone, together))


def test_batches_can_be_asked_for_in_any_order(stored):
    """Keras may shuffle the order of batches."""
    made = batches.Batches(stored, np.arange(500) % 7, range(500), 7)
    order = np.random.default_rng(0).permutation(len(made))
    assert sorted(np.concatenate([numbers(made[i][0]) for i in order])) == list(range(500))


def test_without_smoothing_targets_are_all_or_nothing():
    made = batches.Batches(numbered(10), np.arange(10), range(10), 10, smoothing=0)
    assert np.array_equal(np.unique(made[0][1]), [0, 1])


@pytest.mark.parametrize("free, in_memory", [(10_000_000, True), (1_000_000, False)])
def test_a_set_is_loaded_where_it_fits_twice_into_free_memory(tmp_path, monkeypatch, free, in_memory):
    monkeypatch.setattr(batches.psutil, "virtual_memory", lambda: SimpleNamespace(available=free))
    with h5py.File(tmp_path / "data.h5", "w") as file:
        stored = file.create_dataset("X", data=numbered(200))  # 2.5 MB
        loaded = batches.load(stored)
        assert isinstance(loaded, np.ndarray if in_memory else h5py.Dataset)
        assert np.array_equal(numbers(loaded[:]), np.arange(200))


# ---- batches.py: validation writers -------------------------------------------------------------------


def assert_split(kept, aside, count):
    assert np.array_equal(np.sort(np.concatenate([kept, aside])), np.arange(count))
    assert (np.diff(kept) > 0).all() and (np.diff(aside) > 0).all()
    assert 0 < len(aside) < len(kept)


def test_no_writer_on_both_sides():
    rng = np.random.default_rng(0)
    writers = rng.choice([f"writer-{i}" for i in range(60)], 3000)
    labels = rng.integers(0, 10, (3000, 1))
    kept, aside = batches.split_writers(writers, labels, share=0.1, seed=4)
    assert_split(kept, aside, 3000)
    assert not set(writers[kept]) & set(writers[aside])
    assert 0.08 < len(aside) / 3000 < 0.14
    assert len(np.unique(labels[aside])) == 10


@pytest.mark.parametrize("seed", range(5))
def test_my_own_hand_is_not_set_aside(seed):
    writers = np.array(["writer-me"] * 50 + [f"writer-{i % 10}" for i in range(200)])
    kept, aside = batches.split_writers(writers, np.zeros(250, int), share=0.3, seed=seed)
    assert np.isin(np.arange(50), kept).all() and len(aside) >= 50


def test_split_comes_from_its_seed():
    writers = [f"writer-{i % 50}" for i in range(1000)]
    one, two, other = (batches.split_writers(writers, np.zeros(1000, int), seed=seed)[1] for seed in (0, 0, 1))
    assert np.array_equal(one, two) and not np.array_equal(one, other)


def test_unknown_writers_are_split_by_class():
    labels = np.arange(1000) % 10
    kept, aside = batches.split_writers(np.full(1000, ""), labels, share=0.1)
    assert_split(kept, aside, 1000)
    assert (np.bincount(labels[aside]) == 10).all()


def test_known_and_unknown_writers():
    writers = np.array(["", "writer-a", "writer-b", "writer-c", "writer-d"] * 200)
    kept, aside = batches.split_writers(writers, np.arange(1000) // 5 % 4, share=0.2)
    assert_split(kept, aside, 1000)
    assert not (set(writers[kept]) & set(writers[aside])) - {""}
    assert np.sum(writers[aside] == "") == 40


@pytest.mark.parametrize(
    "writers",
    [["a"] * 100, ["a"] * 90 + ["b"] * 10, ["a"] * 10 + ["b"] * 90, ["a", "b"] * 50, [""] * 12, ["a", "b"]],
    ids=["one writer", "one wrote most", "the other wrote most", "two writers", "very few", "two pictures"],
)
@pytest.mark.parametrize("seed", range(4))
def test_split_of_few_writers_leaves_most_for_training(writers, seed):
    kept, aside = batches.split_writers(writers, np.arange(len(writers)) % 3, share=0.1, seed=seed)
    assert np.array_equal(np.sort(np.concatenate([kept, aside])), np.arange(len(writers)))
    assert 0 < len(aside) <= max(1, 0.4 * len(writers)) and len(kept)


@pytest.mark.parametrize("seed", range(20))
def test_no_class_is_set_aside_whole(seed):
    """cat is by one training writer, dog by two, and fox is a single picture of a writer of many."""
    writers = np.array(["mei"] * 20 + ["wei", "lan"] * 10 + [f"{i % 20}" for i in range(400)])
    labels = np.array([1] * 20 + [2] * 20 + [0] * 399 + [3])
    kept, aside = batches.split_writers(writers, labels, share=0.3, seed=seed)
    assert_split(kept, aside, len(writers))
    assert set(labels[kept]) == {0, 1, 2, 3} and not set(writers[kept]) & set(writers[aside])
    assert len(aside) > 100


@pytest.mark.parametrize("other", [["b"] * 30, ["b"]], ids=["as many", "a single one"])
def test_few_writers_and_my_own_hand(other):
    writers = np.array(["writer-me"] * 30 + other)
    labels = np.arange(len(writers)) % 3
    kept, aside = batches.split_writers(writers, labels, share=0.1)
    assert len(aside) and set(writers[aside]) == {"b"} and set(labels[kept]) == {0, 1, 2}


# ---- calibration.py -------------------------------------------------------------------------------------


def drawn_labels(logits, rng):
    """Labels as often right as the logits say."""
    return (logits + rng.gumbel(size=logits.shape)).argmax(axis=1)


@pytest.mark.parametrize("temperature", [0.3, 1.0, 2.5])
def test_a_known_temperature_is_found(temperature):
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 3, (20_000, 10))
    labels = drawn_labels(logits, rng)
    found = calibration.find_temperature(logits * temperature, labels[:, None])
    assert found == pytest.approx(temperature, rel=0.05)


@pytest.mark.parametrize("count", [10, 1000])
def test_a_net_that_made_no_mistake_is_not_made_certain(count):
    labels = np.arange(count) % 10
    logits = 8 * np.eye(10, dtype="float32")[labels]
    temperature = calibration.find_temperature(logits, labels)
    wrong = 9 / (9 + np.exp(8 / temperature))
    assert 0.1 / count < wrong < 1 / count


def test_temperature_is_bounded():
    logits = np.eye(10, dtype="float32")
    assert 19 < calibration.find_temperature(-logits, np.arange(10)) <= 20.01  # always wrong
    assert 19 < calibration.find_temperature(1e4 * logits, np.arange(10)) <= 20.01
    assert 0.05 <= calibration.find_temperature(1e-4 * logits, np.arange(10)) < 0.06


def test_lead_tells_doubt_between_two_classes_from_doubt_about_all():
    sure = np.full(10, 1e-6)
    sure[3] = 1
    torn = np.full(10, 1e-6)
    torn[[3, 4]] = 0.5
    lost = np.full(10, 0.05)
    lost[3] = 0.55
    leads = calibration.lead(np.stack([sure, torn, lost, np.full(10, 0.1)]))
    assert leads[0] > leads[1] > 4 * leads[2] > 0 and leads[3] == pytest.approx(0, abs=1e-12)
    assert leads[0] == pytest.approx(0.9 * np.log(1e6))
    assert np.isfinite(calibration.lead(np.eye(3))).all()


def test_calibration_error_of_an_honest_and_of_an_overconfident_net():
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (50_000, 5))
    labels = drawn_labels(logits, rng)
    honest = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert calibration.calibration_error(honest, labels) < 0.01
    # always sure at 0.98, right half the time
    sure = np.full((1000, 3), 0.01)
    sure[:, 0] = 0.98
    half = np.arange(1000) % 2
    assert calibration.calibration_error(sure, half) == pytest.approx(0.48, abs=1e-6)
    assert calibration.calibration_error(np.eye(3), np.arange(3)) == 0  # confidence 1 has a bin too


# ---- devices.py, with GPUs that are not there -----------------------------------------------------------


@pytest.fixture
def config(monkeypatch):
    """tf.config, replaced; it lists `config.gpus`, of compute capability `config.capability`."""
    config = MagicMock()
    config.gpus, config.capability = [], {}
    config.list_physical_devices.side_effect = lambda kind: config.gpus if kind == "GPU" else ["CPU:0"]
    config.experimental.get_device_details.side_effect = lambda gpu: config.capability.get(gpu, {})
    monkeypatch.setattr(devices.tf, "config", config)
    return config


def test_memory_of_each_gpu_grows_as_needed(config):
    config.gpus = ["GPU:0", "GPU:1"]
    assert devices.set_gpu_memory() == ["GPU:0", "GPU:1"]
    calls = config.experimental.set_memory_growth.call_args_list
    assert [call.args for call in calls] == [("GPU:0", True), ("GPU:1", True)]
    config.set_logical_device_configuration.assert_not_called()
    config.set_soft_device_placement.assert_called_once_with(True)


def test_or_memory_of_each_gpu_is_limited(config):
    config.gpus = ["GPU:0", "GPU:1"]
    devices.set_gpu_memory(2048)
    config.LogicalDeviceConfiguration.assert_called_with(memory_limit=2048)
    limited = [call.args for call in config.set_logical_device_configuration.call_args_list]
    limit = config.LogicalDeviceConfiguration.return_value
    assert limited == [("GPU:0", [limit]), ("GPU:1", [limit])]
    config.experimental.set_memory_growth.assert_not_called()  # TensorFlow refuses both for one GPU


def test_without_a_gpu_nothing_is_set_for_one(config):
    assert devices.set_gpu_memory(2048) == []
    config.experimental.set_memory_growth.assert_not_called()
    config.set_logical_device_configuration.assert_not_called()


def test_threads_are_settled(config):
    devices.set_threads()
    config.threading.set_inter_op_parallelism_threads.assert_called_once()
    config.threading.set_intra_op_parallelism_threads.assert_called_once()


@pytest.mark.parametrize(
    "capabilities, precision",
    [
        ([], "float32"),
        ([(6, 1)], "float32"),
        ([(7, 0)], "mixed_float16"),
        ([(9, 0), (8, 0)], "mixed_float16"),
        ([(9, 0), (6, 1)], "float32"),
        ([None], "float32"),  # a GPU of which nothing is known
    ],
)
def test_half_precision_where_all_gpus_have_tensor_cores(config, policy, monkeypatch, capabilities, precision):
    monkeypatch.setattr(devices, "has_quick_bfloat16", lambda: False)
    gpus = [f"GPU:{i}" for i in range(len(capabilities))]
    config.capability = {gpu: {"compute_capability": one} for gpu, one in zip(gpus, capabilities) if one}
    assert devices.set_precision(gpus) == precision
    assert keras.mixed_precision.global_policy().name == precision


AMD, INTEL = (f"processor\t: 0\nvendor_id\t: {name}\n" for name in ("AuthenticAMD", "GenuineIntel"))


@pytest.mark.parametrize(
    "text, gpus, precision",
    [
        (AMD + "flags\t\t: fpu avx2 avx512f avx512_bf16 gfni\n", [], "mixed_bfloat16"),
        (AMD + "flags\t\t: fpu avx2 avx512f gfni\n", [], "float32"),
        (INTEL + "flags\t\t: fpu avx512_bf16 amx_bf16\n", [], "mixed_bfloat16"),
        (INTEL + "flags\t\t: fpu avx512_bf16\n", [], "float32"),  # has it, but slowly
        (AMD + "flags : fpu avx2 avx512f\nbugs : avx512_bf16\n", [], "float32"),
        (INTEL + "flags : fpu amx_bf16\n", ["GPU:0"], "float32"),  # an old GPU does the work
        (None, [], "float32"),  # no Linux
    ],
)
def test_half_precision_where_the_processor_has_it(config, policy, tmp_path, monkeypatch, text, gpus, precision):
    config.capability = {}
    path = tmp_path / "cpuinfo"
    if text:
        path.write_text(text)
    monkeypatch.setattr(devices.has_quick_bfloat16, "__defaults__", (path,))
    assert devices.set_precision(gpus) == precision


@pytest.mark.parametrize("count, mirrored", [(0, False), (1, False), (2, True), (4, True)])
def test_several_gpus_work_together(count, mirrored):
    with patch.object(devices.tf.distribute, "MirroredStrategy") as strategy:
        chosen = devices.choose_strategy([f"GPU:{i}" for i in range(count)])
    assert strategy.called == mirrored
    assert chosen is strategy.return_value if mirrored else chosen is devices.tf.distribute.get_strategy()


# ---- normalization.py --------------------------------------------------------------------------------


def test_fused_normalization_trains_as_keras_own(policy):
    import tensorflow as tf

    pictures = np.random.default_rng(0).normal(2, 3, (20, 6, 6, 4)).astype("float32")
    results = []
    for kind in keras.layers.BatchNormalization, FusedBatchNormalization:
        layer = kind(momentum=0.9)
        layer.build(pictures.shape)
        layer.gamma.assign([1.0, 2.0, 0.5, -1.0])
        with tf.GradientTape() as tape:
            inputs = tf.constant(pictures)
            tape.watch(inputs)
            outputs = layer(inputs, training=True)
            loss = tf.reduce_sum(outputs**3)
        variables = [layer.gamma.value, layer.beta.value]
        gradients = tape.gradient(loss, [inputs, *variables])
        moving = [layer.moving_mean, layer.moving_variance]
        results.append([outputs, layer(pictures), *gradients, *moving])
    for own, fused in zip(*results):
        own, fused = map(keras.ops.convert_to_numpy, (own, fused))
        assert np.abs(own).max() > 0.1  # it did something
        # the variance that is kept is that of a sample: 1/720 more
        assert np.allclose(own, fused, rtol=3e-3, atol=3e-3 * np.abs(own).max())


def test_the_model_that_reads_is_of_keras_own_layers_and_in_float32(policy, tmp_path):
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Conv2D(4, 3, use_bias=False),
            FusedBatchNormalization(),
            keras.layers.ReLU(),
        ]
    )
    pictures = np.random.default_rng(0).normal(size=(5, 8, 8, 1)).astype("float32")
    model(pictures, training=True)
    copy = devices.for_reading(model)
    assert [type(layer) for layer in copy.layers] == [
        getattr(keras.layers, type(layer).__name__) for layer in copy.layers
    ]
    assert {layer.dtype_policy.name for layer in copy.layers} == {"float32"}
    for own, copied in zip(model.get_weights(), copy.get_weights()):
        assert np.array_equal(own, copied)
    assert np.allclose(model(pictures), copy(pictures), atol=0.1) and np.ptp(copy(pictures)) > 0.3


# ---- the notebook's set-up and net, in processes of their own -------------------------------------------


def python(code, **environment):
    """Run code with the project on its path. Returns its stdout."""
    path = os.pathsep.join([str(PROJECT), str(PROJECT / "tests"), os.environ.get("PYTHONPATH", "")])
    environ = {name: value for name, value in os.environ.items() if not name.startswith("CUDA_")}
    environ |= {"PYTHONPATH": path, "MPLBACKEND": "agg"} | environment
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environ, timeout=300)
    assert ran.returncode == 0, ran.stderr[-2000:]
    return ran.stdout


BEFORE_TENSORFLOW = """
import os, sys
from cells import cell

class Imports:
    def find_spec(self, name, path=None, target=None):
        if name in ("tensorflow", "keras"):
            print(os.environ.get("CUDA_VISIBLE_DEVICES"), os.environ.get("CUDA_DEVICE_ORDER"))
            sys.stdout.flush()
            os._exit(0)

sys.meta_path.insert(0, Imports())
exec(cell("set-up"), {"gpus": %r, "gpu_memory_mb": None, "seed": 0})
"""


@pytest.mark.parametrize(
    "gpus, environment, seen",
    [
        ("0", {}, "0"),
        ("0,1", {"CUDA_VISIBLE_DEVICES": "3"}, "0,1"),
        (None, {"CUDA_VISIBLE_DEVICES": "1"}, "1"),
        (None, {}, "None"),
    ],
)
def test_gpus_are_chosen_before_tensorflow_is_imported(gpus, environment, seen):
    assert python(BEFORE_TENSORFLOW % gpus, **environment).split() == [seen, "PCI_BUS_ID"]


# What both of the next tests train: the notebook's net, on noise
NET = """
import hashlib, json, sys
import numpy as np
from cells import cell
from shuzi.reading.reader import quiet_stderr
with quiet_stderr():
    import keras, tensorflow as tf
    from keras import layers, ops
    import augment, batches, devices
    from shuzi.net.normalization import FusedBatchNormalization

rng = np.random.default_rng(0)
X = rng.integers(0, 256, (320, 64, 64, 3), np.uint8)
y = rng.integers(0, 3, (320, 1))
rows = np.arange(256)

def build(strategy, visible_gpus, **more):
    keras.utils.set_random_seed(0)
    names = dict(
        keras=keras, layers=layers, ops=ops, FusedBatchNormalization=FusedBatchNormalization, augment=augment, batches=batches, np=np, strategy=strategy,
        visible_gpus=visible_gpus, classes=["1", "2", "3"], epochs=2, seed=0, show=lambda *_, **__: None,
        y_train=y, train_rows=rows, X_validation=X[256:], y_validation=y[256:],
        **({"X_train": X, "worker": 0, "workers": 1} | more),
    )
    tags = [tag for tag in ("augmentation", "outliers", "net", "compile") if tag not in more]
    for tag in tags:
        exec(cell(tag).replace("model.summary()", ""), names)
    return names
"""

MIRRORED = (
    NET
    + """
devices.set_threads()
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)

def weights_after_a_step(strategy, visible_gpus):
    names = build(strategy, visible_gpus, augmentation=[], outliers=None)
    model = names["in_training"]
    before = model.get_weights()
    with strategy.scope():
        model.compile(keras.optimizers.SGD(0.01), model.loss, jit_compile=False)
    model.fit(names["train"], steps_per_epoch=1, epochs=1, verbose=0)
    return before, model.get_weights()

before, one = weights_after_a_step(tf.distribute.get_strategy(), [])
with quiet_stderr():
    mirrored = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    assert mirrored.num_replicas_in_sync == 2
    before_two, two = weights_after_a_step(mirrored, ["CPU:0", "CPU:1"])
assert all(np.array_equal(a, b) for a, b in zip(before, before_two)), "not the same start"
moved = max(np.abs(a - b).max() for a, b in zip(before, one))
apart = max(np.abs(a - b).max() for a, b in zip(one, two))
print(json.dumps([float(moved), float(apart)]))
"""
)


def test_two_devices_train_as_one():
    """Half a batch on each of two, normalized over the whole batch, makes the step that one makes."""
    moved, apart = map(float, python(MIRRORED).strip().strip("[]").split(","))
    assert moved > 1e-2
    assert apart < 1e-2 * moved


SEVERAL_MACHINES = (
    NET
    + """
worker, workers = devices.join_cluster()
names = build(tf.distribute.get_strategy(), [], augmentation=[], outliers=None, worker=worker, workers=workers)
model = names["in_training"]
model.compile(keras.optimizers.SGD(0.01), model.loss)
before = model.get_weights()
model.fit(names["train"], validation_data=names["validation"], epochs=1, verbose=0)
after = model.get_weights()
alone = devices.for_reading(names["model"])
result = {
    "machines": [worker, workers],
    "pictures": sum(len(names["train"][i][0]) for i in range(len(names["train"]))),
    "moved": max(float(np.abs(a - b).max()) for a, b in zip(before, after)),
    "weights": np.concatenate([part.ravel() for part in after]).tolist(),
    "read": alone.predict(X[:3], verbose=0).tolist(),
}
print(json.dumps(result))
"""
)


ON_JAX = (
    NET
    + """
assert keras.backend.backend() == "jax"
names = build(tf.distribute.get_strategy(), [])
history = names["in_training"].fit(names["train"], validation_data=names["validation"], epochs=1, verbose=0).history
assert all(np.isfinite(values).all() for values in history.values()), history
assert np.allclose(names["model"].predict(X[:16], verbose=0).sum(axis=1), 1, atol=1e-3)
"""
)


def test_net_and_augmentation_train_on_another_backend():
    pytest.importorskip("jax")
    python(ON_JAX, KERAS_BACKEND="jax")


def test_two_machines_train_as_one():
    """Two processes that TF_CONFIG names, on Keras's JAX backend: each takes half of each batch."""
    pytest.importorskip("jax")
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        workers = [f"127.0.0.1:{each.getsockname()[1]}" for each in (one, other)]
    configs = [json.dumps({"cluster": {"worker": workers}, "task": {"type": "worker", "index": i}}) for i in (0, 1)]
    with ThreadPoolExecutor(3) as pool:
        runs = pool.map(lambda config: python(SEVERAL_MACHINES, KERAS_BACKEND="jax", TF_CONFIG=config), ["", *configs])
        alone, *both = (json.loads(out.splitlines()[-1]) for out in runs)
    assert alone["machines"] == [0, 1] and [each["machines"] for each in both] == [[0, 2], [1, 2]]
    assert alone["pictures"] == 256 and [each["pictures"] for each in both] == [128, 128]
    assert alone["moved"] > 1e-2
    for each in both:
        np.testing.assert_allclose(each["weights"], alone["weights"], atol=1e-2 * alone["moved"])
        np.testing.assert_allclose(each["read"], alone["read"], atol=1e-3)


@pytest.mark.parametrize("config", ["{", "[]", '{"cluster": {"worker": ["a:1", "b:1"]}}'])
def test_wrong_cluster_is_refused_with_a_sentence(config, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", config)
    with pytest.raises(Problem, match="TF_CONFIG"):
        devices.join_cluster()


def test_several_machines_need_the_jax_backend(monkeypatch):
    monkeypatch.setenv("TF_CONFIG", '{"cluster": {"worker": ["a:1", "b:1"]}, "task": {"index": 1}}')
    with pytest.raises(Problem, match="KERAS_BACKEND=jax"):
        devices.join_cluster()


FROM_DISK = (
    NET
    + """
import time

class OnDisk:
    shape, dtype, reads = X.shape, X.dtype, []
    def __len__(self):
        return len(X)
    def __getitem__(self, rows):
        self.reads.append(rows)
        return X[rows]

batches.WINDOW = 64
names = build(tf.distribute.get_strategy(), [], augmentation=[], outliers=None, X_train=OnDisk(), time=time, devices=devices)
names["train"].batch_size = 4
names["train"].on_epoch_end()
exec(cell("fit"), names)
print(len(OnDisk.reads), len(names["train"].windows), len(names["train"]))
"""
)


def test_fitting_reads_each_window_once_an_epoch():
    reads, windows, steps = map(int, python(FROM_DISK).splitlines()[-1].split())
    assert (windows, steps) == (4, 64)
    # Keras fetches up to 11 batches ahead of one that a worker is slow with: fewer than the 16 of a window.
    assert reads <= 2 * windows + 1  # two epochs, and one look ahead


TRAINED = (
    NET
    + """
devices.set_threads()
names = build(tf.distribute.get_strategy(), [])
names["in_training"].fit(names["train"], epochs=2, verbose=0)
weights = b"".join(np.ascontiguousarray(part).tobytes() for part in names["in_training"].get_weights())
print(hashlib.sha256(weights).hexdigest())
"""
)


def test_same_seed_same_weights():
    """To the last bit, on one machine, with augmentation and all threads."""
    assert python(TRAINED) == python(TRAINED)


HALF = (
    NET
    + """
keras.mixed_precision.set_global_policy("mixed_float16")
names = build(tf.distribute.get_strategy(), [])
model = names["in_training"]
before = model.get_weights()
assert any(layer.compute_dtype == "float16" for layer in model.layers), "nothing is in half precision"
pictures, targets = (part[:16] for part in names["train"][0])
history = model.fit(pictures, targets, verbose=0).history
probabilities = names["model"].predict(X[:16], verbose=0)
assert probabilities.dtype == np.float32 and np.allclose(probabilities.sum(axis=1), 1, atol=1e-5)
assert np.isfinite(history["loss"]).all() and all(np.isfinite(part).all() for part in model.get_weights())
assert any((a != b).any() for a, b in zip(before, model.get_weights())), "nothing was learned"
"""
)


def test_net_and_augmentation_train_in_half_precision():
    """As on GPUs with tensor cores; processors can, if slowly."""
    python(HALF)
