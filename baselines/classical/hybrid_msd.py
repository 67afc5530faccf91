"""Hybrid multi-scale decomposition with Gaussian and bilateral filters (Hybrid_MSD; Zhou, Wang, Li, Dong 2016).

Each level splits what it gets into texture (what even an edge-preserving filter removes), large-scale edges (what only
the Gaussian removes) and a coarser image. Where the infrared edges are the stronger ones, a saturating weight injects
the infrared image. It fails where infrared contrast is noise: the weights are relative to the strongest difference of
the image, so in a scene without targets noise is injected as if it were one; and the weight of the base changes over
hundreds of pixels, which shows as halos around large targets.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fusionbench.types import UserError

from ..card import Plane, method
from .filters import gaussian, require_positive, separable
from .kernels import jit
from .memory import kept_for

# Differences of edges that are rounding, on either scale, 0..1 or 0..255.
_NOTHING = 1e-9
# Empty cells around the bilateral grid: blurring leaves the outermost ones alone.
_MARGIN = 2


class Layers(NamedTuple):
    """A plane taken apart: the sum of all layers is the plane again."""

    texture: tuple[Plane, ...]
    """Fine detail of each level, finest first, (H, W) each."""
    edges: tuple[Plane, ...]
    """Large-scale edges of each level."""
    base: Plane
    """What is left above the coarsest level."""


@method(
    "hybrid-msd",
    title="Hybrid multi-scale decomposition with Gaussian and bilateral filters",
    authors="Z. Zhou, B. Wang, S. Li, M. Dong",
    year=2016,
    doi="10.1016/j.inffus.2015.11.003",
    summary="Each source is split into texture, large-scale edges and a base by Gaussian and bilateral filters over "
    "four scales. Weights that grow with the excess of infrared over visible edges, and saturate, inject infrared features "
    "into base and levels. The finest level takes the stronger coefficient.",
    defaults="The authors' program: four levels, sigma 2 doubling, range sigma 0.05 halving, lambda 30.",
    presets={"vifb": {}},
    identity=1e-6,
)
def hybrid_bilateral_fusion(
    ir: Plane,
    vis: Plane,
    *,
    levels: int = 4,
    space: float = 2.0,
    contrast: float = 0.05,
    injection: float = 30.0,
    base_sigma: float = 64.0,
    level_sigma: float = 1.0,
    finest_sigma: float = 0.2,
) -> Plane:
    """Fuse by a hybrid decomposition with Gaussian and bilateral filters.

    Parameters
    ----------
    ir, vis : ndarray, (H, W)
        The two sources, float64 on the scale 0..255.
    levels : int
        Number of levels, 2 to 8 (paper: 4).
    space : float
        Standard deviation of both filters at the first level, in pixels; it doubles with each level (paper: 2).
    contrast : float
        Standard deviation of the bilateral filter over intensity at the first level, as a fraction of the full scale;
        it halves with each level (authors' program: 0.05).
    injection : float
        The paper's lambda: how steeply the weight of the infrared image rises with the excess of its edges. 30 is the
        authors' choice; thousands inject nearly every infrared edge.
    base_sigma, level_sigma, finest_sigma : float
        Standard deviation in pixels of the Gaussian that smooths the weights of the base, of the levels and of the
        finest level (authors' program: 64, 1, 0.2). A Gaussian is cut at three sigma, so 0.2 does not smooth.

    Returns
    -------
    ndarray, (H, W)
        float64, nominally 0..255, neither rounded nor clipped.

    Raises
    ------
    UserError
        If the levels are not 2 to 8 or another parameter is not positive.

    Notes
    -----
    The bilateral filter is the grid of Paris and Durand [2]_, coarse enough to differ visibly from the exact filter.
    Where neither image has stronger edges than the other anywhere, the visible image is taken.

    References
    ----------
    .. [1] Z. Zhou, B. Wang, S. Li, M. Dong, "Perceptual fusion of infrared and visible images through a hybrid
       multi-scale decomposition with Gaussian and bilateral filters", Information Fusion 30, 2016.
    .. [2] S. Paris, F. Durand, "A fast approximation of the bilateral filter using a signal processing approach",
       ECCV 2006.
    """
    check_levels(levels)
    require_positive(space=space, contrast=contrast)
    return fuse_layers(
        _decompose(ir, levels, space, contrast),
        _decompose(vis, levels, space, contrast),
        injection,
        base_sigma,
        level_sigma,
        finest_sigma,
    )


def fuse_layers(
    ir: Layers, vis: Layers, injection: float, base_sigma: float, level_sigma: float, finest_sigma: float
) -> Plane:
    """Fuse two decompositions and add the layers up.

    Parameters
    ----------
    ir, vis : Layers
        The two sources, taken apart alike.
    injection, base_sigma, level_sigma, finest_sigma : float
        As in `hybrid_bilateral_fusion`; `finest_sigma` smooths the decisions on edges, never those on texture.

    Returns
    -------
    ndarray, (H, W)
        On the scale of the layers.
    """
    require_positive(injection=injection, base_sigma=base_sigma, level_sigma=level_sigma, finest_sigma=finest_sigma)
    coarser = [_infrared_weight(ir.edges[j], vis.edges[j], injection) for j in range(1, len(ir.edges))]
    fused = _blend(smooth(coarser[-1], base_sigma), ir.base, vis.base)
    for j in range(len(ir.edges) - 1, 0, -1):
        weight = smooth(coarser[j - 1], level_sigma)
        fused += _blend(weight, ir.edges[j], vis.edges[j])
        fused += _blend(weight, ir.texture[j], vis.texture[j])
    fused += _blend(smooth(_stronger(ir.edges[0], vis.edges[0]), finest_sigma), ir.edges[0], vis.edges[0])
    fused += _blend(_stronger(ir.texture[0], vis.texture[0]), ir.texture[0], vis.texture[0])
    return fused


def check_levels(levels: int) -> None:
    """Refuse a number of levels that has no coarse level, or filters far beyond any image.

    Raises
    ------
    UserError
        If there are not 2 to 8 levels.
    """
    if levels not in range(2, 9):
        raise UserError(f"levels={levels} is out of range: give levels=2 to levels=8.")


def smooth(x: Plane, sigma: float) -> Plane:
    """Gaussian smoothing with a kernel cut at three sigma and mirrored borders."""
    taps = gaussian(2 * int(3 * sigma) + 1, sigma)
    return separable(x, taps, taps, "symmetric")


def _infrared_weight(ir: Plane, vis: Plane, injection: float) -> Plane:
    """By how much the infrared edges exceed the visible ones, relative to the largest excess, bent by an arctangent."""
    excess = np.maximum(np.abs(ir) - np.abs(vis), 0.0)
    largest = excess.max()
    if largest < _NOTHING:
        return np.zeros_like(excess)
    return np.asarray(np.arctan(injection * (excess / largest)) / np.arctan(injection))


def _stronger(ir: Plane, vis: Plane) -> Plane:
    return (np.abs(vis) < np.abs(ir)).astype(np.float64)


def _blend(weight: Plane, ir: Plane, vis: Plane) -> Plane:
    return weight * ir + (1.0 - weight) * vis


@kept_for
def _decompose(plane: Plane, levels: int, space: float, contrast: float) -> Layers:
    texture, edges = [], []
    gaussian_chain = bilateral_chain = plane
    for j in range(levels):
        finer = gaussian_chain
        gaussian_chain = smooth(gaussian_chain, space * 2**j)
        bilateral_chain = 255.0 * _bilateral(bilateral_chain / 255.0, space * 2**j, contrast / 2**j)
        texture.append(finer - bilateral_chain)
        edges.append(bilateral_chain - gaussian_chain)
    return Layers(tuple(texture), tuple(edges), gaussian_chain)


def _bilateral(x: Plane, space: float, contrast: float) -> Plane:
    """Bilateral filter on a grid of space and intensity, one cell per standard deviation."""
    x = np.ascontiguousarray(x)
    height, width = x.shape
    low, high = float(x.min()), float(x.max())
    cells = tuple(int((n - 1) / cell) + 1 + 2 * _MARGIN for n, cell in ((height, space), (width, space)))
    value = np.zeros((*cells, int((high - low) / contrast) + 1 + 2 * _MARGIN))
    weight = np.zeros_like(value)
    _splat(x, low, space, contrast, value, weight)
    scratch = np.zeros_like(value)
    for grid in (value, weight):
        for dy, dx, dz in ((0, 1, 0), (1, 0, 0), (0, 0, 1)):
            _blur(grid, scratch, dy, dx, dz)
            _blur(scratch, grid, dy, dx, dz)
    return _slice(x, low, space, contrast, value, weight)


@jit
def _splat(x: Plane, low: float, space: float, contrast: float, value: Plane, weight: Plane) -> None:
    """Add each pixel to the nearest cell of the grid (rows, columns, intensity)."""
    for i in range(x.shape[0]):
        y = int(i / space + 0.5) + _MARGIN
        for j in range(x.shape[1]):
            z = int((x[i, j] - low) / contrast + 0.5) + _MARGIN
            value[y, int(j / space + 0.5) + _MARGIN, z] += x[i, j]
            weight[y, int(j / space + 0.5) + _MARGIN, z] += 1.0


@jit
def _blur(grid: Plane, out: Plane, dy: int, dx: int, dz: int) -> None:
    """Kernel 1-2-1 along one axis, on the cells that are inside on every axis."""
    rows, columns, depths = grid.shape
    for y in range(1, rows - 1):
        for x in range(1, columns - 1):
            left, middle, right = grid[y - dy, x - dx], grid[y, x], grid[y + dy, x + dx]
            for z in range(1, depths - 1):
                out[y, x, z] = (left[z - dz] + right[z + dz] + 2.0 * middle[z]) / 4.0


@jit
def _slice(x: Plane, low: float, space: float, contrast: float, value: Plane, weight: Plane) -> Plane:
    """Trilinear interpolation of the grid at each pixel, values over weights.

    The fractions are single precision, as in the program that made the published images: where infrared and visible
    details are equally strong, that decides which one is taken.
    """
    one = np.float32(1.0)
    out = np.empty(x.shape)
    for i in range(x.shape[0]):
        v = i / space + _MARGIN
        y = int(v)
        fy = np.float32(v - y)
        for j in range(x.shape[1]):
            u, w = j / space + _MARGIN, (x[i, j] - low) / contrast + _MARGIN
            column, z = int(u), int(w)
            fx, fz = np.float32(u - column), np.float32(w - z)
            numerator, denominator = 0.0, 0.0
            for dz in range(2):
                wz = fz if dz == 1 else one - fz
                for dy in range(2):
                    wy = fy if dy == 1 else one - fy
                    for dx in range(2):
                        wx = fx if dx == 1 else one - fx
                        share = (wx * wy) * wz
                        numerator += share * value[y + dy, column + dx, z + dz]
                        denominator += share * weight[y + dy, column + dx, z + dz]
            out[i, j] = numerator / denominator
    return out
