"""The trained model as a file: `save_model` writes `model.keras`, `load_reader` opens it to read pictures.

`model.keras` is an ordinary Keras 3 file (a zip archive) of stock layers, with one member more that Keras
itself skips: `classes.json`, which holds the class names in label order and the lead (`calibration.lead`)
below which a prediction is unsure.

TensorFlow takes seconds to import, so that it is imported where it is first needed and not before.
"""

import json
import math
import os
import warnings
import zipfile
from pathlib import Path

import numpy as np

from shuzi.core.command import Problem
from shuzi.core.files import replacing
from shuzi.core.text import shown
from shuzi.ink import SIZE
from shuzi.net.calibration import lead
from shuzi.net.devices import import_keras, quiet_stderr

FORMAT = 2  # of classes.json
CLASSES_FILE = "classes.json"
MAX_BYTES = 1_000_000_000  # unpacked; a file of more is no model of this program
BATCH = 128  # pictures through the net at once: memory stays flat, and larger is no faster


class ModelError(Problem):
    """A model file that can't be used. The message is one line for a person."""

    def __init__(self, path, why):
        super().__init__(f"{shown(str(path))}: {why}")


def save_model(model, path, classes, unsure_below):
    """Write a model with its class names, complete or not at all.

    model: Keras model, input (n, 64, 64, 3) of 0-255, output (n, len(classes)) probabilities.
    path: ends in .keras; replaced where it exists. classes: names in label order.
    unsure_below: 0 or more; a prediction of less lead is unsure. Raises ValueError, OSError.
    """
    path = Path(path)
    if path.suffix != ".keras":
        raise ValueError(f"{path}: the name of a model ends in .keras")
    about = {"format": FORMAT, "classes": list(classes), "unsure_below": float(unsure_below)}
    _check_classes(about)
    _check_shapes(model, about["classes"])
    path.parent.mkdir(parents=True, exist_ok=True)
    # Keras writes to names that end in .keras only
    with replacing(path, path.with_name(f".{path.stem}.{os.getpid()}.part.keras")) as part:
        model.save(part)
        with zipfile.ZipFile(part, "a") as archive:
            archive.writestr(CLASSES_FILE, json.dumps(about, ensure_ascii=False, indent=1))


def load_reader(path):
    """Open a model file. Returns a Reader; raises ModelError."""
    path = Path(path)
    about = read_classes(path)
    if path.suffix != ".keras":
        raise ModelError(path, "the name of a model ends in .keras; rename it")
    with quiet_stderr():
        model = _load_keras(path)
        try:
            _check_shapes(model, about["classes"])
        except ValueError as error:
            raise ModelError(path, error) from error
        reader = Reader(model, about["classes"], about["unsure_below"])
        reader.predict(np.full((1, SIZE, SIZE, 3), 255, np.uint8))  # the first call is the slow one
    return reader


def read_classes(path):
    """What `classes.json` in a model file says, checked: a dict with format, classes, unsure_below.

    Quick: TensorFlow is not imported. Raises ModelError.
    """
    path = Path(path)
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(member.file_size for member in archive.infolist()) > MAX_BYTES:
                raise ModelError(path, "too large for a model of this program")
            if CLASSES_FILE not in archive.namelist():
                raise ModelError(path, f"holds no {CLASSES_FILE}, so its classes are unknown; make it with cnn.ipynb")
            about = json.loads(archive.read(CLASSES_FILE).decode("utf-8"))
    except FileNotFoundError as error:
        raise ModelError(path, "no such file; run cnn.ipynb (or `make run`) to make the model") from error
    except OSError as error:
        raise ModelError(path, f"can't be opened: {error.strerror or error}") from error
    # RuntimeError, NotImplementedError: an encrypted member, or a compression that Python lacks
    except (zipfile.BadZipFile, ValueError, RuntimeError, EOFError) as error:
        raise ModelError(path, "not a model, or damaged; run cnn.ipynb to make it anew") from error
    try:
        _check_classes(about)
    except ValueError as error:
        raise ModelError(path, error) from error
    return about


class Reader:
    """A model with its class names.

    classes: list of names in label order. unsure_below: float, the least lead of a prediction that is sure.
    """

    def __init__(self, model, classes, unsure_below):
        self.model = model
        self.classes = list(classes)
        self.unsure_below = float(unsure_below)
        self._forward = _compile(model)

    def predict(self, pictures):
        """Probabilities, float32 (n, len(classes)), of pictures (n, 64, 64, 3), uint8 or float 0-255."""
        pictures = np.asarray(pictures)
        if pictures.ndim != 4 or pictures.shape[1:] != (SIZE, SIZE, 3):
            raise ValueError(f"pictures must be (n, {SIZE}, {SIZE}, 3), not {pictures.shape}")
        result = np.empty((len(pictures), len(self.classes)), np.float32)
        for start in range(0, len(pictures), BATCH):
            batch = np.asarray(pictures[start : start + BATCH], np.float32)
            result[start : start + len(batch)] = self._forward(batch)
        return result

    def is_unsure(self, probabilities):
        """Whether what was read may be of no class at all: bool (n,), of probabilities (n, len(classes))."""
        return lead(probabilities) < self.unsure_below


def _compile(model):
    """A function from float32 pictures (n, 64, 64, 3), n at most BATCH, to probabilities, quick for one picture too.

    `model.predict` costs tens of milliseconds a call and compiles anew for each new number of pictures.
    """
    import keras

    if keras.backend.backend() != "tensorflow":
        return lambda pictures: keras.ops.convert_to_numpy(model(pictures, training=False))

    import tensorflow as tf

    @tf.function(input_signature=[tf.TensorSpec((None, SIZE, SIZE, 3), tf.float32)])
    def forward(pictures):
        return model(keras.ops.cast(pictures, model.inputs[0].dtype), training=False)

    return lambda pictures: forward(tf.constant(pictures)).numpy()


def _load_keras(path):
    keras = import_keras()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # safe_mode: a file from elsewhere can't bring code of its own
            return keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises nearly any type on a damaged or foreign file
        if "safe_mode" in str(error) or "Lambda" in str(error):
            reason = "it carries code of its own, which is not run"
        else:
            reason = f"Keras can't load it ({type(error).__name__})"
        raise ModelError(path, f"{reason}; run cnn.ipynb to make the model anew") from error


def _check_classes(about):
    classes = about.get("classes") if isinstance(about, dict) else None
    if not isinstance(about, dict) or about.get("format") != FORMAT:
        raise ValueError(f"{CLASSES_FILE} is of another format than {FORMAT}; make the model anew with cnn.ipynb")
    if not isinstance(classes, list) or not classes or not all(isinstance(name, str) and name for name in classes):
        raise ValueError(f"{CLASSES_FILE} has no list of class names")
    if len(set(classes)) < len(classes):
        raise ValueError(f"{CLASSES_FILE} names a class twice")
    threshold = about.get("unsure_below")
    if isinstance(threshold, bool) or not isinstance(threshold, (int, float)) or not 0 <= threshold < math.inf:
        raise ValueError(f"{CLASSES_FILE}: unsure_below must be a number, 0 or more")


def _check_shapes(model, classes):
    try:
        takes, gives = tuple(model.input_shape), tuple(model.output_shape)
    except (AttributeError, TypeError) as error:
        raise ValueError("the model has no single input and output") from error
    if takes[1:] != (SIZE, SIZE, 3):
        raise ValueError(f"the model takes {takes} and not pictures (n, {SIZE}, {SIZE}, 3)")
    if gives[1:] != (len(classes),):
        raise ValueError(f"the model gives {gives}, but there are {len(classes)} classes")
