"""DenseFuse as first written, in TensorFlow: the newest features come first, and the last convolution is linear.

Li and Wu, IEEE Transactions on Image Processing 28(5), 2019.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal, TypeAlias

import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import relu

from .blocks import activity, in_proportion
from .in_use import InUse
from .tensorflow_entries import from_tensorflow, layers

Strategy: TypeAlias = Literal["add", "l1"]


def _convolution(inside: int, outside: int) -> nn.Conv2d:
    return nn.Conv2d(inside, outside, 3, padding=1, padding_mode="reflect")


class _Encoder(nn.Module):
    """An image (B, 1, H, W) to features (B, 64, H, W)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = _convolution(1, 16)
        self.dense1, self.dense2, self.dense3 = (_convolution(channels, 16) for channels in (16, 32, 48))

    def forward(self, x: Tensor) -> Tensor:
        x = relu(self.conv1(x))
        for convolution in (self.dense1, self.dense2, self.dense3):
            x = torch.cat([relu(convolution(x)), x], 1)
        return x


class _Decoder(nn.Module):
    """Features (B, 64, H, W) to an image (B, 1, H, W)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2 = _convolution(64, 64), _convolution(64, 32)
        self.conv3, self.conv4 = _convolution(32, 16), _convolution(16, 1)

    def forward(self, x: Tensor) -> Tensor:
        for convolution in (self.conv1, self.conv2, self.conv3):
            x = relu(convolution(x))
        return self.conv4(x)


class DenseFuse(nn.Module):
    """The whole network; images are (B, 1, H, W) on the scale 0..255."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.decoder = _Encoder(), _Decoder()

    def forward(self, ir: Tensor, vis: Tensor, strategy: Strategy) -> Tensor:
        """The fused image, by the sum of the features halved, or in proportion to the l1 norm of either at each pixel."""
        warm, seen = self.encoder(ir), self.encoder(vis)
        if strategy == "l1":
            return self.decoder(in_proportion(warm, seen, activity(warm, 1), activity(seen, 1)))
        # Twice an image is what the sum is decoded to, and the authors' program stretches it.
        return self.decoder(warm + seen) / 2


class Inference(InUse):
    """The network in use.

    Parameters
    ----------
    network : DenseFuse
        Is used up.
    strategy : {"add", "l1"}
        How features are fused.
    """

    # As many convolutions of 3 x 3 as there are from a source to the result.
    overlap = 8
    unit = 1.0

    def __init__(self, network: DenseFuse, *, strategy: Strategy = "add") -> None:
        super().__init__(network, strategy)


_NAMES: Final = layers(
    {
        "encoder__conv1_1": "encoder.conv1",
        **{f"encoder__dense_block_conv{k}": f"encoder.dense{k}" for k in (1, 2, 3)},
        **{f"decoder__conv2_{k}": f"decoder.conv{k}" for k in (1, 2, 3, 4)},
    }
)


def adapt_state_dict(entries: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """The entries of `DenseFuse`, among those of the authors' checkpoint."""
    return from_tensorflow(entries, _NAMES)
