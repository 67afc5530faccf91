"""Differences of neighbouring pixels: AG, SF, EI and DF measure the same thing four times.

Noise and sharpening raise all of them, whether or not there is anything to see.
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .card import NotDefined, metric
from .kernels.gradients import difference_energy, forward_sum, gradient_sum, sobel_sum
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
    fooled="Noise raises it more than any detail can: grain that is hardly seen adds a sixth, visible grain doubles it. "
    "Sharpening, halos, stretched contrast and compression blocks raise it as well. It never looks at the sources, "
    "so invented edges count as much as kept ones.",
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
    fooled="As AG, and more so, because differences are squared: a little grain, a few dead pixels or hard seams between "
    "regions outweigh all real texture. Sharpening and stretched contrast raise it; it never looks at the sources.",
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
    fooled="The same as AG, with a wider kernel that averages grain a little: noise, sharpening, halos and stretched "
    "contrast raise it, whether or not a source had the edge.",
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


@metric(
    "DF",
    title="Definition (average gradient of forward differences)",
    better="higher",
    range=(0, 255),
    sources=False,
    version=1,
    reference="No paper of its own: the average gradient (see AG) of forward differences; as thfylsty's Definition.m computes it",
    formula="DF = (1 / ((M - 1)(N - 1))) sum sqrt((Dx^2 + Dy^2) / 2), differences to the right and downwards",
    standard="A mean over the (M - 1)(N - 1) pixels that have both neighbours.",
    undefined="Not defined for an image of one row or one column.",
    fooled="Noise, sharpening and any stretch of the contrast raise it. A difference of two neighbours sees the noise of single "
    "pixels in full, so it is a fifth to a quarter above AG and is raised by noise more.",
)
def forward_definition(t: Triple, *, denominator: Literal["inner", "pixels"] = "inner") -> float:
    """Mean magnitude of the forward differences of the fused image.

    Parameters
    ----------
    t : Triple
        The images.
    denominator : {"inner", "pixels"}
        What the sum over (M - 1)(N - 1) pixels is divided by: their number, or M N (Topanxal).

    Returns
    -------
    float
        In levels per pixel.
    """
    rows, columns = _sides("DF", t)
    divisor = (rows - 1) * (columns - 1) if denominator == "inner" else rows * columns
    return float(forward_sum(t.fused)) / divisor


def _sides(name: str, t: Triple) -> tuple[int, int]:
    rows, columns = t.shape
    if min(rows, columns) < 2:
        raise NotDefined(f"{name} compares neighbours, so it needs at least 2 x 2 pixels, not {columns} x {rows}")
    return rows, columns
