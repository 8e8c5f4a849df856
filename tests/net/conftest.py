"""What the tests of the net share: pictures of numerals, and a precision that is put back."""

import h5py
import numpy as np
import pytest

from shuzi import ink
from shuzi.core.numerals import class_order
from shuzi.core.version import VERSION
from shuzi.dataset.h5 import DATA_FORMAT
from shuzi.drawing import handwriting
from shuzi.net.devices import quiet_stderr

with quiet_stderr():
    import keras

CLASSES = [str(number) for number in range(1, 11)]


@pytest.fixture(scope="module")
def pictures():
    """uint8 (40, 64, 64, 3), four of each class 1 to 10, as shuzi.ink prepares them, in the order of labels."""
    made = []
    for i in range(40):
        grey, _ = handwriting.picture(CLASSES[i // 4], handwriting.make_writer(7, i), np.random.default_rng([7, i]))
        made.append(ink.prepare(grey))
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


@pytest.fixture(scope="session")
def write_data():
    """A function that writes a data.h5 of [(picture, class, file, writer)]; its test pictures are the first of each class."""

    def write(path, rows, test=()):
        classes = sorted({row[1] for row in rows}, key=class_order)
        firsts = [next(row for row in rows if row[1] == name) for name in classes]
        with h5py.File(path, "w") as file:
            text = h5py.string_dtype()
            file.attrs.update({"format": DATA_FORMAT, "version": VERSION, "seed": 0, "split": "writers", "test": 0.1})
            file.create_dataset("classes", data=classes, dtype=text)
            for part, chosen in ("train", rows), ("test", test or firsts):
                pictures, names, files, writers = zip(*chosen)
                file[f"X_{part}"] = np.stack(pictures)
                file[f"y_{part}"] = np.array([[classes.index(name)] for name in names])
                file.create_dataset(f"files_{part}", data=files, dtype=text)
                file.create_dataset(f"writers_{part}", data=writers, dtype=text)

    return write
