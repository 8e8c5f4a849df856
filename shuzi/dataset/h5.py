"""data.h5: its layout, and opening one that may come from anywhere.

X_train, X_test             (n, 64, 64, 3) uint8, 0 ink to 255 paper; shuffled; gzip, 64 pictures a chunk
y_train, y_test             (n, 1) int64, labels from 0
classes                     class names in label order, UTF-8
files_train, files_test     where in raw_data each picture was
writers_train, writers_test who wrote it; empty where unknown
attributes                  format, version (of the program), seed, split (how),
                            test (share asked for, or that of the writers named)
"""

import os
import zlib
from collections import deque
from concurrent.futures import ThreadPoolExecutor

import h5py
import numpy as np

FORMAT = 1  # changes when an older program could not read the file rightly
SIZE = 64  # pixels; side of a picture
CHUNK = 64  # pictures, 786 kB unpacked: fits HDF5's cache of 1 MB, and a batch takes about one chunk
OWN_WRITER = (
    "writer-me"  # whose hand is to be learned: trained on, and tested on only where named or where no other can be
)
MAX_RATIO = 1100  # gzip packs no tighter than 1032 to 1


class DataError(Exception):
    """A data.h5 that can't be used. The message is one line: why, and what to do."""


def open_data(path):
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


def find_fault(data):
    """What is wrong with an open data.h5, as the end of a sentence; None if nothing is."""
    if "format" not in data.attrs:
        return "is not of this program"
    if data.attrs["format"] != FORMAT:
        return f"is of format {data.attrs['format']}, this program reads format {FORMAT}"
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
        if x.shape != (count, SIZE, SIZE, 3) or x.dtype != np.uint8 or not count:
            return f"has X_{part} of {x.dtype} {x.shape}, not uint8 (n, {SIZE}, {SIZE}, 3)"
        if x.size > MAX_RATIO * x.id.get_storage_size():
            return f"does not hold the {count:,} pictures that X_{part} is said to have"
        if y.shape != (count, 1) or y.dtype != np.int64:
            return f"has y_{part} of {y.dtype} {y.shape}, not int64 ({count}, 1)"
        if data[f"files_{part}"].shape != (count,) or data[f"writers_{part}"].shape != (count,):
            return f"has not one file and one writer for each of the {count:,} pictures of X_{part}"
        if y[:].min() < 0 or y[:].max() >= len(classes):
            return f"has labels in y_{part} that are not 0 to {len(classes) - 1}"
    return None


def read_pictures(pictures):
    """X_train or X_test of an open data.h5, whole -> uint8 (n, 64, 64, 3).

    The same as `pictures[:]`, but unpacked on all cores; HDF5 uses one. Raises DataError.
    """
    chunks, shape = pictures.chunks, pictures.shape
    starts = range(0, len(pictures), chunks[0]) if chunks and chunks[1:] == shape[1:] else ()
    only_gzip = pictures.compression == "gzip" and pictures.id.get_create_plist().get_nfilters() == 1
    if not only_gzip or pictures.id.get_num_chunks() != len(starts):
        return pictures[:]  # a layout that test.py does not write
    result = np.empty(shape, np.uint8)

    def unpack(start, mask, packed):
        part = result[start : start + chunks[0]].reshape(-1)
        content = packed if mask else zlib.decompressobj().decompress(packed, part.size)
        if len(content) < part.size:
            raise zlib.error("a chunk is too short")
        part[:] = np.frombuffer(content, np.uint8, part.size)

    try:
        with ThreadPoolExecutor(os.cpu_count()) as executor:
            waiting = deque()
            for start in starts:  # HDF5 reads in this thread only
                waiting.append(executor.submit(unpack, start, *pictures.id.read_direct_chunk((start, 0, 0, 0))))
                if len(waiting) > 64:
                    waiting.popleft().result()
            for future in waiting:
                future.result()
    except (zlib.error, OSError) as error:
        raise DataError(f"{pictures.file.filename} is damaged ({error}); make it again: python test.py") from error
    return result
