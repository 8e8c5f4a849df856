"""Reads pictures as predict.py does and counts: what was right, what was wrong and sure, what was said to be empty.

Pictures are drawn and prepared in processes of their own, a few at a time; this process holds the model.
"""

import io
import math
import time
from collections import Counter, namedtuple
from functools import partial
from itertools import islice

import cv2
import numpy as np
from PIL import Image

from shuzi.core.workers import LOAD, Failure, Workers, failure_of
from shuzi.reading import characters

from . import kinds, real

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


def picture_of(job):
    """The bytes of a job's file."""
    return kinds.draw(job.kind, job.number, job.truth, job.seed) if job.source is None else real.load(job.source)


def prepare(content):
    """A file's bytes, prepared as predict.py does: (Prepared or Failure, milliseconds of processor)."""
    start = time.process_time()
    try:
        prepared = characters.prepare(content)
    except Exception as error:
        prepared = failure_of(error)
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


def work(jobs, thumbs):
    """For each job what was found, the milliseconds that took, and a thumbnail where wanted."""
    cv2.setNumThreads(1)
    if jobs:
        prepare(picture_of(Job("bitmap", 0, 0, None, "5")))  # whatever is loaded at the first picture isn't timed
    done = []
    for job in jobs:
        content = picture_of(job)
        done.append((*prepare(content), thumbnail(content) if thumbs else None))
    return done


def judge(done, reader):
    """Outcomes of a batch, as predict.py reads it. done: [(job, (Prepared or Failure, milliseconds, thumbnail))]."""
    readings = characters.read([prepared for _, (prepared, *_) in done], reader)
    for (job, (_, spent, thumb)), reading in zip(done, readings):
        found = reading.characters
        sure = bool(found) and not any(one.unsure for one in found)
        answer = " ".join(one.best[0][0] for one in found) or "empty"
        if len(found) == 1:
            outcome = "right" if answer == job.truth else "wrong"
        else:
            outcome = "several" if found else "empty"
        glyph = found[0].glyph if found else None
        yield Outcome(job, outcome, sure, answer, glyph, thumb, reading.reason, spent)


def measure(jobs, reader, processes, thumbs=False):
    """Yields an Outcome for each job, in order; a few batches are in work at a time."""
    with Workers(partial(work, thumbs=thumbs), processes) as workers:
        results = workers.map(jobs, load=lambda job: LOAD / (BATCH - 1))
        while batch := list(islice(results, BATCH)):
            for job, result in batch:
                if isinstance(result, Failure):
                    raise RuntimeError(f"{job.kind} {job.number}: {result.reason}")
            yield from judge(batch, reader)


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
