"""Worker processes: items go out in chunks, results come back in order, and what fails on one item costs that alone.

An error on one item, or a worker that dies of it, becomes a Failure in the place of its result. Workers never see
Ctrl-C, end with the run, and keep what libraries print to themselves.
"""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any, NamedTuple

from shuzi.core.command import Problem

CHUNK = 1000  # items at most
LOAD = 1_000_000  # of the items of a chunk; bytes, where the items are pictures


class Failure(NamedTuple):
    """In the place of a result: why there is none, in one line."""

    reason: str
    lasting: bool = False  # the same item will give the same reason again


def failure_of(error: Exception) -> Failure:
    """What an error on one item means for it. A Problem is for good; anything unforeseen is a fault of the program."""
    if isinstance(error, Problem):
        return Failure(str(error), True)
    if isinstance(error, OSError):
        return Failure(f"can't be read: {error.strerror or error}")
    if isinstance(error, MemoryError):
        return Failure("there is not enough memory for it")
    return Failure(f"the program failed on it, {type(error).__name__}: {' '.join(str(error).split())}")


class Workers:
    """Use as `with Workers(work, jobs) as workers: for item, result in workers.map(items): …`.

    work: takes a list of items, returns a list of their results, Failures among them. An error that it raises is put
    down to the item that raises it alone; but an OSError ends the run, for then what is written has no room, say.
    It goes to each worker once, so it must be picklable, such as a functools.partial.
    jobs: processes; 0 works in this one, for where starting others takes longer than it saves.
    ahead: chunks that are under way at a time, which bounds the memory (default: 3 a process).
    """

    def __init__(self, work: Callable[[list], list], jobs: int, ahead: int | None = None):
        self.work = work
        self.jobs = jobs
        self.ahead = ahead or 3 * jobs + 1
        self.executor: ProcessPoolExecutor | None = None

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def start(self) -> None:
        """Start the workers, and have them load what they need, before there is work for them."""
        for _ in range(self.jobs):
            self._submit([])

    def map(
        self,
        items: Iterable,
        load: Callable[[Any], float] = lambda item: 0,
        done: Callable[[Any], bool] = lambda item: False,
    ) -> Iterator[tuple[Any, Any]]:
        """Yields (item, its result) in the order of the items. The first chunks are sent out at once.

        load: what an item weighs; a chunk is full at LOAD. done: asked for each item; what is done already is passed
        on with None for a result.
        """
        chunks = _chunks(items, load, done)
        window = deque()  # chunks whose results are awaited

        def fill():
            while len(window) < self.ahead and (chunk := next(chunks, None)):
                todo = [item for item, is_done in chunk if not is_done]
                window.append((chunk, todo, self._submit(todo) if todo else None))

        def results():
            while window:
                chunk, todo, future = window.popleft()
                made = iter(self._results(future, todo) if todo else ())
                fill()
                for item, is_done in chunk:
                    yield item, None if is_done else next(made)
            self.close(wait=False)  # nothing is under way: they may end while the rest is done

        fill()
        return results()

    def close(self, wait: bool = True) -> None:
        """End the workers; what is under way is dropped."""
        if self.executor:
            self.executor.shutdown(wait, cancel_futures=True)
            self.executor = None

    def _submit(self, todo: list) -> Future | None:
        if not self.jobs:
            return None
        if not self.executor:
            # spawn: on every system alike, and TensorFlow's threads don't survive a fork
            context = multiprocessing.get_context("spawn")
            self.executor = ProcessPoolExecutor(self.jobs, context, _start_worker, (self.work,))
        try:
            with _interrupts_later():  # the workers start at the first one
                return self.executor.submit(_work_in_worker, todo)
        except BrokenProcessPool:
            self.close()
            return self._submit(todo)

    def _results(self, future, todo):
        """Of these items; where a worker ended meanwhile, each is tried alone."""
        if not future:
            return _work(self.work, todo)
        try:
            return future.result()
        except BrokenProcessPool:
            return [self._alone(item) for item in todo]

    def _alone(self, item):
        """One item with the workers to itself, so that it is the one to blame if they end."""
        try:
            self._submit([]).result()
        except BrokenProcessPool:  # of other items under way: none is after this
            try:
                self._submit([]).result()
            except BrokenProcessPool:
                raise Problem("worker processes end as soon as they start; is there enough memory?") from None
        try:
            return self._submit([item]).result()[0]
        except BrokenProcessPool:
            return Failure("the program crashed on it")


def _chunks(items, load, done):
    """Yields lists of (item, whether it is done); one large photo is a chunk, and so are 25 small pictures."""
    chunk, weight = [], 0
    for item in items:
        is_done = done(item)
        chunk.append((item, is_done))
        weight += 0 if is_done else load(item)
        if weight > LOAD or len(chunk) == CHUNK:
            yield chunk
            chunk, weight = [], 0
    if chunk:
        yield chunk


def _work(work, items):
    """The results of these items; where something unforeseen is raised, one by one, to find which raises it."""
    try:
        return work(items)
    except OSError:
        raise
    except Exception as error:
        return [failure_of(error)] if len(items) == 1 else [_work(work, [item])[0] for item in items]


def _start_worker(work):
    """Runs first in each worker process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the main process, which ends this one
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # where libtiff and others print notes; errors are raised
    global WORK
    WORK = work


def _work_in_worker(items):
    return _work(WORK, items)


def _end_with_parent():
    multiprocessing.parent_process().join()
    os._exit(1)


@contextmanager
def _interrupts_later():
    """A Ctrl-C waits until the block ends; processes that start in it never get one."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows, where workers are deaf to it once they run
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
