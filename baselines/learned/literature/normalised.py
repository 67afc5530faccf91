"""What PMGI, FusionGAN and GANMcC have in common: normalisation by the statistics of the image at hand, also in use."""

from __future__ import annotations

from collections import OrderedDict
from typing import Literal

from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from .blocks import ImageNorm
from .in_use import InUse


class Step(nn.Module):
    """Convolution, normalisation, activation.

    Parameters
    ----------
    inside, outside, size : int
        Of the convolution.
    padding : int
        Zeros around its input.
    """

    def __init__(self, inside: int, outside: int, size: int, padding: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inside, outside, size, padding=padding)
        # TensorFlow's kernel takes no less than this, though 1e-5 is asked for.
        self.bn = ImageNorm(outside, 1.001e-5)

    def forward(self, x: Tensor) -> Tensor:
        """(B, inside, H, W) to (B, outside, ...)."""
        return leaky_relu(self.bn(self.conv(x)), 0.2)


class Last(nn.Sequential):
    """Features (B, inside, H, W) to the fused image (B, 1, H, W) in (-1, 1)."""

    def __init__(self, inside: int) -> None:
        super().__init__(OrderedDict(conv=nn.Conv2d(inside, 1, 1), tanh=nn.Tanh()))


class Inference(InUse):
    """Such a network in use.

    Parameters
    ----------
    network : nn.Module
        Takes the infrared and the visible image, (B, 1, H, W) in [-1, 1]; is used up.
    affine : {"unit", "trained"}
        What follows a normalisation: nothing, as in the authors' programs, which do not restore it, or the scale and
        shift that were trained.
    """

    overlap = 64
    channels_last = False
    sees_all_by = "normalisation by the statistics of the whole image"
    middle, unit = 127.5, 127.5

    def __init__(self, network: nn.Module, *, affine: Literal["unit", "trained"] = "unit") -> None:
        super().__init__(network)
        if affine == "unit":
            for module in network.modules():
                if isinstance(module, ImageNorm):
                    module.forget()
