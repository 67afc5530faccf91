"""Scores as ranked tables with their statistics, for the screen, a paper, a page or another program."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from fusionbench import statistics, typesetting
from fusionbench.boards import Board, cells, fewer, interval, over
from fusionbench.ranking import Robustness, robustness
from fusionbench.tables import Source, read
from fusionbench.types import UserError
from fusionbench.typesetting import count

if TYPE_CHECKING:
    import pandas as pd

By: TypeAlias = Literal["dataset"]


@dataclass(frozen=True)
class Leaderboard:
    """What `leaderboard` returns; shows itself as a table in notebooks.

    Attributes
    ----------
    boards : tuple of Board
        One a convention and, if asked for, dataset.
    robustness : tuple of Robustness
        How ranks hang on the convention, if there are several.
    pooled : tuple of str
        The datasets, if the images of several are in one board.
    """

    boards: tuple[Board, ...]
    robustness: tuple[Robustness, ...]
    pooled: tuple[str, ...] = ()

    @cached_property
    def table(self) -> pd.DataFrame:
        """A row a method, best first: ``dataset convention method images rank rank_low rank_high borda group`` and, for
        each metric, its mean.

        ``rank_low`` and ``rank_high`` are the ends of the bootstrap interval; methods that share a letter of ``group``
        cannot be told apart.
        """
        return self._frame(lambda board, at, metric: {metric: board.ranking.means[at, _at(board, metric)]})

    @cached_property
    def details(self) -> pd.DataFrame:
        """As `table`, and for each metric also ``_std``, ``_median``, the interval of the mean ``_low`` and ``_high``, and
        ``_rank``; what `to_csv` writes.
        """

        def full(board: Board, at: int, metric: str) -> dict[str, Any]:
            place = at, _at(board, metric)
            low, high = board.intervals.mean[(slice(None), *place)] if board.intervals else (math.nan, math.nan)
            ranking = board.ranking
            return {
                metric: ranking.means[place],
                f"{metric}_std": ranking.stds[place],
                f"{metric}_median": ranking.medians[place],
                f"{metric}_low": low,
                f"{metric}_high": high,
                f"{metric}_rank": ranking.ranks[place],
            }

        return self._frame(full)

    @cached_property
    def ranks(self) -> pd.DataFrame:
        """A row a method: ``dataset convention method``, its mean ``rank``, and its rank by each metric."""
        frame = self._frame(lambda board, at, metric: {metric: board.ranking.ranks[at, _at(board, metric)]})
        return frame.drop(columns=["images", "rank_low", "rank_high", "borda", "group"])

    @cached_property
    def tests(self) -> pd.DataFrame:
        """A row a board and metric: Friedman's test ``n k chi2 p_chi2 F p`` and Nemenyi's ``cd``.

        The metric ``""`` is the mean rank over all of them.
        """
        import pandas as pd

        rows = []
        for label, metric, _, each in self._comparisons():
            test = each.friedman
            said = {"n": test.n, "k": test.k, "chi2": test.chi2, "p_chi2": test.p_chi2, "F": test.f, "p": test.p}
            rows.append({**label, "metric": metric, **said, "cd": each.cd})
        return pd.DataFrame(rows, columns=["dataset", "convention", "metric", *"n k chi2 p_chi2 F p cd".split()])

    @cached_property
    def pairwise(self) -> pd.DataFrame:
        """A row every two methods: ``dataset convention metric one other p effect``.

        ``p`` is Wilcoxon's, corrected by Holm; ``effect`` the rank-biserial correlation, positive where ``one`` is better.
        """
        import pandas as pd

        rows = []
        for label, metric, names, each in self._comparisons():
            for one, other in zip(*np.triu_indices(len(names), 1), strict=True):
                ends = {"one": names[one], "other": names[other]}
                numbers = {"p": each.p[one, other], "effect": each.effect[one, other]}
                rows.append({**label, "metric": metric, **ends, **numbers})
        return pd.DataFrame(rows, columns=["dataset", "convention", "metric", "one", "other", "p", "effect"])

    def notes(self) -> list[str]:
        """Sentences on what is pooled, and on what the choice of a convention does to the ranks."""
        said = self._pooling()
        for each in self.robustness:
            where = f" on {each.dataset}" * bool(each.dataset)
            what = each.metric or "the mean rank over the shared metrics"
            over_ = f"{count(len(each.conventions), 'convention')} ({', '.join(each.conventions)}){where}"
            if len(set(each.winners)) > 1:
                winners = (
                    f"{' and '.join(names)} under {whose}"
                    for names, whose in zip(each.winners, each.conventions, strict=True)
                )
                said.append(f"By {what}, the best of {over_} is {', '.join(winners)}.")
            elif not each.metric:
                said.append(f"By {what}, {' and '.join(each.winners[0])} is best under all {over_}.")
            moved = [
                f"{name} {interval(ends)}"
                for name, ends in zip(each.methods, each.intervals, strict=True)
                if ends[0] < ends[1]
            ]
            if not each.metric and moved:
                said.append(f"Ranks from the best to the worst convention: {', '.join(moved)}.")
        return said

    def _pooling(self) -> list[str]:
        names = ", ".join(f"'{name}'" for name in self.pooled)
        return [f"The images of {names} are pooled, each image counting alike."] if names else []

    def to_csv(self) -> str:
        """`details` with every digit; an empty cell where there is no number."""
        text = io.StringIO()
        self.details.to_csv(text, index=False, lineterminator="\n")
        return text.getvalue()

    def to_markdown(self, *, std: bool = False, median: bool = False) -> str:
        """A section a board: the table, then the notes.

        Parameters
        ----------
        std, median : bool
            Give these too, as ``mean ± std (median)``.
        """
        parts = []
        for board in self.boards:
            notes = "".join(f"- {typesetting.markdown_text(note)}\n" for note in board.notes())
            header, rows = cells(board, std=std, median=median)
            parts.append(
                f"## {typesetting.markdown_text(board.title)}\n\n{typesetting.markdown(header, rows)}\n{notes}"
            )
        if self.notes():
            parts.append("## In all\n\n" + "".join(f"- {typesetting.markdown_text(note)}\n" for note in self.notes()))
        return "\n".join(parts)

    def to_latex(
        self, *, std: bool = False, median: bool = False, colour: bool = False, standalone: bool = False
    ) -> str:
        r"""A float a board, for ``\input`` as it is; its first lines name the packages that it needs.

        Parameters
        ----------
        std, median : bool
            As for `to_markdown`.
        colour : bool
            Best red and second blue instead of bold and underlined.
        standalone : bool
            A whole document instead.
        """
        floats = []
        for board in self.boards:
            header, rows = cells(board, std=std, median=median)
            marks = "in red, the second in blue" if colour else "in bold, the second underlined"
            title = ", ".join(filter(None, [board.ranking.dataset, f"convention {board.ranking.convention}"]))
            caption = " ".join(
                filter(
                    None,
                    [f"{title}.", over(board.ranking), fewer(board.ranking), *self._pooling(), f"The best is {marks}."],
                )
            )
            label = "tab:" + re.sub(r"[^A-Za-z0-9]+", "-", f"leaderboard {board.title}").strip("-")
            floats.append(typesetting.latex(header, rows, caption=caption, label=label, colour=colour))
        body = "\n".join(floats)
        warning = typesetting.latex_warning(body)
        if standalone:
            return warning + typesetting.latex_document(body, colour=colour)
        return warning + "".join(f"% {line}\n" for line in typesetting.latex_packages(colour).splitlines()) + body

    def to_dict(self) -> dict[str, Any]:
        """Everything, as JSON can hold it but for NaN and infinities."""
        return {
            "boards": [_described(board) for board in self.boards],
            "robustness": [
                {
                    "dataset": each.dataset,
                    "metric": each.metric,
                    "pairs": each.pairs,
                    "ranks": {
                        whose: dict(zip(each.methods, column.tolist(), strict=True))
                        for whose, column in zip(each.conventions, each.ranks.T, strict=True)
                    },
                }
                for each in self.robustness
            ],
            "notes": self.notes(),
        }

    def _repr_html_(self) -> str:
        parts = []
        for board in self.boards:
            parts.append(f"<h4>{escape(board.title)}</h4>\n" + typesetting.page_table(*cells(board)))
            parts += [f"<p>{escape(note)}</p>\n" for note in board.notes()]
        return "".join([*parts, *(f"<p>{escape(note)}</p>\n" for note in self.notes())])

    def _frame(self, of_metric: Callable[[Board, int, str], dict[str, Any]]) -> pd.DataFrame:
        import pandas as pd

        rows = []
        for board in self.boards:
            ranking = board.ranking
            ends = board.intervals.rank if board.intervals else np.full((2, len(ranking.methods)), np.nan)
            for at, method in enumerate(ranking.methods):
                row = {
                    "dataset": ranking.dataset,
                    "convention": ranking.convention,
                    "method": method,
                    "images": ranking.images[at],
                    "rank": ranking.rank[at],
                    "rank_low": ends[0, at],
                    "rank_high": ends[1, at],
                    "borda": ranking.borda[at],
                    "group": board.letters()[at],
                }
                for metric in ranking.metrics:
                    row |= of_metric(board, at, metric)
                rows.append(row)
        return pd.DataFrame(rows)

    def _comparisons(self) -> Iterable[tuple[dict[str, str], str, tuple[str, ...], statistics.Comparison]]:
        for board in self.boards:
            label = {"dataset": board.ranking.dataset, "convention": board.ranking.convention}
            if board.overall:
                yield label, "", board.ranking.methods, board.overall
            for metric, each in board.by_metric.items():
                yield label, metric, board.ranking.methods, each


def leaderboard(
    scores: Source | Iterable[Source],
    *,
    by: By | None = None,
    metrics: str | Iterable[str] | None = None,
    methods: str | Iterable[str] | None = None,
    lower: Iterable[str] = (),
    higher: Iterable[str] = (),
    alpha: float = 0.05,
    resamples: int = 2000,
    seed: int = 0,
) -> Leaderboard:
    """Rank methods by their scores, with statistics.

    Means, ranks and tests are over the images that all methods have. What is scored under different conventions is never
    mixed: each convention has a board of its own.

    Parameters
    ----------
    scores, metrics, methods, lower, higher
        As for `fusionbench.tables.read`: files or tables of scores, and which of them.
    by : {"dataset"}, optional
        One board a dataset, too; by default the images of all datasets are pooled.
    alpha : float
        Level of significance of the tests; the bootstrap intervals hold 1 - alpha.
    resamples, seed : int
        Of the bootstrap: how often images are drawn, and from which state of the generator.

    Returns
    -------
    Leaderboard

    Raises
    ------
    UserError
        As `fusionbench.tables.read`, or if an option cannot be what it is.

    Examples
    --------
    >>> import pandas as pd
    >>> scores = pd.DataFrame({"method": ["A", "A", "B", "B"], "image": ["1", "2"] * 2, "EN": [7.0, 6, 7, 6.5]})
    >>> leaderboard(scores).table[["method", "rank", "EN"]].values.tolist()
    [['B', 1.0, 6.75], ['A', 2.0, 6.5]]
    """
    if by not in (None, "dataset"):
        raise UserError(f"Boards cannot be made by '{by}': leave it out, or say 'dataset'.")
    if not 0 < alpha < 1:
        raise UserError(f"The level of significance cannot be {alpha}: give a number between 0 and 1, e.g. 0.05.")
    if resamples < 1:
        raise UserError(f"The bootstrap cannot draw {resamples} times: give a number from 1, e.g. 2000.")
    table = read(scores, metrics=metrics, methods=methods, lower=lower, higher=higher)
    blocks = table.blocks(by_dataset=by == "dataset")
    boards = tuple(Board.of(block, alpha=alpha, resamples=resamples, seed=seed) for block in blocks)
    pooled = table.datasets if by is None and len(table.datasets) > 1 else ()
    return Leaderboard(boards, tuple(robustness(blocks)), pooled)


def _at(board: Board, metric: str) -> int:
    # Where a metric stands in the arrays.
    return board.ranking.metrics.index(metric)


def _described(board: Board) -> dict[str, Any]:
    ranking = board.ranking
    ends = board.intervals.rank.T.tolist() if board.intervals else [None] * len(ranking.methods)
    means = board.intervals.mean.tolist() if board.intervals else None

    def by_metric(values: Sequence[Any]) -> dict[str, Any]:
        return dict(zip(ranking.metrics, values, strict=True))

    return {
        "dataset": ranking.dataset,
        "convention": ranking.convention,
        "pairs": ranking.pairs,
        "counted": by_metric(ranking.counted),
        "better": dict(ranking.better),
        "methods": [
            {
                "method": method,
                "images": ranking.images[at],
                "rank": ranking.rank[at].item(),
                "rank_interval": ends[at],
                "borda": ranking.borda[at].item(),
                "group": letters,
                "means": by_metric(ranking.means[at].tolist()),
                "mean_intervals": by_metric(list(zip(means[0][at], means[1][at], strict=True))) if means else None,
                "medians": by_metric(ranking.medians[at].tolist()),
                "stds": by_metric(ranking.stds[at].tolist()),
                "ranks": by_metric(ranking.ranks[at].tolist()),
            }
            for at, (method, letters) in enumerate(zip(ranking.methods, board.letters(), strict=True))
        ],
        "overall": _comparison(board.overall) if board.overall else None,
        "by_metric": {metric: _comparison(each) for metric, each in board.by_metric.items()},
        "redundancy": {
            "metrics": board.voters,
            "spearman": board.redundancy.spearman.tolist(),
            "kendall": board.redundancy.kendall.tolist(),
            "one_vote": board.one_vote,
        }
        if board.redundancy
        else None,
        "notes": board.notes(),
    }


def _comparison(each: statistics.Comparison) -> dict[str, Any]:
    test = each.friedman
    return {
        "friedman": {name: getattr(test, name) for name in ("n", "k", "mean_ranks", "chi2", "p_chi2", "f", "p")},
        "critical_difference": each.cd,
        "wilcoxon_holm_p": each.p.tolist(),
        "rank_biserial": each.effect.tolist(),
    }
