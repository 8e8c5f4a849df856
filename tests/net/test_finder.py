"""The finder's training: pages are the same each time, it learns, and OpenCV finds what Keras finds."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import cv2
import numpy as np
import pytest

from shuzi.drawing.pages import KINDS
from shuzi.net import finder


def test_the_same_seed_gives_the_same_pages():
    one, again = (list(finder.batches(2, 3, jobs=0)) for _ in range(2))
    for (picture, ink), (picture_again, ink_again) in zip(one, again):
        assert np.array_equal(picture, picture_again) and np.array_equal(ink, ink_again)
        assert picture.shape == (finder.BATCH, finder.SIDE, finder.SIDE, 3) and 0 <= picture.min() < picture.max() <= 1
        assert ink.shape == (finder.BATCH, finder.SIDE, finder.SIDE, 1) and 0 == ink.min() < ink.max() <= 1


def test_close_cuts_end_near_the_ink():
    ink = np.zeros((200, 200), np.float32)
    ink[60:120, 50:140] = 1
    picture = np.repeat(np.uint8(255 - 200 * ink)[..., None], 3, 2)
    for seed in range(5):
        cut, ink_cut = finder._cut_close(picture, ink, np.random.default_rng(seed))
        assert cut.shape == (finder.SIDE, finder.SIDE, 3) and ink_cut.mean() > 0.6


@pytest.mark.parametrize("shape", [(64, 96), (16, 160)])
def test_opencv_finds_what_keras_finds(shape):
    model = finder.build_finder(widths=(4, 6, 8, 8))
    rng = np.random.default_rng(0)
    for layer in model.layers:  # as after training: no weight is 0 or 1
        layer.set_weights([weights + rng.uniform(0.01, 0.2, weights.shape) for weights in layer.get_weights()])
    net = cv2.dnn.readNetFromONNX(np.frombuffer(finder.to_onnx(model), np.uint8))
    picture = rng.random((1, *shape, 3), np.float32)
    net.setInput(np.ascontiguousarray(picture.transpose(0, 3, 1, 2)))
    assert np.allclose(net.forward()[0, 0], model(picture, training=False)[0, :, :, 0], atol=1e-3, rtol=1e-3)


def test_an_unknown_kind_is_told(capsys):
    with pytest.raises(SystemExit):
        finder.main(["--without", "papyrus"])
    assert "papyrus" in capsys.readouterr().err and "mi" in KINDS


@pytest.mark.slow
def test_it_learns(tmp_path):
    losses = []
    finder.train(200, 0, jobs=1, say=losses.append)
    first, last = (float(line.split("loss ")[1].split(",")[0]) for line in (losses[0], losses[-1]))
    assert last < 0.75 * first
