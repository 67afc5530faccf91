"""What is printed: for people numbers of four digits and tables that fit the terminal, for programs JSON."""

from __future__ import annotations

import shutil
import textwrap
import unicodedata
from collections.abc import Collection, Iterator, Sequence
from typing import Final

import typer

from fusionbench.typesetting import ARROW as ARROW
from fusionbench.typesetting import Cell as Cell
from fusionbench.typesetting import number as number

_GAP: Final = "  "
_STYLE: Final = {1: {"bold": True}, 2: {"underline": True}}


def width() -> int:
    """Columns of the terminal; 100 where there is none."""
    return shutil.get_terminal_size((100, 24)).columns


def paragraph(text: str, indent: str = "") -> str:
    """Text wrapped to the terminal, every line but the first indented."""
    return textwrap.fill(text, width(), subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def print_json(value: object) -> None:
    """Print what another program may read; NaN is null."""
    import json

    from fusionbench.store import plain

    typer.echo(json.dumps(plain(value), indent=1, allow_nan=False))


def table(
    header: Sequence[str], rows: Sequence[Sequence[Cell]], *, labels: int = 1, left: Collection[int] = (0,)
) -> Iterator[str]:
    """Lines of a table; where it is too wide, of several, one below the other.

    Parameters
    ----------
    header : sequence of str
        Names of the columns.
    rows : sequence of sequence of Cell
        Cells, one a column.
    labels : int
        How many columns name the row: these stand in every part.
    left : collection of int
        Which columns are aligned to the left.

    Yields
    ------
    str
        A line; bold and underline are for `typer.echo`, which takes them out where there is no terminal.
    """
    widths = [
        max(map(_width, column)) for column in zip(header, *([cell.text for cell in row] for row in rows), strict=True)
    ]
    for part in _parts(widths, labels):
        chosen = [*range(labels), *part]
        if part[0] > labels:
            yield ""
        for row in [[Cell(name) for name in header], [], *rows]:
            padded = [_padded(row[i], widths[i], i in left) if row else "─" * widths[i] for i in chosen]
            yield _GAP.join(padded).rstrip()


def _parts(widths: Sequence[int], labels: int) -> list[list[int]]:
    """Which columns besides the labels stand side by side."""
    used = sum(widths[:labels]) + len(_GAP) * (labels - 1)
    parts: list[list[int]] = [[]]
    room = width() - used
    for i in range(labels, len(widths)):
        room -= widths[i] + len(_GAP)
        if room < 0 and parts[-1]:
            parts.append([])
            room = width() - used - widths[i] - len(_GAP)
        parts[-1].append(i)
    return parts


def _padded(cell: Cell, columns: int, left: bool) -> str:
    padding = " " * (columns - _width(cell.text))
    text = typer.style(cell.text, **_STYLE[cell.place]) if cell.place in _STYLE else cell.text
    return text + padding if left else padding + text


def _width(text: str) -> int:
    """Columns that a text takes on a terminal, where Chinese characters are two wide."""
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)
