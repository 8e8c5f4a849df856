"""Shuffled batches for training, from memory or, where the set is larger, straight from data.h5."""

import threading

import keras
import numpy as np
import psutil

from shuzi.dataset.h5 import CHUNK
from shuzi.dataset.split import OWN_WRITER, choose_test, make_groups
from shuzi.net import cluster

WINDOW = 64 * CHUNK  # pictures that are read from disk at a time, 50 MB, and shuffled among themselves


def load(pictures):
    """A dataset of data.h5 as an array, where that takes less than half of the free memory; else as it is."""
    small = pictures.size * pictures.dtype.itemsize < psutil.virtual_memory().available / 2
    return pictures[:] if small else pictures


class Batches(keras.utils.PyDataset):
    """Batches of pictures uint8 (b, 64, 64, 3) and targets float32 (b, number of classes), for `fit(…, shuffle=False)`.

    They are shuffled here; if Keras shuffled them too, it would jump from window to window and read each many times.

    pictures: uint8 (n, 64, 64, 3), an array, or a dataset of data.h5, which is then read window by window: as
    data.h5 is shuffled already, windows in an order by chance, and pictures by chance in each, will do.
    labels: int (n,) or (n, 1). rows: which pictures to use, increasing. classes: their number.
    outliers: uint8 (m, 64, 64, 3), pictures of no class; a batch of 128 pictures has 128 * outlier_share of
    them added, with a target that is the same for every class.
    smoothing: the part of a target that is spread over all classes (label smoothing, Szegedy et al. 2016).
    Where several machines train as one (`cluster.py`), these are this machine's part of each batch.
    """

    def __init__(
        self,
        pictures,
        labels,
        rows,
        classes,
        batch_size=128,
        outliers=None,
        outlier_share=0.2,
        smoothing=0.05,
        seed=0,
    ):
        # Two workers, for Keras then feeds batches by its own threads. With one it leaves that to tf.data, and at
        # the start of about every second epoch the end of its autotuning thread was waited for, 4 s.
        super().__init__(workers=2)
        self.reading = threading.Lock()
        self.pictures, self.labels, rows = pictures, np.ravel(labels), np.asarray(rows)
        self.batch_size, self.outliers, self.place = batch_size, outliers, cluster.place()
        self.outlier_count = 0 if outliers is None else round(batch_size * outlier_share)
        self.even = np.full(classes, 1 / classes, np.float32)
        self.targets = (1 - smoothing) * np.eye(classes, dtype=np.float32) + smoothing * self.even
        window = len(pictures) if isinstance(pictures, np.ndarray) else WINDOW  # memory is one window
        self.windows = np.split(rows, np.flatnonzero(np.diff(rows // window)) + 1)
        self.rng = np.random.default_rng(seed)
        self.on_epoch_end()

    def on_epoch_end(self):
        """Shuffle anew."""
        self.batches = []  # of each batch: its window, rows and outliers
        for i in self.rng.permutation(len(self.windows)):
            rows = self.rng.permutation(self.windows[i])
            for start in range(0, len(rows), self.batch_size):
                extra = self.rng.integers(0, len(self.outliers), self.outlier_count) if self.outlier_count else ()
                mine = self._mine(rows[start : start + self.batch_size])
                if len(mine):
                    self.batches.append((i, mine, self._mine(extra)))
        self.loaded = {}

    def __len__(self):
        return len(self.batches)

    def __getitem__(self, index):
        window, rows, extra = self.batches[index]
        with self.reading:
            pictures = self._read(window, rows)
        targets = self.targets[self.labels[rows]]
        if len(extra):
            pictures = np.concatenate([pictures, self.outliers[extra]])
            targets = np.concatenate([targets, np.repeat(self.even[None], len(extra), axis=0)])
        return pictures, targets

    def _mine(self, rows):
        """This machine's part. What is left over is left out, for all machines must have as many."""
        worker, workers = self.place
        return rows[worker : len(rows) // workers * workers : workers]

    def _read(self, window, rows):
        if isinstance(self.pictures, np.ndarray):
            return self.pictures[rows]
        first = self.windows[window][0]
        if (
            window not in self.loaded
        ):  # the last one is kept: one worker may still be at it when another begins the next
            self.loaded = dict(list(self.loaded.items())[-1:])
            self.loaded[window] = self.pictures[first : self.windows[window][-1] + 1]
        return self.loaded[window][rows - first]


def split_writers(writers, labels, share: float = 0.1, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Set aside a part of the writers, or, of pictures whose writer is unknown, a part of each class.

    No class loses its last picture, so that each can be learned, and "writer-me" is not set aside. Where that leaves
    nothing to set aside, or one writer wrote most, single pictures are set aside, whoever wrote them.

    writers: names (n,), empty where unknown. labels: int (n,) or (n, 1). share: of the pictures, 0-1.
    Returns two increasing int arrays: the rows to train on, and those set aside.
    """
    writers, labels = np.asarray(writers, str), np.ravel(labels)
    rng = np.random.default_rng(seed)
    names = [""] * (labels.max(initial=-1) + 1)
    own = writers == OWN_WRITER
    for groups in make_groups(writers.tolist()), np.arange(len(writers)):
        kept = set(groups[own].tolist())
        aside = choose_test(labels, groups, names, share, rng, keep=kept, every_class=False)
        if 0 < aside.mean() < 0.4:
            break
    else:  # next to no pictures: one is set aside
        aside = np.arange(len(writers)) == np.argmin(own)
    return np.flatnonzero(~aside), np.flatnonzero(aside)
