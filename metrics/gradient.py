"""Differences of neighbouring pixels: AG, SF and EI measure the same thing three times.

Noise and sharpening raise all of them, whether or not there is anything to see.
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .card import NotDefined, metric
from .kernels.gradients import difference_energy, gradient_sum, sobel_sum
from .triple import Triple


@metric(
    "AG",
    title="Average gradient",
    better="higher",
    range=(0, 255),
    sources=False,
    version=1,
    reference="Cui, Feng, Xu, Li, Chen, Optics Communications 341, 2015, doi:10.1016/j.optcom.2014.12.032",
    formula="AG = (1 / MN) sum sqrt((Fx^2 + Fy^2) / 2), central differences, one-sided on the border",
    standard="A mean over all M N pixels, as the paper writes it; derivatives as MATLAB's and numpy's gradient take them.",
    undefined="Not defined for an image of one row or one column.",
)
def average_gradient(t: Triple, *, denominator: Literal["pixels", "inner"] = "pixels") -> float:
    """Mean magnitude of the gradient of the fused image.

    Parameters
    ----------
    t : Triple
        The images.
    denominator : {"pixels", "inner"}
        What the sum over M N pixels is divided by: M N, or (M - 1)(N - 1) as VIFB and Tang et al. do.

    Returns
    -------
    float
        In levels per pixel.
    """
    rows, columns = _sides("AG", t)
    divisor = rows * columns if denominator == "pixels" else (rows - 1) * (columns - 1)
    return float(gradient_sum(t.fused)) / divisor


def average_gradient_map(t: Triple) -> NDArray[np.float64]:
    """Magnitude of the gradient of the fused image at every pixel, (H, W).

    Parameters
    ----------
    t : Triple
        The images.

    Returns
    -------
    (H, W) float64
        In levels per pixel; AG is its mean.
    """
    _sides("AG", t)
    down, across = np.gradient(t.fused.astype(np.float64))
    return np.sqrt((across**2 + down**2) / 2)


@metric(
    "SF",
    title="Spatial frequency",
    better="higher",
    range=(0, 255 * math.sqrt(2)),
    sources=False,
    version=1,
    reference="Eskicioglu, Fisher, IEEE Trans. Communications 43(12), 1995, doi:10.1109/26.477498, eq. 10-12",
    formula="SF = sqrt(RF^2 + CF^2), RF^2 and CF^2 the sums of squared horizontal and vertical differences over M N",
    standard="Both sums are divided by M N, as in the paper, not by the number of differences; levels 0..255.",
    undefined="Not defined for an image of one row or one column.",
)
def spatial_frequency(
    t: Triple, *, denominator: Literal["pixels", "differences"] = "pixels", scale: float = 255.0
) -> float:
    """Root mean square of the differences of neighbours in the fused image.

    Parameters
    ----------
    t : Triple
        The images.
    denominator : {"pixels", "differences"}
        What each sum is divided by: M N, or the number of its terms, (M - 1) N and M (N - 1).
    scale : float
        What level 255 counts as: 1.0 for images in [0, 1].

    Returns
    -------
    float
        0 to scale * sqrt(2).
    """
    rows, columns = _sides("SF", t)
    down, across = difference_energy(t.fused)
    if denominator == "pixels":
        energy = (down + across) / (rows * columns)
    else:
        energy = down / ((rows - 1) * columns) + across / (rows * (columns - 1))
    return math.sqrt(energy) * scale / 255


@metric(
    "EI",
    title="Edge intensity",
    better="higher",
    range=(0, 1020 * math.sqrt(2)),
    sources=False,
    version=1,
    reference="Rajalingam, Priya, Int. J. Engineering Science Invention 2, 2018; as computed by VIFB (Zhang et al. 2020)",
    formula="EI = (1 / MN) sum sqrt(Sx^2 + Sy^2), Sobel kernels 1-2-1",
    standard="Borders repeated, kernels not normalised, mean over all pixels.",
    undefined="None.",
)
def edge_intensity(t: Triple, *, border: Literal["replicate", "zero"] = "replicate") -> float:
    """Mean Sobel magnitude of the fused image.

    Parameters
    ----------
    t : Triple
        The images.
    border : {"replicate", "zero"}
        What lies around the image; ``"zero"`` sees an edge along every bright border (IVIF_ZOO).

    Returns
    -------
    float
        In levels; the kernels add to 4, so a step of one level counts 4.
    """
    padded = np.pad(t.fused, 1, mode="edge") if border == "replicate" else np.pad(t.fused, 1)
    return float(sobel_sum(padded)) / t.fused.size


def _sides(name: str, t: Triple) -> tuple[int, int]:
    rows, columns = t.shape
    if min(rows, columns) < 2:
        raise NotDefined(f"{name} compares neighbours, so it needs at least 2 x 2 pixels, not {columns} x {rows}")
    return rows, columns
