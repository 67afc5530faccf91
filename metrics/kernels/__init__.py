"""Loops over pixels, by kind of mathematics.

The kernels drop the GIL and never start threads of their own: parallelism is over images, so a score cannot depend on
the number of cores.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from fusionbench.compiling import compiled

F = TypeVar("F", bound=Callable[..., Any])


def jit(function: F) -> F:
    """Compile on first use, keep on disk, release the GIL. IEEE arithmetic to the letter."""
    return compiled(function, __file__)


def jit_fused(function: F) -> F:
    """As `jit`, but a product and the sum it enters may be one fused multiply-add.

    That rounds once instead of twice and doubles the speed of windowed sums. It changes no NaN or zero rule.
    """
    return compiled(function, __file__, fastmath={"contract"})
