"""Numbers that somebody published: what they are of, and how many digits of them were printed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final

from fusionbench import sheets
from fusionbench.tables import called_here
from fusionbench.types import UserError

_ALL_DIGITS: Final = 12
"""A column with so many significant digits was printed in full; its last one is rounding, not a statement."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One number.

    Attributes
    ----------
    metric, column : str
        Our name of the metric, and what the table calls it.
    dataset, convention, method, pair : str
        As the table says; empty where it does not. Without a pair, the number is the mean over images of the method.
    value : float
        The number; never NaN.
    slack : float
        Half a unit of the last digit printed; 0 if it was printed in full.
    """

    metric: str
    column: str
    dataset: str
    convention: str
    method: str
    pair: str
    value: float
    slack: float


@dataclass(frozen=True, slots=True)
class Claims:
    """The numbers of one table, and the names of the columns that are no metric here."""

    name: str
    claims: tuple[Claim, ...]
    unknown: tuple[str, ...]

    @property
    def columns(self) -> dict[str, str]:
        """What the table calls its metrics -> our names."""
        return {claim.column: claim.metric for claim in self.claims}


def read(path: Path, metrics: str | None = None) -> Claims:
    """Read a table of published numbers.

    Parameters
    ----------
    path : Path
        ``.csv``, ``.parquet`` or ``.xlsx``, wide or long, as `fusionbench.tables.read` takes them; a column ``method`` may
        be lacking if all numbers are one method's.
    metrics : str, optional
        Names separated by commas, the table's or ours: which columns to take. By default all that are metrics.

    Returns
    -------
    Claims

    Raises
    ------
    UserError
        If the table cannot be read, holds no number of a metric, or lacks a metric asked for.
    """
    sheet = sheets.from_path(path)
    if "method" not in map(str.casefold, sheet.columns):
        sheet = replace(sheet, columns={**sheet.columns, "method": [sheets.UNKNOWN] * len(sheet.places)})
    names = {column: called_here(column) for column in sheet.metrics}
    chosen = _chosen(names, metrics, sheet.name)
    if not any(chosen.values()):
        raise UserError(_no_metric(sheet.name, chosen))
    known = {column: name for column, name in chosen.items() if name}
    frame = sheet.tidy({column.casefold() for column in known})
    units = {column: _units(_cells(sheet, column)) for column in known}
    labels = zip(*(frame[name] for name in sheets.COLUMNS), strict=True)
    claims = [
        Claim(
            known[column],
            column,
            dataset,
            "" if whose == sheets.UNKNOWN else whose,
            "" if method == sheets.UNKNOWN else method,
            pair,
            value,
            units[column].slack(value),
        )
        for dataset, pair, method, column, whose, value in labels
        if column in known and math.isfinite(value)  # infinity, as PSNR of a copy, tells nothing apart
    ]
    if not claims:
        raise UserError(f"{sheet.name} has no number in {', '.join(known)}: fill them, or give another table.")
    return Claims(sheet.name, tuple(claims), tuple(column for column, name in chosen.items() if not name))


def from_row(words: Iterable[str]) -> Claims:
    """Numbers given as words.

    Parameters
    ----------
    words : iterable of str
        Each ``NAME=NUMBER``, e.g. ``"SD=9.2"``.

    Raises
    ------
    UserError
        If a word is no such thing, or names no metric or one twice.
    """
    claims: list[Claim] = []
    for word in words:
        column, _, text = word.partition("=")
        metric = called_here(column)
        if metric is None:
            raise UserError(f"'{column}' in '{word}' is no metric: 'fusionbench metric list' shows which there are.")
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise UserError(f"'{word}' has no number behind the '=': write it like SD=9.2, with a decimal point.")
        if column in {claim.column for claim in claims}:
            raise UserError(f"'{column}' is given twice: give each metric once.")
        claims.append(Claim(metric, column, "", "", "", "", value, _units([text]).slack(value)))
    return Claims("the row", tuple(claims), ())


def together(tables: Sequence[Claims]) -> Claims:
    """Several tables as one."""
    name = ", ".join(table.name for table in tables)
    unknown = dict.fromkeys(column for table in tables for column in table.unknown)
    return Claims(name, tuple(claim for table in tables for claim in table.claims), tuple(unknown))


@dataclass(frozen=True, slots=True)
class _Units:
    """How the numbers of a column are printed: the most decimals, and the most significant digits, of any of them.

    A table of four decimals and one of five significant digits are told apart by looking at all of its numbers.
    """

    decimals: int
    digits: int

    def slack(self, value: float) -> float:
        if self.digits >= _ALL_DIGITS:
            return 0.0
        size = math.floor(math.log10(abs(value))) + 1 if value else -self.decimals
        return 0.5 * 10.0 ** max(-self.decimals, size - self.digits)


def _units(cells: Sequence[Any]) -> _Units:
    decimals = digits = 0
    for cell in cells:
        try:
            number = Decimal(cell.strip() if isinstance(cell, str) else repr(float(cell)))
        except (InvalidOperation, TypeError, ValueError):  # not a number; whoever reads the value says so
            continue
        exponent = number.as_tuple().exponent
        if isinstance(exponent, int):
            decimals = max(decimals, -exponent)
            digits = max(digits, number.adjusted() - exponent + 1)
    return _Units(decimals, digits)


def _cells(sheet: sheets.Sheet, column: str) -> list[Any]:
    """The cells of a metric as they stand in the table."""
    if column in sheet.columns and column.casefold() not in ("metric", "value"):
        return [cell for cell in sheet.columns[column] if cell not in (None, "")]
    folded = {name.casefold(): cells for name, cells in sheet.columns.items()}
    return [cell for name, cell in zip(folded["metric"], folded["value"], strict=True) if str(name).strip() == column]


def _chosen(names: dict[str, str | None], metrics: str | None, table: str) -> dict[str, str | None]:
    if metrics is None:
        return names
    chosen: dict[str, str | None] = {}
    for word in filter(None, map(str.strip, metrics.split(","))):
        wanted = called_here(word)
        found = {
            column: name
            for column, name in names.items()
            if column.casefold() == word.casefold() or (wanted and name == wanted)
        }
        if not found:
            raise UserError(f"{table} has no column '{word}': it has {', '.join(names)}.")
        chosen |= found
    return chosen


def _no_metric(table: str, columns: Iterable[str]) -> str:
    from fusionbench.metrics import METRICS

    there = ", ".join(f"'{column}'" for column in columns)
    return f"{table} has no column that is a metric (it has {there}): name them as here, {', '.join(METRICS.names())}."
