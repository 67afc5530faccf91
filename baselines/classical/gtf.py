"""Gradient transfer fusion (GTF): the infrared intensities with the visible gradients.

The fused image is the visible one plus a correction that stays near the difference of the sources in the l1 norm and has
little total variation. It looks like a sharpened infrared image: hot targets stay bright, and the colours and contrasts
of the visible image are lost wherever they disagree with the infrared intensities. Most of its images in the literature
come from a few reweighted least-squares steps that stop far from the minimum and keep more visible texture than it has.
"""

from __future__ import annotations

import math
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fusionbench.types import UserError

from ..card import Plane, method
from .kernels import jit

Solver: TypeAlias = Literal["irn", "admm"]
Planes: TypeAlias = NDArray[np.float64]

_STEPS = {"irn": 5, "admm": 100}

# Smallest values that the weights of the reweighted norm may rest on: quantiles of a histogram of so many bins.
_BINS = 1000
_FIDELITY_QUANTILE = 0.05
_GRADIENT_QUANTILE = 0.01
_FIRST_FIDELITY = 0.1

_MOST_PRODUCTS = 500
_RESIDUAL_DROP = 5.0

# Penalty of the split variables for images on the scale 0..1.
_PENALTY = 20.0


@method(
    "gtf",
    title="Gradient transfer fusion",
    authors="J. Ma, C. Chen, C. Li, J. Huang",
    year=2016,
    doi="10.1016/j.inffus.2016.02.001",
    summary="Adds to the visible image the correction that minimises the l1 distance to the infrared intensities plus the "
    "total variation of the correction. So the intensities become infrared while the gradients stay visible. A colour "
    "image gets one correction of three channels whose edges coincide.",
    defaults="Weight 4 from the paper; five reweighting steps, not converged, from the authors' code.",
    presets={"vifb": {}},
    joint=True,
    identity=1e-9,
)
def gradient_transfer_fusion(
    ir: Plane, vis: Plane, *, weight: float = 4.0, solver: Solver = "irn", steps: int | None = None
) -> Plane:
    """Fuse by minimising ``|U - (ir - vis)|_1 + weight * TV(U)``; the result is ``vis + U``.

    Parameters
    ----------
    ir : ndarray
        Infrared plane, (H, W), 0..255.
    vis : ndarray
        Visible plane, (H, W), or colour image, (H, W, 3), 0..255. The channels of a colour image share the total
        variation, the sum over pixels of the length of all their differences together.
    weight : float
        Weight of the total variation against the distance to the infrared intensities; the paper's is 4.
    solver : {"irn", "admm"}
        ``"irn"``: iteratively reweighted norm (Rodriguez and Wohlberg 2009) as the authors run it, stopped early;
        ``"admm"``: alternating directions, which reaches the minimum.
    steps : int, optional
        Outer iterations; 5 for ``"irn"`` (the authors'), 100 for ``"admm"`` (within about 0.1 % of the minimum).

    Returns
    -------
    ndarray
        The shape of `vis`, around 0..255, not rounded.

    Raises
    ------
    UserError
        For an unknown solver, a negative or infinite weight, or less than one step.
    """
    if solver not in _STEPS:
        raise UserError(f"Gradient transfer has no solver {solver!r}: give solver='irn' or solver='admm'.")
    if not 0 <= weight < math.inf:
        raise UserError(f"The total variation needs a finite weight of 0 or more, not weight={weight}.")
    steps = _STEPS[solver] if steps is None else steps
    if steps < 1:
        raise UserError(f"The solver needs at least one step, not steps={steps}.")

    channels = vis[..., np.newaxis] if vis.ndim == 2 else vis
    difference = np.ascontiguousarray((ir[..., np.newaxis] / 255 - channels / 255).transpose(2, 0, 1))
    minimise = _reweighted_norm if solver == "irn" else _alternating_directions
    correction = minimise(difference, weight, steps).transpose(1, 2, 0)
    return vis + 255 * correction.reshape(vis.shape)


def _reweighted_norm(difference: Planes, weight: float, steps: int) -> Planes:
    """Few steps of least squares, each with weights that make it resemble the l1 norms at the last solution."""
    solution = difference.copy()
    for step in range(steps):
        squared = _squared_gradient(solution)
        # A flat solution has no variation left to lose.
        if not squared.any():
            break
        variation = 2 / np.sqrt(np.maximum(squared, _gradient_floor(squared)))
        if step == 0:
            fidelity = np.full_like(difference, 2 * math.sqrt(_FIRST_FIDELITY))
        else:
            distance = np.abs(solution - difference)
            # With hardly any weight on the variation, nothing may have moved.
            if not distance.any():
                break
            fidelity = np.sqrt(0.5) * np.sqrt(np.maximum(distance, _distance_floor(distance)))
        scaled, products = _conjugate_gradients(difference / fidelity, solution / fidelity, fidelity, variation, weight)
        solution = fidelity * scaled
        if not products:
            break
    return solution


def _distance_floor(distance: Planes) -> float:
    centres, bin_ = _quantile(distance, _FIDELITY_QUANTILE)
    return float(centres[min(bin_ + 1, _BINS - 1)])


def _gradient_floor(squared: Plane) -> float:
    centres, bin_ = _quantile(squared, _GRADIENT_QUANTILE)
    return float(centres[bin_] if centres[bin_] > 0 else centres[min(bin_ + 1, _BINS - 1)])


def _quantile(values: NDArray[np.float64], fraction: float) -> tuple[NDArray[np.float64], int]:
    """Centres of the bins from the smallest to the largest value, and the first bin that exceeds a fraction of all."""
    centres = np.linspace(values.min(), values.max(), _BINS)
    width = centres[1] - centres[0]
    if width == 0:
        return centres, 0
    bins = np.ceil((values - centres[0]) / width - 0.5).astype(np.intp)
    counts = np.bincount(bins.ravel(), minlength=_BINS)
    return centres, int(np.argmax(np.cumsum(counts) > fraction * values.size))


def _conjugate_gradients(
    goal: Planes, start: Planes, fidelity: Planes, variation: Plane, weight: float
) -> tuple[Planes, int]:
    """Solve ``(1 + weight * fidelity D' variation D fidelity) x = goal`` to a fifth of the first residual.

    Returns the solution and the number of products with the matrix that its steps took.
    """
    x = start.copy()
    product = np.empty_like(x)
    _apply(x, fidelity, variation, weight, product)
    residual = goal - product
    length = math.sqrt(_dot(goal, goal))
    first = math.sqrt(_dot(residual, residual))
    # The relative tolerance stays below 1: with x = 0 for an answer it would be worth nothing.
    enough = min(first / _RESIDUAL_DROP, np.nextafter(1, 0) * length)
    if first <= enough:
        return x, 0

    direction = residual.copy()
    squared = first * first
    for count in range(1, _MOST_PRODUCTS + 1):
        _apply(direction, fidelity, variation, weight, product)
        step = squared / _dot(direction, product)
        before, squared = squared, _advance(step, direction, product, x, residual)
        if math.sqrt(squared) <= enough:
            # The recursion drifts from the true residual, which alone decides.
            _apply(x, fidelity, variation, weight, product)
            np.subtract(goal, product, out=residual)
            squared = _dot(residual, residual)
            if math.sqrt(squared) <= enough:
                return x, count
        _turn(residual, squared / before, direction)
    return x, _MOST_PRODUCTS


@jit
def _squared_gradient(planes: Planes) -> Plane:
    """Squared length of the forward differences of all planes together; none leads out of the image."""
    channels, height, width = planes.shape
    out = np.zeros((height, width))
    for c in range(channels):
        for i in range(height):
            for j in range(width):
                here = planes[c, i, j]
                if j + 1 < width:
                    out[i, j] += (planes[c, i, j + 1] - here) ** 2
                if i + 1 < height:
                    out[i, j] += (planes[c, i + 1, j] - here) ** 2
    return out


@jit
def _apply(x: Planes, fidelity: Planes, variation: Plane, weight: float, out: Planes) -> None:
    """``out = x + weight * fidelity D' variation D (fidelity x)``."""
    channels, height, width = x.shape
    here = np.empty(width)
    below = np.empty(width)
    inflow = np.empty(width)
    for c in range(channels):
        for j in range(width):
            below[j] = fidelity[c, 0, j] * x[c, 0, j]
            inflow[j] = 0.0
        for i in range(height):
            here, below = below, here
            left = 0.0
            if i + 1 < height:
                for j in range(width):
                    below[j] = fidelity[c, i + 1, j] * x[c, i + 1, j]
            for j in range(width):
                right = variation[i, j] * (here[j + 1] - here[j]) if j + 1 < width else 0.0
                down = variation[i, j] * (below[j] - here[j]) if i + 1 < height else 0.0
                out[c, i, j] = x[c, i, j] + weight * fidelity[c, i, j] * ((left - right) + (inflow[j] - down))
                left = right
                inflow[j] = down


@jit
def _dot(a: Planes, b: Planes) -> float:
    total = 0.0
    for c in range(a.shape[0]):
        for i in range(a.shape[1]):
            row = 0.0
            for j in range(a.shape[2]):
                row += a[c, i, j] * b[c, i, j]
            total += row
    return total


@jit
def _advance(step: float, direction: Planes, product: Planes, x: Planes, residual: Planes) -> float:
    """Go a step along the direction; the squared length of the new residual."""
    total = 0.0
    for c in range(x.shape[0]):
        for i in range(x.shape[1]):
            row = 0.0
            for j in range(x.shape[2]):
                x[c, i, j] += step * direction[c, i, j]
                residual[c, i, j] -= step * product[c, i, j]
                row += residual[c, i, j] * residual[c, i, j]
            total += row
    return total


@jit
def _turn(residual: Planes, share: float, direction: Planes) -> None:
    """Turn the direction to the residual plus a share of the old one."""
    for c in range(direction.shape[0]):
        for i in range(direction.shape[1]):
            for j in range(direction.shape[2]):
                direction[c, i, j] = residual[c, i, j] + share * direction[c, i, j]


def _alternating_directions(difference: Planes, weight: float, steps: int) -> Planes:
    """The minimum by splitting: one variable for the distance, one for the differences, one that joins them."""
    from scipy.fft import dctn, idctn

    axes = (1, 2)
    spectrum = 1 + _laplacian_eigenvalues(difference.shape[1], difference.shape[2])
    solution = difference.copy()
    # Scaled multipliers of the two constraints.
    of_distance = np.zeros_like(difference)
    of_across, of_down = np.zeros_like(difference), np.zeros_like(difference)
    for _ in range(steps):
        distance = _soft(solution - difference + of_distance, 1 / _PENALTY)
        across, down = _differences(solution)
        kept_across, kept_down = _shrink(across + of_across, down + of_down, weight / _PENALTY)
        wanted = difference + distance - of_distance + _adjoint(kept_across - of_across, kept_down - of_down)
        solution = idctn(dctn(wanted, axes=axes) / spectrum, axes=axes)
        across, down = _differences(solution)
        of_distance += solution - difference - distance
        of_across += across - kept_across
        of_down += down - kept_down
    return solution


def _laplacian_eigenvalues(height: int, width: int) -> Plane:
    """Eigenvalues of D'D in the cosine basis that diagonalises it."""
    rows = 2 - 2 * np.cos(np.pi * np.arange(height) / height)
    columns = 2 - 2 * np.cos(np.pi * np.arange(width) / width)
    return np.add.outer(rows, columns)


def _differences(planes: Planes) -> tuple[Planes, Planes]:
    """Forward differences along the rows and down the columns, 0 at the far edge."""
    across, down = np.zeros_like(planes), np.zeros_like(planes)
    across[:, :, :-1] = planes[:, :, 1:] - planes[:, :, :-1]
    down[:, :-1] = planes[:, 1:] - planes[:, :-1]
    return across, down


def _adjoint(across: Planes, down: Planes) -> Planes:
    """What `_differences` is the adjoint of; what the far edges hold does not enter."""
    planes = np.zeros_like(across)
    planes[:, :, :-1] -= across[:, :, :-1]
    planes[:, :, 1:] += across[:, :, :-1]
    planes[:, :-1] -= down[:, :-1]
    planes[:, 1:] += down[:, :-1]
    return planes


def _soft(values: Planes, threshold: float) -> Planes:
    return np.sign(values) * np.maximum(np.abs(values) - threshold, 0)


def _shrink(across: Planes, down: Planes, threshold: float) -> tuple[Planes, Planes]:
    """Shorten every pixel's vector of differences, all channels together, by a threshold."""
    length = np.sqrt((across**2 + down**2).sum(axis=0))
    share = np.maximum(length - threshold, 0) / np.maximum(length, np.finfo(np.float64).tiny)
    return across * share, down * share
