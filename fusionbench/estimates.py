"""How long a run will take and how much room it needs: from what it has done already, or a small piece of the first pair."""

from __future__ import annotations

import io
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from fusionbench import images, pixels
from fusionbench.benchmark import Method, Plan
from fusionbench.fusing import fuse_levels, stored
from fusionbench.stacks import score_levels, warm_up
from fusionbench.types import Image, Pair, UserError
from fusionbench.workers import Stop

_SIDE = 192
"""Longest side, in pixels, of the piece that is tried."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """Of one dataset and method, for one image.

    Attributes
    ----------
    fuse, score : float
        Seconds to make it and to score it.
    size : float
        Bytes of its file.
    """

    fuse: float
    score: float
    size: float


def estimates(plan: Plan) -> Iterator[tuple[str, str, Estimate]]:
    """What one image costs, for each dataset and method.

    Parameters
    ----------
    plan : Plan
        What is to be done.

    Yields
    ------
    dataset, method : str
        Which.
    estimate : Estimate
        Times of this method that the logs have, or else those of a piece of the first pair, in proportion to its pixels.
    """
    for (_, luma), group in plan.definitions.items():
        warm_up(group, luma)
    for dataset in plan.datasets:
        try:
            ir, vis, share = _piece(dataset.pairs[0])
        except UserError:
            continue  # it will be listed among the failures
        score = _seconds_to_score(plan, ir, vis) / share
        for method in plan.methods:
            fuse = size = 0.0
            if method.recipe is not None:
                fuse, size = (each / share for each in _seconds_to_fuse(method, ir, vis))
                known = [each.seconds for each in plan.log(dataset.name, method.name).entries() if each.seconds]
                fuse = statistics.fmean(known) if known else fuse
            yield dataset.name, method.name, Estimate(fuse, score, size)


def _piece(pair: Pair) -> tuple[Image, Image, float]:
    """The middle of both sources, and its share of their pixels."""
    ir, vis = images.read(pair.ir), images.read(pair.vis)
    height, width = (min(one, two, _SIDE) for one, two in zip(ir.shape[:2], vis.shape[:2], strict=True))
    top, left = ((length - part) // 2 for length, part in zip(vis.shape[:2], (height, width), strict=True))
    cut = slice(top, top + height), slice(left, left + width)
    return ir[cut].copy(), vis[cut].copy(), height * width / (vis.shape[0] * vis.shape[1])


def _seconds_to_fuse(method: Method, ir: Image, vis: Image) -> tuple[float, float]:
    """Seconds, and bytes of the result."""
    import PIL.Image

    assert method.recipe is not None
    try:
        fuse_levels(method.recipe, ir, vis)  # whatever is loaded or compiled is not counted
        start = time.perf_counter()
        fused = fuse_levels(method.recipe, ir, vis)
        seconds = time.perf_counter() - start
    except Exception:  # the piece may be too small for it, or it fails; the run will tell
        return 0.0, float(vis.nbytes)
    file = io.BytesIO()
    PIL.Image.fromarray(stored(fused, np.uint8)).save(file, "PNG")
    return seconds, float(file.tell())


def _seconds_to_score(plan: Plan, ir: Image, vis: Image) -> float:
    one, two = pixels.to_levels(ir), pixels.to_levels(vis)
    start = time.perf_counter()
    for (_, luma), group in plan.definitions.items():
        list(score_levels(one, two, [two.copy()], group, luma, Stop()))
    return time.perf_counter() - start
