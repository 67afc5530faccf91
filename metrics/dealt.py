"""Planes as the windowed kernels read them: dealt into lanes, in bands of columns, all images of a scene together."""

from __future__ import annotations

import math
import sys
import threading
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from .kernels.windows import BAND, LANES, deal

Plane = NDArray[Any]

OVERLAP = 16
"""Columns that a band shares with the next: the widest window, less one."""


class Band(NamedTuple):
    """A vertical strip of a scene."""

    planes: Plane
    """(2 + k, H, 8 * length): ir, vis and the k fused images, dealt."""
    start: int
    step: int
    width: int
    """Of the whole image."""

    def columns(self, size: int) -> int:
        """Positions of a window of `size` columns that begin in this band."""
        return max(0, min(self.step, self.width - size + 1 - self.start))


def bands(planes: Sequence[Plane]) -> Iterator[Band]:
    """The planes of a scene, (H, W) each, dealt."""
    height, width = planes[0].shape
    step = -(-width // -(-width // BAND))
    for start in range(0, width, step):
        stop = min(start + step + OVERLAP, width)
        dealt = borrow((len(planes), height, -(-(stop - start) // LANES) * LANES), planes[0].dtype)
        for plane, out in zip(planes, dealt, strict=True):
            deal(plane, start, stop, out)
        yield Band(dealt, start, step, width)


class _Memory(threading.local):
    def __init__(self) -> None:
        self.blocks: list[NDArray[np.uint8]] = []


_memory = _Memory()
_LINE = 64
_HUGE = 1 << 21
"""A large block begins where a huge page of the system does, so that what is used most lies in one."""


def _idle(blocks: Sequence[NDArray[np.uint8]]) -> list[bool]:
    """Whether a block of a list is one that nobody has a view of."""
    # How many references the question itself makes depends on the release of Python: a block of nobody's shows it.
    *counts, nobody = [sys.getrefcount(block) for block in (*blocks, np.empty(0, np.uint8))]
    return [count == nobody + 1 for count in counts]


def borrow(shape: tuple[int, ...], dtype: DTypeLike = np.float64) -> NDArray[Any]:
    """An array of undefined content on a cache line, in memory of this thread that nobody uses any more.

    The memory is free again when the last view of it is gone. Fresh pages cost more than what the kernels compute in them.
    """
    size = math.prod(shape) * np.dtype(dtype).itemsize
    border = _HUGE if size > 2 * _HUGE else _LINE
    idle = _idle(_memory.blocks)
    fitting = [block for block, free in zip(_memory.blocks, idle, strict=True) if free and block.size >= size + border]
    if fitting:
        block = min(fitting, key=len)
    else:
        block = np.empty(size + border, np.uint8)
        # What is too small now would be too small next time.
        _memory.blocks = [other for other, free in zip(_memory.blocks, idle, strict=True) if not free] + [block]
    first = -block.ctypes.data % border
    return block[first : first + size].view(dtype).reshape(shape)
