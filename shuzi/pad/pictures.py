"""What the page asks for: drawings and photos are read, saved to be learned from, or written as an example."""

import base64
import io
import os
import re
import secrets
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from shuzi import ink
from shuzi.core import numerals
from shuzi.core.command import Problem
from shuzi.reading import characters
from shuzi.reading.reader import Reader

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")  # what browsers and phones send
EXAMPLE_WRITERS = 10_000  # an example is written in one of so many hands


class PadError(Problem):
    """Why the pad can't do it. The message is one line for a person; code names it for the page."""

    def __init__(self, message: str, code: str = "error", status: int = 422):
        super().__init__(message)
        self.code = code
        self.status = status


def read(reader: Reader, body: bytes, several: bool = False) -> dict:
    """What the model reads in a picture.

    body: of a picture. several: whether it is a photo, which may hold several characters. Returns a dict for the page:
    `top`, the three best as dicts with class, character, value (int or None) and confidence (0-1); `unsure`, bool;
    `seen`, the 64x64 picture as a data: address. For several characters a dict of `lines` instead: dicts with text,
    number (int or None), and says: the number or amount to show (`2,005.30 元`), or None. Raises PadError.
    """
    with _refusing(body):
        prepared = characters.prepare(body, several)
    (reading,) = characters.read([prepared], reader)
    if len(reading.characters) > 1:
        return {"lines": [_line(line) for line in reading.lines]}
    one = reading.characters[0]
    top = [dict(named(name), confidence=confidence) for name, confidence in one.best]
    image = "data:image/png;base64," + base64.b64encode(_png(one.glyph)).decode()
    return {"top": top, "unsure": one.unsure, "seen": image}


def _line(line):
    text = "".join(numerals.character(one.best[0][0]) for one in line)
    try:
        value = characters.value_of(line)
    except ValueError:
        return {"text": text, "number": None, "says": None}
    amount = isinstance(value, Decimal)
    return {"text": text, "number": None if amount else value, "says": f"{value:,} 元" if amount else f"{value:,}"}


def teach(hwtrainset: str | os.PathLike, body: bytes, name: str, writer: str) -> Path:
    """Save a picture as a new file `hwtrainset/<class>/pad_writer-<id>_<n>.png`; never over another.

    body: bytes of a picture. name: class or character. writer: letters and digits. Returns the path.
    Raises PadError.
    """
    name = checked_class(name)
    if not re.fullmatch(r"[^\W_]{1,24}", writer):
        raise PadError("a writer's name is 1 to 24 letters and digits", "bad-writer")
    with _refusing(body):
        picture = ink.open_picture(body).rgb
        ink.find_ink(picture)  # it must hold some
    if (picture == picture[:, :, :1]).all():
        picture = picture[:, :, 0]  # grey, which is what the page draws
    folder = Path(hwtrainset, name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return _save_new(folder, f"pad_writer-{writer}", _png(picture))
    except OSError as error:
        raise PadError(f"{folder}: can't be saved there: {error.strerror or error}", status=500) from error


def checked_class(name: str) -> str:
    """The class that a name means, if a folder of that name is safe on every system; raises PadError."""
    name = numerals.class_name(name.strip())
    reserved = re.fullmatch(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", name, re.IGNORECASE)  # on Windows
    if not 0 < len(name) <= 40 or not name.isprintable() or re.search(r'[/\\:*?"<>|]', name):
        raise PadError('a class has a name of 1 to 40 characters, and none of / \\ : * ? " < > |', "bad-class")
    if name.startswith(".") or name.endswith((".", " ")) or reserved:
        raise PadError(f"{name!r} can't be the name of a folder everywhere; choose another", "bad-class")
    return name


def example(name: str) -> list:
    """Class `name` as one more virtual writer writes it.

    Returns a list of strokes, each a list of [x, y, width]: x and y in 0-1 of the paper, width a factor of
    the pen's.
    Raises PadError for a class that has no strokes in strokes.py.
    """
    from shuzi.drawing.handwriting import draw, make_writer

    if name not in numerals.ALL_CLASSES:
        raise PadError("there is no example of this class", status=404)
    rng = np.random.default_rng()
    writer = make_writer(0, int(rng.integers(EXAMPLE_WRITERS)))
    strokes = draw(name, writer, rng)
    points = np.concatenate([line for line, _ in strokes])
    low, high = points.min(axis=0), points.max(axis=0)
    scale = 0.66 / (high - low).max()
    result = []
    for line, widths in strokes:
        line = 0.5 + (line - (low + high) / 2) * scale
        step = max(1, len(line) // 24)  # the page draws curves through the points
        keep = np.unique(np.r_[np.arange(0, len(line), step), len(line) - 1])
        result.append(np.column_stack([line[keep], widths[keep]]).round(4).tolist())
    return result


def named(name: str) -> dict:
    """A class for the page."""
    return {"class": name, "character": numerals.character(name), "value": numerals.value(name)}


@contextmanager
def _refusing(body) -> Iterator[None]:
    """What is no picture of a kind that browsers send, or can't be read, becomes a PadError."""
    Image.init()  # loads Pillow's plugins, once
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of Pillow's limit of pixels: ink has a lower one
            Image.open(io.BytesIO(body), formats=[name for name in FORMATS if name in Image.OPEN]).close()
        yield
    except ink.NoInkError as error:
        raise PadError(str(error), "no-ink") from error
    except Image.DecompressionBombError as error:
        raise PadError("too large; make it smaller", "too-large") from error
    except ink.PictureError as error:
        raise PadError(str(error), "too-large" if "too large" in str(error) else "not-a-picture") from error
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise PadError(
            "this is no picture of a known kind: PNG, JPEG, WebP, GIF, BMP, TIFF", "not-a-picture"
        ) from error


def _png(picture):
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _save_new(folder, stem, data):
    """Write data as folder/<stem>_<number>.png under the next free number, complete or not at all."""
    taken = [re.fullmatch(re.escape(stem) + r"_(\d{1,9})\.png", path.name) for path in folder.iterdir()]
    number = 1 + max((int(match[1]) for match in taken if match), default=0)
    part = folder / f".{stem}.{secrets.token_hex(4)}.part"
    try:
        with open(part, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        while True:
            path = folder / f"{stem}_{number:04d}.png"
            try:
                _rename_new(part, path)
                return path
            except FileExistsError:  # another tab was quicker
                number += 1
    finally:
        part.unlink(missing_ok=True)


def _rename_new(part, path):
    """Rename, but never over a file that exists: FileExistsError."""
    if os.name == "nt":
        os.rename(part, path)  # on Windows, it refuses by itself
        return
    try:
        os.link(part, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        with open(path, "xb"):
            pass  # the name is ours now
        os.replace(part, path)
