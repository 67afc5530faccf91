"""MFEIF: features of three dilations, guided by attention that starts from edges.

Liu, Fan, Jiang, Liu and Luo, IEEE Transactions on Circuits and Systems for Video Technology 32(1), 2022.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool2d, pad, relu

from .in_use import InUse

T = TypeVar("T")


class _Step(nn.Module):
    """Convolution, normalisation, activation."""

    def __init__(self, inside: int, outside: int, dilation: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inside, outside, 3, padding=dilation, dilation=dilation)
        self.bn = nn.BatchNorm2d(outside)

    def forward(self, x: Tensor) -> Tensor:
        return relu(self.bn(self.conv(x)))


class Features(NamedTuple):
    """What `Extractor` gives: the sums of its three branches at each depth.

    Attributes
    ----------
    wide, middle, narrow : Tensor
        (B, 64, H, W), weighted; (B, 48, H, W) and (B, 32, H, W), not.
    """

    wide: Tensor
    middle: Tensor
    narrow: Tensor


class Extractor(nn.Module):
    """An image (B, 1, H, W) to its features; the branches begin with dilations of 1, 2 and 3."""

    def __init__(self) -> None:
        super().__init__()
        self.conv_1 = _Step(1, 16)
        self.conv_a1, self.conv_b1, self.conv_c1 = (_Step(16, 32, dilation) for dilation in (1, 2, 3))
        self.conv_a2, self.conv_b2, self.conv_c2 = (_Step(32, 48) for _ in range(3))
        self.conv_a3, self.conv_b3, self.conv_c3 = (_Step(48, 64) for _ in range(3))

    def forward(self, image: Tensor) -> Features:
        """Extract."""
        x = self.conv_1(image)
        a1, b1, c1 = self.conv_a1(x), self.conv_b1(x), self.conv_c1(x)
        a2, b2, c2 = self.conv_a2(a1), self.conv_b2(b1), self.conv_c2(c1)
        a3, b3, c3 = self.conv_a3(a2), self.conv_b3(b2), self.conv_c3(c2)
        return Features(0.1 * a3 + 0.1 * b3 + c3, a2 + b2 + c2, a1 + b1 + c1)


class _Guidance(nn.Module):
    """Two convolutions, of which the second sees farther and is linear."""

    def __init__(self, inside: int, between: int, outside: int) -> None:
        super().__init__()
        self.conv_1 = nn.Conv2d(inside, between, 3, padding=1)
        self.conv_2 = nn.Conv2d(between, outside, 3, padding=2, dilation=2)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv_2(relu(self.conv_1(x)))


class Attention(nn.Module):
    """How much each pixel of an image counts, (B, 1, H, W): any number."""

    def __init__(self) -> None:
        super().__init__()
        self.conv_1, self.conv_2, self.conv_3 = _Guidance(1, 32, 32), _Guidance(32, 64, 128), _Guidance(128, 64, 32)
        self.conv_4 = nn.Conv2d(32, 1, 1)

    def forward(self, image: Tensor) -> Tensor:
        """Attend to the image with its edges."""
        return self.conv_4(self.conv_3(self.conv_2(self.conv_1(image + edges(image)))))


def edges(image: Tensor) -> Tensor:
    """The largest length of a gradient among 3 x 3 pixels, (B, 1, H, W)."""
    x = pad(image, (1, 1, 1, 1), mode="replicate")
    across = (x[:, :, 1:-1, 2:] - x[:, :, 1:-1, :-2]) / 2
    down = (x[:, :, 2:, 1:-1] - x[:, :, :-2, 1:-1]) / 2
    return max_pool2d((across**2 + down**2).sqrt(), 3, stride=1, padding=1)


class Constructor(nn.Module):
    """Fused features to an image (B, 1, H, W), which is never negative."""

    def __init__(self) -> None:
        super().__init__()
        self.conv_1, self.conv_2 = _Step(64, 16), _Step(64, 32)
        self.conv_3, self.conv_4 = _Step(64, 16), _Step(16, 1)

    def forward(self, features: Features) -> Tensor:
        """Construct."""
        x = self.conv_1(features.wide)
        x = self.conv_2(torch.cat([x, features.middle], 1))
        return self.conv_4(self.conv_3(torch.cat([x, features.narrow], 1)))


class MFEIF(nn.Module):
    """The whole network; images are (B, 1, H, W) in [0, 1]."""

    def __init__(self) -> None:
        super().__init__()
        self.ext, self.con, self.att = Extractor(), Constructor(), Attention()

    def forward(self, ir: Tensor, vis: Tensor) -> Tensor:
        """The fused image."""
        warm, seen = self.ext(ir), self.ext(vis)
        wide = torch.softmax(warm.wide * self.att(ir) + seen.wide * self.att(vis), 1)
        return self.con(Features(wide, _middling(warm.middle, seen.middle), _middling(warm.narrow, seen.narrow)))


def _middling(first: Tensor, second: Tensor) -> Tensor:
    """The mean of both and of the smaller of them."""
    return (first + second + torch.minimum(first, second)) / 3


class Inference(InUse):
    """The network in use.

    Parameters
    ----------
    network : MFEIF
        Is used up.
    """

    # Edges reach two pixels, three times two convolutions another three each, and constructing four.
    overlap = 15


def adapt_state_dict(entries: Mapping[str, T]) -> dict[str, T]:
    """The entries of `MFEIF`: the authors' names are ours."""
    return dict(entries)
