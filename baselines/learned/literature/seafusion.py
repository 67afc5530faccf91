"""SeAFusion: two encoders of dense blocks with gradient filters, one decoder.

Tang, Yuan and Ma, Information Fusion 82, 2022.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from .in_use import InUse

T = TypeVar("T")


class _Conv(nn.Module):
    """A convolution under the authors' name for it."""

    def __init__(self, inside: int, outside: int, size: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inside, outside, size, padding=size // 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x)


class _Decoding(_Conv):
    """A convolution with a normalisation that is never applied; the weights of one exist, as in the official file."""

    def __init__(self, inside: int, outside: int) -> None:
        super().__init__(inside, outside, 3)
        self.bn = nn.BatchNorm2d(outside)


class _Dense(nn.Module):
    """Two convolutions, whose results are put beside what they were made of."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = _Conv(channels, channels, 3)
        self.conv2 = _Conv(2 * channels, channels, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.cat([x, leaky_relu(self.conv1(x), 0.2)], 1)
        return torch.cat([x, leaky_relu(self.conv2(x), 0.2)], 1)


class _Gradient(nn.Module):
    """Two filters a channel, born as Sobel's and trained further."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.convx = nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False)
        self.convy = nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.convx(x).abs() + self.convy(x).abs()


class GradientResidualDense(nn.Module):
    """Features (B, inside, H, W) to (B, outside, H, W): a dense stream beside one of gradients."""

    def __init__(self, inside: int, outside: int) -> None:
        super().__init__()
        self.dense = _Dense(inside)
        self.convdown = _Conv(3 * inside, outside, 1)
        self.sobelconv = _Gradient(inside)
        self.convup = _Conv(inside, outside, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Both streams, added."""
        return leaky_relu(self.convdown(self.dense(x)) + self.convup(self.sobelconv(x)), 0.1)


class SeAFusion(nn.Module):
    """The whole network; images are (B, 1, H, W) in [0, 1]."""

    def __init__(self) -> None:
        super().__init__()
        for source in ("vis", "inf"):
            self.add_module(f"{source}_conv", _Conv(1, 16, 3))
            self.add_module(f"{source}_rgbd1", GradientResidualDense(16, 32))
            self.add_module(f"{source}_rgbd2", GradientResidualDense(32, 48))
        self.decode4 = _Decoding(96, 64)
        self.decode3 = _Decoding(64, 32)
        self.decode2 = _Decoding(32, 16)
        self.decode1 = _Decoding(16, 1)

    def _encode(self, source: str, x: Tensor) -> Tensor:
        conv, first, second = (self.get_submodule(f"{source}_{part}") for part in ("conv", "rgbd1", "rgbd2"))
        return second(first(leaky_relu(conv(x), 0.2)))

    def forward(self, vis: Tensor, ir: Tensor) -> Tensor:
        """The fused image; the visible features come first."""
        x = torch.cat([self._encode("vis", vis), self._encode("inf", ir)], 1)
        for decode in (self.decode4, self.decode3, self.decode2):
            x = leaky_relu(decode(x), 0.2)
        return torch.tanh(self.decode1(x)) / 2 + 0.5


class Inference(InUse):
    """The network in use.

    Parameters
    ----------
    network : SeAFusion
        Is used up.
    """

    # As many convolutions of 3 x 3 as there are from a source to the result.
    overlap = 9

    def forward(self, ir: Tensor, vis: Tensor) -> Tensor:
        """As in `InUse`; the network takes the visible image first."""
        return super().forward(vis, ir)


def adapt_state_dict(entries: Mapping[str, T]) -> dict[str, T]:
    """The entries of `SeAFusion`: the authors' names are ours."""
    return dict(entries)
