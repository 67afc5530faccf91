"""Details of a wavelet transform that the fused image shares with its sources (Q_M).

Haar details of two scales are compared coefficient by coefficient, and strong details of a source count more. One level of
noise already makes two details unlike, so that only near-copies of a source score well.
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .card import NotDefined, metric
from .kernels.fidelity import add_cells, detail_agreement
from .triple import SOURCES, Source, Triple

Cells = NDArray[np.uint8] | NDArray[np.int32]

EXPONENTS = (2 / 3, 1 / 3)
"""What the finer and the coarser scale count."""


@metric(
    "Q_M",
    title="Multiscale detail agreement (Wang-Liu)",
    better="higher",
    range=(0, 1),
    sources=True,
    version=1,
    reference="Wang, Liu, ICSP 2008, doi:10.1109/ICOSP.2008.4697288; settings of Liu et al., IEEE TPAMI 34(1), 2012, "
    "doi:10.1109/TPAMI.2011.109",
    formula="Q_M = Q1^(2/3) Q2^(1/3), Ql = sum(EAF wA + EBF wB) / sum(wA + wB), EXF = mean over details d of exp(-|dX - dF|), "
    "wX = sum of dX^2",
    standard="The mean of the three details' likeness, so that a perfect copy of equal sources scores 1; Liu et al.'s code adds "
    "them, which is three times as much. Orthonormal Haar transform of levels 0..255, two scales; an odd last row or column "
    "is left out.",
    undefined="NaN where both sources are flat at a scale: 0/0.",
    fooled="Copying one source raises it beyond fusions: that source's details agree exactly. A difference of two levels leaves "
    "a likeness of 0.14, so it rewards pixels that were taken over unchanged and not what can be seen.",
)
def multiscale_detail_agreement(t: Triple, *, details: Literal["mean", "sum"] = "mean") -> float:
    """How exactly the sources' Haar details are found again in the fused image.

    Parameters
    ----------
    t : Triple
        The images.
    details : {"mean", "sum"}
        Whether the likeness of the horizontal, vertical and diagonal detail is averaged or added (Liu et al.).

    Returns
    -------
    float
        0 to 1 (``"sum"``: to 3), or NaN.
    """
    if min(t.shape) < 4:
        raise NotDefined("Q_M halves the image twice, so it needs at least 4 x 4 pixels")
    fused: Cells = t.fused
    product = 1.0
    for scale, exponent in enumerate(EXPONENTS, 1):
        # Coefficients are kept as whole numbers: 2^scale times what they are in the orthonormal transform.
        likeness = np.exp(-np.arange(255 * 4**scale + 1) / 2**scale)
        carried = weight = 0.0
        for source in SOURCES:
            plane: Cells = getattr(t, source) if scale == 1 else _source_cells(t, source)
            c, w = detail_agreement(plane, fused, likeness)
            carried, weight = carried + c, weight + w
        if weight == 0:
            return math.nan
        product *= (carried / weight) ** exponent
        fused = _cells(fused)
    return product / 3 if details == "mean" else product


def _source_cells(t: Triple, source: Source) -> NDArray[np.int32]:
    return t.scene.measure(("cells", source), lambda s: _cells(getattr(s, source)))


def _cells(plane: Cells) -> NDArray[np.int32]:
    """Four times the means of 2 x 2 pixels; an odd last row or column is left out."""
    return add_cells(plane, plane.shape[0] // 2, plane.shape[1] // 2)
