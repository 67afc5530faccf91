"""STDFusionNet: residual blocks over either source and over both, trained with masks of what stands out in infrared.

Ma, Tang, Xu, Zhang and Xiao, IEEE Transactions on Instrumentation and Measurement 70, 2021.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import elu, leaky_relu

from .tensorflow_entries import from_tensorflow

Activation: TypeAlias = Callable[[Tensor], Tensor]


def _leaky(x: Tensor) -> Tensor:
    return leaky_relu(x, 0.2)


class Residual(nn.Module):
    """Three convolutions, of which the middle one is of 3 x 3, beside a shortcut; (B, inside, H, W) to (B, outside, H, W).

    Parameters
    ----------
    inside, outside : int
        Channels; the shortcut is a convolution where they differ.
    activation : callable
        Follows the sum.
    """

    def __init__(self, inside: int, outside: int, activation: Activation = _leaky) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inside, inside, 1)
        self.conv2 = nn.Conv2d(inside, inside, 3, padding=1)
        self.conv3 = nn.Conv2d(inside, outside, 1)
        self.skip = nn.Identity() if inside == outside else nn.Conv2d(inside, outside, 1, bias=False)
        self.activation = activation

    def forward(self, x: Tensor) -> Tensor:
        """Both, added."""
        return self.activation(self.conv3(_leaky(self.conv2(_leaky(self.conv1(x))))) + self.skip(x))


class Encoder(nn.Module):
    """(B, 1, H, W) to features (B, 64, H, W)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 5, padding=2)
        self.block1, self.block2, self.block3 = Residual(16, 16), Residual(16, 32), Residual(32, 64)

    def forward(self, x: Tensor) -> Tensor:
        """The features."""
        return self.block3(self.block2(self.block1(_leaky(self.conv1(x)))))


class Decoder(nn.Module):
    """Features (B, 128, H, W) to an image (B, 1, H, W) in (-1, 1)."""

    def __init__(self) -> None:
        super().__init__()
        self.block1, self.block2 = Residual(128, 64, elu), Residual(64, 32, elu)
        self.block3, self.block4 = Residual(32, 16), Residual(16, 1, torch.tanh)

    def forward(self, x: Tensor) -> Tensor:
        """The fused image."""
        return self.block4(self.block3(self.block2(self.block1(x))))


class STDFusionNet(nn.Module):
    """The whole network; images are (B, 1, H, W) in [-1, 1]."""

    def __init__(self) -> None:
        super().__init__()
        self.vi_encoder, self.ir_encoder, self.decoder = Encoder(), Encoder(), Decoder()

    def forward(self, vis: Tensor, ir: Tensor) -> Tensor:
        """The fused image; the visible features come first."""
        return self.decoder(torch.cat([self.vi_encoder(vis), self.ir_encoder(ir)], 1))


class Inference(nn.Module):
    """The network in use.

    Parameters
    ----------
    network : STDFusionNet
        Is used up.
    """

    # One convolution of 5 x 5 and seven of 3 x 3.
    overlap: Final = 9
    multiple: Final = 1
    channels_last: Final = True
    sees_all_by: Final = ""

    def __init__(self, network: STDFusionNet) -> None:
        super().__init__()
        self.network = network.eval()

    def forward(self, ir: Tensor, vis: Tensor) -> Tensor:
        """Planes (B, 1, H, W) on the scale 0..255 to one such plane."""
        dtype = self.network.vi_encoder.conv1.weight.dtype
        seen, warm = ((plane / 127.5 - 1).to(dtype) for plane in (vis, ir))
        return self.network(seen, warm).float() * 127.5 + 127.5


def _names() -> dict[str, str]:
    layers = {}
    for scope, part, blocks in (
        ("vi_extraction_network", "vi_encoder", 3),
        ("ir_extraction_network", "ir_encoder", 3),
        ("reconstruction_network", "decoder", 4),
    ):
        layers[f"{scope}__conv1"] = f"{part}.conv1"
        for block in (f"block{k}" for k in range(1, blocks + 1)):
            layers |= {f"{scope}__{block}__conv{j}": f"{part}.{block}.conv{j}" for j in (1, 2, 3)}
            layers[f"{scope}__{block}__identity_conv"] = f"{part}.{block}.skip"
    return {
        f"{root}__{theirs}__{letter}": f"{ours}.{kind}"
        for root in ("STDFusion_model", "STMFusion_model")  # the second is that of 2021
        for theirs, ours in layers.items()
        for letter, kind in (("w", "weight"), ("b", "bias"))
    }


_NAMES: Final = _names()


def adapt_state_dict(entries: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """The entries of `STDFusionNet` among those of the authors' checkpoint."""
    return from_tensorflow(entries, _NAMES)
