"""VGG on one grey plane, to compare images by what a network trained on photographs sees in them.

Its weights come from a file of the user's: a state dict of torchvision's VGG-19 or VGG-16, or anything with its keys.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool2d, relu

from fusionbench.types import UserError

Backbone: TypeAlias = Literal["vgg19", "vgg16"]

STAGES: Final[dict[str, tuple[tuple[int, ...], ...]]] = {
    "vgg19": ((0,), (2, 5), (7, 10), (12, 14, 16, 19), (21, 23, 25, 28)),
    "vgg16": ((0,), (2, 5), (7, 10), (12, 14, 17), (19, 21, 24)),
}
"""The convolutions up to the first one of each of the five blocks, by the places that torchvision gives them."""
_WIDTHS: Final = 64, 128, 256, 512, 512
_LUMA: Final = 0.299, 0.587, 0.114


class Perceptual(nn.Module):
    """The first rectified features of each block: relu1_1, relu2_1, relu3_1, relu4_1, relu5_1.

    Parameters
    ----------
    backbone : {"vgg19", "vgg16"}
        Which of the two.
    """

    def __init__(self, backbone: Backbone = "vgg19") -> None:
        super().__init__()
        before = 1
        self.stages = nn.ModuleList()
        for stage, (places, width) in enumerate(zip(STAGES[backbone], _WIDTHS, strict=True)):
            widths = [_WIDTHS[max(stage - 1, 0)]] * (len(places) - 1) + [width]
            convolutions = nn.ModuleDict()
            for place, after in zip(places, widths, strict=True):
                convolutions[str(place)] = nn.Conv2d(before, after, 3, padding=1)
                before = after
            self.stages.append(convolutions)
        self.requires_grad_(False)

    def forward(self, x: Tensor) -> list[Tensor]:
        """(B, 1, H, W) to five maps, each of half the size of the one before."""
        seen = []
        for number, stage in enumerate(self.stages):
            assert isinstance(stage, nn.ModuleDict)
            places = list(stage)
            for place in places:
                # A block begins with its pooling.
                if number and place == places[-1]:
                    x = max_pool2d(x, 2)
                x = relu(stage[place](x))
            seen.append(x)
        return seen


def grey(weights: Mapping[str, Tensor], backbone: Backbone) -> dict[int, tuple[Tensor, Tensor]]:
    """Kernels and biases of VGG by the place of each convolution, the first one for a grey plane instead of RGB.

    Parameters
    ----------
    weights : mapping of str to Tensor
        torchvision's state dict: ``"features.0.weight"`` and so on.
    backbone : {"vgg19", "vgg16"}
        What it should be.

    Returns
    -------
    dict of int to tuple of Tensor

    Raises
    ------
    UserError
        If these are weights of something else.
    """
    found = {}
    before, blocks = 3, _blocks(backbone)
    for place, after in blocks.items():
        kernel, bias = (weights.get(f"features.{place}.{word}") for word in ("weight", "bias"))
        if kernel is None or bias is None or kernel.shape != (after, before, 3, 3):
            wanted = f"features.{place}.weight of shape ({after}, {before}, 3, 3)"
            raise UserError(f"These are no weights of {backbone}, which has {wanted}: give torchvision's file of it.")
        found[place] = kernel.float(), bias.float()
        before = after
    kernel, bias = found[0]
    found[0] = (kernel * torch.tensor(_LUMA)[:, None, None]).sum(1, keepdim=True), bias
    return found


def _blocks(backbone: Backbone) -> dict[int, int]:
    """Channels after each convolution that is needed, by its place."""
    widths: dict[int, int] = {}
    for stage, places in enumerate(STAGES[backbone]):
        widths |= dict.fromkeys(places[:-1], _WIDTHS[max(stage - 1, 0)]) | {places[-1]: _WIDTHS[stage]}
    return widths


def filled(network: Perceptual, convolutions: Mapping[int, tuple[Tensor, Tensor]]) -> Perceptual:
    """The network with weights from `grey`."""
    for stage in network.stages:
        assert isinstance(stage, nn.ModuleDict)
        for place, convolution in stage.items():
            kernel, bias = convolutions[int(place)]
            convolution.load_state_dict({"weight": kernel, "bias": bias})
    return network
