"""Zoom boxes: what is worth enlarging in a scene, and in which corners the enlargements hide least."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import combinations, permutations
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fusionbench.types import Levels, UserError

MOST: Final = 3
"""Boxes in one image, at most."""
COLORS: Final = ("#E8601C", "#56B4E9", "#F0E442")
"""Of the boxes: told apart by the colour-blind, and seen on black, grey and white."""

_BOX: Final = 0.2
"""Width and height of an automatic box, in those of the image."""
_INSET: Final = {1: 0.42, 2: 0.4, 3: 0.36}
"""Largest width and height of an enlargement, in those of the image, by the number of boxes."""
_FRAME: Final = 0.03
"""What some methods spoil along the border, in the width and height of the image."""

_Map = NDArray[np.float64]


class Box(NamedTuple):
    """A rectangle of an image, in pixels."""

    x: int
    y: int
    width: int
    height: int


class Zoom(NamedTuple):
    """A box, and where its enlargement stands on the image, in pixels."""

    box: Box
    inset: tuple[float, float, float, float]


def parse(text: str) -> Box:
    """A box from its four numbers.

    Raises
    ------
    UserError
        If it is not four whole numbers, or has no area.

    Examples
    --------
    >>> parse("10,20,64,48")
    Box(x=10, y=20, width=64, height=48)
    """
    if not re.fullmatch(r"\s*\d+\s*(,\s*\d+\s*){3}", text):
        raise UserError(f"'{text}' is no box: write x,y,width,height in pixels, such as 120,80,64,48.")
    box = Box(*(int(part) for part in text.split(",")))
    if not (box.width and box.height):
        raise UserError(f"The box '{text}' has no area: its width and height must be at least 1.")
    return box


def check(boxes: Sequence[Box], size: tuple[int, int], scene: str) -> None:
    """Make sure that boxes can be shown.

    Parameters
    ----------
    boxes : sequence of Box
        What is asked for.
    size : (int, int)
        Width and height of the scene.
    scene : str
        Its name.

    Raises
    ------
    UserError
        If there are too many, or one reaches beyond the image.
    """
    if len(boxes) > MOST:
        raise UserError(f"There are {len(boxes)} boxes for '{scene}': give {MOST} at most.")
    for box in boxes:
        if box.x + box.width > size[0] or box.y + box.height > size[1]:
            raise UserError(
                f"The box {','.join(map(str, box))} reaches beyond '{scene}', which is {size[0]} x {size[1]} pixels."
            )


def place(boxes: Sequence[Box], size: tuple[int, int]) -> list[Zoom]:
    """Put the enlargements of boxes into the corners where they hide no box, or as little of one as can be.

    Parameters
    ----------
    boxes : sequence of Box
        Up to three.
    size : (int, int)
        Width and height of the image.

    Returns
    -------
    list of Zoom
        In the order of the boxes.
    """
    insets = [_inset_size(box, size, len(boxes)) for box in boxes]
    best: tuple[float, ...] = ()
    chosen: list[Zoom] = []
    for corners in permutations(range(4), len(boxes)):
        spots = [_in_corner(corner, inset, size) for corner, inset in zip(corners, insets, strict=True)]
        hidden = sum(_common(spot, box) for spot in spots for box in boxes)
        hidden += sum(_common(one, other) for one, other in combinations(spots, 2))
        far = sum(_distance(spot, box) for spot, box in zip(spots, boxes, strict=True))
        # Papers enlarge at the bottom; the corners are counted in that order.
        cost = (hidden, float(sum(corner > 1 for corner in corners)), far, *map(float, corners))
        if not best or cost < best:
            best, chosen = cost, [Zoom(box, spot) for box, spot in zip(boxes, spots, strict=True)]
    return chosen


def automatic(greys: Sequence[Levels], count: int) -> list[Zoom]:
    """Boxes where methods disagree most, none of them hidden by an enlargement.

    Disagreement is the variance over the methods of what is left of each image when its own surroundings, as large as a
    box, are taken off: details, not the brightness of whole areas.

    Parameters
    ----------
    greys : sequence of (H, W) uint8
        The fused images, at least one; of a single one the box with the most detail is taken.
    count : int
        How many boxes, up to three.

    Returns
    -------
    list of Zoom
        Most different first; fewer than asked for, or none, in an image too small to enlarge anything.
    """
    height, width = greys[0].shape
    box_width, box_height = round(_BOX * width), round(_BOX * height)
    if not count or min(box_width, box_height) < 2:
        return []
    scores = _sums(_disagreement(greys, box_width, box_height), box_width, box_height)
    left, top = max(1, round(_FRAME * width)), max(1, round(_FRAME * height))
    scores[:top], scores[-top:], scores[:, :left], scores[:, -left:] = -1, -1, -1, -1
    any_box = Box(0, 0, box_width, box_height)
    best, chosen = -1.0, []
    for corners in combinations(range(4), count):
        free = scores.copy()
        for corner in corners:
            _strike(free, _in_corner(corner, _inset_size(any_box, (width, height), count), (width, height)), any_box)
        boxes, total = [], 0.0
        for _ in range(count):
            y, x = np.unravel_index(int(free.argmax()), free.shape)
            if free[y, x] < 0:
                break
            total += free[y, x]
            boxes.append(Box(int(x), int(y), box_width, box_height))
            # A neighbour would show the same thing once more.
            around = (x - box_width / 2, y - box_height / 2, 2 * box_width, 2 * box_height)
            _strike(free, around, any_box)
        # A bottom corner is worth a few percent of what another one would show.
        total *= 1.05 ** sum(corner < 2 for corner in corners)
        if len(boxes) == count and total > best:
            best, chosen = total, boxes
    return place(chosen, (width, height))


def _disagreement(greys: Sequence[Levels], box_width: int, box_height: int) -> _Map:
    details = []
    for plane in greys:
        levels = plane.astype(np.float64)
        padded = np.pad(levels, ((box_height // 2,) * 2, (box_width // 2,) * 2), mode="edge")
        near = _sums(padded, 2 * (box_width // 2) + 1, 2 * (box_height // 2) + 1)
        details.append(levels - near / ((2 * (box_width // 2) + 1) * (2 * (box_height // 2) + 1)))
    return np.var(details, axis=0) if len(details) > 1 else details[0] ** 2


def _sums(plane: _Map, width: int, height: int) -> _Map:
    """Sums over every rectangle of this size, by its top left corner."""
    total = np.zeros((plane.shape[0] + 1, plane.shape[1] + 1))
    total[1:, 1:] = plane.cumsum(axis=0).cumsum(axis=1)
    return total[height:, width:] - total[:-height, width:] - total[height:, :-width] + total[:-height, :-width]


def _strike(scores: _Map, taken: Sequence[float], box: Box) -> None:
    """Rule out every box that would share a pixel with what is taken."""
    x, y, width, height = (round(value) for value in taken)
    scores[max(0, y - box.height + 1) : y + height, max(0, x - box.width + 1) : x + width] = -1


def _inset_size(box: Box, size: tuple[int, int], count: int) -> tuple[float, float]:
    """Width and height of an enlargement: the shape of the box, as large as its corner is."""
    zoom = min(_INSET[count] * size[0] / box.width, _INSET[count] * size[1] / box.height)
    return box.width * zoom, box.height * zoom


def _in_corner(corner: int, inset: tuple[float, float], size: tuple[int, int]) -> tuple[float, float, float, float]:
    """Corners: 0 bottom right, 1 bottom left, 2 top right, 3 top left."""
    x = size[0] - inset[0] if corner in (0, 2) else 0.0
    y = size[1] - inset[1] if corner in (0, 1) else 0.0
    return x, y, *inset


def _common(one: Sequence[float], other: Sequence[float]) -> float:
    """Area that two rectangles share."""
    across = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    down = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    return max(across, 0.0) * max(down, 0.0)


def _distance(one: Sequence[float], other: Sequence[float]) -> float:
    """Between the middles of two rectangles."""
    across = one[0] + one[2] / 2 - other[0] - other[2] / 2
    return float(np.hypot(across, one[1] + one[3] / 2 - other[1] - other[3] / 2))
