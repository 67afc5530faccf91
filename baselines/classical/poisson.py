"""Gradient-domain fusion: take the steeper slope of the two sources everywhere, and find the image with these slopes.

Fusing first derivatives and integrating them is Socolinsky and Wolff's first-order fusion (IEEE TIP 11(8), 2002,
doi:10.1109/TIP.2002.801588); choosing the steeper of two gradients is the mixing of Pérez, Gangnet and Blake's Poisson
editing. All local contrast of both sources survives, at equal strength. What a single slope cannot tell survives
less well: brightness drifts over long distances, and the range of the result may exceed that of the sources.
"""

from __future__ import annotations

import numpy as np
from scipy.fft import dctn, idctn

from ..card import Plane, method


@method(
    "poisson",
    title="Gradient-domain (Poisson) fusion",
    authors="P. Pérez, M. Gangnet, A. Blake",
    year=2003,
    doi="10.1145/882262.882269",
    summary="At every pixel the steeper gradient of the two sources is kept. The image whose gradients are nearest to "
    "these in the least-squares sense solves a Poisson equation with free borders. Its mean is that of both sources.",
    defaults="There is nothing to choose.",
    identity=1e-6,
)
def gradient_domain(ir: Plane, vis: Plane) -> Plane:
    """Integrate the steeper gradients.

    Parameters
    ----------
    ir, vis : ndarray
        The sources, (H, W), on the scale 0..255.

    Returns
    -------
    ndarray
        The fused image, (H, W), not rounded; it may leave the scale 0..255.
    """
    across_ir, down_ir = _differences(ir)
    across_vis, down_vis = _differences(vis)
    steeper = across_ir**2 + down_ir**2 > across_vis**2 + down_vis**2
    across, down = np.where(steeper, across_ir, across_vis), np.where(steeper, down_ir, down_vis)
    return _integrate(across, down, mean=float((ir.mean() + vis.mean()) / 2))


def _differences(image: Plane) -> tuple[Plane, Plane]:
    """Differences to the next pixel on the right and below; none across the border."""
    return np.diff(image, axis=1, append=image[:, -1:]), np.diff(image, axis=0, append=image[-1:])


def _integrate(across: Plane, down: Plane, mean: float) -> Plane:
    """The image of given mean whose differences to the right and downwards are nearest to the given ones.

    Its Laplacian is their divergence, and cosines are the eigenvectors of the Laplacian with free borders.
    """
    divergence = np.diff(across, axis=1, prepend=0.0) + np.diff(down, axis=0, prepend=0.0)
    height, width = divergence.shape
    eigenvalues = np.add.outer(_eigenvalues(height), _eigenvalues(width))
    eigenvalues[0, 0] = 1.0
    spectrum = dctn(divergence, norm="ortho") / eigenvalues
    spectrum[0, 0] = mean * np.sqrt(height * width)
    image: Plane = idctn(spectrum, norm="ortho")
    return image


def _eigenvalues(n: int) -> Plane:
    """Of the second difference of n samples with free ends."""
    return 2.0 * np.cos(np.pi * np.arange(n) / n) - 2.0
