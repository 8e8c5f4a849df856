"""Whole pages among the sources: their cells are cut once, kept in raw_data/.cells, and go on as pictures.

Pages are what `--grid` is given for, and forms of `forms.py` that lie loose in a source, which need no option. Each
page is read by `cut_page` in a worker; its cells are kept under a fingerprint of the page and of how it was cut, so
that a re-run cuts only new pages. raw_data/pages shows each page with what was taken from it.
"""

import functools
import hashlib
import json
import os
import re
import shutil
from collections import Counter
from typing import NamedTuple

import cv2
import numpy as np

from shuzi.core import numerals
from shuzi.core.command import Problem
from shuzi.core.files import replacing
from shuzi.core.text import shown, split_names
from shuzi.core.workers import Failure, Workers, failure_of
from shuzi.dataset.sources import Pages, Picture
from shuzi.dataset.sources.folder import PICTURE_ENDINGS, writer_of

VERSION = 1  # of how pages are cut: a change cuts all anew
SIDE = 2600  # pixels; longer side of a page as it is read
LEAST_BYTES, LEAST_SIDE = 20_000, 700  # of a file that may be a page
THUMB = 12  # pixels; side of a cell as it is kept to tell whether two pages are one
ALIKE = 0.8  # how alike two photos of one sheet are at the least; other sheets of the same hand have up to 0.66
COLOURS = {"filled": (0, 140, 60), "empty": (170, 170, 170), "crossed out": (220, 60, 40)}


def asked_for(out: str, jobs: int, grid: str | None, columns: str | None, rows: str | None) -> Pages:
    """What the options mean. Raises Problem."""
    if not grid:
        if columns or rows:
            raise Problem("--columns and --rows go with --grid ROWSxCOLUMNS, which says how many cells a page has")
        return Pages(out, jobs)
    match = re.fullmatch(r"\s*(\d{1,3})\s*[xX×*]\s*(\d{1,3})\s*", grid)
    shape = tuple(map(int, match.groups())) if match else (0, 0)
    if min(shape) < 1 or max(shape) > 100:
        raise Problem(f"--grid {shown(grid)}: give the rows and columns of cells of a page, such as 14x11")
    if bool(columns) == bool(rows):
        raise Problem("--grid needs either --columns or --rows, the class of each: --columns 1,2,3,-")
    names = tuple(name if name in ("-", "－") else numerals.class_name(name) for name in split_names(columns or rows))
    names = tuple("-" if name == "－" else name for name in names)
    option, wanted = ("--columns", shape[1]) if columns else ("--rows", shape[0])
    if len(names) != wanted:
        raise Problem(f"{option} names {len(names)} classes, but --grid {shown(grid)} has {wanted}; - stands for none")
    return Pages(out, jobs, shape, names if columns else (), names if rows else ())


class Cells:
    """Cells of pages, as a container of pictures."""

    def __init__(self, root):
        self.root = root

    def state(self, inner):
        return os.stat(f"{self.root}/{inner}").st_size, inner  # its folder is named for the page as it is now

    def open(self, inner):
        return open(f"{self.root}/{inner}", "rb")


class Page(NamedTuple):
    """A page to cut."""

    name: str
    container: object
    inner: str
    page: int
    key: str  # fingerprint of the page and of how it is cut


def take(look, pages: Pages):
    """Take the pages out of what was found: a list of (class, Picture) of their cells.

    look: sources.Look; its entries are left without the pages, its notes say how many cells there were.
    """
    chosen, rest = [], []
    for entry in look.entries:
        (chosen if _may_be_page(look, entry, pages) else rest).append(entry)
    work = functools.partial(_cut_pages, pages)
    todo = [_page(look, entry, pages) for entry in chosen]
    with Workers(work, min(pages.jobs, len(todo)) if len(todo) > 1 else 0) as workers:
        made = workers.map(todo, load=lambda page: 500_000)  # so that two are a chunk
        results = [about for _, about in _progress(made, len(todo))]
    found = any(isinstance(about, dict) for about in results)
    cells, kept, counts = [], set(), Counter()
    earlier = {}
    for entry, page, about in zip(chosen, todo, results):
        if about is None:  # a picture without a form
            if found and not pages.shape:
                look.refuse(page.name, "no form is to be seen in it")
            else:
                rest.append(entry)
            continue
        if isinstance(about, Failure):
            look.refuse(page.name, about.reason)
            continue
        kept.add(page.key)
        for reason in about["unread"]:
            look.refuse(page.name, reason)
        for number, sheet in enumerate(about["sheets"], 1):
            name = page.name if entry.page else f"{page.name}#"  # scan.pdf#p2, or photo.jpg#
            name += f"f{number}" if len(about["sheets"]) > 1 else ""
            where = name.removesuffix("#")
            writer = _writer(sheet, where, page.name, earlier, look.refuse)
            if writer is None:
                continue
            counts["pages"] += 1
            for cell in sheet["cells"]:
                counts[cell["state"]] += 1
                if cell["state"] == "filled":
                    place = f"{name}r{cell['row']}c{cell['column']}"
                    cells.append((cell["class"], Picture(place, -1, f"{page.key}/{cell['file']}", 1, writer)))
    look.entries = rest
    _remove_others(pages.out, kept)
    if counts["pages"]:
        look.notes.append(
            f"{counts['pages']:,} {'page' if counts['pages'] == 1 else 'pages'}: {counts['filled']:,} cells cut, "
            f"{counts['empty']:,} empty, {counts['crossed out']:,} crossed out; look at {shown(pages.out)}/pages"
        )
    return cells


def add(look, classes, cells, pages):
    """Put the cells that `take` gave among the pictures of each class."""
    if cells:
        number = look.place(Cells(f"{pages.out}/.cells"))
        for cls, picture in cells:
            classes.setdefault(cls, []).append(picture._replace(container=number))


def _may_be_page(look, entry, pages):
    ending = os.path.splitext(entry.inner)[1].lower()
    if pages.shape:
        return ending in PICTURE_ENDINGS
    if "/" in entry.inner or ending not in PICTURE_ENDINGS:  # in a class folder
        return False
    try:
        return look.source.containers[entry.container].state(entry.inner)[0] >= LEAST_BYTES
    except OSError:
        return False


def _page(look, entry, pages):
    container = look.source.containers[entry.container]
    name = look.name(entry)
    try:
        state = container.state(entry.inner)[1]
    except OSError:
        state = ""
    made_from = f"{VERSION}\0{name}\0{state}\0{entry.page}\0{pages.shape}\0{pages.columns}\0{pages.rows}"
    key = hashlib.blake2b(made_from.encode("utf-8", "backslashreplace"), digest_size=8).hexdigest()
    return Page(name, container, entry.inner, entry.page or 1, key)


def _progress(results, total):
    import sys

    if total < 3 or not sys.stderr.isatty():
        return results
    from tqdm import tqdm

    return tqdm(results, total=total, unit=" pages")


def _writer(sheet, where, name, earlier, refuse):
    """Who wrote a sheet; None where it is one that was read already."""
    form = sheet["form"]
    own = writer_of(name.rpartition("/")[2])
    if form is None:
        return own or name
    thumbs = {
        (cell["row"], cell["column"]): np.array(cell["thumb"], float) for cell in sheet["cells"] if "thumb" in cell
    }
    kind = (*form[:3], form[4], form[6])  # the same page of the same printing
    for other, whose, others in earlier.setdefault(kind, []):
        if whose == form[5] and _alike(thumbs, others):
            refuse(where, f"the same page as {shown(other)}, a second time; left out")
            return None
    twice = sum(whose == form[5] for _, whose, _ in earlier[kind])
    earlier[kind].append((where, form[5], thumbs))
    if not sheet["writer"]:
        return own or where
    if twice:
        refuse(
            where, f"{sheet['writer']} wrote this page already, in another hand: filed as {sheet['writer']}x{twice + 1}"
        )
        return f"{sheet['writer']}x{twice + 1}"
    return sheet["writer"]


def _alike(thumbs, others):
    """Whether two pages hold the same writing."""
    both = thumbs.keys() & others.keys()
    if len(both) < 0.8 * max(len(thumbs), len(others), 1):
        return False
    shares = []
    for place in both:
        a, b = thumbs[place] - thumbs[place].mean(), others[place] - others[place].mean()
        shares.append((a * b).sum() / max(np.linalg.norm(a) * np.linalg.norm(b), 1e-9))
    return bool(shares) and float(np.mean(shares)) > ALIKE


def _remove_others(out, kept):
    """Cells and pictures of pages that the sources have no more."""
    root = f"{out}/.cells"
    if not os.path.isdir(root):
        return
    shown_now = set()
    for key in os.listdir(root):
        if key in kept:
            with open(f"{root}/{key}/index.json", encoding="utf-8") as file:
                shown_now.add(json.load(file)["overview"])
        else:
            shutil.rmtree(f"{root}/{key}", ignore_errors=True)
    if os.path.isdir(f"{out}/pages"):
        for name in set(os.listdir(f"{out}/pages")) - shown_now:
            os.unlink(f"{out}/pages/{name}")


# ---- in a worker ---------------------------------------------------------------------------------


def _cut_pages(pages, todo):
    """Runs in a worker: Pages to cut -> what is kept of each: a dict, None where it is no page, or a Failure."""
    cv2.setNumThreads(1)
    results = []
    for page in todo:
        try:
            results.append(_kept(pages, page))
        except Exception as error:
            results.append(failure_of(error))
    return results


def _kept(pages, page):
    from shuzi.ink.decode import open_colour

    folder = f"{pages.out}/.cells/{page.key}"
    try:
        with open(f"{folder}/index.json", encoding="utf-8") as file:
            return json.load(file)
    except (FileNotFoundError, ValueError):
        pass
    with page.container.open(page.inner) as file:
        picture = open_colour(file, page.page, SIDE).rgb
    if not pages.shape and max(picture.shape) < LEAST_SIDE:
        return None
    read = _read_grid(picture, pages) if pages.shape else _read_forms(picture)
    if read is None:
        refuse_table(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY))
        return None
    sheets, unread, drawing = read
    if not sheets and unread:
        return Failure("; ".join(unread), True)
    part = f"{pages.out}/.cells/{page.key}.part"
    shutil.rmtree(part, ignore_errors=True)
    os.makedirs(part)
    for number, sheet in enumerate(sheets, 1):
        for cell in sheet["cells"]:
            picture = cell.pop("picture")
            if cell["state"] == "filled":
                cell["file"] = f"f{number}r{cell['row']}c{cell['column']}.png"
                cv2.imwrite(f"{part}/{cell['file']}", picture[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 1])
                grey = 255 - cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
                grey = cv2.GaussianBlur(
                    cv2.resize(grey, (4 * THUMB, 4 * THUMB), interpolation=cv2.INTER_AREA), (0, 0), 3
                )
                cell["thumb"] = cv2.resize(grey, (THUMB, THUMB), interpolation=cv2.INTER_AREA).ravel().tolist()
    slug = re.sub(r'[\\/:*?"<>|\x00-\x1f]', "_", page.name).encode("utf-8", "backslashreplace").decode()[-80:]
    about = {"overview": f"{slug}-{page.key[:4]}.jpg", "sheets": sheets, "unread": unread}
    os.makedirs(f"{pages.out}/pages", exist_ok=True)
    with replacing(f"{pages.out}/pages/{about['overview']}") as path:
        path.write_bytes(cv2.imencode(".jpg", drawing[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 80])[1].tobytes())
    with open(f"{part}/index.json", "w", encoding="utf-8") as file:
        json.dump(about, file)
    shutil.rmtree(folder, ignore_errors=True)
    os.replace(part, folder)
    return about


def refuse_table(grey):
    """Raises Problem for a picture that plainly is a table, and would be read as one character. grey: uint8 (h, w)."""
    from shuzi.dataset import cells_grid

    grid = cells_grid.plain_table(grey)
    if grid is not None:
        rows, columns = grid.nodes.shape[0] - 1, grid.nodes.shape[1] - 1
        raise Problem(
            f"a table of {rows}x{columns} cells, not one character; "
            f"give its page alone, with --grid {rows}x{columns} and --columns or --rows"
        )


def _read_grid(picture, pages):
    from shuzi.dataset import cells, cells_grid

    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    try:
        grid = cells_grid.find_grid(grey, pages.shape)
    except cells_grid.GridError as error:
        raise Problem(_said_better(grey, pages.shape, str(error))) from None
    flat, found = cells.cut_grid(picture, grid)
    names = {
        (cell.row, cell.column): pages.columns[cell.column - 1] if pages.columns else pages.rows[cell.row - 1]
        for cell in found
    }
    found = [cell for cell in found if names[cell.row, cell.column] != "-"]
    sheet = {"form": None, "writer": "", "cells": [_about(cell, names[cell.row, cell.column]) for cell in found]}
    return [sheet], [], _drawn(flat.picture, found, names)


def _said_better(grey, shape, reason):
    """Why the grid isn't found, where the page has another one."""
    from shuzi.dataset import cells_grid

    try:
        nodes = cells_grid.find_grid(grey).nodes
    except cells_grid.GridError:
        return reason
    seen = nodes.shape[0] - 1, nodes.shape[1] - 1
    if seen == shape[::-1] and seen != shape:
        return "the page lies on its side; turn it"
    return f"the page seems to have {seen[0]}x{seen[1]} cells, not {shape[0]}x{shape[1]}"


def _read_forms(picture):
    from shuzi.dataset import cells_form, forms

    found = cells_form.read_forms(picture)
    if not found:
        return None
    sheets, drawings = [], []
    for form in found:
        if isinstance(form, cells_form.Unreadable):
            continue
        names = {(cell.row, cell.column): cell.name for cell in forms.cells(form.page)}
        made = [_about(cell, names[cell.row, cell.column]) for cell in form.cells]
        sheets.append({"form": list(form.page), "writer": forms.writer_name(form.page), "cells": made})
        drawings.append(_drawn(form.flat.picture, form.cells, names))
    unread = [form.reason for form in found if isinstance(form, cells_form.Unreadable)]
    height = max((drawing.shape[0] for drawing in drawings), default=1)
    drawings = [
        cv2.copyMakeBorder(d, 0, height - d.shape[0], 0, 12, cv2.BORDER_CONSTANT, value=(255,) * 3) for d in drawings
    ]
    return sheets, unread, np.hstack(drawings) if drawings else np.zeros((1, 1, 3), np.uint8)


def _about(cell, name):
    return {"row": cell.row, "column": cell.column, "state": cell.state, "class": name, "picture": cell.picture}


def _drawn(flat, found, names):
    """The page as it was laid flat, a frame round what was taken of each cell, and the class."""
    drawing = flat.copy()
    for cell in found:
        x, y, width, height = cell.box
        colour = COLOURS[cell.state]
        cv2.rectangle(drawing, (x, y), (x + width, y + height), colour, 1 if cell.state == "empty" else 2)
        if cell.state == "filled":
            text = names[cell.row, cell.column].encode("ascii", "backslashreplace").decode()[:8]
            cv2.putText(drawing, text, (x, max(y - 3, 10)), cv2.FONT_HERSHEY_SIMPLEX, 0.42, colour, 1, cv2.LINE_AA)
        elif cell.state == "crossed out":
            cv2.line(drawing, (x, y), (x + width, y + height), colour, 2)
    return drawing
