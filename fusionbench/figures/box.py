"""``figure box``: how the scores of each method scatter over the images, as boxes or violins."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from fusionbench.figures.lettering import LINE, SIZE, fit, widest
from fusionbench.figures.looks import ARROW, COLORS, tick
from fusionbench.figures.page import MARGIN, WIDTHS, Page, style
from fusionbench.figures.selection import scores, shown
from fusionbench.ranking import Ranking

_NARROWEST: Final = 1.25
"""Inches of a panel."""
_GAP: Final = 0.26
"""Inches between panels, into which numbers at their ends reach."""
_UNDER: Final = 0.2
"""Inches for the numbers below a panel."""
_FILL: Final = "0.85"


def draw(
    ranking: Ranking, *, violin: bool = False, labels: Mapping[str, str] | None = None, width: float = WIDTHS[2]
) -> Figure:
    """Draw a panel a metric and in it a row a method, the best mean rank on top, the best median of a metric in colour.

    A box spans the middle half of the images and its line is the median; whiskers reach the last image within 1.5 boxes,
    and what lies beyond is a dot. The diamond is the mean.

    Parameters
    ----------
    ranking : Ranking
        The scores.
    violin : bool
        Draw estimated densities instead, with the median as a line.
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
    order, metrics = ranking.methods, shown(ranking)
    with style():
        names, size = fit([(labels or {}).get(name, name) for name in order], 0.3 * width, SIZE)
        aside = widest(names, size) + 0.06
        room = width - 2 * MARGIN - aside
        most = max(1, int((room + _GAP) / (_NARROWEST + _GAP)))
        rows = math.ceil(len(metrics) / most)
        columns = math.ceil(len(metrics) / rows)
        panel = (room - columns * _GAP) / columns
        head, line = LINE * SIZE / 72 + 0.03, 1.5 * SIZE / 72
        inner = line * len(order)
        page = Page(width, 2 * MARGIN + rows * (head + inner + _UNDER) + (rows - 1) * _GAP)
        for at, metric in enumerate(metrics):
            x = MARGIN + aside + at % columns * (panel + _GAP)
            y = MARGIN + at // columns * (head + inner + _UNDER + _GAP) + head
            if at % columns == 0:
                for row, name in enumerate(names):
                    page.text(x - 0.05, y + (row + 0.5) * line, name, size=size, ha="right")
            (heading,), small = fit([f"{metric} {ARROW[ranking.better[metric]]}"], panel, SIZE)
            page.text(x + panel / 2, y - 0.03, heading, size=small, ha="center", va="bottom")
            _panel(page.axes(x, y, panel, inner), ranking, metric, violin)
    return page.figure


def _panel(axes: Axes, ranking: Ranking, metric: str, violin: bool) -> None:
    values = scores(ranking, metric)
    medians = np.median(values, axis=0)
    best = medians.max() if ranking.better[metric] == "higher" else medians.min()
    for row, median in enumerate(medians):
        _row(axes, values[:, row], row, COLORS[0] if median == best else "0.25", violin)
    axes.set(ylim=(len(medians) - 0.5, -0.5), yticks=range(len(medians)), yticklabels=[])
    axes.grid(axis="x")
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.margins(x=0.03)
    axes.xaxis.set_major_locator(MaxNLocator(3))
    axes.xaxis.set_major_formatter(tick)


def _row(axes: Axes, values: NDArray[np.float64], row: int, color: str, violin: bool) -> None:
    pen = {"color": color, "linewidth": 0.6}
    # One value has no density, nor have equal ones.
    if violin and np.ptp(values) > 0:
        drawn: Any = axes.violinplot([values], [row], orientation="horizontal", widths=0.8, showextrema=False)["bodies"]
        [body] = drawn
        body.set(facecolor=_FILL, edgecolor=color, linewidth=0.6, alpha=1)
        axes.plot([np.median(values)] * 2, [row - 0.25, row + 0.25], color=color, linewidth=1.2)
    elif violin:
        axes.plot([values[0]] * 2, [row - 0.25, row + 0.25], color=color, linewidth=1.2)
    else:
        axes.boxplot(
            [values],
            positions=[row],
            orientation="horizontal",
            widths=0.6,
            patch_artist=True,
            manage_ticks=False,
            boxprops={"facecolor": _FILL, "edgecolor": color, "linewidth": 0.6},
            medianprops={"color": color, "linewidth": 1.2},
            whiskerprops=pen,
            capprops=pen,
            flierprops={"marker": ".", "markersize": 2, "markerfacecolor": color, "markeredgecolor": "none"},
        )
    axes.plot(
        [values.mean()], [row], marker="D", markersize=2, color="white", markeredgecolor=color, markeredgewidth=0.6
    )
