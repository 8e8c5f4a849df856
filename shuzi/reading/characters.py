"""The one way to read a picture: what predict.py and pad.py call.

`prepare` decodes it and finds its ink, once, in whatever process; `read` has a model read what was prepared, many
pictures at a time; `read_picture` does both for one, and `read_all` for any number, prepared in processes of their own.
"""

import multiprocessing
import os
from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import islice
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image

from shuzi import ink
from shuzi.core.amounts import is_amount, read_amount
from shuzi.core.numerals import character, read_number
from shuzi.core.workers import Failure, failure_of
from shuzi.ink import decode
from shuzi.reading.layout import Layout, choose, find_layout
from shuzi.reading.reader import Reader

BATCH = 64  # pictures that a model reads at a time
PAGE = 900  # pixels; longer side of a picture that may be a page of many cells
THUMBNAIL = 420, 260  # pixels at most; the picture on a sheet

Source = str | os.PathLike | bytes | np.ndarray | Image.Image


class Found(NamedTuple):
    """A picture's ink."""

    ink: np.ndarray  # float32 (h, w), 0 paper to 1 ink
    size: tuple[int, int]  # width, height of the upright picture, pixels
    thumbnail: np.ndarray | None  # uint8 (h, w, 3), no larger than THUMBNAIL

    @property
    def scale(self) -> tuple[float, float]:
        """Pixels of the upright picture to one of `ink`'s: x, y."""
        return self.size[0] / self.ink.shape[1], self.size[1] / self.ink.shape[0]


class Prepared(NamedTuple):
    """A picture to be read: its possible characters, and where they are."""

    layout: Layout
    scale: tuple[float, float]  # as of Found
    size: tuple[int, int]
    thumbnail: np.ndarray | None


class Character(NamedTuple):
    """One character as it was read."""

    glyph: np.ndarray  # uint8 (64, 64), what the model saw
    best: list[tuple[str, float]]  # (class, probability), best first, up to three
    unsure: bool
    box: tuple[int, int, int, int] | None  # x, y, w, h in pixels of the upright picture; None where it is alone in it


class Reading(NamedTuple):
    """One picture as it was read."""

    lines: list[list[Character]]  # from the top, and from the left; [] where it was refused
    reason: str  # why it was refused, or ""
    size: tuple[int, int] | None  # width, height of the upright picture, pixels
    thumbnail: np.ndarray | None

    @property
    def characters(self) -> list[Character]:
        return [one for line in self.lines for one in line]


def find(source: Source, thumbnail: bool = False, page: int = 1) -> Found:
    """Decode a picture, or a page of a file, and find its ink. Raises PictureError, NoInkError."""
    grey, size, small = _decoded(source, thumbnail, page)
    return Found(ink.find_ink(grey), size, small)


def _decoded(source, thumbnail, page):
    """(grey uint8 (h, w), size of the upright picture, thumbnail or None)"""
    if isinstance(source, np.ndarray | Image.Image):
        colour = decode.colour_of(source)
        grey, size = decode.grey_of(source), colour.full_size
    else:
        grey, size = decode._open(source, page, decode.WORKING_SIDE, "L")
        colour = decode.open_colour(source, page) if thumbnail else None
    return grey, size, _reduced(colour.rgb) if thumbnail else None


def _reduced(rgb):
    height, width = rgb.shape[:2]
    factor = min(THUMBNAIL[0] / width, THUMBNAIL[1] / height, 1)
    size = max(1, round(width * factor)), max(1, round(height * factor))
    return cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)


def prepare(source: Source, lines: bool = True, thumbnail: bool = False, page: int = 1) -> Prepared:
    """Decode a picture, find its ink, and the characters that it may hold.

    source: path, bytes, PIL image or array of a picture. lines: whether it may hold more than one character.
    page: of a file of several, from 1.
    Raises PictureError, NoInkError.
    """
    grey, size, small = _decoded(source, thumbnail, page)
    if lines and max(size) >= PAGE and not isinstance(source, np.ndarray | Image.Image):
        from shuzi.reading.cells import find_cells  # here and not above: few pictures are that large

        if layout := find_cells(source, page, grey):
            return Prepared(layout, (size[0] / grey.shape[1], size[1] / grey.shape[0]), size, small)
    found = Found(ink.find_ink(grey), size, small)
    return Prepared(find_layout(found.ink, lines), found.scale, found.size, found.thumbnail)


def prepare_paths(items: list[tuple[str, bool, int]]) -> list[Prepared | Failure]:
    """`prepare` for a list of (path, whether to make a thumbnail, bytes), for `Workers`; what fails is a Failure."""
    if multiprocessing.parent_process():
        cv2.setNumThreads(1)  # in a worker: the pictures are what runs in parallel

    def attempt(path, thumbnail):
        try:
            path, page = decode.split_page(path)
            return prepare(path, thumbnail=thumbnail, page=page)
        except Exception as error:
            return failure_of(error)

    return [attempt(path, thumbnail) for path, thumbnail, _ in items]


def read(pictures: list[Prepared | Failure], reader: Reader) -> list[Reading]:
    """Have a model read prepared pictures, all at once."""
    layouts = [picture.layout for picture in pictures if isinstance(picture, Prepared)]
    if layouts:
        glyphs = np.concatenate([layout.glyphs for layout in layouts])
        probabilities = reader.predict(np.repeat(glyphs[..., None], 3, axis=3))
    readings, start = [], 0
    for picture in pictures:
        if isinstance(picture, Failure):
            readings.append(Reading([], picture.reason, None, None))
        else:
            end = start + len(picture.layout.glyphs)
            lines = _read_layout(picture, probabilities[start:end], reader)
            readings.append(Reading(lines, "", picture.size, picture.thumbnail))
            start = end
    return readings


def read_all(prepared: Iterable, reader: Reader) -> Iterator[tuple[str, Reading]]:
    """Yields (path, Reading) for each of what `Workers.map` yields of `prepare_paths`, in batches."""
    prepared = iter(prepared)
    while batch := list(islice(prepared, BATCH)):
        readings = read([picture for _, picture in batch], reader)
        for (item, _), reading in zip(batch, readings):
            yield item[0], reading


def read_picture(source: Source, reader: Reader, lines: bool = True) -> Reading:
    """Read one picture. Raises PictureError, NoInkError."""
    return read([prepare(source, lines)], reader)[0]


def value_of(line: list[Character]) -> int | Decimal:
    """What a line of characters says: a number, or, with 元 角 分 in it, an amount. Raises ValueError."""
    text = "".join(character(one.best[0][0]) for one in line)
    return read_amount(text) if is_amount(text) else read_number(text)


def note_of(line: list[Character]) -> str:
    """The same in words: `number 325`, `amount 2005.30 元`, or why it is none."""
    try:
        value = value_of(line)
    except ValueError as error:
        kind = "amount" if is_amount("".join(character(one.best[0][0]) for one in line)) else "number"
        return f"no well-formed {kind}: {error}"
    return f"amount {value} 元" if isinstance(value, Decimal) else f"number {value}"


def _read_layout(picture, probabilities, reader):
    """One picture's lines. probabilities: float (k, classes) of the layout's glyphs."""
    layout = picture.layout
    lines = choose(layout, probabilities, reader.classes)
    alone = lines == [[0]]
    unsure = reader.is_unsure(probabilities)

    def character_of(glyph):
        order = np.argsort(-probabilities[glyph], kind="stable")[:3]
        best = [(reader.classes[i], float(probabilities[glyph, i])) for i in order]
        box = None if alone else _scaled(layout.boxes[glyph], picture.scale)
        return Character(layout.glyphs[glyph], best, bool(unsure[glyph]), box)

    return [[character_of(glyph) for glyph in line] for line in lines]


def _scaled(box, scale):
    x, y, w, h = (float(side) for side in box)
    left, top = round(x * scale[0]), round(y * scale[1])
    return left, top, round((x + w) * scale[0]) - left, round((y + h) * scale[1]) - top
