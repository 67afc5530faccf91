"""``figure grid``: scenes one below the other, sources and methods side by side, with details enlarged."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final

from matplotlib.figure import Figure

from fusionbench.figures import zoom
from fusionbench.figures.lettering import LINE, SIZE, fit
from fusionbench.figures.page import MARGIN, WIDTHS, Page, style
from fusionbench.figures.scenes import Scene
from fusionbench.figures.zoom import Box, Zoom
from fusionbench.types import Image

_GAP: Final = 0.025
"""Inches between two images."""
_NARROWEST: Final = 0.6
"""Inches of an image below which a scene is not read any more: then columns go on below."""


def draw(
    scenes: Sequence[Scene],
    *,
    boxes: Mapping[str, Sequence[Box]] | int = 2,
    names: bool = True,
    columns: int = 0,
    labels: Mapping[str, str] | None = None,
    width: float = WIDTHS[2],
) -> Figure:
    """Draw a grid of images.

    Parameters
    ----------
    scenes : sequence of Scene
        One row each; all with the same methods.
    boxes : mapping of str to sequence of Box, or int
        What is enlarged, by the name of the scene; or how many boxes are chosen where the methods disagree most.
    names : bool
        Whether the names of the scenes stand on the left, where there are several.
    columns : int
        Images side by side; 0 for as many as can be read.
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
        If a box does not fit its scene, or a name cannot be printed.
    """
    zooms = [_zooms(scene, boxes) for scene in scenes]
    methods = list(scenes[0].fused)
    titles = ["Infrared", "Visible", *((labels or {}).get(method, method) for method in methods)]
    with style():
        side = LINE * SIZE / 72 if names and len(scenes) > 1 else 0.0
        room = width - 2 * MARGIN - side
        each = columns or _columns(len(titles), room)
        cell = (room - (each - 1) * _GAP) / each
        shown, size = fit(titles, cell, SIZE)
        heights = [cell * scene.size[1] / scene.size[0] for scene in scenes]
        head = LINE * size / 72
        block = head + sum(heights) + _GAP * len(scenes)
        blocks = math.ceil(len(titles) / each)
        page = Page(width, 2 * MARGIN + blocks * block - _GAP + (blocks - 1) * 2 * _GAP)
        for start in range(0, len(titles), each):
            y = MARGIN + (start // each) * (block + 2 * _GAP)
            for column, title in enumerate(shown[start : start + each]):
                x = MARGIN + side + column * (cell + _GAP)
                page.text(x + cell / 2, y + head / 2, title, size=size, ha="center")
            y += head
            for scene, height, enlarged in zip(scenes, heights, zooms, strict=True):
                if side:
                    (name,), small = fit([scene.name], height, SIZE)
                    page.text(MARGIN + side / 2, y + height / 2, name, size=small, ha="center", rotation=90)
                pictures = [scene.ir, scene.vis, *scene.fused.values()][start : start + each]
                for column, picture in enumerate(pictures):
                    _cell(page, picture, enlarged, MARGIN + side + column * (cell + _GAP), y, cell)
                y += height + _GAP
    return page.figure


def _zooms(scene: Scene, boxes: Mapping[str, Sequence[Box]] | int) -> list[Zoom]:
    if isinstance(boxes, int):
        return zoom.automatic(list(scene.greys().values()), boxes)
    wanted = boxes.get(scene.name, ())
    zoom.check(wanted, scene.size, scene.name)
    return zoom.place(wanted, scene.size)


def _columns(count: int, room: float) -> int:
    """How many images stand side by side: as many as can be read, and the last row about as full as the others."""
    most = max(1, int((room + _GAP) / (_NARROWEST + _GAP)))
    fewest = min(count, max(3, round(room / 1.75)))
    rows = math.ceil(count / most)
    return max(fewest, math.ceil(count / rows))


def _cell(page: Page, picture: Image, enlarged: Sequence[Zoom], x: float, y: float, width: float) -> None:
    """One image with its boxes and enlargements."""
    pixel = width / picture.shape[1]
    page.picture(picture, x, y, width, picture.shape[0] * pixel)
    for (box, inset), color in zip(enlarged, zoom.COLORS, strict=False):
        page.frame(x + box.x * pixel, y + box.y * pixel, box.width * pixel, box.height * pixel, color)
        part = picture[box.y : box.y + box.height, box.x : box.x + box.width]
        spot = (x + inset[0] * pixel, y + inset[1] * pixel, inset[2] * pixel, inset[3] * pixel)
        page.picture(part, *spot)
        page.frame(*spot, color)
