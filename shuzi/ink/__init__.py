"""Any picture of handwriting -> the 64x64x3 array that training and prediction both use.

The one way in: `datapro.py`, `predict.py` and `pad.py` all come through `open_picture`, `find_ink` and `place`, which
`read_picture` and `prepare` call one after the other. A picture is decoded and turned upright (`decode.py`),
handwriting is told from all else (`find.py`), and what was written is cropped, scaled with its aspect kept and centred
on white (`place.py`). Dark ink on white comes out, whatever went in.
"""

import cv2
import numpy as np

from shuzi.ink.decode import Decoded, NoInkError, PictureError, decoded_of, open_picture, refusing
from shuzi.ink.find import Found, find_ink
from shuzi.ink.place import INK_SIZE, SIZE, place

__all__ = [
    "INK_SIZE", "SIZE", "Decoded", "Found", "NoInkError", "PictureError", "decoded_of", "find_ink", "fit_picture",
    "open_picture", "place", "prepare", "read_picture",
]  # fmt: skip


def read_picture(source, fit="ink", page=1):
    """Read a picture and prepare it.

    source: path, bytes or binary file. fit: "ink" finds the ink, crops, scales and centres it; "stretch" resizes the
    whole picture. page: of a file of several, from 1. Returns uint8 (64, 64, 3), 0 ink to 255 paper.
    Raises PictureError, NoInkError.
    """
    return fit_picture(open_picture(source, page), fit)


def prepare(picture, fit="ink"):
    """The same for a picture that is in memory already.

    picture: PIL image, or array (h, w), (h, w, 1), (h, w, 3) or (h, w, 4), uint8 0-255 (other
    integer and float types are stretched to that range). Returns uint8 (64, 64, 3).
    Raises PictureError, NoInkError.
    """
    with refusing():
        decoded = decoded_of(picture)
    return fit_picture(decoded, fit)


def fit_picture(decoded, fit="ink"):
    """The second half of `read_picture`: Decoded -> uint8 (64, 64, 3). Raises NoInkError."""
    if fit == "ink":
        return place(find_ink(decoded.rgb).ink)
    if fit == "stretch":
        grey = cv2.cvtColor(decoded.rgb, cv2.COLOR_RGB2GRAY)
        return np.repeat(cv2.resize(grey, (SIZE, SIZE), interpolation=cv2.INTER_AREA)[:, :, None], 3, axis=2)
    raise ValueError(f"fit must be 'ink' or 'stretch', not {fit!r}")
