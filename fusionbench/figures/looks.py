"""What sets things apart in a chart: colours that the colour-blind tell apart, and strokes where colours run out."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from fusionbench.types import Better

COLORS: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Okabe and Ito's, without the yellow that white paper swallows."""
MAP: Final = "cividis"
"""The colour map of whatever has an order: as bright for the colour-blind as for all, and in grey print."""
ARROW: Final[dict[Better, str]] = {"higher": "↑", "lower": "↓"}
MUTED: Final = "0.55"
"""Of what should stand back."""

_STROKES: Final[tuple[Any, ...]] = ("-", (0, (4, 1.2)), (0, (1.2, 1)), (0, (4, 1, 1, 1)))
_MARKERS: Final = "os^D"


class Look(NamedTuple):
    """How one method is drawn."""

    color: str
    stroke: Any
    marker: str


def look(index: int) -> Look:
    """How the method at this place is drawn; the first 28 differ."""
    again = index // len(COLORS) % len(_STROKES)
    return Look(COLORS[index % len(COLORS)], _STROKES[again], _MARKERS[again])


def digits(value: float) -> str:
    """A number as papers print it, to four significant digits.

    >>> digits(0.48125), digits(48123.4), digits(12.0)
    ('0.4813', '48120', '12.00')
    """
    if 1e4 <= abs(value) < 1e9:
        return f"{float(f'{value:.4g}'):.0f}"
    return f"{value:#.4g}".rstrip(".")


def tick(value: float, _: object = None) -> str:
    """A number beside an axis, as short as it can be.

    >>> tick(0.5), tick(-2.0)
    ('0.5', '−2')
    """
    return f"{value:.5g}".replace("-", "−")
