"""What a run has done so far: one log a cell (a dataset and a method), to which a line is added for every image.

A log is only ever added to, so that whatever stops the run costs at most the line in work; `Log.tidy` rewrites it whole.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from fusionbench import plugins
from fusionbench.files import whole
from fusionbench.types import UserError

if TYPE_CHECKING:
    from fusionbench.metrics.definitions import Definition


@dataclass(frozen=True, slots=True)
class Entry:
    """What is known of one fused image.

    Attributes
    ----------
    pair : str
        Of which pair it is.
    made : str
        Fingerprint of how it was made; empty if it was made elsewhere.
    state : str
        Fingerprint of its content and of its sources': the values are of that.
    values : mapping of str to float
        By `key` of the definition; NaN where there is none.
    reasons : mapping of str to str
        Why not, likewise.
    seconds : float or None
        What the method took; None if it did not run for this line.
    """

    pair: str
    made: str
    state: str
    values: Mapping[str, float] = field(default_factory=dict)
    reasons: Mapping[str, str] = field(default_factory=dict)
    seconds: float | None = None


def key(definition: Definition, luma: str) -> str:
    """Fingerprint of everything that a score depends on but the images."""
    parameters = {"luma": luma, "side_by_side": definition.side_by_side, **definition.parameters}
    plugin = plugins.digest(definition.function)
    return fingerprint([definition.id, parameters, *([plugin] if plugin else [])], 12)


def fingerprint(content: object, digits: int = 32) -> str:
    """Hexadecimal digits that stand for some content that JSON can hold."""
    import hashlib

    text = json.dumps(content, sort_keys=True, default=repr)
    return hashlib.sha256(text.encode()).hexdigest()[:digits]


class Log:
    """The lines about the images of one dataset by one method.

    Parameters
    ----------
    path : Path
        The file, which need not exist.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: BinaryIO | None = None

    def entries(self) -> Iterator[Entry]:
        """Every line that is whole, in the order in which they were written."""
        try:
            file = self.path.open("rb")
        except FileNotFoundError:
            return
        with file:
            for line in file:
                try:
                    found = json.loads(line)
                    values = {name: math.nan if value is None else value for name, value in found["values"].items()}
                    yield Entry(
                        found["pair"], found["made"], found["state"], values, found["reasons"], found["seconds"]
                    )
                except (ValueError, KeyError, TypeError, AttributeError):
                    continue  # the run was stopped while it wrote this one

    def add(self, entry: Entry) -> None:
        """Write a line.

        Raises
        ------
        UserError
            If the file cannot be written to.
        """
        try:
            if self._file is None:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                # Unbuffered: what is written has left this process, and survives it.
                self._file = self.path.open("ab", buffering=0)
                self._end_torn_line()
            _write_all(self._file, _line(entry))
        except OSError as error:
            reason = error.strerror or error
            raise UserError(
                f"'{self.path}' cannot be written ({reason}): make room or give permission, and run the command again."
            ) from error

    def close(self) -> None:
        """Write no more."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def tidy(self, current: Mapping[str, str], keys: Sequence[str] | None = None) -> None:
        """Rewrite the log, a line an image, without what is of no use any more.

        Parameters
        ----------
        current : mapping of str to str
            The state of each pair's image; lines of others go.
        keys : sequence of str, optional
            The definitions to keep; by default all.
        """
        merged = merge(self.entries(), current)
        wanted = None if keys is None else set(keys)

        def fill(file: BinaryIO) -> None:
            for entry in merged.values():
                values, reasons = (
                    {name: each for name, each in found.items() if wanted is None or name in wanted}
                    for found in (entry.values, entry.reasons)
                )
                file.write(_line(Entry(entry.pair, entry.made, entry.state, values, reasons, entry.seconds)))  # type: ignore[arg-type]

        self.close()
        whole(self.path, fill)

    def _end_torn_line(self) -> None:
        assert self._file is not None
        if self.path.stat().st_size:
            with self.path.open("rb") as file:
                file.seek(-1, 2)
                if file.read(1) != b"\n":
                    _write_all(self._file, b"\n")


def merge(entries: Iterator[Entry], current: Mapping[str, str]) -> dict[str, Entry]:
    """All that is known of the images that are current: by pair, later lines before earlier ones."""
    found: dict[str, Entry] = {}
    for entry in entries:
        if current.get(entry.pair) != entry.state:
            continue
        if before := found.get(entry.pair):
            values, reasons = {**before.values, **entry.values}, {**before.reasons, **entry.reasons}
            seconds = before.seconds if entry.seconds is None else entry.seconds
            entry = Entry(entry.pair, entry.made, entry.state, values, reasons, seconds)
        found[entry.pair] = entry
    return found


def _line(entry: Entry) -> bytes:
    content: dict[str, Any] = {
        "pair": entry.pair,
        "made": entry.made,
        "state": entry.state,
        "values": {name: None if math.isnan(value) else value for name, value in entry.values.items()},
        "reasons": dict(entry.reasons),
        "seconds": entry.seconds,
    }
    return (json.dumps(content) + "\n").encode()


def _write_all(file: BinaryIO, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]
