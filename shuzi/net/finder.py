"""The net that finds handwriting: drawn pages → shuzi/ink/finder.onnx.

    python -m shuzi.net.finder                       about an hour on two cores
    python -m shuzi.net.finder --steps 200 --out /tmp/finder.onnx

Segmentation is the lesson after classification: the answer is no longer one class a picture, but one number a pixel,
how much of it is handwriting. `shuzi/drawing/pages.py` draws any number of pages and knows the answer for each pixel.
The net is a U-Net (O. Ronneberger, P. Fischer and T. Brox 2015): a way down on which the picture gets coarser and each
point sees more of it, for a stroke and a printed line differ in where they begin and end; and a way up, which brings
back where exactly the ink is. It is fully convolutional: it takes pictures of any size whose sides are multiples of 16.
"""

import argparse
import os
import time
from functools import partial
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from shuzi.core.command import run
from shuzi.core.files import replacing
from shuzi.core.workers import LOAD, Workers
from shuzi.drawing.pages import KINDS, draw_page
from shuzi.ink.find import stroke_width

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
OUT = Path(__file__).parents[1] / "ink" / "finder.onnx"
SIDE = 192  # pixels; of a page
BATCH = 16  # pages
REUSE = 5  # times that each page is shown, turned and coloured otherwise each time
CLOSE = 0.35  # of the pages are cut close to the ink
KEPT = 4096  # pages to choose from; 600 MB
WIDTHS = (16, 32, 48, 64)  # channels at 1/2, 1/4, 1/8 and 1/16 of the size


def build_finder(widths=WIDTHS):
    """The net: float (n, h, w, 3) RGB 0-1, h and w multiples of 16 -> logits (n, h, w, 1), above 0 ink."""
    from keras import Input, Model, layers

    from shuzi.net.model import FusedBatchNormalization

    def normalized(x):
        return layers.ReLU()(FusedBatchNormalization(momentum=0.98)(x))

    def convolution(x, filters, strides=1, reach=1):
        return normalized(layers.Conv2D(filters, 3, strides, padding="same", dilation_rate=reach, use_bias=False)(x))

    def joined(coarse, fine, filters, size=1):
        """What was seen from afar, at twice the size, and what is here: added, which costs less than side by side."""
        coarse = layers.UpSampling2D(2)(layers.Conv2D(filters, 1, use_bias=False)(coarse))
        return normalized(layers.Add()([coarse, layers.Conv2D(filters, size, padding="same", use_bias=False)(fine)]))

    picture = x = Input((None, None, 3))
    levels = []
    for filters in widths[:-1]:
        x = convolution(convolution(x, filters, strides=2), filters)
        levels.append(x)
    x = convolution(x, widths[-1], strides=2)
    for reach in 1, 2, 4:  # of what is 16, 32 and 64 pixels away
        x = convolution(x, widths[-1], reach=reach)
    for fine in reversed(levels):
        x = convolution(joined(x, fine, fine.shape[-1]), fine.shape[-1])
    x = joined(x, picture, 8, size=3)
    return Model(picture, layers.Conv2D(1, 3, padding="same")(x))


# ---- pages ---------------------------------------------------------------------------------------


def _draw(seed, kinds, numbers):
    cv2.setNumThreads(1)
    pages = []
    for number in numbers:
        rng = np.random.default_rng([seed, number])
        picture, ink, _ = draw_page(rng, SIDE, kinds)
        if rng.random() < CLOSE:
            picture, ink = _cut_close(picture, ink, rng)
        pages.append((picture, np.uint8(ink * 255 + 0.5)))
    return pages


def _cut_close(picture, ink, rng):
    """A part of a page whose borders are near the ink's ends, or a little inside, enlarged: people and programs cut so."""
    x, y, w, h = cv2.boundingRect(np.uint8(ink > 0.5))
    if min(w, h) < 12:
        return picture, ink
    left, right, top, bottom = rng.normal(0.01, 0.03, 4) * max(w, h)
    part = slice(max(0, round(y - top)), round(y + h + bottom)), slice(max(0, round(x - left)), round(x + w + right))
    picture, ink = picture[part], ink[part]
    if rng.random() < 0.7:
        picture = _made_small(picture, stroke_width(ink), rng)
    return [cv2.resize(of, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR) for of in (picture, ink)]


def _made_small(picture, width, rng):
    """A picture as programs keep small ones: 20 to 110 pixels, some of two tones, some as JPEG. width: of its strokes."""
    factor = min(max(rng.uniform(20, 110) / max(picture.shape), 1.2 / max(width, 0.1)), 1)  # strokes stay a pixel wide
    sides = [max(8, round(side * factor)) for side in picture.shape[1::-1]]
    picture = cv2.resize(picture, sides, interpolation=cv2.INTER_AREA)
    kind = rng.random()
    if kind < 0.2:
        grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
        picture = cv2.cvtColor(cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[1], cv2.COLOR_GRAY2RGB)
    elif kind < 0.6:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(40, 95))]
        picture = cv2.imdecode(cv2.imencode(".jpg", picture, quality)[1], cv2.IMREAD_COLOR)
    return picture


def batches(steps, seed, kinds=None, jobs=1):
    """Yields (pictures float32 (b, SIDE, SIDE, 3) 0-1, ink float32 (b, SIDE, SIDE, 1) 0-1), `steps` times, seeded."""
    rng = np.random.default_rng([seed, 1 << 20])
    first = 8 * BATCH  # pages to begin with
    with Workers(partial(_draw, seed, kinds), jobs, ahead=8 * jobs) as workers:
        drawn = workers.map(range(first + steps * BATCH // REUSE + 1), load=lambda _: LOAD / 8)
        pages = [page for _, page in islice(drawn, first)]
        for step in range(steps):
            for _, page in islice(drawn, (step + 1) * BATCH // REUSE - step * BATCH // REUSE):
                if len(pages) < KEPT:
                    pages.append(page)
                else:
                    pages[rng.integers(KEPT)] = page
            yield _changed([pages[i] for i in rng.integers(len(pages), size=BATCH)], rng)


def _changed(pages, rng):
    """A batch of pages, each turned or mirrored, its colours exchanged, lighter, darker or negative by chance."""
    pictures = np.empty((len(pages), SIDE, SIDE, 3), np.float32)
    inks = np.empty((len(pages), SIDE, SIDE, 1), np.float32)
    for i, (picture, ink) in enumerate(pages):
        turns = int(rng.choice(4, p=(0.7, 0.1, 0.1, 0.1)))
        picture, ink = np.rot90(picture, turns), np.rot90(ink, turns)
        if rng.random() < 0.5:
            picture, ink = picture[:, ::-1], ink[:, ::-1]
        if rng.random() < 0.3:
            picture = picture[..., rng.permutation(3)]
        if rng.random() < 0.1:
            picture = 255 - picture
        table = np.clip((np.arange(256) / 255 - 0.5) * rng.uniform(0.7, 1.2) + 0.5 + rng.normal(0, 0.05), 0, 1)
        pictures[i] = table.astype(np.float32)[picture]
        inks[i, ..., 0] = ink
    return pictures, inks / 255


# ---- training ------------------------------------------------------------------------------------


def loss(ink, logits):
    """Of each pixel, and of the whole (the Dice loss, F. Milletari et al. 2016), for ink is rare."""
    from keras import ops

    each = ops.mean(ops.binary_crossentropy(ink, logits, from_logits=True))
    found = ops.sigmoid(logits)
    axes = (1, 2, 3)
    overlap = 2 * ops.sum(found * ink, axes) + 30
    whole = 1 - overlap / (ops.sum(found * found, axes) + ops.sum(ink * ink, axes) + 30)
    return 4 * each + ops.mean(whole)


def train(steps, seed, kinds=None, jobs=1, say=print):
    """Train on `steps` batches. Returns the Keras model."""
    import keras

    keras.utils.set_random_seed(seed)
    model = build_finder()
    warm_up = min(300, steps // 5)
    schedule = keras.optimizers.schedules.CosineDecay(
        1e-4, steps - warm_up, alpha=0.01, warmup_target=3e-3, warmup_steps=warm_up
    )
    model.compile(keras.optimizers.AdamW(schedule, weight_decay=1e-3, clipnorm=1.0), loss)
    began, shown = time.perf_counter(), []
    for step, (pictures, ink) in enumerate(batches(steps, seed, kinds, jobs), 1):
        shown.append(float(model.train_on_batch(pictures, ink)))
        if step % 100 == 0:
            say(f"step {step:,} of {steps:,}, loss {np.mean(shown):.4f}, {time.perf_counter() - began:,.0f} s")
            shown = []
    return model


# ---- to OpenCV -----------------------------------------------------------------------------------


# Keras's name of a layer -> ONNX's of an operation
OPERATIONS = {
    "Conv2D": "Conv",
    "FusedBatchNormalization": "BatchNormalization",
    "ReLU": "Relu",
    "UpSampling2D": "Resize",
}


def to_onnx(model):
    """The model as the bytes of an ONNX file: float (1, 3, h, w) -> logits (1, 1, h, w), as OpenCV's dnn reads it."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    nodes, values, names = [], [], {}

    def value(name, array):
        values.append(numpy_helper.from_array(np.ascontiguousarray(array, np.float32), name))
        return name

    for layer in model.layers:
        kind, name = type(layer).__name__, layer.name
        names[name] = name
        if kind == "InputLayer":
            names[name] = "picture"
            continue
        given = layer.input if isinstance(layer.input, list) else [layer.input]
        inputs, options = [names[tensor._keras_history.operation.name] for tensor in given], {}
        weights = layer.get_weights()
        if kind == "Conv2D":
            inputs.append(value(f"{name}.kernel", weights[0].transpose(3, 2, 0, 1)))
            inputs += [value(f"{name}.bias", weights[1])] if len(weights) > 1 else []
            (size, _), (stride, _), (reach, _) = layer.kernel_size, layer.strides, layer.dilation_rate
            around = reach * (size - 1) - (stride - 1)  # as Keras pads: the odd one behind
            pads = [around // 2] * 2 + [around - around // 2] * 2
            options = {"kernel_shape": [size] * 2, "strides": [stride] * 2, "dilations": [reach] * 2, "pads": pads}
        elif kind == "FusedBatchNormalization":
            inputs += [value(f"{name}.{i}", array) for i, array in enumerate(weights)]
            options = {"epsilon": layer.epsilon}
        elif kind == "UpSampling2D":
            inputs += ["", value(f"{name}.scales", [1, 1, 2, 2])]
            options = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
        operation = OPERATIONS.get(kind, kind)
        nodes.append(helper.make_node(operation, inputs, [name], name, **options))
    ends = (("picture", 3), (nodes[-1].output[0], 1))
    ends = [helper.make_tensor_value_info(end, TensorProto.FLOAT, [1, depth, "h", "w"]) for end, depth in ends]
    graph = helper.make_graph(nodes, "finder", ends[:1], ends[1:], values)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(made)
    return made.SerializeToString()


def main(argv=None):
    parser = argparse.ArgumentParser(
        description="Train the net that finds handwriting, on drawn pages.",
        epilog="example: python -m shuzi.net.finder --steps 6000 --without mi --out finder-without-mi.onnx",
    )
    add = parser.add_argument
    add("--out", type=Path, default=OUT, help="where the net goes (default: the one that is in use)")
    add("--steps", type=int, default=12000, help=f"batches of {BATCH} pages (default: %(default)s)")
    add("--seed", type=int, default=0)
    add("--jobs", type=int, default=1, help="processes that draw (default: 1)")
    add("--without", choices=sorted(KINDS), metavar="KIND", help="draw no page of this kind: how is it found?")
    args = parser.parse_args(argv)
    import tensorflow as tf

    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.config.threading.set_intra_op_parallelism_threads(max(1, (os.cpu_count() or 1) - args.jobs))  # the others draw
    kinds = set(KINDS) - {args.without} if args.without else None
    model = train(args.steps, args.seed, kinds, args.jobs, say=lambda line: print(line, flush=True))
    with replacing(args.out) as part:
        part.write_bytes(to_onnx(model))
    print(f"{args.out}: {model.count_params():,} weights, {args.out.stat().st_size / 1e6:.2f} MB")
    return 0


if __name__ == "__main__":
    run(main)
