"""How far long work is: a bar on a terminal, a line now and then elsewhere, nothing if it is over at once."""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

_PATIENCE: Final = 0.5
"""Seconds without a sign that nobody minds."""
_BETWEEN_LINES: Final = 5.0


class Progress:
    """Reports on stderr how much is done; use it as a context manager, and call it with what is done and the total.

    Parameters
    ----------
    what, unit : str
        Words for the work and for what is counted, e.g. ``"Scoring"`` and ``"images"``.
    quiet : bool
        Say nothing.
    """

    def __init__(self, what: str, unit: str, *, quiet: bool = False) -> None:
        self._what, self._unit, self._quiet = what, unit, quiet
        self._terminal = sys.stderr.isatty()
        self._bar: tuple[Bar, TaskID] | None = None
        self._open = ExitStack()

    def __enter__(self) -> Progress:
        self._start = time.monotonic()
        self._next = self._start + (_PATIENCE if self._terminal else _BETWEEN_LINES)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._open.close()

    def __call__(self, done: int, total: int) -> None:
        """Report that `done` of `total` are done."""
        now = time.monotonic()
        if self._quiet or now < self._next:
            return
        rate = done / (now - self._start)
        speed = f"{rate:.3g} {self._unit}/s, {_duration((total - done) / rate)} left" if done else "starting"
        if self._terminal:
            bar, task = self._bar = self._bar or self._show()
            bar.update(task, completed=done, total=total, speed=speed)
        else:
            print(f"{self._what}: {done} of {total} {self._unit}, {speed}", file=sys.stderr, flush=True)
            self._next = now + _BETWEEN_LINES

    def _show(self) -> tuple[Bar, TaskID]:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
        from rich.progress import Progress as Bar

        columns = TextColumn(self._what), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[speed]}")
        bar = self._open.enter_context(Bar(*columns, console=Console(stderr=True), transient=True))
        return bar, bar.add_task("", speed="")


def _duration(seconds: float) -> str:
    """A time that is easy to grasp.

    >>> [_duration(x) for x in (0.2, 59, 150, 7300)]
    ['1 s', '59 s', '2 min', '2.0 h']
    """
    if seconds < 60:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 3600 else f"{seconds / 3600:.1f} h"
