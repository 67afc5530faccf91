"""Edges that a fused image lost and edges that it invented, weighed pixel by pixel."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from . import jit

Plane = NDArray[np.uint8]
Array = NDArray[np.float64]

THRESHOLD = 2.0
"""Strength in levels per pixel from which an edge counts as one."""


@jit
def _slope(above: Plane, here: Plane, below: Plane, x: int) -> tuple[int, int]:
    """Sobel differences to the right and downwards around column x + 1."""
    nw, n, ne = np.int64(above[x]), np.int64(above[x + 1]), np.int64(above[x + 2])
    w, e = np.int64(here[x]), np.int64(here[x + 2])
    sw, s, se = np.int64(below[x]), np.int64(below[x + 1]), np.int64(below[x + 2])
    return int(ne + 2 * e + se - nw - 2 * w - sw), int(sw + 2 * s + se - nw - 2 * n - ne)


@jit
def _line_alignment(right: int, down: int, fused_right: int, fused_down: int) -> float:
    """1 - (angle between two lines) / (pi / 2), 0 to 1; a flat pixel counts as if it rose straight downwards.

    The paper's | |a - b| - pi/2 | / (pi/2) with a, b = atan(right / down), by one arc tangent of integers.
    """
    if right == 0 and down == 0:
        down = 1
    if fused_right == 0 and fused_down == 0:
        fused_down = 1
    along = abs(right * fused_right + down * fused_down)
    beside = abs(right * fused_down - down * fused_right)
    if beside == 0:
        return 1.0
    return math.atan(along / beside) / (math.pi / 2)


@jit
def _direction_alignment(right: int, down: int, fused_right: int, fused_down: int) -> float:
    """The same of the angles of arrows, -pi to pi, whose difference is not wrapped: 0 to 3."""
    # The little number keeps an upright edge, and a flat pixel, at a defined angle: the program adds it.
    tiny = 2.2e-16
    difference = math.atan2(right, -down + tiny) - math.atan2(fused_right, -fused_down + tiny)
    return abs(abs(difference) - math.pi / 2) / (math.pi / 2)


@jit
def _missing(source: float, fused: float, alignment: float) -> float:
    """1 - Q: how little of an edge is there in the fused image with the same strength and orientation."""
    weaker, stronger = min(source, fused), max(source, fused)
    ratio = weaker / stronger if weaker > 0.0 else 0.0
    strength = 0.9999 / (1.0 + math.exp(-19.0 * (ratio - 0.5)))
    orientation = 0.9995 / (1.0 + math.exp(-22.0 * (alignment - 0.5)))
    return 1.0 - math.sqrt(strength * orientation)


@jit
def edge_row(
    planes: tuple[Plane, Plane, Plane],
    y: int,
    divisor: float,
    floor: float,
    directed: bool,
    crossed: bool,
    added: Array,
    lost: Array,
    weight: Array,
) -> None:
    """What was added and lost at every pixel of one row, and what could have been.

    Parameters
    ----------
    planes : three (H + 2, W + 2) uint8
        One source, the other, and the fused image, each with a border of one pixel.
    y : int
        The row.
    divisor : float
        What the Sobel differences are divided by.
    floor : float
        Weight of a source's pixel that is weaker than `THRESHOLD`.
    directed : bool
        Whether orientation is that of an arrow, not that of a line.
    crossed : bool
        Whether an artefact weighs both sources' shares with both sources' weights.
    added, lost, weight : (W,) float64
        Where the row goes. One of `added` and `lost` is zero.
    """
    a, b, f = planes
    for x in range(added.size):
        ax, ay = _slope(a[y], a[y + 1], a[y + 2], x)
        bx, by = _slope(b[y], b[y + 1], b[y + 2], x)
        fx, fy = _slope(f[y], f[y + 1], f[y + 2], x)
        ga = math.sqrt(ax * ax + ay * ay) / divisor
        gb = math.sqrt(bx * bx + by * by) / divisor
        gf = math.sqrt(fx * fx + fy * fy) / divisor
        if directed:
            sa, sb = _direction_alignment(ax, ay, fx, fy), _direction_alignment(bx, by, fx, fy)
        else:
            sa, sb = _line_alignment(ax, ay, fx, fy), _line_alignment(bx, by, fx, fy)
        ma, mb = _missing(ga, gf, sa), _missing(gb, gf, sb)
        wa = ga * math.sqrt(ga) if ga >= THRESHOLD else floor
        wb = gb * math.sqrt(gb) if gb >= THRESHOLD else floor
        weight[x] = wa + wb
        missing = ma * wa + mb * wb
        added[x], lost[x] = 0.0, 0.0
        if gf > ga and gf > gb:
            added[x] = (ma + mb) * (wa + wb) if crossed else missing
        else:
            lost[x] = missing


@jit
def edge_totals(
    planes: tuple[Plane, Plane, Plane], divisor: float, floor: float, directed: bool, crossed: bool
) -> tuple[float, float, float]:
    """Sums over all pixels of what `edge_row` finds: added, lost, weight."""
    rows, columns = planes[0].shape[0] - 2, planes[0].shape[1] - 2
    added, lost, weight = np.empty(columns), np.empty(columns), np.empty(columns)
    total = np.zeros((3, columns))
    for y in range(rows):
        edge_row(planes, y, divisor, floor, directed, crossed, added, lost, weight)
        for x in range(columns):
            total[0, x] += added[x]
            total[1, x] += lost[x]
            total[2, x] += weight[x]
    return total[0].sum(), total[1].sum(), total[2].sum()


@jit
def edge_maps(
    planes: tuple[Plane, Plane, Plane], divisor: float, floor: float, directed: bool, crossed: bool
) -> tuple[Array, Array, Array]:
    """What `edge_row` finds at every pixel: added, lost, weight, (H, W) each."""
    rows, columns = planes[0].shape[0] - 2, planes[0].shape[1] - 2
    added, lost, weight = np.empty((rows, columns)), np.empty((rows, columns)), np.empty((rows, columns))
    for y in range(rows):
        edge_row(planes, y, divisor, floor, directed, crossed, added[y], lost[y], weight[y])
    return added, lost, weight
