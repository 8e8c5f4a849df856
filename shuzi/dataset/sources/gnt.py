"""CASIA's HWDB: .gnt files, of one writer each, with thousands of characters.

A record is the size of the record (uint32), a character in GBK (2 bytes), width and height (uint16) and the
grey pixels, 255 for paper, all little endian
(https://nlpr.ia.ac.cn/databases/handwriting/Offline_database.html).
"""

import os
import re
import struct
import unicodedata
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np

from shuzi.core import numerals
from shuzi.dataset.sources import Picture

HEAD = struct.Struct("<I2sHH")
MAX_SIDE = 4000  # pixels; larger ones are of a damaged file
PARTS = {"train": r"tra?i?n", "test": r"te?st"}


class Gnt:
    """Records of a .gnt file, by (where it begins, its number)."""

    def __init__(self, path: str, key: str):
        self.path = path
        self.key = key

    def state(self, place: tuple[int, int]) -> tuple[int, str]:
        return 5000, f"{self.key} {place[1]}"  # about what one takes

    def open(self, place: tuple[int, int]) -> np.ndarray:
        with open(self.path, "rb") as file:
            file.seek(place[0])
            _, _, width, height = HEAD.unpack(file.read(HEAD.size))
            return np.frombuffer(file.read(width * height), np.uint8).reshape(height, width)


def records(file: BinaryIO) -> Iterator[tuple[int, bytes, bytes]]:
    """Yields (where it begins, tag, the whole record) of each record. Raises ValueError where the file is damaged."""
    start = 0
    while head := file.read(HEAD.size):
        if len(head) < HEAD.size:
            raise ValueError(f"cut off at byte {start:,}")
        size, tag, width, height = HEAD.unpack(head)
        if size != HEAD.size + width * height or not 0 < width <= MAX_SIDE or not 0 < height <= MAX_SIDE:
            raise ValueError(f"damaged at byte {start:,}")
        pixels = file.read(width * height)
        if len(pixels) < width * height:
            raise ValueError(f"cut off at byte {start:,}")
        yield start, tag, head + pixels
        start += size


def class_of(tag: bytes) -> str | None:
    """The class of a character in GBK, or None for what is none: Arabic digits are no Chinese numerals."""
    try:
        text = tag.rstrip(b"\0").decode("gb18030")
    except UnicodeDecodeError:
        return None
    plain = unicodedata.normalize("NFKC", text)
    if len(text) != 1 or not text.isprintable() or (plain.isascii() and plain.isdigit()):
        return None
    return numerals.class_name(text)


def look(look, number: int, name: str, depth: int) -> None:
    """Lists the wanted characters of a file: those of --classes, else the numerals and the bank capitals."""
    from shuzi.dataset.sources.archives import scratch
    from shuzi.dataset.sources.folder import Folder

    container = look.source.containers[number]
    shown_name = look.prefixes[number] + name
    wanted = look.options.classes
    here = len(look.source.containers)
    spooled = None if isinstance(container, Folder) else os.path.join(scratch().name, f"{here}.gnt")
    file_number = re.search(r"\d+", name.rpartition("/")[2])
    writer = file_number.group() if file_number else name.rpartition("/")[2].rpartition(".")[0]
    split = split_of((*look.parts(number, name.rpartition("/")[0]), name.rpartition("/")[2]))
    try:
        state = container.state(name)[1]
        with container.stream(name) as file, open(spooled or os.devnull, "wb") as copy:
            for row, (start, tag, record) in enumerate(records(file), 1):
                cls = class_of(tag)
                if cls is None or not (cls in wanted if wanted else numerals.value(cls) is not None):
                    look.other_characters[tag] += 1
                    continue
                place = copy.tell() if spooled else start
                if spooled:
                    copy.write(record)
                look.labelled.append((cls, Picture(f"{shown_name}#{row}", here, (place, row), 1, writer, split)))
    except (ValueError, OSError) as error:
        look.refuse(shown_name, f"{error}; what comes before is read")
    look.place(Gnt(spooled or container.local(name), state))
    look.found["HWDB files"] += 1


def split_of(parts: tuple[str, ...]) -> str:
    """train or test, where one of these names says so: HWDB1.1trn_gnt, Gnt1.1TestPart1."""
    text = "/".join(parts).lower()
    found = [part for part, pattern in PARTS.items() if re.search(rf"(?<![a-z]){pattern}", text)]
    return found[0] if len(found) == 1 else ""
