"""TarDAL: a densely connected network over both sources, trained against a discriminator for what is hot and one for the rest.

Liu, Fan, Huang, Wu, Liu, Zhong and Luo, IEEE/CVF Conference on Computer Vision and Pattern Recognition, 2022.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, TypeVar

import torch
from torch import Tensor, nn

from .blocks import ImageNorm
from .in_use import InUse

T = TypeVar("T")

_GROWTH: Final = 32


def _step(inside: int, outside: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inside, outside, 3, padding=1), nn.BatchNorm2d(outside), nn.ReLU())


class TarDAL(nn.Module):
    """The generator, which alone is needed to fuse; images are (B, 1, H, W) in [0, 1]."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = _step(2, _GROWTH)
        self.dense = nn.ModuleList(_step(depth * _GROWTH, _GROWTH) for depth in (1, 2, 3))
        self.fuse = nn.Sequential(
            nn.Sequential(nn.Conv2d(128, 128, 3, padding=1), nn.ReLU()),
            _step(128, 64),
            _step(64, 32),
            nn.Sequential(nn.Conv2d(32, 1, 3, padding=1), nn.Tanh()),
        )

    def forward(self, ir: Tensor, vis: Tensor) -> Tensor:
        """The fused image, in (-1, 1)."""
        x = self.encoder(torch.cat([ir, vis], 1))
        for step in self.dense:
            x = torch.cat([x, step(x)], 1)
        return self.fuse(x)


class Inference(InUse):
    """The network in use.

    Parameters
    ----------
    network : TarDAL
        Is used up.
    statistics : {"image", "running"}, optional
        Normalise by the statistics of each image, or by those of the training. By default the former if the weights say
        that the training gathered none.
    """

    def __init__(self, network: TarDAL, *, statistics: Literal["image", "running"] | None = None) -> None:
        super().__init__(network)
        if statistics is None:
            statistics = "running" if _gathered(network) else "image"
        if statistics == "image":
            for step in (network.encoder, *network.dense, *network.fuse[1:3]):
                step[1] = _per_image(step[1])
        alone = statistics == "image"
        self.sees_all_by = "normalisation by the statistics of the whole image" if alone else ""
        # Otherwise as many convolutions as there are from a source to the result.
        self.overlap = 64 if alone else 8
        self.channels_last = not alone


def _gathered(network: TarDAL) -> bool:
    batches = network.encoder[1].num_batches_tracked
    # Where only sizes are known, either will do.
    return not batches.is_meta and bool(batches)


def _per_image(trained: nn.BatchNorm2d) -> ImageNorm:
    norm = ImageNorm(trained.num_features, trained.eps)
    norm.weight, norm.bias = trained.weight, trained.bias
    return norm


def adapt_state_dict(entries: Mapping[str, T]) -> dict[str, T]:
    """The entries of `TarDAL`: the authors' names, below ``fuse`` where a file of theirs holds the discriminators, too."""
    generator = "fuse."
    if f"{generator}encoder.0.weight" not in entries:
        return {name: entry for name, entry in entries.items() if name != "use_eval"}
    own = {name.removeprefix(generator): entry for name, entry in entries.items() if name.startswith(generator)}
    return {name: entry for name, entry in own.items() if name != "use_eval"}
