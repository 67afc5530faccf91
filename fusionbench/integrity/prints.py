"""What is kept of an image to compare it with all the others: small, and the same for infrared and visible light."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fusionbench.integrity.look import Look, Role, is_grey
from fusionbench.types import Levels

_THUMB: Final = 32
_FIELD: Final = 64


@dataclass(frozen=True, slots=True)
class Print:
    """What is kept of an image to compare it with all others.

    Attributes
    ----------
    path, role, pair, method
        As `Look` has them.
    shape : tuple of int
        Rows and columns.
    digest : str
        SHA-256 of size and levels; equal for equal pixels in whatever kind of file.
    blank : bool
        Whether all pixels are equal.
    thumb : ndarray of float32
        The image in 32 x 32 means, as a vector of mean 0 and length 1.
    field : ndarray of complex64
        Directions of its edges in 64 x 64 means, angles doubled so that light on dark is dark on light, of length 1.

    Both are zeros where there is nothing to see, and for images of fewer than 64 rows or columns.
    """

    path: Path
    role: Role
    pair: str
    method: str
    shape: tuple[int, ...]
    digest: str
    blank: bool
    thumb: NDArray[np.float32]
    field: NDArray[np.complex64]


def fingerprint(seen: Look) -> Print:
    """What is to be kept of an image."""
    plane = seen.plane
    levels = plane if is_grey(seen.levels) else seen.levels
    digest = hashlib.sha256(repr(levels.shape).encode() + levels.tobytes()).hexdigest()
    large = min(plane.shape) >= _FIELD
    thumb = _centred(_means(plane, _THUMB)) if large else np.zeros((_THUMB, _THUMB))
    field = _edges(_means(plane, _FIELD)) if large else np.zeros((_FIELD, _FIELD))
    return Print(
        path=seen.path,
        role=seen.role,
        pair=seen.pair,
        method=seen.method,
        shape=plane.shape,
        digest=digest,
        blank=bool(plane.min() == plane.max()),
        thumb=thumb.astype(np.float32).ravel(),
        field=field.astype(np.complex64).ravel(),
    )


def _means(plane: Levels, cells: int) -> NDArray[np.float64]:
    """Means of the cells that a grid cuts the image into."""
    rows, columns = (np.linspace(0, size, cells + 1).astype(np.intp) for size in plane.shape)
    sums = np.add.reduceat(np.add.reduceat(plane, rows[:-1], axis=0, dtype=np.int64), columns[:-1], axis=1)
    return np.asarray(sums / np.outer(np.diff(rows), np.diff(columns)))


def _centred(small: NDArray[np.float64]) -> NDArray[np.float64]:
    centred = small - small.mean()
    length = float(np.sqrt((centred**2).sum()))
    return centred / length if length > 1 else centred * 0


def _edges(small: NDArray[np.float64]) -> NDArray[np.complexfloating]:
    doubled = doubled_gradient(small)
    size = np.abs(doubled)
    # Strong edges count little more than weak ones: which are strong differs between infrared and visible light.
    doubled /= size + size.mean() + 1e-3
    doubled -= doubled.mean()
    length = float(np.sqrt((np.abs(doubled) ** 2).sum()))
    return doubled / length if length > 1e-3 else doubled * 0


def doubled_gradient(plane: NDArray[np.floating]) -> NDArray[np.complexfloating]:
    """Central differences as complex numbers, their angle doubled and their size kept; 0 at the border.

    With the angle doubled, an edge from light to dark and one from dark to light are the same: what is warm may be dark.
    """
    z = np.zeros(plane.shape, np.result_type(plane, np.complex64))
    z.real[:, 1:-1] = plane[:, 2:] - plane[:, :-2]
    z.imag[1:-1] = plane[2:] - plane[:-2]
    z[0] = z[-1] = z[:, 0] = z[:, -1] = 0
    size = np.abs(z)
    z *= z
    z /= np.maximum(size, 1e-12)
    return z
