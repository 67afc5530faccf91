"""U2Fusion: one densely connected encoder over both sources, and a plain decoder.

Xu, Ma, Jiang, Guo and Ling, IEEE Transactions on Pattern Analysis and Machine Intelligence 44, 2022.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from .in_use import InUse
from .tensorflow_entries import from_tensorflow

_GROWTH: Final = 44


def _convolution(inside: int, outside: int) -> nn.Conv2d:
    return nn.Conv2d(inside, outside, 3, padding=1, padding_mode="reflect")


class Encoder(nn.Module):
    """(B, 2, H, W) to features (B, 264, H, W)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1_1 = _convolution(2, _GROWTH)
        for step in range(1, 6):
            self.add_module(f"dense{step}", _convolution(step * _GROWTH, _GROWTH))

    def forward(self, x: Tensor) -> Tensor:
        """All features, the newest first."""
        x = leaky_relu(self.conv1_1(x), 0.2)
        for step in range(1, 6):
            x = torch.cat([leaky_relu(self.get_submodule(f"dense{step}")(x), 0.2), x], 1)
        return x


class Decoder(nn.Module):
    """Features (B, 264, H, W) to an image (B, 1, H, W) in (0, 1)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv2_1 = _convolution(6 * _GROWTH, 128)
        self.conv2_2 = _convolution(128, 64)
        self.conv2_3 = _convolution(64, 32)
        self.conv2_4 = _convolution(32, 1)

    def forward(self, x: Tensor) -> Tensor:
        """The fused image."""
        for conv in (self.conv2_1, self.conv2_2, self.conv2_3):
            x = leaky_relu(conv(x), 0.2)
        return torch.tanh(self.conv2_4(x)) / 2 + 0.5


class U2Fusion(nn.Module):
    """The whole network; images are (B, 1, H, W) in [0, 1]."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.decoder = Encoder(), Decoder()

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """The fused image; in training the order of the sources was drawn by lot, and yet it matters."""
        return self.decoder(self.encoder(torch.cat([first, second], 1)))


class Inference(InUse):
    """The network in use.

    Parameters
    ----------
    network : U2Fusion
        Is used up.
    order : {"ir-vis", "vis-ir"}
        Which source comes first.
    """

    # As many convolutions of 3 x 3 as there are from a source to the result.
    overlap = 10

    def __init__(self, network: U2Fusion, *, order: Literal["ir-vis", "vis-ir"] = "ir-vis") -> None:
        super().__init__(network)
        self.order = order

    def forward(self, ir: Tensor, vis: Tensor) -> Tensor:
        """As in `InUse`, in the order that is wanted."""
        return super().forward(ir, vis) if self.order == "ir-vis" else super().forward(vis, ir)


def _names() -> dict[str, str]:
    layers = {"Generator__encoder__conv1_1": "encoder.conv1_1"}
    layers |= {f"Generator__encoder__dense_block_conv{k}": f"encoder.dense{k}" for k in range(1, 6)}
    # Both scopes are called like this: TensorFlow numbers a scope that is entered again.
    layers |= {f"Generator_1__decoder__conv2_{k}": f"decoder.conv2_{k}" for k in range(1, 5)}
    kinds = {"kernel": "weight", "bias": "bias"}
    return {f"{theirs}__{word}": f"{ours}.{kind}" for theirs, ours in layers.items() for word, kind in kinds.items()}


_NAMES: Final = _names()


def adapt_state_dict(entries: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """The entries of `U2Fusion` among those of the authors' checkpoint."""
    return from_tensorflow(entries, _NAMES)
