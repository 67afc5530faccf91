"""One leaderboard a dataset and convention, as the page shows it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from fusionbench import ranking, statistics
from fusionbench.ranking import Ranking, Robustness
from fusionbench.report import charts, verdicts
from fusionbench.report.charts import Chart
from fusionbench.report.groups import groups_of, title_of
from fusionbench.report.words import count, joined, number
from fusionbench.statistics import Intervals
from fusionbench.tables import Block, Table

_PLACES: Final = {1: "best", 2: "second"}


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in a cell, what it is sorted by, what stands below in small type, and its class."""

    text: str
    value: str
    below: str = ""
    place: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """One metric."""

    name: str
    better: str
    title: str
    groups: str


@dataclass(frozen=True, slots=True)
class Line:
    """One method."""

    method: str
    images: int
    rank: Cell
    borda: Cell
    robust: Cell
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Board:
    """Everything about one dataset (or all, pooled) under one convention.

    Attributes
    ----------
    key : str
        Number of the dataset in the table, or ``"all"``.
    convention, title : str
        Whose definitions; what stands above.
    ranked, robust : bool
        Whether methods are compared at all, and with their places under other conventions too.
    columns, lines : sequence
        The table, best method first.
    notes, statistics : sequence of str
        Sentences below the table, and what the tests say.
    pairwise : sequence of tuple of str
        Tests of every two methods: better, worse, p, effect size.
    comparisons, spreads, redundancy : sequence of Chart
        Charts; empty where there is nothing to show.
    """

    key: str
    convention: str
    title: str
    ranked: bool
    robust: bool
    columns: Sequence[Column]
    lines: Sequence[Line]
    notes: Sequence[str]
    statistics: Sequence[str] = ()
    pairwise: Sequence[tuple[str, ...]] = ()
    comparisons: Sequence[Chart] = ()
    spreads: Sequence[Chart] = ()
    redundancy: Sequence[Chart] = ()


def boards_of(table: Table) -> list[Board]:
    """A board for each convention and dataset and, where there are several datasets, for all of them pooled.

    Parameters
    ----------
    table : Table
        From `fusionbench.tables.read`.

    Returns
    -------
    list of Board
    """
    keyed = [(str(table.datasets.index(block.dataset)), block) for block in table.blocks(by_dataset=True)]
    if len(table.datasets) > 1:
        keyed = [("all", block) for block in table.blocks()] + keyed
    found = []
    for key in dict.fromkeys(key for key, _ in keyed):
        blocks = [block for each, block in keyed if each == key]
        # Pooled, conventions may lack different datasets; what they share is compared all the same.
        overall = [each for each in ranking.robustness(blocks) if not each.metric] if len(blocks) > 1 else []
        dataset = "All datasets" if key == "all" else table.datasets[int(key)]
        for block in blocks:
            title = f"{dataset}, {block.convention}" if dataset else block.convention
            found.append(_board(key, title, block, overall[0] if len(overall) == 1 else None))
    return found


def _board(key: str, title: str, block: Block, across: Robustness | None) -> Board:
    ranked = ranking.rank(block)
    better = [ranked.better[name] for name in ranked.metrics]
    intervals = statistics.bootstrap(ranked.values, better) if len(ranked.pairs) > 1 else None
    places = dict(zip(across.methods, across.intervals, strict=True)) if across else {}
    columns = [Column(name, ranked.better[name], title_of(name), groups_of(name)) for name in ranked.metrics]
    lines = [_line(ranked, at, intervals, places) for at in range(len(ranked.methods))]
    notes = _notes(ranked, intervals)
    if not ranked.compared:
        return Board(key, block.convention, title, False, False, columns, lines, notes)
    if across:
        notes.append(
            f"Place by convention: best and worst place of a method under {joined(across.conventions)}, by the metrics that "
            f"all of these have, on {count(across.pairs, 'image')}."
        )
    votes = ranked.votes()
    test = statistics.compare(votes, "lower") if len(votes) > 1 else None
    related = charts.redundancy(ranked, title)
    return Board(
        key,
        block.convention,
        title,
        True,
        bool(places),
        columns,
        lines,
        notes,
        verdicts.sentences(ranked, test),
        verdicts.pairs(ranked, test),
        charts.comparisons(ranked, intervals, test, title),
        charts.spreads(ranked, title),
        [related] if related else [],
    )


def _line(ranked: Ranking, at: int, intervals: Intervals | None, places: Mapping[str, tuple[float, float]]) -> Line:
    method = ranked.methods[at]
    cells = []
    for m in range(len(ranked.metrics)):
        mean, spread = float(ranked.means[at, m]), float(ranked.stds[at, m])
        below = "" if math.isnan(spread) else f"± {number(spread, 2)}"
        cells.append(Cell(number(mean), _sortable(mean), below, _PLACES.get(int(ranked.places[at, m]), "")))
    rank = float(ranked.rank[at])
    interval = ""
    if intervals is not None and not math.isnan(rank):
        interval = f"{intervals.rank[0, at]:.2f} to {intervals.rank[1, at]:.2f}"
    low, high = places.get(method, (math.nan, math.nan))
    between = f"{low:g}" if low == high else f"{low:g} to {high:g}"
    return Line(
        method,
        ranked.images[at],
        Cell("–" if math.isnan(rank) else f"{rank:.2f}", _sortable(rank), interval),
        Cell(f"{ranked.borda[at]:g}", _sortable(float(ranked.borda[at]))),
        Cell("–" if math.isnan(low) else between, _sortable((low + high) / 2)),
        tuple(cells),
    )


def _sortable(value: float) -> str:
    """A number as JavaScript reads it; empty for none."""
    if math.isnan(value):
        return ""
    return repr(value) if math.isfinite(value) else f"{'-' * (value < 0)}Infinity"


def _notes(ranked: Ranking, intervals: Intervals | None) -> list[str]:
    methods = len(ranked.methods)
    if not ranked.pairs:
        return [
            f"No image is common to all {methods} methods: each mean is over the method's own images, so that they cannot be "
            "compared and are not ranked."
        ]
    common = len(ranked.pairs)
    images = count(common, "image")
    if methods == 1:
        return [f"Means over {images}, and below them the standard deviation. A single method has no rank."]
    counts = zip(ranked.methods, ranked.images, strict=True)
    more = [f"{name} has {own - common} more" for name, own in counts if own > common]
    notes = [
        f"Means over the {images} that all {methods} methods have{f' ({joined(more)})' if more else ''}, and below them the "
        "standard deviation; best bold, second underlined."
    ]
    rank = f"Mean rank over the {count(len(ranked.compared), 'metric')} that can be compared"
    if intervals is not None:
        rank += (
            f", and below it its {intervals.level:.0%} interval ({intervals.resamples} bootstrap samples of the images)"
        )
    notes.append(f"{rank}. Borda: how many of the other methods it beats, over all metrics.")
    fewer = [f"{name} over {own}" for name, own in zip(ranked.metrics, ranked.counted, strict=True) if own < common]
    if fewer:
        notes.append(f"Where one method has no value, the image counts for none: {joined(fewer)} of {images}.")
    return notes
