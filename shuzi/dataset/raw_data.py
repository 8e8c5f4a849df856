"""raw_data: the folder of prepared pictures that datapro.py makes and test.py packs.

    raw_data/<class>/<class>_<number>.png   RGB 64x64, dark ink on white, numbered through the whole set
    raw_data/manifest.csv                   file, class, source, writer, split, fingerprint, bytes
    raw_data/refused.csv                    source, reason
    raw_data/overview.png                   some pictures of each class, to check at a glance

What is in it depends on the source alone: classes in their order, in them the sources in natural order, numbered
from 00001, those that were refused left out. A run may be killed at any moment, and the next one still gets there
without making anything twice, by two rules:

- Every picture carries the fingerprint of what it was made from (name, size and time of the source, --fit, the
  version of preparation). A picture whose fingerprint is wanted again is kept, or renamed where its number has changed.
- manifest.csv is deleted before the first change and written after the last: while there is one, it is true.
  Where there is none, the fingerprints are read from the pictures.
"""

import csv
import functools
import hashlib
import json
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import NamedTuple

from shuzi.core.command import Problem
from shuzi.core.files import naming, replacing
from shuzi.core.text import from_cell, natural, shown, to_cell
from shuzi.core.version import PREPARATION
from shuzi.core.workers import Failure, Workers, failure_of
from shuzi.dataset.png import read_fingerprint, to_png
from shuzi.dataset.sources import Picture, Source

MANIFEST = ["file", "class", "source", "writer", "split", "fingerprint", "bytes"]
REFUSED_BEFORE = ".refused_before.json"  # fingerprint -> reason, so that a re-run need not read those again
LARGE = 900  # pixels; longer side of a picture that may be a whole page
WORK = ".datapro.part"  # in the output folder: pictures on their way to their place
PICTURE_NAME = re.compile(r"(?P<cls>[^./][^/]*)/(?P=cls)_\d{5,}\.png")


class Item(NamedTuple):
    """A picture of the source."""

    cls: str
    picture: Picture
    fingerprint: str  # of what it is made from
    size: int  # bytes


class Refused(list):
    """(name, reason, class or None) of what can't be used."""

    def add(self, name: str, reason: str, cls: str | None = None) -> None:
        self.append((name, reason, cls))


class RawData:
    """The output folder: which pictures are in it, and moving pictures to their places."""

    def __init__(self, out: str | os.PathLike):
        self.out = str(out)
        self.made: dict[str, str] = {}  # fingerprint -> path below the output folder, of the pictures that are there
        self.spoilt: set[str] = set()  # paths of pictures that someone changed
        self.folders, self.made_now = set(), set()  # class folders that are there; those that were not before
        os.makedirs(self.path(WORK), exist_ok=True)
        self.changed = False
        if not self._read_manifest():  # half way through changes, or new
            self._begin()
            self.made.clear()
            self.spoilt.clear()
            for folder in self._listed("", os.DirEntry.is_dir):
                for name in self._listed(folder, os.DirEntry.is_file):
                    self._found(f"{folder}/{name}")
        for name in self._listed(WORK, os.DirEntry.is_file):
            if not self._found(f"{WORK}/{name}"):
                os.unlink(self.path(f"{WORK}/{name}"))  # half written when a run was killed

    def path(self, name: str) -> str:
        return f"{self.out}/{name}"

    def place(self, fingerprint: str, target: str) -> None:
        """Put a picture where it belongs; what is there and may be wanted elsewhere is moved aside."""
        here = self.made.pop(fingerprint, None) or f"{WORK}/{fingerprint}.png"
        if here == target:
            return
        self._begin()
        folder = target.partition("/")[0]
        if folder not in self.folders:
            with suppress(FileExistsError):
                os.mkdir(self.path(folder))
                self.made_now.add(folder)
            self.folders.add(folder)
        if folder not in self.made_now and os.path.lexists(self.path(target)):
            other = read_fingerprint(self.path(target))
            if other is None and target not in self.spoilt:
                raise Problem(
                    f"{shown(self.path(target))} is in the way and not of this program; "
                    "move it away, or choose another --out"
                )
            if self.made.get(other) == target:
                self.made[other] = f"{WORK}/{other}.png"
                os.replace(self.path(target), self.path(self.made[other]))
        os.replace(self.path(here), self.path(target))
        self.spoilt.discard(target)

    def remove_rest(self) -> None:
        """Remove the pictures of earlier runs that were not placed again, and folders that this empties."""
        rest = [*self.made.values(), *self.spoilt]
        for path in rest:
            self._begin()
            with suppress(FileNotFoundError):
                os.unlink(self.path(path))
        for folder in {path.partition("/")[0] for path in rest} - {WORK}:
            with suppress(OSError):  # something else is in it
                os.rmdir(self.path(folder))

    def tidy(self) -> None:
        """At the end of a run: its work folder goes."""
        shutil.rmtree(self.path(WORK), ignore_errors=True)

    def _begin(self):
        """Before the first change: from now on, what is there is in the pictures and not in the manifest."""
        if not self.changed:
            with suppress(FileNotFoundError):
                os.unlink(self.path("manifest.csv"))
            self.changed = True

    def _listed(self, folder, kind):
        with os.scandir(self.path(folder)) as entries:
            return [entry.name for entry in entries if kind(entry)]

    def _found(self, path):
        folder = path.partition("/")[0]
        if folder != WORK and not PICTURE_NAME.fullmatch(path):
            return False
        fingerprint = read_fingerprint(self.path(path))
        if fingerprint:
            self.made.setdefault(fingerprint, path)
        return fingerprint is not None

    def _read_manifest(self):
        try:
            with open(self.path("manifest.csv"), encoding="utf-8-sig", errors="replace", newline="") as file:
                rows = csv.DictReader(file)
                if rows.fieldnames != MANIFEST:
                    raise Problem(
                        f"{shown(file.name)} is not of this program or of another version; "
                        "remove it if nothing needs it, or choose another --out"
                    )
                for row in rows:
                    path = from_cell(row["file"])
                    if not PICTURE_NAME.fullmatch(path):
                        return False
                    if _size_of(self.path(path)) == int(row["bytes"]):
                        self.made[row["fingerprint"]] = path
                    else:
                        self.spoilt.add(path)
        except (FileNotFoundError, TypeError, ValueError, csv.Error):  # none, or someone changed it
            return False
        return True


def make(
    source: Source, classes: dict[str, list[Picture]], raw: RawData, fit: str, jobs: int, refused: Refused
) -> tuple[dict[str, int], int, int]:
    """Bring the folder to what the source has now.

    classes: the pictures of each class, in their order. fit: as in `ink.read_picture`. jobs: processes.
    Returns {class: number of pictures}, how many of them were made in this run, and how many have no known writer.
    """
    before = _read_refused_before(raw)
    refused_now = {}
    counts = dict.fromkeys(classes, 0)
    number = made_now = by_nobody = 0
    manifest_part = raw.path(f"{WORK}/manifest.csv")
    with (
        Workers(functools.partial(_make_pictures, source, fit, raw.path(WORK)), jobs) as workers,
        replacing(raw.path("manifest.csv"), manifest_part, keep_same=True),
    ):
        if not raw.made:  # a first run
            workers.start()
        with open(manifest_part, "w", encoding="utf-8-sig", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(MANIFEST)
            results = workers.map(
                _items(source, classes, f"{fit} {PREPARATION}", refused.add),
                load=lambda item: item.size + 40_000,  # bytes, and about what a picture takes whatever its size
                done=lambda item: item.fingerprint in raw.made or item.fingerprint in before,
            )
            for item, made in _with_progress(results, sum(map(len, classes.values()))):
                if item.fingerprint in before:
                    made = Failure(before[item.fingerprint], True)
                if isinstance(made, Failure):
                    refused.add(item.picture.name, made.reason, item.cls)
                    if made.lasting:
                        refused_now[item.fingerprint] = made.reason
                    continue
                number += 1
                made_now += made is not None
                by_nobody += not item.picture.writer
                counts[item.cls] += 1
                target = f"{item.cls}/{item.cls}_{number:05d}.png"
                raw.place(item.fingerprint, target)
                name, writer, split = item.picture.name, item.picture.writer, item.picture.split
                cells = map(to_cell, (target, item.cls, name, writer, split))
                rows.writerow([*cells, item.fingerprint, _size_of(raw.path(target))])
        raw.remove_rest()
        write_refused(raw, refused)
        _write_refused_before(raw, refused_now)
        if not number:
            raise Problem(f"no usable picture in {shown(source.root)}; see {shown(raw.path('refused.csv'))}")
        if raw.changed or not os.path.exists(raw.path("overview.png")):
            _draw_overview(raw, counts)
    return counts, made_now, by_nobody


def write_refused(raw: RawData, refused: Refused) -> None:
    """Writes refused.csv, in the natural order of the names."""
    with (
        replacing(raw.path("refused.csv"), raw.path(f"{WORK}/refused.csv"), keep_same=True) as part,
        open(part, "w", encoding="utf-8-sig", newline="") as file,
    ):
        rows = csv.writer(file)
        rows.writerow(["source", "reason"])
        for name, reason, _ in sorted(refused, key=lambda row: natural(row[0])):
            rows.writerow([to_cell(name), to_cell(shown(reason))])


def _items(source, classes, settings, refuse: Callable) -> Iterator[Item]:
    """Every picture of the source, with what is known of it."""
    for cls, pictures in classes.items():
        for picture in pictures:
            try:
                size, state = source.state(picture)
            except OSError as error:
                refuse(picture.name, f"can't be opened: {error.strerror}", cls)
                continue
            made_from = f"{settings}\0{picture.name}\0{state}".encode("utf-8", "backslashreplace")
            yield Item(cls, picture, hashlib.blake2b(made_from, digest_size=8).hexdigest(), size)


def _make_pictures(source, fit, folder, items):
    """Runs in a worker: a list of Items -> as many of True or Failure.

    Writes each picture into the work folder as <fingerprint>.png, or says why it can't be used.
    """
    import cv2  # here and not above: a run that has nothing to do need not wait for it
    import numpy as np

    from shuzi import ink

    cv2.setNumThreads(1)  # the pictures are what runs in parallel

    def decode(item):
        try:
            content = source.open(item.picture)
            if isinstance(content, np.ndarray):  # of a set that keeps pixels
                return ink.grey_of(content)
            with content as file:
                grey = ink.open_picture(file, **({"page": item.picture.page} if item.picture.page > 1 else {}))
            if isinstance(grey, np.ndarray) and max(grey.shape) >= LARGE:
                from shuzi.dataset.pages import refuse_table

                refuse_table(grey)
            return grey
        except Exception as error:
            return error

    def write(picture, fingerprint):
        if isinstance(picture, Exception):
            return failure_of(picture)
        made = f"{folder}/{fingerprint}.png"  # cut off by a kill, it has no end, and the next run drops it
        with naming(made), open(made, "wb", 1 << 15) as file:
            file.write(to_png(picture, fingerprint))
        return True

    pictures = ink.fit_pictures(map(decode, items), fit)
    return [write(picture, item.fingerprint) for picture, item in zip(pictures, items)]


def _with_progress(results, total):
    if not sys.stderr.isatty():
        return results
    from tqdm import tqdm  # here and not above: to load it is a fifth of a run that has nothing to do

    return tqdm(results, total=total, unit=" pictures")


def _size_of(path):
    try:
        return os.stat(path).st_size
    except OSError:
        return -1


def _read_refused_before(raw):
    try:
        with open(raw.path(REFUSED_BEFORE), encoding="utf-8") as file:
            before = json.load(file)
    except (FileNotFoundError, ValueError):
        return {}
    return before if isinstance(before, dict) else {}


def _write_refused_before(raw, refused):
    with replacing(raw.path(REFUSED_BEFORE), raw.path(f"{WORK}/refused.json"), keep_same=True) as part:
        part.write_text(json.dumps(refused, indent=0), encoding="utf-8")


def _draw_overview(raw, counts, across=16, rows=60):
    """The contact sheet: a row of pictures for each class, evenly chosen, with the class's name beside it."""
    from PIL import Image, ImageDraw, ImageFont

    names = [cls for cls in counts if counts[cls]][:rows]
    cell, label = 68, 110  # pixels
    sheet = Image.new("L", (label + across * cell, len(names) * cell), "white")
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(18)
    first = 1
    for y, cls in enumerate(names):
        text = cls.encode("ascii", "backslashreplace").decode()  # the font has no Chinese
        draw.text((8, y * cell + 14), text[:11], fill="black", font=font)
        draw.text((8, y * cell + 38), f"{counts[cls]:,}", fill="grey", font=ImageFont.load_default(13))
        for x in range(min(across, counts[cls])):
            number = first + x * counts[cls] // min(across, counts[cls])
            with Image.open(raw.path(f"{cls}/{cls}_{number:05d}.png")) as picture:
                sheet.paste(picture.convert("L"), (label + x * cell, y * cell + 2))
        first += counts[cls]
    with replacing(raw.path("overview.png"), raw.path(f"{WORK}/overview.png")) as part:
        sheet.save(part, compress_level=1)
