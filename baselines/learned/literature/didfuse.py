"""DIDFuse: every source taken apart into a base and a detail, which are fused layer by layer.

Zhao, Xu, Zhang, Liu, Zhang and Li, IJCAI 2020.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import torch
from torch import Tensor, nn

from .blocks import Combination, combined, without_files
from .in_use import InUse

T = TypeVar("T")


class _Step(nn.Module):
    """A convolution, normalised and followed by `after`; the authors name the layers after the step itself."""

    def __init__(self, name: str, inside: int, outside: int, after: nn.Module, *, mirrored: bool = False) -> None:
        super().__init__()
        border = [nn.ReflectionPad2d(1)] if mirrored else []
        convolution = nn.Conv2d(inside, outside, 3, padding=0 if mirrored else 1)
        self.add_module(name, nn.Sequential(*border, convolution, nn.BatchNorm2d(outside), after))
        self._name = name

    def forward(self, x: Tensor) -> Tensor:
        return self.get_submodule(self._name)(x)


class DIDFuse(nn.Module):
    """The whole network; images are (B, 1, H, W) in [0, 1]."""

    def __init__(self) -> None:
        super().__init__()
        self.cov1 = _Step("cov1", 1, 64, nn.PReLU(), mirrored=True)
        self.cov2 = _Step("cov2", 64, 64, nn.PReLU())
        self.cov3, self.cov4 = _Step("cov3", 64, 64, nn.Tanh()), _Step("cov4", 64, 64, nn.Tanh())
        self.cov5, self.cov6 = _Step("cov5", 128, 64, nn.PReLU()), _Step("cov6", 128, 64, nn.PReLU())
        self.cov7 = _Step("cov7", 128, 1, nn.Sigmoid(), mirrored=True)

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Features, finer features, base and detail of an image: (B, 64, H, W) each."""
        first = self.cov1(x)
        second = self.cov2(first)
        return first, second, self.cov3(second), self.cov4(second)

    def decode(self, first: Tensor, second: Tensor, base: Tensor, detail: Tensor) -> Tensor:
        """What `encode` gives, or the fusion of two such, to an image."""
        x = self.cov5(torch.cat([base, detail], 1))
        x = self.cov6(torch.cat([x, second], 1))
        return self.cov7(torch.cat([x, first], 1))

    def forward(self, ir: Tensor, vis: Tensor, strategy: Combination) -> Tensor:
        """The fused image."""
        pairs = zip(self.encode(ir), self.encode(vis), strict=True)
        return self.decode(*(combined(warm, seen, strategy) for warm, seen in pairs))


class Inference(InUse):
    """The network in use.

    Parameters
    ----------
    network : DIDFuse
        Is used up.
    strategy : {"add", "mean", "l1"}
        How features are fused.
    """

    # Six convolutions of 3 x 3 from a source to the result, and the window of the l1 norm.
    overlap = 7

    def __init__(self, network: DIDFuse, *, strategy: Combination = "add") -> None:
        super().__init__(network, strategy)


def adapt_state_dict(entries: Mapping[str, T]) -> dict[str, T]:
    """The entries of `DIDFuse`, from the authors' two files."""
    return without_files(entries, r"cov\d\.")
