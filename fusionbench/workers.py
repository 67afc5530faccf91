"""Work in threads: how many there are, what comes of them, and what they have to wait for."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from typing import Final, TypeVar

from fusionbench.types import UserError

T = TypeVar("T")
R = TypeVar("R")

COMPILING: Final = "Compiling kernels, once per machine (up to 20 seconds) ..."
_HEARTBEAT: Final = 0.2
"""Seconds between two ticks where nothing is finished meanwhile."""


def count(workers: int | None) -> int:
    """How many threads: as many as asked for, or one a core.

    Raises
    ------
    UserError
        If that is less than one.
    """
    if workers is None:
        # A container or a batch system may leave us fewer cores than the machine has.
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if workers < 1:
        raise UserError(f"{workers} workers cannot do anything: give at least 1.")
    return workers


def as_finished(
    work: Callable[[T], R], items: Iterable[T], threads: int, tick: Callable[[], None] | None = None
) -> Iterator[R]:
    """Do some work on every item, in threads, and get each result as soon as it is there.

    Parameters
    ----------
    work : callable
        What is done with an item. If it raises, the rest is not begun, and the error is raised here.
    items : iterable
        On what.
    threads : int
        How many at once.
    tick : callable, optional
        Called several times a second, also while nothing is finished.

    Yields
    ------
    object
        Results, in the order in which they come. Leaving early, whatever has begun is finished first.
    """
    pool = ThreadPoolExecutor(threads)
    finished: SimpleQueue[Future[R]] = SimpleQueue()
    try:
        futures = [pool.submit(work, item) for item in items]
        for future in futures:
            future.add_done_callback(finished.put)
        left = len(futures)
        while left:
            if tick:
                tick()
            try:
                future = finished.get(timeout=_HEARTBEAT)
            except Empty:
                continue
            left -= 1
            yield future.result()
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def telling_of_compilation(notice: Callable[[str], None] | None) -> Iterator[None]:
    """Say once, before it happens, that a kernel is not in the cache on disk and has to be compiled."""
    from numba.core import event

    class Teller(event.Listener):
        said = False

        def on_start(self, _: object) -> None:
            if notice and not self.said:
                self.said = True
                notice(COMPILING)

        def on_end(self, _: object) -> None:
            pass

    with event.install_listener("numba:compile", Teller()):
        yield
