"""What scores are, in memory and on disk: a table, and beside it how its numbers were made."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import numpy as np

import fusionbench
from fusionbench import pairing
from fusionbench.files import whole
from fusionbench.metrics.conventions import Convention
from fusionbench.types import UserError

if TYPE_CHECKING:
    import pandas as pd

    from fusionbench.metrics.definitions import Definition


@dataclass(frozen=True, slots=True)
class Row:
    """The scores of one fused image, by metric; NaN where a metric has no value."""

    method: str
    image: str
    pair: str
    values: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a fused image has no row or, if `metric` is not empty, no value of that metric."""

    method: str
    image: str
    metric: str
    reason: str


@dataclass(frozen=True, slots=True)
class Scores:
    """The scores of folders of images, and everything that should be known of them.

    Attributes
    ----------
    convention : Convention
        Whose definitions these are.
    definitions : tuple of Definition
        One a metric, in the order of the columns.
    left_out : tuple of str
        Metrics of a group that was asked for (``core``, ``all``) which the convention does not define, or which measure
        colour where no image has any.
    rows : tuple of Row
        In natural order of method, then image.
    failures : tuple of Failure
        In the same order.
    folders : mapping of str to Path
        What was given as ``fused``, ``ir`` and ``vis``.
    sources : SourcePairs
        What was paired.
    methods : tuple of MethodImages
        What was matched.
    hashes : mapping of Path to str
        SHA-256 of the content of every file that was read.
    started : datetime
        When, in UTC.
    seconds : float
        How long it took.
    """

    convention: Convention
    definitions: tuple[Definition, ...]
    left_out: tuple[str, ...]
    rows: tuple[Row, ...]
    failures: tuple[Failure, ...]
    folders: Mapping[str, Path]
    sources: pairing.SourcePairs
    methods: tuple[pairing.MethodImages, ...]
    hashes: Mapping[Path, str]
    started: datetime
    seconds: float

    def columns(self, *, long: bool = False) -> dict[str, list[Any]]:
        """The table by column: ``method``, ``image`` and one a metric, or ``method image metric value`` if `long`."""
        names = [definition.name for definition in self.definitions]
        cells = [(row, name) for row in self.rows for name in names] if long else [(row, "") for row in self.rows]
        labels: dict[str, list[Any]] = {
            "method": [row.method for row, _ in cells],
            "image": [row.image for row, _ in cells],
        }
        if long:
            return labels | {"metric": [n for _, n in cells], "value": [row.values[n] for row, n in cells]}
        return labels | {name: [row.values[name] for row in self.rows] for name in names}

    def frame(self, *, long: bool = False) -> pd.DataFrame:
        """`columns` as a `pandas.DataFrame` that carries `meta` in its ``attrs``."""
        import pandas as pd

        frame = pd.DataFrame(self.columns(long=long))
        frame.attrs = self.meta()
        return frame

    def meta(self) -> dict[str, Any]:
        """How these numbers were made, as JSON can hold it."""
        import numba
        import PIL

        whose = self.convention
        return {
            "fusionbench": fusionbench.__version__,
            "made_with": {"numpy": np.__version__, "numba": numba.__version__, "pillow": PIL.__version__},
            "started": self.started.isoformat(timespec="seconds"),
            "seconds": round(self.seconds, 3),
            "convention": {"name": whose.name, "title": whose.title, "source": whose.source, "note": whose.note},
            "grey": whose.luma,
            "metrics": {
                definition.name: {
                    "id": definition.id,
                    "parameters": plain(definition.parameters),
                    "better": definition.card.better,
                    "channels_side_by_side": definition.side_by_side,
                }
                for definition in self.definitions
            },
            "left_out": list(self.left_out),
            "failures": [
                {"method": f.method, "image": f.image, "metric": f.metric or None, "reason": f.reason}
                for f in self.failures
            ],
            "pairs": self._pairs(),
            "remarks": pairing.remarks(self.sources, self.methods),
            "folders": {role: str(path) for role, path in self.folders.items()},
            "inputs": self._inputs(),
        }

    def _inputs(self) -> dict[str, Any]:
        pairs = [pair for pair in self.sources.pairs if pair.ir in self.hashes or pair.vis in self.hashes]
        return {
            "ir": self._hashes_of(pair.ir for pair in pairs),
            "vis": self._hashes_of(pair.vis for pair in pairs),
            "fused": {method.method: self._hashes_of(item.path for item in method.found) for method in self.methods},
        }

    def _pairs(self) -> dict[str, dict[str, str]]:
        """Of which pair each image is, by method, where its name does not say so."""
        pairs: dict[str, dict[str, str]] = {}
        for row in self.rows:
            if row.pair != Path(row.image).stem:
                pairs.setdefault(row.method, {})[row.image] = row.pair
        return pairs

    def _hashes_of(self, paths: Iterable[Path]) -> dict[str, str]:
        return {path.name: self.hashes[path] for path in paths if path in self.hashes}


def plain(value: Any) -> Any:
    """A value as strict JSON can hold it: NaN is null, an infinity its name, and what JSON does not know its `repr`."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else str(value)
    return value if value is None or isinstance(value, bool | int | float | str) else repr(value)


def json_text(value: object) -> str:
    """A value as `plain` has it, as the text of a file."""
    return json.dumps(plain(value), indent=1, allow_nan=False) + "\n"


def check_target(path: Path) -> None:
    """Make sure, before hours of work, that `write` will be able to write there.

    Raises
    ------
    UserError
        If the suffix is none of ours, or the folder is missing or cannot be written to.
    """
    if path.suffix.lower() not in _WRITERS:
        raise UserError(f"'{path}' has no suffix that scores are written as: use {', '.join(_WRITERS)}.")
    for target in (path, beside(path)):
        if target.is_dir():
            raise UserError(f"'{target}' is a folder: give the name of a file.")
    whole(path, lambda _: None, keep=False)


def beside(path: Path) -> Path:
    """Where the meta data of a table goes: ``scores.meta.json`` beside ``scores.csv``."""
    return path.with_suffix(".meta.json")


def write(scores: Scores, path: Path, *, long: bool = False) -> None:
    """Write the table and, beside it, how it was made; each whole or not at all.

    Parameters
    ----------
    scores : Scores
        What to write.
    path : Path
        Ends in ``.csv`` (every number in full, an empty cell for NaN), ``.parquet`` or ``.xlsx``. An existing file is
        replaced.
    long : bool
        One row a number instead of one an image.

    Raises
    ------
    UserError
        As `check_target`.
    """
    # The meta data first: a number never stands anywhere without its definition.
    text = json_text(scores.meta())
    whole(beside(path), lambda file: file.write(text.encode()))
    whole(path, lambda file: _WRITERS[path.suffix.lower()](scores, file, long))


def _csv(scores: Scores, file: BinaryIO, long: bool) -> None:
    import io

    columns = scores.columns(long=long)
    text = io.TextIOWrapper(file, encoding="utf-8", errors="surrogateescape", newline="")
    table = csv.writer(text, lineterminator="\n")
    table.writerow(columns)
    for cells in zip(*columns.values(), strict=True):
        table.writerow("" if isinstance(cell, float) and math.isnan(cell) else cell for cell in cells)
    text.flush()
    text.detach()


def _parquet(scores: Scores, file: BinaryIO, long: bool) -> None:
    scores.frame(long=long).to_parquet(file, index=False)


def _xlsx(scores: Scores, file: BinaryIO, long: bool) -> None:
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.create_sheet("scores", 0)
    columns = scores.columns(long=long)
    sheet.append(list(columns))
    for row, cells in enumerate(zip(*columns.values(), strict=True), 2):
        for column, value in enumerate(cells, 1):
            if not isinstance(value, float):
                sheet.cell(row, column, value)
            elif math.isfinite(value):
                # openpyxl would write 16 digits; the number as text, still typed as a number, keeps all of them.
                cell = sheet.cell(row, column, value)
                cell._value = repr(value)
            elif not math.isnan(value):
                sheet.cell(row, column, str(value))
    book.save(file)


_WRITERS: Final[dict[str, Callable[[Scores, BinaryIO, bool], None]]] = {
    ".csv": _csv,
    ".parquet": _parquet,
    ".xlsx": _xlsx,
}
