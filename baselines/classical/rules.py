"""Rules without a transform: average, maximum, minimum, a fixed weight, and the principal component.

They are the floor that every other method has to clear. The average halves the contrast of whatever only one source
shows. Maximum and minimum keep it if it is brighter or darker than the other source, and choose noise and dazzle just
as gladly. A principal component follows whichever source varies more over the whole image.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from fusionbench.types import UserError

from ..card import Plane, method
from .principal import principal_weights

# As old as the field: no paper proposed these.
_rule = partial(method, authors="", year=0, doi="", identity=1e-9, kind="rule")


@_rule(
    "average",
    title="Average",
    summary="The mean of the two sources, pixel by pixel. Noise falls, and so does the contrast of whatever only one "
    "source shows. It is the plainest baseline there is.",
    defaults="There is nothing to choose.",
)
def average(ir: Plane, vis: Plane) -> Plane:
    """Average the sources.

    Parameters
    ----------
    ir, vis : ndarray
        The sources, (H, W), on the scale 0..255.

    Returns
    -------
    ndarray
        The fused image, (H, W), on the scale 0..255, not rounded.
    """
    return (ir + vis) / 2


@_rule(
    "max",
    title="Maximum",
    summary="The brighter of the two sources, pixel by pixel. Hot targets and lamps are kept whole. Dark things of one "
    "source vanish wherever the other is brighter.",
    defaults="There is nothing to choose.",
)
def maximum(ir: Plane, vis: Plane) -> Plane:
    """Choose the brighter source at every pixel.

    Parameters
    ----------
    ir, vis : ndarray
        The sources, (H, W), on the scale 0..255.

    Returns
    -------
    ndarray
        The fused image, (H, W), on the scale 0..255.
    """
    fused: Plane = np.maximum(ir, vis)
    return fused


@_rule(
    "min",
    title="Minimum",
    summary="The darker of the two sources, pixel by pixel. Cold targets and shadows are kept whole. Bright things of "
    "one source vanish wherever the other is darker.",
    defaults="There is nothing to choose.",
)
def minimum(ir: Plane, vis: Plane) -> Plane:
    """Choose the darker source at every pixel.

    Parameters
    ----------
    ir, vis : ndarray
        The sources, (H, W), on the scale 0..255.

    Returns
    -------
    ndarray
        The fused image, (H, W), on the scale 0..255.
    """
    fused: Plane = np.minimum(ir, vis)
    return fused


@_rule(
    "weighted",
    title="Weighted average",
    summary="A weighted mean of the two sources, with the same weight for the whole image. A weight of 1/2 is the "
    "average. At 0 and 1 it returns one source unchanged.",
    defaults="One half, as there is no reason to favour a source.",
)
def weighted(ir: Plane, vis: Plane, *, weight: float = 0.5) -> Plane:
    """Average the sources with a given weight.

    Parameters
    ----------
    ir, vis : ndarray
        The sources, (H, W), on the scale 0..255.
    weight : float
        Weight of the infrared source, 0 to 1; the visible one gets the rest. By default one half.

    Returns
    -------
    ndarray
        The fused image, (H, W), on the scale 0..255, not rounded.

    Raises
    ------
    UserError
        If the weight is not between 0 and 1.
    """
    if not 0 <= weight <= 1:
        raise UserError(f"The weight {weight} of the infrared image is out of range: give a number from 0 to 1.")
    return weight * ir + (1 - weight) * vis


@method(
    "pca",
    title="Principal component",
    authors="V. P. S. Naidu, J. R. Raol",
    year=2008,
    doi="10.14429/dsj.58.1653",
    summary="A weighted mean of the two sources. The weights are the components of the principal eigenvector of their "
    "covariance over the whole image. The source that varies more so gets the larger weight.",
    defaults="The paper's: the components keep their signs (signed).",
    identity=1e-9,
    kind="rule",
)
def principal_component(ir: Plane, vis: Plane, *, signed: bool = True) -> Plane:
    """Average the sources with the weights of their principal component.

    Parameters
    ----------
    ir, vis : ndarray
        The sources, (H, W), on the scale 0..255.
    signed : bool
        Keep the signs of the components, as the paper does. Sources that vary against each other, as infrared and
        visible ones often do, then get one weight below 0 and one above 1; without signs both stay between them.

    Returns
    -------
    ndarray
        The fused image, (H, W), not rounded; with signs it may leave the scale 0..255 by far.
    """
    weight_ir, weight_vis = principal_weights(ir, vis)
    if not signed:
        weight_ir, weight_vis = abs(weight_ir), abs(weight_vis)
    return (weight_ir * ir + weight_vis * vis) / (weight_ir + weight_vis)
