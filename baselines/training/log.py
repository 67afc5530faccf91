"""A table that grows by a row at a time, as CSV."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path


class Log:
    """Appends rows to a CSV file; every row is on its way to the disk before the next step begins.

    Parameters
    ----------
    path : Path
        The file; its first column is ``step``.
    start : int
        Rows of later steps are cut off: they were written by a run that was killed before it could keep its state.
    """

    def __init__(self, path: Path, start: int) -> None:
        self._path = path
        rows = _rows(path)
        kept = rows[:1] + [row for row in rows[1:] if row[0].isdigit() and int(row[0]) <= start]
        # A row that was being written when the run was killed is not complete.
        kept = [row for row in kept if len(row) == len(kept[0])]
        self._empty = start == 0 or not kept
        with path.open("w", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([] if self._empty else kept)

    def add(self, row: Mapping[str, float]) -> None:
        """Append numbers; the first row also names the columns."""
        with self._path.open("a", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            if self._empty:
                writer.writerow(row)
                self._empty = False
            writer.writerow(map(repr, row.values()))


def _rows(path: Path) -> list[list[str]]:
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return [row for row in csv.reader(file) if row]
