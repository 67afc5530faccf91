"""``fusionbench score``: fused images against their sources."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fusionbench.cli import examples
from fusionbench.cli.failures import cut, reasons
from fusionbench.cli.progress import Progress
from fusionbench.cli.screen import ARROW, Cell, number, paragraph, print_json, table

if TYPE_CHECKING:
    from fusionbench.leaderboard import Leaderboard
    from fusionbench.store import Scores

_FEW = 20
"""So many images of a single method are listed one by one."""
_LONG = 400
"""Characters after which a list of names is cut on the screen; the meta file has it whole."""

app = typer.Typer()


@app.command(
    epilog=examples(
        "fusionbench score results/mymethod --ir tno/ir --vis tno/vi",
        "fusionbench score results/ --ir tno/ir --vis tno/vi --metrics core,Qabf -o scores.csv",
        "fusionbench score results/ --ir tno/ir --vis tno/vi --metrics all --convention tang-uint8 -o scores.xlsx",
        "fusionbench score fused.png --ir ir.png --vis vis.png --json",
    )
)
def score(
    fused: Annotated[
        Path,
        typer.Argument(
            metavar="FUSED", help="A folder of images, a folder of such folders (one a method), or one image."
        ),
    ],
    ir: Annotated[Path, typer.Option(metavar="IR", help="Infrared images: a folder or one file, matched by name.")],
    vis: Annotated[Path, typer.Option(metavar="VIS", help="Visible images, likewise.")],
    metrics: Annotated[
        str, typer.Option(metavar="NAMES", help="'core', 'all', or names separated by commas.")
    ] = "core",
    convention: Annotated[
        str, typer.Option(metavar="NAME", help="Whose definitions; 'fusionbench metric list' shows which there are.")
    ] = "standard",
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="FILE", help="Write the table as .csv, .parquet or .xlsx."),
    ] = None,
    long: Annotated[bool, typer.Option("--long", help="Write one row a number: method,image,metric,value.")] = False,
    workers: Annotated[int | None, typer.Option(metavar="N", help="Threads; by default one a core.")] = None,
    cluster: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Score on the workers of a Dask scheduler, tcp://host:port, instead."),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Show no progress.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON instead of a table.")] = False,
) -> None:
    """Score fused images against their sources."""
    from fusionbench import store
    from fusionbench.scoring import score_paths
    from fusionbench.types import UserError

    if output is not None:
        store.check_target(output)
    elif long:
        raise UserError("--long is the form of a file: give -o FILE too.")
    with Progress("Scoring", "images", quiet=quiet) as progress:
        scores = score_paths(
            fused,
            ir,
            vis,
            metrics,
            convention,
            workers=workers,
            cluster=cluster,
            progress=progress,
            notice=None if quiet else _notice,
        )
    if output is not None:
        store.write(scores, output, long=long)
    if as_json:
        _print_json(scores)
    else:
        show(scores, output)
    complain(scores)
    if scores.failures:
        raise typer.Exit(1)


def show(scores: Scores, output: Path | None = None) -> None:
    """Print a table of scores, and all that should be known to read it."""
    board = _rank(scores)
    if len(board.standings) > 1:
        lines, note = _methods(scores, board)
    else:
        lines, note = _images(scores, board)
    for line in lines:
        typer.echo(line)
    typer.echo()
    whose = scores.convention
    names = [definition.name for definition in scores.definitions]
    fewer = [f"{name} {board.counted[name]}" for name in names if board.counted[name] < len(board.pairs)]
    notes = [
        note,
        f"Over fewer images, for want of a value: {', '.join(fewer)}." if fewer else "",
        f"Convention {whose.name}: {whose.title}. {whose.note}",
        f"It does not define {', '.join(scores.left_out)}, left out here." if scores.left_out else "",
        f"Written to {output} and, with how it was made, {_meta_path(output)}." if output else "",
    ]
    for text in filter(None, notes):
        typer.echo(paragraph(text))


def complain(scores: Scores) -> None:
    """Name on stderr whatever has no partner or could not be scored."""
    from fusionbench.pairing import remarks

    sys.stdout.flush()
    for line in remarks(scores.sources, scores.methods):
        typer.echo(cut(line), err=True)
    if scores.failures:
        images = {(failure.method, failure.image) for failure in scores.failures}
        lost = {(failure.method, failure.image) for failure in scores.failures if not failure.metric}
        parts = [f"{len(lost)} could not be scored"] * bool(lost)
        parts += [_count(len(images - lost), "lacks a value", "lack a value")] * bool(images - lost)
        total = len(scores.rows) + len(lost)
        typer.echo(f"Of {total} fused images, {' and '.join(parts)}:", err=True)
        for line in reasons(scores.failures):
            typer.echo(f"  {line}", err=True)


def _rank(scores: Scores) -> Leaderboard:
    from fusionbench.leaderboard import rank

    return rank(scores.rows, {definition.name: definition.card.better for definition in scores.definitions})


def _headings(scores: Scores) -> list[str]:
    return [definition.name + ARROW[definition.card.better] for definition in scores.definitions]


def _methods(scores: Scores, board: Leaderboard) -> tuple[list[str], str]:
    """A row a method, best first; and what the means are over."""
    names = [definition.name for definition in scores.definitions]
    ranked = bool(board.pairs)
    header = ["method", "rank" if ranked else "images", *_headings(scores)]
    rows = []
    for standing in board.standings:
        first = number(standing.rank) if ranked else str(standing.images)
        cells = [Cell(number(standing.means[name]), standing.places.get(name, 0)) for name in names]
        rows.append([Cell(standing.method), Cell(first), *cells])
    return list(table(header, rows, labels=2)), _means_over(board)


def _means_over(board: Leaderboard) -> str:
    count, methods = len(board.pairs), len(board.standings)
    if not count:
        return (
            f"No image is common to all {methods} methods: each mean is over the method's own images, so that they "
            "cannot be compared and are not ranked."
        )
    more = ", ".join(f"{s.method} has {s.images - count} more" for s in board.standings if s.images > count)
    over = f"the {_count(count, 'image')} that all {methods} methods have ({more})" if more else _count(count, "image")
    return f"Means over {over}; rank is the mean rank over the metrics."


def _images(scores: Scores, board: Leaderboard) -> tuple[list[str], str]:
    """A row an image of the only method and, below them or if there are many instead of them, their mean."""
    names = [definition.name for definition in scores.definitions]
    [standing] = board.standings
    rows = [[Cell(row.image), *(Cell(number(row.values[name])) for name in names)] for row in scores.rows]
    if len(rows) > _FEW:
        rows = []
    if len(scores.rows) > 1:
        rows.append([Cell("mean"), *(Cell(number(standing.means[name])) for name in names)])
    return list(
        table(["image", *_headings(scores)], rows)
    ), f"{_count(len(scores.rows), 'image')} of {standing.method}."


def _count(how_many: int, one: str, several: str = "") -> str:
    return f"{how_many} {one if how_many == 1 else several or one + 's'}"


def _print_json(scores: Scores) -> None:
    board = _rank(scores)
    columns = scores.columns()
    result: dict[str, Any] = scores.meta()
    result["scores"] = [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]
    result["ranking"] = {
        "pairs": board.pairs,
        "counted": board.counted,
        "methods": [
            {"method": s.method, "rank": s.rank, "images": s.images, "means": s.means} for s in board.standings
        ],
    }
    print_json(result)


def _meta_path(output: Path) -> Path:
    from fusionbench.store import beside

    return beside(output)


def _notice(sentence: str) -> None:
    typer.echo(sentence, err=True)
