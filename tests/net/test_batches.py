"""Batches: each picture once an epoch, shuffled, from memory and from disk; and who is set aside for validation."""

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import h5py
import numpy as np
import pytest

from shuzi.net.devices import quiet_stderr

with quiet_stderr():
    from shuzi.net import batches


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
    assert np.sum(writers[aside] == "") and np.sum(writers[aside] != "")


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
