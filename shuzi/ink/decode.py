"""A picture in a file, in memory or as an array -> grey, upright, of a bounded size."""

import contextlib
import functools
import io
import logging
import math
import os
import stat
import warnings

import cv2
import numpy as np
from PIL import Image, ImageOps

from shuzi.core.command import Problem

WORKING_SIDE = 1024  # pixels; larger pictures are reduced to about this before the ink is looked for

# Larger pictures are refused before they are decoded, which keeps any one file under 2 seconds and 500 MB.
MAX_BYTES = 200_000_000  # of a file
MAX_PIXELS = 24_000_000
MAX_PIXELS_JPEG = 64_000_000  # it can be decoded at a reduced size
MAX_PIXELS_PYTHON = 500_000  # decoded in Python (QOI, some DDS, BLP, …), two seconds per megapixel

logging.getLogger("PIL").addHandler(logging.NullHandler())  # its notes on damaged files are not for stderr

USUAL_FORMATS = ["JPEG", "PNG"]
# EPS and WMF run a helper program or need Windows; the others are only stubs that never decode.
REFUSED_FORMATS = {"EPS", "WMF", "BUFR", "GRIB", "HDF5", "MPEG"}


class PictureError(Problem):
    """A picture that can't be used. The message is one line for the person whose picture it is."""


class NoInkError(PictureError):
    """A picture that can be read but holds no writing."""


def open_picture(source):
    """Decode a picture: upright by its EXIF, transparency on white, first frame, grey.

    source: path, bytes or binary file. Returns uint8 (h, w); the longer side at most about
    WORKING_SIDE, never enlarged. Raises PictureError.
    """
    if isinstance(source, (bytes, bytearray, memoryview)):
        source = io.BytesIO(source)
    with refusing():
        if isinstance(source, (str, os.PathLike)):
            status = os.stat(source)
            if not stat.S_ISREG(status.st_mode):  # opening a FIFO would wait for ever
                raise PictureError("not a file")
            if status.st_size > MAX_BYTES:
                raise PictureError(f"too large: over {MAX_BYTES // 1_000_000} MB; make it smaller")
        with _open_image(source) as image:
            _check_size(image)
            # A JPEG can be decoded at 1/2, 1/4 or 1/8 of its size, JPEG 2000 without its finest levels.
            width, height = image.size
            factor = min(max(width, height) / (0.95 * WORKING_SIDE), width, height)
            if image.format == "JPEG2000" and factor >= 2:
                image.reduce = int(math.log2(factor))
            else:
                factor = max(factor, 1)
                image.draft("L", (int(width / factor), int(height / factor)))
            ImageOps.exif_transpose(image, in_place=True)
            return _to_grey(image)


@contextlib.contextmanager
def refusing():
    """Whatever goes wrong with a picture becomes a PictureError of one line."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # notes on odd metadata: the pixels decide
            yield
    except PictureError:
        raise
    except Image.UnidentifiedImageError as error:
        raise PictureError("not a picture in a known format") from error
    except Image.DecompressionBombError as error:
        raise PictureError("too large; make it smaller") from error
    except MemoryError as error:
        raise PictureError("too large for this machine's memory; make it smaller") from error
    except Exception as error:  # Pillow's decoders raise nearly any type on damaged files
        if getattr(error, "filename", None) is not None:
            raise PictureError(f"can't be opened: {error.strerror}") from error
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise PictureError(f"damaged, or not a picture: {reason}") from error


def _check_size(image):
    width, height = image.size
    limit = MAX_PIXELS_JPEG if image.format in ("JPEG", "MPO") else MAX_PIXELS
    if any(tile[0] in Image.DECODERS for tile in getattr(image, "tile", ())):
        limit = MAX_PIXELS_PYTHON
    if width * height > limit:
        allowed = f"{limit / 1e6:g} megapixels for {image.format}"
        raise PictureError(f"too large: {width}x{height} is over {allowed}; make it smaller")


def _open_image(source):
    try:
        return Image.open(source, formats=USUAL_FORMATS)
    except Image.UnidentifiedImageError:  # only now the rest, whose decoders take 25 ms to load
        return Image.open(source, formats=_formats())


@functools.cache
def _formats():
    Image.init()
    return [name for name in Image.ID if name not in REFUSED_FORMATS]


def _to_grey(image):
    """PIL image of any mode -> uint8 (h, w) of at most about WORKING_SIDE."""
    if 0 in image.size:
        raise PictureError("an empty picture")
    if image.mode in ("I", "F") or image.mode.startswith("I;"):
        return _stretch(_shrink(_numbers(np.asarray(image))))
    if "transparency" in image.info and image.mode in ("1", "L", "P", "RGB") or image.mode == "PA":
        image = image.convert("RGBA")
    clear = image.mode in ("LA", "RGBA", "La", "RGBa")
    factor = min(max(image.size) // (2 * WORKING_SIDE), *image.size)
    if factor > 1 and image.mode not in ("1", "P"):  # so that the conversions need little memory
        image = image.reduce(factor)
    if clear:
        return _shrink(_flatten(np.asarray(image.convert("RGBA"))))
    if image.mode == "LAB":
        return _shrink(np.asarray(image.getchannel("L")))
    if image.mode == "HSV":
        image = image.convert("RGB")
    return _shrink(np.asarray(image if image.mode == "L" else image.convert("L")))


def grey_of(picture):
    """PIL image or array -> uint8 (h, w), as `open_picture` gives it."""
    return _to_grey(_image_from_array(picture) if isinstance(picture, np.ndarray) else picture)


def _image_from_array(array):
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (3, 4)) or 0 in array.shape:
        raise PictureError(f"an array of shape {array.shape} is no picture; (h, w), (h, w, 3), (h, w, 4) are")
    if array.dtype.kind not in "buif":
        raise PictureError(f"an array of {array.dtype} is no picture")
    return Image.fromarray(array if array.dtype == np.uint8 else _stretch(_numbers(array)))


def _numbers(array):
    """Any numbers -> float32, without NaN and infinities."""
    with np.errstate(over="ignore"):
        array = np.array(array, np.float32)
    return np.nan_to_num(array, copy=False, posinf=0, neginf=0)


def _stretch(array):
    """Numbers -> uint8, the smallest to 0 and the largest to 255 (scanners give 10, 12 or 16 bits)."""
    array = array.astype(np.float64)
    low, high = array.min(), array.max()
    if low >= 0 and high <= 1 and np.array_equal(array, array.round()):
        low, high = 0, 1  # black and white: one colour alone keeps its meaning
    return ((array - low) * (255 / (high - low) if high > low else 0)).astype(np.uint8)


def _flatten(rgba):
    """uint8 (h, w, 4) -> uint8 (h, w) on white; on black where light ink stands on clear ground."""
    grey = cv2.cvtColor(rgba, cv2.COLOR_RGBA2GRAY)
    alpha = rgba[:, :, 3]
    seen = alpha > 127
    light_ink = seen.any() and seen.mean() < 0.5 and np.median(grey[seen]) > 127
    ground = 0 if light_ink else 255
    weight = alpha.astype(np.float32) / 255
    return (grey * weight + ground * (1 - weight)).round().astype(np.uint8)


def _shrink(grey):
    height, width = grey.shape
    factor = min(1, WORKING_SIDE / max(height, width))
    return resize(grey, max(1, round(width * factor)), max(1, round(height * factor)))


def resize(picture, width, height):
    if picture.shape == (height, width):
        return np.ascontiguousarray(picture)
    smaller = width < picture.shape[1]
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR)
