"""FusionGAN: five convolutions over both sources, trained against a discriminator that knows visible images.

Ma, Yu, Liang, Li and Jiang, Information Fusion 48, 2019.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import pad

from .normalised import Inference as Inference
from .normalised import Last, Step
from .tensorflow_entries import convolutions, from_tensorflow, normalisations

BORDER: Final = (6, 6, 6, 6)
"""How many pixels the convolutions take off an image, which is therefore continued by its outermost ones."""


class FusionGAN(nn.Module):
    """The generator, which alone is needed to fuse; images are (B, 1, H, W) in [-1, 1]."""

    def __init__(self) -> None:
        super().__init__()
        self.layer1 = Step(2, 256, 5, 0)
        self.layer2 = Step(256, 128, 5, 0)
        self.layer3 = Step(128, 64, 3, 0)
        self.layer4 = Step(64, 32, 3, 0)
        self.layer5 = Last(32)

    def forward(self, ir: Tensor, vis: Tensor) -> Tensor:
        """The fused image."""
        x = pad(torch.cat([ir, vis], 1), BORDER, mode="replicate")
        return self.layer5(self.layer4(self.layer3(self.layer2(self.layer1(x)))))


_NAMES: Final = convolutions({f"{k}": f"layer{k}.conv" for k in range(1, 6)}) | normalisations(
    {f"{k}": f"layer{k}.bn" for k in range(1, 5)}
)


def adapt_state_dict(entries: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """The entries of `FusionGAN` among those of the authors' checkpoint, which also holds the discriminator."""
    return from_tensorflow(entries, _NAMES)
