"""``figure runtime``: quality against time, every method a bubble as large as its network."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator

from fusionbench.figures.lettering import LINE, SIZE, extent, fit, widest
from fusionbench.figures.looks import ARROW, look, tick
from fusionbench.figures.page import MARGIN, WIDTHS, Page, style
from fusionbench.types import Better, UserError

_UNDER: Final = 0.4
_SMALLEST: Final = 0.045
"""Inches of the radius of a bubble without parameters, or with the fewest."""
_LARGEST: Final = 0.13

_Rectangle = tuple[float, float, float, float]


class Cost(NamedTuple):
    """What a method costs: milliseconds a pair, and the parameters of its network (0 if it has none)."""

    milliseconds: float
    parameters: float = 0.0


def read(path: Path) -> dict[str, Cost]:
    """What methods cost, by name.

    Parameters
    ----------
    path : Path
        What ``fusionbench cost --json`` prints, or a ``.csv`` with the columns ``method``, ``milliseconds`` and, if
        there are networks, ``parameters``.

    Raises
    ------
    UserError
        If the file cannot be read, lacks a column, has no positive time, or a method twice.
    """
    try:
        text = path.read_text(encoding="utf-8")
        rows: list[Mapping[str, Any]] = (
            json.loads(text)["costs"] if path.suffix.lower() == ".json" else list(csv.DictReader(text.splitlines()))
        )
    except OSError as error:
        raise UserError(f"'{path}' cannot be read ({error.strerror}): check the path.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"'{path}' is not what 'fusionbench cost --json' prints: make it anew.") from error
    found: dict[str, Cost] = {}
    for row in rows:
        try:
            name = str(row["method"])
            cost = Cost(float(row["milliseconds"]), float(row.get("parameters") or 0))
        except (KeyError, TypeError, ValueError) as error:
            raise UserError(
                f"'{path}' does not give the method and milliseconds of every row as a name and a number: correct it."
            ) from error
        if name in found:
            raise UserError(f"'{path}' has '{name}' twice: keep one size of image.")
        if not (0 < cost.milliseconds < math.inf and 0 <= cost.parameters < math.inf):
            raise UserError(f"'{path}' gives '{name}' {cost.milliseconds:g} ms: a time must be positive and finite.")
        found[name] = cost
    return found


def draw(
    quality: Mapping[str, float],
    costs: Mapping[str, Cost],
    metric: str,
    better: Better,
    *,
    labels: Mapping[str, str] | None = None,
    width: float = WIDTHS[1],
) -> Figure:
    """Draw every method where its time and its mean score meet.

    Parameters
    ----------
    quality : mapping of str to float
        Mean score by method; finite.
    costs : mapping of str to Cost
        By method; those of other methods are not shown.
    metric : str
        What the score is called.
    better : {"higher", "lower"}
        Its direction; better is always on top.
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
        If the cost of a method, or of all, is not known, or a name cannot be printed.
    """
    if lacking := [method for method in quality if method not in costs]:
        raise UserError(
            f"It is not known how long '{lacking[0]}' takes: add it to the costs, or leave it out with --methods."
        )
    methods = list(quality)
    with style():
        names, size = fit([(labels or {}).get(name, name) for name in methods], 0.4 * width, SIZE - 1)
        values = [quality[method] for method in methods]
        space = 0.12 * (max(values) - min(values)) or 0.12 * abs(values[0]) or 0.12
        low, high = min(values) - space, max(values) + space
        numbers = widest([tick(value) for value in MaxNLocator(5).tick_values(low, high)], SIZE - 1)
        left = LINE * SIZE / 72 + numbers + 0.08
        inner_width, inner_height = width - 2 * MARGIN - left - 0.1, max(0.62 * width, 0.11 * len(methods))
        page = Page(width, 2 * MARGIN + 0.05 + inner_height + _UNDER)
        x, y = MARGIN + left, MARGIN + 0.05
        axes = page.axes(x, y, inner_width, inner_height)
        times = [costs[method].milliseconds for method in methods]
        # Room for the largest bubble, and for a name beside the last one.
        first, last = math.log10(min(times)), math.log10(max(times))
        pad = max(0.12 * (last - first), 0.15)
        axes.set_xscale("log")
        axes.set_xlim(10 ** (first - pad), 10 ** (last + 2 * pad))
        axes.set_ylim(*((low, high) if better == "higher" else (high, low)))
        axes.xaxis.set_major_locator(FixedLocator(_decades(*axes.get_xlim())))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_locator(MaxNLocator(5))
        axes.xaxis.set_major_formatter(tick)
        axes.yaxis.set_major_formatter(tick)
        axes.grid()
        axes.set_xlabel("Milliseconds a pair (bubble: parameters)", labelpad=1)
        page.text(MARGIN + 0.05, y + inner_height / 2, f"{metric} {ARROW[better]}", ha="center", rotation=90)
        radii = _radii([costs[method].parameters for method in methods])
        spots = []
        for time, value in zip(times, values, strict=True):
            across, up = axes.transLimits.transform((math.log10(time), value))
            spots.append((x + across * inner_width, y + (1 - up) * inner_height))
        bubbles: list[_Rectangle] = [(sx - r, sy - r, 2 * r, 2 * r) for (sx, sy), r in zip(spots, radii, strict=True)]
        taken = list(bubbles)
        # The smallest last, on top.
        for at in sorted(range(len(spots)), key=lambda place: -radii[place]):
            (sx, sy), radius = spots[at], radii[at]
            page.line(
                (sx,), (sy,), marker="o", markersize=2 * radius * 72, color=look(at).color, alpha=0.75,
                markeredgecolor="white", markeredgewidth=0.4, linestyle="none",
            )  # fmt: skip
        for at, (sx, sy) in enumerate(spots):
            box = (extent(names[at], size), LINE * size / 72)
            spot = _free(sx, sy, radii[at], box, taken, (x, y, inner_width, inner_height))
            taken.append((*spot, *box))
            near = (min(max(sx, spot[0]), spot[0] + box[0]), min(max(sy, spot[1]), spot[1] + box[1]))
            if math.dist(near, (sx, sy)) > radii[at] + 0.05:
                page.line((sx, near[0]), (sy, near[1]), color=look(at).color, linewidth=0.5)
            page.text(spot[0], spot[1] + box[1] / 2, names[at], size=size)
    return page.figure


def _decades(low: float, high: float) -> list[float]:
    """Round numbers in a range of times: powers of ten and, in a short range, what lies between."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    between = (1, 2, 5) if last - first <= 3 else (1,)
    return [t for power in range(first, last + 1) for f in between if low <= (t := f * 10.0**power) <= high]


def _radii(parameters: Sequence[float]) -> list[float]:
    """Areas that grow with the parameters."""
    most = max(parameters)
    return [max(_SMALLEST, _LARGEST * math.sqrt(count / most)) if most else _SMALLEST for count in parameters]


def _free(
    x: float, y: float, radius: float, box: tuple[float, float], taken: Sequence[_Rectangle], frame: _Rectangle
) -> tuple[float, float]:
    """Where a name stands free, as near to its bubble as can be: to the right if possible."""
    width, height = box
    best, least = (x + radius + 0.02, y - height / 2), math.inf
    for ring in range(25):
        reach = radius + 0.02 + 0.05 * ring
        for turn in np.linspace(0, 2 * math.pi, 16, endpoint=False):
            across, down = math.cos(turn), math.sin(turn)
            left = x + reach * across + (across - 1) * width / 2
            top = y + reach * down + (down - 1) * height / 2
            spot = (
                min(max(left, frame[0]), frame[0] + frame[2] - width),
                min(max(top, frame[1]), frame[1] + frame[3] - height),
            )
            hidden = sum(_common((*spot, width, height), other) for other in taken)
            if hidden == 0:
                return spot
            if hidden < least:
                best, least = spot, hidden
    return best


def _common(one: _Rectangle, other: _Rectangle) -> float:
    across = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    down = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    return max(across, 0.0) * max(down, 0.0)
