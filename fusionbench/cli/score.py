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
from fusionbench.typesetting import count

if TYPE_CHECKING:
    from fusionbench.ranking import Ranking
    from fusionbench.store import Scores

_FEW = 20
"""So many images of a single method are listed one by one."""

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
    from fusionbench.boards import fewer, over

    ranking = _rank(scores)
    single = len(ranking.methods) == 1
    for line in _images(scores, ranking) if single else _methods(scores, ranking):
        typer.echo(line)
    typer.echo()
    whose = scores.convention
    notes = [
        f"{count(len(scores.rows), 'image')} of {ranking.methods[0]}." if single else over(ranking),
        fewer(ranking),
        f"Convention {whose.name}: {whose.title}. {whose.note}",
        *_left_out(scores),
    ]
    for text in filter(None, notes):
        typer.echo(paragraph(text))
    if output:
        # Not wrapped: a path in two parts cannot be copied.
        typer.echo(f"Written to {output} and, with how it was made, {_meta_path(output)}.")


def _left_out(scores: Scores) -> list[str]:
    from fusionbench.metrics import METRICS

    there = [METRICS[name].card for name in scores.left_out if name in scores.convention.metrics]
    colour = [card.name for card in there if card.colour]
    weightless = [card.name for card in there if card.weights]
    lacking = [name for name in scores.left_out if name not in (*colour, *weightless)]
    return [
        *[f"It does not define {', '.join(lacking)}, left out here."] * bool(lacking),
        *[f"No image has colour to measure: {', '.join(colour)} left out."] * bool(colour),
        *[f"No weights are given: {', '.join(weightless)} left out."] * bool(weightless),
    ]


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
        parts += [count(len(images - lost), "lacks a value", "lack a value")] * bool(images - lost)
        total = len(scores.rows) + len(lost)
        typer.echo(f"Of {count(total, 'fused image')}, {' and '.join(parts)}:", err=True)
        for line in reasons(scores.failures):
            typer.echo(f"  {line}", err=True)


def _rank(scores: Scores) -> Ranking:
    from fusionbench.ranking import rank
    from fusionbench.tables import Block

    better = {definition.name: definition.card.better for definition in scores.definitions}
    return rank(Block.of_rows(scores.rows, better, scores.convention.name))


def _headings(ranking: Ranking) -> list[str]:
    return [metric + ARROW[ranking.better[metric]] for metric in ranking.metrics]


def _methods(scores: Scores, ranking: Ranking) -> list[str]:
    """A row a method, best first."""
    ranked = bool(ranking.pairs)
    rows = []
    for at, method in enumerate(ranking.methods):
        first = number(ranking.rank[at]) if ranked else str(ranking.images[at])
        scored = zip(ranking.means[at].tolist(), ranking.places[at].tolist(), strict=True)
        rows.append([Cell(method), Cell(first), *(Cell(number(mean), place) for mean, place in scored)])
    return list(table(["method", "rank" if ranked else "images", *_headings(ranking)], rows, labels=2))


def _images(scores: Scores, ranking: Ranking) -> list[str]:
    """A row an image of the only method and, below them or if there are many instead of them, their mean."""
    rows = [[Cell(row.image), *(Cell(number(row.values[name])) for name in ranking.metrics)] for row in scores.rows]
    if len(rows) > _FEW:
        rows = []
    if len(scores.rows) > 1:
        rows.append([Cell("mean"), *(Cell(number(mean)) for mean in ranking.means[0].tolist())])
    return list(table(["image", *_headings(ranking)], rows))


def _print_json(scores: Scores) -> None:
    ranking = _rank(scores)
    columns = scores.columns()
    result: dict[str, Any] = scores.meta()
    result["scores"] = [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]
    result["ranking"] = {
        "pairs": ranking.pairs,
        "counted": dict(zip(ranking.metrics, ranking.counted, strict=True)),
        "methods": [
            {
                "method": method,
                "rank": ranking.rank[at].item(),
                "images": ranking.images[at],
                "means": dict(zip(ranking.metrics, ranking.means[at].tolist(), strict=True)),
            }
            for at, method in enumerate(ranking.methods)
        ],
    }
    print_json(result)


def _meta_path(output: Path) -> Path:
    from fusionbench.store import beside

    return beside(output)


def _notice(sentence: str) -> None:
    typer.echo(sentence, err=True)
