"""Hybrid multi-scale decomposition with guided filters, alone (HMSD_GF) and for night vision (GFCE; Zhou et al. 2016).

The scheme of `hybrid_msd` with guided filters in place of the Gaussian and the bilateral one, and with an injection of
infrared features that adapts to how much contrast the two images have for the eye. GFCE lifts the dark parts of the visible
image first. Both fail on noisy sources: noise counts as perceptual contrast, and GFCE amplifies it in the shadows; in
bright scenes the authors' gain saturates the highlights.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from ..card import Plane, method
from .boxes import self_guided_coefficients, self_guided_filter
from .filters import require_positive
from .hybrid_msd import Layers, check_levels, fuse_layers
from .memory import kept_for
from .numeric import stretch
from .resizing import resize

# So large a variance that the guided filter becomes a box filter applied twice.
_NO_EDGES = 100.0**2
# Side of the blocks of which the perceptual contrast is taken, in pixels.
_BLOCK = 40
# The highest spatial frequency of an image, in cycles per degree of the viewer's eye.
_CYCLES = 16.0
# A difference of logarithms that is rounding.
_NO_SPAN = 1e-9

_AUTHORS = "Z. Zhou, M. Dong, X. Xie, Z. Gao"
_DOI = "10.1364/AO.55.006480"


@method(
    "hmsd-gf",
    title="Hybrid multi-scale decomposition with guided filters",
    authors=_AUTHORS,
    year=2016,
    doi=_DOI,
    summary="Each source is split into texture, large-scale edges and a base by two chains of guided filters over four "
    "scales. Weights that grow with the excess of infrared over visible edges, as steeply as the perceptual contrast of "
    "the two images asks, inject infrared features. The result is brightened by 275/255, as the authors do.",
    defaults="The authors' program: radius 2 doubling, eps 0.1 halving, gain 275.",
    presets={"vifb": {}},
)
def hybrid_guided_fusion(
    ir: Plane,
    vis: Plane,
    *,
    levels: int = 4,
    radius: int = 2,
    contrast: float = 0.1,
    injection: float | None = None,
    base_sigma: float = 64.0,
    level_sigma: float = 1.0,
    finest_sigma: float = 1.0,
    gain: float = 275.0,
) -> Plane:
    """Fuse by a hybrid decomposition with guided filters.

    Parameters
    ----------
    ir, vis : ndarray, (H, W)
        The two sources, float64 on the scale 0..255.
    levels : int
        Number of levels, 2 to 8 (paper: 4).
    radius : int
        Radius of both filters at the first level, in pixels; it doubles with each level (paper: 2).
    contrast : float
        Standard deviation, as a fraction of the full scale, above which the edge-preserving filter keeps an edge at the
        first level; it halves with each level (authors' program: 0.1).
    injection : float, optional
        The paper's lambda: how steeply the weight of the infrared image rises with the excess of its edges. Unless given,
        the authors' rule: from 100 to 2000 with the ratio of infrared to visible perceptual contrast.
    base_sigma, level_sigma, finest_sigma : float
        Standard deviation in pixels of the Gaussian that smooths the weights of the base, of the levels and of the finest
        level's edges (authors' program: 64, 1, 1), cut at three sigma.
    gain : float
        The level that white becomes. The authors' program has 275: everything is brightened by 7.8 %. 255 leaves the
        brightness as it is.

    Returns
    -------
    ndarray, (H, W)
        float64, nominally 0..`gain`, neither rounded nor clipped.

    Raises
    ------
    UserError
        If the levels are not 2 to 8 or another parameter is not positive.

    Notes
    -----
    Where neither image has stronger edges than the other anywhere, the visible image is taken. An image without any
    gradient has no perceptual contrast; two of them count as equals.

    References
    ----------
    .. [1] Z. Zhou, M. Dong, X. Xie, Z. Gao, "Fusion of infrared and visible images for night-vision context
       enhancement", Applied Optics 55(23), 2016.
    """
    check_levels(levels)
    require_positive(radius=radius, contrast=contrast, gain=gain)
    if injection is None:
        injection = _injection(_perceptual_contrast(ir), _perceptual_contrast(vis))
    ir_layers, vis_layers = (_decompose(plane, levels, radius, contrast) for plane in (ir, vis))
    return gain * fuse_layers(ir_layers, vis_layers, injection, base_sigma, level_sigma, finest_sigma)


@method(
    "gfce",
    title="Guided-filter context enhancement for night vision",
    authors=_AUTHORS,
    year=2016,
    doi=_DOI,
    summary="The visible image is enhanced first: its large-scale brightness, found by a guided filter, is compressed in "
    "the logarithmic domain until dark regions show. The infrared image is stretched to the full range. Then both are fused "
    "as by hmsd-gf.",
    defaults="The authors' program: brightness compressed to a ratio of 4, then the defaults of hmsd-gf.",
    presets={"vifb": {}},
)
def context_enhancement(
    ir: Plane,
    vis: Plane,
    *,
    ratio: float = 4.0,
    reach: float = 0.04,
    flatness: float = 0.01,
    levels: int = 4,
    radius: int = 2,
    contrast: float = 0.1,
    injection: float | None = None,
    base_sigma: float = 64.0,
    level_sigma: float = 1.0,
    finest_sigma: float = 1.0,
    gain: float = 275.0,
) -> Plane:
    """Enhance the visible image, stretch the infrared one, and fuse by `hybrid_guided_fusion`.

    Parameters
    ----------
    ir, vis : ndarray, (H, W)
        The two sources, float64 on the scale 0..255.
    ratio : float
        Brightest to darkest large-scale brightness (plus one level) of the enhanced visible image (authors' program: 4).
    reach : float
        Radius of the guided filter that finds the large-scale brightness, as a fraction of the longer side (authors'
        program: 0.04).
    flatness : float
        Its eps: variance below which a neighbourhood counts as flat, on the scale 0..1 (authors' program: 0.01).
    levels, radius, contrast, injection, base_sigma, level_sigma, finest_sigma, gain
        As in `hybrid_guided_fusion`.

    Returns
    -------
    ndarray, (H, W)
        float64, nominally 0..`gain`, neither rounded nor clipped.

    Raises
    ------
    UserError
        If the levels are not 2 to 8 or another parameter is not positive.

    References
    ----------
    .. [1] Z. Zhou, M. Dong, X. Xie, Z. Gao, "Fusion of infrared and visible images for night-vision context
       enhancement", Applied Optics 55(23), 2016.
    """
    require_positive(ratio=ratio, reach=reach, flatness=flatness)
    return hybrid_guided_fusion(
        _stretched(ir),
        _enhance(vis, ratio, reach, flatness),
        levels=levels,
        radius=radius,
        contrast=contrast,
        injection=injection,
        base_sigma=base_sigma,
        level_sigma=level_sigma,
        finest_sigma=finest_sigma,
        gain=gain,
    )


# One array for the three colour channels, so that what is kept for it is found again.
_stretched = kept_for(stretch)


def _enhance(vis: Plane, ratio: float, reach: float, flatness: float) -> Plane:
    """Compress the large-scale brightness in the logarithmic domain; detail, and the brightest place, stay."""
    plane = stretch(vis)
    brightness = np.log(255.0 * _large_scale(plane / 255.0, reach, flatness) + 1.0)
    detail = np.log(plane + 1.0) - brightness
    brightest = brightness.max()
    span = brightest - brightness.min()
    factor = math.log(ratio) / span if span > _NO_SPAN else 1.0
    return np.asarray(np.minimum(np.exp(factor * brightness + detail + (1.0 - factor) * brightest), 255.0))


def _large_scale(x: Plane, reach: float, flatness: float) -> Plane:
    """Self-guided filter with a large radius, whose coefficients are found on a smaller image."""
    radius = int(reach * max(x.shape))
    shrink = max(1.0, radius / 4)
    smaller = resize(x, 1 / shrink, "nearest")
    mean_a, mean_b = self_guided_coefficients(smaller, round(radius / shrink), flatness)
    height, width = x.shape
    return resize(mean_a, (height, width), "linear") * x + resize(mean_b, (height, width), "linear")


@kept_for
def _decompose(plane: Plane, levels: int, radius: int, contrast: float) -> Layers:
    texture, edges = [], []
    box_chain = edge_preserving_chain = plane / 255.0
    for j in range(levels):
        finer = box_chain
        box_chain = self_guided_filter(box_chain, radius * 2**j, _NO_EDGES)
        edge_preserving_chain = self_guided_filter(edge_preserving_chain, radius * 2**j, (contrast / 2**j) ** 2)
        texture.append(finer - edge_preserving_chain)
        edges.append(edge_preserving_chain - box_chain)
    return Layers(tuple(texture), tuple(edges), box_chain)


def _injection(ir_contrast: float, vis_contrast: float) -> float:
    """Lambda: 100 where infrared is the duller image, 2000 where it is much the livelier one, linear between."""
    if vis_contrast == 0.0:
        ratio = 1.0 if ir_contrast == 0.0 else math.inf
    else:
        ratio = ir_contrast / vis_contrast
    if ratio < 0.8:
        return 100.0
    if ratio > 1.6:
        return 2000.0
    return 2500.0 * ratio - 1900.0


@kept_for
def _perceptual_contrast(plane: Plane) -> float:
    """Contrast energy of blocks as the eye weighs spatial frequencies, averaged by the gradient energy of the blocks."""
    inner, energy = plane[1:-1, 1:-1], _gradient_energy(plane)
    weighted, total = 0.0, 0.0
    for y in range(0, inner.shape[0], _BLOCK):
        for x in range(0, inner.shape[1], _BLOCK):
            block = inner[y : y + _BLOCK, x : x + _BLOCK]
            seen = np.abs(np.fft.fft2(block)) * _sensitivity(*block.shape)
            gradients = float(energy[y : y + _BLOCK, x : x + _BLOCK].sum())
            weighted += math.sqrt(float((seen * seen).sum())) / block.size * gradients
            total += gradients
    return weighted / total if total > 0 else 0.0


def _gradient_energy(plane: Plane) -> Plane:
    """Squared magnitude of the Sobel gradient, of the inner pixels."""
    rows = plane[:-2] + 2 * plane[1:-1] + plane[2:]
    columns = plane[:, :-2] + 2 * plane[:, 1:-1] + plane[:, 2:]
    return np.asarray((rows[:, 2:] - rows[:, :-2]) ** 2 + (columns[2:] - columns[:-2]) ** 2)


@lru_cache(maxsize=8)
def _sensitivity(height: int, width: int) -> Plane:
    """The eye's contrast sensitivity at each frequency of a block (Mannos and Sakrison), in the order of `fft2`."""
    down, across = (_CYCLES * 2.0 * np.fft.fftfreq(n) for n in (height, width))
    frequency = np.hypot(down[:, None], across)
    return np.asarray(2.6 * (0.0192 + 0.114 * frequency) * np.exp(-((0.114 * frequency) ** 1.1)))
