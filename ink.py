"""Any picture of handwriting -> the 64x64x3 array that training and prediction both use.

The one way in: `datapro.py`, `predict.py` and `pad.py` all come through `read_picture` or `prepare`.
A picture is decoded and turned upright (`open_picture`), the ink is told from the paper
(`find_ink`), and what was written is cropped, scaled with its aspect kept and centred on white
(`place`). Dark ink on white comes out, whatever went in.
"""

import functools
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
PAPER = 200  # the tone of paper that is evened out; ink is darker, noise may be lighter
MAX_PARTS = 300  # the largest are looked at; the rest are specks
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


@functools.cache
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
    factor = min(1, WORKING_SIDE / max(height, width))
    return _resize(grey, max(1, round(width * factor)), max(1, round(height * factor)))


# ---- ink and paper -------------------------------------------------------------------------------


def find_ink(grey):
    """Tell ink from paper.

    grey: uint8 (h, w), dark on light or light on dark. Returns float32 (h, w), 0 paper to 1 ink,
    with soft edges kept and specks removed. Raises NoInkError.

    What is ink is decided on a reduced picture, which is quicker and less noisy; how dark it is, on the full one.
    """
    height, width = grey.shape
    side = max(height, width)
    step = 1 + (side > 150) + (side > 500)
    coarse = _resize(grey, max(1, width // step), max(1, height // step))
    if _is_light_on_dark(coarse):
        grey, coarse = cv2.bitwise_not(grey), cv2.bitwise_not(coarse)

    paper = _paper(coarse)
    tone = cv2.divide(coarse, paper, scale=PAPER)
    paper_tone, faintest = _tones(tone)
    mask = _without_specks(cv2.compare(tone, faintest, cv2.CMP_LE), cv2.subtract(paper_tone, tone))
    mask = cv2.dilate(mask, np.ones((3, 3), np.uint8))  # the strokes' soft edges

    if step > 1:
        paper = _resize(paper, width, height)
        mask = cv2.resize(mask, (width, height), interpolation=cv2.INTER_NEAREST)
        tone = cv2.divide(grey, paper, scale=PAPER)
    histogram = _histogram(tone, mask)
    ink_tone = _ink_tone(histogram, paper_tone)
    tones = np.arange(256, dtype=np.float32)
    darkness = np.clip((paper_tone - tones) / (paper_tone - ink_tone), 0, 1)
    return cv2.LUT(cv2.bitwise_or(tone, cv2.bitwise_not(mask)), darkness)


def _is_light_on_dark(grey):
    """Paper is what most of the picture and of its border is, and ink is narrow."""
    _, light = cv2.threshold(grey, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    border = np.concatenate([light[0], light[-1], light[:, 0], light[:, -1]])
    # 0.9, not 1: in doubt, as in a tight crop of a thick stroke, it is dark ink on light paper
    if cv2.mean(light)[0] + border.mean() >= 0.9:
        return False
    # a wide light part is paper beside a shadow or a table
    half_width = cv2.distanceTransform(light, cv2.DIST_L2, 3).max()
    return half_width < 0.15 * max(grey.shape)


def _paper(grey):
    """The paper's brightness at each pixel, uint8 (h, w), 1 or more.

    It is what is left when dark strokes narrower than a third of the picture are closed over. A
    closing keeps the hard edges of shadows, which a blur would turn into false ink.
    """
    window = np.ones((max(grey.shape) // 3 | 1,) * 2, np.uint8)
    return cv2.max(cv2.morphologyEx(cv2.medianBlur(grey, 3), cv2.MORPH_CLOSE, window), 1)


def _tones(tone):
    """The tone of the paper, and the lightest tone that stands out from it enough to be ink. Raises NoInkError."""
    histogram = _histogram(tone)
    share = histogram.cumsum() / histogram.sum()
    # The lightest quarter is paper in any picture. Between the quantiles 0.75 and 0.95 of normal noise lies 0.97 sigma.
    light, lightest = np.searchsorted(share, [0.75, 0.95])
    noise = (lightest - light) / 0.97
    paper = min(int(light - 0.67 * noise), PAPER)
    faintest = paper - max(5 * noise, 6)
    if faintest < 0 or share[int(faintest)] == 0:
        raise NoInkError("no ink found")
    histogram[int(faintest) + 1 :] = 0
    return paper, int(min(faintest, paper - 0.25 * (paper - _ink_tone(histogram, paper))))


def _ink_tone(histogram, paper):
    """The usual tone of full strokes: the median, weighted so that faint edges and noise hardly count."""
    weight = (histogram * np.clip(paper - np.arange(256), 0, None) ** 2).cumsum()
    return int(np.searchsorted(weight, 0.5 * weight[-1]))


def _histogram(picture, mask=None):
    return cv2.calcHist([picture], [0], mask, [256], [0, 256]).ravel()


def _without_specks(mask, depth):
    """Drop parts that are too small, too faint or too far off to be a stroke.

    mask: uint8 (h, w), 0 or 255; depth: uint8 (h, w), how much darker than the paper. Returns a mask.
    """
    count, labels, boxes, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    if count <= 2:  # the paper and one part
        return mask
    mass = np.bincount(labels.ravel(), depth.ravel())
    mass[0] = 0
    boxes = boxes.tolist()
    keep = np.zeros(count, np.uint8)
    first = left = None
    for part in np.argsort(-mass)[:MAX_PARTS].tolist():
        x, y, width, height, _ = boxes[part]
        stray = x == 0 or y == 0 or x + width == mask.shape[1] or y + height == mask.shape[0]
        if first is None:
            first, first_stray = mass[part], stray
            left, top, right, bottom = x, y, x + width, y + height
        gap = max(x - right, left - x - width, y - bottom, top - y - height) / max(right - left, bottom - top)
        if mass[part] < first * _least_mass(gap, stray and not first_stray):
            continue
        keep[part] = 255
        left, top, right, bottom = min(left, x), min(top, y), max(right, x + width), max(bottom, y + height)
    return np.take(keep, labels)


def _least_mass(gap, stray):
    """The mass that a part needs to be a stroke, as a share of the largest part's, tuned on 8,400 pictures of a pen.

    gap: distance to the strokes found so far, as a share of their size. stray: cut by the picture's border.
    """
    if gap <= 0:  # inside the character: nothing there moves the crop
        return 0.01
    if gap <= 0.4:  # the top of a faint 千, the dot of 六
        return 0.06 if stray else 0.022
    return 0.15 * gap


def _resize(picture, width, height):
    if picture.shape == (height, width):
        return np.ascontiguousarray(picture)
    smaller = width < picture.shape[1]
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR)


# ---- placing -------------------------------------------------------------------------------------


def place(ink):
    """Crop to the ink, scale with the aspect kept, centre on white.

    ink: float32 (h, w), 0 paper to 1 ink. Returns uint8 (64, 64, 3): the ink's longer side INK_SIZE pixels,
    dark on white. Raises NoInkError.
    """
    left, top, width, height = cv2.boundingRect(cv2.compare(ink, 0.3, cv2.CMP_GT))
    if not width:
        raise NoInkError("no ink found")
    ink = ink[top : top + height, left : left + width]
    factor = INK_SIZE / max(height, width)
    width, height = max(1, round(width * factor)), max(1, round(height * factor))
    small = _resize(ink, width, height)
    # fine lines turn pale when shrunk: bring the ink back to full depth
    inked = np.sort(small[small > 0.1])
    deep = inked[len(inked) * 4 // 5] if len(inked) else 1
    picture = np.full((SIZE, SIZE), 255, np.uint8)
    top, left = (SIZE - height) // 2, (SIZE - width) // 2
    picture[top : top + height, left : left + width] = 255.5 - 255 * np.minimum(small / deep, 1)
    return cv2.merge([picture, picture, picture])
