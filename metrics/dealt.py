"""Planes as the windowed kernels read them: dealt into lanes, in bands of columns, all fused images together."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .kernels.windows import BAND, deal

Plane = NDArray[Any]

OVERLAP = 16
"""Columns that a band shares with the next: the widest window, less one."""


class Band(NamedTuple):
    """A vertical strip of both sources and all fused images."""

    ir: Plane
    vis: Plane
    fused: Plane
    start: int
    step: int
    width: int
    """Of the whole image."""

    def columns(self, size: int) -> int:
        """Positions of a window of `size` columns that begin in this band."""
        return min(self.step, self.width - size + 1 - self.start)


def bands(ir: Plane, vis: Plane, fused: Sequence[Plane]) -> Iterator[Band]:
    """Planes (H, W) of one type, dealt; (H, 8 * length) each, the fused ones stacked."""
    width = ir.shape[1]
    step = -(-width // -(-width // BAND))
    for start in range(0, width, step):
        here = slice(start, start + step + OVERLAP)
        stack = np.stack([deal(plane[:, here]) for plane in fused])
        yield Band(deal(ir[:, here]), deal(vis[:, here]), stack, start, step, width)


_local = threading.local()


def scratch(numbers: int) -> NDArray[np.float64]:
    """Working memory of this thread, on a cache line; reused, since fresh pages cost more than what is computed in them."""
    memory: NDArray[np.float64] | None = getattr(_local, "memory", None)
    if memory is None or memory.size < numbers:
        block = np.zeros(numbers + 8)
        first = (-block.ctypes.data % 64) // 8
        memory = _local.memory = block[first : first + numbers]
    return memory
