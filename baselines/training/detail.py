"""A loss of our own that may be added to the authors': the fused image should vary where either source does.

Left to themselves, the authors' losses lead to something close to the brighter of both sources at each pixel, which loses
what is dark in one source and drawn only there. This term asks for the detail of both, whichever is brighter.
"""

from __future__ import annotations

from typing import Final

from torch import Tensor

_APART: Final = 1, 4, 16
"""Pixels between two whose difference counts: from edges to shading."""
_SHARE: Final = 0.9
"""Of the contrast of both sources together; all of it would leave the range where both have much."""


def detail_errors(fused: Tensor, vis: Tensor, ir: Tensor) -> list[Tensor]:
    """How far the differences between pixels are from nine tenths of those of both sources, added.

    Parameters
    ----------
    fused, vis, ir : Tensor
        (B, 1, H, W), of one scale, with sides above 16.

    Returns
    -------
    list of Tensor
        Errors over 1, 4 and 16 pixels, each along both axes, flat.
    """
    # Taking differences is linear, so those of the error are the error of the differences.
    error = fused - _SHARE * (vis + ir)
    across = [(error[..., apart:] - error[..., :-apart]).flatten() for apart in _APART]
    down = [(error[..., apart:, :] - error[..., :-apart, :]).flatten() for apart in _APART]
    return across + down
