"""AUIF: two gradient descents unrolled, one to the base and one to the detail of each source.

Zhao, Xu, Zhang, Liang, Zhang and Liu, IEEE Transactions on Circuits and Systems for Video Technology 32(3), 2022.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, pad

from .blocks import Combination, combined, without_files
from .in_use import InUse

T = TypeVar("T")


class Descent(nn.Module):
    """One step: away from what a filter and its adjoint respond to, towards the image."""

    def __init__(self) -> None:
        super().__init__()
        self.kernel = nn.Parameter(torch.empty(64, 1, 3, 3))
        nn.init.kaiming_uniform_(self.kernel)
        self.eta, self.theta = (nn.Parameter(torch.full((1,), 0.1)) for _ in range(2))
        self.rest = nn.Sequential(nn.BatchNorm2d(1), nn.PReLU())

    def forward(self, x: Tensor, image: Tensor) -> Tensor:
        """(B, 1, H, W) to the next such."""
        adjoint = self.kernel.flip(2, 3).transpose(0, 1)
        response = conv2d(_mirrored(conv2d(_mirrored(x, 1), self.kernel), 1), adjoint)
        return x - self.eta * (self.rest(response) - self.theta * (image - x))


class AUIF(nn.Module):
    """The whole network; images are (B, 1, H, W) in [0, 1]."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.ModuleList(Descent() for _ in range(10))
        self.conv2 = nn.ModuleList(Descent() for _ in range(10))
        self.decoder = nn.Sequential(
            nn.ReflectionPad2d(1), nn.Conv2d(1, 1, 3, bias=False), nn.BatchNorm2d(1), nn.Sigmoid()
        )

    def base(self, image: Tensor) -> Tensor:
        """What is smooth in an image."""
        x = blurred(image)
        for step in self.conv1:
            x = step(x, image)
        return x

    def detail(self, image: Tensor) -> Tensor:
        """What is not."""
        x = curvature(image)
        for step in self.conv2:
            x = step(x, image)
        return x

    def forward(self, ir: Tensor, vis: Tensor, strategy: Combination) -> Tensor:
        """The fused image."""
        base = combined(self.base(ir), self.base(vis), strategy)
        return self.decoder(base + combined(self.detail(ir), self.detail(vis), strategy))


def blurred(image: Tensor) -> Tensor:
    """The mean of 11 x 11 pixels, (B, 1, H, W)."""
    return _filtered(image, torch.ones(11, 11) / 121)


def curvature(image: Tensor) -> Tensor:
    """The Laplacian of 19 x 19 pixels: ones but for the centre, in sum 0 and in absolute sum 1."""
    kernel = torch.ones(19, 19)
    kernel[9, 9] = -360
    return _filtered(image, kernel / 720)


def _filtered(image: Tensor, kernel: Tensor) -> Tensor:
    return conv2d(_mirrored(image, len(kernel) // 2), kernel.to(image)[None, None])


def _mirrored(x: Tensor, border: int) -> Tensor:
    return pad(x, (border,) * 4, mode="reflect")


class Inference(InUse):
    """The network in use.

    Parameters
    ----------
    network : AUIF
        Is used up.
    strategy : {"add", "mean", "l1"}
        How bases, and details, are fused.
    """

    # Nine pixels for the Laplacian, two a step, one for the window of the l1 norm, and one to decode.
    overlap = 31

    def __init__(self, network: AUIF, *, strategy: Combination = "add") -> None:
        super().__init__(network, strategy)


def adapt_state_dict(entries: Mapping[str, T]) -> dict[str, T]:
    """The entries of `AUIF`, from the authors' three files."""
    return without_files(entries, r"conv[12]\.\d|decoder\.\d")
