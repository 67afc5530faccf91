"""Fusion of wavelet transforms: of each subband the stronger coefficients, of the low-pass image the mean.

The decimated transform (`dwt`) is fast and compact, but a coefficient that changes with a shift of the image by one
pixel is a poor witness of what is there: its choices flicker and leave steps. The undecimated (`swt`) and the complex
dual-tree transform (`dtcwt`) choose alike wherever the image stands; the latter also tells six directions apart. All
average the low-pass image, so that large bright targets lose half of their contrast.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import numpy as np
import pywt  # type: ignore[import-untyped]

from fusionbench.types import UserError

from ..card import Plane, method
from .choose import choose_max
from .dtcwt import DualTree, dual_tree_transform, from_dual_tree
from .levels import check_levels

_DEFAULTS: Final = (
    "Haar wavelet and four levels, as in the fusion toolboxes of Rockinger (1999) and of Liu et al. (2015)."
)


@method(
    "dwt",
    title="Discrete wavelet transform",
    authors="H. Li, B. S. Manjunath, S. K. Mitra",
    year=1995,
    doi="10.1006/gmip.1995.1022",
    summary="Each source is split into wavelet subbands. Of each subband the stronger coefficients are kept, by maximum "
    "and majority over 3x3 coefficients. The low-pass images are averaged.",
    defaults=_DEFAULTS,
    identity=1e-9,
)
def discrete_wavelet(ir: Plane, vis: Plane, *, levels: int = 4, wavelet: str = "haar") -> Plane:
    """Fuse decimated wavelet transforms.

    Parameters
    ----------
    ir, vis : ndarray
        The sources, (H, W), on the scale 0..255; they are mirrored at their borders.
    levels : int
        Number of levels. Default: four, as in the fusion toolboxes.
    wavelet : str
        Any discrete wavelet that PyWavelets knows, e.g. "haar", "db4", "bior2.2". Default: Haar, as in the fusion
        toolboxes.

    Returns
    -------
    ndarray
        The fused image, (H, W), not rounded; it may leave the scale 0..255 a little.

    Raises
    ------
    UserError
        If the images are too small for so many levels, or the wavelet is unknown.
    """
    check_levels(levels, ir)
    filters = _wavelet(wavelet)
    a, b = ir, vis
    details = []
    for _ in range(levels):
        shape = a.shape
        a, details_a = pywt.dwt2(a, filters)
        b, details_b = pywt.dwt2(b, filters)
        details.append((shape, _stronger(details_a, details_b)))
    fused: Plane = (a + b) / 2
    for (height, width), chosen in reversed(details):
        fused = pywt.idwt2((fused, chosen), filters)[:height, :width]
    return fused


@method(
    "swt",
    title="Stationary (shift-invariant) wavelet transform",
    authors="O. Rockinger",
    year=1997,
    doi="10.1109/ICIP.1997.632093",
    summary="Each source is split into wavelet subbands that keep the size of the image. Of each subband the stronger "
    "coefficients are kept, by maximum and majority over 3x3 coefficients, so that choices do not depend on where a "
    "pixel stands. The low-pass images are averaged.",
    defaults=_DEFAULTS,
    identity=1e-9,
)
def stationary_wavelet(ir: Plane, vis: Plane, *, levels: int = 4, wavelet: str = "haar") -> Plane:
    """Fuse undecimated wavelet transforms.

    Parameters
    ----------
    ir, vis : ndarray
        The sources, (H, W), on the scale 0..255; they are mirrored at their borders.
    levels : int
        Number of levels. Default: four, as in the fusion toolboxes.
    wavelet : str
        Any orthogonal or biorthogonal wavelet that PyWavelets knows. Default: Haar, as in the fusion toolboxes.

    Returns
    -------
    ndarray
        The fused image, (H, W), not rounded; it may leave the scale 0..255 a little.

    Raises
    ------
    UserError
        If the images are too small for so many levels, or the wavelet is unknown.
    """
    check_levels(levels, ir)
    filters = _wavelet(wavelet)
    # The transform is periodic: a frame as wide as its filters reach keeps one side of the image out of the other.
    frame = (filters.dec_len - 1) * 2**levels
    before_after = [(frame, frame + -side % 2**levels) for side in ir.shape]
    low_a, *bands_a = _undecimated(np.pad(ir, before_after, mode="symmetric"), filters, levels)
    low_b, *bands_b = _undecimated(np.pad(vis, before_after, mode="symmetric"), filters, levels)
    bands = [_stronger(p, q) for p, q in zip(bands_a, bands_b, strict=True)]
    fused: Plane = pywt.iswt2([(low_a + low_b) / 2, *bands], filters)
    height, width = ir.shape
    return fused[frame : frame + height, frame : frame + width]


@method(
    "dtcwt",
    title="Dual-tree complex wavelet transform",
    authors="J. J. Lewis, R. J. O'Callaghan, S. G. Nikolov, D. R. Bull, N. Canagarajah",
    year=2007,
    doi="10.1016/j.inffus.2005.09.006",
    summary="Each source is split into complex wavelet subbands of six directions, whose magnitudes hardly change when "
    "the image is shifted. Of each subband the stronger coefficients are kept, by maximum and majority over 3x3 "
    "coefficients. The low-pass images are averaged.",
    defaults="Four levels, LeGall's 5/3 filters on the first and Kingsbury's Q-shift filters of six non-zero taps on the "
    "others, as in the toolbox of Liu et al. (2015).",
    identity=1e-9,
)
def dual_tree(ir: Plane, vis: Plane, *, levels: int = 4) -> Plane:
    """Fuse dual-tree complex wavelet transforms.

    Parameters
    ----------
    ir, vis : ndarray
        The sources, (H, W), on the scale 0..255; they are mirrored at their borders.
    levels : int
        Number of levels. Default: four, as in the toolbox of Liu et al.

    Returns
    -------
    ndarray
        The fused image, (H, W), not rounded; it may leave the scale 0..255 a little.

    Raises
    ------
    UserError
        If the images are too small for so many levels.
    """
    check_levels(levels, ir)
    a, b = dual_tree_transform(ir, levels), dual_tree_transform(vis, levels)
    bands = [np.stack(_stronger(p, q)) for p, q in zip(a.bands, b.bands, strict=True)]
    return from_dual_tree(DualTree(bands, (a.low + b.low) / 2, a.shape))


def _stronger(subbands_a: Iterable[Any], subbands_b: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(choose_max(p, q) for p, q in zip(subbands_a, subbands_b, strict=True))


def _undecimated(image: Plane, filters: Any, levels: int) -> list[Any]:
    """The low-pass plane, then the three subbands of each level, the coarsest first."""
    planes: list[Any] = pywt.swt2(image, filters, levels, trim_approx=True)
    return planes


def _wavelet(name: str) -> Any:
    try:
        return pywt.Wavelet(name)
    except ValueError:
        known = ", ".join(pywt.wavelist(kind="discrete"))
        raise UserError(f"There is no wavelet {name!r}: give one of {known}.") from None
