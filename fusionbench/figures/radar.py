"""``figure radar``: all metrics of a method as one outline; outwards is better, whatever the metric."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final, Literal

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from fusionbench.figures.lettering import LINE, SIZE, fit, spread, widest
from fusionbench.figures.looks import ARROW, MUTED, look
from fusionbench.figures.page import MARGIN, WIDTHS, Page, style
from fusionbench.figures.selection import goodness, shown
from fusionbench.ranking import Ranking
from fusionbench.types import UserError

_TOGETHER: Final = 5
"""Methods that are still told apart in one radar; more get one each."""
_SMALL: Final = 1.3
"""Inches of one radar among many, with its names."""
_HOLE: Final = 0.2
"""Where the worst lies, from the middle to the best."""


def draw(ranking: Ranking, *, labels: Mapping[str, str] | None = None, width: float = WIDTHS[2]) -> Figure:
    """Draw mean scores on one axis a metric: the best of the methods outside, the worst on the inner ring.

    Up to five methods are laid over one another; more get a radar each, in the order of their mean rank, with the
    median of all of them dashed in grey.

    Parameters
    ----------
    ranking : Ranking
        The scores, of three metrics at least.
    labels : mapping of str to str, optional
        What methods are called in the figure, where not by their own name.
    width : float
        Inches of the paper at most.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    UserError
        If there are fewer than three metrics, nothing to compare, or a name cannot be printed.
    """
    metrics = shown(ranking)
    if len(metrics) < 3:
        raise UserError(f"A radar needs three metrics at least, not {len(metrics)}: draw boxes or curves instead.")
    outlines = normalised(goodness(ranking))
    names = [(labels or {}).get(method, method) for method in ranking.methods]
    heads = [f"{metric} {ARROW[ranking.better[metric]]}" for metric in metrics]
    with style():
        if len(names) <= _TOGETHER:
            return _together(names, outlines, heads, min(width, WIDTHS[1]))
        return _apart(names, outlines, heads, width)


def normalised(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each column from 0, its smallest, to 1, its greatest; 1 where all are equal."""
    low, high = values.min(axis=0), values.max(axis=0)
    flat = high == low
    scaled: NDArray[np.float64] = (values - low) / np.where(flat, 1, high - low)
    return np.where(flat, 1.0, scaled)


def _together(names: list[str], outlines: NDArray[np.float64], metrics: list[str], width: float) -> Figure:
    heads, head_size = fit(metrics, 0.22 * width, SIZE)
    around = widest(heads, head_size) + 0.08
    radius = (width - 2 * MARGIN - 2 * around) / 2
    line = LINE * SIZE / 72
    shown, size = fit(names, width - 2 * MARGIN - 0.4, SIZE)
    over = radius + line + 0.08
    page = Page(width, 2 * MARGIN + 2 * over + 0.05 + line * len(names))
    middle = (width / 2, MARGIN + over)
    _web(page, middle, radius, len(metrics))
    _heads(page, middle, radius, heads, head_size)
    for at, (name, outline) in enumerate(zip(shown, outlines, strict=True)):
        own = look(at)
        pen = {"color": own.color, "linestyle": own.stroke, "linewidth": 1.2}
        _outline(page, middle, radius, outline, **pen)
        y = MARGIN + 2 * over + 0.05 + (at + 0.5) * line
        x = width / 2 - (widest(shown, size) + 0.35) / 2
        page.line((x, x + 0.28), (y, y), **pen)
        page.text(x + 0.35, y, name, size=size)
    return page.figure


def _apart(names: list[str], outlines: NDArray[np.float64], metrics: list[str], width: float) -> Figure:
    columns = min(len(names), int((width - 2 * MARGIN) / _SMALL))
    cell = (width - 2 * MARGIN) / columns
    heads, head_size = fit([name.split()[0] for name in metrics], 0.24 * cell, SIZE - 1.5)
    around = widest(heads, head_size) + 0.05
    radius = (cell - 0.04) / 2 - around
    shown, size = fit(names, cell - 0.06, SIZE)
    title, line = LINE * size / 72 + 0.02, LINE * head_size / 72
    tall = title + 2 * (radius + line + 0.04) + 0.06
    usual = np.median(outlines, axis=0)
    page = Page(width, 2 * MARGIN + math.ceil(len(names) / columns) * tall)
    for at, name in enumerate(shown):
        x, y = MARGIN + at % columns * cell, MARGIN + at // columns * tall
        middle = (x + cell / 2, y + title + radius + line + 0.04)
        page.text(x + cell / 2, y + title / 2, name, size=size, ha="center")
        _web(page, middle, radius, len(metrics))
        _outline(page, middle, radius, usual, color=MUTED, linewidth=0.8, linestyle=(0, (2, 1)))
        own = look(0)
        _outline(page, middle, radius, outlines[at], color=own.color, linewidth=1.2)
        _heads(page, middle, radius, heads, head_size)
    return page.figure


def _spoke(middle: tuple[float, float], length: float, at: int, count: int) -> tuple[float, float]:
    turn = 2 * math.pi * at / count
    return middle[0] + length * math.sin(turn), middle[1] - length * math.cos(turn)


def _web(page: Page, middle: tuple[float, float], radius: float, count: int) -> None:
    for share in (_HOLE, (1 + _HOLE) / 2, 1.0):
        corners = [_spoke(middle, radius * share, at, count) for at in [*range(count), 0]]
        xs, ys = zip(*corners, strict=True)
        page.line(xs, ys, color=MUTED if share in (_HOLE, 1.0) else "0.8", linewidth=0.4)
    for at in range(count):
        xs, ys = zip(middle, _spoke(middle, radius, at, count), strict=True)
        page.line(xs, ys, color="0.8", linewidth=0.4)


def _heads(page: Page, middle: tuple[float, float], radius: float, heads: list[str], size: float) -> None:
    """Names at the ends of the axes: at the sides one below the other, above and below centred."""
    line, reach, count = LINE * size / 72, radius + 0.03, len(heads)
    top, bottom = middle[1] - reach, middle[1] + reach
    page.text(middle[0], top - line / 2, heads[0], size=size, ha="center")
    if count % 2 == 0:
        page.text(middle[0], bottom + line / 2, heads[count // 2], size=size, ha="center")
    sides: dict[Literal["left", "right"], range] = {
        "left": range(1, (count + 1) // 2),
        "right": range(count // 2 + 1, count),
    }
    for ha, places in sides.items():
        ends = [_spoke(middle, reach, at, count)[1] for at in places]
        for at, y in zip(places, spread(ends, line, top + line / 2, bottom - line / 2), strict=True):
            away = max(0.0, abs(y - middle[1]) - line / 2)
            half_chord = math.sqrt(max(0.0, reach**2 - away**2)) + 0.02
            page.text(middle[0] + (half_chord if ha == "left" else -half_chord), y, heads[at], size=size, ha=ha)


def _outline(page: Page, middle: tuple[float, float], radius: float, outline: NDArray[np.float64], **pen: Any) -> None:
    """A closed line through the values."""
    count = len(outline)
    points = [_spoke(middle, radius * (_HOLE + (1 - _HOLE) * outline[at]), at, count) for at in [*range(count), 0]]
    xs, ys = zip(*points, strict=True)
    page.line(xs, ys, solid_joinstyle="round", **pen)
