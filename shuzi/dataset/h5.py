"""data.h5: its layout, and opening one that may come from anywhere.

X_train, X_test             (n, 64, 64, 3) uint8, 0 ink to 255 paper; shuffled; gzip, 64 pictures a chunk
y_train, y_test             (n, 1) int64, labels from 0
classes                     class names in label order, UTF-8
files_train, files_test     where in raw_data each picture was
writers_train, writers_test who wrote it; empty where unknown
attributes                  format, version (of the program), seed, split (how),
                            test (share asked for, or that of the writers named)
"""

import csv
import hashlib
import os
import re
import sys
import zlib
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from glob import escape
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np

from shuzi.core.command import Problem
from shuzi.core.files import replacing, run_lock
from shuzi.core.text import from_cell, shown
from shuzi.core.version import VERSION
from shuzi.dataset.png import SIDE, UnusableError, read_png

DATA_FORMAT = 1  # changes when an older program could not read the file rightly
CHUNK = 64  # pictures, 786 kB unpacked: fits HDF5's cache of 1 MB, and a batch takes about one chunk
MAX_RATIO = 1100  # gzip packs no tighter than 1032 to 1


class DataError(Problem):
    """A data.h5 that can't be used. The message is one line: why, and what to do."""


def open_data(path: str | os.PathLike) -> h5py.File:
    """Open data.h5 for reading, after checking that it is what training relies on.

    Returns an open h5py.File; it reads nothing but labels and names until it is sliced. Raises DataError.
    """
    if not os.path.exists(path):
        raise DataError(f"no {path}; make it: python datapro.py, then python test.py")
    try:
        data = h5py.File(path, "r")
    except OSError as error:
        raise DataError(f"{path} can't be opened ({error}); make it again: python test.py") from error
    try:
        fault = find_fault(data)
    except (OSError, RuntimeError, KeyError, TypeError, ValueError, AttributeError) as error:
        fault = f"can't be read: {error}"  # damaged inside: HDF5 raises these
    if fault:
        data.close()
        raise DataError(f"{path} {fault}; make it again: python test.py")
    return data


def find_fault(data: h5py.File) -> str | None:
    """What is wrong with an open data.h5, as the end of a sentence; None if nothing is."""
    if "format" not in data.attrs:
        return "is not of this program"
    if data.attrs["format"] != DATA_FORMAT:
        return f"is of format {data.attrs['format']}, this program reads format {DATA_FORMAT}"
    columns = ("X", "y", "files", "writers")
    names = ["classes"] + [f"{column}_{part}" for part in ("train", "test") for column in columns]
    for name in names:
        here = isinstance(data.get(name, getlink=True), h5py.HardLink)
        if not here or not isinstance(data[name], h5py.Dataset):
            return f"has no {name}"
        if data[name].is_virtual or data[name].external:
            return f"keeps {name} in another file"
    if any(h5py.check_string_dtype(data[name].dtype) is None for name in names if name[0] not in "Xy"):
        return "has names that are not text"
    classes = data["classes"].asstr()[:] if data["classes"].ndim == 1 else []
    if not len(classes) or len(set(classes)) < len(classes):
        return "has no class names, or one twice"
    for part in ("train", "test"):
        x, y = data[f"X_{part}"], data[f"y_{part}"]
        count = len(x) if x.ndim else 0
        if x.shape != (count, SIDE, SIDE, 3) or x.dtype != np.uint8 or not count:
            return f"has X_{part} of {x.dtype} {x.shape}, not uint8 (n, {SIDE}, {SIDE}, 3)"
        if x.size > MAX_RATIO * x.id.get_storage_size():
            return f"does not hold the {count:,} pictures that X_{part} is said to have"
        if y.shape != (count, 1) or y.dtype != np.int64:
            return f"has y_{part} of {y.dtype} {y.shape}, not int64 ({count}, 1)"
        if data[f"files_{part}"].shape != (count,) or data[f"writers_{part}"].shape != (count,):
            return f"has not one file and one writer for each of the {count:,} pictures of X_{part}"
        if y[:].min() < 0 or y[:].max() >= len(classes):
            return f"has labels in y_{part} that are not 0 to {len(classes) - 1}"
    return None


# ---- raw_data in ---------------------------------------------------------------------------------


class Picture(NamedTuple):
    """A picture of raw_data that can be packed."""

    file: str  # below raw_data
    cls: str
    writer: str  # "" where unknown
    split: str  # "train" or "test" where its set came split, else ""
    digest: bytes  # of its pixels


def read_raw_data(raw: str | os.PathLike) -> tuple[list[Picture], list[tuple[str, str]]]:
    """Checks all pictures of a raw_data folder. Returns those that can be packed, and (file, reason) of the others.

    Nothing there is taken on trust: the folder may have been changed, or come from elsewhere. Raises Problem.
    """
    from tqdm import tqdm

    pictures, refused = [], []
    rows = _lists(_read_manifest(raw), CHUNK)
    with tqdm(unit=" pictures", desc="checking", disable=None) as bar:
        for checked in _in_threads(lambda rows: [_check_row(raw, row) for row in rows], rows):
            for picture in checked:
                (pictures if isinstance(picture, Picture) else refused).append(picture)
            bar.update(len(checked))
    return pictures, refused


def _read_manifest(raw):
    """Yields (file, class, writer, split) of each row of manifest.csv."""
    path = os.path.join(raw, "manifest.csv")
    command = f"python datapro.py --out {shown(str(raw))}"
    if not os.path.isdir(raw):
        raise Problem(f"no such folder: {shown(str(raw))}; make it: {command}")
    if not os.path.exists(path):
        raise Problem(f"{shown(path)} is missing: a run did not finish; run it again: {command}")
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            if not {"file", "class", "writer"} <= set(rows.fieldnames or ()):
                raise Problem(f"{shown(path)} lacks the columns file, class, writer; make it again: {command}")
            for row in rows:
                yield tuple(from_cell(row.get(column) or "") for column in ("file", "class", "writer", "split"))
    except (csv.Error, UnicodeDecodeError) as error:
        raise Problem(f"{shown(path)} is damaged ({error}); make it again: {command}") from None


def sources_of(raw: str | os.PathLike, files: set[str]) -> dict[str, str]:
    """What some files of raw_data were made from, as manifest.csv says; "?" where it does not."""
    sources = dict.fromkeys(files, "?")
    if files:
        with open(os.path.join(raw, "manifest.csv"), encoding="utf-8-sig", newline="") as file:
            for row in csv.DictReader(file):
                if (name := from_cell(row["file"] or "")) in files:
                    sources[name] = from_cell(row.get("source") or "?")
    return sources


def _check_row(raw, row):
    """A row of the manifest -> Picture, or (file, reason)."""
    file, cls, writer, split = row
    if not cls or "\0" in file + cls + writer:
        return file, "its row in manifest.csv names no class"
    if Path(file).anchor or ".." in Path(file).parts:
        return file, "not in this folder"
    try:
        digest = hashlib.blake2b(read_png(os.path.join(raw, file)), digest_size=16).digest()
    except UnusableError as error:
        return file, str(error)
    return Picture(file, sys.intern(cls), sys.intern(writer), sys.intern(split), digest)


def _in_threads(work, lists):
    """Yields work(list) in order; only a few of them are in memory at once."""
    jobs = min(os.cpu_count() or 1, 8)
    with ThreadPoolExecutor(jobs) as executor:
        waiting = deque()
        for items in lists:
            waiting.append(executor.submit(work, items))
            if len(waiting) > 2 * jobs:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _lists(iterable, size) -> Iterator[list]:
    iterator = iter(iterable)
    while items := list(islice(iterator, size)):
        yield items


# ---- data.h5 out ---------------------------------------------------------------------------------


def write_data(
    path: str | os.PathLike,
    raw: str | os.PathLike,
    pictures: list[Picture],
    labels: np.ndarray,
    names: list[str],
    test: np.ndarray,
    rng: np.random.Generator,
    about: dict,
) -> None:
    """Writes data.h5, complete or not at all; pictures are read again, in shuffled order, so that memory stays flat.

    labels: int64 (n,), of each picture. names: of the classes. test: bool (n,). about: the attributes seed, test and
    split. Raises Problem, OSError.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with run_lock(path.with_name(f"{path.name}.lock"), shown(str(path))):
        for part in path.parent.glob(f"{escape(path.name)}.*.part"):
            part.unlink()  # of a run that was killed
        with replacing(path) as part:
            try:
                with h5py.File(part, "w") as data:
                    data.attrs.update(format=DATA_FORMAT, version=VERSION, **about)
                    _fill(data, raw, pictures, labels, names, test, rng)
            except (OSError, RuntimeError) as error:
                code = re.search(r"errno = (\d+)", str(error))  # HDF5's own way to say that the disk is full
                if not code:
                    raise
                raise OSError(int(code[1]), os.strerror(int(code[1])), str(path)) from error


def _fill(data, raw, pictures, labels, names, test, rng):
    from tqdm import tqdm

    text = h5py.string_dtype("utf-8")
    data.create_dataset("classes", data=names, dtype=text)
    with tqdm(total=len(labels), unit=" pictures", desc="packing", disable=None) as progress:
        for part, chosen in (("train", ~test), ("test", test)):
            order = rng.permutation(np.flatnonzero(chosen)).tolist()
            chunk = min(CHUNK, len(order))
            x = data.create_dataset(
                f"X_{part}",
                (len(order), SIDE, SIDE, 3),
                np.uint8,
                chunks=(chunk, SIDE, SIDE, 3),
                compression="gzip",
                compression_opts=1,  # higher levels gain nothing and take longer, to write and to read
            )
            data.create_dataset(f"y_{part}", data=labels[order, None])
            for what in ("file", "writer"):
                column = np.array([getattr(pictures[i], what) for i in order], object)
                data.create_dataset(f"{what}s_{part}", data=column, dtype=text)

            def pack(files, chunk=chunk):
                return len(files), _pack_chunk(raw, files, chunk)

            start = 0
            for count, packed in _in_threads(pack, _lists((pictures[i].file for i in order), chunk)):
                x.id.write_direct_chunk((start, 0, 0, 0), packed)
                start += count
                progress.update(count)


def _pack_chunk(raw, files, size):
    """The files of one chunk, `size` pictures or at the end fewer -> its bytes in data.h5."""
    pictures = np.zeros((size, SIDE, SIDE, 3), np.uint8)
    for i, file in enumerate(files):
        try:
            pictures[i] = read_png(os.path.join(raw, file))
        except UnusableError as error:
            raise Problem(f"{shown(file)} changed during the run ({error}); run test.py again") from None
    return zlib.compress(pictures, 1)
