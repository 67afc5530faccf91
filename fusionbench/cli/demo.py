"""``fusionbench demo``: everything there is, on images made on the spot."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from fusionbench.cli import examples
from fusionbench.cli.score import complain, show

_SCENES = 6

app = typer.Typer()


@app.command(epilog=examples("fusionbench demo", "fusionbench demo -o somewhere"))
def demo(
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="DIR", help="Where the images and the scores go.")
    ] = Path("demo"),
) -> None:
    """Make a few scenes, fuse them by two simple rules and score the result: no data, no weights, no network."""
    from fusionbench import store
    from fusionbench.datasets import synthetic
    from fusionbench.scoring import score_paths

    names = synthetic.make(output, _SCENES)
    typer.echo(f"Made {len(names)} street scenes, infrared and visible: {output / 'ir'} and {output / 'vis'}")
    _fuse(output, names)
    typer.echo(f"Fused them by two rules, for demonstration only: {output / 'fused'}")
    scores = score_paths(output / "fused", output / "ir", output / "vis", notice=typer.echo)
    target = output / "scores.csv"
    store.write(scores, target)
    words = ["fusionbench", "score", output / "fused", "--ir", output / "ir", "--vis", output / "vis", "-o", target]
    typer.echo(f"Scored them, as this does: {shlex.join(map(str, words))}\n")
    show(scores, target)
    complain(scores)
    if scores.failures:
        raise typer.Exit(1)


def _fuse(folder: Path, names: list[str]) -> None:
    """Fuse grey levels by the two plainest rules there are: their average, and the greater one."""
    import numpy as np

    from fusionbench import images

    for rule in ("average", "maximum"):
        (folder / "fused" / rule).mkdir(parents=True, exist_ok=True)
    for name in names:
        ir, vis = (images.luma(images.read(folder / role / f"{name}.png"), "bt601") for role in ("ir", "vis"))
        images.write(
            folder / "fused" / "average" / f"{name}.png", ((ir.astype(np.uint16) + vis + 1) // 2).astype(np.uint8)
        )
        images.write(folder / "fused" / "maximum" / f"{name}.png", np.maximum(ir, vis))
