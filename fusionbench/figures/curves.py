"""``figure curves``: the scores of all images in order, one line a method, named with its mean where it ends."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from fusionbench.figures.lettering import LINE, SIZE, fit, spread, widest
from fusionbench.figures.looks import ARROW, digits, look, tick
from fusionbench.figures.page import MARGIN, WIDTHS, Page, style
from fusionbench.figures.selection import scores, shown
from fusionbench.ranking import Ranking

_UNDER: Final = 0.36
"""Inches for the numbers and the words below the horizontal axis."""
_LEADER: Final = 0.24
"""Inches between the end of a line and its name."""
_GAP: Final = 0.12
_PANEL: Final = 3.3
"""Inches of a panel with its names."""


def draw(ranking: Ranking, *, labels: Mapping[str, str] | None = None, width: float = WIDTHS[2]) -> Figure:
    """Draw a panel a metric, in which every method's scores rise from its worst image to its best.

    Parameters
    ----------
    ranking : Ranking
        The scores.
    labels : mapping of str to str, optional
        What methods are called in the figure, where not by their own name.
    width : float
        Inches of the paper.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    UserError
        If there is nothing to compare, or a name cannot be printed.
    """
    metrics = shown(ranking)
    columns = min(len(metrics), max(1, int(width / _PANEL)))
    rows = math.ceil(len(metrics) / columns)
    with style():
        panel = (width - 2 * MARGIN - (columns - 1) * _GAP) / columns
        means = {metric: [f" {digits(mean)}" for mean in scores(ranking, metric).mean(axis=0)] for metric in metrics}
        numbers = max(widest(texts, SIZE - 1) for texts in means.values())
        short, size = fit([(labels or {}).get(name, name) for name in ranking.methods], 0.4 * panel - numbers, SIZE - 1)
        ends = {
            metric: [name + mean for name, mean in zip(short, texts, strict=True)] for metric, texts in means.items()
        }
        aside = max(widest(texts, size) for texts in ends.values()) + _LEADER
        left = max(_ticks(scores(ranking, metric)) for metric in metrics)
        head, line = LINE * SIZE / 72 + 0.03, LINE * size / 72
        inner = max(1.35, line * len(ranking.methods))
        page = Page(width, 2 * MARGIN + rows * (head + inner + _UNDER) + (rows - 1) * _GAP)
        for at, metric in enumerate(metrics):
            x = MARGIN + at % columns * (panel + _GAP) + left
            y = MARGIN + at // columns * (head + inner + _UNDER + _GAP) + head
            _panel(page, ranking, metric, ends[metric], size, (x, y, panel - left - aside, inner))
    return page.figure


def _ends(values: NDArray[np.float64]) -> tuple[float, float]:
    """Of the vertical axis."""
    low, high = float(values.min()), float(values.max())
    space = 0.03 * (high - low) or 0.03 * abs(low) or 1.0
    return low - space, high + space


def _ticks(values: NDArray[np.float64]) -> float:
    """Inches for the numbers beside the vertical axis."""
    return widest([tick(value) for value in MaxNLocator(5).tick_values(*_ends(values))], SIZE - 1) + 0.08


def _panel(
    page: Page,
    ranking: Ranking,
    metric: str,
    names: Sequence[str],
    size: float,
    frame: tuple[float, float, float, float],
) -> None:
    x, y, width, height = frame
    values = scores(ranking, metric)
    heading = f"{metric} {ARROW[ranking.better[metric]]}"
    (heading,), heading_size = fit([heading], width, SIZE)
    page.text(x, y - 0.03, heading, size=heading_size, va="bottom")
    axes = page.axes(*frame)
    ordered = np.sort(values, axis=0)
    share = np.linspace(0, 1, len(ordered)) if len(ordered) > 1 else np.array([1.0])
    for at in range(len(names)):
        own = look(at)
        marker = own.marker if len(share) == 1 else ""
        axes.plot(share, ordered[:, at], color=own.color, linestyle=own.stroke, marker=marker, markersize=3)
    low, high = _ends(values)
    axes.set(xlim=(0, 1), ylim=(low, high), xlabel=f"Share of {len(values)} images" if len(values) > 1 else "One image")
    axes.grid(axis="y")
    axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.xaxis.set_major_formatter(tick)
    axes.yaxis.set_major_formatter(tick)
    axes.xaxis.labelpad = 1.0
    begins = [y + (high - value) / (high - low) * height for value in ordered[-1]]
    gap = LINE * size / 72
    places = spread(begins, gap, y + gap / 2, y + height - gap / 2)
    for at, (name, begin, place) in enumerate(zip(names, begins, places, strict=True)):
        own = look(at)
        across = (x + width, x + width + 0.6 * _LEADER, x + width + 0.9 * _LEADER)
        page.line(across, (begin, place, place), color=own.color, linestyle=own.stroke, linewidth=0.7)
        page.text(x + width + _LEADER, place, name, size=size)
