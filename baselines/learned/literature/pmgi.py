"""PMGI: a path for gradients and one for intensities, which exchange features twice on their way.

Zhang, Xu, Xiao, Guo and Ma, AAAI Conference on Artificial Intelligence 34, 2020.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from .normalised import Inference as Inference
from .normalised import Last, Step
from .tensorflow_entries import convolutions, from_tensorflow, normalisations


class PMGI(nn.Module):
    """The whole network; images are (B, 1, H, W) in [-1, 1].

    Layers are called by their depth, ``2_3`` and ``3_4`` those that stand between two; the ones of the path that mostly
    sees the visible image end in ``_vi``.
    """

    def __init__(self) -> None:
        super().__init__()
        for path in ("", "_vi"):
            self.add_module(f"layer1{path}", Step(3, 16, 5, 2))
            self.add_module(f"layer2{path}", Step(16, 16, 3, 1))
            self.add_module(f"layer2_3{path}", Step(32, 16, 1, 0))
            self.add_module(f"layer3{path}", Step(48, 16, 3, 1))
            self.add_module(f"layer3_4{path}", Step(32, 16, 1, 0))
            self.add_module(f"layer4{path}", Step(64, 16, 3, 1))
        self.layer5 = Last(128)

    def forward(self, ir: Tensor, vis: Tensor) -> Tensor:
        """The fused image."""
        first = self._both("1", torch.cat([ir, ir, vis], 1), torch.cat([vis, vis, ir], 1))
        second = self._both("2", *first)
        exchanged = self._exchange("2_3", second)
        third = self._both("3", *_beside(first, second, exchanged))
        exchanged = self._exchange("3_4", third)
        fourth = self._both("4", *_beside(first, second, third, exchanged))
        return self.layer5(torch.cat([*first, *second, *third, *fourth], 1))

    def _both(self, depth: str, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
        """One step of either path."""
        return self.get_submodule(f"layer{depth}")(a), self.get_submodule(f"layer{depth}_vi")(b)

    def _exchange(self, depth: str, paths: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        """What either path takes from both."""
        together = torch.cat(paths, 1)
        return self._both(depth, together, together)


def _beside(*depths: tuple[Tensor, Tensor]) -> list[Tensor]:
    """What either path has of those depths."""
    return [torch.cat(path, 1) for path in zip(*depths, strict=True)]


_LAYERS: Final = [f"{depth}{path}" for depth in ("1", "2", "2_3", "3", "3_4", "4") for path in ("", "_vi")]
_NAMES: Final = convolutions({each: f"layer{each}.conv" for each in [*_LAYERS, "5"]}) | normalisations(
    {each: f"layer{each}.bn" for each in _LAYERS}
)


def adapt_state_dict(entries: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """The entries of `PMGI` among those of the authors' checkpoint."""
    return from_tensorflow(entries, _NAMES)
