"""Zips and tars, read without unpacking them; one that is in another is unpacked into a scratch folder.

Nothing is written where an archive says, nothing is run, and no entry is read beyond MAX_ENTRY.
"""

import bz2
import functools
import gzip
import io
import lzma
import os
import re
import shutil
import stat
import tarfile
import tempfile
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import BinaryIO

from shuzi.core.command import Problem
from shuzi.core.files import is_litter
from shuzi.core.text import shown
from shuzi.dataset.sources import charsets

MAX_ENTRY = 150_000_000  # bytes; an entry is unpacked in memory
MAX_SCRATCH = 50_000_000_000  # bytes; archives in archives are unpacked on disk
METHODS = {
    1: "Shrink", 6: "Implode", 9: "Deflate64", 12: "bzip2", 14: "LZMA", 93: "Zstandard", 95: "XZ", 97: "WavPack",
    98: "PPMd", 99: "AES",
}  # fmt: skip
DECOMPRESSORS = {
    ".gz": gzip.open,
    ".tgz": gzip.open,
    ".bz2": bz2.open,
    ".tbz2": bz2.open,
    ".xz": lzma.open,
    ".txz": lzma.open,
}
DAMAGED = (zipfile.BadZipFile, tarfile.TarError, EOFError, ValueError, NotImplementedError, lzma.LZMAError)


class ArchiveError(Exception):
    """An archive that can't be read. The message is one line."""


class Zip:
    """Files in a zip."""

    def __init__(self, root: str, key: str = "", encoding: str = ""):
        self.root = root
        self.key = key  # of the archives that it is in
        self.encoding = encoding

    def __getstate__(self):
        return {"root": self.root, "key": self.key, "encoding": self.encoding}  # to a worker, which opens it anew

    @cached_property
    def zip(self) -> zipfile.ZipFile:
        return zipfile.ZipFile(self.root)

    @cached_property
    def infos(self) -> dict[str, zipfile.ZipInfo]:
        return dict(self._named())

    def _named(self):
        """(name, entry) of all entries, in the zip's order; the name as text, with / between its parts."""
        infos = self.zip.infolist()
        raws = [_raw_name(info) for info in infos]
        unnamed = [i for i, raw in enumerate(raws) if isinstance(raw, bytes)]
        decoded = charsets.decode([raws[i] for i in unnamed], os.path.basename(self.root), self.encoding)
        for i, name in zip(unnamed, decoded):
            raws[i] = name
        return [(name.replace("\\", "/"), info) for name, info in zip(raws, infos)]

    def names(self, refuse: Callable) -> Iterator[str]:
        """Yields all files; `refuse` is called with the name and the reason of what can't be read."""
        named = self._named()
        counts = Counter(name for name, _ in named)
        for name, info in named:
            parts = name.split("/")
            if name.endswith("/") or any(is_litter(part) for part in parts if part not in ("", ".", "..")):
                continue
            reason = (
                unsafe(name)
                or ("in the zip more than once; the last one counts" if counts[name] > 1 else "")
                or ("a link" if stat.S_ISLNK(info.external_attr >> 16) else "")
                or ("encrypted; unpack it with its password, and hand in the folder" if info.flag_bits & 1 else "")
            )
            if not reason and info.compress_type not in (0, 8, 12, 14):
                method = METHODS.get(info.compress_type, f"method {info.compress_type}")
                reason = f"packed with {method}, which Python can't unpack; unpack the zip and hand in the folder"
            if not reason and info.file_size > MAX_ENTRY and not name.lower().endswith(SPOOLED):
                reason = f"too large unpacked: {info.file_size:,} bytes, at most {MAX_ENTRY:,}"
            if reason:
                if counts[name] > 1 and reason.startswith("in the zip"):
                    counts[name] -= 1  # all but the last are refused
                refuse(_as_stored(name, info), reason)
            else:
                yield name

    def state(self, name: str) -> tuple[int, str]:
        info = self.infos[name]
        return info.file_size, f"{self.key}{info.file_size} {info.CRC}"

    def open(self, name: str) -> BinaryIO:
        try:
            with self.zip.open(self.infos[name]) as entry:
                return io.BytesIO(entry.read(MAX_ENTRY))
        except Exception as error:  # zipfile and its decompressors raise nearly any type on damaged entries
            raise OSError(None, f"damaged in the zip, {type(error).__name__}: {error}") from error

    def stream(self, name: str) -> BinaryIO:
        return self.zip.open(self.infos[name])

    def local(self, name: str) -> str:
        with self.stream(name) as file:
            return spool(file, name)


class Tar:
    """Files in a tar that is not packed."""

    def __init__(self, root: str, key: str = "", encoding: str = ""):
        self.root = root
        self.key = key
        self.places: dict[str, tuple[int, int, int]] = {}  # name -> where its bytes begin, how many, time of change

    def names(self, refuse: Callable) -> Iterator[str]:
        with tarfile.open(self.root, "r:", encoding="utf-8", errors="surrogateescape") as archive:
            for member in archive:
                name = member.name.removeprefix("./")
                archive.members = []  # flat memory
                if member.isdir() or any(is_litter(part) for part in name.split("/") if part not in ("", ".", "..")):
                    continue
                reason = unsafe(name) or ("" if member.isreg() and not member.issparse() else "a link, or not a file")
                if name in self.places:
                    reason = reason or "in the tar more than once; the first one counts"
                if not reason and member.size > MAX_ENTRY and not name.lower().endswith(SPOOLED):
                    reason = f"too large: {member.size:,} bytes, at most {MAX_ENTRY:,}"
                if reason:
                    refuse(name, reason)
                    continue
                self.places[name] = member.offset_data, member.size, int(member.mtime)
                yield name

    def state(self, name: str) -> tuple[int, str]:
        start, size, changed = self.places[name]
        return size, f"{self.key}{start} {size} {changed}"

    def open(self, name: str) -> BinaryIO:
        start, size, _ = self.places[name]
        with open(self.root, "rb") as file:
            file.seek(start)
            return io.BytesIO(file.read(size))

    def stream(self, name: str) -> BinaryIO:
        return self.open(name) if self.places[name][1] <= MAX_ENTRY else open(self.local(name), "rb")

    def local(self, name: str) -> str:
        start, size, _ = self.places[name]
        with open(self.root, "rb") as file:
            file.seek(start)
            return spool(file, name, size)


# ---- looking in ----------------------------------------------------------------------------------

SPOOLED = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".tbz2", ".xz", ".txz", ".gnt", ".npz", ".csv", ".pdf")


def look(look, number: int, name: str, depth: int) -> None:
    """An archive in a container: lists what is in it, or says why it can't be read."""
    container = look.source.containers[number]
    folder, _, file = name.rpartition("/")
    shown_name = look.prefixes[number] + name
    try:
        key = container.state(name)[1] + " "
        inner = opened(container.local(name), key, look.options.encoding)
        levels = *look.parts(number, folder), stem(file)
        look.add(inner, shown_name + "/", levels, len(levels), depth + 1)
    except ArchiveError as error:
        look.refuse(shown_name, str(error))
    except (OSError, *DAMAGED) as error:
        look.refuse(shown_name, f"a damaged archive ({' '.join(str(error).split())[:100]}); get or pack it again")


def root(path: str, encoding: str) -> "Zip | Tar":
    """An archive that a person names. Raises Problem, OSError."""
    try:
        archive = opened(path, "", encoding)
        archive.key = "" if isinstance(archive, Zip) else f"{os.path.getsize(path)} {os.stat(path).st_mtime_ns} "
        return archive
    except ArchiveError as error:
        if "too large" in str(error) or "RAR" in str(error):
            raise Problem(f"{shown(path)}: {error}") from None
        raise Problem(
            f"{shown(path)} is neither a folder nor a whole zip or tar; give a folder of class folders"
        ) from None
    except DAMAGED as error:
        raise Problem(f"{shown(path)} is a damaged archive ({error}); get or pack it again") from None


def opened(path: str, key: str = "", encoding: str = "") -> "Zip | Tar":
    """The archive at a path. Raises ArchiveError, OSError, and what DAMAGED lists."""
    name = path.lower()
    if name.endswith((".rar", ".7z")):
        raise ArchiveError("RAR and 7z can't be read here; unpack it and hand in the folder, or pack it as a zip")
    if zipfile.is_zipfile(path):
        return Zip(path, key, encoding)
    ending = os.path.splitext(name)[1]
    if ending in DECOMPRESSORS:
        with DECOMPRESSORS[ending](path) as file:
            path = spool(file, "packed.tar")
    if not tarfile.is_tarfile(path):
        raise ArchiveError("not a whole zip or tar; get or pack it again")
    return Tar(path, key, encoding)


def stem(file: str) -> str:
    """An archive's name without its endings."""
    return re.sub(r"(\.tar)?\.\w+$", "", file)


def unsafe(name: str) -> str:
    """The reason why a name in an archive is not taken, or ""."""
    parts = name.split("/")
    if "" in parts or "." in parts or ".." in parts or "\0" in name or re.match("[A-Za-z]:", name):
        return "its path leads out of the archive"
    return ""


def _raw_name(info):
    """A zip entry's name: text where the zip says its encoding, else the bytes."""
    name = info.orig_filename.partition("\0")[0]
    if info.flag_bits & 0x800 or name.isascii():
        return name
    extra = info.extra
    while len(extra) >= 4:  # Info-ZIP's Unicode Path, 0x7075: version, checksum of the other name, UTF-8
        kind, size = int.from_bytes(extra[:2], "little"), int.from_bytes(extra[2:4], "little")
        if kind == 0x7075 and size > 5:
            return extra[9 : 4 + size].decode("utf-8", "replace")
        extra = extra[4 + size :]
    return name.encode("cp437")  # as which Python read it


def _as_stored(name, info):
    return info.orig_filename if "\\" in info.orig_filename and info.orig_filename.isascii() else name


# ---- unpacking -----------------------------------------------------------------------------------


@functools.cache
def scratch() -> tempfile.TemporaryDirectory:
    """A folder that goes when the program ends."""
    return tempfile.TemporaryDirectory(prefix="datapro-")


def spool(file: BinaryIO, name: str, size: int | None = None) -> str:
    """Copies a file, or its next `size` bytes, into the scratch folder; gives the path.

    Raises ArchiveError, OSError.
    """
    folder = scratch().name
    count = len(os.listdir(folder))
    path = os.path.join(folder, f"{count}_{re.sub('[^A-Za-z0-9.]', '_', name.rpartition('/')[2])[-80:]}")
    room = min(MAX_SCRATCH - _used(), shutil.disk_usage(folder).free - 500_000_000)
    rest = room if size is None else min(size, room)
    with open(path, "wb") as copy:
        while rest > 0 and (block := file.read(min(rest, 1 << 20))):
            copy.write(block)
            rest -= len(block)
    if rest <= 0 and (size is None or size > room):
        os.unlink(path)
        raise ArchiveError(f"too large unpacked for the scratch folder {folder}; unpack it and hand in the folder")
    return path


def _used():
    with os.scandir(scratch().name) as entries:
        return sum(entry.stat().st_size for entry in entries)
