"""Cards of convolutional networks of the literature, and what their authors' programs do around them."""

from __future__ import annotations

from typing import Literal

import numpy as np

from ...card import Plane
from ..methods import stretched
from .entry import Run, network


@network(
    "seafusion",
    title="SeAFusion, semantic-aware",
    authors="L. Tang, J. Yuan, J. Ma",
    year=2022,
    doi="10.1016/j.inffus.2021.12.004",
    summary="Two encoders of dense blocks beside trained gradient filters, and a plain decoder of both. A segmentation network "
    "said during training what the fused image must still show. The authors' program stretches every result to 0..255.",
    defaults="the authors' program's, the stretching of the whole image in colour and the truncation included",
    joint=True,
    color="per-channel",
)
def seafusion(
    run: Run,
    ir: Plane,
    vis: Plane,
    *,
    output: Literal["official", "plain"] = "official",
    rounding: Literal["truncate", "round"] = "truncate",
) -> Plane:
    """Fuse by SeAFusion.

    Parameters
    ----------
    output : {"official", "plain"}
        Stretch the result to 0..255, as the authors' program does by its way of saving, or leave it as it is.
    rounding : {"truncate", "round"}
        How it becomes whole levels: down, as in the authors' program, or to the nearest.
    """
    if vis.ndim == 2:
        fused = run(ir, vis)
    else:
        red, green, blue = np.moveaxis(vis / 255, 2, 0)
        luma = np.clip(0.299 * red + 0.587 * green + 0.114 * blue, 0, 1)
        cr, cb = (np.clip((one - luma) * gain, -0.5, 0.5) for one, gain in ((red, 0.713), (blue, 0.564)))
        y = run(ir, luma * 255) / 255
        fused = np.stack([y + 1.403 * cr, y - 0.714 * cr - 0.344 * cb, y + 1.773 * cb], axis=2)
        fused = np.clip(fused, 0, 1) * 255
    return stretched(fused) if output == "official" else fused
