"""Sets that keep their pictures as arrays: MNIST's IDX files, NumPy's .npz, and CSV with a column for each pixel.

IDX: two zero bytes, the type (8 for uint8), the number of sides, each side as a big-endian uint32, then the
numbers (http://yann.lecun.com/exdb/mnist).
"""

import gzip
import io
import math
import os
import re
import struct
import warnings
import zipfile
from collections.abc import Iterator

import numpy as np

from shuzi.core import numerals
from shuzi.core.command import Problem
from shuzi.core.text import shown
from shuzi.dataset.sources import Picture
from shuzi.dataset.sources.archives import DAMAGED, ArchiveError, scratch, spool

MAX_SIDE = 4096  # pixels
TRAIN = {"train", "training", "val", "valid", "validation"}
TEST = {"test", "testing", "t10k"}
PICTURES = {"x", "images", "image", "imgs", "img", "data", "pictures", "features", "arr_0"}
LABEL_HEADINGS = {"label", "labels", "class", "character", "value", "标签", "类别", "字符", "字"}
MAX_LINE = 1_000_000  # characters
LABELS = {"y", "labels", "label", "targets", "target", "classes", "class"}


class Arrays:
    """Pictures in a file of numbers, by their row; it is read where they are, not as a whole."""

    def __init__(self, path: str, start: int, shape: tuple[int, ...], dtype: str, key: str):
        self.path, self.start, self.shape, self.dtype, self.key = path, start, shape, dtype, key

    def __getstate__(self):
        return {name: value for name, value in self.__dict__.items() if name != "rows"}

    def state(self, row: int) -> tuple[int, str]:
        return math.prod(self.shape[1:]), f"{self.key} {row}"

    def open(self, row: int) -> np.ndarray:
        if not hasattr(self, "rows"):
            self.rows = np.memmap(self.path, self.dtype, "r", self.start, self.shape)
        return as_picture(np.array(self.rows[row]))


def as_picture(numbers: np.ndarray) -> np.ndarray:
    """A row of numbers -> (h, w) or (h, w, 3). Raises ValueError."""
    if numbers.ndim == 1:
        side = math.isqrt(numbers.size)
        numbers = numbers.reshape(side, side)
    if numbers.ndim == 3 and numbers.shape[0] in (1, 3) and numbers.shape[2] not in (1, 3):
        numbers = np.moveaxis(numbers, 0, 2)  # channels first
    return numbers


def look(look, number: int, name: str, depth: int) -> None:
    """Lists the pictures of an IDX pair or a .npz; they bring their labels."""
    shown_name = look.prefixes[number] + name
    try:
        if name.lower().endswith(".npz"):
            _look_npz(look, number, name)
        elif name.lower().endswith(".npy"):
            raise ArchiveError("pictures without labels; put both into one .npz, as x_train, y_train, x_test, y_test")
        else:
            _look_idx(look, number, name)
    except ArchiveError as error:
        look.refuse(shown_name, str(error))
    except (OSError, struct.error, *DAMAGED) as error:
        look.refuse(shown_name, f"damaged, or not what it says ({' '.join(str(error).split())[:100]})")


def add(look, name: str, arrays: Arrays, labels: np.ndarray, split: str, kind: str) -> None:
    """Lists the pictures of `arrays`, each with its label, as name#row."""
    labels = labels_of(labels)
    if len(labels) != arrays.shape[0]:
        raise ArchiveError(f"has {arrays.shape[0]:,} pictures and {len(labels):,} labels")
    here = len(look.source.containers)
    look.place(arrays)
    classes = look.classes_of_numbers(labels, name)
    for row, label in enumerate(labels):
        look.labelled.append((classes[label], Picture(f"{name}#{row + 1}", here, row, 1, "", split)))
    look.found[kind] += 1


def labels_of(labels: np.ndarray) -> list[str]:
    """Numbers, names, or one column for each class -> text. Raises ArchiveError."""
    if labels.ndim == 2 and labels.shape[1] > 1:
        labels = labels.argmax(axis=1)
    labels = labels.ravel()
    if labels.dtype.kind == "S":
        labels = np.char.decode(labels, "utf-8", "replace")
    if labels.dtype.kind == "f" and (labels == labels.round()).all():
        labels = labels.astype(np.int64)
    if labels.dtype.kind not in "iuU":
        raise ArchiveError(f"its labels are {labels.dtype}, neither whole numbers nor names")
    return [str(label) for label in labels.tolist()]


def part_of(name: str) -> str:
    words = set(re.split(r"[^a-z0-9]+", name.lower()))
    return "train" if words & TRAIN else "test" if words & TEST else ""


# ---- IDX -----------------------------------------------------------------------------------------


def _look_idx(look, number, name):
    folder, slash, file = name.rpartition("/")
    if re.search("label", file, re.IGNORECASE):
        return  # read with its pictures
    container = look.source.containers[number]
    path, key = _unpacked(container, name)
    start, shape = idx_head(path)
    if len(shape) not in (3, 4):
        raise ArchiveError(f"an IDX file of {len(shape)} sides holds no pictures")
    for labels_file in _labels_files(file):
        try:
            labels_path, labels_key = _unpacked(container, folder + slash + labels_file)
        except (OSError, KeyError):
            continue
        labels_start, labels_shape = idx_head(labels_path)
        if len(labels_shape) != 1:
            raise ArchiveError(f"{labels_file} holds no labels")
        labels = np.fromfile(labels_path, np.uint8, offset=labels_start)
        arrays = Arrays(path, start, shape, "uint8", f"{key} {labels_key}")
        add(look, look.prefixes[number] + name, arrays, labels, part_of(file), "IDX files")
        return
    raise ArchiveError(f"its labels are missing; put {_labels_files(file)[0]} beside it")


def _labels_files(file):
    labels = re.sub("images|imgs", "labels", re.sub("idx[34]", "idx1", file, flags=re.IGNORECASE), flags=re.IGNORECASE)
    return [labels, labels.removesuffix(".gz"), labels + ".gz"]


def _unpacked(container, name):
    """The path of a file that is not packed, and what changes when it does."""
    key = container.state(name)[1]
    path = container.local(name)
    if name.lower().endswith(".gz"):
        with gzip.open(path) as file:
            path = spool(file, name)
    return path, key


def idx_head(path: str) -> tuple[int, tuple[int, ...]]:
    """Where the numbers begin, and their shape. Raises ArchiveError, OSError, struct.error."""
    with open(path, "rb") as file:
        zero, kind, sides = struct.unpack(">HBB", file.read(4))
        if zero or kind != 8 or not 1 <= sides <= 4:
            raise ArchiveError("not an IDX file of uint8")
        shape = struct.unpack(f">{sides}I", file.read(4 * sides))
    start = 4 + 4 * sides
    if any(side > MAX_SIDE for side in shape[1:]) or math.prod(shape) != os.path.getsize(path) - start:
        raise ArchiveError(f"is not as long as its head says ({' x '.join(map(str, shape))}); get it again")
    return start, shape


# ---- npz -----------------------------------------------------------------------------------------


def _look_npz(look, number, name):
    container = look.source.containers[number]
    path, key = container.local(name), container.state(name)[1]
    with zipfile.ZipFile(path) as archive:
        members = [member for member in archive.namelist() if member.endswith(".npy")]
        pairs = list(npz_pairs([member.removesuffix(".npy") for member in members]))
        if not pairs:
            raise ArchiveError(
                f"holds {', '.join(map(shown, members[:5])) or 'nothing'}, not x_train and y_train or images and labels"
            )
        for pictures, labels in pairs:
            with archive.open(labels + ".npy") as file:
                label_array = np.load(spool(file, labels + ".npy"), mmap_mode="r", allow_pickle=False)
            with archive.open(pictures + ".npy") as file:
                array = np.load(spool(file, pictures + ".npy"), mmap_mode="r", allow_pickle=False)
            if array.ndim not in (2, 3, 4) or array.dtype.kind not in "buif" or not array.flags.c_contiguous:
                raise ArchiveError(f"{shown(pictures)} of {array.dtype} {array.shape} are no pictures (n, h, w)")
            if array.ndim == 2 and math.isqrt(array.shape[1]) ** 2 != array.shape[1]:
                raise ArchiveError(
                    f"{shown(pictures)} of {array.shape}: rows of {array.shape[1]} are no square pictures"
                )
            arrays = Arrays(array.filename, array.offset, array.shape, array.dtype.str, f"{key} {pictures}")
            shown_name = f"{look.prefixes[number]}{name}"
            split = part_of(pictures)
            add(
                look,
                f"{shown_name}/{pictures}" if len(pairs) > 1 else shown_name,
                arrays,
                np.array(label_array),
                split,
                "npz files",
            )


def npz_pairs(names: list[str]) -> Iterator[tuple[str, str]]:
    """(name of pictures, name of their labels): x_train and y_train, images and labels, test_images and test_labels."""
    roles = {}
    for name in names:
        words = [name.lower()] if name.lower() in PICTURES else re.split(r"[^a-z0-9]+", name.lower())
        rest = tuple(word for word in words if word not in PICTURES and word not in LABELS)
        kind = "pictures" if set(words) & PICTURES else "labels" if set(words) & LABELS else None
        if kind:
            roles.setdefault(rest, {}).setdefault(kind, name)
    for found in roles.values():
        if len(found) == 2:
            yield found["pictures"], found["labels"]


# ---- pixels in CSV -------------------------------------------------------------------------------


def look_pixels(look, number: int, name: str, first_row: list[str]) -> None:
    """Lists the pictures of a CSV with a column for each pixel, and a label or a character: chineseMNIST.csv.

    Raises ArchiveError, Problem, OSError.
    """
    container = look.source.containers[number]
    is_pixel = [re.fullmatch(r"\D{0,10}\d+([x_.]\d+)?", cell.strip()) is not None for cell in first_row]
    lead, trail = (next((i for i, is_one in enumerate(order) if is_one), 0) for order in (is_pixel, is_pixel[::-1]))
    labelled = first_row[:lead] + first_row[len(first_row) - trail :]
    pixels = len(first_row) - len(labelled)
    side = math.isqrt(pixels)
    if not 1 <= len(labelled) <= 3 or not any(cell.strip().lower() in LABEL_HEADINGS for cell in labelled):
        raise ArchiveError(f"{len(first_row)} columns, and no heading that says which is the label; add one: label")
    if side * side != pixels or not all(is_pixel[lead : lead + pixels]):
        raise ArchiveError(f"{pixels} columns of pixels are no square picture")
    path = os.path.join(scratch().name, f"{len(look.source.containers)}.pixels")
    labels, bad = [], 0
    with container.stream(name) as file, open(path, "wb") as copy:
        text = io.TextIOWrapper(file, "utf-8-sig", errors="replace", newline="")
        text.readline()
        for line in iter(lambda: text.readline(MAX_LINE), ""):
            row = pixel_row(line, lead, trail, pixels)
            if row:
                labels.append(row[0])
                copy.write(row[1])
            else:
                bad += bool(line.strip())
    shown_name = look.prefixes[number] + name
    if bad:
        look.refuse(shown_name, f"{bad:,} rows are not {pixels} numbers from 0 to 255 and a label")
    if not labels:
        raise ArchiveError("holds no row of pixels and a label")
    chosen = choose_labels([cell.strip() for cell in labelled], labels, shown_name)
    arrays = Arrays(path, 0, (len(labels), side, side), "uint8", container.state(name)[1])
    add(look, shown_name, arrays, np.array(chosen), part_of(name), "tables of pixels")


def pixel_row(line: str, lead: int, trail: int, pixels: int) -> tuple[list[str], bytes] | None:
    """A line with `lead` labels before the pixels and `trail` behind -> labels, and a byte a pixel; or None."""
    line = line.strip().replace('"', "")
    *before, line = line.split(",", lead)
    line, *behind = line.rsplit(",", trail)
    if len(before) != lead or len(behind) != trail:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what is no number: then there are too few
        try:
            numbers = np.fromstring(line, np.float32, sep=",")
        except ValueError:
            return None
    if len(numbers) != pixels or not (numbers.min() >= 0 and numbers.max() <= 255):
        return None
    if numbers.max() <= 1:
        numbers *= 255
    return [cell.strip() for cell in (*before, *behind)], numbers.astype(np.uint8).tobytes()


def choose_labels(names: list[str], rows: list[list[str]], where: str) -> list[str]:
    """Of several columns of labels the one of characters, which can mean one thing only. Raises Problem."""
    for i in range(len(names)):
        if len(names) == 1 or all(not row[i].isascii() and numerals.is_numeral(row[i]) for row in rows):
            return [row[i] for row in rows]
    raise Problem(
        f"{shown(where)} has the columns {shown(', '.join(names))}, any of which could be the label; "
        "leave one of them, and name it label"
    )
