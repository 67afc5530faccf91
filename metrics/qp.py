"""Features kept (Qp): does the fused image have its edges, corners and lines where a source has them?

Features are where phases agree, so neither brightness nor contrast matters, and noise of a fused image costs nothing where the
sources have no feature.
"""

from __future__ import annotations

import math
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .card import metric
from .dealt import borrow
from .kernels.matching import REACH, features_kept, masked_features
from .phase_congruency import Recipe, phase_congruency
from .triple import Scene, Triple

Array: TypeAlias = NDArray[np.float64]

FEATURE = 0.1
"""Phase congruency above which a pixel of a source is a feature."""
_HALF = np.exp(-(np.arange(-REACH, 1) ** 2) / (2 * 1.5**2))
_WINDOW = _HALF / (2 * _HALF.sum() - _HALF[-1])
"""One half of the Gaussian window, the middle last."""
_RECIPES = {
    "corrected": Recipe(6, 3.0, 2.1, closed=False, shifted=False, moments=True, cross=2 / 3),
    "early": Recipe(6, 3.0, 2.1, closed=True, shifted=True, moments=True, cross=1 / 6),
}


@metric(
    "Qp",
    title="Phase congruency kept (Zhao)",
    better="higher",
    range=(0, 1),
    sources=True,
    version=1,
    reference="Zhao, Laganiere, Liu, Int. J. Innovative Computing 3(6A), 2007, pp. 1433-1447, eq. 14-19; phase "
    "congruency: Kovesi, Videre 1(3), 1999",
    formula="Qp = Pp PM Pm, P = sum over features of max(r(A, F), r(B, F), r(max(A, B), F)) / number of features, r "
    "local correlation of congruency (p) and of its greatest (M) and smallest (m) moment",
    standard="Kovesi's congruency (4 scales from 3 pixels, factor 2.1, 6 orientations, k = 2) with the moments of the "
    "tensor that he means; Gaussian windows of 11 x 11, features above 0.1, exponents 1, as in Liu's code.",
    undefined="NaN where the sources have no feature at all: 0/0.",
    fooled="Blind to contrast: a pale image with every edge in place scores as high as a strong one, and sharpening "
    "or halos along edges cost little. Noise in a source counts as features, so keeping it raises the score.",
)
def phase_congruency_quality(t: Triple, *, phase: Literal["corrected", "early"] = "corrected") -> float:
    """Correlation of the fused image's features with those of the sources.

    Parameters
    ----------
    t : Triple
        The images.
    phase : {"corrected", "early"}
        ``"early"``: with three slips of the code of 2003 that Liu et al. ship: the mixed moment is a quarter of what it
        should be and, where a side is odd, frequencies are stretched and the low-pass is one sample off. Worth 1 to 3 %.

    Returns
    -------
    float
        0 to 1, or NaN.
    """
    recipe = _RECIPES[phase]
    references, area = t.scene.measure(("Qp", phase), lambda s: _references(s, recipe))
    if not area:
        return math.nan
    fused = phase_congruency(t.fused.astype(np.float64), recipe)
    memory = borrow((90 * (fused.shape[2] + 16),))
    return math.prod(total / area for total in features_kept(references, fused, _WINDOW, memory))


def _references(scene: Scene, recipe: Recipe) -> tuple[Array, int]:
    """Features, (3, 3, H, W), of ir, vis and the stronger of the two; pixels where the stronger has any."""
    a, b = (phase_congruency(plane.astype(np.float64), recipe) for plane in (scene.ir, scene.vis))
    masked = borrow((3, *a.shape))
    return masked, masked_features(a, b, FEATURE, masked)
