"""How CS2Fusion is trained: the backbone by reconstruction, the compensation network by contrast, in turns.

What the release leaves open is decided here: the visible image "with impaired areas" has one to four rectangles of zeros,
each side between an eighth and a third of the patch; patches come from a plain grid. The visible image is the first input,
as the authors' weights want it; the losses follow the modality, not the place.
"""

from __future__ import annotations

from copy import deepcopy
from typing import ClassVar, Final

import numpy as np
import torch
from torch import Tensor

from fusionbench.types import Levels

from ..learned.cs2fusion import Backbone, Inference
from .compensation import CompensationNetwork, attract, reconstruction_loss, repel
from .data import Batch
from .detail import detail_errors
from .recipe import Defaults, Precision, Recipe, whole

_IMPAIRED_WEIGHT: Final = 2.0
_HOLES: Final = 1, 4
"""Fewest and most rectangles in a patch."""
_SIDES: Final = 1 / 8, 1 / 3
"""Shortest and longest side of one, as part of the side of the patch."""


class CS2FusionRecipe(Recipe):
    """CS2Fusion; images stay on the scale 0..255.

    Parameters
    ----------
    rate, device, precision
        As for `Recipe`.
    detail : float
        Weight of the Euclidean norms of `detail_errors`, which the authors do not have.
    """

    method: ClassVar[str] = "cs2fusion"
    defaults: ClassVar[Defaults] = Defaults(epochs=20, batch=16, crop=64, stride=64, rate=2e-3)

    def __init__(self, rate: float, device: str = "cpu", precision: Precision = "fp32", *, detail: float = 0.0) -> None:
        super().__init__(rate, device, precision)
        self.detail = detail
        self.network, self.compensation = Backbone(), CompensationNetwork()
        self.modules = {"network": self.ready(self.network), "compensation": self.ready(self.compensation)}
        # The authors' rates: the compensation network learns ten times more slowly.
        self.optimisers = {
            "network": torch.optim.Adam(self.network.parameters(), lr=rate),
            "compensation": torch.optim.Adam(self.compensation.parameters(), lr=rate / 10),
        }

    def decay(self, progress: float) -> float:
        """A tenth after each quarter: epochs 5, 10 and 15 of 20."""
        return 0.1 ** int(4 * progress)

    def update(self, batch: Batch, rng: np.random.Generator) -> dict[str, Tensor]:
        """Losses ``total``, ``distance``, ``similarity``, ``detail``, ``contrast`` and ``impaired`` (that with holes)."""
        vis, ir, impaired = (self.placed(one) for one in (batch.vis, batch.ir, with_holes(batch.vis, rng)))
        with self.mixed():
            made = self.network(vis, ir)
            whole = self.compensation(made.first, made.second)
            with torch.no_grad():
                holed = self.compensation(*self.network.encode(impaired, ir))
        # Only the compensation network could learn from these weights here, and it learns by contrast alone.
        weights = whole.weights[0].detach().float(), whole.weights[1].detach().float()
        distance, similarity = reconstruction_loss(made.fused.float(), vis, ir, weights)
        errors = detail_errors(made.fused.float(), vis, ir)
        detail = torch.stack([torch.linalg.vector_norm(error) for error in errors]).mean()
        of_vis, of_ir = (
            (evident.float(), given.float()) for evident, given in zip(whole.evident, whole.given, strict=True)
        )
        contrast = attract(*of_vis) + attract(*of_ir) + repel(of_vis[1], of_ir[1])
        hidden = attract(of_ir[1], holed.evident[1].float()) + repel(of_ir[1], holed.evident[0].float())
        taught = {
            "network": distance + similarity + self.detail * detail,
            "compensation": contrast + _IMPAIRED_WEIGHT * hidden,
        }
        for name, optimiser in self.optimisers.items():
            optimiser.zero_grad(set_to_none=True)
            taught[name].backward()
            optimiser.step()
        losses = {
            "total": taught["network"] + taught["compensation"],
            "distance": distance,
            "similarity": similarity,
            "detail": detail,
            "contrast": contrast,
            "impaired": hidden,
        }
        return {name: loss.detach() for name, loss in losses.items()}

    def fuse(self, vis: Levels, ir: Levels) -> Levels:
        """Fuse and truncate, as the authors save their images."""
        return whole(self.applied(Inference(deepcopy(self.network)), vis, ir))


def with_holes(planes: Tensor, rng: np.random.Generator) -> Tensor:
    """Copies of (B, 1, H, W) planes with rectangles of zeros, others in each."""
    impaired = planes.clone()
    size = np.array(planes.shape[2:])
    for plane in impaired[:, 0]:
        for _ in range(rng.integers(_HOLES[0], _HOLES[1] + 1)):
            height, width = np.maximum(1, (size * rng.uniform(*_SIDES, 2)).astype(int))
            top, left = rng.integers(0, size - (height, width) + 1)
            plane[top : top + height, left : left + width] = 0
    return impaired
