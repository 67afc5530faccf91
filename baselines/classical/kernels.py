"""How the loops over pixels of the classical methods are compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from fusionbench.compiling import compiled

F = TypeVar("F", bound=Callable[..., Any])


def jit(function: F) -> F:
    """Compile on first use, keep on disk, release the GIL. IEEE arithmetic to the letter: no fused multiply-add."""
    return compiled(function, __file__)
