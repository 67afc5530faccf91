"""How CLF-Net is trained: patch contrast in the space of its own encoders, and SSIM with the brighter source.

Departures from the released code: patches that reach beyond the image (which it fills with black) are left out, the last
patch that fits exactly is not, and the losses are not computed a second time for the log. And the running statistics count
what the encoders see of the sources only, since that is all they see in use; the released code also counts what they see of
the fused images, and all of it twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import ClassVar, Final

import numpy as np
import torch
from torch import Tensor, nn

from fusionbench.types import Levels

from ..learned.clfnet import Generator, Inference
from .data import Batch
from .detail import detail_errors
from .patch_contrast import Projection, brighter_similarity_loss, patch_contrast, vectors_at
from .recipe import Defaults, Precision, Recipe, whole

_POSITIONS: Final = 200
"""Patches of an image that are compared."""


class CLFNetRecipe(Recipe):
    """CLF-Net; images are mapped from 0..255 to [-1, 1].

    Parameters
    ----------
    rate, device, precision
        As for `Recipe`.
    detail : float
        Weight of the mean absolute errors of `detail_errors`, which the authors do not have.
    """

    method: ClassVar[str] = "clfnet"
    defaults: ClassVar[Defaults] = Defaults(epochs=20, batch=4, crop=128, stride=32, rate=1e-3)

    def __init__(self, rate: float, device: str = "cpu", precision: Precision = "fp32", *, detail: float = 0.0) -> None:
        super().__init__(rate, device, precision)
        self.detail = detail
        self.network, self.projection = Generator(), Projection()
        self.modules = {"network": self.ready(self.network), "projection": self.ready(self.projection)}
        self.optimisers = {
            name: torch.optim.Adam(module.parameters(), lr=rate) for name, module in self.modules.items()
        }

    def update(self, batch: Batch, rng: np.random.Generator) -> dict[str, Tensor]:
        """Losses ``total``, ``contrast``, ``similarity`` and ``detail``."""
        self.network.train()
        vis, ir = (self.placed(planes / 127.5 - 1) for planes in (batch.vis, batch.ir))
        pixels = vis.shape[2] * vis.shape[3]
        positions = torch.from_numpy(rng.permutation(pixels)[:_POSITIONS]).to(self.device)
        with self.mixed():
            made = self.network(vis, ir)
            with uncounted(self.network):
                again = self.network.encode(made.fused, made.fused)
            vectors = [vectors_at(features, positions) for features in (*again, made.vis, made.ir)]
            projected = [self.projection(one) for one in vectors]
        contrast = patch_contrast(*(one.float() for one in projected)).mean()
        similarity = brighter_similarity_loss(made.fused.float(), vis, ir)
        detail = torch.stack([error.abs().mean() for error in detail_errors(made.fused.float(), vis, ir)]).mean()
        total = contrast + similarity + self.detail * detail
        for optimiser in self.optimisers.values():
            optimiser.zero_grad(set_to_none=True)
        total.backward()
        for optimiser in self.optimisers.values():
            optimiser.step()
        losses = {"total": total, "contrast": contrast, "similarity": similarity, "detail": detail}
        return {name: loss.detach() for name, loss in losses.items()}

    def fuse(self, vis: Levels, ir: Levels) -> Levels:
        """Fuse with running statistics, clipped: to stretch an image would hide how bright the network makes it."""
        return whole(self.applied(Inference(deepcopy(self.network)), vis, ir) + 0.5)


@contextmanager
def uncounted(network: nn.Module) -> Iterator[None]:
    """Within it batches are normalised as ever, but leave the running statistics as they are."""
    layers = [layer for layer in network.modules() if isinstance(layer, nn.BatchNorm2d)]
    usual = [layer.momentum for layer in layers]
    for layer in layers:
        layer.momentum = 0.0
    try:
        yield
    finally:
        for layer, momentum in zip(layers, usual, strict=True):
            layer.momentum = momentum
