"""Sparse representation (SR), alone and for the low-pass image of a multi-scale transform (LP-SR, RP-SR, NSCT-SR).

Averaged low-pass images lose contrast; here they are fused patch by patch, by the norm of the patch's sparse code, while
the band-pass images are fused by their strongest coefficients (Y. Liu, S. Liu, Z. Wang, Information Fusion 24, 2015). A
patch comes from one source with its mean, so where the sources have opposite polarity a few wrong decisions show as
patches of wrong brightness; the coarser the low-pass image, the larger they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from typing import Final

from ..card import Plane, method
from .choose import choose_max
from .contourlet import DIRECTIONS, Scales, check_directions, merge_scales, split_scales, stronger
from .laplacian import Pyramid, from_laplacian, from_ratio, laplacian_pyramid, ratio_pyramid
from .levels import check_levels
from .memory import kept_for
from .sparse import TOLERANCE, Dictionary, encode, fuse_codes, own_dictionary, read_dictionary

_AUTHORS: Final = "Y. Liu, S. Liu, Z. Wang"
_YEAR: Final = 2015
_DOI: Final = "10.1016/j.inffus.2014.09.004"
_DICTIONARY: Final = (
    "The authors' dictionary is for research only, so the default is one of our own; theirs is given as dictionary=."
)


@method(
    "sr",
    title="Sparse representation",
    authors="B. Yang, S. Li",
    year=2010,
    doi="10.1109/TIM.2009.2026612",
    summary="Overlapping patches without their means are written as sums of few atoms of a learned dictionary. Of each "
    "pair of patches the one whose weights have the larger sum of magnitudes is taken, with its mean. The patches are "
    "averaged where they overlap.",
    defaults="8x8 patches, two pixels apart, coded to 0.1 levels, as in the toolbox of Liu et al. (2015). "
    + _DICTIONARY,
    identity=0.5,
)
def sparse_representation(
    ir: Plane,
    vis: Plane,
    *,
    dictionary: str | PathLike[str] | None = None,
    stride: int = 2,
    tolerance: float = TOLERANCE,
) -> Plane:
    """Fuse the sparse codes of patches.

    Parameters
    ----------
    ir, vis : ndarray
        The sources, (H, W), on the scale 0..255.
    dictionary : str or path, optional
        A ``.mat`` or ``.npz`` file with an array ``D`` or ``dictionary``, (side * side, atoms), unit columns. Default:
        the dictionary of this package, (64, 256).
    stride : int
        Pixels from one patch to the next. Default: the toolbox's.
    tolerance : float
        Largest Euclidean norm, in levels, of what a code leaves of its patch. Default: the toolbox's.

    Returns
    -------
    ndarray
        The fused image, (H, W), not rounded. What no patch covers, the last rows and columns, is the mean of the sources.

    Raises
    ------
    UserError
        If the dictionary's file cannot be used, the stride leaves gaps or the tolerance is not positive.
    """
    return _fuse_low(ir, vis, _dictionary(dictionary), stride, tolerance)


@method(
    "lp-sr",
    title="Laplacian pyramid with sparse representation",
    authors=_AUTHORS,
    year=_YEAR,
    doi=_DOI,
    summary="Each source becomes a Laplacian pyramid. Of each band the stronger coefficient is kept, by maximum and "
    "majority over 3x3 pixels. The low-pass images are fused by the sparse codes of their patches.",
    defaults="The toolbox's: four levels, 8x8 patches two pixels apart, coded to 0.1 levels. " + _DICTIONARY,
    presets={"vifb": {"levels": 4}},
    identity=0.5,
)
def laplacian_sparse(
    ir: Plane,
    vis: Plane,
    *,
    levels: int = 4,
    dictionary: str | PathLike[str] | None = None,
    stride: int = 2,
    tolerance: float = TOLERANCE,
) -> Plane:
    """Fuse Laplacian pyramids, their low-pass images by sparse codes.

    Parameters
    ----------
    ir, vis : ndarray
        The sources, (H, W), on the scale 0..255.
    levels : int
        Number of bands. Default: the authors'.
    dictionary : str or path, optional
        A ``.mat`` or ``.npz`` file with an array ``D`` or ``dictionary``, (side * side, atoms), unit columns. Default:
        the dictionary of this package, (64, 256).
    stride : int
        Pixels from one patch of the low-pass image to the next. Default: the authors'.
    tolerance : float
        Largest Euclidean norm, in levels, of what a code leaves of its patch. Default: the authors'.

    Returns
    -------
    ndarray
        The fused image, (H, W), not rounded; it may leave the scale 0..255 a little.

    Raises
    ------
    UserError
        If the images are too small for so many levels, or as `sparse_representation` does.

    Notes
    -----
    The low-pass image is 2^levels times smaller than the sources on each side. Where it is smaller than a patch, it is
    the mean of the two.
    """
    check_levels(levels, ir)
    of_ir, of_vis = _laplacian_of_ir(ir, levels), laplacian_pyramid(vis, levels)
    return from_laplacian(_fuse_pyramids(of_ir, of_vis, _dictionary(dictionary), stride, tolerance))


@method(
    "rp-sr",
    title="Ratio of low-pass pyramid with sparse representation",
    authors=_AUTHORS,
    year=_YEAR,
    doi=_DOI,
    summary="Each source becomes a pyramid of ratios between successive low-pass images. Of each band the larger ratio is "
    "kept, by maximum and majority over 3x3 pixels. The low-pass images are fused by the sparse codes of their patches.",
    defaults="The toolbox's: four levels, 8x8 patches two pixels apart, coded to 0.1 levels. " + _DICTIONARY,
    presets={"vifb": {"levels": 4}},
    identity=1.0,
)
def ratio_sparse(
    ir: Plane,
    vis: Plane,
    *,
    levels: int = 4,
    dictionary: str | PathLike[str] | None = None,
    stride: int = 2,
    tolerance: float = TOLERANCE,
) -> Plane:
    """Fuse pyramids of ratios, their low-pass images by sparse codes.

    Parameters
    ----------
    ir, vis : ndarray
        The sources, (H, W), on the scale 0..255.
    levels : int
        Number of bands. Default: the authors'.
    dictionary : str or path, optional
        A ``.mat`` or ``.npz`` file with an array ``D`` or ``dictionary``, (side * side, atoms), unit columns. Default:
        the dictionary of this package, (64, 256).
    stride : int
        Pixels from one patch of the low-pass image to the next. Default: the authors'.
    tolerance : float
        Largest Euclidean norm, in levels, of what a code leaves of its patch. Default: the authors'.

    Returns
    -------
    ndarray
        The fused image, (H, W), not rounded; it may leave the scale 0..255 where a bright ratio meets a bright low-pass.

    Raises
    ------
    UserError
        If the images are too small for so many levels, or as `sparse_representation` does.

    Notes
    -----
    The larger ratio wins, not the one farther from 1, so dark details lose against flat areas. Small low-pass images: as
    `laplacian_sparse`.
    """
    check_levels(levels, ir)
    of_ir, of_vis = _ratio_of_ir(ir, levels), ratio_pyramid(vis, levels)
    return from_ratio(_fuse_pyramids(of_ir, of_vis, _dictionary(dictionary), stride, tolerance))


@method(
    "nsct-sr",
    title="Nonsubsampled contourlet transform with sparse representation",
    authors=_AUTHORS,
    year=_YEAR,
    doi=_DOI,
    summary="Each source is split into scales and directions without subsampling. Of each directional band the stronger "
    "coefficient is kept, by maximum and majority over 3x3 pixels. The low-pass images, in full size, are fused by the "
    "sparse codes of their patches.",
    defaults="The paper's: four scales of 4, 8, 8 and 16 directions, 8x8 patches two pixels apart, coded to 0.1 levels. "
    "The images of VIFB have one scale of four directions. " + _DICTIONARY,
    presets={"vifb": {"directions": (4,)}},
    identity=0.5,
)
def contourlet_sparse(
    ir: Plane,
    vis: Plane,
    *,
    directions: Sequence[int] = DIRECTIONS,
    dictionary: str | PathLike[str] | None = None,
    stride: int = 2,
    tolerance: float = TOLERANCE,
) -> Plane:
    """Fuse nonsubsampled contourlet transforms, their low-pass images by sparse codes.

    Parameters
    ----------
    ir, vis : ndarray
        The sources, (H, W), on the scale 0..255.
    directions : sequence of int
        How many directions each scale is split into, the coarsest first: powers of two. Default: the paper's; VIFB's
        program asks for four scales but makes one, of four directions.
    dictionary : str or path, optional
        A ``.mat`` or ``.npz`` file with an array ``D`` or ``dictionary``, (side * side, atoms), unit columns. Default:
        the dictionary of this package, (64, 256).
    stride : int
        Pixels from one patch of the low-pass image to the next. Default: the authors'.
    tolerance : float
        Largest Euclidean norm, in levels, of what a code leaves of its patch. Default: the authors'.

    Returns
    -------
    ndarray
        The fused image, (H, W), not rounded; it may leave the scale 0..255 a little.

    Raises
    ------
    UserError
        If a number of directions is not a power of two, the images are too small for so many scales, or as
        `sparse_representation` does.
    """
    check_directions(directions, ir)
    of_ir, of_vis = _scales_of_ir(ir, len(directions)), split_scales(vis, len(directions))
    low = _fuse_low(of_ir.low, of_vis.low, _dictionary(dictionary), stride, tolerance)
    return merge_scales(Scales(stronger(of_ir, of_vis, directions), low))


def _dictionary(path: str | PathLike[str] | None) -> Dictionary:
    return own_dictionary() if path is None else read_dictionary(path)


def _fuse_pyramids(of_ir: Pyramid, of_vis: Pyramid, dictionary: Dictionary, stride: int, tolerance: float) -> Pyramid:
    bands = [choose_max(a, b) for a, b in zip(of_ir.bands, of_vis.bands, strict=True)]
    return Pyramid(bands, _fuse_low(of_ir.low, of_vis.low, dictionary, stride, tolerance), of_ir.shape)


def _fuse_low(of_ir: Plane, of_vis: Plane, dictionary: Dictionary, stride: int, tolerance: float) -> Plane:
    ir_codes = _codes_of_ir(of_ir, dictionary, stride, tolerance)
    vis_codes = encode(of_vis, dictionary, stride, tolerance)
    return fuse_codes(of_ir, of_vis, ir_codes, vis_codes, dictionary, stride)


# The infrared image is the same for all channels of a colour image.
_codes_of_ir = kept_for(encode)
_laplacian_of_ir = kept_for(laplacian_pyramid)
_ratio_of_ir = kept_for(ratio_pyramid)
_scales_of_ir = kept_for(split_scales)
