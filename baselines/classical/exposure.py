"""Exposure fusion: a weighted mean whose weights are blended band by band.

Made for photographs of one scene at several exposures, it takes each pixel from where it is rich in contrast and
neither dark nor bright. Between infrared and visible images that means: hot targets, near white, count as
overexposed and fade.
"""

from __future__ import annotations

import math

import numpy as np

from fusionbench.types import UserError

from ..card import Plane, method
from .filters import correlate
from .gaussian_pyramid import double, halve

_LAPLACIAN = np.array([[0.0, 1.0, 0.0], [1.0, -4.0, 1.0], [0.0, 1.0, 0.0]])
_LITTLE = 1e-12
"""Added to every weight: where no source is worth anything they count alike."""


@method(
    "exposure",
    title="Exposure fusion",
    authors="T. Mertens, J. Kautz, F. Van Reeth",
    year=2007,
    doi="10.1109/PG.2007.17",
    summary="Each pixel of each source is weighted by its contrast and by how near it is to middle grey. The weights are "
    "smoothed by a Gaussian pyramid and applied to the bands of a Laplacian pyramid. The weight of saturation is left "
    "out: a plane has none.",
    defaults="The paper's: exponents 1, exposedness of standard deviation 0.2, and a pyramid down to the last pixels.",
    identity=1e-9,
)
def exposure_fusion(
    ir: Plane, vis: Plane, *, contrast: float = 1.0, exposedness: float = 1.0, sigma: float = 0.2
) -> Plane:
    """Blend the sources by their contrast and exposure.

    Parameters
    ----------
    ir, vis : ndarray
        The sources, (H, W), on the scale 0..255.
    contrast, exposedness : float
        Exponents of the two weights, 0 or more; 0 leaves one out. Default: the paper's 1.
    sigma : float
        Standard deviation around middle grey, on the scale 0..1, within which a pixel counts as well exposed; positive.
        Default: the paper's.

    Returns
    -------
    ndarray
        The fused image, (H, W), not rounded; it may leave the scale 0..255 a little.

    Raises
    ------
    UserError
        If an exponent is negative, `sigma` is not positive, or one of them is infinite.
    """
    if not (0 <= contrast < math.inf and 0 <= exposedness < math.inf and 0 < sigma < math.inf):
        raise UserError(
            f"The weights of exposure fusion need finite contrast >= 0, exposedness >= 0 and sigma > 0, not contrast={contrast}, "
            f"exposedness={exposedness}, sigma={sigma}."
        )
    weight_ir, weight_vis = (
        _contrast(x) ** contrast * _well_exposed(x, sigma) ** exposedness + _LITTLE for x in (ir, vis)
    )
    # Whatever both share is blended to itself: only the difference of the two pyramids needs the weights.
    return vis + _blend(ir - vis, weight_ir / (weight_ir + weight_vis))


def _contrast(image: Plane) -> Plane:
    return np.abs(correlate(image / 255.0, _LAPLACIAN, "replicate"))


def _well_exposed(image: Plane, sigma: float) -> Plane:
    """Gaussian around middle grey of levels 0..1."""
    return np.exp(-((image / 255.0 - 0.5) ** 2) / (2.0 * sigma**2))


def _blend(image: Plane, weight: Plane) -> Plane:
    """Weigh the bands of the Laplacian pyramid of an image by the Gaussian pyramid of a map, down to one last pixel."""
    height, width = image.shape
    if min(height, width) < 2:
        return image * weight
    small = halve(image)
    band = image - double(small, (height, width))
    return band * weight + double(_blend(small, halve(weight)), (height, width))
