"""What the commands of ``fusionbench figure`` have in common: what is chosen, how it is called, and where it goes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from fusionbench.figures.zoom import Box
    from fusionbench.ranking import Ranking

_PAGE: Final = 9.5
"""Inches that a page of a paper is high."""


def ranked(
    scores: Sequence[Path],
    metrics: str | None,
    methods: str | None,
    dataset: str | None,
    convention: str | None,
    lower: Sequence[str] | None,
    higher: Sequence[str] | None,
) -> Ranking:
    """What is chosen of some scores, which follow one convention, ranked."""
    from dataclasses import replace

    from fusionbench import ranking, tables
    from fusionbench.registry import unknown
    from fusionbench.types import UserError

    table = tables.read(scores, metrics=metrics, methods=methods, lower=lower or (), higher=higher or ())
    chosen: dict[str, str | None] = {"dataset": dataset, "convention": convention}
    for column, name in chosen.items():
        if name is not None:
            there = list(table.frame[column].unique())
            if name not in there:
                raise unknown(column, name, there)
            table = replace(table, frame=table.frame[table.frame[column] == name])
    blocks = table.blocks()
    if len(blocks) > 1:
        names = ", ".join(block.convention for block in blocks)
        raise UserError(f"The scores follow several conventions ({names}): choose one with --convention.")
    return ranking.rank(blocks[0])


def remarks(ranking: Ranking) -> list[str]:
    """What should be known of what a ranking shows."""
    from fusionbench.figures import selection

    return selection.remarks(ranking)


def names(text: str | None) -> list[str]:
    """Those that a comma separates."""
    return [name.strip() for name in (text or "").split(",") if name.strip()]


def labels(texts: Sequence[str] | None, methods: Iterable[str]) -> dict[str, str]:
    """What methods are called, from NAME=TEXT."""
    from fusionbench.registry import unknown
    from fusionbench.types import UserError

    there, named = list(methods), {}
    for text in texts or ():
        name, equals, called = text.partition("=")
        if not equals or not called.strip():
            raise UserError(f"--label '{text}' says nothing: write NAME=TEXT, such as mymethod=Ours.")
        if name not in there:
            raise unknown("method", name, there)
        named[name] = called
    return named


def boxes(texts: Sequence[str], scenes: Sequence[str]) -> dict[str, list[Box]]:
    """The boxes of every scene, from X,Y,W,H and SCENE:X,Y,W,H."""
    from fusionbench.figures.zoom import parse
    from fusionbench.registry import unknown

    found: dict[str, list[Box]] = {name: [] for name in scenes}
    for text in texts:
        scene, colon, numbers = text.rpartition(":")
        if colon and scene not in found:
            raise unknown("scene", scene, scenes)
        for name in [scene] if colon else scenes:
            found[name].append(parse(numbers))
    return found


def targets(output: Sequence[Path] | None, kind: str) -> list[Path]:
    """Where to write, known to be possible before anything is read."""
    from fusionbench.figures.page import check_target

    files = list(output or [Path(f"{kind}.pdf")])
    for file in files:
        check_target(file)
    return files


def write(figure: Figure, files: Sequence[Path], notes: Iterable[str], fewer: str = "--metrics") -> None:
    """Write the figure, and say what should be known of it."""
    from fusionbench.figures.page import save

    for file in files:
        save(figure, file)
    width, height = figure.get_size_inches()
    for note in notes:
        typer.echo(note, err=True)
    if height > _PAGE:
        typer.echo(f"It is {height:.1f} inches high, more than a page: choose fewer with {fewer}.", err=True)
    typer.echo(f"Written to {', '.join(map(str, files))} ({width:.2f} x {height:.2f} inches).")
