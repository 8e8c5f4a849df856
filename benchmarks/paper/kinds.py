"""The kinds of pictures, by name, and the groups that are summed up: `draw` gives the bytes of one file."""

import zlib

import numpy as np

from shuzi.drawing.handwriting import draw as draw_strokes
from shuzi.drawing.handwriting import make_writer

from . import makers as make
from . import scanner, spoilt
from .makers import SEED, Hand


def draw(kind, number, name, seed=0):
    """One file of a kind: bytes. name: class written, or None for an empty page. Always the same for the same
    arguments.
    """
    rng = np.random.default_rng([SEED, seed, zlib.crc32(kind.encode()), number])
    strokes = None
    if name is not None:
        writer = make_writer(SEED + seed, int(rng.integers(1_000_000)))
        strokes = draw_strokes(name, writer, rng)
    return KINDS[kind](Hand(strokes, name), rng)


KINDS = {}
FEWER = {"photo, 12 megapixels": 20}  # at most: they are slow to draw
for _paper, _title in make.TITLES.items():
    KINDS[f"{_title}, scanned"] = make.on_paper(_paper, False)
    KINDS[f"{_title}, photo"] = make.on_paper(_paper, True)
KINDS |= {
    "a cell cut with its lines, scanned": make.cell_cut(False),
    "a cell cut with its lines, photo": make.cell_cut(True),
    "framed, ballpoint": make.framed("ballpoint"),
    "framed, pencil": make.framed("pencil"),
    "framed, felt pen": make.framed("felt pen"),
    "framed, marker": make.framed("marker"),
    "photo, plain paper": make.photo(shadow=0.0, whole=False),
    "photo, shadow": make.photo(shadow=1.0, whole=False),
    "photo, tinted paper": make.photo(tint=True, shadow=0.3),
    "photo, the table around": make.photo(whole=True, shadow=0.3),
    "photo, curled": make.photo(curl=0.9, shadow=0.2),
    "photo, 12 megapixels": make.large,
    "scanner edges": make.scanned(scanner.edges),
    "dark corner": make.scanned(scanner.corner),
    "gutter": make.scanned(scanner.gutter),
    "binarised": make.scanned(scanner.binarised, pens=("gel", "felt pen", "marker", "fountain pen", "ballpoint")),
    "poor JPEG": make.scanned(quality=(8, 35)),
    "pale pencil, scanned": spoilt.pale(False),
    "pale pencil, photo": spoilt.pale(True),
    "back shines through": spoilt.bleeding,
    "stains and folds": spoilt.stained,
    "a pen on the page": make.with_thing("pen"),
    "a finger on the page": make.with_thing("finger"),
    "a ruler on the page": make.with_thing("ruler"),
    "an eraser or a clip": make.any_of(make.with_thing("eraser"), make.with_thing("clip")),
    "app, light": make.app(False),
    "app, dark": make.app(True),
    "messenger, picture opened": make.messenger(True),
    "messenger, in a chat": make.messenger(False),
    "photo of a screen": make.screen_photo,
    "a printed form": spoilt.form,
    "colour on equal grey": make.equal_grey,
    "half-opaque white on clear": make.clear(True),
    "dark on clear": make.clear(False),
    "chalk on a blackboard": make.board(False),
    "whiteboard": make.board(True),
    "clean scan": make.scanned(),
    "clean scan, light on dark": make.scanned(make.negative),
    "bitmap": make.bitmap(False),
    "bitmap, light on dark": make.bitmap(True),
    "close crop": make.close_crop,
}
for _paper, _title in make.TITLES.items():
    KINDS[f"empty: {_title}"] = make.empty(make.any_of(make.on_paper(_paper, False), make.on_paper(_paper, True)))
KINDS |= {
    "empty: plain, scanned": make.empty(make.any_of(make.scanned(), make.scanned(quality=(15, 40)))),
    "empty: plain, photo": make.empty(
        make.any_of(make.photo(), make.photo(tint=True), make.photo(shadow=1.0), make.photo(whole=True))
    ),
    "empty: back shines through": make.empty(spoilt.bleeding),
    "empty: a printed form": make.empty(spoilt.form),
    "empty: scanner edges": make.empty(
        make.any_of(make.scanned(scanner.edges), make.scanned(scanner.corner), make.scanned(scanner.gutter))
    ),
    "empty: framed cell": make.empty(make.any_of(*(make.framed(pen) for pen in ("ballpoint", "marker")))),
    "empty: a thing on the page": make.empty(
        make.any_of(*(make.with_thing(kind) for kind in ("pen", "ruler", "eraser", "finger")))
    ),
    "empty: boards, apps": make.empty(
        make.any_of(make.board(True), make.board(False), make.app(False), make.app(True))
    ),
}


GROUPS = {  # the parts of a name that say to which one a kind belongs; the first group that fits
    "empty pages": ("empty",),
    "real cells": ("real cells",),
    "situations": ("situation",),
    "practice paper": (*make.TITLES.values(), "a cell cut"),
    "framed cells": ("framed",),
    "photos": ("photo,",),
    "scanner edges": ("scanner edges", "dark corner", "gutter"),
    "things on the page": (" on the page", "an eraser"),
    "screenshots": ("app,", "picture opened"),
    "print around": ("in a chat", "a printed form"),
    "colours, boards, screens": ("colour", "half-opaque", "dark on clear", "chalk", "whiteboard", "photo of a screen"),
    "spoilt pages": ("binarised", "poor JPEG", "pale", "back shines", "stains"),
    "clean scans and bitmaps": ("clean scan", "bitmap", "close crop"),
}


def group(kind):
    """Which kinds are summed up together."""
    return next((name for name, starts in GROUPS.items() if any(part in kind for part in starts)), kind)
