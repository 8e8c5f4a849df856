"""raw_data/ -> data.h5: splits the pictures into training and test set, and packs them.

Its name is the course's; the tests of the program are run by `make test`. No writer is on both
sides of the split, and no two copies of one picture are: the test set asks how well people are read whom the network
never saw. Pictures of unknown writers are split class by class; a set that came split stays so, and is warned of where
it has a writer on both sides. `shuzi/dataset/h5.py` says what is in data.h5.
"""

import argparse
import sys
import time
from pathlib import Path

import cv2
import numpy as np

from shuzi.core import numerals
from shuzi.core.command import Problem, run
from shuzi.core.text import shown, split_names
from shuzi.dataset.h5 import read_raw_data, sources_of, write_data
from shuzi.dataset.split import OWN_WRITER, choose_test, choose_writers, contradictions, keep_split, make_groups

SHARE = 0.15  # of the test set, where nothing else is asked for
MOST_NAMED = 20  # pictures; of more, only how many there are is said


def parse_arguments(argv):
    parser = argparse.ArgumentParser(
        description="Splits raw_data/ into training and test set and packs them: raw_data/ -> data.h5.",
        epilog="example: python test.py --raw raw_data --out data.h5 --test 0.2",
    )
    parser.add_argument("--raw", default="raw_data", help="what datapro.py wrote (default: raw_data)")
    parser.add_argument("--out", default="data.h5", help="the file to write (default: data.h5)")
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--test",
        type=float,
        metavar="SHARE",
        help="share of the test set (default: the split that the set came with; 0.15 where it came without)",
    )
    which.add_argument(
        "--test-writers",
        metavar="NAMES",
        help="test on these writers and train on all others, whatever the seed: 57,58,59",
    )
    parser.add_argument("--seed", type=int, default=0, help="of the split and the order (default: 0)")
    parser.add_argument(
        "--keep-contradictions",
        action="store_true",
        help="train and test also on pictures that are in two classes; they are left out otherwise",
    )
    args = parser.parse_args(argv)
    if args.test is not None and not 0 < args.test < 1:
        raise Problem(f"--test is a share between 0 and 1, such as 0.15; not {args.test}")
    if not 0 <= args.seed < 2**63:  # data.h5 keeps it in 64 bits
        raise Problem(f"--seed is 0 or more, below 2^63; not {args.seed}")
    if args.test_writers is not None:
        args.test_writers = split_names(args.test_writers)
        if not args.test_writers:
            raise Problem("--test-writers needs names, with commas between them: 57,58,59")
    if Path(args.out).is_dir():
        raise Problem(f"--out {shown(args.out)} is a folder; give the name of a file, such as data.h5")
    return args


def tell_contradictions(raw, found):
    """Names pictures that are in several classes, of which all but one are wrong. found: as of `contradictions`."""
    sources = sources_of(raw, {picture.file for group in found[:MOST_NAMED] for picture in group})
    for group in found[:MOST_NAMED]:
        names = ", ".join(f"{shown(picture.file)} (from {shown(sources[picture.file])})" for picture in group[:4])
        print(f"test.py: one picture in several classes: {names}", file=sys.stderr)
    if found:
        print(
            f"test.py: {sum(map(len, found)):,} pictures are in several classes and left out; take out the wrong ones, "
            "or --keep-contradictions",
            file=sys.stderr,
        )


def choose(args, pictures, labels, names, rng):
    """Which pictures are for the test, bool (n,), and how that was chosen, in words."""
    writers = [picture.writer for picture in pictures]
    groups = make_groups(writers, (picture.digest for picture in pictures))
    if args.test_writers:
        return choose_writers(args.test_writers, writers, labels, groups, names), "by writer, as named"
    if args.test is None and any(picture.split == "test" for picture in pictures):
        return keep_split([picture.split for picture in pictures], labels, names), "as the set came"
    own = {group for group, writer in zip(groups.tolist(), writers) if writer == OWN_WRITER}
    known = sum(map(bool, writers))
    how = "by writer" if known == len(writers) else "by writer where known" if known else "by class"
    return choose_test(labels, groups, names, args.test or SHARE, rng, own), how


def without_copies(pictures):
    """Where the set came split: training pictures that are copies of test pictures are left out, which is said."""
    tested = {picture.digest for picture in pictures if picture.split == "test"}
    rest = [picture for picture in pictures if picture.split == "test" or picture.digest not in tested]
    if len(rest) < len(pictures):
        print(
            f"test.py: left out of training, as copies of test pictures: {len(pictures) - len(rest):,}",
            file=sys.stderr,
        )
    return rest


def tell_shared_writers(pictures, test):
    """A warning where a writer is on both sides, as may be where the set came split."""
    on_side = [{picture.writer for picture, is_test in zip(pictures, test) if is_test == side} for side in (0, 1)]
    shared = sorted((on_side[0] & on_side[1]) - {""})
    if shared:
        print(
            f"test.py: {len(shared):,} writers are on both sides of the split that the set came with, such as "
            f"{shown(shared[0])}: people whom the network never saw are read less well than the test will say; "
            f"--test {SHARE} splits anew",
            file=sys.stderr,
        )


def main(argv=None):
    args = parse_arguments(argv)
    started = time.perf_counter()
    cv2.setNumThreads(1)  # the pictures are what runs in parallel
    pictures, refused = read_raw_data(args.raw)
    for file, reason in refused[:MOST_NAMED]:
        print(f"test.py: refused: {shown(file)}: {reason}", file=sys.stderr)
    if refused:
        print(f"test.py: {len(refused):,} refused; delete them and run datapro.py again", file=sys.stderr)
    if not pictures:
        raise Problem(
            f"no usable picture in {shown(args.raw)}; make them again: python datapro.py --out {shown(args.raw)}"
        )
    contrary = [] if args.keep_contradictions else contradictions(pictures)
    left_out = {picture.file for group in contrary for picture in group}
    pictures = [picture for picture in pictures if picture.file not in left_out]
    if args.test is None and not args.test_writers:
        pictures = without_copies(pictures)
    if not pictures:
        raise Problem(
            f"{shown(args.raw)} can't be split: each of its pictures is in several classes; take out the wrong ones, "
            "or leave classes out: python datapro.py --classes"
        )
    names = sorted({picture.cls for picture in pictures}, key=numerals.class_order)
    if len(names) < 2:
        raise Problem(f"only one class, {shown(names[0])}, in {shown(args.raw)}; it takes two to tell apart")
    number = {name: label for label, name in enumerate(names)}
    labels = np.array([number[picture.cls] for picture in pictures], np.int64)
    rng = np.random.default_rng(args.seed)
    test, split = choose(args, pictures, labels, names, rng)
    share = args.test or (SHARE if split.startswith("by") and not args.test_writers else float(np.mean(test)))
    tell_contradictions(args.raw, contrary)
    tell_shared_writers(pictures, test)
    about = {"seed": args.seed, "test": share, "split": split}
    write_data(args.out, args.raw, pictures, labels, names, test, rng, about)

    print(f"{'class':>12} {'train':>10} {'test':>10}")
    for label, name in enumerate(names):
        of_class = test[labels == label]
        counts = f"{np.sum(~of_class):>10,} {np.sum(of_class):>10,}"
        print(f"{shown(name):>12} {counts}  {shown(numerals.character(name))}")
    train_writers, test_writers = (
        {picture.writer for picture, is_test in zip(pictures, test) if picture.writer and is_test == side}
        for side in (False, True)
    )
    print(f"split {split}: {len(train_writers)} writers to train on, {len(test_writers)} others to test on")
    print(
        f"{shown(args.out)}: {np.sum(~test):,} pictures to train on, {np.sum(test):,} to test on "
        f"({np.mean(test):.1%}), {Path(args.out).stat().st_size / 1e6:.1f} MB, in {time.perf_counter() - started:.1f} s"
    )
    return 1 if refused or contrary else 0


if __name__ == "__main__":
    run(main)
