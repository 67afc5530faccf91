"""Numbers and lists as people read them."""

from __future__ import annotations

import math
from collections.abc import Sequence


def number(value: float, digits: int = 4) -> str:
    """So many significant digits, as people read them.

    >>> [number(x) for x in (6.8, 12.3456, 0.000123456, 48123.4, float("nan"), -2.0)]
    ['6.800', '12.35', '0.0001235', '48120', '–', '−2.000']
    """
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    rounded = float(f"{value:.{digits}g}")
    text = f"{rounded:.0f}" if 10**digits <= abs(rounded) < 1e9 else f"{value:#.{digits}g}".rstrip(".")
    return text.replace("-", "−")


def probability(p: float) -> str:
    """A p-value after the letter p, e.g. ``"= 0.0312"``."""
    return "< 0.0001" if p < 1e-4 else f"= {p:.4f}"


def count(how_many: int, one: str) -> str:
    """So many of something.

    >>> count(1, "image"), count(2, "image")
    ('1 image', '2 images')
    """
    return f"{how_many} {one}{'s' * (how_many != 1)}"


def joined(words: Sequence[str]) -> str:
    """Words with commas and an "and".

    >>> joined(["a", "b", "c"]), joined(["a"])
    ('a, b and c', 'a')
    """
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
