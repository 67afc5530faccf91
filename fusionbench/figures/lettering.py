"""Lettering: how large a text is, how it is made to fit, and whether there is a font for it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

from matplotlib import font_manager
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.font_manager import FontProperties
from matplotlib.ft2font import FT2Font

from fusionbench.types import UserError

SIZE: Final = 7.0
"""Points of ordinary text."""
SMALLEST: Final = 5.0
"""Points below which print is not read any more."""
LINE: Final = 1.25
"""Distance of two lines of text, in their size."""

_ASIAN: Final = (
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "Noto Sans SC",
    "Source Han Sans SC",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "Microsoft YaHei",
    "SimHei",
    "PingFang SC",
    "Hiragino Sans",
    "Yu Gothic",
    "Malgun Gothic",
    "Arial Unicode MS",
)
_ELLIPSIS: Final = "…"


@lru_cache(maxsize=1)
def families() -> list[str]:
    """The fonts that a character is looked for in, in order; the first comes with matplotlib."""
    installed = set(font_manager.get_font_names())
    return ["DejaVu Sans", *(name for name in _ASIAN if name in installed)]


def legible(text: str) -> None:
    """Make sure that a text can be printed.

    Raises
    ------
    UserError
        If no installed font has one of its characters, which would be printed as empty boxes.
    """
    missing = "".join(dict.fromkeys(sign for sign in text if sign != "\n" and not _has_glyph(sign)))
    if missing:
        raise UserError(
            f"No font here has the characters {missing!r} of '{text}': install one (for Chinese, Japanese and Korean "
            "Noto Sans CJK), or rename it with --label."
        )


def extent(text: str, size: float = SIZE) -> float:
    """Width of a line of text in inches, `size` in points."""
    return _width_at_72(text) * size / 72 / 72


def widest(texts: Sequence[str], size: float = SIZE) -> float:
    """Width in inches of the widest of some lines of text; 0 if there is none."""
    return max((extent(text, size) for text in texts), default=0.0)


def fit(texts: Sequence[str], width: float, size: float = SIZE) -> tuple[list[str], float]:
    """Make lines of text fit into a width: all of them smaller first, then the longest shortened in the middle.

    Parameters
    ----------
    texts : sequence of str
        Names, without repetition.
    width : float
        Inches.
    size : float
        Points, if there is room.

    Returns
    -------
    texts : list of str
        The names, still without repetition.
    size : float
        Points, for all of them.

    Raises
    ------
    UserError
        If two names would look the same.
    """
    natural = widest(texts, size)
    if natural > width:
        size = max(min(size, SMALLEST), size * width / natural)
    shown = [_shorten(text, width, size) for text in texts]
    if len(set(shown)) < len(set(texts)):
        first = next(text for text, short in zip(texts, shown, strict=True) if shown.count(short) > 1)
        raise UserError(f"'{first}' and another name look the same when shortened: rename one of them with --label.")
    return shown, size


def spread(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Places for labels, as near as possible to where they belong, so that none comes closer than `gap` to another.

    Parameters
    ----------
    wanted : sequence of float
        Where they belong, in any order.
    gap : float
        Smallest distance of two.
    low, high : float
        Between which all of them should lie; if there is no room for that, they go on beyond `high`.

    Returns
    -------
    list of float
        In the same order.

    Examples
    --------
    >>> spread([5.0, 5.0, 1.0], 1.0, 0.0, 10.0)
    [4.5, 5.5, 1.0]
    """
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    # Less i gaps each, places must not fall: neighbours that would are put together at their mean.
    blocks: list[tuple[float, int]] = []
    for i, place in enumerate(order):
        blocks.append((wanted[place] - i * gap, 1))
        while len(blocks) > 1 and blocks[-2][0] >= blocks[-1][0]:
            (after, m), (before, n) = blocks.pop(), blocks.pop()
            blocks.append(((after * m + before * n) / (m + n), m + n))
    highest = max(low, high - (len(wanted) - 1) * gap)
    flat = [min(max(mean, low), highest) for mean, count in blocks for _ in range(count)]
    places = [0.0] * len(wanted)
    for i, place in enumerate(order):
        places[place] = flat[i] + i * gap
    return places


@lru_cache(maxsize=4096)
def _has_glyph(sign: str) -> bool:
    return any(_font(name).get_char_index(ord(sign)) for name in families())


@lru_cache(maxsize=32)
def _font(family: str) -> FT2Font:
    return font_manager.get_font(font_manager.findfont(FontProperties(family=[family])))


@lru_cache(maxsize=1)
def _renderer() -> Any:
    untyped: Any = RendererAgg
    return untyped(1, 1, 72)


@lru_cache(maxsize=4096)
def _width_at_72(text: str) -> float:
    """Width in points of a text of 72 points."""
    legible(text)
    width, _, _ = _renderer().get_text_width_height_descent(text, FontProperties(family=families(), size=72), False)
    # Small print is hinted: rounding to whole pixels makes a line up to this much longer.
    return 1.02 * float(width)


def _shorten(text: str, width: float, size: float) -> str:
    if extent(text, size) <= width:
        return text
    # The end of a name tells versions apart, so both ends stay.
    for kept in range(len(text) - 1, 0, -1):
        head = (kept + 1) // 2
        short = text[:head].rstrip() + _ELLIPSIS + text[len(text) - (kept - head) :].lstrip()
        if extent(short, size) <= width:
            return short
    return _ELLIPSIS
