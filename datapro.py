"""hwtrainset/ -> raw_data/: makes each picture 64x64x3, numbers it, files it by class.

Reads a folder of class folders, or Chinese MNIST (a zip as published, or its folder); writes

    raw_data/<class>/<class>_<number>.png   RGB 64x64, dark ink on white, numbered through the whole set
    raw_data/manifest.csv                   file, class, source, writer, fingerprint, bytes
    raw_data/refused.csv                    source, reason
    raw_data/overview.png                   some pictures of each class, to check at a glance

What is in raw_data depends on the source alone: classes in their order, in them the sources in natural
order, numbered from 00001, those that were refused left out. A run may be killed at any moment, and the next
one still gets there without making anything twice, by two rules:

- Every picture carries the fingerprint of what it was made from (name, size and time of the source, --fit,
  the version of preparation). A picture whose fingerprint is wanted again is kept, or renamed where its number has changed.
- manifest.csv is deleted before the first change and written after the last: while there is one, it is true.
  Where there is none, the fingerprints are read from the pictures.
"""

import argparse
import csv
import hashlib
import json
import multiprocessing
import os
import re
import shutil
import signal
import struct
import sys
import threading
import time
import zlib
from collections import Counter, deque, namedtuple
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from pathlib import Path

from shuzi.core import numerals
from shuzi.core.files import (
    Problem,
    from_cell,
    naming,
    natural,
    replacing,
    run,
    run_lock,
    shown,
    split_names,
    to_cell,
)
from shuzi.core.version import PREPARATION
from shuzi.dataset.sources import open_source, sort_into_classes, writer_of

MANIFEST = ["file", "class", "source", "writer", "fingerprint", "bytes"]
REFUSED_BEFORE = ".refused_before.json"  # fingerprint -> reason, so that a re-run need not read those again
WORK = ".datapro.part"  # in the output folder: pictures on their way to their place
PNG_START = b"\x89PNG\r\n\x1a\n"
PNG_END = b"\0\0\0\0IEND\xaeB`\x82"
PNG_FINGERPRINT = re.compile(
    re.escape(PNG_START) + b".{25}\0\0\0\x1ctEXtFingerprint\0([0-9a-f]{16})", re.DOTALL
)  # behind the header chunk of 25 bytes, a text chunk of 28
PNG_NAME = re.compile(r"(?P<cls>[^./][^/]*)/(?P=cls)_\d{5,}\.png")


# ---- workers -------------------------------------------------------------------------------------


def start_worker(source, fit, folder):
    """Runs first in each worker process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the main process, which ends this one
    threading.Thread(target=end_with_parent, daemon=True).start()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # where libtiff and others print notes; errors are raised
    global SETUP
    SETUP = source, fit, folder


def end_with_parent():
    multiprocessing.parent_process().join()
    os._exit(1)


Refusal = namedtuple("Refusal", "reason lasting")  # lasting: the same file will give the same reason again


def prepare(jobs):
    """Runs in a worker: [(name, fingerprint)] -> [None or Refusal].

    Writes each picture into the work folder as <fingerprint>.png, or says why it can't be used.
    """
    import cv2  # here and not above: a run that has nothing to do need not wait for it

    from shuzi import ink

    cv2.setNumThreads(1)  # the pictures are what runs in parallel
    source, fit, folder = SETUP

    def decode(name):
        with source.open(name) as file:
            return ink.open_picture(file)

    def write(picture, fingerprint):
        made = f"{folder}/{fingerprint}.png"  # cut off by a kill, it has no end, and the next run drops it
        with naming(made), open(made, "wb", 1 << 15) as file:
            file.write(to_png(picture, fingerprint))

    # Each step for all of them; picture by picture, the steps drive each other's code from the processor's
    # cache, and all takes a fifth longer.
    pictures = [name for name, _ in jobs]
    for step in (decode, *ink.fit_steps(fit)):
        pictures = [attempt(step, picture) for picture in pictures]
    return [
        picture if isinstance(picture, Refusal) else write(picture, fingerprint)
        for picture, (_, fingerprint) in zip(pictures, jobs)
    ]


def attempt(step, given):
    """What the step makes of what it is given, or a Refusal; what was refused before stays so."""
    from shuzi.ink import PictureError

    if isinstance(given, Refusal):
        return given
    try:
        return step(given)
    except PictureError as error:
        return Refusal(str(error), True)
    except OSError as error:
        return Refusal(f"can't be read: {error.strerror}", False)
    except MemoryError:
        return Refusal("there is not enough memory for it", False)
    except Exception as error:  # a fault in ink.py costs one picture, and is told, not the whole run
        return Refusal(f"the reader failed on it, {type(error).__name__}: {error}", False)


def to_png(picture, fingerprint):
    """uint8 (64, 64, 3) -> bytes of a PNG with the fingerprint in it. Takes half the time of cv2.imencode."""
    import numpy as np

    height, width, channels = picture.shape
    rows = np.zeros((height, 1 + width * channels), np.uint8)  # each begins with 0: pixels as they are
    rows[:, 1:] = picture.reshape(height, -1)
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),  # 8 bits, RGB
        (b"tEXt", b"Fingerprint\0" + fingerprint.encode()),
        (b"IDAT", zlib.compress(rows, 1)),
    ]
    parts = [PNG_START]
    for kind, data in chunks:
        parts += [struct.pack(">I", len(data)), kind, data, struct.pack(">I", zlib.crc32(kind + data))]
    return b"".join(parts) + PNG_END


def read_fingerprint(path):
    """The fingerprint in a picture that `to_png` made; None for another or a cut-off file."""
    try:
        with open(path, "rb") as file:
            data = file.read(100_000)
    except OSError:
        return None
    found = PNG_FINGERPRINT.match(data)
    return found.group(1).decode() if found and data.endswith(PNG_END) else None


# ---- the run -------------------------------------------------------------------------------------


class Pool:
    """Worker processes. A picture that ends its worker is refused, and the work goes on in new workers."""

    def __init__(self, jobs, setup):
        self.jobs = jobs
        self.setup = setup
        self.executor = None

    def start(self):
        """Start the workers, and have them load what they need, before there is work for them."""
        for _ in range(self.jobs):
            self.submit([])

    def submit(self, jobs):
        if not self.executor:
            self.executor = ProcessPoolExecutor(
                self.jobs, multiprocessing.get_context("spawn"), start_worker, self.setup
            )
        try:
            with interrupts_later():  # the workers start at the first one
                return self.executor.submit(prepare, jobs)
        except BrokenProcessPool:
            self.close()
            return self.submit(jobs)

    def results(self, future, jobs):
        """What `prepare` returned for these jobs; where a worker ended meanwhile, each is tried alone."""
        try:
            return future.result()
        except BrokenProcessPool:
            return [self.alone(job) for job in jobs]

    def alone(self, job):
        """One picture with the workers to itself, so that it is the one to blame if they end."""
        try:
            self.submit([]).result()
        except BrokenProcessPool:  # of other pictures under way: none is after this
            try:
                self.submit([]).result()
            except BrokenProcessPool:
                raise Problem("worker processes end as soon as they start; is there enough memory?") from None
        try:
            return self.submit([job]).result()[0]
        except BrokenProcessPool:
            return Refusal("the program that reads pictures crashed on it", False)

    def close(self, wait=True):
        if self.executor:
            self.executor.shutdown(wait, cancel_futures=True)
            self.executor = None


@contextmanager
def interrupts_later():
    """A Ctrl-C waits until the block ends; processes that start in it never get one."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows, where workers are deaf to it once they run
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class RawData:
    """The output folder: which pictures are in it, and moving pictures to their places."""

    def __init__(self, out):
        self.out = str(out)
        self.made = {}  # fingerprint -> path below the output folder, of the pictures that are there
        self.spoilt = set()  # paths of pictures that someone changed
        self.folders, self.made_now = set(), set()  # class folders that are there; those that were not before
        os.makedirs(self.path(WORK), exist_ok=True)
        self.changed = False
        if not self.read_manifest():  # half way through changes, or new
            self.begin()
            self.made.clear()
            self.spoilt.clear()
            for folder in self.listed("", os.DirEntry.is_dir):
                for name in self.listed(folder, os.DirEntry.is_file):
                    self.found(f"{folder}/{name}")
        for name in self.listed(WORK, os.DirEntry.is_file):
            if not self.found(f"{WORK}/{name}"):
                os.unlink(self.path(f"{WORK}/{name}"))  # half written when a run was killed

    def path(self, name):
        return f"{self.out}/{name}"

    def listed(self, folder, kind):
        with os.scandir(self.path(folder)) as entries:
            return [entry.name for entry in entries if kind(entry)]

    def found(self, path):
        folder = path.partition("/")[0]
        if folder != WORK and not PNG_NAME.fullmatch(path):
            return False
        fingerprint = read_fingerprint(self.path(path))
        if fingerprint:
            self.made.setdefault(fingerprint, path)
        return fingerprint is not None

    def read_manifest(self):
        try:
            with open(self.path("manifest.csv"), encoding="utf-8", errors="replace", newline="") as file:
                rows = csv.DictReader(file)
                if rows.fieldnames != MANIFEST:
                    raise Problem(
                        f"{shown(file.name)} is not of this program or of another version; "
                        "remove it if nothing needs it, or choose another --out"
                    )
                for row in rows:
                    path = from_cell(row["file"])
                    if not PNG_NAME.fullmatch(path):
                        return False
                    if size_of(self.path(path)) == int(row["bytes"]):
                        self.made[row["fingerprint"]] = path
                    else:
                        self.spoilt.add(path)
        except (FileNotFoundError, TypeError, ValueError, csv.Error):  # none, or someone changed it
            return False
        return True

    def place(self, fingerprint, target):
        """Put a picture where it belongs; what is there and may be wanted elsewhere is moved aside."""
        here = self.made.pop(fingerprint, None) or f"{WORK}/{fingerprint}.png"
        if here == target:
            return
        self.begin()
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

    def begin(self):
        """Before the first change: from now on, what is there is in the pictures and not in the manifest."""
        if not self.changed:
            with suppress(FileNotFoundError):
                os.unlink(self.path("manifest.csv"))
            self.changed = True

    def remove_rest(self):
        """Remove the pictures of earlier runs that were not placed again, and folders that this empties."""
        rest = [*self.made.values(), *self.spoilt]
        for path in rest:
            self.begin()
            with suppress(FileNotFoundError):
                os.unlink(self.path(path))
        for folder in {path.partition("/")[0] for path in rest} - {WORK}:
            with suppress(OSError):  # something else is in it
                os.rmdir(self.path(folder))


def size_of(path):
    try:
        return os.stat(path).st_size
    except OSError:
        return -1


def fingerprinted(source, classes, settings, refuse):
    """Yields (class, name, fingerprint, size) of every picture."""
    for cls, names in classes.items():
        for name in names:
            try:
                size, state = source.state(name)
            except OSError as error:
                refuse(name, f"can't be opened: {error.strerror}", cls)
                continue
            made_from = f"{settings}\0{name}\0{state}".encode("utf-8", "backslashreplace")
            yield cls, name, hashlib.blake2b(made_from, digest_size=8).hexdigest(), size


def in_order(items, known, pool):
    """Yields (item, whether it is `known`, None or Refusal) in the order of the items."""
    window = deque()  # chunks whose results are awaited
    chunk, todo, load = [], [], 0

    def settle(chunk, todo, future):
        results = iter(pool.results(future, todo) if todo else ())
        for item, is_known in chunk:
            yield item, is_known, None if is_known else next(results)

    for item in items:
        _, name, fingerprint, size = item
        is_known = known(fingerprint)
        chunk.append((item, is_known))
        if not is_known:
            todo.append((name, fingerprint))
            load += size + 40_000  # bytes; so one large photo is a chunk, and so are 25 small pictures
        if load > 1_000_000 or len(chunk) == 1000:
            window.append((chunk, todo, pool.submit(todo) if todo else None))
            chunk, todo, load = [], [], 0
        if len(window) > 3 * pool.jobs:  # bounds the memory
            yield from settle(*window.popleft())
    window.append((chunk, todo, pool.submit(todo) if todo else None))
    for waiting in window:
        yield from settle(*waiting)


def make(source, classes, raw, args, refused):
    """Bring the output folder to what the source has now.

    Returns {class: number of pictures}, and how many of them were made in this run.
    """
    pool = Pool(args.jobs, (source, args.fit, raw.path(WORK)))
    if not raw.made:  # a first run
        pool.start()

    settings = f"{args.fit} {PREPARATION}"
    before = read_refused_before(raw)
    refused_now = {}
    counts = dict.fromkeys(classes, 0)
    number = made_now = 0

    def known(fingerprint):
        return fingerprint in raw.made or fingerprint in before

    manifest_part = raw.path(f"{WORK}/manifest.csv")
    with replacing(raw.path("manifest.csv"), manifest_part, keep_same=True):
        with open(manifest_part, "w", encoding="utf-8", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(MANIFEST)
            items = fingerprinted(source, classes, settings, refused.add)
            results = in_order(items, known, pool)
            if sys.stderr.isatty():
                from tqdm import (
                    tqdm,  # here and not above: to load it is a fifth of a run that has nothing to do
                )

                total = sum(map(len, classes.values()))
                results = tqdm(results, total=total, unit=" pictures")
            try:
                for item, is_known, refusal in results:
                    cls, name, fingerprint, _ = item
                    if fingerprint in before:
                        refusal = Refusal(before[fingerprint], True)
                    if refusal:
                        refused.add(name, refusal.reason, cls)
                        if refusal.lasting:
                            refused_now[fingerprint] = refusal.reason
                        continue
                    number += 1
                    made_now += not is_known
                    counts[cls] += 1
                    target = f"{cls}/{cls}_{number:05d}.png"
                    raw.place(fingerprint, target)
                    writer, size = writer_of(name), size_of(raw.path(target))
                    rows.writerow([*map(to_cell, (target, cls, name, writer)), fingerprint, size])
                pool.close(wait=False)  # nothing is under way: they may end while the rest is done
            finally:
                pool.close()
        raw.remove_rest()
        write_refused(raw, refused)
        write_refused_before(raw, refused_now)
        if not number:
            raise Problem(f"no usable picture in {shown(source.root)}; see {shown(raw.path('refused.csv'))}")
        if raw.changed or not os.path.exists(raw.path("overview.png")):
            draw_overview(raw, counts)
    return counts, made_now


def read_refused_before(raw):
    try:
        with open(raw.path(REFUSED_BEFORE), encoding="utf-8") as file:
            before = json.load(file)
    except (FileNotFoundError, ValueError):
        return {}
    return before if isinstance(before, dict) else {}


def write_refused_before(raw, refused):
    with replacing(raw.path(REFUSED_BEFORE), raw.path(f"{WORK}/refused.json"), keep_same=True) as part:
        part.write_text(json.dumps(refused, indent=0), encoding="utf-8")


def write_refused(raw, refused):
    with replacing(raw.path("refused.csv"), raw.path(f"{WORK}/refused.csv"), keep_same=True) as part:
        with open(part, "w", encoding="utf-8", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(["source", "reason"])
            for name, reason, _ in sorted(refused, key=lambda row: natural(row[0])):
                rows.writerow([to_cell(name), to_cell(shown(reason))])


def draw_overview(raw, counts, across=16, rows=60):
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


def parse_arguments():
    parser = argparse.ArgumentParser(
        description="Makes each picture 64x64x3, numbers it and files it by class: hwtrainset/ -> raw_data/.",
        epilog="example: python datapro.py chinese-mnist.zip --classes 1,2,3 --out raw_data",
    )
    parser.add_argument(
        "source",
        nargs="?",
        default="hwtrainset",
        metavar="SOURCE",
        help="a folder of class folders, or Chinese MNIST as a zip or a folder (default: hwtrainset)",
    )
    parser.add_argument("--out", default="raw_data", help="where the pictures go (default: raw_data)")
    parser.add_argument("--classes", help="only these, as names or characters: 1,2,3 or 一,二,三 (default: all)")
    parser.add_argument(
        "--fit",
        choices=["ink", "stretch"],
        default="ink",
        help="find the ink, crop and centre it; or plainly resize the whole picture (default: ink)",
    )
    parser.add_argument(
        "--jobs", type=int, default=os.cpu_count() or 1, help="worker processes (default: one per core)"
    )
    args = parser.parse_args()
    args.jobs = max(1, min(args.jobs, 60))  # Windows can't wait for more
    return args


class Refused(list):
    """(name, reason, class or None) of what can't be used."""

    def add(self, name, reason, cls=None):
        self.append((name, reason, cls))


def choose_classes(classes, wanted, source, refused):
    chosen = {numerals.class_name(name) for name in split_names(wanted)}
    missing = sorted(chosen - set(classes), key=numerals.class_order)
    if missing or not chosen:
        raise Problem(
            f"no class {shown(', '.join(missing)) or 'named'} in {shown(source.root)}; "
            f"it has {shown(', '.join(classes)) or 'none'}"
        )
    others = set(classes) - chosen
    refused[:] = [row for row in refused if numerals.class_name(row[0].partition("/")[0]) not in others]
    return {cls: names for cls, names in classes.items() if cls in chosen}


def main():
    args = parse_arguments()
    started = time.perf_counter()
    source = open_source(args.source)
    out = Path(args.out)
    root = Path(args.source).resolve()
    if out.resolve() == root or root in out.resolve().parents:
        raise Problem(f"--out {shown(args.out)} is in the source {shown(args.source)}; choose another place")

    refused = Refused()
    classes = sort_into_classes(source, refused.add)
    if args.classes:
        classes = choose_classes(classes, args.classes, source, refused)
    if not any(classes.values()):
        raise Problem(
            f"no pictures in {shown(args.source)}; "
            "it should hold a folder for each class (1, 2, ... or any name) with pictures in it"
        )
    out.mkdir(parents=True, exist_ok=True)
    with run_lock(out / ".lock", shown(args.out)):
        raw = RawData(out)
        counts, made_now = make(source, classes, raw, args, refused)
        shutil.rmtree(raw.path(WORK), ignore_errors=True)

    refused_of = Counter(cls for _, _, cls in refused)
    print(f"{'class':>12} {'pictures':>10} {'refused':>8}")
    for cls, count in counts.items():
        print(f"{shown(cls):>12} {count:>10,} {refused_of[cls]:>8,}  {shown(numerals.character(cls))}")
    for cls, count in counts.items():
        if not count:
            print(f"datapro.py: no usable picture of class {shown(cls)}; it is left out", file=sys.stderr)
    if refused:
        print(f"datapro.py: {len(refused):,} refused; see {shown(raw.path('refused.csv'))}", file=sys.stderr)
    total, seconds = sum(counts.values()), time.perf_counter() - started
    print(
        f"{shown(args.out)}: {total:,} pictures of {sum(map(bool, counts.values()))} classes, "
        f"{made_now:,} of them made now, in {seconds:.1f} s; look at {shown(raw.path('overview.png'))}"
    )
    return 1 if refused else 0


if __name__ == "__main__":
    run(main, resumes=True)
