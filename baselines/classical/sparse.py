"""Sparse coding of image patches, and fusion by it: of two patches the one whose code has the larger sum wins.

A patch without its mean is written as a sum of few columns (atoms) of a dictionary, by orthogonal matching pursuit. A
busy patch needs large weights, so the sum of their magnitudes tells how much there is to see (Yang and Li, IEEE Trans.
Instrumentation and Measurement 59(4), 2010, doi:10.1109/TIM.2009.2026612).
"""

from __future__ import annotations

import math
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import as_file, files
from os import PathLike
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from fusionbench.types import UserError

from ..card import Plane
from .kernels import jit

TOLERANCE: Final = 0.1
"""Largest length of what a code leaves of an 8x8 patch, on the scale 0..255: about a hundredth of a level a pixel."""

_OWN: Final = "sr_dictionary.npz"
_NAMES: Final = ("D", "dictionary")
# Below these a correlation, squared, or the part of an atom that is new, squared, is rounding noise.
_NOTHING: Final = 1e-14
_UNIT: Final = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Dictionary:
    """What patches are written in. Two are equal only if they are one, so that results may be kept for it.

    Attributes
    ----------
    side : int
        Height and width of a patch, in pixels.
    columns : ndarray, (side * side, K)
        One atom of unit length a column: a patch read down its columns, one after the other.
    gram : ndarray, (K, K)
        The scalar products of all atoms.
    """

    side: int
    columns: Plane
    gram: Plane


class Codes(NamedTuple):
    """The patches of a plane, written in a dictionary.

    Attributes
    ----------
    grid : tuple of int
        How many rows and columns of patches; the patches follow one another row by row.
    means : ndarray, (N,)
        Mean level of each patch, which its code leaves out.
    atoms : ndarray of int32, (N, side * side)
        The atoms in the order in which they were taken.
    weights : ndarray, (N, side * side)
        Their weights; 0 behind the last atom.
    norms : ndarray, (N,)
        Sums of the magnitudes of the weights.
    """

    grid: tuple[int, int]
    means: Plane
    atoms: NDArray[np.int32]
    weights: Plane
    norms: Plane


def read_array(path: str | PathLike[str], names: Sequence[str]) -> NDArray[Any]:
    """The array of a user's file that goes by one of some names.

    Parameters
    ----------
    path : str or path
        A MATLAB file up to version 7 (``.mat``) or a NumPy archive (``.npz``).
    names : sequence of str
        What the array may be called; the first that the file holds is taken.

    Returns
    -------
    ndarray
        As it is stored.

    Raises
    ------
    UserError
        If there is no such file, it is neither of the two kinds, or it holds no real array of these names.
    """
    file = Path(path)
    if not file.is_file():
        raise UserError(f"'{file}' does not exist: give the path of a .mat or .npz file.")
    if file.suffix.lower() == ".mat":
        arrays = _read_mat(file, names)
    elif file.suffix.lower() == ".npz":
        arrays = _read_npz(file, names)
    else:
        raise UserError(f"'{file}' is neither a .mat nor a .npz file: save the array as one of them.")
    wanted = " or ".join(names)
    name = next((name for name in names if name in arrays), None)
    if name is None:
        raise UserError(f"'{file}' holds no array called {wanted}: rename the one that is meant.")
    array = arrays[name]
    if array.dtype.kind not in "fiu":
        raise UserError(f"The array {name} in '{file}' is of type {array.dtype}: give one of real numbers.")
    return array


@cache
def own_dictionary() -> Dictionary:
    """The dictionary that comes with the program; `learn_dictionary` made it."""
    with as_file(files(__package__) / "data" / _OWN) as file:
        return read_dictionary(file)


def read_dictionary(path: str | PathLike[str]) -> Dictionary:
    """A user's dictionary; it is kept until the file changes.

    Parameters
    ----------
    path : str or path
        A ``.mat`` or ``.npz`` file with an array ``D`` or ``dictionary``, (side * side, K): atoms of unit length as
        columns.

    Raises
    ------
    UserError
        If the file does not hold such an array.
    """
    file = Path(path)
    changed = file.stat().st_mtime_ns if file.is_file() else 0
    return _read_dictionary(file, changed)


def encode(plane: Plane, dictionary: Dictionary, stride: int, tolerance: float = TOLERANCE) -> Codes:
    """Write the patches of a plane in a dictionary.

    Parameters
    ----------
    plane : ndarray, (H, W)
        Any float64 plane.
    dictionary : Dictionary
        What to write in.
    stride : int
        Steps, in pixels, from one patch to the next on both axes. The last rows and columns may stay uncovered.
    tolerance : float
        An atom more is taken while what is left of a patch is longer than this (Euclidean norm).

    Raises
    ------
    UserError
        If the stride leaves gaps between patches, or the tolerance is not positive.
    """
    side = dictionary.side
    if not 1 <= stride <= side:
        raise UserError(f"stride={stride} does not cover the image without gaps: give 1 to {side}.")
    if not 0 < tolerance < math.inf:
        raise UserError(f"tolerance={tolerance} is out of range: give a positive length, in levels.")
    if min(plane.shape) < side:
        return Codes((0, 0), np.empty(0), np.empty((0, side**2), np.int32), np.empty((0, side**2)), np.empty(0))
    windows = sliding_window_view(plane, (side, side))[::stride, ::stride]
    patches = windows.transpose(0, 1, 3, 2).reshape(-1, side * side)
    means = patches.mean(axis=1)
    patches -= means[:, np.newaxis]
    atoms, weights = pursue(patches, dictionary, tolerance, side * side)
    return Codes((windows.shape[0], windows.shape[1]), means, atoms, weights, np.abs(weights).sum(axis=1))


def pursue(signals: Plane, dictionary: Dictionary, tolerance: float, most: int) -> tuple[NDArray[np.int32], Plane]:
    """Orthogonal matching pursuit of many signals in one dictionary.

    Parameters
    ----------
    signals : ndarray, (N, n)
        One signal a row.
    dictionary : Dictionary
        Its columns have length n.
    tolerance : float
        A signal is finished when what is left of it is no longer than this (Euclidean norm).
    most : int
        How many atoms a signal may have.

    Returns
    -------
    atoms : ndarray of int32, (N, most)
        Atoms in the order in which they were taken.
    weights : ndarray, (N, most)
        Their weights, 0 behind the last atom: the least-squares solution for these atoms.

    Notes
    -----
    In each step the atom with the largest correlation with the rest is taken. What it adds to the atoms before it is a
    direction of its own (Gram-Schmidt), of which only the scalar products with all atoms are needed, never the
    direction itself: these follow from the Gram matrix and the products of the directions before. So a step costs K
    multiplications for each atom taken so far. A signal also ends when its best atom was taken before, or has a
    squared correlation below 1e-14, or depends on the others to 1e-14.

    References
    ----------
    R. Rubinstein, M. Zibulevsky, M. Elad, Efficient implementation of the K-SVD algorithm using batch orthogonal
    matching pursuit, Technion CS-2008-08, 2008: the Gram matrix, the criteria to stop.
    """
    atoms = np.zeros((len(signals), most), dtype=np.int32)
    weights = np.zeros((len(signals), most))
    _pursue(np.ascontiguousarray(signals), dictionary.columns, dictionary.gram, tolerance**2, atoms, weights)
    return atoms, weights


def fuse_codes(p: Plane, q: Plane, of_p: Codes, of_q: Codes, dictionary: Dictionary, stride: int) -> Plane:
    """The mean of overlapping patches, each from the plane whose code has the larger norm.

    Parameters
    ----------
    p, q : ndarray, (H, W)
        Two planes.
    of_p, of_q : Codes
        Their codes in `dictionary`, with `stride`.

    Returns
    -------
    ndarray, (H, W)
        A winning patch brings its own mean; ties go to `p`. What no patch covers is the mean of the two planes: up to
        ``stride - 1`` last rows and columns, and all of a plane that is smaller than a patch.
    """
    rows, columns = of_p.grid
    covered = (slice((rows - 1) * stride + dictionary.side), slice((columns - 1) * stride + dictionary.side))
    fused: Plane = (p + q) / 2
    if of_p.norms.size:
        p_wins = of_p.norms >= of_q.norms
        means = np.where(p_wins, of_p.means, of_q.means)
        total, count = _overlap(
            fused[covered].shape,
            columns,
            stride,
            dictionary.side,
            np.ascontiguousarray(dictionary.columns.T),
            means,
            p_wins,
            (of_p.atoms, of_q.atoms),
            (of_p.weights, of_q.weights),
        )
        fused[covered] = total / count
    return fused


def _read_mat(file: Path, names: Sequence[str]) -> dict[str, NDArray[Any]]:
    from scipy.io import loadmat

    try:
        return dict(loadmat(file, variable_names=list(names)))
    except NotImplementedError as problem:
        raise UserError(f"'{file}' is a MATLAB 7.3 file: save it again with -v7.") from problem
    except Exception as problem:  # A damaged file makes scipy raise whatever it stumbles over.
        raise UserError(f"'{file}' cannot be read as a MATLAB file ({problem}): save it again.") from problem


def _read_npz(file: Path, names: Sequence[str]) -> dict[str, NDArray[Any]]:
    try:
        with np.load(file, allow_pickle=False) as archive:
            return {name: archive[name] for name in names if name in archive.files}
    except (OSError, ValueError, zipfile.BadZipFile) as problem:
        raise UserError(f"'{file}' cannot be read as a NumPy archive ({problem}): save it again.") from problem


@lru_cache(maxsize=4)
def _read_dictionary(file: Path, changed: int) -> Dictionary:
    columns = np.ascontiguousarray(read_array(file, _NAMES), dtype=np.float64)
    side = math.isqrt(columns.shape[0]) if columns.ndim == 2 else 0
    if side < 2 or side**2 != columns.shape[0]:
        raise UserError(
            f"'{file}' holds a dictionary of shape {columns.shape}: give (side * side, atoms) as in (64, 256)."
        )
    if not np.all(np.abs(np.linalg.norm(columns, axis=0) - 1) < _UNIT):
        raise UserError(f"'{file}' holds atoms whose length is not 1: divide each column by its Euclidean norm.")
    return dictionary_of(columns)


def dictionary_of(columns: Plane) -> Dictionary:
    """The dictionary with these columns, (side * side, K), of unit length each."""
    return Dictionary(math.isqrt(len(columns)), columns, np.ascontiguousarray(columns.T @ columns))


@jit
def _pursue(
    signals: Plane, columns: Plane, gram: Plane, tolerance2: float, atoms: NDArray[np.int32], weights: Plane
) -> None:
    length, size = columns.shape
    most = atoms.shape[1]
    products = np.zeros((most, size))  # of each direction with all atoms
    triangle = np.zeros((most, most))  # row k: what atom k has of the directions before; 1 / what it has of its own
    correlations = np.empty(size)
    product = np.empty(size)
    parts = np.empty(max(most, length))
    steps = np.empty(most)
    taken = np.zeros(size, dtype=np.bool_)
    for s in range(signals.shape[0]):
        left2 = 0.0
        for i in range(length):
            left2 += signals[s, i] * signals[s, i]
        correlations[:] = 0.0
        _add_rows(correlations, signals[s], columns, length)
        k = 0
        while left2 > tolerance2 and k < most:
            atom = _strongest(correlations)
            if taken[atom] or correlations[atom] * correlations[atom] < _NOTHING:
                break
            own2 = 1.0
            for j in range(k):
                part = products[j, atom]
                own2 -= part * part
                triangle[k, j] = part
                parts[j] = -part
            if own2 <= _NOTHING:
                break
            inverse = 1.0 / math.sqrt(own2)
            triangle[k, k] = inverse
            step = correlations[atom] * inverse
            left2 -= step * step
            steps[k] = step
            atoms[s, k] = atom
            taken[atom] = True
            if left2 > tolerance2 and k + 1 < most:
                for t in range(size):
                    product[t] = gram[atom, t]
                _add_rows(product, parts, products, k)
                for t in range(size):
                    product[t] *= inverse
                    products[k, t] = product[t]
                    correlations[t] -= step * product[t]
            k += 1
        for j in range(k - 1, -1, -1):
            weight = steps[j] * triangle[j, j]
            for i in range(j):
                steps[i] -= weight * triangle[j, i]
            weights[s, j] = weight
            taken[atoms[s, j]] = False


@jit
def _add_rows(total: Plane, factors: Plane, rows: Plane, count: int) -> None:
    """Add factor times row, of the first `count` rows. Eight at a time: the sums are limited by memory, not arithmetic."""
    whole = count // 8 * 8
    for j in range(0, whole, 8):
        a, b, c, d = factors[j], factors[j + 1], factors[j + 2], factors[j + 3]
        e, f, g, h = factors[j + 4], factors[j + 5], factors[j + 6], factors[j + 7]
        for t in range(total.size):
            total[t] += (
                a * rows[j, t]
                + b * rows[j + 1, t]
                + c * rows[j + 2, t]
                + d * rows[j + 3, t]
                + e * rows[j + 4, t]
                + f * rows[j + 5, t]
                + g * rows[j + 6, t]
                + h * rows[j + 7, t]
            )
    if count - whole >= 4:
        a, b, c, d = factors[whole], factors[whole + 1], factors[whole + 2], factors[whole + 3]
        for t in range(total.size):
            total[t] += a * rows[whole, t] + b * rows[whole + 1, t] + c * rows[whole + 2, t] + d * rows[whole + 3, t]
        whole += 4
    for j in range(whole, count):
        a = factors[j]
        for t in range(total.size):
            total[t] += a * rows[j, t]


@jit
def _strongest(correlations: Plane) -> int:
    """Index of the largest magnitude. Blocks are compared as a whole first, which the compiler can do in parallel."""
    size = correlations.size
    whole = size // 16 * 16
    lanes = np.zeros(16)
    for block in range(0, whole, 16):
        for lane in range(16):
            magnitude = abs(correlations[block + lane])
            lanes[lane] = magnitude if magnitude > lanes[lane] else lanes[lane]
    largest = 0.0
    for lane in range(16):
        largest = max(largest, lanes[lane])
    for t in range(whole, size):
        largest = max(largest, abs(correlations[t]))
    start = 0
    for block in range(0, whole, 16):
        here = False
        for t in range(block, block + 16):
            here |= abs(correlations[t]) == largest
        if here:
            break
        start = block + 16
    for t in range(start, size):
        if abs(correlations[t]) == largest:
            return t
    return 0


@jit
def _overlap(
    shape: tuple[int, int],
    columns: int,
    stride: int,
    side: int,
    atom_rows: Plane,
    means: Plane,
    p_wins: NDArray[np.bool_],
    atoms: tuple[NDArray[np.int32], NDArray[np.int32]],
    weights: tuple[Plane, Plane],
) -> tuple[Plane, Plane]:
    """Sums of the winning patches on each pixel, and how many there are."""
    total = np.zeros(shape)
    count = np.zeros(shape)
    patch = np.empty(side * side)
    for s in range(means.size):
        patch[:] = means[s]
        source = 0 if p_wins[s] else 1
        for k in range(side * side):
            weight = weights[source][s, k]
            if weight == 0.0:
                break
            atom = atom_rows[atoms[source][s, k]]
            for i in range(side * side):
                patch[i] += weight * atom[i]
        y = s // columns * stride
        x = s % columns * stride
        for j in range(side):
            for i in range(side):
                total[y + i, x + j] += patch[j * side + i]
                count[y + i, x + j] += 1.0
    return total, count
