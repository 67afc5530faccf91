"""Who is better: methods in the order of their mean rank, compared on the images that all of them have."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fusionbench.store import Row
from fusionbench.types import Better


@dataclass(frozen=True, slots=True)
class Standing:
    """One method.

    Attributes
    ----------
    method : str
        Its name.
    images : int
        How many images of it have scores.
    means : mapping of str to float
        Mean score by metric; NaN where there is nothing to take the mean of.
    places : mapping of str to int
        By metric, 1 for the best mean, 2 for the second; equal means share a place. Empty if nothing is compared.
    rank : float
        Mean over the metrics of the rank of the means, equal ones sharing the mean of their ranks; NaN if nothing is
        compared.
    """

    method: str
    images: int
    means: Mapping[str, float]
    places: Mapping[str, int]
    rank: float


@dataclass(frozen=True, slots=True)
class Leaderboard:
    """Methods, best first, and what they were compared on.

    Attributes
    ----------
    standings : tuple of Standing
        Best first; in the order of the rows if nothing is compared.
    pairs : tuple of str
        The pairs of which every method has scores: what the means are over. If there is none, every mean is over the
        method's own images and nothing is compared.
    counted : mapping of str to int
        By metric, over how many of the pairs the means are: fewer where the metric has no value for some method.
    """

    standings: tuple[Standing, ...]
    pairs: tuple[str, ...]
    counted: Mapping[str, int]


def rank(rows: Sequence[Row], better: Mapping[str, Better]) -> Leaderboard:
    """Compare methods.

    Parameters
    ----------
    rows : sequence of Row
        Scores; a method without any does not take part.
    better : mapping of str to {"higher", "lower"}
        The metrics, and the direction of each.

    Returns
    -------
    Leaderboard

    Examples
    --------
    >>> one = Row("A", "1.png", "1", {"EN": 7.0})
    >>> two, three = Row("B", "1.png", "1", {"EN": 6.0}), Row("B", "2.png", "2", {"EN": 8.0})
    >>> board = rank([one, two, three], {"EN": "higher"})
    >>> [(standing.method, standing.images, standing.means["EN"]) for standing in board.standings], board.pairs
    ([('A', 1, 7.0), ('B', 2, 6.0)], ('1',))
    """
    methods: dict[str, dict[str, Row]] = {}
    for row in rows:
        methods.setdefault(row.method, {})[row.pair] = row
    first, *others = methods.values()
    pairs = [pair for pair in first if all(pair in own for own in others)]
    means: dict[str, dict[str, float]] = {method: {} for method in methods}
    counted: dict[str, int] = {}
    for metric in better:
        # A metric without a value for one method would otherwise compare means over different images.
        usable = [pair for pair in pairs if not any(math.isnan(own[pair].values[metric]) for own in methods.values())]
        counted[metric] = len(usable)
        for method, own in methods.items():
            chosen = [own[pair] for pair in usable] if pairs else own.values()
            means[method][metric] = _mean([row.values[metric] for row in chosen])
    compared = [metric for metric in better if counted[metric]] if len(methods) > 1 else []
    ranks = {metric: _ranks([means[method][metric] for method in methods], better[metric]) for metric in compared}
    standings = [
        Standing(
            method,
            len(own),
            means[method],
            {metric: ranks[metric][i][0] for metric in compared},
            _mean([ranks[metric][i][1] for metric in compared]),
        )
        for i, (method, own) in enumerate(methods.items())
    ]
    if compared:
        standings.sort(key=lambda standing: standing.rank)
    return Leaderboard(tuple(standings), tuple(pairs), counted)


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return sum(known) / len(known) if known else math.nan


def _ranks(values: Sequence[float], better: Better) -> list[tuple[int, float]]:
    """For each value, its place among the different values, and its rank, equal ones sharing the mean of theirs."""
    ordered = sorted(values, reverse=better == "higher")
    different = sorted(set(values), reverse=better == "higher")
    return [(different.index(value) + 1, ordered.index(value) + 1 + (ordered.count(value) - 1) / 2) for value in values]
