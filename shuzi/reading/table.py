"""What was read, as a table on a terminal and as a CSV."""

import csv
import os
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from shuzi.core.files import replacing
from shuzi.core.numerals import character, value
from shuzi.core.text import shown, to_cell
from shuzi.reading.characters import Reading, note_of

COLUMNS = ["file", "prediction", "character", "confidence", "second", "second_confidence", "note", "box"]


class Row(NamedTuple):
    """A character that was read, or a picture that was refused, as tables show it."""

    best: list[tuple[str, float]]  # (class, probability), best first; [] where the picture was refused
    note: str  # "unsure", what a line says, why a picture was refused
    box: tuple[int, int, int, int] | None


def rows_of(reading: Reading) -> list[Row]:
    """A row for each character, in reading order, with what a line says at its first; one if it was refused."""
    if not reading.lines:
        return [Row([], reading.reason, None)]
    rows = []
    for line in reading.lines:
        for i, one in enumerate(line):
            notes = ["unsure"] if one.unsure else []
            notes += [note_of(line)] if i == 0 and len(line) > 1 else []
            rows.append(Row(one.best, "; ".join(notes), one.box))
    return rows


class Table:
    """Prints readings as they come, in aligned columns: a Chinese character is two wide on a terminal."""

    def __init__(self, paths: list[str], classes: list[str]):
        names = max(_width(shown(character(name))) for name in classes)
        values = max(len(str(value(name) or "")) for name in classes)
        self.widths = [
            min(max(_width(shown(path)) for path in paths), 60),
            max(names, len("character")),
            max(values, len("value")),
            len("confidence"),
            max(names + 6, len("second")),
        ]
        self._print("file", "character", "value", "confidence", "second", "note")

    def add(self, path: str, reading: Reading) -> None:
        for row in rows_of(reading):
            cells = ["", "", "", ""]
            if row.best:
                (name, confidence), *others = row.best
                number = value(name)
                cells = [character(name), "" if number is None else str(number), f"{confidence:.1%}"]
                cells.append(f"{character(others[0][0])} {others[0][1]:.1%}" if others else "")
            self._print(path, *cells, row.note)

    def _print(self, *cells):
        file, name, number, confidence, second, note = map(shown, cells)
        file, name, second = (_filled(text, self.widths[i]) for i, text in ((0, file), (1, name), (4, second)))
        number, confidence = number.rjust(self.widths[2]), confidence.rjust(self.widths[3])
        print(f"{file}  {name}  {number}  {confidence}  {second}  {note}".rstrip())


def _width(text):
    """Columns that a text takes on a terminal."""
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    return len(text) + wide - sum(unicodedata.combining(c) > 0 for c in text)


def _filled(text, width):
    return text + " " * (width - _width(text))


@contextmanager
def csv_file(path: str | os.PathLike) -> Iterator[Callable[[str, Reading], None]]:
    """Gives a function that adds (path, Reading) to a CSV, which is at `path` once all is done."""
    with replacing(path) as part, open(part, "w", newline="", encoding="utf-8-sig") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)

        def add(picture, reading):
            for row in rows_of(reading):
                cells = [picture, "", "", "", "", "", row.note, ",".join(map(str, row.box)) if row.box else ""]
                if row.best:
                    name, confidence = row.best[0]
                    cells[1:4] = name, character(name), f"{confidence:.4f}"
                if len(row.best) > 1:
                    cells[4:6] = row.best[1][0], f"{row.best[1][1]:.4f}"
                writer.writerow([to_cell(cell) for cell in cells])

        yield add
