"""hwtrainset/ -> raw_data/: makes each picture 64x64x3, numbers it, files it by class.

Reads a folder of class folders, or Chinese MNIST (a zip as published, or its folder). `shuzi/dataset/raw_data.py` says
what is in raw_data/, and why a run that was stopped, or is done again, makes nothing twice.
"""

import argparse
import os
import sys
import time
from collections import Counter
from pathlib import Path

from shuzi.core import numerals
from shuzi.core.command import Problem, run
from shuzi.core.files import run_lock
from shuzi.core.text import shown, split_names
from shuzi.dataset.raw_data import RawData, Refused, make, write_refused
from shuzi.dataset.sources import open_source, sort_into_classes


def parse_arguments(argv):
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
        "--jobs",
        type=int,
        default=os.cpu_count() or 1,
        help="worker processes (default: one per core); 0 works without any",
    )
    args = parser.parse_args(argv)
    args.jobs = max(0, min(args.jobs, 60))  # Windows can't wait for more
    return args


def choose_classes(classes, wanted, source, refused):
    """Of {class: names} the classes that are wanted; those that were refused for another class are forgotten."""
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


def main(argv=None):
    args = parse_arguments(argv)
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
    nothing = not any(classes.values())
    if not nothing or refused:
        out.mkdir(parents=True, exist_ok=True)
        with run_lock(out / ".lock", shown(args.out)):
            raw = RawData(out)
            if nothing:
                write_refused(raw, refused)
            else:
                counts, made_now = make(source, classes, raw, args.fit, args.jobs, refused)
            raw.tidy()
    if nothing:
        raise Problem(
            f"no pictures in {shown(args.source)}; "
            "it should hold a folder for each class (1, 2, ... or any name) with pictures in it"
        )

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
