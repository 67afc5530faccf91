"""CLF-Net's losses: patches of the fused image are pulled to the source that they resemble most."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from .similarity import gaussian, similarity

TEMPERATURE = 0.07


class Projection(nn.Module):
    """The two-layer network that maps feature vectors to the unit sphere on which they are compared.

    Parameters
    ----------
    channels : int
        Length of a feature vector.
    hidden, out : int
        Width of the hidden layer, and length of a projected vector.
    """

    def __init__(self, channels: int = 64, hidden: int = 2048, out: int = 256) -> None:
        super().__init__()
        self.mlp_0 = nn.Sequential(
            nn.Linear(channels, hidden), nn.BatchNorm1d(hidden), nn.LeakyReLU(0.01), nn.Linear(hidden, out)
        )
        for layer in self.mlp_0:
            if isinstance(layer, nn.Linear):
                nn.init.normal_(layer.weight, 0.0, 0.02)
                nn.init.zeros_(layer.bias)

    def forward(self, vectors: Tensor) -> Tensor:
        """Project (N, channels) vectors to (N, out), each of length 1."""
        projected: Tensor = self.mlp_0(vectors)
        return functional.normalize(projected, dim=1)


def vectors_at(features: Tensor, positions: Tensor) -> Tensor:
    """Feature vectors at some positions.

    Parameters
    ----------
    features : Tensor
        (B, C, H, W).
    positions : Tensor
        (P,) of int64: indices into the flattened H * W pixels, the same for the whole batch.

    Returns
    -------
    Tensor
        (B * P, C).
    """
    return features.flatten(2)[:, :, positions].transpose(1, 2).flatten(0, 1)


def patch_contrast(fused_vis: Tensor, fused_ir: Tensor, vis: Tensor, ir: Tensor) -> Tensor:
    """Contrastive loss of every patch: it should be nearer to its own place in one source than to any other place.

    Which source that is, the patch decides itself: the one that it is more similar to already.

    Parameters
    ----------
    fused_vis, fused_ir : Tensor
        (N, D): patches of the fused image as either encoder sees them.
    vis, ir : Tensor
        (N, D): the same patches of the sources, each seen by its own encoder.

    Returns
    -------
    Tensor
        (N,): cross-entropy of the right patch among all of that source, at temperature 0.07.
    """
    to_vis = fused_vis @ vis.T
    to_ir = fused_ir @ ir.T
    nearer_to_vis = to_vis.diagonal() >= to_ir.diagonal()
    chosen = torch.where(nearer_to_vis[:, None], to_vis, to_ir)
    return functional.cross_entropy(
        chosen / TEMPERATURE, torch.arange(len(chosen), device=chosen.device), reduction="none"
    )


def brighter_similarity_loss(fused: Tensor, vis: Tensor, ir: Tensor) -> Tensor:
    """1 - SSIM with whichever source is brighter around each pixel.

    Parameters
    ----------
    fused, vis, ir : Tensor
        (B, 1, H, W), in [-1, 1].

    Returns
    -------
    Tensor
        Scalar.

    Notes
    -----
    The window has 16 x 16 taps about index 8, so it is not symmetric, and 8 zeros are added on every side: the map is
    one pixel larger than the image either way. The constants are those of the range [0, 1], although this one is twice
    as wide.
    """
    window = gaussian(16, 1.5, 8, fused)
    with_vis, _, mean_vis = similarity(fused, vis, window, 8, 0.01**2, 0.03**2)
    with_ir, _, mean_ir = similarity(fused, ir, window, 8, 0.01**2, 0.03**2)
    return 1 - torch.where(mean_ir > mean_vis, with_ir, with_vis).mean()
