"""What the tests of the net share: pictures of numerals, and a precision that is put back."""

import numpy as np
import pytest

from shuzi import ink
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
