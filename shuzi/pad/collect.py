"""A round of collecting: a class writes on its phones, the teacher looks on; drawings → hwtrainset/.

`Round` keeps the round. All that it knows is in the files, so a program that was killed goes on where it was:

    hwtrainset/<class>/pad_writer-<id>_<n>.png            what was written, black on white
    hwtrainset/<class>/pad_writer-<id>_<n>.strokes.json   its strokes as points, and the drawing's own number

A phone numbers each drawing by chance and sends it until it has an answer; a number that was seen is not saved again.
The strokes are written first, the picture after them: strokes without a picture, where the program was killed
between, count for nothing and are written again.
"""

import json
import math
import os
import re
import secrets
import threading
import time
from collections import defaultdict
from pathlib import Path

import cv2
import numpy as np

from shuzi.core import numerals
from shuzi.core.files import replacing
from shuzi.pad.pictures import PadError, checked_class

SIDE = 320  # pixels of a saved drawing
PEN = 0.045  # width of the pen, in parts of the side, as on the pad's own page
MOST_STROKES, MOST_POINTS, MOST_BYTES = 100, 5000, 300_000  # of a drawing
MOST_WRITERS = 300
PER_SECOND, BURST = 2.0, 10  # drawings of one writer
DRAWING_ID = re.compile(r"[0-9a-f]{16,32}")
FILE = re.compile(r"pad_writer-([^\W_]{1,24})_(\d{1,9})\.strokes\.json")
ENDING = ".strokes.json"


class Round:
    """Who writes what, how often, and what there is of it."""

    def __init__(self, hwtrainset, classes, each):
        """classes: names, in the order in which they are asked for. each: drawings of each class by each writer."""
        self.root = Path(hwtrainset)
        self.classes = [checked_class(name) for name in classes]
        self.each = each
        self.lock = threading.RLock()
        self.drawings = {}  # its own number -> (writer, class, path of the picture)
        self.tokens = defaultdict(set)  # writer -> tokens of the phones that write as them
        self.allowed = {}  # writer -> (drawings that may come at once, when that was)
        self.highest = defaultdict(int)  # (class, writer) -> number of the last file
        for folder in self.root.iterdir() if self.root.is_dir() else ():
            if folder.is_dir() and not folder.name.startswith("."):
                self._look_into(folder)

    def _look_into(self, folder):
        for path in sorted(folder.glob("pad_writer-*")):
            match = FILE.fullmatch(path.name)
            if not match:
                match = re.fullmatch(r"pad_writer-([^\W_]{1,24})_(\d{1,9})\.png", path.name)
                if match:  # of Teach, too: its numbers are taken
                    self._taken(folder.name, match)
                continue
            picture = path.with_name(path.name.removesuffix(ENDING) + ".png")
            try:
                about = json.loads(path.read_text(encoding="utf-8"))
                number = about["drawing"]
            except (OSError, ValueError, KeyError, TypeError):
                continue
            if picture.exists():
                self.drawings[number] = match[1], numerals.class_name(folder.name), picture
                self._taken(folder.name, match)
            else:
                path.unlink(missing_ok=True)

    def _taken(self, name, match):
        key = numerals.class_name(name), match[1]
        self.highest[key] = max(self.highest[key], int(match[2]))

    def writers(self):
        return sorted({writer for writer, _, _ in self.drawings.values()} | set(self.tokens))

    def counts(self, writer):
        """How many drawings there are of each class: dict."""
        counts = dict.fromkeys(self.classes, 0)
        for whose, name, _ in self.drawings.values():
            if whose == writer and name in counts:
                counts[name] += 1
        return counts

    def join(self, name, token, same=False):
        """A phone begins, or goes on. name: as it was typed; empty takes a number.

        same: whether to go on as a writer of that name who is there already. Returns the writer's id. Raises PadError;
        code "taken" where the name is another phone's.
        """
        if not re.fullmatch(r"[0-9a-f]{16,64}", token or ""):
            raise PadError("the page is too old; load it again")
        wanted = "".join(re.findall(r"[^\W_]", name or ""))[:24].lower()
        if name.strip() and not wanted:
            raise PadError("a name has letters or digits", "bad-writer")
        with self.lock:
            there = self.writers()
            if not wanted:
                wanted = next(f"s{n:02d}" for n in range(1, MOST_WRITERS + 2) if f"s{n:02d}" not in there)
            elif wanted in there and token not in self.tokens[wanted] and not same:
                raise PadError(f"{wanted} is taken", "taken", 409)
            elif wanted not in there and len(there) >= MOST_WRITERS:
                raise PadError(f"there are {MOST_WRITERS} writers already", "full")
            self.tokens[wanted].add(token)
            return wanted

    def save(self, writer, token, name, number, strokes):
        """Save a drawing; one whose number was seen is not saved again. Returns the counts. Raises PadError."""
        name = numerals.class_name(name)
        if name not in self.classes or not DRAWING_ID.fullmatch(number or ""):
            raise PadError("no such class in this round", "bad-class")
        strokes = checked_strokes(strokes)
        with self.lock:
            self._may(writer, token)
            if number in self.drawings:
                return self.counts(writer)
            self._slow_down(writer)
            self.highest[name, writer] += 1
            stem = f"pad_writer-{writer}_{self.highest[name, writer]:04d}"
            folder = self.root / name
            about = {"drawing": number, "class": name, "writer": writer, "strokes": strokes}
            try:
                folder.mkdir(parents=True, exist_ok=True)
                picture = folder / f"{stem}.png"
                with replacing(folder / f"{stem}{ENDING}", folder / f".{stem}.strokes.part") as part:
                    part.write_text(json.dumps(about, ensure_ascii=False), encoding="utf-8")
                with replacing(picture, folder / f".{stem}.png.part") as part:
                    part.write_bytes(cv2.imencode(".png", drawn(strokes))[1].tobytes())
            except OSError as error:
                raise PadError(f"can't be saved: {error.strerror or error}", "not-saved", 500) from error
            self.drawings[number] = writer, name, picture
            return self.counts(writer)

    def take_back(self, writer, token, number):
        """A writer's own drawing was none. Returns the counts. Raises PadError."""
        with self.lock:
            self._may(writer, token)
            if self.drawings.get(number, ("",))[0] == writer:
                self.refuse(number)
            return self.counts(writer)

    def refuse(self, number):
        """Put a drawing aside, into hwtrainset/.refused, where nothing is read."""
        with self.lock:
            if number not in self.drawings:
                raise PadError("there is no such drawing", status=404)
            _, name, picture = self.drawings.pop(number)
            aside = self.root / ".refused" / name
            aside.mkdir(parents=True, exist_ok=True)
            strokes = picture.with_name(picture.stem + ENDING)
            for path in strokes, picture:
                if path.exists():
                    os.replace(path, aside / f"{path.name.partition('.')[0]}-{number[:8]}{''.join(path.suffixes)}")

    def rename(self, writer, new):
        """Give a writer's drawings to another name. Raises PadError where that is taken."""
        new = "".join(re.findall(r"[^\W_]", new))[:24].lower()
        with self.lock:
            if not new or new in self.writers():
                raise PadError("that name is taken, or has no letters or digits", "taken", 409)
            for number, (whose, name, picture) in list(self.drawings.items()):
                if whose != writer:
                    continue
                self.highest[name, new] += 1
                target = picture.with_name(f"pad_writer-{new}_{self.highest[name, new]:04d}.png")
                old = picture.with_name(picture.stem + ENDING)
                about = json.loads(old.read_text(encoding="utf-8")) | {"writer": new}
                fresh = target.with_name(target.stem + ENDING)
                with replacing(fresh, fresh.with_name(f".{fresh.name}.part")) as part:
                    part.write_text(json.dumps(about, ensure_ascii=False), encoding="utf-8")
                os.replace(picture, target)
                old.unlink()
                self.drawings[number] = new, name, target
            self.tokens[new] |= self.tokens.pop(writer, set())

    def overview(self):
        """For the teacher: a list of dicts, one a writer."""
        with self.lock:
            mine = defaultdict(list)
            for number, (writer, name, _) in self.drawings.items():
                if name in self.classes:
                    mine[writer].append({"drawing": number, "class": name, "character": numerals.character(name)})
            goal = self.each * len(self.classes)
            return [
                {
                    "writer": writer,
                    "count": sum(min(count, self.each) for count in self.counts(writer).values()),
                    "of": goal,
                    "drawings": sorted(mine[writer], key=lambda one: self.classes.index(one["class"])),
                }
                for writer in self.writers()
            ]

    def _may(self, writer, token):
        """Raises PadError where a phone doesn't write as this writer."""
        if not token or token not in self.tokens.get(writer, ()):
            raise PadError("join first", "join", 401)

    def _slow_down(self, writer):
        now = time.monotonic()
        left, since = self.allowed.get(writer, (BURST, now))
        left = min(BURST, left + (now - since) * PER_SECOND)
        if left < 1:
            raise PadError("too many at once; wait a second", "slow", 429)
        self.allowed[writer] = left - 1, now


def checked_strokes(strokes):
    """Strokes as a phone sends them, or PadError: lists of points [x, y, milliseconds, pressure], x and y in 0-1."""
    try:
        checked = [[[float(value) for value in point[:4]] for point in stroke] for stroke in strokes]
    except (TypeError, ValueError, KeyError):
        raise PadError("these are no strokes", "bad-strokes") from None
    points = sum(map(len, checked))
    if not points or any(
        len(point) < 2 or not all(map(math.isfinite, point)) for stroke in checked for point in stroke
    ):
        raise PadError("nothing is written", "no-ink")
    if len(checked) > MOST_STROKES or points > MOST_POINTS:
        raise PadError("too many strokes", "too-large")
    rounded = [
        [[round(min(max(v, -0.2), 1.2), 4) for v in p[:2]] + [round(v, 3) for v in p[2:]] for p in stroke]
        for stroke in checked
    ]
    if max(np.ptp([p[:2] for stroke in rounded for p in stroke], axis=0)) < 0.04:
        raise PadError("nothing is written", "no-ink")
    return rounded


def drawn(strokes):
    """Strokes -> uint8 (SIDE, SIDE), black on white."""
    fine = 4
    picture = np.full((SIDE * fine, SIDE * fine), 255, np.uint8)
    for stroke in strokes:
        points = np.int32(np.rint(np.array([point[:2] for point in stroke]) * SIDE * fine))
        press = np.median([point[3] for point in stroke if len(point) > 3] or [0])
        width = PEN * (0.6 + 0.8 * press if 0 < press <= 1 else 1)
        thick = max(int(width * SIDE * fine), 1)
        cv2.polylines(picture, [points], False, 0, thick, cv2.LINE_AA)
        for end in points[0], points[-1]:
            cv2.circle(picture, tuple(end.tolist()), thick // 2, 0, -1, cv2.LINE_AA)
    return cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_AREA)


def new_key():
    return secrets.token_urlsafe(9)
