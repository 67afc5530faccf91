"""RFN-Nest: NestFuse's auto-encoder, with a trained residual network at each scale that fuses the features.

Li, Wu and Kittler, Information Fusion 73, 2021.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias, TypeVar

import torch
from torch import Tensor, nn

from .blocks import in_proportion, without_files
from .nestfuse import CHANNELS, AutoEncoder, InQuarters, Step, nuclear_norm, spatial

T = TypeVar("T")
Strategy: TypeAlias = Literal["rfn", "add", "mean", "max", "spatial", "nuclear"]


class Residual(nn.Module):
    """Features of both sources to fused ones, (B, channels, H, W) each.

    Parameters
    ----------
    channels : int
        Of the features.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv_fusion = Step(2 * channels, channels)
        self.conv_ir, self.conv_vi = Step(channels, channels), Step(channels, channels)
        self.bottelblock = nn.Sequential(
            Step(2 * channels, channels, 1), Step(channels, channels), Step(channels, channels)
        )

    def forward(self, ir: Tensor, vis: Tensor) -> Tensor:
        """A first fusion, and what it left out."""
        rest = self.bottelblock(torch.cat([self.conv_ir(ir), self.conv_vi(vis)], 1))
        return self.conv_fusion(torch.cat([ir, vis], 1)) + rest


class RFNNest(AutoEncoder):
    """The whole network; images are (B, 1, H, W) on the scale 0..255."""

    def __init__(self) -> None:
        super().__init__()
        self.fusion_block1, self.fusion_block2, self.fusion_block3, self.fusion_block4 = map(Residual, CHANNELS)

    def forward(self, ir: Tensor, vis: Tensor, strategy: Strategy) -> Tensor:
        """The fused image, by the trained networks or by a rule."""
        blocks = (self.fusion_block1, self.fusion_block2, self.fusion_block3, self.fusion_block4)
        scales = zip(blocks, self.encode(ir), self.encode(vis), strict=True)
        if strategy == "rfn":
            return self.decode([block(warm, seen) for block, warm, seen in scales])
        return self.decode([fused_by_rule(warm, seen, strategy) for _, warm, seen in scales])


def fused_by_rule(first: Tensor, second: Tensor, strategy: Strategy) -> Tensor:
    """Features of both sources to fused ones, (B, C, H, W) each, by a rule with nothing trained."""
    match strategy:
        case "add":
            return first + second
        case "max":
            return torch.maximum(first, second)
        case "spatial":
            return spatial(first, second, 1e-10)
        case "nuclear":
            return in_proportion(first, second, nuclear_norm(first), nuclear_norm(second), 1e-10)
    return (first + second) / 2


class Inference(InQuarters):
    """The network in use.

    Parameters
    ----------
    network : RFNNest
        Is used up.
    strategy : {"rfn", "add", "mean", "max", "spatial", "nuclear"}
        What fuses the features: the trained networks, or a rule.
    """

    sees_all_by = "cutting of images of more than 512 pixels into quarters, as in the authors' program"

    def __init__(self, network: RFNNest, *, strategy: Strategy = "rfn") -> None:
        super().__init__(network, strategy)


def adapt_state_dict(entries: Mapping[str, T]) -> dict[str, T]:
    """The entries of `RFNNest`, from the authors' two files."""
    return without_files(entries, r"conv0\.|conv_out\.|DB\d_\d\.|fusion_block\d\.")
