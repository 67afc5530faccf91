"""LRRNet: low-rank and sparse parts of each source, found by a few steps of an algorithm whose matrices were trained.

Li, Xu, Wu, Lu and Kittler, IEEE Transactions on Pattern Analysis and Machine Intelligence 45(9), 2023.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.functional import relu

from .blocks import Reflecting
from .in_use import InUse

T = TypeVar("T")

_CODES: Final = 256
"""Channels of a code: the first half are the low-rank part, the others the sparse one."""


class _Step(nn.Module):
    """The convolutions of one step: from a code to an image, and back."""

    def __init__(self) -> None:
        super().__init__()
        self.conv_Wdz = Reflecting(_CODES, 1)
        self.conv_Wdtz = Reflecting(1, _CODES)


class Coder(nn.Module):
    """An image to its code by iterative shrinkage and thresholding."""

    def __init__(self) -> None:
        super().__init__()
        self.lamj = nn.Parameter(torch.full((1, _CODES), 0.01))
        self.lamz = nn.Parameter(torch.ones(1, 1))
        self.conv_W00 = Reflecting(1, _CODES)
        self.lrrblock0, self.lrrblock1, self.lrrblock2, self.lrrblock3 = (_Step() for _ in range(4))

    def forward(self, image: Tensor) -> Tensor:
        """(B, 1, H, W) to (B, 256, H, W)."""
        threshold = self.lamj[:, :, None, None]
        z = shrunk(self.conv_W00(image), threshold)
        for step in (self.lrrblock0, self.lrrblock1, self.lrrblock2, self.lrrblock3):
            z = shrunk(self.lamz * z + step.conv_Wdtz(image - step.conv_Wdz(z)), threshold)
        return z


def shrunk(z: Tensor, threshold: Tensor) -> Tensor:
    """Every number nearer to zero by `threshold`, at most to zero; a negative threshold takes it farther away."""
    return z.sign() * relu(z.abs() - threshold)


class _Decoder(nn.Module):
    """Codes to images, part by part."""

    def __init__(self) -> None:
        super().__init__()
        self.conv_ReZx, self.conv_ReUx = Reflecting(_CODES // 2, 1), Reflecting(_CODES // 2, 1)
        self.conv_ReZy, self.conv_ReUy = Reflecting(_CODES // 2, 1), Reflecting(_CODES // 2, 1)
        self.conv_ReL, self.conv_ReH = Reflecting(2, 1), Reflecting(2, 1)

    def forward(self, ir: Tensor, vis: Tensor) -> Tensor:
        (warm_low, warm_high), (seen_low, seen_high) = ir.chunk(2, 1), vis.chunk(2, 1)
        low = self.conv_ReL(torch.cat([self.conv_ReZx(warm_low), self.conv_ReZy(seen_low)], 1))
        return low + self.conv_ReH(torch.cat([self.conv_ReUx(warm_high), self.conv_ReUy(seen_high)], 1))


class LRRNet(nn.Module):
    """The whole network; images are (B, 1, H, W), each stretched to [0, 1]."""

    def __init__(self) -> None:
        super().__init__()
        self.get_ls1, self.get_ls2 = Coder(), Coder()
        self.decoder = _Decoder()

    def forward(self, ir: Tensor, vis: Tensor) -> Tensor:
        """The fused image, of a range that says nothing."""
        return self.decoder(self.get_ls1(ir), self.get_ls2(vis))


class Inference(InUse):
    """The network in use: of planes that are stretched to the scale 0..255 it makes one of about a quarter of the scale.

    Parameters
    ----------
    network : LRRNet
        Is used up.
    """

    # As many convolutions of 3 x 3 as there are from a source to the result.
    overlap = 11


def adapt_state_dict(entries: Mapping[str, T]) -> dict[str, T]:
    """The entries of `LRRNet`: the authors' names are ours."""
    return dict(entries)
