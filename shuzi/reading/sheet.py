"""The sheet of predict.py: each picture, what the model saw of it, what it read, and how sure it is.

A picture of one character is a card; below the cards, a picture of several is a strip across the sheet, with
their boxes drawn.
"""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageFont

from shuzi.core.files import replacing
from shuzi.core.fonts import find_cjk_font_file, shows
from shuzi.core.numerals import character, value
from shuzi.core.text import shown
from shuzi.reading.characters import THUMBNAIL, Reading
from shuzi.reading.table import Row, rows_of

COLUMNS = 4
CARD = 320, 190  # pixels
GAP = 12
MOST = 120  # pictures on a sheet: it stays one that a screen and a printer can show
MOST_CHARACTERS = 60  # of one picture

PAGE, PAPER, LINE = "#f2efe9", "#ffffff", "#d9d4ca"
TEXT, FAINT, BAR, REST = "#22252b", "#7b7f87", "#2f6db3", "#e6ebf2"
UNSURE, REFUSED = "#d98200", "#b3372f"


class Shown(NamedTuple):
    """A picture on the sheet."""

    file: str
    rows: list[Row]
    reading: Reading

    @property
    def strip(self) -> bool:
        """Whether it takes a strip across the sheet: it has several characters."""
        return len(self.reading.characters) > 1


@contextmanager
def sheet_file(path: str | os.PathLike) -> Iterator[Callable[[str, Reading], None]]:
    """Gives a function that adds (path, Reading) to a sheet, a PNG at `path` once all is done.

    The first MOST pictures are shown, those with a thumbnail.
    """
    with replacing(path) as part:
        part.touch()  # a place that can't be written to is told before the work and not after it
        pictures, left_out = [], 0

        def add(file, reading):
            nonlocal left_out
            if len(pictures) < MOST:
                pictures.append(Shown(file, rows_of(reading), reading))
            else:
                left_out += 1

        yield add
        draw_sheet(pictures, left_out).save(part, format="PNG", optimize=True)


def draw_sheet(pictures: list[Shown], left_out: int = 0) -> Image.Image:
    """The sheet. left_out: how many more pictures there were."""
    # cards first: strips between them leave holes
    pictures = sorted(pictures, key=lambda picture: picture.strip)
    columns = min(COLUMNS, max(len(pictures), 2))
    width = GAP + columns * (CARD[0] + GAP)
    # places first, for the height: cards fill a row, a strip takes a row of its own
    places, photos, column, top = [], [], 0, GAP
    for picture in pictures:
        photos.append(fitted(picture.reading, PHOTO if picture.strip else (136, 136)))
        if column and (picture.strip or column == columns):
            column, top = 0, top + CARD[1] + GAP
        places.append((GAP + column * (CARD[0] + GAP), top))
        if picture.strip:
            top += strip_height(len(picture.rows), photos[-1][0], width) + GAP
        else:
            column += 1
    bottom = top + (CARD[1] + GAP if column else 0) + (30 if left_out else 0)

    sheet = Image.new("RGB", (width, bottom), PAGE)
    draw = ImageDraw.Draw(sheet)
    pen = SheetPen(draw)
    for picture, photo, place in zip(pictures, photos, places, strict=True):
        if picture.strip:
            draw_strip(sheet, draw, pen, picture, photo, place, width)
        else:
            draw_card(sheet, draw, pen, picture, photo[0], place)
    if left_out:
        pen.write((GAP, bottom - 28), f"and {left_out:,} more pictures", TEXT, 16)
    return sheet


class SheetPen:
    """Writes on the sheet, names as the fonts here can show them: without a font for 七 its class is shown, 7."""

    def __init__(self, draw: ImageDraw.ImageDraw):
        self.draw = draw
        self.path = find_cjk_font_file()
        self.latin = self.path is not None and shows(self.path, "7a%")  # some fonts have Chinese only
        self.fonts = {}

    def label(self, name: str) -> str:
        return shown(character(name) if self.path else name)

    def length(self, text: str, size: int) -> float:
        """In pixels."""
        return sum(font.getlength(run) for run, font in self._runs(text, size))

    def fit(self, text: str, size: int, width: float) -> str:
        """The text, shortened in its middle to a width in pixels."""
        if self.length(text, size) <= width:
            return text
        keep = len(text)
        while keep > 2 and self.length(f"{text[: keep // 2]}...{text[-keep // 2 :]}", size) > width:
            keep -= 1
        return f"{text[: keep // 2]}...{text[-keep // 2 :]}"

    def write(self, place: tuple[float, float], text: str, color: str, size: int, anchor: str = "la") -> None:
        """anchor: as Pillow's, of the whole text; its first letter l or r."""
        x, y = place
        x -= self.length(text, size) if anchor[0] == "r" else 0
        for run, font in self._runs(text, size):
            self.draw.text((x, y), run, color, font, anchor="l" + anchor[1])
            x += font.getlength(run)

    def _runs(self, text, size):
        """Parts of the text, each with a font that shows it."""
        runs = [text] if self.latin or not self.path else re.findall("[ -~]+|[^ -~]+", text)
        return [(run, self._font(size, self.path if self.latin or not run.isascii() else None)) for run in runs]

    def _font(self, size, path):
        if (size, path) not in self.fonts:
            self.fonts[size, path] = ImageFont.truetype(path, size) if path else ImageFont.load_default(size)
        return self.fonts[size, path]


def draw_card(sheet, draw, pen, picture, photo, place):
    x, y = place
    (row,), one = picture.rows, next(iter(picture.reading.characters), None)
    unsure = one is not None and one.unsure
    edge = REFUSED if one is None else UNSURE if unsure else LINE
    draw.rounded_rectangle((x, y, x + CARD[0], y + CARD[1]), 8, PAPER, edge, 2 if edge != LINE else 1)
    pen.write((x + 12, y + 8), pen.fit(shown(picture.file), 12, CARD[0] - 24), FAINT, 12)
    if one is None:
        for i, line in enumerate(wrapped(shown(row.note), pen, 15, CARD[0] - 24)[:6]):
            pen.write((x + 12, y + 40 + 22 * i), line, REFUSED, 15)
        return
    if photo:
        sheet.paste(photo, (x + 12 + (136 - photo.width) // 2, y + 34 + (136 - photo.height) // 2))
    name = row.best[0][0]
    right = x + 164
    label = pen.label(name)
    size = 52 if pen.length(label, 52) <= 66 else 20
    pen.write((right, y + 60), pen.fit(label, size, 70), UNSURE if unsure else TEXT, size, "lm")
    if pen.path and value(name) is not None:
        number = value(name)
        pen.write((right, y + 104), f"{number:,}" if number < 10**6 else str(number), FAINT, 14)
    sheet.paste(Image.fromarray(one.glyph), (x + CARD[0] - 78, y + 34))
    draw.rectangle((x + CARD[0] - 79, y + 33, x + CARD[0] - 14, y + 98), outline=LINE)
    if unsure:
        pen.write((x + CARD[0] - 14, y + 103), "unsure", UNSURE, 13, "ra")
    draw_bars(draw, pen, row.best, (right, y + 126), 142, UNSURE if unsure else BAR)


def draw_bars(draw, pen, best, place, width, color):
    """A bar for each of the best: name, bar, percent."""
    x, y = place
    for i, (name, confidence) in enumerate(best):
        middle = y + 18 * i + 8
        pen.write((x, middle), pen.fit(pen.label(name), 13, 26 if pen.path else 44), TEXT, 13, "lm")
        left, right = x + (30 if pen.path else 48), x + width - 48
        draw.rectangle((left, middle - 4, right, middle + 4), REST)
        if confidence > 0.005:
            draw.rectangle((left, middle - 4, left + round((right - left) * confidence), middle + 4), color)
        pen.write((x + width, middle), f"{confidence:.1%}", FAINT, 12, "rm")


CELL = 150, 152  # pixels; one character of a strip
PHOTO = THUMBNAIL  # the picture of a strip


def strip_height(characters, photo, width):
    down = -(-min(characters, MOST_CHARACTERS) // cells_across(width))
    return 76 + max(photo.height if photo else 0, down * CELL[1] - 12)


def cells_across(width):
    return max((width - 2 * GAP - PHOTO[0] - 30) // CELL[0], 1)


def draw_strip(sheet, draw, pen, picture, photo, place, width):
    x, y = place
    rows = picture.rows
    photo, factor = photo
    height = strip_height(len(rows), photo, width)
    draw.rounded_rectangle((x, y, width - GAP, y + height), 8, PAPER, LINE)
    pen.write((x + 12, y + 8), pen.fit(shown(picture.file), 12, width - 4 * GAP), FAINT, 12)
    notes = [row.note.removeprefix("unsure").removeprefix("; ") for row in rows]  # the first of a line has one
    said = "    ".join(note.removeprefix("number ").removeprefix("amount ") for note in notes if note)
    if pen.path:
        starts = [i for i, note in enumerate(notes) if note or i == 0] + [len(rows)]
        lines = ["".join(pen.label(row.best[0][0]) for row in rows[a:b]) for a, b in zip(starts, starts[1:])]
        said = "    ".join(
            f"{line} {note.removeprefix('number ').removeprefix('amount ')}"
            for line, note in zip(lines, filter(None, notes))
        )
    pen.write((x + 12, y + 28), pen.fit(said, 24, width - 4 * GAP), TEXT, 24)
    if photo:
        sheet.paste(photo, (x + 12, y + 66))
        for row in rows:
            left, top, w, h = (side * factor for side in row.box)
            box = (x + 12 + left - 2, y + 66 + top - 2, x + 12 + left + w + 2, y + 66 + top + h + 2)
            draw.rectangle(box, outline=UNSURE if row.note.startswith("unsure") else BAR, width=2)
    start = x + PHOTO[0] + 30
    across = cells_across(width)
    for i, (row, one) in enumerate(zip(rows[:MOST_CHARACTERS], picture.reading.characters)):
        left, top = start + i % across * CELL[0], y + 66 + i // across * CELL[1]
        color = UNSURE if one.unsure else TEXT
        sheet.paste(Image.fromarray(one.glyph), (left, top))
        draw.rectangle((left - 1, top - 1, left + 64, top + 64), outline=LINE)
        label = pen.label(row.best[0][0])
        size = 42 if pen.length(label, 42) <= 60 else 16
        pen.write((left + 74, top + 32), pen.fit(label, size, 66), color, size, "lm")
        draw_bars(draw, pen, row.best, (left, top + 72), 136, UNSURE if color == UNSURE else BAR)
    if len(rows) > MOST_CHARACTERS:
        more = f"and {len(rows) - MOST_CHARACTERS} more characters"
        pen.write((width - GAP - 12, y + 10), more, FAINT, 12, "ra")


def fitted(reading, size):
    """A picture's thumbnail in a size: (PIL image or None, its pixels to one of the picture's)."""
    if reading.thumbnail is None:
        return None, 0
    image = Image.fromarray(reading.thumbnail)
    factor = min(size[0] / image.width, size[1] / image.height)
    shape = max(1, round(image.width * factor)), max(1, round(image.height * factor))
    # small bitmaps keep their pixels
    image = image.resize(shape, Image.Resampling.NEAREST if factor > 2 else Image.Resampling.LANCZOS)
    return image, image.width / reading.size[0]


def wrapped(text, pen, size, width):
    """Lines of a text, broken at spaces."""
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}".strip()
        if pen.length(longer, size) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines
