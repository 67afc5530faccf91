"""The charts of one leaderboard, each with its caption."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from markupsafe import Markup

from fusionbench.boards import Board
from fusionbench.report import svg
from fusionbench.typesetting import count, number

_FEWEST: Final = 5
"""So many images are needed to speak of a distribution."""
_QUANTILES: Final = (0.05, 0.25, 0.5, 0.75, 0.95)


class Chart(NamedTuple):
    """A drawing, what is said below it, and of which metric it is if it is of a single one."""

    drawing: Markup
    caption: str
    metric: str = ""


def comparisons(board: Board, title: str) -> list[Chart]:
    """Mean ranks with their intervals and, where there are tests, the critical-difference diagram."""
    ranking, intervals, test = board.ranking, board.intervals, board.overall
    if not ranking.compared:
        return []
    rows = []
    for at, method in enumerate(ranking.methods):
        low, high = (None, None) if intervals is None else map(float, intervals.rank[:, at])
        rows.append(svg.Whisker(method, float(ranking.rank[at]), low, high))
    places = list(range(len(rows)))
    groups = _bars(places, test.groups(places)) if test else []
    caption = f"Mean rank over {count(len(ranking.compared), 'metric')}"
    caption += f"; lines are {intervals.level:.0%} intervals." if intervals else "."
    if groups:
        caption += " A bar on the right joins methods that Wilcoxon's tests do not tell apart."
    words = f"Mean ranks, {title}: {_listed(rows)}"
    charts = [Chart(svg.whiskers(rows, title=words, axis="mean rank (1 is best)", groups=groups), caption)]
    if test:
        ranks = test.friedman.mean_ranks
        order = sorted(places, key=ranks.__getitem__)
        rows = [svg.Whisker(ranking.methods[at], ranks[at]) for at in order]
        drawing = svg.whiskers(
            rows,
            title=f"Critical differences, {title}: {_listed(rows)}",
            axis="mean rank over the images (1 is best)",
            groups=_bars(order, test.cd_groups()),
            distance=test.cd,
        )
        caption = (
            "Mean over the images of the rank by all metrics together. A bar on the right joins methods that Nemenyi's test "
            "does not tell apart: none of them are further from one another than the critical difference."
        )
        charts.append(Chart(drawing, caption))
    return charts


def spreads(board: Board, title: str) -> list[Chart]:
    """The distribution of each metric over the images, where there are enough of them."""
    ranking = board.ranking
    charts = []
    for at in ranking.compared:
        name = ranking.metrics[at]
        values = ranking.values[:, :, at]
        values = values[np.isfinite(values).all(1)]
        if len(values) < _FEWEST:
            continue
        higher = ranking.better[name] == "higher"
        means = values.mean(0)
        order = np.argsort(-means if higher else means, kind="stable")
        quantiles = np.quantile(values, _QUANTILES, axis=0)
        rows = [svg.Box(ranking.methods[m], tuple(quantiles[:, m].tolist()), float(means[m])) for m in order.tolist()]
        axis = f"{name} ({'higher' if higher else 'lower'} is better)"
        caption = (
            f"{name} of {count(len(values), 'image')}, best mean on top: box from the 25th to the 75th percentile, line from "
            "the 5th to the 95th, tick at the median, dot at the mean."
        )
        charts.append(Chart(svg.boxes(rows, title=f"{name} over the images, {title}", axis=axis), caption, name))
    return charts


def redundancy(board: Board, title: str) -> list[Chart]:
    """How much metrics agree; nothing of a single one."""
    related = board.redundancy
    if related is None:
        return []
    order = list(related.order)
    cluster_of = {at: number for number, cluster in enumerate(related.clusters) for at in cluster}
    breaks = [k for k in range(1, len(order)) if cluster_of[order[k]] != cluster_of[order[k - 1]]]
    drawing = svg.matrix(
        [board.voters[at] for at in order],
        related.spearman[np.ix_(order, order)].tolist(),
        title=f"Rank correlation of metrics, {title}",
        breaks=breaks,
    )
    caption = (
        "Spearman's rank correlation of how metrics order the methods within each image, directions taken out. Lines part "
        f"metrics that agree by less than {related.at:g}: {count(len(order), 'metric')}, "
        f"{count(len(related.clusters), 'vote')}."
    )
    return [Chart(drawing, caption)]


def _bars(order: Sequence[int], groups: Sequence[tuple[int, ...]]) -> list[tuple[int, int]]:
    """First and last row of every group of several methods."""
    return [(order.index(group[0]), order.index(group[-1])) for group in groups if len(group) > 1]


def _listed(rows: Sequence[svg.Whisker]) -> str:
    return ", ".join(f"{row.label} {number(row.value)}" for row in rows)
