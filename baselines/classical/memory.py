"""What depends on one source alone is computed once, though a method is called for one colour channel after another."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Hashable
from functools import wraps
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar

import numpy as np
from numpy.typing import NDArray

P = ParamSpec("P")
R = TypeVar("R")

# The source that stays and the channel that changes.
_PLANES = 2


class _Kept(Generic[R]):
    """Results for one plane, with a copy of it: it may have been written to since."""

    def __init__(self, plane: NDArray[Any], on_death: Callable[[object], object]) -> None:
        self.plane = weakref.ref(plane, on_death)
        self.content = plane.copy()
        self.results: dict[Hashable, R] = {}

    def holds(self, plane: NDArray[Any]) -> bool:
        return self.plane() is plane and np.array_equal(self.content, plane)


def kept_for(function: Callable[Concatenate[NDArray[Any], P], R]) -> Callable[Concatenate[NDArray[Any], P], R]:
    """Let a function of (plane, *hashable parameters) remember its results for the last planes, each thread for itself.

    A plane is known by its identity, so equal planes in two arrays are computed twice; one that was written to is
    computed again. Results go when their plane goes. Nobody may write to a result.

    Examples
    --------
    >>> @kept_for
    ... def total(plane, power):
    ...     print("computed")
    ...     return float((plane**power).sum())
    >>> plane = np.array([[1.0, 2.0]])
    >>> total(plane, 2), total(plane, 2)
    computed
    (5.0, 5.0)
    """
    per_thread = threading.local()

    @wraps(function)
    def remembering(plane: NDArray[Any], /, *args: P.args, **kwargs: P.kwargs) -> R:
        kept: dict[int, _Kept[R]] = per_thread.__dict__.setdefault("kept", {})
        key = id(plane)
        # Taken out and put back: a dictionary keeps its order, so the first is the one that was asked for longest ago.
        known = kept.pop(key, None)
        if known is None or not known.holds(plane):
            known = _Kept(plane, lambda _: kept.pop(key, None))
        kept[key] = known
        for oldest in list(kept)[:-_PLANES]:
            kept.pop(oldest, None)
        asked = (args, tuple(sorted(kwargs.items())))
        if asked not in known.results:
            known.results[asked] = function(plane, *args, **kwargs)
        return known.results[asked]

    return remembering
