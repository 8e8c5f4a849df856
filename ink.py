"""Any picture of handwriting -> the 64x64x3 array that training and prediction both use.

The one way in: `datapro.py`, `predict.py` and `pad.py` all come through `read_picture` or `prepare`.
A picture is decoded and turned upright (`open_picture`), the ink is told from the paper
(`find_ink`), and what was written is cropped, scaled with its aspect kept and centred on white
(`place`). Dark ink on white comes out, whatever went in.
"""

import io
import os
import stat
import warnings

import cv2
import numpy as np
from PIL import Image, ImageOps

SIZE = 64  # pixels; side of the prepared picture
INK_SIZE = 52  # pixels; longer side of the ink in it, which leaves a margin of 6 all round
MAX_PIXELS = 64_000_000  # larger pictures are refused before they are decoded
WORKING_SIDE = 1024  # pixels; larger pictures are reduced to about this before the ink is looked for

# EPS and WMF run a helper program or need Windows; the others are only stubs that never decode.
REFUSED_FORMATS = {"EPS", "WMF", "BUFR", "GRIB", "HDF5", "MPEG"}


class PictureError(Exception):
    """A picture that can't be used. The message is one line for the person whose picture it is."""


class NoInkError(PictureError):
    """A picture that can be read but holds no writing."""


def read_picture(source, fit="ink"):
    """Read a picture and prepare it.

    source: path, bytes or binary file of a picture in any format that Pillow decodes.
    fit: "ink" finds the ink, crops, scales and centres it; "stretch" resizes the whole picture.
    Returns uint8 (64, 64, 3), 0 ink to 255 paper. Raises PictureError, NoInkError.
    """
    return _fit(open_picture(source), fit)


def prepare(picture, fit="ink"):
    """The same for a picture that is in memory already.

    picture: PIL image, or array (h, w), (h, w, 1), (h, w, 3) or (h, w, 4), uint8 0-255 (other
    integer and float types are stretched to that range). Returns uint8 (64, 64, 3).
    Raises PictureError, NoInkError.
    """
    if isinstance(picture, np.ndarray):
        picture = _image_from_array(picture)
    return _fit(_to_grey(picture), fit)


def _fit(grey, fit):
    if fit == "ink":
        return place(find_ink(grey))
    if fit == "stretch":
        small = cv2.resize(grey, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
        return np.repeat(small[:, :, None], 3, axis=2)
    raise ValueError(f"fit must be 'ink' or 'stretch', not {fit!r}")


# ---- decoding ------------------------------------------------------------------------------------


def open_picture(source):
    """Decode a picture: upright by its EXIF, transparency on white, first frame, grey.

    Returns uint8 (h, w); the longer side at most about WORKING_SIDE, never enlarged.
    Raises PictureError.
    """
    if isinstance(source, (str, os.PathLike)):
        try:
            if not stat.S_ISREG(os.stat(source).st_mode):  # opening a FIFO would wait for ever
                raise PictureError("not a file")
        except OSError as error:
            raise PictureError(f"can't be opened: {error.strerror}") from error
    elif isinstance(source, (bytes, bytearray, memoryview)):
        source = io.BytesIO(source)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # notes on odd metadata: the pixels decide
            with Image.open(source, formats=_formats()) as image:
                width, height = image.size
                if width * height > MAX_PIXELS:
                    raise PictureError(
                        f"too large: {width}x{height} is over {MAX_PIXELS // 1_000_000} megapixels; make it smaller"
                    )
                # a JPEG is decoded at 1/2, 1/4 or 1/8 of its size where that is enough
                image.draft("L", (WORKING_SIDE, WORKING_SIDE))
                return _to_grey(ImageOps.exif_transpose(image))
    except PictureError:
        raise
    except Image.UnidentifiedImageError as error:
        raise PictureError("not a picture in a known format") from error
    except Image.DecompressionBombError as error:
        raise PictureError("too large; make it smaller") from error
    except Exception as error:  # Pillow's decoders raise nearly any type on damaged files
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise PictureError(f"damaged, or not a picture: {reason[:120]}") from error


def _formats():
    Image.init()
    return [name for name in Image.ID if name not in REFUSED_FORMATS]


def _to_grey(image):
    """PIL image of any mode -> uint8 (h, w) of at most about WORKING_SIDE."""
    if 0 in image.size:
        raise PictureError("an empty picture")
    if image.mode in ("I", "F") or image.mode.startswith("I;"):
        return _shrink(_stretch(np.asarray(image)))
    if "transparency" in image.info or image.mode in ("LA", "PA", "RGBA", "La", "RGBa"):
        return _shrink(_flatten(np.asarray(image.convert("RGBA"))))
    return _shrink(np.asarray(image.convert("L")))


def _image_from_array(array):
    if array.dtype != np.uint8:
        array = _stretch(array)
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (3, 4)) or 0 in array.shape:
        raise PictureError(f"an array of shape {array.shape} is no picture; (h, w), (h, w, 3) or (h, w, 4) is")
    return Image.fromarray(array)


def _stretch(array):
    """Numbers of any type -> uint8, the smallest to 0 and the largest to 255 (scanners give 10, 12 or 16 bits)."""
    array = np.nan_to_num(np.asarray(array, np.float32), posinf=0, neginf=0)
    low, high = float(array.min()), float(array.max())
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
    factor = WORKING_SIDE / max(height, width)
    if factor >= 1:
        return np.ascontiguousarray(grey)
    size = max(1, round(width * factor)), max(1, round(height * factor))
    return cv2.resize(grey, size, interpolation=cv2.INTER_AREA)


# ---- ink and paper -------------------------------------------------------------------------------


def find_ink(grey):
    """Tell ink from paper.

    grey: uint8 (h, w), dark on light or light on dark. Returns float32 (h, w), 0 paper to 1 ink,
    with soft edges kept and specks removed. Raises NoInkError.
    """
    grey = grey.astype(np.uint8, copy=False)
    if _is_light_on_dark(grey):
        grey = 255 - grey
    depth = _paper(grey) - grey  # grey levels darker than the paper around
    strong = _otsu(depth)
    if strong < 8:
        raise NoInkError("no ink found")
    ink_depth = np.median(depth[depth >= strong])
    # Two thresholds (hysteresis, Canny 1986): faint strokes count where they stand out from the paper's noise.
    paper = depth[depth < 0.5 * strong]
    noise = 1.4826 * np.median(np.abs(paper - np.median(paper))) if paper.size else 0
    weak = min(max(0.25 * ink_depth, 4 * noise, 6), strong)
    mask = _without_specks((depth >= weak).astype(np.uint8), depth, ink_depth)
    if not mask.any():
        raise NoInkError("no ink found")
    soft_edges = cv2.dilate(mask, np.ones((3, 3), np.uint8))
    ink = np.clip(depth / ink_depth, 0, 1) * soft_edges
    return ink.astype(np.float32)


def _is_light_on_dark(grey):
    """Paper is what most of the picture, and most of its border, is."""
    threshold, light = cv2.threshold(grey, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    border = np.concatenate([light[0], light[-1], light[:, 0], light[:, -1]])
    # 0.9, not 1: in doubt, as in a tight crop of a thick stroke, it is dark ink on light paper
    return light.mean() + border.mean() < 0.9


def _paper(grey):
    """The paper's brightness at each pixel, float32 (h, w): what is left when dark strokes are closed over."""
    height, width = grey.shape
    factor = min(1.0, 64 / max(height, width))
    size = max(1, round(width * factor)), max(1, round(height * factor))
    small = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    small = cv2.medianBlur(small, 3)
    window = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (21, 21))
    closed = cv2.morphologyEx(small, cv2.MORPH_CLOSE, window, borderType=cv2.BORDER_REPLICATE)
    smooth = cv2.GaussianBlur(closed, (0, 0), 5, borderType=cv2.BORDER_REPLICATE)
    return cv2.resize(smooth, (width, height), interpolation=cv2.INTER_LINEAR).astype(np.float32)


def _otsu(depth):
    """Otsu's threshold (1979) of the depths, in grey levels."""
    levels = np.clip(depth, 0, 255).astype(np.uint8)
    return cv2.threshold(levels, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[0] + 1


def _without_specks(mask, depth, ink_depth):
    """Drop parts that are too small or too faint to be a stroke. mask, result: uint8 (h, w), 0 or 1."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    if count <= 2:  # the paper and one part
        return mask
    areas = stats[:, cv2.CC_STAT_AREA]
    lengths = np.maximum(stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT])
    mass = np.bincount(labels.ravel(), np.clip(depth, 0, ink_depth).ravel(), minlength=count) / ink_depth
    areas[0] = lengths[0] = mass[0] = 0  # the paper
    keep = (mass >= 0.03 * mass.max()) & (lengths >= 0.08 * lengths.max())
    return keep.astype(np.uint8)[labels]


# ---- placing -------------------------------------------------------------------------------------


def place(ink):
    """Crop to the ink, scale with the aspect kept, centre on white.

    ink: float32 (h, w), 0 paper to 1 ink. Returns uint8 (64, 64, 3): the ink's longer side INK_SIZE pixels,
    dark on white. Raises NoInkError.
    """
    rows = np.flatnonzero((ink > 0.3).any(axis=1))
    columns = np.flatnonzero((ink > 0.3).any(axis=0))
    if not rows.size:
        raise NoInkError("no ink found")
    ink = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    height, width = ink.shape
    factor = INK_SIZE / max(height, width)
    size = max(1, round(width * factor)), max(1, round(height * factor))
    small = cv2.resize(ink, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR)
    # fine lines turn pale when shrunk: bring the ink back to full depth
    deep = np.percentile(small[small > 0.1], 80) if (small > 0.1).any() else 1
    small = np.clip(small / max(deep, 0.1), 0, 1)
    paper = np.full((SIZE, SIZE), 255, np.uint8)
    top, left = (SIZE - size[1]) // 2, (SIZE - size[0]) // 2
    paper[top : top + size[1], left : left + size[0]] = (255 * (1 - small)).round().astype(np.uint8)
    return np.repeat(paper[:, :, None], 3, axis=2)
