"""hwtrainset/ -> raw_data/: makes each picture 64x64x3, numbers it, files it by class.

Reads whatever a set comes in: docs/sources.md lists it. `shuzi/dataset/raw_data.py` says what is in raw_data/, and
why a run that was stopped, or is done again, makes nothing twice.
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
from shuzi.dataset.sources import Options, Pages, expanded, read_source


def parse_arguments(argv):
    parser = argparse.ArgumentParser(
        description="Makes each picture 64x64x3, numbers it and files it by class: hwtrainset/ -> raw_data/.",
        epilog="example: python datapro.py chinese-mnist.zip --classes 1,2,3 --out raw_data",
    )
    parser.add_argument(
        "sources",
        nargs="*",
        default=["hwtrainset"],
        metavar="SOURCE",
        help="folders, zips or files of a set, such as a folder of class folders 1, 2, …; docs/sources.md says what is "
        "read, and how (default: hwtrainset)",
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
    pages = parser.add_argument_group("scanned or photographed pages of many cells; those of forms.py need no option")
    pages.add_argument("--grid", metavar="ROWSxCOLUMNS", help="the sources are such pages, of so many cells: 14x11")
    pages.add_argument("--columns", metavar="CLASSES", help="the class of each column, - for none: 1,2,3,4,-")
    pages.add_argument("--rows", metavar="CLASSES", help="or of each row")
    unclear = parser.add_argument_group("where a set can be read in two ways, and the program asks")
    unclear.add_argument(
        "--labels",
        default="",
        metavar="WHAT",
        help="what tells the classes: folders, names (of files, by characters or codes), first or last (part of a "
        "file's name), or a table, such as labels.csv",
    )
    unclear.add_argument(
        "--layout",
        default="",
        metavar="LEVELS",
        help="what the folders are, from the source down: writer/class, split/-/class",
    )
    unclear.add_argument(
        "--numbers",
        default="",
        choices=["values", "codes", "order"],
        help="what numbers stand for: values (1 is 一), codes (as Chinese MNIST counts: 1 is 零, 15 is 亿) or order "
        "(0 is 零, 14 is 亿)",
    )
    unclear.add_argument(
        "--encoding",
        default="",
        choices=["utf-8", "gbk", "big5", "shift-jis", "euc-kr", "cp437"],
        help="of names in a zip, tar or table from another system",
    )
    args = parser.parse_args(argv)
    if args.classes is not None:
        args.classes = frozenset(map(numerals.class_name, split_names(args.classes)))
        if not args.classes:
            raise Problem("--classes needs names, with commas between them: 1,2,3")
    args.jobs = max(0, min(args.jobs, 60))  # Windows can't wait for more
    return args


def main(argv=None):
    args = parse_arguments(argv)
    started = time.perf_counter()
    out = Path(args.out)
    sources = expanded(args.sources)
    for source in sources:
        root = Path(source).resolve()
        if out.resolve() == root or root in out.resolve().parents:
            raise Problem(f"--out {shown(args.out)} is in the source {shown(source)}; choose another place")

    refused = Refused()
    pages = Pages(args.out, args.jobs)
    if args.grid or args.columns or args.rows:
        from shuzi.dataset.pages import asked_for

        pages = asked_for(args.out, args.jobs, args.grid, args.columns, args.rows)
    options = Options(args.classes or frozenset(), args.labels, args.layout, args.numbers, args.encoding, pages)
    source, classes, notes = read_source(sources, options, refused.add)
    if args.classes:
        refused[:] = [row for row in refused if row[2] is None or row[2] in args.classes]
    for note in notes:
        print(note)
    nothing = not any(classes.values())
    if not nothing or refused:
        out.mkdir(parents=True, exist_ok=True)
        with run_lock(out / ".lock", shown(args.out)):
            raw = RawData(out)
            if nothing:
                write_refused(raw, refused)
            else:
                counts, made_now, by_nobody = make(source, classes, raw, args.fit, args.jobs, refused)
            raw.tidy()
    if nothing and refused:
        name, reason, _ = refused[0]
        raise Problem(
            f"no pictures in {shown(source.root)} that can be used; refused: {shown(name)}: {reason}"
            + (f", and {len(refused) - 1:,} more" if len(refused) > 1 else "")
            + f"; see {shown(raw.path('refused.csv'))}"
        )
    if nothing:
        raise Problem(
            f"no pictures in {shown(source.root)}; "
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
    if by_nobody:
        print(f"{by_nobody:,} pictures are of no known writer; test.py splits these by chance")
    print(
        f"{shown(args.out)}: {total:,} pictures of {sum(map(bool, counts.values()))} classes, "
        f"{made_now:,} of them made now, in {seconds:.1f} s; look at {shown(raw.path('overview.png'))}"
    )
    return 1 if refused else 0


if __name__ == "__main__":
    run(main, resumes=True)
