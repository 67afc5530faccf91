"""Structural similarity at five scales (MS-SSIM): contrast and structure at each, luminance at the coarsest.

The coarse scales weigh more than the finest, so it forgives blur and noise that SSIM sees; like SSIM it is raised by drawing
towards the average of the sources.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .card import NotDefined, metric
from .dealt import bands, borrow
from .kernels.similarity import TILES, similarity
from .kernels.windows import scratch_size
from .scales import Halving, halved
from .triple import Scene, Triple

Aggregate: TypeAlias = Literal["mean", "sum"]

EXPONENTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""How much each scale counts, from the finest to the coarsest."""
SMALLEST = 161
"""Side of the smallest image that the window of 11 x 11 fits into after four halvings."""
# A constant so large that the factor of luminance is 1 to the last digit: what remains is contrast and structure.
_NO_LIGHT = 1e200


@metric(
    "MS-SSIM",
    title="Multi-scale structural similarity",
    better="higher",
    range=(0, 1),
    sources=True,
    version=1,
    reference="Wang, Simoncelli, Bovik, Asilomar 2003, doi:10.1109/ACSSC.2003.1292216, eq. 7",
    formula="MS-SSIM = (M(A, F) + M(B, F)) / 2, M = prod over 5 scales of (mean cs)^w, at the fifth of (mean l cs)^w, "
    "l = (2 mX mF + C1) / (mX^2 + mF^2 + C1), cs = (2 sXF + C2) / (sX^2 + sF^2 + C2)",
    standard="Wang's exponents, window (11 x 11 Gaussian, whole windows only), constants, and halving (means of two by two "
    "pixels, an odd border repeated); piq gives the same numbers where every scale has even sides. pytorch-msssim pads odd sides "
    "with zeros instead. The mean of both sources, so that 1 means identical; IVIF_ZOO prints the sum.",
    undefined="A scale whose mean is negative counts as 0, since its power does not exist. Not defined below 161 x 161 pixels.",
    fooled="Averaging the sources raises it, and blurring costs nothing: the coarse scales, where fine detail has been averaged "
    "away, hold most of the exponents. So fine noise costs little too. Copying one source gives at least half.",
)
def multiscale_structural_similarity(
    t: Triple,
    *,
    halving: Halving = "symmetric",
    data_range: float = 255.0,
    scale: float = 255.0,
    aggregate: Aggregate = "mean",
    precision: Literal["float64", "float32"] = "float64",
) -> float:
    """Mean MS-SSIM of the fused image with each source.

    Parameters
    ----------
    t : Triple
        The images.
    halving : {"symmetric", "zero"}
        What the last of an odd number of rows or columns is averaged with at the next scale: itself, or a frame of zeros
        (pytorch-msssim, IVIF_ZOO).
    data_range : float
        L in C1 = (0.01 L)^2 and C2 = (0.03 L)^2, whatever the range of the levels is.
    scale : float
        What level 255 counts as. IVIF_ZOO scales its images twice, to 255^2, and keeps L = 255.
    aggregate : {"mean", "sum"}
        Over the two sources.
    precision : {"float64", "float32"}
        ``"float32"``: rounded as PyTorch rounds, see `fusionbench.metrics.single_scales`.

    Returns
    -------
    float
        0 to 1 (``"sum"``: 0 to 2).

    Notes
    -----
    Per source, the numbers of piq 0.8 ``multi_scale_ssim`` where all sides are multiples of 16, and with ``halving="zero"``
    those of pytorch-msssim 1.0 ``ms_ssim``, whose window is rounded to float32, to 5e-6.
    """
    if min(t.shape) < SMALLEST:
        raise NotDefined(
            f"MS-SSIM's five scales do not fit into {t.shape[1]} x {t.shape[0]} pixels; it needs {SMALLEST} x {SMALLEST}"
        )
    if precision == "float32":
        from .single_scales import similarity_of_scales

        both = [similarity_of_scales(x, t.fused, EXPONENTS, halving, data_range, scale) for x in (t.ir, t.vis)]
    else:
        relative = data_range * 255 / scale
        both = t.scene.measure(("MS-SSIM", halving, relative), lambda s: _similarities(s, halving, relative))[t.index]
    return float(sum(both)) / (2 if aggregate == "mean" else 1)


def _similarities(scene: Scene, halving: Halving, data_range: float) -> NDArray[np.float64]:
    """MS-SSIM of every fused image with each source, (fused, 2)."""
    half = np.exp(-(np.arange(-5.0, 1.0) ** 2) / (2 * 1.5**2))
    half /= 2 * half.sum() - half[-1]
    size = 2 * half.size - 1
    c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    product = np.ones((len(scene.fused), 2))
    planes: list[NDArray[np.uint8] | NDArray[np.float64]] = [scene.ir, scene.vis, *scene.fused]
    for place, exponent in enumerate(EXPONENTS):
        if place:
            planes = [halved(plane, halving) for plane in planes]
        light = c1 if place == len(EXPONENTS) - 1 else _NO_LIGHT
        total = np.zeros_like(product)
        for band in bands(planes) if place else scene.bands():
            columns = band.columns(size)
            if columns > 0:
                scratch = borrow((scratch_size(band.planes.shape[2], size, TILES),))
                total += similarity(band.planes, columns, half, light, c2, 1.0, scratch)
        rows, columns = planes[0].shape
        product *= np.maximum(total / ((rows - size + 1) * (columns - size + 1)), 0) ** exponent
    return product
