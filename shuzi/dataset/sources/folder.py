"""A folder of class folders: the usual source, and all that it takes to read one."""

import os
import re
import stat
import unicodedata
from collections.abc import Callable, Iterator
from typing import BinaryIO

from shuzi.core import numerals
from shuzi.core.files import is_litter

PICTURE_ENDINGS = {
    ".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".pgm", ".pbm",
    ".heic", ".heif", ".avif", ".jp2", ".pdf",
}  # fmt: skip
# who wrote it, in a file's name; a number behind an id of letters is the picture's: writer-anna-maria-3.png
WRITER = re.compile(r"(?<![^\W_])writer[-_]([^\W_]+(?:-[^\W\d_]+)*)", re.IGNORECASE)


def writer_of(file: str) -> str:
    """The writer that a file's name tells: `Writer_Li` and `writer-li` are one, writer-li. "" where it tells none."""
    match = WRITER.search(unicodedata.normalize("NFC", file))
    return f"writer-{match.group(1).lower()}" if match else ""


class Folder:
    """Files in a folder. A name is a path below it, with / between its parts."""

    def __init__(self, root: str):
        self.root = root
        self.empty: list[str] = []  # folders without anything in them, once `names` is through

    def names(self, refuse: Callable) -> Iterator[str]:
        """Yields all files, those in folders below and behind links too. A folder is read once, so loops end.

        refuse: called with the name and the reason of what can't be read. Raises OSError.
        """
        seen = set()
        folders = [""]
        while folders:
            folder = folders.pop()
            below, is_empty = [], True
            try:
                here = os.stat(f"{self.root}/{folder}")
                entries = os.scandir(f"{self.root}/{folder}")
            except OSError as error:
                if not folder:
                    raise
                refuse(folder, f"can't be opened: {error.strerror}")
                continue
            if (here.st_dev, here.st_ino) in seen:
                refuse(folder, "a link to a folder that is read already")
                continue
            seen.add((here.st_dev, here.st_ino))
            with entries:
                for entry in entries:
                    if is_litter(entry.name):
                        continue
                    is_empty = False
                    name = f"{folder}/{entry.name}" if folder else entry.name
                    if entry.is_file(follow_symlinks=False):
                        yield name
                        continue
                    try:
                        mode = entry.stat().st_mode
                    except OSError as error:
                        refuse(name, f"can't be opened: {error.strerror}")
                        continue
                    if stat.S_ISDIR(mode):
                        below.append(name)
                    elif stat.S_ISREG(mode):
                        yield name
                    else:
                        refuse(name, "not a file")  # opening a pipe would wait for ever
            folders += sorted(below, reverse=True)
            if is_empty and folder:
                self.empty.append(folder)

    def state(self, name: str) -> tuple[int, str]:
        """Size in bytes, and a text that changes when the file does. Raises OSError."""
        now = os.stat(f"{self.root}/{name}")
        return now.st_size, f"{now.st_size} {now.st_mtime_ns}"

    def open(self, name: str) -> BinaryIO:
        return open(f"{self.root}/{name}", "rb", 1 << 16)  # most pictures at once

    stream = open

    def local(self, name: str) -> str:
        """The path of a file that must be read from any place in it, such as an archive."""
        return f"{self.root}/{name}"


def class_folders(folders: list[tuple[str, ...]]) -> dict[tuple[str, ...], str] | None:
    """The class of each folder, or None where that takes more than a look at its name.

    folders: paths of those that hold files, as tuples of their parts; () is the source itself. Plain are class
    folders right in the source, named as numerals.
    """
    inside = [parts for parts in folders if parts]
    if not inside or not all(len(parts) == 1 and numerals.is_numeral(parts[0]) for parts in inside):
        return None
    return {parts: numerals.class_name(parts[0]) for parts in inside}
