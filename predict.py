"""Reads handwriting: pictures, model.keras → predictions as a table, a CSV and an annotated sheet.

A picture may hold one character or several, in lines; a line of several is also read as a number.
Pictures are prepared in processes of their own while the model loads, and stream through in batches.
"""

import argparse
import csv
import multiprocessing
import os
import signal
import sys
import unicodedata
from collections import deque, namedtuple
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager

import cv2
import numpy as np
from PIL import Image
from tqdm import tqdm

from shuzi.core.files import Problem, replacing, run, shown, to_cell
from shuzi.core.numerals import character, read_number, value
from shuzi.ink import PictureError, find_ink, open_picture
from shuzi.reading.layout import choose, find_layout
from shuzi.reading.reader import load_reader, read_classes

CSV_HEADER = ["file", "prediction", "character", "confidence", "second", "second_confidence", "note", "box"]
BATCH = 64  # pictures; what a process prepares at a time
WAITING = 4096  # pictures prepared ahead of the model at most
FEW = 100  # pictures; up to here starting processes takes longer than it saves

# One character that was read, or a picture that was refused (glyph None, the reason in note).
# glyph: uint8 (64, 64), what the model saw. best: [(class, probability), …], best first, up to three.
# box: (x, y, w, h) in pixels of the upright picture, or None where it is the only character in it.
Row = namedtuple("Row", "file glyph best note box")


def main(argv=None):
    args = parse_arguments(argv)
    made = [path for path in (args.csv, args.sheet) if path]
    paths = find_pictures(args.paths, made)
    classes = read_classes(args.model)["classes"]  # a wrong model is told before any work is done
    for path in made:
        if os.path.isdir(path):
            raise Problem(f"{shown(path)}: a folder; name a file in it")
    counts = dict.fromkeys(("pictures", "characters", "unsure", "refused"), 0)
    with ExitStack() as stack:
        batches = stack.enter_context(preparing(paths, args.jobs))
        table = Table(paths, classes)
        outputs = [table.add]
        if args.csv:
            outputs.append(stack.enter_context(csv_file(args.csv)))
        if args.sheet:
            from shuzi.reading.sheet import sheet_file

            outputs.append(stack.enter_context(sheet_file(args.sheet)))
        reader = load_reader(args.model)
        # rows that scroll by on a terminal are progress enough
        bar = stack.enter_context(tqdm(total=len(paths), unit="picture", disable=sys.stdout.isatty() or None))
        for batch in batches:
            for rows in read_batch(batch, reader):
                counts["pictures"] += 1
                counts["refused"] += rows[0].glyph is None
                for row in rows:
                    counts["characters"] += row.glyph is not None
                    counts["unsure"] += row.note.startswith("unsure")
                    for add in outputs:
                        add(row)
            bar.update(len(batch))
    wrote = "".join(f"; wrote {shown(path)}" for path in made)
    print(
        f"\n{count(counts['pictures'], 'picture')}: {count(counts['characters'], 'character')} read, "
        f"{counts['unsure']} of them unsure; {count(counts['refused'], 'picture')} refused{wrote}"
    )
    return 1 if counts["refused"] else 0


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


def count(number, noun):
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


# ---- pictures in ---------------------------------------------------------------------------------


def find_pictures(paths, outputs=()):
    """All files that the paths mean, sorted: folders with all in them but hidden files, READMEs and `outputs`.

    outputs: files that this run will write, and the last may have written. Raises Problem, also where one of them is
    named as a picture.
    """
    found, not_these = set(), {os.path.realpath(path) for path in outputs}
    names_of_these = {os.path.basename(path) for path in not_these}  # quicker to ask for than whole paths
    for path in paths:
        if not os.path.lexists(path):
            raise Problem(f"{shown(path)}: no such file or folder")
        if not os.path.isdir(path):
            if os.path.realpath(path) in not_these:
                raise Problem(f"{shown(path)}: to be read, and to be written to; choose another name to write to")
            found.add(os.path.normpath(path))
            continue
        seen = set()
        # a folder that can't be opened becomes a row with the reason, as a file that can't be read does
        for folder, folders, names in os.walk(path, onerror=lambda e: found.add(e.filename), followlinks=True):
            place = os.stat(folder)
            if (place.st_dev, place.st_ino) in seen:  # a link back to a folder above, or twice to one
                folders.clear()
                continue
            seen.add((place.st_dev, place.st_ino))
            folders[:] = [name for name in folders if not name.startswith(".")]
            for name in names:
                file = os.path.normpath(os.path.join(folder, name))
                hidden = name.startswith(".") or name.upper().startswith("README")
                if not hidden and not (name in names_of_these and os.path.realpath(file) in not_these):
                    found.add(file)
    if not found:
        raise Problem(f"{', '.join(map(shown, paths))}: no pictures there; put some in, or name another folder")
    return sorted(found)


# One picture as a process prepared it: layout of its possible characters, or the reason it was refused.
# scale: pixels of the upright picture to one of the layout's, (x, y).
Prepared = namedtuple("Prepared", "file layout scale reason")


def prepare(path):
    """Prepare one picture, whatever it is. Returns Prepared."""
    try:
        grey = open_picture(path)
        layout = find_layout(find_ink(grey))
        scale = _scale(path, grey) if layout.lines else (1, 1)
        return Prepared(path, layout, scale, "")
    except PictureError as error:
        return Prepared(path, None, None, str(error))
    except MemoryError:
        return Prepared(path, None, None, "too large for the memory there is")


def _scale(path, grey):
    """How much larger the upright picture is than what open_picture made of it: (x, y)."""
    with Image.open(path) as image:
        width, height = image.size
        turned = image.getexif().get(0x0112, 1) >= 5  # the EXIF orientations that swap the sides
    if turned:
        width, height = height, width
    return width / grey.shape[1], height / grey.shape[0]


def _prepare_batch(paths):
    return [prepare(path) for path in paths]


@contextmanager
def preparing(paths, jobs):
    """Starts preparing pictures at once; gives an iterator of lists of Prepared, in the order of the paths."""
    batches = [paths[start : start + BATCH] for start in range(0, len(paths), BATCH)]
    jobs = min(jobs, len(batches))
    if len(paths) <= FEW or jobs == 1:
        yield map(_prepare_batch, batches)
        return
    # spawn: on every system alike, and TensorFlow's threads don't survive a fork
    pool = ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"), _start_process)
    try:
        ahead = WAITING // BATCH
        waiting = deque(pool.submit(_prepare_batch, batch) for batch in batches[:ahead])
        yield _results(pool, waiting, batches[ahead:])
    finally:
        pool.shutdown(cancel_futures=True)


def _results(pool, waiting, batches):
    batches = iter(batches)
    try:
        while waiting:
            yield waiting.popleft().result()
            waiting.extend(pool.submit(_prepare_batch, batch) for batch in [next(batches, None)] if batch)
    except BrokenProcessPool as error:
        raise Problem("a process that prepares pictures was killed; if memory is short, try --jobs 1") from error


def _start_process():
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the main process's to answer
    cv2.setNumThreads(1)


# ---- reading -------------------------------------------------------------------------------------


def read_batch(batch, reader):
    """Prepared pictures -> a list of Rows for each: one, or one for each character in reading order."""
    layouts = [picture.layout for picture in batch if picture.layout]
    if layouts:
        glyphs = np.concatenate([layout.glyphs for layout in layouts])
        probabilities = reader.predict(np.repeat(glyphs[..., None], 3, axis=3))
    start = 0
    for picture in batch:
        if picture.layout is None:
            yield [Row(picture.file, None, [], picture.reason, None)]
        else:
            end = start + len(picture.layout.glyphs)
            yield read_layout(picture, probabilities[start:end], reader)
            start = end


def read_layout(picture, probabilities, reader):
    """One picture's Rows. probabilities: float (k, classes) of the layout's glyphs."""
    layout = picture.layout
    lines = choose(layout, probabilities, reader.classes)
    alone = lines == [[0]]
    if not alone and all(len(line) == 1 for line in lines):
        lines = [[glyph for line in lines for glyph in line]]  # one column, read downwards
    unsure = reader.is_unsure(probabilities)
    rows = []
    for line in lines:
        first = len(rows)
        for glyph in line:
            order = np.argsort(-probabilities[glyph], kind="stable")[:3]
            best = [(reader.classes[i], float(probabilities[glyph, i])) for i in order]
            note = "unsure" if unsure[glyph] else ""
            box = None if alone else scaled(layout.boxes[glyph], picture.scale)
            rows.append(Row(picture.file, layout.glyphs[glyph], best, note, box))
        if len(line) > 1:
            note = number_note([row.best[0][0] for row in rows[first:]])
            rows[first] = rows[first]._replace(note="; ".join(filter(None, [rows[first].note, note])))
    return rows


def scaled(box, scale):
    x, y, w, h = (float(side) for side in box)
    left, top = round(x * scale[0]), round(y * scale[1])
    return left, top, round((x + w) * scale[0]) - left, round((y + h) * scale[1]) - top


def number_note(classes):
    """What a line of classes is as a number: `number 325`, or why it is none."""
    try:
        return f"number {read_number(''.join(character(name) for name in classes))}"
    except ValueError as error:
        return f"no well-formed number: {error}"


# ---- predictions out -----------------------------------------------------------------------------


class Table:
    """Prints rows as they come, in aligned columns: a Chinese character is two wide on a terminal."""

    def __init__(self, paths, classes):
        names = max(len_shown(shown(character(name))) for name in classes)
        values = max(len(str(value(name) or "")) for name in classes)
        self.widths = [
            min(max(len_shown(shown(path)) for path in paths), 60),
            max(names, len("character")),
            max(values, len("value")),
            len("confidence"),
            max(names + 6, len("second")),
        ]
        self._print("file", "character", "value", "confidence", "second", "note")

    def add(self, row):
        cells = ["", "", "", ""]
        if row.best:
            (name, confidence), (second, second_confidence) = (row.best * 2)[:2] if len(row.best) < 2 else row.best[:2]
            number = value(name)
            cells = [character(name), "" if number is None else str(number), f"{confidence:.1%}"]
            cells.append(f"{character(second)} {second_confidence:.1%}" if len(row.best) > 1 else "")
        self._print(row.file, *cells, row.note)

    def _print(self, *cells):
        file, name, number, confidence, second, note = map(shown, cells)
        file, name, second = (pad(text, self.widths[i]) for i, text in ((0, file), (1, name), (4, second)))
        number, confidence = number.rjust(self.widths[2]), confidence.rjust(self.widths[3])
        print(f"{file}  {name}  {number}  {confidence}  {second}  {note}".rstrip())


def len_shown(text):
    """Columns that a text takes on a terminal."""
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    return len(text) + wide - sum(unicodedata.combining(c) > 0 for c in text)


def pad(text, width):
    return text + " " * (width - len_shown(text))


@contextmanager
def csv_file(path):
    """Gives a function that adds a Row to a CSV, which is at `path` once all is done."""
    with replacing(path) as part, open(part, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(CSV_HEADER)

        def add(row):
            cells = [row.file, "", "", "", "", "", row.note, ",".join(map(str, row.box)) if row.box else ""]
            if row.best:
                name, confidence = row.best[0]
                cells[1:4] = name, character(name), f"{confidence:.4f}"
            if len(row.best) > 1:
                cells[4:6] = row.best[1][0], f"{row.best[1][1]:.4f}"
            writer.writerow([to_cell(cell) for cell in cells])

        yield add


if __name__ == "__main__":
    run(main)
