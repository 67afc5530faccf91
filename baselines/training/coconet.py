"""How CoCoNet is trained: first to be faithful to both sources, then, from there, by coupled contrast.

Departures from what the authors did: their data and masks are not to be had, so patches come from a plain grid, and a
scene without a mask gets an automatic one. VGG-19 is a file of the user's. With VGG-16 in its place, the fourth
convolution of the third block, which VGG-16 lacks, passes its input on unchanged. The second stage starts with a new
optimiser.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import ClassVar, Final, Literal, TypeAlias

import numpy as np
import torch
from torch import Tensor

from fusionbench.types import Levels, UserError

from ..learned import checkpoints
from ..learned.coconet import CoCoNet, Inference, Perception, adapt_state_dict
from .coupled_contrast import coupled_contrast, fidelity_loss
from .data import Batch, Scene
from .perception import Backbone, Perceptual, filled, grey
from .recipe import Defaults, Precision, Recipe, whole
from .saliency import warm

Stage: TypeAlias = Literal["main", "contrast"]

_POOLED: Final = 1
"""The network counts its first pooling as a layer, so its convolutions have places one higher than in VGG."""


class CoCoNetRecipe(Recipe):
    """CoCoNet; images are mapped from 0..255 to [-1, 1].

    Parameters
    ----------
    rate, device, precision
        As for `Recipe`.
    vgg : Path
        torchvision's state dict of VGG-19 (or of VGG-16, if that is the backbone).
    backbone : {"vgg19", "vgg16"}
        Which it is.
    stage : {"main", "contrast"}
        Fidelity alone, or with contrast: then a batch is three groups, of which the first is fused.
    weights : Path, optional
        What to start from; the stage ``"contrast"`` starts from the result of ``"main"``.

    Raises
    ------
    UserError
        If a file is missing or does not fit.
    """

    method: ClassVar[str] = "coconet"
    defaults: ClassVar[Defaults] = Defaults(epochs=30, batch=30, crop=128, stride=64, rate=1e-4)

    def __init__(
        self,
        rate: float,
        device: str = "cpu",
        precision: Precision = "fp32",
        *,
        vgg: Path | None = None,
        backbone: Backbone = "vgg19",
        stage: Stage = "main",
        weights: Path | None = None,
    ) -> None:
        super().__init__(rate, device, precision)
        if vgg is None:
            raise UserError("CoCoNet sees through VGG: give torchvision's file of its weights as vgg.")
        if stage == "contrast" and weights is None:
            raise UserError("The stage 'contrast' goes on from the stage 'main': give what came of it as weights.")
        entries = {name: torch.from_numpy(np.array(entry)) for name, entry in checkpoints.read(vgg).items()}
        convolutions = grey(entries, backbone)
        self.stage = stage
        self.network, self.see = CoCoNet(), filled(Perceptual(backbone), convolutions)
        _give_sight(self.network.vgg19, convolutions)
        if weights is not None:
            shapes = {name: tuple(entry.shape) for name, entry in self.network.state_dict().items()}
            known = checkpoints.load(weights, shapes, adapt_state_dict)
            self.network.load_state_dict({name: torch.from_numpy(np.array(entry)) for name, entry in known.items()})
        self.ready(self.see)
        self.modules = {"network": self.ready(self.network)}
        trained = [parameter for parameter in self.network.parameters() if parameter.requires_grad]
        self.optimisers = {"network": torch.optim.Adam(trained, lr=rate)}

    @classmethod
    def prepared(cls, scene: Scene) -> Scene:
        """With an automatic mask, if it has none."""
        return scene if scene.mask is not None else replace(scene, mask=warm(scene.ir))

    def update(self, batch: Batch, rng: np.random.Generator) -> dict[str, Tensor]:
        """Losses ``total``, ``fidelity`` and ``contrast``; all 0 where a batch has nothing to contrast and is skipped."""
        assert batch.mask is not None
        self.network.train()
        vis, ir = (self.placed(planes / 127.5 - 1) for planes in (batch.vis, batch.ir))
        if self.stage == "main":
            with self.mixed():
                fused = self.network(vis, ir)
            fidelity = fidelity_loss(vis, ir, fused.float())
            return self._learn(fidelity, torch.zeros_like(fidelity))
        third = len(vis) // 3
        mask = self.placed(batch.mask[:third])
        if third == 0:
            raise UserError("A batch of fewer than 3 has no three groups to contrast: choose a larger one.")
        # Without anything inside or outside of the mask, the contrast divides zero by zero.
        if not 0 < float(mask.sum()) < mask.numel():
            nothing = torch.zeros(())
            return {"total": nothing, "fidelity": nothing, "contrast": nothing}
        seen, warmer = ([planes[third * k : third * (k + 1)] for k in range(3)] for planes in (vis, ir))
        with self.mixed():
            fused = self.network(seen[0], warmer[0])
        contrast = coupled_contrast(self.see, fused.float(), seen, warmer, mask)
        return self._learn(fidelity_loss(seen[0], warmer[0], fused.float()), contrast)

    def _learn(self, fidelity: Tensor, contrast: Tensor) -> dict[str, Tensor]:
        total = fidelity + contrast
        for optimiser in self.optimisers.values():
            optimiser.zero_grad(set_to_none=True)
            total.backward()
            optimiser.step()
        return {"total": total.detach(), "fidelity": fidelity.detach(), "contrast": contrast.detach()}

    def fuse(self, vis: Levels, ir: Levels) -> Levels:
        """Fuse with the statistics of the image, on the scale that it was trained on, and round."""
        inference = Inference(deepcopy(self.network), bn="batch", scale="unit")
        return whole(np.rint(self.applied(inference, vis, ir)))


def _give_sight(sight: Perception, convolutions: Mapping[int, tuple[Tensor, Tensor]]) -> None:
    """Fill the part of the network that is VGG."""
    for stage in (sight.slice1, sight.slice2, sight.slice3):
        for name, convolution in stage.items():
            place = 0 if name == "0" else int(name) - _POOLED
            if place in convolutions:
                kernel, bias = convolutions[place]
            else:
                width = len(convolution.bias)
                kernel, bias = torch.zeros(width, width, 3, 3), torch.zeros(width)
                kernel[:, :, 1, 1] = torch.eye(width)
            convolution.load_state_dict({"weight": kernel, "bias": bias})
