"""What networks in use have in common: the scale 0..255 outside, and that of their training inside."""

from __future__ import annotations

from torch import Tensor, nn


class InUse(nn.Module):
    """A network in use, as `fusionbench.baselines.learned.adapter.Inference` wants it.

    Parameters
    ----------
    network : nn.Module
        Takes the infrared and the visible image, (B, 1, H, W) each, and the options; is used up.
    *options
        What else it takes.

    Attributes
    ----------
    overlap, multiple, channels_last, sees_all_by
        As there.
    middle, unit : float
        The level that is 0 to the network, and how many levels are 1 to it.
    """

    overlap: int
    multiple = 1
    channels_last = True
    sees_all_by = ""
    middle, unit = 0.0, 255.0

    def __init__(self, network: nn.Module, *options: object) -> None:
        super().__init__()
        self.network, self.options = network.eval(), options

    def forward(self, ir: Tensor, vis: Tensor) -> Tensor:
        """Planes (B, 1, H, W) on the scale 0..255 to one such plane, which may leave the scale."""
        dtype = next(self.network.parameters()).dtype
        warm, seen = (((plane - self.middle) / self.unit).to(dtype) for plane in (ir, vis))
        return self.network(warm, seen, *self.options).float() * self.unit + self.middle
