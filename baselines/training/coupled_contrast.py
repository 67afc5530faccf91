"""CoCoNet's losses: fidelity weighted by what either source holds, and a contrast that pulls each region to its source."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Final

import torch
from torch import Tensor
from torch.nn.functional import conv2d, l1_loss

from .similarity import gaussian, similarity

_LAYERS: Final = 1 / 32, 1 / 16, 1 / 8, 1 / 4, 1.0
"""What each of the five maps of VGG counts."""


def mean_gradient(planes: Tensor) -> Tensor:
    """How much detail planes hold.

    Parameters
    ----------
    planes : Tensor
        (B, 1, H, W), in [-1, 1].

    Returns
    -------
    Tensor
        (B,): mean of |Sobel x| + |Sobel y| + 1e-5, borders padded with zeros.
    """
    across = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]]).to(planes)
    kernels = torch.stack([across, across.T])[:, None]
    return (conv2d(planes, kernels, padding=1).abs().sum(1) + 1e-5).mean((1, 2))


def running_entropy(planes: Tensor) -> Tensor:
    """How much information planes hold, as the authors count it.

    Parameters
    ----------
    planes : Tensor
        (B, 1, H, W), in [-1, 1].

    Returns
    -------
    Tensor
        (B,), in bits: of 256 levels (truncated).

    Notes
    -----
    The histogram is not cleared between the planes of a batch: each one's entropy is that of all up to it. And 1e-4 is
    added to all of them for every plane of the batch.
    """
    levels = (planes * 127.5 + 127.5).to(torch.uint8).flatten(1).long()
    histogram = torch.zeros(256, dtype=torch.float64, device=planes.device)
    bits = []
    for one in levels:
        histogram = histogram + torch.bincount(one, minlength=256)
        share = histogram / histogram.sum()
        bits.append(-torch.xlogy(share, share).sum() / math.log(2))
    return (torch.stack(bits) + 1e-4 * len(bits)).to(planes)


def adaptive_weights(measured_first: Tensor, measured_second: Tensor, softness: float) -> tuple[Tensor, Tensor]:
    """How much either source counts: the softmax of their shares in a measure, divided by `softness`.

    Parameters
    ----------
    measured_first, measured_second : Tensor
        (B,), positive.
    softness : float
        0.5 for gradients and 0.75 for entropies, with the authors.

    Returns
    -------
    tuple of Tensor
        (B,) each, of sum 1.
    """
    shares = torch.stack([measured_first, measured_second])
    weights = torch.softmax(shares / (softness * shares.sum(0)), dim=0)
    return weights[0], weights[1]


def unit_similarity(x: Tensor, y: Tensor) -> Tensor:
    """Mean SSIM of two batches of planes in [-1, 1], of all together; window 11 x 11, borders padded with zeros."""
    score, _, _ = similarity((x + 1) / 2, (y + 1) / 2, gaussian(11, 1.5, 5, x), 5, 1e-4, 9e-4)
    return score.mean()


def fidelity_loss(vis: Tensor, ir: Tensor, fused: Tensor, gradient: float = 0.5, entropy: float = 0.75) -> Tensor:
    """Distance of the fused image to its sources.

    Parameters
    ----------
    vis, ir, fused : Tensor
        (B, 1, H, W), in [-1, 1].
    gradient, entropy : float
        The softness of either weight.

    Returns
    -------
    Tensor
        Scalar: 20 times 1 - SSIM weighted by gradients, and the squared error weighted by entropies.
    """
    with torch.no_grad():
        by_gradient = adaptive_weights(mean_gradient(vis), mean_gradient(ir), gradient)
        by_entropy = adaptive_weights(running_entropy(vis), running_entropy(ir), entropy)
    loss = fused.new_zeros(())
    for source, detail, information in zip((vis, ir), by_gradient, by_entropy, strict=True):
        errors = ((fused - source) ** 2).mean((1, 2, 3))
        loss = loss + 20 * (detail * (1 - unit_similarity(source, fused))).mean() + (information * errors).mean()
    return loss


def contrast(
    see: Callable[[Tensor], Sequence[Tensor]], anchor: Tensor, positive: Tensor, negatives: Sequence[Tensor]
) -> Tensor:
    """How near an image is to one image, next to how near it is to others.

    Parameters
    ----------
    see : callable
        Images to five feature maps, e.g. `fusionbench.baselines.training.perception.Perceptual`.
    anchor, positive : Tensor
        (B, 1, H, W), in [-1, 1].
    negatives : sequence of Tensor
        Likewise.

    Returns
    -------
    Tensor
        Scalar: the sum over the maps of the distance to the positive by the sum of those to the negatives, each weighted.
    """
    here, there = see(anchor), see(positive)
    others = [see(negative) for negative in negatives]
    loss = anchor.new_zeros(())
    for layer, weight in enumerate(_LAYERS):
        away = sum(l1_loss(here[layer], other[layer]) for other in others)
        loss = loss + weight * l1_loss(here[layer], there[layer]) / away
    return loss


def coupled_contrast(
    see: Callable[[Tensor], Sequence[Tensor]], fused: Tensor, vis: Sequence[Tensor], ir: Sequence[Tensor], mask: Tensor
) -> Tensor:
    """Pull what the mask marks to the infrared image, and the rest to the visible one.

    Parameters
    ----------
    see : callable
        As for `contrast`.
    fused : Tensor
        (B, 1, H, W), in [-1, 1], made of the first of `vis` and `ir`.
    vis, ir : sequence of Tensor
        Three times (B, 1, H, W) each: the second and third are pushed away from, too.
    mask : Tensor
        (B, 1, H, W) in [0, 1].

    Returns
    -------
    Tensor
        Scalar.
    """
    rest = 1 - mask
    return contrast(see, fused * mask, ir[0] * mask, [one * mask for one in vis]) + contrast(
        see, fused * rest, vis[0] * rest, [one * rest for one in ir]
    )
