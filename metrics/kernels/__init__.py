"""Loops over pixels, by kind of mathematics. The only place that knows numba.

The kernels drop the GIL and never start threads of their own: parallelism is over images, so a score cannot depend on
the number of cores.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

F = TypeVar("F", bound=Callable[..., Any])


def jit(function: F) -> F:
    """Compile on first use, keep on disk, release the GIL. IEEE arithmetic to the letter."""
    return cast("F", njit(cache=True, nogil=True, error_model="numpy")(function))


def jit_fused(function: F) -> F:
    """As `jit`, but a product and the sum it enters may be one fused multiply-add.

    That rounds once instead of twice and doubles the speed of windowed sums. It changes no NaN or zero rule.
    """
    return cast("F", njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})(function))
