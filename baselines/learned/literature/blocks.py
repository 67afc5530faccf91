"""Building blocks that several networks of the literature have in common."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal, TypeAlias, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, instance_norm

T = TypeVar("T")
Combination: TypeAlias = Literal["add", "mean", "l1"]


class ImageNorm(nn.Module):
    """Batch normalisation by the statistics of each image: as in training with a batch of one, however many there are.

    Parameters
    ----------
    channels : int
        How many there are.
    eps : float
        Added to the variance.
    """

    def __init__(self, channels: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(channels)), nn.Parameter(torch.zeros(channels))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        """(B, channels, H, W) to the same."""
        return instance_norm(x, weight=self.weight, bias=self.bias, eps=self.eps)

    @classmethod
    def of(cls, trained: nn.BatchNorm2d) -> ImageNorm:
        """One with the scale and shift of another, whose running statistics are left behind."""
        norm = cls(trained.num_features, trained.eps)
        norm.weight, norm.bias = trained.weight, trained.bias
        return norm

    def forget(self) -> None:
        """Leave out what was trained: scale by 1, shift by 0."""
        nn.init.ones_(self.weight)
        nn.init.zeros_(self.bias)


class Reflecting(nn.Module):
    """A convolution of features that are mirrored at their borders, under the name that Hui Li's networks have for it.

    Parameters
    ----------
    inside, outside : int
        Channels before and after.
    size : int
        Of the kernel, odd.
    """

    def __init__(self, inside: int, outside: int, size: int = 3) -> None:
        super().__init__()
        self.conv2d = nn.Conv2d(inside, outside, size, padding=size // 2, padding_mode="reflect")

    def forward(self, x: Tensor) -> Tensor:
        """(B, inside, H, W) to (B, outside, H, W)."""
        return self.conv2d(x)


def in_proportion(first: Tensor, second: Tensor, one: Tensor, other: Tensor, eps: float = 0.0) -> Tensor:
    """The mean of two weighted by non-negative `one` and `other`; where both weights are 0, so are the two, and the mean.

    Parameters
    ----------
    first, second : Tensor
        (B, C, H, W).
    one, other : Tensor
        Their weights, of a shape that fits.
    eps : float
        Added to the sum of the weights.

    Returns
    -------
    Tensor
        (B, C, H, W).
    """
    total = (one + other + eps).clamp_min(torch.finfo(one.dtype).tiny)
    return one / total * first + other / total * second


def activity(x: Tensor, window: int) -> Tensor:
    """Sum of absolute values over the channels, its mean in a square window of zeros around: (B, C, H, W) to (B, 1, H, W)."""
    return avg_pool2d(x.abs().sum(1, keepdim=True), window, stride=1, padding=window // 2)


def combined(first: Tensor, second: Tensor, strategy: Combination) -> Tensor:
    """Two maps of features as one: (B, C, H, W) each.

    Parameters
    ----------
    first, second : Tensor
        Of the two sources.
    strategy : {"add", "mean", "l1"}
        Their sum, their mean, or weighted by the l1 norm of either in windows of 3 x 3 pixels.

    Returns
    -------
    Tensor
        The same size.
    """
    if strategy == "l1":
        return in_proportion(first, second, activity(first, 3), activity(second, 3))
    return first + second if strategy == "add" else (first + second) / 2


def without_files(entries: Mapping[str, T], beginning: str) -> dict[str, T]:
    """Entries by the names they have in their files, where several files were read together.

    Parameters
    ----------
    entries : mapping of str to object
        By name of the file, a dot, and the name in it.
    beginning : str
        A regular expression of what the names in the files begin with.

    Returns
    -------
    dict of str to object
        Of two files with an entry of one name, the second keeps the file in its name.
    """
    short: dict[str, T] = {}
    for name, entry in entries.items():
        found = re.search(rf"(?:^|\.)((?:{beginning}).*)", name)
        own = found[1] if found else name
        short[name if own in short else own] = entry
    return short
