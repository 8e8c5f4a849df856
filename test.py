"""raw_data/ -> data.h5: splits the pictures into training and test set, and packs them.

No writer is on both sides of the split, and no two copies of one picture are: the test set asks how well
people are read whom the network never saw. Pictures of unknown writers are split class by class. `dataset.py`
says what is in data.h5. Nothing in raw_data is taken on trust: each picture is checked before it is packed.
"""

import argparse
import csv
import hashlib
import os
import re
import struct
import sys
import time
import zlib
from collections import Counter, deque
from concurrent.futures import ThreadPoolExecutor
from glob import escape
from itertools import islice
from pathlib import Path

import cv2
import h5py
import numpy as np
from tqdm import tqdm

from shuzi.core import numerals
from shuzi.core.files import Problem, from_cell, replacing, run, run_lock, shown, split_names
from shuzi.core.version import VERSION
from shuzi.dataset.h5 import CHUNK, FORMAT, OWN_WRITER, SIZE

MAX_BYTES = 100_000  # of a PNG; 64x64 RGB has 12,288
ATTEMPTS = 20  # orders in which a split is tried


# ---- reading raw_data ----------------------------------------------------------------------------


class Unusable(Exception):
    """A picture in raw_data that can't be packed. The message says why."""


def read_manifest(raw):
    """Yields (file, class, writer) of each row of manifest.csv."""
    path = os.path.join(raw, "manifest.csv")
    command = f"python datapro.py --out {shown(raw)}"
    if not os.path.isdir(raw):
        raise Problem(f"no such folder: {shown(raw)}; make it: {command}")
    if not os.path.exists(path):
        raise Problem(f"{shown(path)} is missing: a run did not finish; run it again: {command}")
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            if not {"file", "class", "writer"} <= set(rows.fieldnames or ()):
                raise Problem(f"{shown(path)} lacks the columns file, class, writer; make it again: {command}")
            for row in rows:
                yield tuple(from_cell(row[column] or "") for column in ("file", "class", "writer"))
    except (csv.Error, UnicodeDecodeError) as error:
        raise Problem(f"{shown(path)} is damaged ({error}); make it again: {command}") from None


def read_png(path):
    """A PNG of raw_data -> uint8 (64, 64, 3). Raises Unusable."""
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise Unusable(f"can't be opened: {error.strerror}") from None
    check_png(data)
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if picture is None or picture.shape != (SIZE, SIZE, 3):
        raise Unusable("damaged")
    return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)


def check_png(data):
    """Checks length, checksums and kind, so that the decoder sees only whole pictures of the right size."""
    if data[:8] != b"\x89PNG\r\n\x1a\n" or len(data) > MAX_BYTES:
        raise Unusable("not a PNG, or damaged")
    start = 8
    while True:
        if start + 12 > len(data):
            raise Unusable("cut off")
        length, kind = struct.unpack_from(">I4s", data, start)
        end = start + 12 + length
        if data[end - 4 : end] != struct.pack(">I", zlib.crc32(data[start + 4 : end - 4])):
            raise Unusable("damaged")
        if start == 8 and data[start + 4 : start + 18] != b"IHDR" + struct.pack(">IIBB", SIZE, SIZE, 8, 2):
            raise Unusable(f"not an RGB picture of {SIZE}x{SIZE}")
        if kind == b"IEND":
            return
        start = end


def check_rows(raw, rows):
    """Rows of the manifest -> [(file, class, writer, digest of the pixels or None, reason or None)]"""
    checked = []
    for file, cls, writer in rows:
        digest = reason = None
        try:
            if not cls or "\0" in file + cls + writer:
                raise Unusable("its row in manifest.csv names no class")
            if Path(file).anchor or ".." in Path(file).parts:
                raise Unusable("not in this folder")
            digest = hashlib.blake2b(read_png(os.path.join(raw, file)), digest_size=16).digest()
        except Unusable as unusable:
            reason = str(unusable)
        checked.append((file, cls, writer, digest, reason))
    return checked


def in_threads(work, chunks, jobs):
    """Yields work(chunk) in order; only a few chunks are in memory at once."""
    with ThreadPoolExecutor(jobs) as executor:
        waiting = deque()
        for chunk in chunks:
            waiting.append(executor.submit(work, chunk))
            if len(waiting) > 2 * jobs:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def batches(iterable, size):
    iterator = iter(iterable)
    while batch := list(islice(iterator, size)):
        yield batch


# ---- splitting -----------------------------------------------------------------------------------


def make_groups(writers, digests):
    """Pictures that must stay together: those of one writer, or with the same pixels, and so on from each.

    Returns int (n,), the number of the group of each picture.
    """
    parent = {}

    def root(node):
        while parent.setdefault(node, node) != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for writer, digest in zip(writers, digests):
        if writer:
            parent[root(digest)] = root(writer)  # writers are str, digests bytes: never the same
    numbers = {}
    return np.array([numbers.setdefault(root(digest), len(numbers)) for digest in digests])


def choose_test(labels, groups, names, share, rng, keep=frozenset()):
    """Choose whole groups for the test set: near `share` of each class, and every class on both sides.

    Groups come in random order; one is taken where that brings the classes nearer to their share, measured by
    the sum over classes of (taken - wanted)^2 / wanted. Groups in `keep` are for training, unless a class has no
    other. Returns bool (n,), True for test. Raises Problem.
    """
    order = np.argsort(groups, kind="stable")
    starts = np.searchsorted(groups[order], np.arange(groups.max() + 2))
    members = labels[order]
    total = np.bincount(labels, minlength=len(names)).tolist()
    wanted = [share * count for count in total]

    def counts(group):
        return Counter(members[starts[group] : starts[group + 1]].tolist())

    in_groups = Counter(label for group in range(len(starts) - 1) for label in counts(group))
    for label, name in enumerate(names):
        if in_groups[label] < 2:
            why = "are all of one writer, or copies of each other" if total[label] > 1 else "is too few"
            raise Problem(
                f"class {shown(name)} can't be split: {total[label]:,} usable picture(s) {why}; "
                "add some by others, or leave the class out: python datapro.py --classes"
            )

    for _ in range(ATTEMPTS):
        taken = [0] * len(names)
        test = set()

        def gain(counts):
            return -sum(k * (k + 2 * (taken[c] - wanted[c])) / wanted[c] for c, k in counts.items())

        def possible(counts):
            return all(taken[c] + k < total[c] for c, k in counts.items())

        def take(group, counts):
            test.add(group)
            for c, k in counts.items():
                taken[c] += k

        shuffled = rng.permutation(len(starts) - 1).tolist()
        for group in shuffled:
            of_group = counts(group)
            if group not in keep and gain(of_group) > 0 and possible(of_group):
                take(group, of_group)
        for label in range(len(names)):
            if not taken[label]:  # too few pictures to come near the share: the best group that has some
                rest = [(g, counts(g)) for g in shuffled if g not in test]
                rest = [(g, of_g) for g, of_g in rest if label in of_g and possible(of_g)]
                rest = [(g, of_g) for g, of_g in rest if g not in keep] or rest
                if rest:
                    take(*max(rest, key=lambda group: gain(group[1])))
        if all(taken):
            return np.isin(groups, list(test))
    raise Problem(
        "no split has every class on both sides with each writer on one; add pictures by other writers, "
        "or leave classes out: python datapro.py --classes"
    )


def choose_writers(wanted, writers, labels, groups, names):
    """The test set is of the writers named in `wanted`, and of copies of their pictures by nobody known.

    Returns bool (n,), True for test. Raises Problem where one wrote nothing, where another writer has copies of
    their pictures, or where a class has pictures on one side only.
    """
    everyone = set(filter(None, writers))
    missing = [writer for writer in wanted if writer not in everyone]
    if missing:
        known = ", ".join(map(shown, sorted(everyone)[:5]))
        raise Problem(
            f"--test-writers: no picture is by {', '.join(map(shown, missing))}; "
            + (f"writers here are named like {known}" if known else "who wrote these pictures is unknown")
        )
    test = np.isin(groups, groups[np.isin(writers, wanted)])
    tied = {writer for writer, is_test in zip(writers, test) if is_test} - {"", *wanted}
    if tied:
        raise Problem(
            f"--test-writers: pictures of theirs are copies of pictures by {', '.join(map(shown, sorted(tied)[:5]))}; "
            "name these, too, or delete one of each two copies"
        )
    for label, name in enumerate(names):
        of_class = test[labels == label]
        if of_class.all() or not of_class.any():
            whom = "nobody else" if of_class.all() else "none of them"
            raise Problem(
                f"--test-writers: class {shown(name)} was written by {whom}; name other writers, "
                "or leave the class out: python datapro.py --classes"
            )
    return test


# ---- packing -------------------------------------------------------------------------------------


def write_data(path, raw, pictures, names, labels, test, args, rng, split):
    """Writes data.h5; pictures are read again, in their shuffled order, so that memory stays flat."""
    progress = tqdm(total=len(labels), unit=" pictures", desc="packing", disable=None)
    with h5py.File(path, "w") as data, progress:
        data.attrs.update(format=FORMAT, version=VERSION, seed=args.seed, test=args.test, split=split)
        text = h5py.string_dtype("utf-8")
        data.create_dataset("classes", data=names, dtype=text)
        for part, chosen in (("train", ~test), ("test", test)):
            order = rng.permutation(np.flatnonzero(chosen)).tolist()
            chunk = min(CHUNK, len(order))
            x = data.create_dataset(
                f"X_{part}",
                (len(order), SIZE, SIZE, 3),
                np.uint8,
                chunks=(chunk, SIZE, SIZE, 3),
                compression="gzip",
                compression_opts=1,  # higher levels gain nothing and take longer, to write and to read
            )
            data.create_dataset(f"y_{part}", data=labels[order, None])
            for what, column in (("files", 0), ("writers", 2)):
                column = np.array([pictures[i][column] for i in order], object)
                data.create_dataset(f"{what}_{part}", data=column, dtype=text)

            def pack(files, chunk=chunk):
                return len(files), pack_chunk(raw, files, chunk)

            files = batches((pictures[i][0] for i in order), chunk)
            start = 0
            for count, packed in in_threads(pack, files, args.jobs):
                x.id.write_direct_chunk((start, 0, 0, 0), packed)
                start += count
                progress.update(count)


def pack_chunk(raw, files, size):
    """The files of one chunk, `size` pictures or at the end fewer -> its bytes in data.h5."""
    pictures = np.zeros((size, SIZE, SIZE, 3), np.uint8)
    for i, file in enumerate(files):
        try:
            pictures[i] = read_png(os.path.join(raw, file))
        except Unusable as unusable:
            raise Problem(f"{shown(file)} changed during the run ({unusable}); run test.py again") from None
    return zlib.compress(pictures, 1)


def parse_arguments():
    parser = argparse.ArgumentParser(
        description="Splits raw_data/ into training and test set and packs them: raw_data/ -> data.h5.",
        epilog="example: python test.py --raw raw_data --out data.h5 --test 0.2",
    )
    parser.add_argument("--raw", default="raw_data", help="what datapro.py wrote (default: raw_data)")
    parser.add_argument("--out", default="data.h5", help="the file to write (default: data.h5)")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--test", type=float, default=0.15, help="share of the test set (default: 0.15)")
    which.add_argument(
        "--test-writers",
        metavar="NAMES",
        help="test on these writers and train on all others, whatever the seed: 57,58,59",
    )
    parser.add_argument("--seed", type=int, default=0, help="of the split and the order (default: 0)")
    args = parser.parse_args()
    if not 0 < args.test < 1:
        raise Problem(f"--test is a share between 0 and 1, such as 0.15; not {args.test}")
    if not 0 <= args.seed < 2**63:  # data.h5 keeps it in 64 bits
        raise Problem(f"--seed is 0 or more, below 2^63; not {args.seed}")
    if args.test_writers is not None:
        args.test_writers = split_names(args.test_writers)
        if not args.test_writers:
            raise Problem("--test-writers needs names, with commas between them: 57,58,59")
    args.jobs = min(os.cpu_count() or 1, 8)
    return args


def load_pictures(raw, jobs):
    """-> [(file, class, writer, digest)] of the usable pictures, and [(file, reason)] of the others."""
    pictures, refused = [], []
    rows = batches(read_manifest(raw), CHUNK)
    with tqdm(unit=" pictures", desc="checking", disable=None) as bar:
        for checked in in_threads(lambda chunk: check_rows(raw, chunk), rows, jobs):
            for file, cls, writer, digest, reason in checked:
                if reason:
                    refused.append((file, reason))
                else:
                    pictures.append((file, sys.intern(cls), sys.intern(writer), digest))
            bar.update(len(checked))
    return pictures, refused


def main():
    args = parse_arguments()
    started = time.perf_counter()
    cv2.setNumThreads(1)  # the pictures are what runs in parallel
    out = Path(args.out)
    if out.is_dir():
        raise Problem(f"--out {shown(args.out)} is a folder; give the name of a file, such as data.h5")
    pictures, refused = load_pictures(args.raw, args.jobs)
    for file, reason in refused[:20]:
        print(f"test.py: refused: {shown(file)}: {reason}", file=sys.stderr)
    if refused:
        print(f"test.py: {len(refused):,} refused; delete them and run datapro.py again", file=sys.stderr)
    if not pictures:
        raise Problem(
            f"no usable picture in {shown(args.raw)}; make them again: python datapro.py --out {shown(args.raw)}"
        )

    names = sorted({cls for _, cls, _, _ in pictures}, key=numerals.class_order)
    number = {name: label for label, name in enumerate(names)}
    labels = np.array([number[cls] for _, cls, _, _ in pictures], np.int64)
    if len(names) < 2:
        raise Problem(f"only one class, {shown(names[0])}, in {shown(args.raw)}; it takes two to tell apart")
    writers = [writer for _, _, writer, _ in pictures]
    digests = [digest for _, _, _, digest in pictures]
    rng = np.random.default_rng(args.seed)
    groups = make_groups(writers, digests)
    if args.test_writers:
        test = choose_writers(args.test_writers, writers, labels, groups, names)
        args.test, split = float(np.mean(test)), "by writer, as named"
    else:
        own = {group for group, writer in zip(groups.tolist(), writers) if writer == OWN_WRITER}
        test = choose_test(labels, groups, names, args.test, rng, own)
        known = sum(map(bool, writers))
        split = "by writer" if known == len(writers) else "by writer where known" if known else "by class"

    out.parent.mkdir(parents=True, exist_ok=True)
    with run_lock(out.with_name(f"{out.name}.lock"), shown(args.out)):
        for part in out.parent.glob(f"{escape(out.name)}.*.part"):
            part.unlink()  # of a run that was killed
        with replacing(out) as part:
            try:
                write_data(part, args.raw, pictures, names, labels, test, args, rng, split)
            except (OSError, RuntimeError) as error:
                code = re.search(r"errno = (\d+)", str(error))  # HDF5's own way to say that the disk is full
                if not code:
                    raise
                raise OSError(int(code[1]), os.strerror(int(code[1])), args.out) from error

    print(f"{'class':>12} {'train':>10} {'test':>10}")
    for label, name in enumerate(names):
        of_class = test[labels == label]
        counts = f"{np.sum(~of_class):>10,} {np.sum(of_class):>10,}"
        print(f"{shown(name):>12} {counts}  {shown(numerals.character(name))}")
    train_writers = {writer for writer, is_test in zip(writers, test) if writer and not is_test}
    test_writers = {writer for writer, is_test in zip(writers, test) if writer and is_test}
    print(f"split {split}: {len(train_writers)} writers to train on, {len(test_writers)} others to test on")
    print(
        f"{shown(args.out)}: {np.sum(~test):,} pictures to train on, {np.sum(test):,} to test on "
        f"({np.mean(test):.1%}), {out.stat().st_size / 1e6:.1f} MB, in {time.perf_counter() - started:.1f} s"
    )
    return 1 if refused else 0


if __name__ == "__main__":
    run(main)
