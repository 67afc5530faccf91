"""One ranking with its statistics, and what must be said of it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from fusionbench import redundancy, resampling, statistics
from fusionbench.ranking import Ranking, rank
from fusionbench.redundancy import Redundancy
from fusionbench.tables import Block
from fusionbench.typesetting import ARROW, Cell, count, number

_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class Board:
    """The methods of one convention and, if asked for, one dataset: their ranking and what it is worth.

    Attributes
    ----------
    ranking : Ranking
        Who is better, and the numbers behind it.
    intervals : Intervals or None
        Of means and mean ranks, methods and metrics as in the ranking; None if there is but one image, or nothing is
        compared.
    overall : Comparison or None
        Tests of what all metrics together say of each image (see `Ranking.votes`); None likewise.
    by_metric : mapping of str to Comparison
        Tests of each metric that has values on two images or more.
    redundancy : Redundancy or None
        Which metrics vote as one, metrics as in `voters`; None if fewer than two are compared.
    """

    ranking: Ranking
    intervals: resampling.Intervals | None
    overall: statistics.Comparison | None
    by_metric: Mapping[str, statistics.Comparison]
    redundancy: Redundancy | None

    @classmethod
    def of(cls, block: Block, *, alpha: float = 0.05, resamples: int = 2000, seed: int = 0) -> Board:
        """Rank a block and do all tests."""
        ranking = rank(block)
        better = [ranking.better[metric] for metric in ranking.metrics]
        compared = ranking.compared
        values = ranking.values[..., list(compared)]
        voting = [better[at] for at in compared]
        votes_alike = redundancy.between(values, voting) if len(compared) > 1 else None
        if not compared or len(ranking.pairs) < 2:
            return cls(ranking, None, None, {}, votes_alike)
        by_metric = {}
        for at in compared:
            known = ranking.values[..., at]
            known = known[~np.isnan(known).any(1)]
            if len(known) > 1:
                by_metric[ranking.metrics[at]] = statistics.compare(known, better[at], alpha)
        votes = ranking.votes()
        overall = statistics.compare(votes, "lower", alpha) if len(votes) > 1 else None
        intervals = resampling.bootstrap(ranking.values, better, level=1 - alpha, resamples=resamples, seed=seed)
        return cls(ranking, intervals, overall, by_metric, votes_alike)

    @property
    def voters(self) -> tuple[str, ...]:
        """The metrics that the rank is the mean over."""
        return tuple(self.ranking.metrics[at] for at in self.ranking.compared)

    @property
    def one_vote(self) -> list[tuple[str, ...]]:
        """Metrics that put the methods in nearly the same order, in groups of two and more."""
        # Of two methods every image says one of two things, and most metrics seem to agree.
        clusters = self.redundancy.clusters if self.redundancy and len(self.ranking.methods) > 2 else ()
        return [tuple(self.voters[at] for at in cluster) for cluster in clusters if len(cluster) > 1]

    @property
    def groups(self) -> list[tuple[str, ...]]:
        """Neighbours in the ranking that Wilcoxon's tests cannot tell apart; empty if there was nothing to test."""
        if self.overall is None:
            return []
        names = self.ranking.methods
        return [tuple(names[at] for at in group) for group in self.overall.groups(range(len(names)))]

    @property
    def title(self) -> str:
        """Which board it is."""
        return " · ".join(filter(None, [self.ranking.dataset, self.ranking.convention]))

    def letters(self) -> list[str]:
        """For each method the letters of its groups: who shares one cannot be told apart."""
        groups = self.groups
        return [
            "".join(_letter(at) for at, group in enumerate(groups) if method in group)
            for method in self.ranking.methods
        ]

    def notes(self) -> list[str]:
        """Sentences without which the table must not be read."""
        return list(
            filter(None, [over(self.ranking), fewer(self.ranking), self._tests(), self._groups(), self._votes()])
        )

    def _tests(self) -> str:
        if self.overall is None:
            return "One image tells nothing of luck: there are no tests." if self.ranking.compared else ""
        test = self.overall.friedman
        found = f"Iman-Davenport F = {number(test.f)}" if math.isfinite(test.f) else "all images rank alike"
        verdict = "the methods differ" if test.p < self.overall.alpha else "no difference between the methods is shown"
        return (
            f"Friedman test over {test.n} images, of the mean rank over the metrics within each: {verdict} "
            f"({found}, p {_p(test.p)}); Nemenyi's critical difference of mean ranks is "
            f"{number(self.overall.cd)}."
        )

    def _groups(self) -> str:
        if self.overall is None:
            return ""
        how = f"Wilcoxon's signed-rank tests with Holm's correction at {self.overall.alpha:g}"
        if not self.overall.reachable:
            test = self.overall.friedman
            return f"{test.n} images are too few for {how} to tell any two of {test.k} methods apart."
        alike = [group for group in self.groups if len(group) > 1]
        if not alike:
            return f"{how} tell every two neighbours apart."
        return f"Not distinguishable by {how}: {'; '.join(', '.join(group) for group in alike)}."

    def _votes(self) -> str:
        if not self.redundancy or not self.one_vote:
            return ""
        said = "; ".join(", ".join(group) for group in self.one_vote)
        return f"Nearly one vote each (rank correlation within images {self.redundancy.at:g} or more): {said}."


def cells(board: Board, *, std: bool = False, median: bool = False) -> tuple[list[str], list[list[Cell]]]:
    """Heading and rows for readers: method, rank with its interval, group, Borda count, and a column a metric.

    Parameters
    ----------
    board : Board
        What to show.
    std, median : bool
        Give these too, as ``mean ± std (median)``.

    Returns
    -------
    header : list of str
        Metrics with an arrow for the direction.
    rows : list of list of Cell
        Best first.
    """
    ranking = board.ranking
    ranked, grouped = bool(ranking.compared), bool(board.overall and board.overall.reachable)
    header = ["method", *(["rank"] if ranked else ["images"])]
    if board.intervals:
        header.append(f"{board.intervals.level:.0%} CI")
    header += ["group"] * grouped + ["Borda"] * ranked
    header += [metric + ARROW[ranking.better[metric]] for metric in ranking.metrics]
    letters = board.letters()
    rows = []
    for at, method in enumerate(ranking.methods):
        row = [Cell(method), Cell(number(ranking.rank[at]) if ranked else str(ranking.images[at]))]
        if board.intervals:
            row.append(Cell(interval(board.intervals.rank[:, at])))
        row += [Cell(letters[at])] * grouped + [Cell(f"{ranking.borda[at]:g}")] * ranked
        for metric in range(len(ranking.metrics)):
            text = number(ranking.means[at, metric])
            text += f" ± {number(ranking.stds[at, metric])}" * std
            text += f" ({number(ranking.medians[at, metric])})" * median
            row.append(Cell(text, int(ranking.places[at, metric])))
        rows.append(row)
    return header, rows


def over(ranking: Ranking) -> str:
    """A sentence on what the means and ranks of a table are over."""
    common, methods = len(ranking.pairs), len(ranking.methods)
    if not common:
        return (
            f"No image is common to all {methods} methods: each mean is over the method's own images, so that they "
            "cannot be compared and are not ranked."
        )
    more = ", ".join(
        f"{name} has {images - common} more"
        for name, images in zip(ranking.methods, ranking.images, strict=True)
        if images > common
    )
    images = count(common, "image")
    said = f"Means over the {images} that all {methods} methods have ({more})" if more else f"Means over {images}"
    return said + ("; rank is the mean rank over the metrics." if ranking.compared else ".")


def fewer(ranking: Ranking) -> str:
    """A sentence on the metrics that do not have a value for every image; empty if all have."""
    common = len(ranking.pairs)
    named = zip(ranking.metrics, ranking.counted, strict=True)
    names = [f"{name} {images}" for name, images in named if images < common]
    return f"Over fewer images, for want of a value: {', '.join(names)}." if names else ""


def _letter(at: int) -> str:
    return _LETTERS[at] if at < len(_LETTERS) else f"({at + 1})"


def interval(ends: Sequence[float] | np.ndarray[Any, Any]) -> str:
    """Two ends, to three digits."""
    low, high = ends
    return "-" if math.isnan(low) else f"{low:.3g}–{high:.3g}"


def _p(p: float) -> str:
    return "< 0.0001" if p < 1e-4 else f"= {p:.2g}"
