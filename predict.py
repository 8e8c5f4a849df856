"""Reads handwriting: pictures, model.keras → predictions as a table, a CSV and an annotated sheet.

A picture may hold one character or several, in lines; a line of several is also read as a number. Pictures are
prepared in processes of their own while the model loads, and stream through in batches.
"""

import argparse
import os
import sys
from contextlib import ExitStack

from tqdm import tqdm

from shuzi.core.command import Problem, run
from shuzi.core.text import shown
from shuzi.core.workers import Workers
from shuzi.reading.characters import prepare_paths, read_all
from shuzi.reading.paths import find_pictures
from shuzi.reading.reader import load_reader, read_classes
from shuzi.reading.table import Table, csv_file

FEW = 100  # pictures, if they are small: up to here starting processes takes longer than it saves
SMALL = 20_000_000  # bytes, of all of them
AHEAD = 64  # chunks of pictures prepared ahead of the model at most


def parse_arguments(argv):
    parser = argparse.ArgumentParser(
        description="Read handwritten Chinese numerals in pictures and photos.",
        epilog="example: python predict.py my_handwriting photo.jpg --csv predictions.csv --sheet predictions.png",
    )
    add = parser.add_argument
    add(
        "paths",
        nargs="*",
        default=["my_handwriting"],
        metavar="PATH",
        help="pictures, or folders: all in them is read but hidden files and READMEs (default: my_handwriting)",
    )
    add("--model", default="model.keras", metavar="FILE", help="what cnn.ipynb saved (default: %(default)s)")
    add("--csv", metavar="FILE", help="write the predictions there too, a row for each character")
    add("--sheet", metavar="FILE.png", help="draw the pictures with what was read there")
    add("--jobs", type=int, default=processors(), metavar="N", help="processes (default: one a core)")
    args = parser.parse_args(argv)
    if args.jobs < 1:
        parser.error("--jobs must be 1 or more")
    if args.csv and args.sheet and os.path.realpath(args.csv) == os.path.realpath(args.sheet):
        parser.error("--csv and --sheet must be two files")
    if args.sheet and not args.sheet.lower().endswith(".png"):
        parser.error("--sheet must end in .png")
    return args


def processors():
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def size_of(path):
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


def count(number, noun):
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def main(argv=None):
    args = parse_arguments(argv)
    made = [path for path in (args.csv, args.sheet) if path]
    paths = find_pictures(args.paths, made)
    classes = read_classes(args.model)["classes"]  # a wrong model is told before any work is done
    for path in made:
        if os.path.isdir(path):
            raise Problem(f"{shown(path)}: a folder; name a file in it")
    drawn = 0
    if args.sheet:
        from shuzi.reading import sheet  # here and not above: to load it takes longer than to read a picture

        drawn = sheet.MOST
    items = [(path, i < drawn, size_of(path)) for i, path in enumerate(paths)]
    few = len(items) <= FEW and sum(size for *_, size in items) < SMALL
    pictures = characters = unsure = refused = 0
    with ExitStack() as stack:
        workers = stack.enter_context(Workers(prepare_paths, 0 if few or args.jobs == 1 else args.jobs, AHEAD))
        prepared = workers.map(items, load=lambda item: item[2] + 15_000)
        outputs = [Table(paths, classes).add]
        if args.csv:
            outputs.append(stack.enter_context(csv_file(args.csv)))
        if args.sheet:
            outputs.append(stack.enter_context(sheet.sheet_file(args.sheet)))
        reader = load_reader(args.model)
        # rows that scroll by on a terminal are progress enough
        bar = stack.enter_context(tqdm(total=len(paths), unit="picture", disable=sys.stdout.isatty() or None))
        for path, reading in read_all(prepared, reader):
            pictures += 1
            refused += not reading.lines
            characters += len(reading.characters)
            unsure += sum(one.unsure for one in reading.characters)
            for add in outputs:
                add(path, reading)
            bar.update()
    wrote = "".join(f"; wrote {shown(path)}" for path in made)
    print(
        f"\n{count(pictures, 'picture')}: {count(characters, 'character')} read, {unsure} of them unsure; "
        f"{count(refused, 'picture')} refused{wrote}"
    )
    return 1 if refused else 0


if __name__ == "__main__":
    run(main)
