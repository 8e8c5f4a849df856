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
FOUND_TINT = (214, 0, 110), 0.8  # colour of what was found in it, and how strong

Source = str | os.PathLike | bytes | np.ndarray | Image.Image


class Found(NamedTuple):
    """A picture's ink."""

    ink: np.ndarray  # float32 (h, w), 0 paper to 1 ink, of the part that was written on
    place: tuple[
        float, float, float
    ]  # left, top: where that part begins; step: of one of its pixels. In upright pixels
    size: tuple[int, int]  # width, height of the upright picture, pixels
    thumbnail: np.ndarray | None  # uint8 (h, w, 3), no larger than THUMBNAIL, with what was found tinted


class Prepared(NamedTuple):
    """A picture to be read: its possible characters, and where they are."""

    layout: Layout
    place: tuple[float, float, float]  # as of Found
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
    return _find(_decoded(source, page), thumbnail)


def _decoded(source, page):
    if isinstance(source, np.ndarray | Image.Image):
        return ink.decoded_of(source)
    return ink.open_picture(source, page)


def _find(decoded, thumbnail):
    found = ink.find_ink(decoded.rgb)
    scale = max(decoded.full_size) / max(decoded.rgb.shape)
    place = found.left * scale, found.top * scale, found.step * scale
    return Found(found.ink, place, decoded.full_size, _thumbnail(decoded.rgb, found) if thumbnail else None)


def _thumbnail(rgb, found=None):
    """The picture made small, with what was found in it tinted."""
    height, width = rgb.shape[:2]
    factor = min(THUMBNAIL[0] / width, THUMBNAIL[1] / height, 1)
    size = max(1, round(width * factor)), max(1, round(height * factor))
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    if found is None:
        return small
    step = found.step * factor  # of the thumbnail's pixels to one of the ink's
    to_small = np.float32([[step, 0, found.left * factor], [0, step, found.top * factor]])
    tint = FOUND_TINT[1] * cv2.warpAffine(found.ink, to_small, size)[..., None]
    return np.uint8(small + (np.float32(FOUND_TINT[0]) - small) * tint)


def prepare(source: Source, lines: bool = True, thumbnail: bool = False, page: int = 1) -> Prepared:
    """Decode a picture, find its ink, and the characters that it may hold.

    source: path, bytes, PIL image or array of a picture. lines: whether it may hold more than one character.
    page: of a file of several, from 1.
    Raises PictureError, NoInkError.
    """
    decoded = _decoded(source, page)
    if lines and max(decoded.full_size) >= PAGE and not isinstance(source, np.ndarray | Image.Image):
        from shuzi.reading.cells import find_cells  # here and not above: few pictures are that large

        if layout := find_cells(source, page, cv2.cvtColor(decoded.rgb, cv2.COLOR_RGB2GRAY)):
            place = 0, 0, max(decoded.full_size) / max(decoded.rgb.shape)
            return Prepared(layout, place, decoded.full_size, _thumbnail(decoded.rgb) if thumbnail else None)
    found = _find(decoded, thumbnail)
    return Prepared(find_layout(found.ink, lines), found.place, found.size, found.thumbnail)


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
        box = None if alone else _scaled(layout.boxes[glyph], picture.place)
        return Character(layout.glyphs[glyph], best, bool(unsure[glyph]), box)

    return [[character_of(glyph) for glyph in line] for line in lines]


def _scaled(box, place):
    x, y, w, h = (float(side) for side in box)
    left, top, step = place
    x0, y0 = round(left + x * step), round(top + y * step)
    return x0, y0, round(left + (x + w) * step) - x0, round(top + (y + h) * step) - y0
