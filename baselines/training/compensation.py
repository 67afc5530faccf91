"""CS2Fusion's training: the compensation network, and the losses it learns from.

The network tells for each pixel how much of it should come from which source. It is taught by contrast: the part of the
features that it gives to a source should resemble what stands out in that source, and not what it gives to the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from .similarity import gaussian, similarity

_TINY = 1e-10


def _stretched(x: Tensor) -> Tensor:
    """The whole tensor mapped to 0..1."""
    low, high = x.min(), x.max()
    return (x - low) / (high - low + _TINY)


def standing_out(features: Tensor) -> Tensor:
    """What stands out in features: the features, themselves weighted by their own correlation, and their saliency.

    Parameters
    ----------
    features : Tensor
        (B, C, H, W).

    Returns
    -------
    Tensor
        (B, C, H, W).
    """
    flat = features.flatten(2)
    attention = torch.softmax(flat @ flat.transpose(1, 2), dim=1)
    correlated = (attention @ flat).view_as(features)
    saliency = _stretched((features - features.mean()).clamp_min(_TINY))
    return saliency + correlated + features


@dataclass(frozen=True, slots=True)
class Compensation:
    """What the compensation network says of a batch; of the first input and of the second.

    Attributes
    ----------
    evident : tuple of Tensor
        (B, 64 H W): what stands out in either source.
    given : tuple of Tensor
        (B, 64 H W): the shared features that either source is to give.
    weights : tuple of Tensor
        (B, 1, H, W) in [0, 1], of sum 1: how much of each pixel.
    """

    evident: tuple[Tensor, Tensor]
    given: tuple[Tensor, Tensor]
    weights: tuple[Tensor, Tensor]


class CompensationNetwork(nn.Module):
    """Estimates which source gives what; 74,369 parameters, of which inference needs none."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Sequential(nn.Conv2d(128, 64, 3, padding=1), nn.LeakyReLU(0.01))
        self.activation = nn.Sequential(nn.Conv2d(64, 1, 3, padding=1))

    def forward(self, first: Sequence[Tensor], second: Sequence[Tensor]) -> Compensation:
        """Estimate from the features of the encoders, through which no gradient flows back.

        Parameters
        ----------
        first, second : sequence of Tensor
            Four times (B, 16, H, W): what the four layers of either encoder see, shallow to deep.
        """
        first, second = [layer.detach() for layer in first], [layer.detach() for layer in second]
        shared = self.conv(torch.cat([*first[::-1], *second[::-1]], dim=1))
        weight = _stretched(self.activation(shared))
        weights = weight, 1 - weight
        evident = [torch.cat([standing_out(layer) for layer in layers], dim=1).flatten(1) for layers in (first, second)]
        given = [(one * shared).flatten(1) for one in weights]
        return Compensation((evident[0], evident[1]), (given[0], given[1]), weights)


def cosines(x: Tensor, y: Tensor) -> Tensor:
    """Cosine of the angle between every two vectors: (B, D) and (B, D) to (B, B), in [0.0005, 0.9995]."""
    unit = nn.functional.normalize
    return (unit(x, dim=1) @ unit(y, dim=1).T).clamp(0.0005, 0.9995)


def attract(x: Tensor, y: Tensor, alpha: float = 0.25) -> Tensor:
    """Loss that pulls every vector of `x` to all of `y`, the nearest most.

    Parameters
    ----------
    x, y : Tensor
        (B, D).
    alpha : float
        How fast the weight falls from the nearest to the farthest.

    Returns
    -------
    Tensor
        Scalar: mean of -log(cosine) exp(-alpha (rank - 1)), where the nearest has rank 0.
    """
    near = cosines(x, y)
    rank = near.argsort(dim=1, descending=True).argsort(dim=1)
    return (-near.log() * torch.exp(-alpha * (rank - 1).to(near))).mean()


def repel(x: Tensor, y: Tensor) -> Tensor:
    """Loss that pushes all vectors of `x` from all of `y`: (B, D) and (B, D) to the mean of -log(1 - cosine)."""
    return -torch.log(1 - cosines(x, y)).mean()


def similarity_loss(x: Tensor, y: Tensor) -> Tensor:
    """Half of 1 - SSIM, in [0, 1].

    Parameters
    ----------
    x, y : Tensor
        (B, 1, H, W), on the scale 0..255.

    Returns
    -------
    Tensor
        Scalar, mean over batch and pixels.

    Notes
    -----
    Window 3 x 3, Gaussian with a standard deviation of 1.5, borders mirrored; the constants are those of the range
    [0, 1], so next to nothing on this scale.
    """
    score, _, _ = similarity(x, y, gaussian(3, 1.5, 1, x), 1, 0.01**2, 0.03**2, "reflect")
    return ((1 - score) / 2).clamp(0, 1).mean()


def reconstruction_loss(
    fused: Tensor, first: Tensor, second: Tensor, weights: tuple[Tensor, Tensor]
) -> tuple[Tensor, Tensor]:
    """How far the fused image is from the sources where they count.

    Parameters
    ----------
    fused, first, second : Tensor
        (B, 1, H, W), on the scale 0..255.
    weights : tuple of Tensor
        (B, 1, H, W) each, from `Compensation`.

    Returns
    -------
    tuple of Tensor
        Two scalars to be added: the Euclidean distances of the whole batch to both sources, each pixel times its weight,
        neither squared nor averaged; and the two `similarity_loss`.
    """
    distance = torch.linalg.vector_norm(fused * weights[0] - first * weights[0]) + torch.linalg.vector_norm(
        fused * weights[1] - second * weights[1]
    )
    return distance, similarity_loss(fused, first) + similarity_loss(fused, second)
