"""Nuclear norms of very many very small matrices: LAPACK's general routines spend their time on being called."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..card import Plane
from .kernels import jit

SIDE: Final = 8
"""Rows and columns of each matrix."""

# Squared element beside the diagonal that counts as 0, as a fraction of the squared trace.
_NOTHING: Final = 1e-32


@jit
def nuclear_norms(matrices: Plane) -> NDArray[np.float64]:
    """Sums of singular values, as the roots of the eigenvalues of A'A.

    Parameters
    ----------
    matrices : ndarray, (n, 64)
        Each row the 64 elements of one 8x8 matrix A, row by row or column by column.

    Returns
    -------
    ndarray, (n,)
        Within about 1e-7 of the largest singular value: a smaller one is lost in its square.
    """
    norms = np.empty(matrices.shape[0])
    square = np.empty((SIDE, SIDE))
    diagonal, beside, scratch = np.empty(SIDE), np.empty(SIDE), np.empty(SIDE)
    for n in range(matrices.shape[0]):
        _square(matrices[n], square)
        _tridiagonalise(square, diagonal, beside, scratch)
        _diagonalise(diagonal, beside, _NOTHING * diagonal.sum() ** 2)
        total = 0.0
        for i in range(SIDE):
            total += math.sqrt(max(diagonal[i], 0.0))
        norms[n] = total
    return norms


@jit
def _square(matrix: NDArray[np.float64], square: Plane) -> None:
    """A'A of the 64 elements of A."""
    for a in range(SIDE):
        for b in range(a + 1):
            total = 0.0
            for k in range(SIDE):
                total += matrix[SIDE * k + a] * matrix[SIDE * k + b]
            square[a, b] = total
            square[b, a] = total


@jit
def _tridiagonalise(
    a: Plane, diagonal: NDArray[np.float64], beside: NDArray[np.float64], shift: NDArray[np.float64]
) -> None:
    """Householder reflections, from the last row upwards, leave a diagonal and what stands beside it, squared.

    ``a`` is destroyed.
    """
    for k in range(SIDE - 1, 0, -1):
        diagonal[k] = a[k, k]
        last = a[k, k - 1]
        length = 0.0
        for j in range(k - 1):
            length += a[k, j] * a[k, j]
        if length == 0.0:
            beside[k - 1] = last * last
            continue
        length += last * last
        beside[k - 1] = length
        # The mirror's normal v = a[k, :k] + sign(last) sqrt(length) e, and half its squared length.
        mirrored = math.copysign(math.sqrt(length), last)
        a[k, k - 1] = last + mirrored
        half = length + last * mirrored
        along = 0.0
        for i in range(k):
            total = 0.0
            for j in range(k):
                total += a[i, j] * a[k, j]
            shift[i] = total / half
            along += shift[i] * a[k, i]
        along /= 2.0 * half
        for i in range(k):
            shift[i] -= along * a[k, i]
        for i in range(k):
            for j in range(i + 1):
                a[i, j] -= a[k, i] * shift[j] + shift[i] * a[k, j]
                a[j, i] = a[i, j]
    diagonal[0] = a[0, 0]


@jit
def _diagonalise(diagonal: NDArray[np.float64], beside: NDArray[np.float64], nothing: float) -> None:
    """Turn a tridiagonal matrix into its eigenvalues by the QL iteration without square roots (Pal, Walker, Kahan).

    ``beside[i]`` is the square of the element between the diagonal's i and i + 1; up to ``nothing`` it counts
    as 0.
    """
    for first in range(SIDE):
        while True:
            last = first
            while last < SIDE - 1 and beside[last] > nothing:
                last += 1
            if last == first:
                break
            # Wilkinson's shift: the eigenvalue of the first 2x2 block that is nearer to its first element.
            root = math.sqrt(beside[first])
            slope = (diagonal[first + 1] - diagonal[first]) / (2.0 * root)
            shift = diagonal[first] - root / (slope + math.copysign(math.sqrt(slope * slope + 1.0), slope))
            cosine, sine = 1.0, 0.0
            gamma = diagonal[last] - shift
            rest = gamma * gamma
            for i in range(last - 1, first - 1, -1):
                squared = beside[i]
                total = rest + squared
                if i != last - 1:
                    beside[i + 1] = sine * total
                cosine_before, gamma_before = cosine, gamma
                cosine, sine = rest / total, squared / total
                gamma = cosine * (diagonal[i] - shift) - sine * gamma_before
                diagonal[i + 1] = gamma_before + (diagonal[i] - gamma)
                rest = gamma * gamma / cosine if cosine != 0.0 else cosine_before * squared
            beside[first] = sine * rest
            diagonal[first] = shift + gamma
