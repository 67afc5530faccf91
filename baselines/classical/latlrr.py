"""Latent low-rank representation (LatLRR, in its multi-level form MDLatLRR): details by a learned projection.

A 64x64 matrix, learned once from small patches, takes the salient part out of every 8x8 patch; what remains is
decomposed again. Details are averaged with the nuclear norms of their patches for weights, the rest is averaged
plainly. The patches overlap by all but one pixel, so it is slow, and the detail of a noisy source counts as strong.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import as_file, files
from os import PathLike
from typing import Final, NamedTuple

import numpy as np

from fusionbench.types import UserError

from ..card import Plane, method
from .kernels import jit
from .memory import kept_for
from .nuclear import SIDE, nuclear_norms
from .sparse import read_array

_LENGTH: Final = SIDE * SIDE
_NAMES: Final = ("L", "L_8", "matrix")


class _Decomposed(NamedTuple):
    """An image in levels.

    Attributes
    ----------
    images : list of ndarray
        The image before each level takes its detail, (H, W).
    norms : list of ndarray
        Nuclear norm of the detail of each patch, one array (H - 7, W - 7) a level.
    base : ndarray
        What the last level leaves, (H, W).
    """

    images: list[Plane]
    norms: list[Plane]
    base: Plane


@method(
    "latlrr",
    title="Latent low-rank representation, multi-level",
    authors="H. Li, X.-J. Wu, J. Kittler",
    year=2020,
    doi="10.1109/TIP.2020.2975984",
    summary="Projects all 8x8 patches by a matrix that was learned by latent low-rank representation, which gives the "
    "salient detail, and does the same with the rest, four times. Details of both sources are averaged with the nuclear "
    "norm of the patch as weight. The last rests are averaged and the fused details added.",
    defaults="Four levels, patches of 8x8, nuclear norm: the paper's. The matrix is our own, learned from photographs in "
    "the public domain by the authors' recipe.",
    presets={"vifb": {"accumulate": True}},
    identity=1e-9,
)
def latent_low_rank_fusion(
    ir: Plane,
    vis: Plane,
    *,
    levels: int = 4,
    accumulate: bool = False,
    matrix: str | PathLike[str] | None = None,
) -> Plane:
    """Fuse what a learned projection takes for detail by nuclear norms, and the rest by its mean.

    Parameters
    ----------
    ir, vis : ndarray
        Infrared and visible plane, (H, W), 0..255.
    levels : int
        How often detail is taken out, 1 to 4 in the paper.
    accumulate : bool
        The detail of a level is added once more at every later level, so that the first of four counts four times:
        the authors' program does not clear its sum between levels. Their published images are sharpened by this.
    matrix : path, optional
        A .mat or .npz file with the 64x64 projection under the name ``L``, ``L_8`` or ``matrix``, for patches whose
        columns are stacked. The default is the one that `learn_latlrr` learned.

    Returns
    -------
    ndarray
        (H, W), around 0..255, not rounded.

    Raises
    ------
    UserError
        For less than one level, or a file that holds no such matrix.
    """
    if levels < 1:
        raise UserError(f"LatLRR needs at least one level, not levels={levels}.")
    projection = _own_matrix() if matrix is None else _matrix(matrix)
    # As bytes, the one hashable form of an array, its results can be kept.
    first, second = (_decomposed(plane, projection.tobytes(), levels) for plane in (ir, vis))
    fused = (first.base + second.base) / 2
    for level in range(levels):
        weight = _share(first.norms[level], second.norms[level])
        detail = _mixed_detail(first.images[level], second.images[level], weight, projection)
        fused += detail * (levels - level if accumulate else 1)
    return 255 * fused


@cache
def _own_matrix() -> Plane:
    with as_file(files(__package__) / "data" / "latlrr_matrix.npz") as path:
        return _matrix(path)


def _matrix(path: str | PathLike[str]) -> Plane:
    matrix = read_array(path, _NAMES)
    if matrix.shape != (_LENGTH, _LENGTH):
        raise UserError(f"{path} holds a matrix of shape {matrix.shape}: give a projection of 8x8 patches, (64, 64).")
    return np.ascontiguousarray(matrix, dtype=np.float64)


@kept_for
def _decomposed(plane: Plane, projection: bytes, levels: int) -> _Decomposed:
    matrix = np.frombuffer(projection).reshape(_LENGTH, _LENGTH)
    images, norms = [], []
    image = plane / 255
    for _ in range(levels):
        detail, strength = _detail(image, matrix)
        images.append(image)
        norms.append(strength)
        image = image - detail
    return _Decomposed(images, norms, image)


def _detail(image: Plane, matrix: Plane) -> tuple[Plane, Plane]:
    """Mean of all projected patches that cover a pixel, (H, W), and the nuclear norm of each, (H - 7, W - 7)."""
    total = np.zeros_like(image)
    norms = np.empty((image.shape[0] - SIDE + 1, image.shape[1] - SIDE + 1))
    for row in range(norms.shape[0]):
        projected = _project(_patches(image, row), matrix)
        norms[row] = nuclear_norms(projected)
        _add_patches(projected, total[row : row + SIDE])
    return total / _cover(image.shape), norms


def _mixed_detail(first: Plane, second: Plane, weight: Plane, matrix: Plane) -> Plane:
    """As `_detail`, of the mean of the projected patches of two images; the weights are those of the first, (H - 7, W - 7)."""
    total = np.zeros_like(first)
    for row, of_first in enumerate(weight[..., np.newaxis]):
        mixed = of_first * _patches(first, row) + (1 - of_first) * _patches(second, row)
        _add_patches(_project(mixed, matrix), total[row : row + SIDE])
    return total / _cover(first.shape)


def _patches(image: Plane, row: int) -> Plane:
    """The 8x8 patches whose first row this is, each as its columns one after the other, (W - 7, 64)."""
    strip = np.lib.stride_tricks.sliding_window_view(image[row : row + SIDE], SIDE, axis=1)
    return strip.transpose(1, 2, 0).reshape(-1, _LENGTH)


def _cover(shape: tuple[int, ...]) -> Plane:
    """How many patches cover each pixel, (H, W)."""
    rows, columns = (
        np.minimum(np.minimum(np.arange(1, n + 1), np.arange(n, 0, -1)), min(SIDE, n - SIDE + 1)) for n in shape
    )
    return np.outer(rows, columns).astype(np.float64)


def _share(first: Plane, second: Plane) -> Plane:
    """The first's part of the sum; one half where both are 0."""
    total = first + second
    return np.divide(first, total, out=np.full_like(total, 0.5), where=total > 0)


@jit
def _project(patches: Plane, matrix: Plane) -> Plane:
    """Each row times the matrix. (A BLAS would start threads for every row of the image.)"""
    out = np.zeros(patches.shape)
    columns = np.ascontiguousarray(matrix.T)
    for n in range(patches.shape[0]):
        for k in range(0, patches.shape[1], 4):
            a, b, c, d = patches[n, k], patches[n, k + 1], patches[n, k + 2], patches[n, k + 3]
            for i in range(patches.shape[1]):
                out[n, i] += (a * columns[k, i] + b * columns[k + 1, i]) + (
                    c * columns[k + 2, i] + d * columns[k + 3, i]
                )
    return out


@jit
def _add_patches(patches: Plane, strip: Plane) -> None:
    """Add patches in columns, (W - 7, 64), to the eight rows they lie in, (8, W)."""
    for j in range(patches.shape[0]):
        for c in range(SIDE):
            for r in range(SIDE):
                strip[r, j + c] += patches[j, SIDE * c + r]
