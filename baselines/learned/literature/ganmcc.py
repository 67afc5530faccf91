"""GANMcC: a path for either source, trained against a discriminator that tells visible from infrared images.

Ma, Zhang, Shao, Liang and Xu, IEEE Transactions on Instrumentation and Measurement 70, 2021.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import pad

from .fusiongan import BORDER
from .normalised import Inference as Inference
from .normalised import Last, Step
from .tensorflow_entries import convolutions, from_tensorflow, normalisations


class GANMcC(nn.Module):
    """The generator, which alone is needed to fuse; images are (B, 1, H, W) in [-1, 1].

    The layers of the path that mostly sees the visible image end in ``_vi``.
    """

    def __init__(self) -> None:
        super().__init__()
        for path in ("", "_vi"):
            self.add_module(f"layer1{path}", Step(3, 256, 5, 0))
            self.add_module(f"layer2{path}", Step(256, 128, 5, 0))
            self.add_module(f"layer3{path}", Step(128, 64, 3, 0))
            self.add_module(f"layer4{path}", Step(64, 32, 3, 0))
        self.layer5 = Last(128)

    def forward(self, ir: Tensor, vis: Tensor) -> Tensor:
        """The fused image."""
        ir, vis = pad(ir, BORDER, mode="replicate"), pad(vis, BORDER, mode="replicate")
        a = self._path("", torch.cat([ir, ir, vis], 1))
        b = self._path("_vi", torch.cat([vis, vis, ir], 1))
        # The authors' program hands over both twice.
        return self.layer5(torch.cat([a, b, a, b], 1))

    def _path(self, name: str, x: Tensor) -> Tensor:
        for depth in range(1, 5):
            x = self.get_submodule(f"layer{depth}{name}")(x)
        return x


_LAYERS: Final = [f"{depth}{path}" for depth in range(1, 5) for path in ("", "_vi")]
_NAMES: Final = convolutions({each: f"layer{each}.conv" for each in [*_LAYERS, "5"]}) | normalisations(
    {each: f"layer{each}.bn" for each in _LAYERS}
)


def adapt_state_dict(entries: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """The entries of `GANMcC` among those of the authors' checkpoint, which also holds the discriminator."""
    return from_tensorflow(entries, _NAMES)
