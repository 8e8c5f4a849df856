"""A picture in a file, in memory or as an array -> upright, in colour, of a bounded size."""

import contextlib
import functools
import io
import logging
import math
import os
import re
import stat
import warnings
from collections import namedtuple
from itertools import islice

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

MAX_PAGES = 1000  # that are read of one file

USUAL_FORMATS = ["JPEG", "PNG"]
MULTI_PAGE = {"TIFF", "GIF"}
MULTI_PAGE_ENDINGS = (".tif", ".tiff", ".gif", ".pdf")
MARKS = [(b"GIF8", "GIF"), *((start, "TIFF") for start in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"))]
HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
# EPS and WMF run a helper program or need Windows; the others are only stubs that never decode.
REFUSED_FORMATS = {"EPS", "WMF", "BUFR", "GRIB", "HDF5", "MPEG"}

# rgb: uint8 (h, w, 3), upright, the longer side at most WORKING_SIDE or as asked for. full_size: (width, height) of
# the upright picture before it was reduced, in pixels.
Decoded = namedtuple("Decoded", "rgb full_size")


class PictureError(Problem):
    """A picture that can't be used. The message is one line for the person whose picture it is."""


class NoInkError(PictureError):
    """A picture that can be read but holds no writing."""


def open_picture(source, page=1, side=WORKING_SIDE):
    """Decode a picture: upright by its EXIF, transparency on plain ground.

    source: path, bytes or binary file. page: of a TIFF, GIF or PDF of several, from 1. Returns Decoded; the longer side
    at most `side`, never enlarged. Raises PictureError.
    """
    return Decoded(*_open(source, page, side))


def count_pages(source):
    """How many pictures a file holds: pages of a PDF or TIFF, frames of a GIF, else 1.

    source: path, bytes or binary file. At most MAX_PAGES + 1. Raises PictureError.
    """
    with refusing(), _opened(source) as file:
        kind = _kind(file)
        if kind == "PDF":
            from shuzi.ink.pdf import count_pages

            return min(count_pages(file), MAX_PAGES + 1)
        if kind not in MULTI_PAGE:
            return 1
        with Image.open(file, formats=[kind]) as image:
            return max(1, sum(1 for _ in _frames(image)))


def page_names(path):
    """The names of a file's pages, `scan.tif#p1`, …; its own where it has one, or can't be read."""
    if not str(path).lower().endswith(MULTI_PAGE_ENDINGS):
        return [path]
    try:
        count = count_pages(path)
    except PictureError:
        count = 1
    return [path] if count == 1 else [f"{path}#p{page}" for page in range(1, min(count, MAX_PAGES) + 1)]


def split_page(name):
    """`scan.tif#p2` -> the path and the page: ("scan.tif", 2). Any other path is of page 1."""
    match = re.fullmatch(r"(.*)#p(\d{1,4})", str(name), re.DOTALL)
    if not match or os.path.lexists(name):
        return name, 1
    return match.group(1), int(match.group(2))


def decoded_of(picture):
    """PIL image or array -> Decoded, as `open_picture` gives it. Raises PictureError."""
    image = _image_of(picture)
    return Decoded(_to_rgb_array(image), image.size)


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


def _open(source, page, side):
    """-> uint8 (h, w, 3), and the upright picture's full size (width, height)."""
    with refusing(), _opened(source) as file:
        kind = _kind(file)
        if kind == "PDF":
            from shuzi.ink.pdf import render

            image, full_size = render(file, page, side)
            return _to_rgb_array(image, side), tuple(full_size)
        with _open_image(file, kind) as image:
            if page > 1:
                image.seek(next(islice(_frames(image), page - 1, None), None))
            width, height = image.size
            _check_size(image)
            _reduce_while_decoding(image, side)
            array = _to_rgb_array(image, side)
            orientation = image.getexif().get(0x0112, 1)
    if orientation in UPRIGHT:
        array = np.ascontiguousarray(UPRIGHT[orientation](array))
        if orientation >= 5:
            width, height = height, width
    return array, (width, height)


@contextlib.contextmanager
def _opened(source):
    """A path, bytes or binary file -> a binary file that can be read from any place."""
    if isinstance(source, (bytes, bytearray, memoryview)):
        yield io.BytesIO(source)
    elif isinstance(source, (str, os.PathLike)):
        status = os.stat(source)
        if not stat.S_ISREG(status.st_mode):  # opening a FIFO would wait for ever
            raise PictureError("not a file")
        if status.st_size > MAX_BYTES:
            raise PictureError(f"too large: over {MAX_BYTES // 1_000_000} MB; make it smaller")
        with open(source, "rb") as file:
            yield file
    else:
        yield source


def _kind(file):
    """What a file's first bytes say that it is, where that matters here: PDF, HEIF, TIFF, GIF; else None."""
    file.seek(0)
    start = file.read(1024)
    file.seek(0)
    if start[4:8] == b"ftyp" and start[8:12] in HEIF_BRANDS:
        return "HEIF"
    return next((kind for mark, kind in MARKS if start.startswith(mark)), "PDF" if b"%PDF-" in start else None)


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


def _open_image(file, kind):
    if kind == "HEIF":
        try:
            import pillow_heif  # only now: few have such files
        except ImportError:
            raise PictureError("HEIC: pip install pillow-heif to read it, or save it as JPEG") from None
        pillow_heif.register_heif_opener(thumbnails=False)
    if kind:
        return Image.open(file, formats=[kind])
    try:
        return Image.open(file, formats=USUAL_FORMATS)
    except Image.UnidentifiedImageError:  # only now the rest, whose decoders take 25 ms to load
        return Image.open(file, formats=_formats())


@functools.cache
def _formats():
    Image.init()
    return [name for name in Image.ID if name not in REFUSED_FORMATS]


def _frames(image):
    """Yields the number of each frame that is a page of its own, and not a page made smaller for a preview."""
    for number in range(MAX_PAGES * 2):
        try:
            image.seek(number)
        except EOFError:
            return
        if not (image.format == "TIFF" and image.tag_v2.get(254, 0) & 1):
            yield number


def _reduce_while_decoding(image, side):
    """A JPEG can be decoded at 1/2, 1/4 or 1/8 of its size, JPEG 2000 without its finest levels."""
    width, height = image.size
    factor = min(max(width, height) / (0.95 * side), width, height)
    if image.format == "JPEG2000" and factor >= 2:
        image.reduce = int(math.log2(factor))
    elif image.format in ("JPEG", "MPO"):
        factor = max(factor, 1)
        image.draft("RGB", (int(width / factor), int(height / factor)))


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


def _to_rgb_array(image, side=WORKING_SIDE):
    """PIL image of any mode -> uint8 (h, w, 3), at most `side` long."""
    if 0 in image.size:
        raise PictureError("an empty picture")
    if image.mode in ("I", "F") or image.mode.startswith("I;"):
        array = _stretch(_shrink(_reduced(image, _numbers, side), side))
    elif image.has_transparency_data:
        array = _shrink(_on_plain_ground(_reduced(image, _to_rgba, side)), side)
    elif image.mode in ("1", "L"):
        array = _shrink(_reduced(image, lambda band: band.convert("L"), side), side)
    else:
        array = _shrink(_reduced(image, _to_rgb, side), side)
    return cv2.cvtColor(array, cv2.COLOR_GRAY2RGB) if array.ndim == 2 else array


def _reduced(image, convert, side):
    """`convert` of the image, at 1/n of its size where that is still twice `side`.

    Large pictures are converted and reduced band by band, so that only one of them is in memory.
    """
    factor = min(max(image.size) // (2 * side), *image.size)
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


def _on_plain_ground(rgba):
    """uint8 (h, w, 4) -> uint8 (h, w, 3), on white; on black where light ink stands on clear ground."""
    alpha = rgba[:, :, 3:]
    seen = alpha[:, :, 0] > alpha.max() / 2  # strokes may be half clear themselves
    light_ink = seen.any() and seen.mean() < 0.5 and np.median(rgba[seen][:, :3].mean(1)) > 127
    weight = alpha.astype(np.float32) / 255
    return (rgba[:, :, :3] * weight + (0 if light_ink else 255) * (1 - weight)).round().astype(np.uint8)


def _shrink(picture, side):
    height, width = picture.shape[:2]
    factor = min(1, side / max(height, width))
    return resize(picture, max(1, round(width * factor)), max(1, round(height * factor)))


def resize(picture, width, height):
    if picture.shape[:2] == (height, width):
        return np.ascontiguousarray(picture)
    smaller = width < picture.shape[1]
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR)
