"""Structural similarity of the fused image to its sources (SSIM).

Compares local means, variances and covariances in a sliding window. Blurring towards the average of the sources raises
it; so read it beside a metric of contrast.
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .card import NotDefined, metric
from .dealt import bands, borrow
from .kernels.similarity import TILES, similarity
from .kernels.windows import scratch_size
from .triple import Scene, Source, Triple

Window: TypeAlias = Literal["gaussian-11", "uniform-7", "uniform-11"]
Border: TypeAlias = Literal["valid", "replicate", "zero"]
Covariance: TypeAlias = Literal["population", "sample"]
Aggregate: TypeAlias = Literal["mean", "sum"]


@metric(
    "SSIM",
    title="Structural similarity",
    better="higher",
    range=(-1, 1),
    sources=True,
    version=1,
    reference="Wang, Bovik, Sheikh, Simoncelli, IEEE TIP 13(4), 2004, doi:10.1109/TIP.2003.819861, eq. 13",
    formula="SSIM = (mean S(A, F) + mean S(B, F)) / 2, S = (2 mX mF + C1)(2 sXF + C2) / ((mX^2 + mF^2 + C1)(sX^2 + sF^2 + C2))",
    standard="Wang's window (11 x 11 Gaussian, sigma 1.5), constants (K = 0.01, 0.03; L = 255) and border (whole windows only). "
    "The mean of both sources, so that 1 still means identical; many fusion papers print the sum.",
    undefined="Not defined for an image smaller than the window, 11 x 11. Constant images are no exception: C1, C2 > 0.",
    fooled="The average of the sources scores more than any method that makes detail visible, and halving the contrast of a "
    "fused image raises it. Flat regions, sky above all, count as much as the objects. Noise, sharpening and honest "
    "gain in contrast lower it.",
)
def structural_similarity(
    t: Triple,
    *,
    window: Window = "gaussian-11",
    data_range: float = 255.0,
    scale: float = 255.0,
    border: Border = "valid",
    covariance: Covariance = "population",
    aggregate: Aggregate = "mean",
    precision: Literal["float64", "float32"] = "float64",
) -> float:
    """Mean SSIM of the fused image with each source.

    Parameters
    ----------
    t : Triple
        The images.
    window : {"gaussian-11", "uniform-7", "uniform-11"}
        Weights of the sliding window: Wang's Gaussian of 11 x 11, or equal ones, 7 x 7 (scikit-image's default) or
        11 x 11 (Topanxal).
    data_range : float
        L in C1 = (0.01 L)^2 and C2 = (0.03 L)^2, whatever the range of the levels is. MATLAB's ssim on doubles takes 1
        (Tang et al.), old scikit-image 2 (CDDFuse). An L that is too small makes the metric one of pure correlation,
        and ranks methods differently.
    scale : float
        What level 255 counts as. IVIF_ZOO scales its images twice, to 255^2, and keeps L = 255.
    border : {"valid", "replicate", "zero"}
        Whole windows only; or one around every pixel, with the border repeated (MATLAB) or black around the images, which
        then seem to agree along their frames (Topanxal).
    covariance : {"population", "sample"}
        Divide by the number of samples, or by one less (scikit-image's default).
    aggregate : {"mean", "sum"}
        Over the two sources.
    precision : {"float64", "float32"}
        ``"float32"``: rounded as by the programs that compute in single precision, see `fusionbench.metrics.single`.
        Whole windows only.

    Returns
    -------
    float
        -1 to 1 (``"sum"``: -2 to 2).

    Notes
    -----
    The defaults, summed over the sources, are VIFB's numbers, and per source those of scikit-image with
    ``gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=255`` on whole windows.
    """
    size = _SIZES[window]
    if border == "valid" and min(t.shape) < size:
        raise NotDefined(f"SSIM's window of {size} x {size} does not fit into {t.shape[1]} x {t.shape[0]} pixels")
    unbias = size**2 / (size**2 - 1) if covariance == "sample" else 1.0
    if precision == "float32":
        from . import single

        both = [single.similarity(x, t.fused, window, data_range, scale, unbias) for x in (t.ir, t.vis)]
    else:
        relative = data_range * 255 / scale
        key = ("SSIM", window, relative, border, unbias)
        both = t.scene.measure(key, lambda s: _similarities(s, window, relative, border, unbias))[t.index]
    return float(sum(both)) / (2 if aggregate == "mean" else 1)


_SIZES: Final = {"gaussian-11": 11, "uniform-7": 7, "uniform-11": 11}
_PADDING: Final[dict[str, Literal["edge", "constant"]]] = {"replicate": "edge", "zero": "constant"}


def _weights(window: Window) -> NDArray[np.float64]:
    """The first half of the window, the middle last."""
    if window != "gaussian-11":
        size = _SIZES[window]
        return np.full(size // 2 + 1, 1 / size)
    half = np.exp(-(np.arange(-5.0, 1.0) ** 2) / (2 * 1.5**2))
    return half / (2 * half.sum() - half[-1])


def _similarities(
    scene: Scene, window: Window, data_range: float, border: Border, unbias: float
) -> NDArray[np.float64]:
    """Mean SSIM of every fused image with each source, (fused, 2)."""
    weights = _weights(window)
    size = _SIZES[window]
    strips = scene.bands()
    if border != "valid":
        mode = _PADDING[border]
        strips = list(bands([np.pad(plane, size // 2, mode=mode) for plane in (scene.ir, scene.vis, *scene.fused)]))
    c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    total = np.zeros((len(scene.fused), 2))
    for band in strips:
        columns = band.columns(size)
        if columns > 0:
            scratch = borrow((scratch_size(band.planes.shape[2], size, TILES),))
            total += similarity(band.planes, columns, weights, c1, c2, unbias, scratch)
    return total / ((strips[0].planes.shape[1] - size + 1) * (strips[0].width - size + 1))


def structural_similarity_map(
    t: Triple, source: Source, *, window: Window = "gaussian-11", data_range: float = 255.0
) -> NDArray[np.float64]:
    """SSIM of the fused image with one source around every pixel, (H, W), borders repeated.

    Parameters
    ----------
    t : Triple
        The images.
    source : {"ir", "vis"}
        The source.
    window, data_range
        As for `structural_similarity`.

    Returns
    -------
    (H, W) float64
        -1 to 1.
    """
    from scipy import ndimage

    half = _weights(window)
    taps = np.concatenate([half, half[-2::-1]])
    x, f = (plane.astype(np.float64) for plane in (getattr(t, source), t.fused))

    def mean(plane: NDArray[np.float64]) -> NDArray[np.float64]:
        once = ndimage.correlate1d(plane, taps, axis=0, mode="nearest")
        both: NDArray[np.float64] = ndimage.correlate1d(once, taps, axis=1, mode="nearest")
        return both

    mx, mf = mean(x), mean(f)
    variances = mean(x * x) - mx * mx + mean(f * f) - mf * mf
    c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    return (2 * mx * mf + c1) * (2 * (mean(x * f) - mx * mf) + c2) / ((mx * mx + mf * mf + c1) * (variances + c2))
