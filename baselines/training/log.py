"""A table that grows by a row at a time, as CSV."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

from fusionbench.files import whole


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
        kept = _up_to(start, path) if start else []
        self._empty = not kept
        content = "".join(f"{line}\n" for line in kept).encode()
        whole(path, lambda file: file.write(content))

    def add(self, row: Mapping[str, float]) -> None:
        """Append numbers; the first row also names the columns."""
        with self._path.open("a", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            if self._empty:
                writer.writerow(row)
                self._empty = False
            writer.writerow(map(repr, row.values()))


def _up_to(step: int, path: Path) -> list[str]:
    """The heading, and the lines of the steps so far."""
    lines = path.read_text().splitlines() if path.exists() else []
    # The line that was being written may be cut anywhere, even within the number of its step.
    whole = [line for line in lines[1:] if line.count(",") == lines[0].count(",")]
    return lines[:1] + [line for line in whole if int(line.partition(",")[0]) <= step]
