"""``fusionbench demo``: everything there is, on images made on the spot."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from fusionbench.cli import examples
from fusionbench.cli.score import complain, show

_SCENES = 6
_METHODS = ("average", "lp", "gff")

app = typer.Typer()


@app.command(epilog=examples("fusionbench demo", "fusionbench demo -o somewhere"))
def demo(
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="DIR", help="Where the images and the scores go.")
    ] = Path("demo"),
) -> None:
    """Make a few scenes, fuse them by a few methods and score the result: no data, no weights, no network."""
    from fusionbench import store
    from fusionbench.datasets import synthetic
    from fusionbench.fusing import fuse_folder
    from fusionbench.scoring import score_paths
    from fusionbench.types import UserError
    from fusionbench.workers import telling_of_compilation

    names = synthetic.make(output, _SCENES)
    typer.echo(f"Made {len(names)} street scenes, infrared and visible: {output / 'ir'} and {output / 'vis'}")
    sources = output / "ir", output / "vis"
    options: list[str | Path] = ["--ir", sources[0], "--vis", sources[1], "-o"]
    with telling_of_compilation(typer.echo):
        for outcome in fuse_folder(_METHODS, *sources, output / "fused", overwrite=True):
            if outcome.reason:
                raise UserError(outcome.reason)
    typer.echo(f"Fused them, as this does: {_command('fuse', *_METHODS, *options, output / 'fused')}")
    scores = score_paths(output / "fused", *sources, notice=typer.echo)
    target = output / "scores.csv"
    store.write(scores, target)
    typer.echo(f"Scored them, as this does: {_command('score', output / 'fused', *options, target)}\n")
    show(scores, target)
    complain(scores)
    if scores.failures:
        raise typer.Exit(1)


def _command(*words: str | Path) -> str:
    return shlex.join(["fusionbench", *map(str, words)])
