"""A method in a process of its own, which can be ended when it takes too long, and whose death costs one image."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from fusionbench.types import Image, UserError

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess

    from fusionbench.recipe import Recipe


@dataclass(slots=True)
class _Child:
    process: SpawnProcess
    line: Connection


class Isolated:
    """Fuses in child processes, one a thread that asks; end them with `close`.

    It travels to other machines as one without children.
    """

    def __init__(self) -> None:
        self._mine = threading.local()
        self._all: list[_Child] = []
        self._lock = threading.Lock()

    def __reduce__(self) -> tuple[type[Isolated], tuple[()]]:
        return Isolated, ()

    def fuse(self, chosen: Recipe, ir: Image, vis: Image, what: str, timeout: float) -> Any:
        """`fusionbench.fusing.fuse_levels` in the child of this thread.

        Parameters
        ----------
        chosen, ir, vis, what
            As there.
        timeout : float
            Seconds; the child is killed after that.

        Returns
        -------
        ndarray of float64

        Raises
        ------
        UserError
            As there; or if it took too long, or the child died.
        """
        child = getattr(self._mine, "child", None) or self._start()
        try:
            # Functions of plugins are no module's that the child could import: it looks the method up by its name.
            child.line.send((replace(chosen, function=cast(Any, None)), ir, vis, what))
            if not child.line.poll(timeout):
                self._end(child)
                raise UserError(f"{chosen.label} took more than the {timeout:g} s that one image may take.")
            done, result = child.line.recv()
        except (EOFError, ConnectionError):
            child.process.join()
            code = child.process.exitcode
            self._end(child)
            raise UserError(f"{chosen.label} ended the process that it ran in (exit code {code}).") from None
        if not done:
            raise UserError(result)
        return result

    def close(self) -> None:
        """End every child."""
        for child in list(self._all):
            self._end(child)

    def _start(self) -> _Child:
        from fusionbench import plugins

        context = get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(theirs, plugins.loaded()), daemon=True)
        process.start()
        theirs.close()
        try:
            # Its imports and plugins do not count as the time of a method.
            trouble = ours.recv()
        except EOFError:
            trouble = "it ended at once"
        if trouble:
            process.join()
            raise UserError(f"The process that a method with a timeout runs in could not start: {trouble}")
        child = _Child(process, ours)
        with self._lock:
            self._all.append(child)
        self._mine.child = child
        return child

    def _end(self, child: _Child) -> None:
        child.process.kill()
        child.process.join()
        child.line.close()
        with self._lock:
            if child in self._all:
                self._all.remove(child)
        self._mine.child = None


def _serve(line: Connection, files: Sequence[Path]) -> None:
    """What a child does: fuse whatever it is sent, until nobody sends any more."""
    from threadpoolctl import threadpool_limits

    from fusionbench import plugins
    from fusionbench.baselines import METHODS
    from fusionbench.fusing import fuse_levels

    try:
        for file in files:
            plugins.run(file)
    except UserError as error:
        line.send(str(error))
        return
    line.send("")
    with threadpool_limits(1, user_api="blas"):
        while True:
            try:
                chosen, ir, vis, what = line.recv()
            except (EOFError, KeyboardInterrupt):
                return
            try:
                whole = replace(chosen, function=METHODS[chosen.method])
                line.send((True, fuse_levels(whole, ir, vis, what)))
            except UserError as error:
                line.send((False, str(error)))
            except Exception as error:
                line.send((False, f"it stopped with {type(error).__name__}: {error}"))
