"""What a chart of a ranking shows: the scores that may be set side by side, and what has to be said of the others."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fusionbench.ranking import Ranking
from fusionbench.types import UserError


def shown(ranking: Ranking) -> list[str]:
    """The metrics of which there are numbers to compare, in the order of the ranking.

    Raises
    ------
    UserError
        If there is none, or no image has scores of all methods.
    """
    if not ranking.pairs:
        raise UserError("No image has scores of all methods: choose methods with --methods that have one in common.")
    metrics = [metric for metric in ranking.metrics if len(scores(ranking, metric))]
    if not metrics:
        raise UserError(
            "No metric has a value of all methods for any image: choose others with --metrics or --methods."
        )
    return metrics


def scores(ranking: Ranking, metric: str) -> NDArray[np.float64]:
    """The scores of one metric, (images, methods): of the images for which all methods have a finite one."""
    values = ranking.values[:, :, ranking.metrics.index(metric)]
    return values[np.isfinite(values).all(axis=1)]


def goodness(ranking: Ranking) -> NDArray[np.float64]:
    """Mean scores, (methods, metrics shown), with the sign changed where lower is better."""
    signs = {"higher": 1.0, "lower": -1.0}
    columns = [scores(ranking, metric).mean(axis=0) * signs[ranking.better[metric]] for metric in shown(ranking)]
    return np.column_stack(columns)


def remarks(ranking: Ranking) -> list[str]:
    """What a reader must know: which images are left out of which metric."""
    lines: dict[str, list[str]] = {}
    metrics = shown(ranking)
    for metric in metrics:
        counted = len(scores(ranking, metric))
        if counted < max(ranking.images):
            what = f"over the {counted} images of which all methods have a value, where some have {max(ranking.images)}"
            lines.setdefault(what, []).append(metric)
    if absent := [metric for metric in ranking.metrics if metric not in metrics]:
        lines["not shown, for some method has no value of it"] = absent
    return [f"{', '.join(names)}: {what}." for what, names in lines.items()]
