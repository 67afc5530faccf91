"""The charts of one leaderboard, each with its caption."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from markupsafe import Markup

from fusionbench import statistics
from fusionbench.ranking import Ranking
from fusionbench.report import svg
from fusionbench.report.words import count, joined
from fusionbench.statistics import Comparison, Intervals

_FEWEST: Final = 5
"""So many images are needed to speak of a distribution."""
_QUANTILES: Final = (0.05, 0.25, 0.5, 0.75, 0.95)


class Chart(NamedTuple):
    """A drawing, what is said below it, and of which metric it is if it is of a single one."""

    drawing: Markup
    caption: str
    metric: str = ""


def comparisons(ranked: Ranking, intervals: Intervals | None, test: Comparison | None, title: str) -> list[Chart]:
    """Mean ranks with their intervals and, where there are tests, the critical-difference diagram."""
    rows = []
    for at, method in enumerate(ranked.methods):
        low, high = (None, None) if intervals is None else map(float, intervals.rank[:, at])
        rows.append(svg.Whisker(method, float(ranked.rank[at]), low, high))
    groups = _bars(range(len(rows)), test.groups(range(len(rows))) if test else [])
    caption = f"Mean rank over {count(len(ranked.compared), 'metric')}"
    caption += f"; lines are {intervals.level:.0%} intervals." if intervals else "."
    if groups:
        caption += " A bar on the right joins methods that Wilcoxon's tests do not tell apart."
    words = f"Mean ranks, {title}: {_listed(rows)}"
    charts = [Chart(svg.whiskers(rows, title=words, axis="mean rank (1 is best)", groups=groups), caption)]
    if test:
        ranks = test.friedman.mean_ranks
        order = sorted(range(len(ranks)), key=ranks.__getitem__)
        rows = [svg.Whisker(ranked.methods[at], ranks[at]) for at in order]
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


def spreads(ranked: Ranking, title: str) -> list[Chart]:
    """The distribution of each metric over the images, where there are enough of them."""
    charts = []
    for at in ranked.compared:
        name = ranked.metrics[at]
        values = ranked.values[:, :, at]
        values = values[np.isfinite(values).all(1)]
        if len(values) < _FEWEST:
            continue
        higher = ranked.better[name] == "higher"
        means = values.mean(0)
        order = np.argsort(-means if higher else means, kind="stable")
        quantiles = np.quantile(values, _QUANTILES, axis=0)
        rows = [svg.Box(ranked.methods[m], tuple(quantiles[:, m].tolist()), float(means[m])) for m in order.tolist()]
        axis = f"{name} ({'higher' if higher else 'lower'} is better)"
        caption = (
            f"{name} of {count(len(values), 'image')}, best mean on top: box from the 25th to the 75th percentile, line from "
            "the 5th to the 95th, tick at the median, dot at the mean."
        )
        charts.append(Chart(svg.boxes(rows, title=f"{name} over the images, {title}", axis=axis), caption, name))
    return charts


def redundancy(ranked: Ranking, title: str) -> Chart | None:
    """How much metrics agree; None of a single one."""
    chosen = list(ranked.compared)
    if len(chosen) < 2:
        return None
    names = [ranked.metrics[at] for at in chosen]
    related = statistics.redundancy(ranked.values[:, :, chosen], [ranked.better[name] for name in names])
    order = list(related.order)
    cluster_of = {at: number for number, cluster in enumerate(related.clusters) for at in cluster}
    breaks = [k for k in range(1, len(order)) if cluster_of[order[k]] != cluster_of[order[k - 1]]]
    drawing = svg.matrix(
        [names[at] for at in order],
        related.spearman[np.ix_(order, order)].tolist(),
        title=f"Rank correlation of metrics, {title}",
        breaks=breaks,
    )
    together = [joined([names[at] for at in cluster]) for cluster in related.clusters if len(cluster) > 1]
    said = f"No two metrics agree by {related.at:g} or more."
    if together:
        said = (
            f"Metrics that agree by {related.at:g} or more are one vote: {'; '.join(together)}. So {len(chosen)} metrics "
            f"are {count(len(related.clusters), 'vote')}."
        )
    caption = "Spearman's rank correlation of how metrics order the methods within each image, directions taken out."
    return Chart(drawing, f"{caption} {said}")


def _bars(order: range | list[int], groups: list[tuple[int, ...]]) -> list[tuple[int, int]]:
    """First and last row of every group of several methods."""
    return [(order.index(group[0]), order.index(group[-1])) for group in groups if len(group) > 1]


def _listed(rows: list[svg.Whisker]) -> str:
    return joined([f"{row.label} {row.value:.2f}" for row in rows])
