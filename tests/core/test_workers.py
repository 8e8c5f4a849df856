"""The worker processes: order, and what a fault on one item costs."""

import functools
import os
import signal
import time

import pytest

from shuzi.core.command import Problem
from shuzi.core.workers import Failure, Workers

posix = pytest.mark.skipif(os.name == "nt", reason="POSIX signals")


def work(factor, items):
    """What a worker does: multiplies; or fails as a word says."""
    results = []
    for item in items:
        if item == "raise":
            raise IndexError("of two\nlines")
        if item == "problem":
            raise Problem("as it says")
        if item == "full":
            raise OSError(28, "No space left on device", "somewhere")
        if item == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if item == "slow":
            time.sleep(0.3)
        results.append(item * factor)
    return results


def mapped(items, jobs, load=400_000, done=()):
    with Workers(functools.partial(work, 2), jobs) as workers:
        return list(workers.map(items, load=lambda item: load, done=lambda item: item in done))


@pytest.mark.parametrize("jobs", [0, 2])
def test_results_come_in_order_and_an_error_costs_its_item_only(jobs):
    items = ["slow", *range(20), "raise", *range(20, 40), "problem", 41]
    results = mapped(iter(items), jobs, done={7})
    assert [item for item, _ in results] == items
    found = dict(results)
    assert found.pop("slow") == "slowslow" and found.pop(7) is None
    assert found.pop("raise") == Failure("the program failed on it, IndexError: of two lines", lasting=False)
    assert found.pop("problem") == Failure("as it says", lasting=True)
    assert all(result == 2 * item for item, result in found.items())


@posix
def test_a_worker_that_dies_costs_the_item_it_died_of_only():
    items = [*range(10), "kill", *range(10, 20), "kill", 20]
    results = mapped(items, 2)
    assert [item for item, _ in results] == items
    assert [result for item, result in results if item == "kill"] == [Failure("the program crashed on it")] * 2
    assert all(result == 2 * item for item, result in results if item != "kill")


@pytest.mark.parametrize("jobs", [0, 1])
def test_no_room_ends_the_run(jobs):
    with pytest.raises(OSError, match="No space"):
        mapped([1, "full", 2], jobs)


def test_memory_stays_bounded():
    taken = []
    with Workers(functools.partial(work, 2), 0, ahead=3) as workers:
        results = workers.map((taken.append(i) or i for i in range(10_000)), load=lambda item: 300_000)
        for _ in range(5):
            next(results)
    assert len(taken) < 30
