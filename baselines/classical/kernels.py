"""How the loops over pixels of the classical methods are compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

F = TypeVar("F", bound=Callable[..., Any])


def jit(function: F) -> F:
    """Compile on first use, keep on disk, release the GIL. IEEE arithmetic to the letter: no fused multiply-add."""
    return cast("F", njit(cache=True, nogil=True, error_model="numpy")(function))
