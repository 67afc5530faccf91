"""Feature similarity (FSIM): do fused image and source agree in phase congruency and gradient where either has features?"""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from fusionbench.types import Levels

from .card import metric
from .kernels.congruency import gradient_strength
from .phase_congruency import Recipe, phase_congruency
from .triple import SOURCES, Source, Triple

Array: TypeAlias = NDArray[np.float64]

_RECIPE = Recipe(4, 6.0, 2.0, closed=True, shifted=False, moments=False, cross=0.0)
_SIDE = 256
"""Pixels that the shorter side is brought near to by averaging."""


@metric(
    "FSIM",
    title="Feature similarity",
    better="higher",
    range=(0, 1),
    sources=True,
    version=1,
    reference="Zhang, Zhang, Mou, Zhang, IEEE TIP 20(8), 2011, doi:10.1109/TIP.2011.2109730, eq. 3-8",
    formula="FSIM = (S(A, F) + S(B, F)) / 2, S = sum(Sp Sg m) / sum m, Sp = (2 p q + 0.85) / (p^2 + q^2 + 0.85) of "
    "congruencies, Sg likewise of gradients with 160, m = max(p, q)",
    standard="The authors' grey form: 4 scales from 6 pixels, factor 2, 4 orientations, Scharr gradient on levels "
    "0..255, averaged and decimated by round(shorter side / 256). The paper knows one reference; for two, the mean, "
    "so that 1 means identical.",
    undefined="Every image has a value; where all are flat it is 1. Rows and columns that fill no whole block of the "
    "decimation are left out.",
    fooled="A copy of one source scores 1 with it, so half of the score is free. Where the sources disagree no fused "
    "image can please both, and averaging them is the safe way to please each a little.",
)
def feature_similarity(t: Triple) -> float:
    """Mean similarity of features to each source.

    Parameters
    ----------
    t : Triple
        The images.

    Returns
    -------
    float
        0 to 1.

    Notes
    -----
    Per source, piq's ``fsim(..., chromatic=False)`` to the rounding of its float32.
    """
    total = 0.0
    for source in SOURCES:
        likeness, weight = _compared(t, source)
        total += float((likeness * weight).sum() / weight.sum())
    return total / 2


def feature_similarity_map(t: Triple, source: Source) -> Array:
    """Similarity of features to those of one source, at the size that features are computed at.

    Parameters
    ----------
    t : Triple
        The images.
    source : {"ir", "vis"}
        The source.

    Returns
    -------
    (rows, columns) float64
        Above 0, to 1 where congruency and gradient are equal. FSIM's part of the source is its mean, weighted by the greater
        congruency of the two images.
    """
    return _compared(t, source)[0]


def _compared(t: Triple, source: Source) -> tuple[Array, Array]:
    """Similarity, and what it counts."""
    p, g = t.scene.measure(("FSIM", source), lambda s: _features(getattr(s, source)))
    q, h = t.measure("FSIM", lambda t: _features(t.fused))
    congruencies = (2 * p * q + 0.85) / (p * p + q * q + 0.85)
    gradients = (2 * g * h + 160) / (g * g + h * h + 160)
    return congruencies * gradients, np.maximum(p, q)


def _features(plane: Levels) -> tuple[Array, Array]:
    """Phase congruency and gradient of a plane, near 256 pixels along the shorter side."""
    step = max(1, math.floor(min(plane.shape) / _SIDE + 0.5))
    rows, columns = (side // step for side in plane.shape)
    blocks = plane[: rows * step, : columns * step].reshape(rows, step, columns, step)
    small = blocks.sum(axis=(1, 3), dtype=np.int64) / float(step * step)
    return phase_congruency(small, _RECIPE)[0], gradient_strength(small)
