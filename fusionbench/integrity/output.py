"""Findings as a file, whole: JSON with everything, or a table with a row a finding."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Final

from fusionbench.files import whole
from fusionbench.integrity.inspection import Report
from fusionbench.store import json_text, plain
from fusionbench.types import UserError

_COLUMNS: Final = "severity detector method pair files says evidence metrics effect".split()


def check_target(path: Path) -> None:
    """Make sure, before any work, that `write` will be able to write there.

    Raises
    ------
    UserError
        If the suffix is neither ``.json`` nor ``.csv``, or the folder is missing or cannot be written to.
    """
    if path.suffix.lower() not in (".json", ".csv"):
        raise UserError(f"'{path}' has no suffix that findings are written as: use .json or .csv.")
    if path.is_dir():
        raise UserError(f"'{path}' is a folder: give the name of a file.")
    whole(path, lambda _: None, keep=False)


def write(report: Report, path: Path) -> None:
    """Write all findings; in a CSV file several files of one finding are separated by ``|``.

    Raises
    ------
    UserError
        As `check_target`.
    """
    text = json_text(report.record()) if path.suffix.lower() == ".json" else _csv(report)
    whole(path, lambda file: file.write(text.encode(errors="surrogateescape")))


def _csv(report: Report) -> str:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(_COLUMNS)
    for one in report.findings:
        record = one.record()
        record["files"] = "|".join(record["files"])
        record["metrics"] = " ".join(record["metrics"])
        record["evidence"] = json.dumps(plain(record["evidence"]))
        table.writerow(record[column] for column in _COLUMNS)
    return text.getvalue()
