"""A picture in a file, in memory or as an array -> upright, of a bounded size, grey or in colour."""

import contextlib
import functools
import io
import logging
import math
import os
import stat
import warnings
from collections import namedtuple

import cv2
import numpy as np
from PIL import Image

from shuzi.core.command import Problem

WORKING_SIDE = 1024  # pixels; larger pictures are reduced to this before the ink is looked for

# Larger files are refused before they are decoded, which keeps any one file under 3 seconds and 500 MB.
MAX_BYTES = 300_000_000  # of a file
MAX_DECODED = 300_000_000  # bytes as Pillow holds a picture: a page of A3 scanned at 600 dpi in colour takes 280 MB
MAX_PIXELS = 160_000_000  # in any number of bits
MAX_PIXELS_OF = {"WEBP": 24_000_000, "AVIF": 24_000_000}  # their decoders take 15 bytes a pixel
MAX_PIXELS_PROGRESSIVE = 80_000_000  # of a JPEG that is kept in memory whole until its last scan
MAX_PIXELS_PYTHON = 500_000  # decoded in Python (QOI, some DDS, BLP, …), two seconds per megapixel
BAND = 1 << 21  # pixels that are converted and reduced at a time

logging.getLogger("PIL").addHandler(logging.NullHandler())  # its notes on damaged files are not for stderr

USUAL_FORMATS = ["JPEG", "PNG"]
# EPS and WMF run a helper program or need Windows; the others are only stubs that never decode.
REFUSED_FORMATS = {"EPS", "WMF", "BUFR", "GRIB", "HDF5", "MPEG"}

# rgb: uint8 (h, w, 3), upright, the longer side at most WORKING_SIDE. full_size: (width, height) of the upright
# picture before it was reduced, in pixels.
Decoded = namedtuple("Decoded", "rgb full_size")


class PictureError(Problem):
    """A picture that can't be used. The message is one line for the person whose picture it is."""


class NoInkError(PictureError):
    """A picture that can be read but holds no writing."""


def open_picture(source):
    """Decode a picture: upright by its EXIF, transparency on plain ground, first frame, grey.

    source: path, bytes or binary file. Returns uint8 (h, w); the longer side at most
    WORKING_SIDE, never enlarged. Raises PictureError.
    """
    return _open(source, "L")[0]


def open_colour(source):
    """The same in colour, with the size it had: Decoded. Raises PictureError."""
    return Decoded(*_open(source, "RGB"))


def grey_of(picture):
    """PIL image or array -> uint8 (h, w), as `open_picture` gives it. Raises PictureError."""
    return _to_array(_image_of(picture), "L")


def colour_of(picture):
    """PIL image or array -> Decoded, as `open_colour` gives it. Raises PictureError."""
    image = _image_of(picture)
    return Decoded(_to_array(image, "RGB"), image.size)


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


# ---- files ---------------------------------------------------------------------------------------


def _open(source, mode):
    """-> uint8 (h, w) for mode "L" or (h, w, 3) for "RGB", and the upright picture's full size (width, height)."""
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
            width, height = image.size
            _check_size(image)
            _reduce_while_decoding(image, mode)
            array = _to_array(image, mode)
            orientation = image.getexif().get(0x0112, 1)
    if orientation in UPRIGHT:
        array = np.ascontiguousarray(UPRIGHT[orientation](array))
        if orientation >= 5:
            width, height = height, width
    return array, (width, height)


# EXIF's orientation -> what turns the picture upright
UPRIGHT = {
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: a[::-1].swapaxes(0, 1),
    7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
    8: lambda a: a.swapaxes(0, 1)[::-1],
}


def _open_image(source):
    try:
        return Image.open(source, formats=USUAL_FORMATS)
    except Image.UnidentifiedImageError:  # only now the rest, whose decoders take 25 ms to load
        return Image.open(source, formats=_formats())


@functools.cache
def _formats():
    Image.init()
    return [name for name in Image.ID if name not in REFUSED_FORMATS]


def _reduce_while_decoding(image, mode):
    """A JPEG can be decoded at 1/2, 1/4 or 1/8 of its size, JPEG 2000 without its finest levels."""
    width, height = image.size
    factor = min(max(width, height) / (0.95 * WORKING_SIDE), width, height)
    if image.format == "JPEG2000" and factor >= 2:
        image.reduce = int(math.log2(factor))
    elif image.format in ("JPEG", "MPO"):
        factor = max(factor, 1)
        image.draft(mode, (int(width / factor), int(height / factor)))


def _check_size(image):
    """Refuses what would take too much memory or time to decode."""
    width, height = image.size
    if any(tile[0] in Image.DECODERS for tile in getattr(image, "tile", ())):
        limit = MAX_PIXELS_PYTHON
    elif image.format in ("JPEG", "MPO"):  # decoded at a reduced size
        limit = MAX_PIXELS_PROGRESSIVE if "progressive" in image.info else MAX_PIXELS
    else:
        limit = min(MAX_DECODED // BYTES.get(image.mode, 4), MAX_PIXELS_OF.get(image.format, MAX_PIXELS))
    if width * height > limit:
        allowed = f"{limit / 1e6:g} megapixels for {image.format}"
        raise PictureError(f"too large: {width}x{height} is over {allowed}; make it smaller")


BYTES = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2, "I;16L": 2, "I;16N": 2, "RGBA": 5}  # a pixel; others take 4


# ---- pixels --------------------------------------------------------------------------------------


def _to_array(image, mode):
    """PIL image of any mode -> uint8, (h, w) for mode "L" or (h, w, 3) for "RGB", at most WORKING_SIDE."""
    if 0 in image.size:
        raise PictureError("an empty picture")
    numbers = image.mode in ("I", "F") or image.mode.startswith("I;")
    clear = image.has_transparency_data
    if numbers:
        array = _stretch(_shrink(_reduced(image, _numbers)))
    elif clear:
        array = _shrink(_on_plain_ground(_reduced(image, _to_rgba), mode))
    elif mode == "L" or image.mode in ("1", "L"):
        array = _shrink(_reduced(image, _to_grey))
    else:
        array = _shrink(_reduced(image, _to_rgb))
    return cv2.cvtColor(array, cv2.COLOR_GRAY2RGB) if mode == "RGB" and array.ndim == 2 else array


def _reduced(image, convert):
    """`convert` of the image, at 1/n of its size where that is still twice WORKING_SIDE.

    Large pictures are converted and reduced band by band, so that only one of them is in memory.
    """
    factor = min(max(image.size) // (2 * WORKING_SIDE), *image.size)
    width, height = image.size
    if factor <= 1:
        return np.asarray(convert(image))
    image.load()
    rows = max(1, BAND // width // factor) * factor
    tops = range(0, height, rows)
    bands = (image.crop((0, top, width, min(top + rows, height))) for top in tops)
    return np.concatenate([np.asarray(convert(band).reduce(factor)) for band in bands])


def _numbers(image):
    """Any numbers -> float32, without NaN and infinities."""
    return Image.fromarray(_finite(np.asarray(image)))


def _to_rgba(image):
    return image if image.mode == "RGBA" else image.convert("RGBA")


def _to_rgb(image):
    if image.mode == "LAB":
        from PIL import ImageCms

        profiles = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
        return ImageCms.profileToProfile(image, *profiles, outputMode="RGB")
    return image if image.mode == "RGB" else image.convert("RGB")


def _to_grey(image):
    if image.mode == "LAB":
        return image.getchannel("L")
    if image.mode == "HSV":
        image = image.convert("RGB")
    return image if image.mode == "L" else image.convert("L")


def _image_of(picture):
    """PIL image or array -> PIL image. Raises PictureError."""
    if not isinstance(picture, np.ndarray):
        return picture
    if picture.ndim == 3 and picture.shape[2] == 1:
        picture = picture[:, :, 0]
    if picture.ndim not in (2, 3) or (picture.ndim == 3 and picture.shape[2] not in (3, 4)) or 0 in picture.shape:
        raise PictureError(f"an array of shape {picture.shape} is no picture; (h, w), (h, w, 3), (h, w, 4) are")
    if picture.dtype.kind not in "buif":
        raise PictureError(f"an array of {picture.dtype} is no picture")
    return Image.fromarray(picture if picture.dtype == np.uint8 else _stretch(_finite(picture)))


def _finite(array):
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


def _on_plain_ground(rgba, mode):
    """uint8 (h, w, 4) -> uint8 of `mode`, on white; on black where light ink stands on clear ground."""
    alpha = rgba[:, :, 3]
    seen = alpha > alpha.max() / 2  # strokes may be half clear themselves
    grey = cv2.cvtColor(rgba, cv2.COLOR_RGBA2GRAY)
    light_ink = seen.any() and seen.mean() < 0.5 and np.median(grey[seen]) > 127
    ground = 0 if light_ink else 255
    weight = alpha.astype(np.float32) / 255
    if mode == "L":
        return (grey * weight + ground * (1 - weight)).round().astype(np.uint8)
    weight = weight[:, :, None]
    return (rgba[:, :, :3] * weight + ground * (1 - weight)).round().astype(np.uint8)


def _shrink(picture):
    height, width = picture.shape[:2]
    factor = min(1, WORKING_SIDE / max(height, width))
    return resize(picture, max(1, round(width * factor)), max(1, round(height * factor)))


def resize(picture, width, height):
    if picture.shape[:2] == (height, width):
        return np.ascontiguousarray(picture)
    smaller = width < picture.shape[1]
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR)
