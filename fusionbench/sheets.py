"""One table of scores as somebody wrote it, wide or long, and what it says: brought into the tidy form."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from fusionbench.images import SUFFIXES
from fusionbench.store import beside
from fusionbench.types import Better, UserError

if TYPE_CHECKING:
    import pandas as pd

COLUMNS: Final = ("dataset", "pair", "method", "metric", "convention", "value")
"""The columns of the tidy form."""
UNKNOWN: Final = "unknown"
"""The convention of numbers that do not say whose definitions they follow."""

# What labels are called in tables, and here.
_LABELS: Final = {
    "dataset": "dataset",
    "pair": "pair",
    "image": "image",
    "method": "method",
    "convention": "convention",
    "implementation": "convention",
}
_IN_A_FOLDER: Final = ("scores.parquet", "scores.csv", "scores.xlsx")


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table as it was found.

    Attributes
    ----------
    name : str
        What messages call it.
    columns : mapping of str to list
        The cells by column: text, numbers or None.
    places : list of str
        What messages call each row.
    meta : mapping of str to object
        How its numbers were made; empty if nobody says.
    """

    name: str
    columns: Mapping[str, list[Any]]
    places: list[str]
    meta: Mapping[str, Any]

    @property
    def better(self) -> dict[str, Better]:
        """The directions that the meta data tell of."""
        return {name: each["better"] for name, each in self.meta.get("metrics", {}).items() if "better" in each}

    @property
    def metrics(self) -> list[str]:
        """Every metric, whether or not its values are numbers."""
        long = self._long()
        if long:
            return list(dict.fromkeys(_text(cell) for cell in self.columns[long[0]]))
        return [name for name in self.columns if name.casefold() not in _LABELS]

    def _long(self) -> tuple[str, str] | None:
        """The columns of metrics and values, if the table is long."""
        folded = {name.casefold(): name for name in self.columns}
        return (folded["metric"], folded["value"]) if {"metric", "value"} <= folded.keys() else None

    def tidy(self, wanted: Collection[str] | None) -> pd.DataFrame:
        """The table with the columns `COLUMNS`.

        Parameters
        ----------
        wanted : collection of str, optional
            Metrics to take, in small letters; the others need not be numbers.

        Raises
        ------
        UserError
            If a column is missing or there twice, or a cell should be a number and is none.
        """
        import pandas as pd

        labels, others = self._labels()
        if long := self._long():
            metric, cells = [_text(cell) for cell in self.columns[long[0]]], self.columns[long[1]]
            rows = [row for row, name in enumerate(metric) if wanted is None or name.casefold() in wanted]
            value = [self._number(cells[row], long[1], row) for row in rows]
            tidy = {name: [column[row] for row in rows] for name, column in labels.items()}
            return pd.DataFrame({**tidy, "metric": [metric[row] for row in rows], "value": value})[list(COLUMNS)]
        chosen = [name for name in others if wanted is None or name.casefold() in wanted]
        tidy = {name: [cell for cell in column for _ in chosen] for name, column in labels.items()}
        count = len(self.places)
        value = [self._number(self.columns[name][row], name, row) for row in range(count) for name in chosen]
        return pd.DataFrame({**tidy, "metric": chosen * count, "value": value})[list(COLUMNS)]

    def _labels(self) -> tuple[dict[str, list[str]], list[str]]:
        """What names the rows, and the columns that do not."""
        found: dict[str, str] = {}
        others = []
        for name in self.columns:
            label = _LABELS.get(name.casefold())
            if label is None:
                others.append(name)
            elif label in found:
                raise UserError(
                    f"{self.name} has two columns that mean {label}, '{found[label]}' and '{name}': keep one."
                )
            else:
                found[label] = name
        if "method" not in found:
            there = ", ".join(f"'{name}'" for name in list(self.columns)[:8]) or "none"
            raise UserError(f"{self.name} has no column 'method' (it has {there}): name the column of methods so.")
        if not others:
            raise UserError(f"{self.name} has no column of scores: give one a metric, or 'metric' and 'value'.")
        labels = {label: [_text(cell) for cell in self.columns[name]] for label, name in found.items()}
        for row, method in enumerate(labels["method"]):
            if not method:
                raise UserError(
                    f"{self.places[row]} names no method: fill the column '{found['method']}' in every row."
                )
        images = labels.pop("image", [""] * len(self.places))
        whose = self.meta.get("convention", {}).get("name", UNKNOWN)
        labels.setdefault("dataset", [""] * len(images))
        labels.setdefault("convention", [whose] * len(images))
        labels["convention"] = [name or whose for name in labels["convention"]]
        if "pair" not in labels:
            called: Mapping[str, Mapping[str, str]] = self.meta.get("pairs", {})
            labels["pair"] = [
                called.get(method, {}).get(image) or _stem(image)
                for method, image in zip(labels["method"], images, strict=True)
            ]
        return labels, others

    def _number(self, cell: Any, column: str, row: int) -> float:
        if isinstance(cell, str):
            cell = cell.strip() or None
        if cell is None:
            return math.nan
        try:
            return float(cell)
        except (TypeError, ValueError):
            raise UserError(
                f"{self.places[row]} has '{cell}' in the column '{column}', which is not a number: correct it, or choose "
                "the metrics that are with --metrics."
            ) from None


def from_frame(frame: pd.DataFrame, name: str) -> Sheet:
    """A table in memory; how its numbers were made is looked for in its ``attrs``."""
    columns = list(map(str, frame.columns))
    if len(set(columns)) < len(columns):
        twice = next(column for column in columns if columns.count(column) > 1)
        raise UserError(f"{name} has two columns '{twice}': rename or remove one.")
    # Others keep other things in attrs.
    meta = dict(frame.attrs) if "fusionbench" in frame.attrs else {}
    cells = {column: [_cell(c) for c in frame.iloc[:, at].tolist()] for at, column in enumerate(columns)}
    return Sheet(name, cells, [f"{name}, row {row + 1}," for row in range(len(frame))], meta)


def from_path(path: Path) -> Sheet:
    """A file of scores, or the one in a folder of results.

    Raises
    ------
    UserError
        If it is not there, of no suffix that can be read, or broken.
    """
    if path.is_dir():
        found = [path / name for name in _IN_A_FOLDER if (path / name).is_file()]
        if len(found) != 1:
            what = "several of" if found else "none of"
            raise UserError(f"The folder '{path}' has {what} {', '.join(_IN_A_FOLDER)}: name the file of scores.")
        path = found[0]
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise UserError(f"'{path}' has no suffix that scores are read from: use {', '.join(_READERS)}.")
    if not path.is_file():
        raise UserError(f"There is no file '{path}': check the name.")
    sheet = reader(path)
    return Sheet(sheet.name, sheet.columns, sheet.places, sheet.meta or _meta(beside(path)))


def _csv(path: Path) -> Sheet:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            first = file.readline()
            file.seek(0)
            delimiter = next((sign for sign in ",;\t" if sign in first), ",")
            reader = csv.reader(file, delimiter=delimiter)
            lines = [(reader.line_num, cells) for cells in reader if cells]
    except UnicodeDecodeError:
        raise UserError(f"'{path}' is not text in UTF-8: save it as 'CSV UTF-8'.") from None
    except csv.Error as error:
        raise UserError(f"'{path}' is not a table of comma-separated values ({error}): export it again.") from None
    if not lines:
        raise UserError(f"'{path}' is empty: check the file.")
    header = [name.strip() for name in lines[0][1]]
    for at, name in enumerate(header):
        if not name or name in header[:at]:
            what = f"two columns '{name}'" if name else "a column without a name"
            raise UserError(f"'{path}' has {what}: correct line 1.")
    for number, cells in lines[1:]:
        if len(cells) != len(header):
            raise UserError(
                f"'{path}', line {number}, has {len(cells)} cells where line 1 has {len(header)}: correct it."
            )
    body = [cells for _, cells in lines[1:]]
    columns = {name: [cells[at] for cells in body] for at, name in enumerate(header)}
    return Sheet(f"'{path}'", columns, [f"'{path}', line {number}," for number, _ in lines[1:]], {})


def _parquet(path: Path) -> Sheet:
    import pandas as pd

    try:
        return from_frame(pd.read_parquet(path), f"'{path}'")
    except UserError:
        raise
    except (OSError, ValueError) as error:
        raise UserError(f"'{path}' is not a Parquet file that can be read: make it again.") from error


def _xlsx(path: Path) -> Sheet:
    from zipfile import BadZipFile

    import pandas as pd

    try:
        frame = pd.read_excel(path, dtype=object, keep_default_na=False)
    except (BadZipFile, OSError, ValueError, KeyError) as error:
        raise UserError(f"'{path}' is not an Excel file that can be read: save it as .xlsx again.") from error
    return from_frame(frame, f"'{path}'")


_READERS: Final[dict[str, Callable[[Path], Sheet]]] = {".csv": _csv, ".parquet": _parquet, ".xlsx": _xlsx}


def _meta(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        meta = json.loads(path.read_bytes())
    except ValueError as error:
        raise UserError(f"'{path}' is not JSON ({error}): restore it, or move it away.") from None
    parts = (
        [meta, *(meta.get(key, {}) for key in ("convention", "metrics", "pairs"))] if isinstance(meta, dict) else [0]
    )
    parts += list(parts[2].values()) if len(parts) > 1 and isinstance(parts[2], dict) else []
    if not all(isinstance(part, dict) for part in parts):
        raise UserError(f"'{path}' does not say how scores were made: restore it, or move it away.")
    return meta


def _cell(cell: Any) -> Any:
    """A cell of pandas', with nothing for its several signs of nothing."""
    import pandas as pd

    return None if cell is None or cell is pd.NA or cell is pd.NaT or cell != cell else cell


def _text(cell: Any) -> str:
    """A label as text; a spreadsheet keeps the image 1 as a number."""
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    return "" if cell is None else str(cell).strip()


def _stem(image: str) -> str:
    """The name of an image without its suffix, if it has one."""
    stem, dot, suffix = image.rpartition(".")
    return stem if dot and stem and f".{suffix}".lower() in SUFFIXES else image
