"""Where raw handwriting comes from: a folder of class folders, or Chinese MNIST; a folder or a zip of either.

`open_source` gives a Folder or a Zip, `sort_into_classes` the names of its pictures by class. A name is a
path in the source, with / between its parts.
"""

import csv
import io
import itertools
import os
import re
import stat
import zipfile
from contextlib import suppress
from functools import cached_property

from shuzi.core import numerals
from shuzi.core.files import Problem, natural, shown

PICTURE_ENDINGS = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".pgm", ".pbm"}
HIDDEN = {"thumbs.db", "desktop.ini", "__macosx"}  # and whatever begins with a dot
WRITER = re.compile(r"writer-[^\W_]+")  # in a file's name: who wrote it
MNIST_NAME = re.compile(r"input_(\d{1,9})_(\d{1,9})_(\d{1,9})\.\w+")  # suite (a writer), sample, code
MNIST_TABLE = "chinese_mnist.csv"
MAX_ENTRY = 64_000_000  # bytes; a zip entry is unpacked in memory


class Folder:
    """Files in a folder."""

    def __init__(self, root):
        self.root = root

    def names(self, refuse):
        """Yields all files, those in folders below and behind links too. A folder is read once, so loops end.

        refuse: called with the name and the reason of what can't be read.
        """
        seen = set()
        folders = [""]
        while folders:
            folder = folders.pop()
            below = []
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
                    name = f"{folder}/{entry.name}" if folder else entry.name
                    if is_hidden(entry.name):
                        continue
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

    def class_folders(self):
        with os.scandir(self.root) as entries:
            return sorted(entry.name for entry in entries if not is_hidden(entry.name) and entry.is_dir())

    def state(self, name):
        """Size in bytes, and a text that changes when the file does."""
        now = os.stat(f"{self.root}/{name}")
        return now.st_size, f"{now.st_size} {now.st_mtime_ns}"

    def open(self, name):
        return open(f"{self.root}/{name}", "rb", 1 << 16)  # most pictures at once


class Zip:
    """Files in a zip, read from it without unpacking it."""

    def __init__(self, root):
        self.root = root

    def __getstate__(self):
        return {"root": self.root}  # to a worker, which opens the zip for itself

    @cached_property
    def zip(self):
        try:
            return zipfile.ZipFile(self.root)
        except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
            raise Problem(f"{shown(self.root)} is a damaged zip ({error}); download it again") from None

    def names(self, refuse):
        seen = set()
        for entry in self.zip.infolist():
            name = entry.filename
            parts = name.split("/")
            if entry.is_dir() or any(is_hidden(part) for part in parts if part not in ("", ".", "..")):
                continue
            if "" in parts or "." in parts or ".." in parts or "\\" in name or re.match("[A-Za-z]:", name):
                refuse(name, "its path leads out of the zip")
            elif name in seen:
                refuse(name, "in the zip more than once; the last one counts")
            elif stat.S_ISLNK(entry.external_attr >> 16):
                refuse(name, "a link")
            elif entry.flag_bits & 1:
                refuse(name, "encrypted")
            elif entry.file_size > MAX_ENTRY:
                refuse(name, f"too large unpacked: {entry.file_size:,} bytes, at most {MAX_ENTRY:,}")
            else:
                seen.add(name)
                yield name

    def class_folders(self):
        return []

    def state(self, name):
        entry = self.zip.getinfo(name)
        return entry.file_size, f"{entry.file_size} {entry.CRC}"

    def open(self, name):
        try:
            with self.zip.open(name) as entry:
                return io.BytesIO(entry.read(MAX_ENTRY))
        except Exception as error:  # zipfile and its decompressors raise nearly any type on damaged entries
            raise OSError(None, f"damaged in the zip, {type(error).__name__}: {error}") from error


def is_hidden(name):
    return name.startswith(".") or name.lower() in HIDDEN


def open_source(path):
    if not os.path.exists(path):
        raise Problem(f"no such folder: {shown(path)}; give one of class folders, or a Chinese MNIST zip")
    if os.path.isdir(path):
        return Folder(path)
    if zipfile.is_zipfile(path):
        return Zip(path)
    raise Problem(f"{shown(path)} is neither a folder nor a whole zip; give one of class folders")


def sort_into_classes(source, refuse):
    """-> {class: [names of its pictures]}, in the order of classes and the natural order of names."""
    names = list(source.names(refuse))
    in_numeral_folder = set(numerals.ALL_CLASSES).intersection
    tables = [name for name in names if name.rpartition("/")[2].lower() == MNIST_TABLE]
    mnist = [name for name in names if MNIST_NAME.fullmatch(name.rpartition("/")[2])]
    if mnist and not any(in_numeral_folder(map(numerals.class_name, name.split("/")[:-1])) for name in mnist):
        classes = chinese_mnist(names, read_table(source, min(tables, key=len)) if tables else {}, refuse)
    else:
        classes = class_folders(source, names, refuse)
    return {cls: sorted(classes[cls], key=natural) for cls in sorted(classes, key=numerals.class_order)}


def class_folders(source, names, refuse):
    classes = {}
    if isinstance(source, Zip):  # often all class folders are in one folder
        top = {name.partition("/")[0] for name in names}
        wrapped = len(top) == 1 and all(name.count("/") > 1 for name in names)
        depth = 1 if wrapped and numerals.class_name(*top) not in numerals.ALL_CLASSES else 0
    else:
        depth = 0
    of_folder = {folder: usable_class(folder, refuse) for folder in source.class_folders()}
    loose = []
    for name in names:
        parts = name.split("/", depth + 1)
        if len(parts) < depth + 2:
            if os.path.splitext(name)[1].lower() in PICTURE_ENDINGS:  # a README beside the folders is fine
                loose.append(name)
            continue
        folder = parts[depth]
        if folder not in of_folder:
            of_folder[folder] = usable_class(folder, refuse)
        if of_folder[folder] is not None:
            classes.setdefault(of_folder[folder], []).append(name)
    if loose and not of_folder:
        raise Problem(
            f"{shown(source.root)} holds pictures, not class folders; "
            "put those of each class into a folder of its own (1, 2, ...) and give the folder around these"
        )
    for name in loose:
        refuse(name, "not in a class folder")
    for folder, cls in of_folder.items():
        if cls is not None and cls not in classes:
            refuse(folder, "a class folder without pictures")
            classes[cls] = []
    return classes


def usable_class(folder, refuse):
    """The class that a folder's name means, or None where its name can't be one."""
    cls = numerals.class_name(folder)
    try:
        if len(cls.encode()) <= 200:  # with a number and .png it must still be a file name
            return cls
        refuse(folder, "its name is too long for a class; rename it")
    except UnicodeEncodeError:
        refuse(folder, "its name is not valid Unicode; rename it")
    return None


def read_table(source, name):
    """chinese_mnist.csv -> {(suite, sample, code): class}"""
    table = {}
    try:
        with source.open(name) as file:
            rows = csv.DictReader(io.TextIOWrapper(file, "utf-8-sig", errors="replace", newline=""))
            for row in itertools.islice(rows, 1_000_000):  # the published one has 15,000
                with suppress(TypeError, ValueError):  # a row that is cut off names no picture
                    key = int(row["suite_id"]), int(row["sample_id"]), int(row["code"])
                    table[key] = str(int(row["value"]))
    except (KeyError, csv.Error, OSError) as error:
        raise Problem(
            f"{shown(name)} can't be read ({error}); it needs the columns suite_id, sample_id, code, value. "
            "Without the file, classes are taken from the pictures' names"
        ) from None
    return table


def chinese_mnist(names, table, refuse):
    """Classes from the table, or from the code in the name, which counts the characters from 1."""
    classes = {}
    folders = {name.rpartition("/")[0] for name in names if MNIST_NAME.fullmatch(name.rpartition("/")[2])}
    for name in names:
        folder, _, file = name.rpartition("/")
        match = MNIST_NAME.fullmatch(file)
        if match:
            key = tuple(map(int, match.groups()))
            if key in table:
                classes.setdefault(numerals.class_name(table[key]), []).append(name)
            elif 1 <= key[2] <= len(numerals.ALL_CLASSES):
                classes.setdefault(numerals.ALL_CLASSES[key[2] - 1], []).append(name)
            else:
                refuse(name, f"code {key[2]} stands for no character; 1 to {len(numerals.ALL_CLASSES)} do")
        elif file.startswith("chinese_mnist."):
            continue  # the table, and the same pictures in another format
        elif folder in folders or os.path.splitext(file)[1].lower() in PICTURE_ENDINGS:
            refuse(name, "not named input_<suite>_<sample>_<code>")
    return classes


def writer_of(name):
    file = name.rpartition("/")[2]
    if match := WRITER.search(file):
        return match.group()
    if match := MNIST_NAME.fullmatch(file):
        return match.group(1)
    return ""
