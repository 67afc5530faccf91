"""Taps of the steerable pyramid of five angular derivatives, as far as the wavelet form of VIF reads it.

Simoncelli and Freeman, ICIP 1995; the numbers are sp5Filters of matlabPyrTools, as pyrtools 1.1.1 has them: Copyright (c) 2016
LabForComputationalVision, MIT License. Only the vertical and the horizontal of the six orientations are here, and each table
without what follows by symmetry.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float64]


def _mirrored(quarter: list[list[float]], across: int = 1) -> Array:
    """A whole table from its first quarter, whose last row and column are the middle ones; odd from left to right if -1."""
    first = np.array(quarter)
    top = np.concatenate([first, across * first[:, -2::-1]], axis=1)
    return np.concatenate([top, top[-2::-1]])


FIRST_LOW = _mirrored(
    [
        [0.00341614, -0.01551246, -0.03848215],
        [-0.01551246, 0.05586982, 0.15925570],
        [-0.03848215, 0.15925570, 0.40304148],
    ]
)
"""Low-pass of the image itself, (5, 5)."""

LOW = _mirrored(
    [
        [0.00170808, -0.00489834, -0.00775624, -0.01888864, -0.01924108],
        [-0.00489834, -0.01046562, -0.01322234, 0.00821200, 0.02005976],
        [-0.00775624, -0.01322234, 0.02793492, 0.06554076, 0.07962786],
        [-0.01888864, 0.00821200, 0.06554076, 0.12852666, 0.16339236],
        [-0.01924108, 0.02005976, 0.07962786, 0.16339236, 0.20193080],
    ]
)
"""Low-pass from one level to the next, (9, 9)."""

VERTICAL = _mirrored(
    [
        [0.00277643, -0.00986904, -0.01021852, 0.0],
        [0.00496194, -0.00893064, -0.03075356, 0.0],
        [0.01026699, 0.01189859, -0.08226445, 0.0],
        [0.01455399, 0.02755155, -0.11732297, 0.0],
    ],
    across=-1,
)
"""Band of vertical edges, (7, 7); that of horizontal ones is its transpose."""
