"""Work in threads, or on a cluster: how many there are, what comes of them, and what they have to wait for."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from typing import Any, Final, TypeVar, cast

from fusionbench.types import UserError

T = TypeVar("T")
R = TypeVar("R")

COMPILING: Final = "Compiling kernels, once per machine (20 seconds for the core metrics, a minute for all) ..."
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


class Stop:
    """A sign that work should end. Work that was sent to another machine never sees it, and finishes its item."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def set(self) -> None:
        """Give the sign."""
        self._event.set()

    def is_set(self) -> bool:
        """Whether it was given."""
        return self._event.is_set()

    def __reduce__(self) -> tuple[type[Stop], tuple[()]]:
        return Stop, ()


def as_finished(
    work: Callable[[T], R],
    items: Iterable[T],
    threads: int,
    tick: Callable[[], None] | None = None,
    cluster: str | None = None,
    stop: Stop | None = None,
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
    cluster : str, optional
        Address of a Dask scheduler, e.g. ``"tcp://head:8786"``, whose workers do it instead; work, items and results
        travel as pickles, files are expected where they are here.
    stop : Stop, optional
        Set when nobody waits for results any more, before what runs is waited for.

    Yields
    ------
    object
        Results, in the order in which they come. Leaving early, whatever has begun is finished first.

    Notes
    -----
    Meanwhile BLAS works in one thread, so that `threads` is how many there are, and no result depends on the machine.
    """
    from threadpoolctl import threadpool_limits

    pool = _cluster(cluster) if cluster else ThreadPoolExecutor(threads)
    futures: set[Future[R]] = set()
    finished: SimpleQueue[Future[R]] = SimpleQueue()
    # Threads of BLAS below ours would spin while they wait for one another: several times slower on busy cores.
    blas = threadpool_limits(1, user_api="blas")
    try:
        futures |= {pool.submit(work, item) for item in items}
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
            # Nobody holds on to a result that was handed out: there may be very many.
            futures.discard(future)
            yield future.result()
    finally:
        if stop:
            stop.set()
        for future in futures:
            future.cancel()
        pool.shutdown()
        blas.restore_original_limits()


def _cluster(address: str) -> Executor:
    try:
        from distributed import Client
    except ImportError:
        raise UserError("A cluster needs Dask: pip install 'fusionbench[cluster]'.") from None
    try:
        client: Any = Client(address, timeout=10, set_as_default=False)  # type: ignore[no-untyped-call]
        return cast(Executor, client.get_executor())
    except (OSError, ValueError) as error:
        raise UserError(
            f"No Dask scheduler answers at '{address}': start one with 'dask scheduler' ({error})."
        ) from None


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
