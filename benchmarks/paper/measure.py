"""Reads pictures as predict.py does and counts: what was right, what was wrong and sure, what was said to be empty.

Pictures are drawn and prepared in processes of their own, a few at a time; this process holds the model.
"""

import io
import math
import multiprocessing
import os
import signal
import tempfile
import time
from collections import Counter, deque, namedtuple
from concurrent.futures import ProcessPoolExecutor

import cv2
import numpy as np
from PIL import Image

import predict

BATCH = 8  # pictures that a process draws and prepares at a time
THUMB = 190  # pixels; side of a picture on a contact sheet

# One picture to read. number, seed: of a drawn one; source: of a real one; truth: class, or None for an empty page or
# no numeral.
Job = namedtuple("Job", "kind number seed source truth")
# What came of it. outcome: right, wrong, several, empty; sure: nothing was flagged; answer: what was read; found:
# uint8 (64, 64) or None.
Outcome = namedtuple("Outcome", "job outcome sure answer found thumb reason milliseconds")


def wilson(right, n, z=1.96):
    """The 95% interval of a share: (low, high), 0..1 (E. B. Wilson, JASA 22, 1927)."""
    if n == 0:
        return 0.0, 1.0
    share = right / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max(0.0, middle - half), min(1.0, middle + half)


_folder = None


def _start():
    global _folder
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    cv2.setNumThreads(1)
    _folder = tempfile.TemporaryDirectory()
    prepare(picture_of(Job("bitmap", 0, 0, None, "5")))  # whatever is loaded at the first picture isn't timed


def picture_of(job):
    """The bytes of a job's file."""
    if job.source is not None:
        from . import real

        return real.load(job.source)
    from . import kinds

    return kinds.draw(job.kind, job.number, job.truth, job.seed)


def prepare(content):
    """A file's bytes, prepared as predict.py does: (Prepared, milliseconds of processor)."""
    global _folder
    _folder = _folder or tempfile.TemporaryDirectory()
    path = os.path.join(_folder.name, "picture.png" if content[:4] == b"\x89PNG" else "picture.jpg")
    with open(path, "wb") as file:
        file.write(content)
    start = time.process_time()
    prepared = predict.prepare(path)
    return prepared, 1000 * (time.process_time() - start)


def thumbnail(content):
    """A small JPEG of a file, a clear ground shown as pink: bytes."""
    with Image.open(io.BytesIO(content)) as image:
        if image.mode == "RGBA":
            image = Image.alpha_composite(Image.new("RGBA", image.size, (250, 190, 230, 255)), image)
        image = image.convert("RGB")
    if max(image.size) < THUMB // 2:
        larger = THUMB // max(image.size)
        image = image.resize((image.width * larger, image.height * larger), Image.NEAREST)
    image.thumbnail((THUMB, THUMB))
    out = io.BytesIO()
    image.save(out, "JPEG", quality=88)
    return out.getvalue()


def _work(jobs, thumbs):
    done = []
    for job in jobs:
        content = picture_of(job)
        prepared, spent = prepare(content)
        done.append((job, prepared, spent, thumbnail(content) if thumbs else None))
    return done


def judge(done, reader):
    """Outcomes of a batch, as predict.py reads it."""
    rows = predict.read_batch([prepared for _, prepared, *_ in done], reader)
    for (job, _, spent, thumb), found in zip(done, rows):
        first = found[0]
        sure = bool(first.best) and not any("unsure" in row.note for row in found)
        if not first.best:
            outcome, answer = "empty", "empty"
        elif len(found) > 1:
            outcome, answer = "several", " ".join(row.best[0][0] for row in found)
        else:
            answer = first.best[0][0]
            outcome = "right" if answer == job.truth else "wrong"
        yield Outcome(job, outcome, sure, answer, first.glyph, thumb, first.note if not first.best else "", spent)


def measure(jobs, reader, processes, thumbs=False):
    """Yields an Outcome for each job, in order; a few batches are in work at a time."""
    batches = [jobs[start : start + BATCH] for start in range(0, len(jobs), BATCH)]
    if processes == 0:  # in this process
        for batch in batches:
            yield from judge(_work(batch, thumbs), reader)
        return
    with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn"), _start) as pool:
        try:
            waiting, rest = deque(), iter(batches)
            for batch in rest:
                waiting.append(pool.submit(_work, batch, thumbs))
                if len(waiting) >= 3 * processes:
                    yield from judge(waiting.popleft().result(), reader)
            while waiting:
                yield from judge(waiting.popleft().result(), reader)
        finally:
            pool.shutdown(cancel_futures=True)


class Tally:
    """Counts of one kind, or of several together."""

    def __init__(self):
        self.counts, self.n, self.sure_wrong, self.unsure, self.times = Counter(), 0, 0, 0, []

    def add(self, outcome, wanted):
        """wanted: the outcome that is right for this job: right, empty, or unsure."""
        self.n += 1
        self.counts[outcome.outcome] += 1
        self.unsure += not outcome.sure and outcome.outcome != "empty"
        good = outcome_is(outcome, wanted)
        self.counts["good"] += good
        self.sure_wrong += outcome.sure and not good
        self.times.append(outcome.milliseconds)

    def as_dict(self):
        low, high = wilson(self.counts["good"], self.n)
        return {
            "pictures": self.n,
            "right": self.counts["good"] / self.n,
            "low": low,
            "high": high,
            "sure_and_wrong": self.sure_wrong / self.n,
            "unsure": self.unsure / self.n,
            "said_empty": self.counts["empty"] / self.n,
            "several": self.counts["several"] / self.n,
            "milliseconds": float(np.median(self.times)),
        }


def outcome_is(outcome, wanted):
    """Whether a picture was read as it should be."""
    if wanted == "unsure":
        return not outcome.sure
    return outcome.outcome == wanted
