"""The random layers: what they change, and what they leave."""

import inspect
import math

import numpy as np
import pytest
from cells import cell

from shuzi.net.devices import quiet_stderr

with quiet_stderr():
    import keras

    from shuzi.net import augment


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
