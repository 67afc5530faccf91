"""``figure map``: where in the image a metric finds what it counts, beside the fused images."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from fusionbench import pixels
from fusionbench.figures.lettering import LINE, SIZE, fit
from fusionbench.figures.looks import MAP, tick
from fusionbench.figures.page import MARGIN, WIDTHS, Page, style
from fusionbench.figures.scenes import Scene
from fusionbench.registry import unknown
from fusionbench.types import UserError

if TYPE_CHECKING:
    from fusionbench.metrics.triple import Source, Triple

    PerSource: TypeAlias = Callable[[Triple, Source], NDArray[np.float64]]
    Alone: TypeAlias = Callable[[Triple], NDArray[np.float64]]

_GAP: Final = 0.025
_BAR: Final = 0.07
"""Inches of the height of the scale."""


class Kind(NamedTuple):
    """The map of one metric: what computes it (``"module:function"``), whether it is one a source, and its scale."""

    where: str
    per_source: bool
    ends: tuple[float, float] | None
    """The values of the first and the last colour; None for 0 and what hardly any pixel of the figure exceeds."""


KINDS: Final = {
    "SSIM": Kind("ssim:structural_similarity_map", True, (0.0, 1.0)),
    "Qabf": Kind("qabf:gradient_transfer_map", True, (0.0, 1.0)),
    "AG": Kind("gradient:average_gradient_map", False, None),
    "Qcb": Kind("chen:visual_contrast_map", False, (0.0, 1.0)),
    "Delta-E": Kind("colour:colour_difference_map", False, None),
    "Nabf": Kind("artefacts:fusion_artefacts_map", False, None),
    "Labf": Kind("artefacts:fusion_loss_map", False, (0.0, 1.0)),
    "FMI_pixel": Kind("features:pixel_information_map", True, (0.0, 1.0)),
    "FMI_gradient": Kind("features:gradient_information_map", True, (0.0, 1.0)),
    "FMI_edge": Kind("features:edge_information_map", True, (0.0, 1.0)),
    "FSIM": Kind("fsim:feature_similarity_map", True, (0.0, 1.0)),
    "GMSD": Kind("edge_fidelity:gradient_similarity_map", True, (0.0, 1.0)),
    "MEF-SSIM": Kind("mef_ssim:exposure_similarity_map", False, (0.0, 1.0)),
    "Q_S": Kind("piella:fusion_quality_map", False, (0.0, 1.0)),
    "Qc": Kind("cvejic_yang:covariance_weighted_similarity_map", False, (0.0, 1.0)),
    "Qy": Kind("cvejic_yang:redundancy_aware_similarity_map", False, (0.0, 1.0)),
    "LPIPS": Kind("lpips:perceptual_distance_map", True, None),
}
"""The metrics that have a map."""


def draw(
    scene: Scene, metric: str, *, labels: Mapping[str, str] | None = None, width: float = WIDTHS[2], columns: int = 0
) -> Figure:
    """Draw fused images and, below each, the map of a metric, in colours that mean the same throughout.

    Parameters
    ----------
    scene : Scene
        One pair and its fused images.
    metric : str
        A metric that has a map, one of `KINDS`.
    labels : mapping of str to str, optional
        What methods are called in the figure, where not by their own name.
    width : float
        Inches of the paper.
    columns : int
        Methods side by side; 0 for as many as can be read.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    UserError
        If the metric has no map, the images are too small for it, or a name cannot be printed.
    """
    if metric not in KINDS:
        raise unknown("metric with a map", metric, list(KINDS))
    maps = _maps(scene, metric)
    planes = [plane for each in maps.values() for plane in each.values()]
    low, high = KINDS[metric].ends or (0.0, _nearly_highest(planes))
    titles = {method: (labels or {}).get(method, method) for method in scene.fused}
    with style():
        rows = ["fused", *next(iter(maps.values()))]
        side, head = LINE * SIZE / 72, LINE * SIZE / 72
        room = width - 2 * MARGIN - side
        each = min(columns or max(3, int(room / 1.1)), max(3, len(titles)))
        cell = (room - (each - 1) * _GAP) / each
        shown, size = fit(list(titles.values()), cell, SIZE)
        tall = cell * scene.size[1] / scene.size[0]
        block = head + len(rows) * (tall + _GAP) + _GAP
        blocks = -(-len(shown) // each)
        under = 0.06 + _BAR + 1.6 * SIZE / 72
        page = Page(width, 2 * MARGIN + blocks * block + under)
        for at, (method, name) in enumerate(zip(titles, shown, strict=True)):
            x, y = MARGIN + side + at % each * (cell + _GAP), MARGIN + at // each * block
            page.text(x + cell / 2, y + head / 2, name, size=size, ha="center")
            for row, what in enumerate(rows):
                top = y + head + row * (tall + _GAP)
                if at % each == 0:
                    (word,), small = fit([what], tall, SIZE)
                    page.text(MARGIN + side / 2, top + tall / 2, word, size=small, ha="center", rotation=90)
                if row:
                    look = {"cmap": MAP, "vmin": low, "vmax": high}
                    page.picture(maps[method][what], x, top, cell, tall, **look)
                else:
                    page.picture(scene.fused[method], x, top, cell, tall)
        least, most = (
            end([end(plane[np.isfinite(plane)], initial=low) for plane in planes]) for end in (np.min, np.max)
        )
        texts = ("≤ " * bool(least < low) + tick(low), "≥ " * bool(most > high) + tick(float(f"{high:.3g}")))
        _scale(page, metric, texts, MARGIN + blocks * block + 0.06)
    return page.figure


def _maps(scene: Scene, metric: str) -> dict[str, dict[str, NDArray[np.float64]]]:
    """The maps of every method, by what they are of."""
    from importlib import import_module

    from fusionbench.metrics.card import NotDefined
    from fusionbench.metrics.triple import SOURCES
    from fusionbench.metrics.triple import Scene as Planes

    kind = KINDS[metric]
    module, _, name = kind.where.partition(":")
    function: Callable[..., Any] = getattr(import_module(f"fusionbench.metrics.{module}"), name)
    stored = [scene.ir, scene.vis, *scene.fused.values()]
    planes = Planes(scene.ir, pixels.luma(scene.vis, "bt601"), list(scene.greys().values()), stored)
    try:
        if kind.per_source:
            return {
                method: {f"{metric} with {source}": function(triple, source) for source in SOURCES}
                for method, triple in zip(scene.fused, planes.triples, strict=True)
            }
        return {method: {metric: function(triple)} for method, triple in zip(scene.fused, planes.triples, strict=True)}
    except NotDefined as error:
        raise UserError(f"'{scene.name}' has no map: {error}.") from error


def _nearly_highest(planes: Sequence[NDArray[np.float64]]) -> float:
    """What one pixel of a hundred exceeds, so that a single bright one does not darken all the others."""
    return float(np.percentile(np.concatenate([plane.ravel() for plane in planes]), 99)) or 1.0


def _scale(page: Page, metric: str, ends: tuple[str, str], y: float) -> None:
    """The colours from the first to the last, with their values."""
    length = min(1.6, page.width / 3)
    x = (page.width - length) / 2
    page.picture(mpl.colormaps[MAP](np.linspace(0, 1, 256))[np.newaxis, :, :3], x, y, length, _BAR)
    page.text(x, y + _BAR / 2, f"{metric}  {ends[0]} ", size=SIZE - 1, ha="right")
    page.text(x + length, y + _BAR / 2, f" {ends[1]}", size=SIZE - 1)
