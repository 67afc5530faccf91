"""DenseFuse: an auto-encoder with a dense block, whose features of both sources are fused by a rule; as written in PyTorch.

Li and Wu, IEEE Transactions on Image Processing 28(5), 2019.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.functional import relu

from .blocks import Reflecting, activity, in_proportion

T = TypeVar("T")
Strategy: TypeAlias = Literal["mean", "l1"]


class _DenseLayer(nn.Module):
    """A convolution, whose result is put behind what it was made of."""

    def __init__(self, inside: int) -> None:
        super().__init__()
        self.dense_conv = Reflecting(inside, 16)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x, relu(self.dense_conv(x))], 1)


class _DenseBlock(nn.Module):
    """Three of them: 16 channels become 64."""

    def __init__(self) -> None:
        super().__init__()
        self.denseblock = nn.Sequential(_DenseLayer(16), _DenseLayer(32), _DenseLayer(48))

    def forward(self, x: Tensor) -> Tensor:
        return self.denseblock(x)


class DenseFuse(nn.Module):
    """The whole network; images are (B, channels, H, W) on the scale 0..255.

    Parameters
    ----------
    channels : int
        Of the images.
    """

    def __init__(self, channels: int = 1) -> None:
        super().__init__()
        self.conv1 = Reflecting(channels, 16)
        self.DB1 = _DenseBlock()
        self.conv2, self.conv3 = Reflecting(64, 64), Reflecting(64, 32)
        self.conv4, self.conv5 = Reflecting(32, 16), Reflecting(16, channels)

    def encode(self, x: Tensor) -> Tensor:
        """An image to its features, (B, 64, H, W)."""
        return self.DB1(relu(self.conv1(x)))

    def decode(self, x: Tensor) -> Tensor:
        """Features to an image, which is never negative."""
        for convolution in (self.conv2, self.conv3, self.conv4, self.conv5):
            x = relu(convolution(x))
        return x


class DenseFuseRGB(DenseFuse):
    """The network for images in colour, (B, 3, H, W) on the scale 0..255."""

    def __init__(self) -> None:
        super().__init__(3)


def fused(first: Tensor, second: Tensor, strategy: Strategy) -> Tensor:
    """Features of both sources, by their mean or in proportion to the l1 norm of either pixel: (B, C, H, W) each."""
    if strategy == "l1":
        return in_proportion(first, second, activity(first, 1), activity(second, 1))
    return (first + second) / 2


class Inference(nn.Module):
    """The network in use.

    Parameters
    ----------
    network : DenseFuse
        Is used up.
    strategy : {"mean", "l1"}
        As for `fused`.
    """

    # As many convolutions of 3 x 3 as there are from a source to the result.
    overlap: Final = 8
    multiple: Final = 1
    channels_last: Final = True
    sees_all_by: Final = ""

    def __init__(self, network: DenseFuse, *, strategy: Strategy = "mean") -> None:
        super().__init__()
        self.network, self.strategy = network.eval(), strategy

    def forward(self, ir: Tensor, vis: Tensor) -> Tensor:
        """Images (B, 1 or 3, H, W) on the scale 0..255 to one, (B, 1, H, W) or from the network for colour (B, 3, H, W)."""
        first = self.network.conv1.conv2d.weight
        sources = (plane.expand(-1, first.shape[1], -1, -1).to(first.dtype) for plane in (ir, vis))
        warm, seen = (self.network.encode(source) for source in sources)
        return self.network.decode(fused(warm, seen, self.strategy)).float()


def adapt_state_dict(entries: Mapping[str, T]) -> dict[str, T]:
    """The entries of `DenseFuse`: the authors' names are ours."""
    return dict(entries)
