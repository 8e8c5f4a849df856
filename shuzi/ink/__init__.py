"""Any picture of handwriting -> the 64x64x3 array that training and prediction both use.

The one way in: `datapro.py`, `predict.py` and `pad.py` all come through `read_picture` or `prepare`.
A picture is decoded and turned upright (`decode.py`), the ink is told from the paper
(`find.py`), and what was written is cropped, scaled with its aspect kept and centred on white
(`place.py`). Dark ink on white comes out, whatever went in.
"""

import cv2
import numpy as np

from shuzi.ink import find
from shuzi.ink.decode import NoInkError, PictureError, grey_of, open_picture, refusing
from shuzi.ink.find import find_ink
from shuzi.ink.place import INK_SIZE, SIZE, place, place_crop

__all__ = [
    "INK_SIZE", "SIZE", "NoInkError", "PictureError", "find_ink", "fit_picture", "fit_pictures", "grey_of",
    "open_picture", "place", "prepare", "read_picture",
]  # fmt: skip


def read_picture(source, fit="ink"):
    """Read a picture and prepare it.

    source: path, bytes or binary file of a picture in any format that Pillow decodes.
    fit: "ink" finds the ink, crops, scales and centres it; "stretch" resizes the whole picture.
    Returns uint8 (64, 64, 3), 0 ink to 255 paper. Raises PictureError, NoInkError.
    """
    return fit_picture(open_picture(source), fit)


def prepare(picture, fit="ink"):
    """The same for a picture that is in memory already.

    picture: PIL image, or array (h, w), (h, w, 1), (h, w, 3) or (h, w, 4), uint8 0-255 (other
    integer and float types are stretched to that range). Returns uint8 (64, 64, 3).
    Raises PictureError, NoInkError.
    """
    with refusing():
        grey = grey_of(picture)
    return fit_picture(grey, fit)


def fit_picture(grey, fit="ink"):
    """The second half of `read_picture`: uint8 (h, w) from `open_picture` -> uint8 (64, 64, 3). Raises NoInkError."""
    picture = grey
    for step in _steps(fit):
        picture = step(picture)
    return picture


def fit_pictures(greys, fit="ink"):
    """`fit_picture` for a list of pictures, a fifth quicker: each step for all of them.

    Picture by picture, the steps drive each other's code from the processor's cache.
    greys: uint8 (h, w) each, or an Exception, which stays. Returns a list of uint8 (64, 64, 3), or of the Exception
    that was raised.
    """
    pictures = list(greys)
    for step in _steps(fit):
        for i, picture in enumerate(pictures):
            if not isinstance(picture, Exception):
                try:
                    pictures[i] = step(picture)
                except Exception as error:
                    pictures[i] = error
    return pictures


def _steps(fit):
    """The functions that make a picture, each of what the one before returns."""
    if fit == "ink":
        return find.dark_on_light, find.with_strokes, find.crop_to_ink, place_crop
    if fit == "stretch":
        return (_stretch_to_size,)
    raise ValueError(f"fit must be 'ink' or 'stretch', not {fit!r}")


def _stretch_to_size(grey):
    small = cv2.resize(grey, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
    return np.repeat(small[:, :, None], 3, axis=2)
