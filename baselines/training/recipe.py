"""What the loop must know of a network: what is trained, by which rule, and how the result fuses."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import ClassVar, Final, Literal, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fusionbench.types import Levels

from .data import Batch, Scene

Precision: TypeAlias = Literal["fp32", "bf16"]

_DTYPES: Final = {"fp32": torch.float32, "bf16": torch.bfloat16}


@dataclass(frozen=True, slots=True)
class Defaults:
    """How the authors train; `stride` and `crop` in pixels, `rate` is Adam's."""

    epochs: int
    batch: int
    crop: int
    stride: int
    rate: float


class Recipe(ABC):
    """One network in training.

    Parameters
    ----------
    rate : float
        Learning rate of the network, at its start.
    device : str
        As torch names it, e.g. ``"cpu"`` or ``"cuda"``.
    precision : {"fp32", "bf16"}
        Of the convolutions; losses and weights are float32 in any case.

    Attributes
    ----------
    modules : mapping of str to Module
        Everything with a state; ``"network"`` is what is kept in the end.
    optimisers : mapping of str to Optimizer
        What moves them, with the rate that each starts at.
    """

    method: ClassVar[str]
    defaults: ClassVar[Defaults]
    modules: Mapping[str, nn.Module]
    optimisers: Mapping[str, torch.optim.Optimizer]

    def __init__(self, rate: float, device: str, precision: Precision) -> None:
        self.rate = rate
        self.device = torch.device(device)
        self.dtype = _DTYPES[precision]

    @abstractmethod
    def update(self, batch: Batch, rng: np.random.Generator) -> dict[str, Tensor]:
        """Learn from one batch; the losses by name, as scalars, the total first."""

    @abstractmethod
    def fuse(self, vis: Levels, ir: Levels) -> Levels:
        """Fuse one pair with the network as it is now, as the finished method would: (H, W) levels."""

    @classmethod
    def prepared(cls, scene: Scene) -> Scene:
        """A scene with all that the recipe learns from."""
        return scene

    def decay(self, progress: float) -> float:
        """The factor on all learning rates when `progress`, in [0, 1), of the training is done, as the authors have it."""
        return 1.0

    def mixed(self) -> AbstractContextManager[object]:
        """Within it convolutions are computed in the precision asked for."""
        return torch.autocast(self.device.type, dtype=self.dtype, enabled=self.dtype != torch.float32)

    def placed(self, planes: Tensor) -> Tensor:
        """Planes on the device, laid out as convolutions compute fastest."""
        return planes.to(self.device, memory_format=torch.channels_last)

    @torch.no_grad()
    def applied(self, inference: nn.Module, vis: Levels, ir: Levels) -> NDArray[np.float64]:
        """What a network in use makes of one pair: (H, W) on the scale 0..255, which it may leave."""
        planes = [self.placed(torch.from_numpy(levels.copy()).float()[None, None]) for levels in (ir, vis)]
        fused: Tensor = inference(*planes)
        return fused[0, 0].double().cpu().numpy()

    def ready(self, module: nn.Module) -> nn.Module:
        """A module on the device, laid out likewise."""
        module.to(self.device)
        for parameter in module.parameters():
            if parameter.dim() == 4:
                parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
        return module


def whole(plane: NDArray[np.float64]) -> Levels:
    """A plane on the scale 0..255 clipped to it, without the fractions."""
    return plane.clip(0, 255).astype(np.uint8)
