"""``figure cd``: the critical-difference diagram of Demsar (2006), which methods cannot be told apart."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from matplotlib.figure import Figure

from fusionbench.figures.lettering import LINE, SIZE, extent, fit, widest
from fusionbench.figures.page import MARGIN, WIDTHS, Page, style
from fusionbench.statistics import groups

_BAR: Final = 0.05
"""Inches from one bar of a group to the next."""
_REACH: Final = 0.03
"""Inches that a bar reaches over its first and last method."""


def draw(
    ranks: Mapping[str, float],
    difference: float,
    *,
    labels: Mapping[str, str] | None = None,
    width: float = WIDTHS[2],
) -> Figure:
    """Draw mean ranks on a line, with a bar under every group of methods that do not differ significantly.

    Parameters
    ----------
    ranks : mapping of str to float
        The mean rank of every method, 1 for the best.
    difference : float
        The critical difference: two methods whose mean ranks are not further apart are joined. NaN where there is no test, as
        for a single method: then nothing is.
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
        If a name cannot be printed.
    """
    order = sorted(ranks, key=lambda method: ranks[method])
    values = [ranks[method] for method in order]
    left = math.ceil(len(order) / 2)
    worst = max(2, len(order))
    with style():
        names, size = fit([(labels or {}).get(name, name) for name in order], 0.28 * width, SIZE)
        number = extent("00.00", size - 1) + 0.05
        aside = widest(names, size) + 0.05
        start, end = MARGIN + aside + number, width - MARGIN - aside - number
        scale = (end - start) / (worst - 1)

        def at(rank: float) -> float:
            return start + (rank - 1) * scale

        line = LINE * size / 72
        joined = _joined(values, difference)
        lanes = _lanes(joined)
        ruler = 0.3 if math.isfinite(difference) else 0.0
        axis = MARGIN + ruler + line
        first = axis + 0.1 + _BAR * (max(lanes, default=-1) + 1) + line / 2
        page = Page(width, first + (left - 0.5) * line + MARGIN)
        page.line((start, end), (axis, axis), color="black", linewidth=0.8)
        step = max(1, math.ceil(extent("00", size) * 1.6 / scale))
        for rank in range(1, worst + 1, step):
            page.line((at(rank), at(rank)), (axis - 0.05, axis), color="black", linewidth=0.8)
            page.text(at(rank), axis - 0.06, str(rank), size=size - 1, ha="center", va="bottom")
        if ruler:
            _ruler(page, start, difference * scale, f"CD = {difference:.3g}", size, end)
        for place, (name, value) in enumerate(zip(names, values, strict=True)):
            on_left = place < left
            y = first + (place if on_left else len(order) - 1 - place) * line
            edge = MARGIN + aside if on_left else width - MARGIN - aside
            page.line((at(value), at(value), edge), (axis, y, y), color="0.35", linewidth=0.6)
            out, inwards = (-0.04, 0.02) if on_left else (0.04, -0.02)
            page.text(edge + out, y, name, size=size, ha="right" if on_left else "left")
            # On the line, in the strip that no rank falls into.
            page.text(
                edge + inwards, y - 0.01, f"{value:.2f}", size=size - 1.5, ha="left" if on_left else "right",
                va="bottom", color="0.35",
            )  # fmt: skip
        for (low, high), lane in zip(joined, lanes, strict=True):
            y = axis + 0.07 + lane * _BAR
            span = (at(values[low]) - _REACH, at(values[high]) + _REACH)
            page.line(span, (y, y), color="black", linewidth=2.2, solid_capstyle="butt")
    return page.figure


def _joined(ranks: Sequence[float], difference: float) -> list[tuple[int, int]]:
    """First and last place of every group of at least two methods that the test does not tell apart."""
    if not math.isfinite(difference):
        return []
    mean = np.asarray(ranks)
    runs = groups(range(len(ranks)), np.abs(mean[:, np.newaxis] - mean) > difference)
    return [(run[0], run[-1]) for run in runs if len(run) > 1]


def _lanes(joined: list[tuple[int, int]]) -> list[int]:
    """For each bar, the first lane where it does not touch another one."""
    taken: list[int] = []
    lanes = []
    for low, high in joined:
        lane = next((lane for lane, last in enumerate(taken) if last < low), len(taken))
        taken[lane : lane + 1] = [high]
        lanes.append(lane)
    return lanes


def _ruler(page: Page, start: float, length: float, text: str, size: float, end: float) -> None:
    """The critical difference as a length."""
    y, stop = MARGIN + 0.17, min(start + length, end)
    page.line((start, stop), (y, y), color="black", linewidth=1.0)
    for x in (start, stop):
        page.line((x, x), (y - 0.03, y + 0.03), color="black", linewidth=1.0)
    page.text(start, y - 0.04, text, size=size - 1, va="bottom")
