"""Charts as inline SVG: colours and type come from the page's style sheet, so that they follow light, dark and print.

Every chart is one `<svg>` with a title that says in words what it shows; names are escaped, long ones cut and given in
full as a tooltip.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup, escape

_ROW = 22
_WIDTH = 640
_LABEL = 190
"""Pixels at most for the name of a method."""
_NAME = 130
"""Pixels at most for the name of a metric."""


@dataclass(frozen=True, slots=True)
class Whisker:
    """One line of a chart: a value, and the interval around it (None where there is none)."""

    label: str
    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Box:
    """One line of a chart of distributions: five quantiles (5, 25, 50, 75 and 95 %) and the mean."""

    label: str
    quantiles: tuple[float, float, float, float, float]
    mean: float


def whiskers(
    rows: Sequence[Whisker],
    *,
    title: str,
    axis: str,
    groups: Sequence[tuple[int, int]] = (),
    distance: float | None = None,
) -> Markup:
    """Values with their intervals, a row each, and bars that join rows which cannot be told apart.

    Parameters
    ----------
    rows : sequence of Whisker
        From top to bottom.
    title, axis : str
        What the chart shows, and what its axis counts.
    groups : sequence of (int, int)
        First and last row of each group that cannot be told apart.
    distance : float, optional
        Drawn as a bar to compare with: the critical difference.

    Returns
    -------
    Markup
    """
    numbers = [x for row in rows for x in (row.value, row.low, row.high) if x is not None]
    lanes = _lanes(groups)
    right = _WIDTH - 14 - 9 * len(lanes)
    left = _room([row.label for row in rows], _LABEL)
    scale = _Scale.over([*numbers, *([min(numbers) + distance] if distance else [])], left + 14, right - 6)
    top = 34 if distance else 8
    parts = [_grid(scale, top, len(rows))]
    if distance:
        ends = scale(scale.low), scale(scale.low + distance)
        parts.append(_line(ends[0], 22, ends[1], 22, "cd"))
        parts += [_line(x, 18, x, 26, "cd") for x in ends]
        parts.append(_text(ends[0], 13, f"critical difference {distance:.2f}"))
    for i, row in enumerate(rows):
        y = top + _ROW * (i + 0.5)
        parts.append(_label(row.label, left, y))
        if row.low is not None and row.high is not None:
            parts.append(_line(scale(row.low), y, scale(row.high), y, "whisker"))
        parts.append(_dot(scale(row.value), y, f"{row.label}: {row.value:.3g}"))
    for lane, members in enumerate(lanes):
        x = right + 8 + 9 * lane
        parts += [_line(x, top + _ROW * (a + 0.2), x, top + _ROW * (b + 0.8), "group") for a, b in members]
    return _svg(parts, scale, top + _ROW * len(rows), title, axis)


def boxes(rows: Sequence[Box], *, title: str, axis: str) -> Markup:
    """Distributions, a row each: whiskers from 5 to 95 %, a box from 25 to 75 %, a tick at the median, a dot at the mean."""
    left = _room([row.label for row in rows], _LABEL)
    scale = _Scale.over([x for row in rows for x in (*row.quantiles, row.mean)], left + 14, _WIDTH - 16)
    parts = [_grid(scale, 8, len(rows))]
    for i, row in enumerate(rows):
        y = 8 + _ROW * (i + 0.5)
        low, first, middle, third, high = map(scale, row.quantiles)
        parts += [_label(row.label, left, y), _line(low, y, high, y, "whisker")]
        parts.append(
            Markup('<rect class="box" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="12"/>').format(
                first, y - 6, max(third - first, 1)
            )
        )
        parts.append(_line(middle, y - 6, middle, y + 6, "median"))
        parts.append(_dot(scale(row.mean), y, f"{row.label}: mean {row.mean:.4g}, median {row.quantiles[2]:.4g}"))
    return _svg(parts, scale, 8 + _ROW * len(rows), title, axis)


def matrix(
    names: Sequence[str], values: Sequence[Sequence[float]], *, title: str, breaks: Sequence[int] = ()
) -> Markup:
    """Correlations from -1 to 1 as shades with their numbers.

    Parameters
    ----------
    names : sequence of str
        Of rows and columns.
    values : sequence of sequence of float
        As many rows and columns; NaN where there is no number.
    title : str
        What is shown.
    breaks : sequence of int
        Before which rows a new cluster begins.

    Returns
    -------
    Markup
    """
    cell = 40
    left = _room(names, _NAME) + 6
    # Names of columns go up at half a right angle.
    top = 14 + 0.71 * left
    parts: list[Markup] = []
    for i, name in enumerate(names):
        parts.append(_text(left - 6, top + cell * (i + 0.5) + 4, _cut(name, _NAME), "end", name))
        x, y = left + cell * (i + 0.5), top - 8
        parts.append(
            Markup('<text transform="rotate(-45 {0:.1f} {1:.1f})" x="{0:.1f}" y="{1:.1f}">{2}</text>').format(
                x, y, _cut(name, _NAME)
            )
        )
        for j, value in enumerate(values[i]):
            shade = 0.0 if math.isnan(value) else min(abs(value), 1.0)
            kind = "minus" if value < 0 else "plus"
            parts.append(
                Markup(
                    '<rect class="{}" fill-opacity="{:.2f}" x="{}" y="{}" width="{}" height="{}">'
                    "<title>{} and {}: {}</title></rect>"
                ).format(
                    kind, shade, left + cell * j, top + cell * i, cell - 1, cell - 1, name, names[j], _short(value)
                )
            )
            ink = "on" if shade > 0.6 else "off"
            parts.append(
                Markup('<text class="{}" text-anchor="middle" x="{:.1f}" y="{:.1f}">{}</text>').format(
                    ink, left + cell * (j + 0.5), top + cell * (i + 0.5) + 4, _short(value)
                )
            )
    side = cell * len(names)
    for k in breaks:
        parts += [
            _line(left, top + cell * k - 0.5, left + side, top + cell * k - 0.5, "break"),
            _line(left + cell * k - 0.5, top, left + cell * k - 0.5, top + side, "break"),
        ]
    return _wrap(parts, left + side + 0.71 * left, top + side + 8, title)


@dataclass(frozen=True, slots=True)
class _Scale:
    """From values to pixels."""

    low: float
    high: float
    left: float
    right: float

    @classmethod
    def over(cls, values: Sequence[float], left: float, right: float) -> _Scale:
        low, high = min(values), max(values)
        # Without a width of its own an interval gets one, so that a single value stands in the middle.
        pad = (high - low) * 0.04 or abs(high) * 0.1 or 1.0
        return cls(low - pad, high + pad, left, right)

    def __call__(self, value: float) -> float:
        return self.left + (value - self.low) / (self.high - self.low) * (self.right - self.left)

    def ticks(self) -> list[float]:
        """Round numbers, five or so."""
        raw = (self.high - self.low) / 5
        power = 10.0 ** math.floor(math.log10(raw))
        step = next(power * m for m in (1, 2, 5, 10) if power * m >= raw)
        first, last = math.ceil(self.low / step), math.floor(self.high / step)
        return [i * step for i in range(first, last + 1)]


def _lanes(groups: Sequence[tuple[int, int]]) -> list[list[tuple[int, int]]]:
    """Groups side by side such that none covers another."""
    lanes: list[list[tuple[int, int]]] = []
    for group in sorted(groups):
        for lane in lanes:
            if all(b < c for (_, b), (c, _) in pairwise([*lane, group])):
                lane.append(group)
                break
        else:
            lanes.append([group])
    return lanes


def _grid(scale: _Scale, top: float, rows: int) -> Markup:
    bottom = top + _ROW * rows
    parts = []
    for tick in scale.ticks():
        parts.append(_line(scale(tick), top, scale(tick), bottom, "grid"))
        parts.append(_text(scale(tick), bottom + 15, f"{tick:.6g}", "middle"))
    return Markup("").join(parts)


def _svg(parts: Sequence[Markup], scale: _Scale, bottom: float, title: str, axis: str) -> Markup:
    middle = (scale.left + scale.right) / 2
    return _wrap([*parts, _text(middle, bottom + 33, axis, "middle")], _WIDTH, bottom + 40, title)


def _wrap(parts: Sequence[Markup], width: float, height: float, title: str) -> Markup:
    return Markup(
        '<svg viewBox="0 0 {0:.0f} {1:.0f}" width="{0:.0f}" height="{1:.0f}" role="img" aria-label="{2}">'
        "<title>{2}</title>{3}</svg>"
    ).format(width, height, title, Markup("").join(parts))


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> Markup:
    return Markup('<line class="{}" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>').format(kind, x1, y1, x2, y2)


def _dot(x: float, y: float, words: str) -> Markup:
    return Markup('<circle cx="{:.1f}" cy="{:.1f}" r="4"><title>{}</title></circle>').format(x, y, words)


def _label(name: str, x: float, y: float) -> Markup:
    return _text(x, y + 4, _cut(name, _LABEL), "end", name)


def _text(x: float, y: float, words: str, anchor: str = "start", full: str = "") -> Markup:
    tooltip = Markup("<title>{}</title>").format(full) if full and full != words else ""
    return Markup('<text text-anchor="{}" x="{:.1f}" y="{:.1f}">{}{}</text>').format(
        anchor, x, y, escape(words), tooltip
    )


def _room(names: Sequence[str], most: float) -> float:
    """Pixels that names take, cut to so many."""
    return max(_pixels(_cut(name, most)) for name in names)


def _pixels(text: str) -> float:
    """About how wide a text is, rather too much than too little: the reader's font is not known here."""
    return sum(map(_width, text)) + 6


def _width(sign: str) -> float:
    if unicodedata.east_asian_width(sign) in "WF":
        return 13
    if sign in "mwMW@%…—":
        return 12.5
    return 9.5 if sign.isupper() or not sign.isascii() else 7.8


def _cut(text: str, most: float) -> str:
    """At most so many pixels of a text."""
    if _pixels(text) <= most:
        return text
    end = len(text)
    while end and _pixels(text[:end] + "…") > most:
        end -= 1
    return text[:end] + "…"


def _short(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.2f}".replace("-", "−")
