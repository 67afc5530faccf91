"""Swin transformers: attention in square windows, which every other block moves by half a window.

Liu, Lin, Cao, Hu, Wei, Zhang, Lin and Guo, IEEE ICCV 2021. Images are tokens (B, H, W, channels), one a pixel.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu

T = TypeVar("T")

_FORBIDDEN: Final = -100.0
"""What is added to the logit of a pair that lies apart: its weight becomes about 1e-44."""


@dataclass(frozen=True, slots=True)
class Windows:
    """How images whose sides are whole numbers of windows are cut.

    Attributes
    ----------
    side : int
        Of a window, in pixels.
    shift : int
        By how many pixels the windows are moved, down and to the right, around the image.
    """

    side: int
    shift: int = 0

    def cut(self, x: Tensor) -> Tensor:
        """(B, H, W, C) to windows (B times their number, side times side, C)."""
        x = x.roll((-self.shift, -self.shift), (1, 2)) if self.shift else x
        x = x.unflatten(2, (-1, self.side)).unflatten(1, (-1, self.side))
        return x.transpose(2, 3).flatten(0, 2).flatten(1, 2)

    def joined(self, windows: Tensor, height: int, width: int) -> Tensor:
        """Such windows to (B, height, width, C)."""
        x = windows.unflatten(1, (self.side, self.side))
        x = x.unflatten(0, (-1, height // self.side, width // self.side))
        x = x.transpose(2, 3).flatten(3, 4).flatten(1, 2)
        return x.roll((self.shift, self.shift), (1, 2)) if self.shift else x

    def apart(self, x: Tensor) -> Tensor | None:
        """What forbids pairs that only moving around the image brought into one window; None if nothing was moved.

        Parameters
        ----------
        x : Tensor
            The image that is cut, (B, H, W, C).

        Returns
        -------
        Tensor or None
            0 or -100, (windows of one image, side times side, side times side).
        """
        if not self.shift:
            return None
        rows, columns = (self._bands(length, x) for length in x.shape[1:3])
        region = Windows(self.side).cut((3 * rows[:, None] + columns)[None, ..., None])
        return (region != region.transpose(1, 2)).to(x.dtype) * _FORBIDDEN

    def _bands(self, length: int, x: Tensor) -> Tensor:
        """Of every pixel of a moved axis: is it in a whole window, in the last one, or from the other end of the image?"""
        place = torch.arange(length, device=x.device)
        return (place >= length - self.side).int() + (place >= length - self.shift)


class _Attention(nn.Module):
    """What is common to both attentions: tokens (windows, side times side, width), before and after."""

    place: Tensor

    def __init__(self, width: int, heads: int, side: int) -> None:
        super().__init__()
        self.heads = heads
        self.relative_position_bias_table = nn.Parameter(torch.zeros((2 * side - 1) ** 2, heads))
        self.proj = nn.Linear(width, width)
        self.register_buffer("place", _distances(side), persistent=False)

    def attend(self, query: Tensor, key: Tensor, value: Tensor, apart: Tensor | None) -> Tensor:
        """Every token of a window asks all of them, one head after the other: the weights are what takes memory."""
        biases = self.relative_position_bias_table[self.place].unbind(2)
        heads = []
        for own, other, what, bias in zip(*(x.chunk(self.heads, 2) for x in (query, key, value)), biases, strict=True):
            logits = (own * own.shape[2] ** -0.5) @ other.transpose(1, 2) + bias
            if apart is not None:
                logits = (logits.unflatten(0, (-1, len(apart))) + apart).flatten(0, 1)
            heads.append(logits.softmax(2) @ what)
        return self.proj(torch.cat(heads, 2))


def _distances(side: int) -> Tensor:
    """Which row of the table is for a pair of pixels, by how far the second is from the first: (side**2, side**2)."""
    axis = torch.arange(side)
    offset = axis[:, None] - axis + side - 1
    return (offset[:, None, :, None] * (2 * side - 1) + offset[None, :, None, :]).flatten(2).flatten(0, 1)


class SelfAttention(_Attention):
    """Attention of an image to itself.

    Parameters
    ----------
    width : int
        Channels.
    heads : int
        Into how many equal parts they are split, each of which attends for itself.
    side : int
        Of a window, in pixels.
    """

    def __init__(self, width: int, heads: int, side: int) -> None:
        super().__init__(width, heads, side)
        self.qkv = nn.Linear(width, 3 * width)

    def forward(self, x: Tensor, apart: Tensor | None) -> Tensor:
        """(windows, side times side, width) to the same."""
        query, key, value = self.qkv(x).chunk(3, 2)
        return self.attend(query, key, value, apart)


class CrossAttention(_Attention):
    """Attention of one image to another.

    Parameters
    ----------
    width, heads, side : int
        As for `SelfAttention`.
    """

    def __init__(self, width: int, heads: int, side: int) -> None:
        super().__init__(width, heads, side)
        self.q, self.kv = nn.Linear(width, width), nn.Linear(width, 2 * width)

    def forward(self, x: Tensor, other: Tensor, apart: Tensor | None) -> Tensor:
        """Two of (windows, side times side, width) to one."""
        key, value = self.kv(other).chunk(2, 2)
        return self.attend(self.q(x), key, value, apart)


class Perceptron(nn.Module):
    """Two linear maps of every token; (..., width) before and after.

    Parameters
    ----------
    width, hidden : int
        Channels, and how many there are in between.
    """

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(width, hidden), nn.Linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        """One after the other."""
        return self.fc2(gelu(self.fc1(x)))


class Block(nn.Module):
    """Attention of an image to itself, and a perceptron; (B, H, W, width) before and after.

    Parameters
    ----------
    width, heads : int
        As for `SelfAttention`.
    hidden : int
        Of the perceptron.
    windows : Windows
        In which it attends.
    """

    def __init__(self, width: int, heads: int, hidden: int, windows: Windows) -> None:
        super().__init__()
        self.windows = windows
        self.norm1, self.attn = nn.LayerNorm(width), SelfAttention(width, heads, windows.side)
        self.norm2, self.mlp = nn.LayerNorm(width), Perceptron(width, hidden)

    def forward(self, x: Tensor) -> Tensor:
        """Each beside what it is given."""
        attended = self.attn(self.windows.cut(self.norm1(x)), self.windows.apart(x))
        x = x + self.windows.joined(attended, *x.shape[1:3])
        return x + self.mlp(self.norm2(x))


def learned(entries: Mapping[str, T]) -> dict[str, T]:
    """Entries without those that follow from the size of windows and images, which files hold too."""
    derived = ("relative_position_index", "attn_mask")
    return {name: entry for name, entry in entries.items() if not name.endswith(derived)}
