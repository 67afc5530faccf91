"""``fusionbench leaderboard``: who is better, and whether that is more than luck."""

from __future__ import annotations

import io
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fusionbench.cli import examples
from fusionbench.cli.screen import paragraph, table

if TYPE_CHECKING:
    from fusionbench.leaderboards import Leaderboard


class Format(StrEnum):
    """What a leaderboard can be printed or written as."""

    TABLE = "table"
    CSV = "csv"
    MARKDOWN = "md"
    LATEX = "latex"
    JSON = "json"


class By(StrEnum):
    """What has a leaderboard of its own."""

    DATASET = "dataset"


_SUFFIXES = {
    ".txt": Format.TABLE,
    ".csv": Format.CSV,
    ".md": Format.MARKDOWN,
    ".tex": Format.LATEX,
    ".json": Format.JSON,
}

app = typer.Typer()


@app.command(
    epilog=examples(
        "fusionbench leaderboard scores.csv",
        "fusionbench leaderboard ours.csv theirs.csv --metrics EN,SSIM,Qabf --format latex -o table.tex",
        "fusionbench leaderboard results/ --by dataset --std --format md",
        "fusionbench leaderboard theirs.csv --lower Time --higher Votes --format json",
    )
)
def leaderboard(
    scores: Annotated[
        list[Path],
        typer.Argument(
            metavar="SCORES",
            help="Tables of scores (.csv, .parquet, .xlsx; a row an image, or a row a score), or folders of results.",
        ),
    ],
    by: Annotated[By | None, typer.Option(help="A leaderboard for each, instead of all datasets in one.")] = None,
    metrics: Annotated[
        str | None, typer.Option(metavar="NAMES", help="Only these: 'core', or names separated by commas.")
    ] = None,
    methods: Annotated[str | None, typer.Option(metavar="NAMES", help="Only these: names separated by commas.")] = None,
    lower: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="A metric of which less is better. May be repeated.")
    ] = None,
    higher: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="A metric of which more is better. May be repeated.")
    ] = None,
    format_: Annotated[
        Format | None, typer.Option("--format", help="By default what the suffix of FILE says, or a table.")
    ] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write it here.")] = None,
    std: Annotated[bool, typer.Option("--std", help="Show the standard deviation too.")] = False,
    median: Annotated[bool, typer.Option("--median", help="Show the median too.")] = False,
    colour: Annotated[
        bool, typer.Option("--colour", "--color", help="LaTeX: best red and second blue, not bold and underlined.")
    ] = False,
    standalone: Annotated[bool, typer.Option("--standalone", help="LaTeX: a whole document.")] = False,
    alpha: Annotated[float, typer.Option(metavar="P", help="Level of significance of the tests.")] = 0.05,
    seed: Annotated[int, typer.Option(metavar="N", help="Where the bootstrap's draws start.")] = 0,
) -> None:
    """Rank methods by scores from anywhere, with statistics."""
    from fusionbench import files, leaderboards, store
    from fusionbench.types import UserError

    kind = format_ or _SUFFIXES.get(output.suffix.lower() if output else "", None if output else Format.TABLE)
    if kind is None:
        raise UserError(f"'{output}' does not say what to write: end it in {', '.join(_SUFFIXES)}, or give --format.")
    if (colour or standalone) and kind is not Format.LATEX:
        raise UserError("--colour and --standalone are for LaTeX: add --format latex, or leave them out.")
    if (std or median) and kind in (Format.CSV, Format.JSON):
        raise UserError(f"--std and --median are for readers; {kind} has both anyway: leave them out.")
    if output:
        files.whole(output, lambda _: None, keep=False)
    found = leaderboards.leaderboard(
        scores,
        by="dataset" if by else None,
        metrics=metrics,
        methods=methods,
        lower=lower or (),
        higher=higher or (),
        alpha=alpha,
        seed=seed,
    )
    lines = _lines(found, std=std, median=median)
    if kind is Format.CSV:
        text = found.to_csv()
    elif kind is Format.MARKDOWN:
        text = found.to_markdown(std=std, median=median)
    elif kind is Format.LATEX:
        text = found.to_latex(std=std, median=median, colour=colour, standalone=standalone)
    elif kind is Format.JSON:
        text = store.json_text(found.to_dict())
    else:
        text = "".join(f"{line}\n" for line in lines)
    if output:
        text = text if kind is not Format.TABLE else _plain(lines)
        files.whole(output, lambda file: file.write(text.encode()))
        text = "".join(f"{line}\n" for line in [*lines, "", f"Written to {output}."])
    typer.echo(text, nl=False)


def _plain(lines: Iterable[str]) -> str:
    """Lines without what only a terminal understands."""
    text = io.StringIO()
    for line in lines:
        typer.echo(line, file=text)
    return text.getvalue()


def _lines(found: Leaderboard, *, std: bool, median: bool) -> list[str]:
    from fusionbench.boards import cells

    lines: list[str] = []
    for board in found.boards:
        header, rows = cells(board, std=std, median=median)
        labels = 3 if board.intervals else 2
        lines += ["", board.title, *table(header, rows, labels=labels), "", *map(paragraph, board.notes())]
    if found.notes():
        lines += ["", "In all", *map(paragraph, found.notes())]
    return lines[1:]
