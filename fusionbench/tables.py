"""Scores of any origin as one tidy table, with the direction of every metric, and as cubes to compute on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fusionbench import sheets
from fusionbench.registry import unknown
from fusionbench.store import Row
from fusionbench.types import Better, UserError

if TYPE_CHECKING:
    import pandas as pd

Source: TypeAlias = "str | Path | pd.DataFrame | Table"
"""A file of scores, a folder of results, a table in memory, or what `read` returned."""

# What published tables call metrics that have a card here; small letters, and nothing but letters and digits.
_ALSO_CALLED: Final = {
    "averagegradient": "AG",
    "avggradient": "AG",
    "colorfulness": "CF",
    "colourfulness": "CF",
    "correlationcoefficient": "CC",
    "crossentropy": "CE",
    "definition": "DF",
    "edgeassociation": "Qabf",
    "edgeintensity": "EI",
    "entropy": "EN",
    "figuredefinition": "DF",
    "fmi": "FMI_pixel",
    "informationentropy": "EN",
    "meansquarederror": "MSE",
    "meansquareerror": "MSE",
    "multiscalessim": "MS-SSIM",
    "mutinf": "MI",
    "mutualinformation": "MI",
    "ncie": "Q_NCIE",
    "normalisedmutualinformation": "NMI",
    "normalizedmutualinformation": "NMI",
    "peaksignalnoiseratio": "PSNR",
    "peaksignaltonoiseratio": "PSNR",
    "qg": "Qabf",
    "qmi": "NMI",
    "rootmeansquarederror": "RMSE",
    "rootmeansquareerror": "RMSE",
    "spatialfrequency": "SF",
    "standarddeviation": "SD",
    "std": "SD",
    "std2": "SD",
    "structuralsimilarity": "SSIM",
    "structuralsimilarityindex": "SSIM",
    "sumofthecorrelationsofdifferences": "SCD",
    "te": "Q_TE",
    "variance": "SD",
    "visualinformationfidelity": "VIF",
}
# Directions, as their papers say, of metrics that may have no card here.
_ELSEWHERE: Final[dict[str, Better]] = {
    "brisque": "lower",
    "lpips": "lower",
    "niqe": "lower",
}


@dataclass(frozen=True, slots=True)
class Block:
    """Scores that may be compared with one another, as a cube: of one convention, and of one dataset or of all.

    Attributes
    ----------
    dataset, convention : str
        Which; the dataset is empty if there is none, or if several are pooled.
    pairs, methods, metrics : tuple of str
        The names along the three axes.
    better : mapping of str to {"higher", "lower"}
        The direction of every metric.
    values : ndarray of float64, (pairs, methods, metrics)
        NaN where there is no value.
    present : ndarray of bool, (pairs, methods)
        Whether the method has any score of that pair, if only NaN.
    """

    dataset: str
    convention: str
    pairs: tuple[str, ...]
    methods: tuple[str, ...]
    metrics: tuple[str, ...]
    better: Mapping[str, Better]
    values: NDArray[np.float64]
    present: NDArray[np.bool_]

    def part(self, pairs: Sequence[str], methods: Sequence[str], metrics: Sequence[str]) -> Block:
        """Some of it, in the order given."""
        at = [self.pairs.index(name) for name in pairs], [self.methods.index(name) for name in methods]
        values = self.values[np.ix_(*at, [self.metrics.index(name) for name in metrics])]
        better = {name: self.better[name] for name in metrics}
        names = tuple(pairs), tuple(methods), tuple(metrics)
        return Block(self.dataset, self.convention, *names, better, values, self.present[np.ix_(*at)])

    @classmethod
    def of_rows(cls, rows: Sequence[Row], better: Mapping[str, Better], convention: str = sheets.UNKNOWN) -> Block:
        """The cube of what was just scored; the metrics are those of `better`."""
        pairs = {name: at for at, name in enumerate(dict.fromkeys(row.pair for row in rows))}
        methods = {name: at for at, name in enumerate(dict.fromkeys(row.method for row in rows))}
        values = np.full((len(pairs), len(methods), len(better)), np.nan)
        present = np.zeros(values.shape[:2], bool)
        for row in rows:
            place = pairs[row.pair], methods[row.method]
            values[place] = [row.values[metric] for metric in better]
            present[place] = True
        return cls("", convention, tuple(pairs), tuple(methods), tuple(better), dict(better), values, present)


@dataclass(frozen=True)
class Table:
    """Scores in tidy form.

    Attributes
    ----------
    frame : pandas.DataFrame
        Columns ``dataset pair method metric convention value``, text but for the value, which is float64; one row a
        score, in the order of the files. No two rows have the same labels. NaN: the metric has no value for that image.
    better : mapping of str to {"higher", "lower"}
        The metrics, in the order of the files or as chosen, and the direction of each.
    metas : mapping of str to mapping
        By name of the file, what `fusionbench.store.Scores.meta` said of it; files that came without are not in it.
    """

    frame: pd.DataFrame
    better: Mapping[str, Better]
    metas: Mapping[str, Mapping[str, Any]]

    @property
    def metrics(self) -> tuple[str, ...]:
        """Every metric, in the order of the files or as chosen."""
        return tuple(self.better)

    @property
    def methods(self) -> tuple[str, ...]:
        """Every method, in the order of the files."""
        return tuple(self.frame["method"].unique())

    @property
    def datasets(self) -> tuple[str, ...]:
        """Every dataset; ``""`` stands for scores that name none."""
        return tuple(self.frame["dataset"].unique())

    @property
    def conventions(self) -> tuple[str, ...]:
        """Every convention."""
        return tuple(self.frame["convention"].unique())

    def blocks(self, *, by_dataset: bool = False) -> list[Block]:
        """The cubes of the table: one a convention and, if asked for, dataset.

        Scores under different conventions are never in one cube. If datasets are pooled, a pair is called
        ``dataset/pair``.
        """
        keys = ["convention", "dataset"] if by_dataset else ["convention"]
        return [self._block(part) for _, part in self.frame.groupby(keys, sort=False)]

    def _block(self, part: pd.DataFrame) -> Block:
        import pandas as pd

        datasets = part["dataset"].unique()
        pairs = part["pair"] if len(datasets) == 1 else part["dataset"] + "/" + part["pair"]
        there = set(part["metric"].unique())
        metrics = [metric for metric in self.better if metric in there]
        pair_at, pair_names = pd.factorize(pairs)
        method_at, method_names = pd.factorize(part["method"])
        metric_at = part["metric"].map({metric: at for at, metric in enumerate(metrics)}).to_numpy()
        values = np.full((len(pair_names), len(method_names), len(metrics)), np.nan)
        values[pair_at, method_at, metric_at] = part["value"].to_numpy()
        present = np.zeros(values.shape[:2], bool)
        present[pair_at, method_at] = True
        return Block(
            str(datasets[0]) if len(datasets) == 1 else "",
            str(part["convention"].iloc[0]),
            tuple(map(str, pair_names)),
            tuple(map(str, method_names)),
            tuple(metrics),
            {metric: self.better[metric] for metric in metrics},
            values,
            present,
        )


def read(
    scores: Source | Iterable[Source],
    *,
    metrics: str | Iterable[str] | None = None,
    methods: str | Iterable[str] | None = None,
    lower: Iterable[str] = (),
    higher: Iterable[str] = (),
) -> Table:
    """Read scores, whoever made them.

    Parameters
    ----------
    scores : str, Path, pandas.DataFrame, Table, or several of them
        Files ``.csv``, ``.parquet`` or ``.xlsx``, folders with one such file called ``scores``, or tables in memory. A table
        is wide (a column ``method``, one of ``image`` or ``pair``, and one a metric) or long (columns ``metric`` and
        ``value`` instead); columns ``dataset`` and ``convention`` (or ``implementation``) are optional in both. Without
        ``image`` and ``pair``, a number is what is known of the method as a whole.
    metrics : str or iterable of str, optional
        Which: ``"all"``, the default; ``"core"``; or names, separated by commas if in one string. They come in this order.
        What is not chosen need not be a number, and its direction need not be known.
    methods : str or iterable of str, optional
        Which, by name; by default all.
    lower, higher : iterable of str
        Metrics of which lower or higher values are better. Needed for those of which neither the meta data of the file
        nor a metric's card tells; where they do, what is said here wins.

    Returns
    -------
    Table

    Raises
    ------
    UserError
        If a file cannot be read, lacks a column or has something that is not a number; if a score is there twice; if a
        metric or method does not exist; or if nobody says which direction of a metric is better.

    Examples
    --------
    >>> import pandas as pd
    >>> mine = pd.DataFrame({"method": ["A", "B"], "image": ["1.png", "1.png"], "EN": [7.0, 6.5]})
    >>> table = read(mine)
    >>> table.frame.values.tolist()[1], dict(table.better)
    (['', '1', 'B', 'EN', 'unknown', 6.5], {'EN': 'higher'})
    """
    import pandas as pd

    sources = [scores] if isinstance(scores, str | Path | pd.DataFrame | Table) else list(scores)
    if not sources:
        raise UserError("There are no scores to read: name at least one file.")
    wanted = _words(metrics)
    if wanted and "all" in wanted:
        wanted = None
    named = None if wanted is None else {name.casefold() for word in wanted for name in _group(word)}
    frames: list[pd.DataFrame] = []
    there: list[str] = []
    better: dict[str, Better] = {}
    metas: dict[str, Mapping[str, Any]] = {}
    for number, source in enumerate(sources, 1):
        if isinstance(source, Table):
            part = source.frame if named is None else source.frame[source.frame["metric"].str.casefold().isin(named)]
            there += source.metrics
            better |= dict(source.better)
            metas |= dict(source.metas)
        else:
            in_memory = isinstance(source, pd.DataFrame)
            sheet = sheets.from_frame(source, f"table {number}") if in_memory else sheets.from_path(Path(source))
            part = sheet.tidy(named)
            there += sheet.metrics
            better |= sheet.better
            if sheet.meta:
                metas[sheet.name.strip("'")] = sheet.meta
        frames.append(part)
    frame = pd.concat(frames, ignore_index=True)
    chosen = _chosen_metrics(wanted, list(dict.fromkeys(there)))
    frame = frame[frame["metric"].isin(chosen)]
    if (only := _words(methods)) is not None:
        frame = frame[frame["method"].isin([_one_of("method", name, frame["method"].unique()) for name in only])]
    if frame.empty:
        raise UserError("There is not a single score in what was given: check the tables, and what was chosen of them.")
    _refuse_twins(frame)
    said: dict[str, Better] = {_one_of("metric", name, chosen): "lower" for name in lower}
    for name in (_one_of("metric", name, chosen) for name in higher):
        if name in said:
            raise UserError(f"'{name}' is said to be better both higher and lower: say one of them.")
        said[name] = "higher"
    directions = _directions(chosen, better | said)
    return Table(frame.reset_index(drop=True), directions, metas)


def _words(words: str | Iterable[str] | None) -> list[str] | None:
    if words is None:
        return None
    split = ",".join([words] if isinstance(words, str) else words).split(",")
    return [word.strip() for word in split if word.strip()]


def _group(word: str) -> Sequence[str]:
    if word != "core":
        return [word]
    from fusionbench.metrics import CORE

    return CORE


def _chosen_metrics(wanted: Sequence[str] | None, there: Sequence[str]) -> list[str]:
    if wanted is None:
        return list(there)
    folded = {name.casefold(): name for name in there}
    chosen: list[str] = []
    for word in wanted:
        if word == "core":
            chosen += [folded[name.casefold()] for name in _group(word) if name.casefold() in folded]
        else:
            chosen.append(_one_of("metric", word, there))
    return list(dict.fromkeys(chosen))


def _one_of(kind: str, name: str, there: Iterable[str]) -> str:
    """A name as the table spells it."""
    there = list(there)
    if name in there:
        return name
    folded = {each.casefold(): each for each in there}
    if name.casefold() not in folded:
        raise unknown(kind, name, there) if there else UserError(f"There is no {kind} '{name}' in the scores.")
    return folded[name.casefold()]


def _refuse_twins(frame: pd.DataFrame) -> None:
    labels = [column for column in sheets.COLUMNS if column != "value"]
    twins = frame[frame.duplicated(labels)]
    if len(twins):
        first = twins.iloc[0]
        what = f"{first['metric']} of {first['method']}" + f" for '{first['pair']}'" * bool(first["pair"])
        more = f" ({len(twins)} such scores in all)" if len(twins) > 1 else ""
        raise UserError(
            f"{what} is there twice{more}: give every table once, and tell datasets and "
            "conventions apart in columns of these names."
        )


def _directions(metrics: Sequence[str], told: Mapping[str, Better]) -> dict[str, Better]:
    """The direction of each metric: as told, else as its card says, else as is known of metrics without a card."""
    found: dict[str, Better] = {}
    for name in metrics:
        direction = told.get(name) or _known_direction(name)
        if direction is None:
            raise UserError(
                f"It is not known whether more or less of '{name}' is better: say --higher {name} or --lower {name} "
                f"(in Python: higher=['{name}']), or leave it out with --metrics."
            )
        found[name] = direction
    return found


def called_here(name: str) -> str | None:
    """The metric that somebody's table calls so, whatever the case and the signs between letters; None if it is none.

    The names of metrics come first, then what published tables call them: VIFB's ``Variance`` is a standard deviation.

    >>> [called_here(name) for name in ("Q_abf", "Spatial_frequency", "Variance", "votes")]
    ['Qabf', 'SF', 'SD', None]
    """
    from fusionbench.metrics import METRICS

    cards = {_plain(key): key for key in METRICS.names()}
    return cards.get(_plain(name)) or _ALSO_CALLED.get(_plain(name))


def _plain(text: str) -> str:
    return "".join(sign for sign in text.casefold() if sign.isalnum())


def _known_direction(name: str) -> Better | None:
    from fusionbench.metrics import METRICS

    if key := called_here(name):
        return METRICS[key].card.better
    return _ELSEWHERE.get(_plain(name))
