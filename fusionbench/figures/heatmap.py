"""``figure heatmap``: methods by metrics as ranks, or metrics by metrics as correlations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from fusionbench.figures.lettering import LINE, SIZE, fit, widest
from fusionbench.figures.looks import ARROW, MAP
from fusionbench.figures.page import MARGIN, WIDTHS, Page, style
from fusionbench.figures.selection import shown
from fusionbench.ranking import Ranking

_TALL: Final = 0.17
"""Inches from one row to the next."""
_WIDE: Final = 0.42
"""Inches from one column to the next, if there is room."""
_NONE: Final = "0.93"
"""The colour of what has no number."""


def draw(ranking: Ranking, *, labels: Mapping[str, str] | None = None, width: float = WIDTHS[2]) -> Figure:
    """Draw the rank of every method under every metric, the best mean rank on top.

    Parameters
    ----------
    ranking : Ranking
        The scores.
    labels : mapping of str to str, optional
        What methods are called in the figure, where not by their own name.
    width : float
        Inches of the paper at most: it is as narrow as the table.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    UserError
        If there is nothing to compare, or a name cannot be printed.
    """
    metrics = shown(ranking)
    table = np.column_stack([ranking.ranks[:, [ranking.metrics.index(metric) for metric in metrics]], ranking.rank])
    rows = [(labels or {}).get(method, method) for method in ranking.methods]
    columns = [f"{metric} {ARROW[ranking.better[metric]]}" for metric in metrics] + ["mean"]
    last = max(2, len(rows))
    texts = [
        [f"{rank:.3g}" if column < len(columns) - 1 else f"{rank:.1f}" for column, rank in enumerate(r)] for r in table
    ]
    return _table(rows, columns, table, texts, (last, 1), width, apart=1)


def correlation(metrics: Sequence[str], table: NDArray[np.float64], *, width: float = WIDTHS[1]) -> Figure:
    """Draw how metrics agree with one another.

    Parameters
    ----------
    metrics : sequence of str
        Their names, those that agree beside one another.
    table : (n, n) ndarray of float64
        Their correlations, -1 to 1, in the same order; NaN where there is none.
    width : float
        Inches of the paper at most: it is as narrow as the table.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    UserError
        If a name cannot be printed.
    """
    # Two digits and a sign are enough, and the 0 in front says nothing.
    texts = [[f"{value:.2f}".replace("0.", ".").replace("-", "−") for value in row] for row in table]
    return _table(list(metrics), list(metrics), table, texts, (-1, 1), width, apart=0, colors="PuOr_r")


def _table(
    rows: Sequence[str],
    columns: Sequence[str],
    table: NDArray[np.float64],
    texts: Sequence[Sequence[str]],
    ends: tuple[float, float],
    width: float,
    *,
    apart: int,
    colors: str = MAP,
) -> Figure:
    """Coloured cells with their texts: from `ends` the first and the last colour; the last `apart` columns stand apart."""
    shade = mpl.colormaps[colors]
    with style():
        names, size = fit(rows, 0.35 * width, SIZE)
        aside = widest(names, size) + 0.06
        gap = 0.05 * apart
        room = width - 2 * MARGIN - aside - gap
        step = min(_WIDE, room / len(columns))
        upright = widest(columns, SIZE) > step - 0.03
        heads, head_size = fit(columns, 1.2 if upright else step, SIZE)
        head = widest(heads, head_size) + 0.05 if upright else LINE * SIZE / 72 + 0.02
        small = fit(sorted({text for row in texts for text in row}, key=len)[-1:], step - 0.03, SIZE - 1)[1]
        page = Page(2 * MARGIN + aside + gap + step * len(columns), 2 * MARGIN + head + _TALL * len(rows))
        for column, text in enumerate(heads):
            x = MARGIN + aside + (column + 0.5) * step + gap * (column >= len(columns) - apart)
            look = {"rotation": 90} if upright else {}
            page.text(x, MARGIN + head - 0.03, text, size=head_size, ha="center", va="bottom", **look)
            for row in range(len(rows)):
                y = MARGIN + head + row * _TALL
                value = table[row, column]
                known = np.isfinite(value)
                color = shade((value - ends[0]) / (ends[1] - ends[0])) if known else mpl.colors.to_rgba(_NONE)
                corner = (x - step / 2, y)
                page.base.add_patch(
                    mpl.patches.Rectangle(corner, step, _TALL, facecolor=color, edgecolor="white", linewidth=0.5)
                )
                dark = float(np.dot(color[:3], (0.299, 0.587, 0.114))) < 0.5
                page.text(
                    x,
                    y + _TALL / 2,
                    texts[row][column] if known else "–",
                    size=small,
                    ha="center",
                    color="white" if dark else "black",
                )
        for row, name in enumerate(names):
            page.text(MARGIN + aside - 0.05, MARGIN + head + (row + 0.5) * _TALL, name, size=size, ha="right")
    return page.figure
