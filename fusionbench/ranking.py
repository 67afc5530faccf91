"""Who is better: methods in the order of their mean rank, compared on the images that all of them have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fusionbench import statistics
from fusionbench.tables import Block
from fusionbench.types import Better

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Ranking:
    """Methods, best first, and what they were compared on.

    Attributes
    ----------
    dataset, convention : str
        As in the block.
    methods : tuple of str
        Best first; in the order of the block if nothing is compared.
    metrics : tuple of str
        In the order of the block.
    better : mapping of str to {"higher", "lower"}
        The direction of every metric.
    pairs : tuple of str
        The pairs of which every method has scores: what the means are over. If there is none, every mean is over the
        method's own images and nothing is compared.
    images : tuple of int
        How many images of each method have scores.
    values : ndarray, (pairs, methods, metrics)
        What the means are of: where one method has no value, it is NaN for all of them.
    counted : tuple of int
        By metric, over how many of the pairs the means are.
    means, medians, stds : ndarray, (methods, metrics)
        NaN where there is nothing to take the mean of; the standard deviation is that of a sample, NaN of a single one.
    ranks : ndarray, (methods, metrics)
        Ranks of the means, equal ones sharing the mean of theirs; NaN where nothing is compared.
    places : ndarray of int, (methods, metrics)
        1 for the best mean, 2 for the second; equal means share a place. 0 where nothing is compared.
    rank : ndarray, (methods,)
        Mean of the ranks over the metrics; NaN if nothing is compared.
    borda : ndarray, (methods,)
        How many of the other methods it beats, over all metrics; who shares a rank beats half.
    """

    dataset: str
    convention: str
    methods: tuple[str, ...]
    metrics: tuple[str, ...]
    better: Mapping[str, Better]
    pairs: tuple[str, ...]
    images: tuple[int, ...]
    values: Array
    counted: tuple[int, ...]
    means: Array
    medians: Array
    stds: Array
    ranks: Array
    places: NDArray[np.int_]
    rank: Array
    borda: Array

    @property
    def compared(self) -> tuple[int, ...]:
        """Which metrics the rank is the mean over."""
        return tuple(np.flatnonzero(~np.isnan(self.ranks).any(0)).tolist())

    def votes(self) -> Array:
        """What all metrics together say of each image: the mean over the metrics of the ranks within that image.

        Returns
        -------
        ndarray, (images, methods)
            Lower is better; only images for which some metric has a value for all methods.
        """
        directions = list(self.better.values())
        ranked = [statistics.ranks(self.values[..., at], directions[at]) for at in self.compared]
        votes = _mean(np.stack(ranked)) if ranked else np.empty((0, len(self.methods)))
        return votes[~np.isnan(votes).any(1)]


def rank(block: Block) -> Ranking:
    """Compare the methods of a block.

    Parameters
    ----------
    block : Block
        Scores.

    Returns
    -------
    Ranking

    Examples
    --------
    >>> from fusionbench.store import Row
    >>> one = Row("A", "1.png", "1", {"EN": 7.0})
    >>> two, three = Row("B", "1.png", "1", {"EN": 6.0}), Row("B", "2.png", "2", {"EN": 8.0})
    >>> ranking = rank(Block.of_rows([one, two, three], {"EN": "higher"}))
    >>> ranking.methods, ranking.images, ranking.pairs, ranking.means.tolist()
    (('A', 'B'), (1, 2), ('1',), [[7.0], [6.0]])
    """
    common: NDArray[np.bool_] = np.logical_and.reduce(block.present, axis=1)
    values = block.values
    if common.any():
        # A metric without a value for one method would otherwise compare means over different images.
        values = values[common]
        values = np.where(np.isnan(values).any(1, keepdims=True), np.nan, values)
    counted = (~np.isnan(values)).any(1).sum(0)
    means = _mean(values)
    ranks = np.full(means.shape, np.nan)
    places = np.zeros(means.shape, int)
    if common.any() and len(block.methods) > 1:
        for at, metric in enumerate(block.metrics):
            if counted[at]:
                column = means[:, at]
                ranks[:, at] = statistics.ranks(column, block.better[metric])
                best_first = np.unique(column)[:: -1 if block.better[metric] == "higher" else 1].tolist()
                places[:, at] = [best_first.index(mean) + 1 for mean in column]
    rank = _mean(ranks.T)
    order = np.argsort(rank, kind="stable")
    return Ranking(
        block.dataset,
        block.convention,
        tuple(block.methods[at] for at in order),
        block.metrics,
        block.better,
        tuple(pair for pair, has in zip(block.pairs, common, strict=True) if has),
        tuple(int(count) for count in block.present.sum(0)[order]),
        values[:, order],
        tuple(int(count) for count in counted),
        means[order],
        _median(values)[order],
        _deviation(values)[order],
        ranks[order],
        places[order],
        rank[order],
        statistics.borda(ranks)[order],
    )


@dataclass(frozen=True, slots=True)
class Robustness:
    """How the ranks of methods hang on whose definitions are used.

    Attributes
    ----------
    dataset, metric : str
        Of which dataset and metric; without a metric it is the mean rank over all that the conventions share.
    conventions, methods : tuple of str
        Methods in the order of their mean rank over the conventions.
    pairs : int
        On how many images: those that all methods have under all these conventions.
    ranks : ndarray, (methods, conventions)
        From 1 for the best.
    """

    dataset: str
    metric: str
    conventions: tuple[str, ...]
    methods: tuple[str, ...]
    pairs: int
    ranks: Array

    @property
    def intervals(self) -> list[tuple[float, float]]:
        """Best and worst rank of each method."""
        return list(zip(self.ranks.min(1).tolist(), self.ranks.max(1).tolist(), strict=True))

    @property
    def winners(self) -> list[tuple[str, ...]]:
        """Who is best, by convention; several if they are equal."""
        best = self.ranks == self.ranks.min(0)
        return [tuple(name for name, is_best in zip(self.methods, column, strict=True) if is_best) for column in best.T]


def robustness(blocks: Iterable[Block]) -> list[Robustness]:
    """Compare the ranks under all conventions.

    Parameters
    ----------
    blocks : iterable of Block
        Those of one dataset, or of the same datasets pooled, are compared with one another.

    Returns
    -------
    list of Robustness
        For each dataset: of the mean rank, if the conventions share more than one metric, and of each metric that at least
        two conventions have. Nothing where fewer than two methods or no pair are common.
    """
    by_dataset: dict[str, list[Block]] = {}
    for block in blocks:
        by_dataset.setdefault(block.dataset, []).append(block)
    found = []
    for several in by_dataset.values():
        metrics = list(dict.fromkeys(metric for block in several for metric in block.metrics))
        shared = [metric for metric in metrics if all(metric in block.metrics for block in several)]
        if len(shared) > 1:
            found.append(_robustness(several, shared, ""))
        for metric in metrics:
            found.append(_robustness([block for block in several if metric in block.metrics], [metric], metric))
    return [each for each in found if each]


def _robustness(blocks: Sequence[Block], metrics: Sequence[str], name: str) -> Robustness | None:
    if len(blocks) < 2:
        return None
    first = blocks[0]
    pairs = [pair for pair in first.pairs if all(pair in block.pairs for block in blocks)]
    methods = [method for method in first.methods if all(method in block.methods for block in blocks)]
    parts = [block.part(pairs, methods, metrics) for block in blocks]
    usable = [np.logical_and.reduce(part.present, axis=1) & ~np.isnan(part.values).any((1, 2)) for part in parts]
    pairs = [pair for at, pair in enumerate(pairs) if all(has[at] for has in usable)]
    if not pairs or len(methods) < 2:
        return None
    columns = []
    for part in parts:
        ranking = rank(part.part(pairs, methods, metrics))
        columns.append(statistics.ranks(ranking.rank, "lower")[[ranking.methods.index(method) for method in methods]])
    ranks = np.stack(columns, axis=1)
    order = np.argsort(ranks.mean(1), kind="stable")
    conventions = tuple(block.convention for block in blocks)
    return Robustness(first.dataset, name, conventions, tuple(methods[at] for at in order), len(pairs), ranks[order])


def _mean(values: Array) -> Array:
    """Mean over the first axis of what is there; NaN where nothing is."""
    known = ~np.isnan(values)
    count = known.sum(0)
    with np.errstate(invalid="ignore"):
        total = np.where(known, values, 0).sum(0)
    return np.divide(total, count, out=np.full(count.shape, np.nan), where=count > 0)


def _median(values: Array) -> Array:
    ordered = np.sort(values, axis=0)  # NaN comes last
    count = (~np.isnan(values)).sum(0)
    ends = [np.take_along_axis(ordered, np.maximum(at, 0)[None], 0)[0] for at in ((count - 1) // 2, count // 2)]
    # The mean of two equal infinities is one; half of each is not.
    return np.where(count > 0, np.where(ends[0] == ends[1], ends[0], ends[0] / 2 + ends[1] / 2), np.nan)


def _deviation(values: Array) -> Array:
    count = (~np.isnan(values)).sum(0)
    with np.errstate(invalid="ignore"):
        apart = np.where(np.isnan(values), 0, values - _mean(values)) ** 2
        total = apart.sum(0)
    return np.sqrt(np.divide(total, count - 1, out=np.full(count.shape, np.nan), where=count > 1))
