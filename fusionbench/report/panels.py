"""One leaderboard a dataset and convention, as the page shows it: the table, what the tests say, and charts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from fusionbench.boards import Board, interval
from fusionbench.ranking import Ranking, Robustness, robustness
from fusionbench.report import charts
from fusionbench.report.charts import Chart
from fusionbench.report.groups import groups_of, title_of
from fusionbench.tables import Block, Table
from fusionbench.typesetting import count, number

_PLACES: Final = {1: "best", 2: "second"}


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in a cell, what it is sorted by, what stands below in small type, and its class."""

    text: str
    value: str = ""
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
    """One method; `letters` are shared by those that cannot be told apart, `places` are by convention."""

    method: str
    images: int
    rank: Cell
    letters: str
    borda: Cell
    places: Cell
    cells: Sequence[Cell]


@dataclass(frozen=True, slots=True)
class Panel:
    """Everything about one dataset (or all, pooled) under one convention.

    Attributes
    ----------
    key : str
        Number of the dataset in the table, or ``"all"``.
    convention, title : str
        Whose definitions; what stands above.
    ranked, grouped, across : bool
        Whether methods are compared at all, whether any could be told apart, and whether also between conventions.
    columns, lines : sequence
        The table, best method first.
    notes : sequence of str
        Sentences without which the table must not be read.
    pairwise : sequence of tuple of str
        Tests of every two methods: better, worse, p, effect size.
    comparisons, spreads, redundancy : sequence of Chart
        Charts; empty where there is nothing to show.
    """

    key: str
    convention: str
    title: str
    ranked: bool
    grouped: bool
    across: bool
    columns: Sequence[Column]
    lines: Sequence[Line]
    notes: Sequence[str]
    pairwise: Sequence[tuple[str, ...]]
    comparisons: Sequence[Chart]
    spreads: Sequence[Chart]
    redundancy: Sequence[Chart]


def panels_of(table: Table) -> list[Panel]:
    """A panel for each convention and dataset and, where there are several datasets, for all of them pooled.

    Parameters
    ----------
    table : Table
        From `fusionbench.tables.read`.

    Returns
    -------
    list of Panel
    """
    keyed = [(str(table.datasets.index(block.dataset)), block) for block in table.blocks(by_dataset=True)]
    if len(table.datasets) > 1:
        keyed = [("all", block) for block in table.blocks()] + keyed
    found = []
    for key in dict.fromkeys(key for key, _ in keyed):
        blocks = [block for each, block in keyed if each == key]
        # Conventions that were used on different datasets are not compared: then there is more than one such, or none.
        overall = [each for each in robustness(blocks) if not each.metric]
        dataset = "All datasets" if key == "all" else table.datasets[int(key)]
        for block in blocks:
            title = f"{dataset}, {block.convention}" if dataset else block.convention
            found.append(_panel(key, title, block, overall[0] if len(overall) == 1 else None))
    return found


def _panel(key: str, title: str, block: Block, across: Robustness | None) -> Panel:
    board = Board.of(block)
    ranking = board.ranking
    places = dict(zip(across.methods, across.intervals, strict=True)) if across else {}
    letters = board.letters()
    notes = ["Below each mean is its standard deviation; the best is bold, the second underlined.", *board.notes()]
    if board.intervals:
        notes.append(
            f"Below a mean rank is its {board.intervals.level:.0%} interval ({board.intervals.resamples} bootstrap samples of "
            "the images). Borda: how many of the other methods it beats, over all metrics."
        )
    grouped = bool(board.overall and board.overall.reachable)
    if grouped:
        notes.append("Methods that share a letter cannot be told apart.")
    if across:
        notes.append(
            f"Place by convention: best and worst place under {', '.join(across.conventions)}, by the metrics that all of these "
            f"have, on {count(across.pairs, 'image')}."
        )
    return Panel(
        key,
        block.convention,
        title,
        bool(ranking.compared),
        grouped,
        bool(places),
        [Column(name, ranking.better[name], title_of(name), groups_of(name)) for name in ranking.metrics],
        [_line(board, at, letters[at], places) for at in range(len(ranking.methods))],
        notes,
        _pairwise(board),
        charts.comparisons(board, title),
        charts.spreads(board, title),
        charts.redundancy(board, title),
    )


def _line(board: Board, at: int, letters: str, places: Mapping[str, tuple[float, float]]) -> Line:
    ranking = board.ranking
    rank = float(ranking.rank[at])
    between = interval(board.intervals.rank[:, at]) if board.intervals else ""
    low, high = places.get(ranking.methods[at], (math.nan, math.nan))
    place = f"{low:g}" if low == high else f"{low:g}–{high:g}"
    return Line(
        ranking.methods[at],
        ranking.images[at],
        Cell(number(rank), _sortable(rank), between),
        letters,
        Cell(f"{ranking.borda[at]:g}", _sortable(float(ranking.borda[at]))),
        Cell("-" if math.isnan(low) else place, _sortable((low + high) / 2)),
        [_score(ranking, at, metric) for metric in range(len(ranking.metrics))],
    )


def _score(ranking: Ranking, at: int, metric: int) -> Cell:
    mean, spread = float(ranking.means[at, metric]), float(ranking.stds[at, metric])
    # Nobody reads four digits of a standard deviation.
    below = "" if math.isnan(spread) else f"± {float(f'{spread:.2g}'):g}"
    return Cell(number(mean), _sortable(mean), below, _PLACES.get(int(ranking.places[at, metric]), ""))


def _sortable(value: float) -> str:
    """A number as JavaScript reads it; empty for none."""
    if math.isnan(value):
        return ""
    return repr(value) if math.isfinite(value) else f"{'-' * (value < 0)}Infinity"


def _pairwise(board: Board) -> list[tuple[str, ...]]:
    """The clearest difference first."""
    if board.overall is None:
        return []
    names, rows = board.ranking.methods, []
    for one in range(len(names)):
        for other in range(one + 1, len(names)):
            p, effect = float(board.overall.p[one, other]), float(board.overall.effect[one, other])
            both = (names[one], names[other]) if effect >= 0 else (names[other], names[one])
            rows.append((p, -abs(effect), (*both, "< 0.0001" if p < 1e-4 else f"{p:.2g}", f"{abs(effect):.2f}")))
    return [words for _, _, words in sorted(rows)]
