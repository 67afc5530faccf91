"""``fusionbench demo``: everything there is, on images made on the spot.

Every step but the first is a command of its own, which is printed and then run: nothing here does what a user cannot.
"""

from __future__ import annotations

import io
import shlex
from contextlib import nullcontext, redirect_stdout
from pathlib import Path
from typing import Annotated

import typer

from fusionbench.cli import examples, main

_SCENES = 12
"""As few as can be for tests on all pairs of methods to be able to tell two apart."""
_SIZE = 320, 240
_METHODS = "average max lp dwt adf fpde gff gtf hmsd-gf ifevip mgff msvd tif vsm-wls".split()
"""Fast ones of every kind."""
_SHOWN = "01", "02"
"""A scene by night and one by day, for the figure of images."""

app = typer.Typer()


@app.command(epilog=examples("fusionbench demo", "fusionbench demo -o somewhere"))
def demo(
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="DIR", help="Where everything that is made goes.")
    ] = Path("demo"),
) -> None:
    """Make a few scenes, fuse them, score, rank and draw the results: no data, no weights, no network."""
    from fusionbench.datasets import synthetic

    names = synthetic.make(output, _SCENES, _SIZE)
    sources = "--ir", output / "ir", "--vis", output / "vis"
    fused, scores, page = output / "fused", output / "scores.csv", output / "report.html"
    typer.echo(f"{len(names)} street scenes, infrared and visible, by night and by day: {sources[1]}, {sources[3]}")
    scenes = [word for name in _SHOWN for word in ("--scene", name)]
    steps: list[tuple[str, bool, list[str | Path]]] = [
        ("Fuse them", False, ["fuse", *_METHODS, *_networks(), *sources, "-o", fused, "--overwrite"]),
        ("Score the images", False, ["score", fused, *sources, "--metrics", "all", "-o", scores]),
        ("Rank the methods", True, ["leaderboard", scores, "--metrics", "core"]),
        ("The same for a paper", False, ["leaderboard", scores, "--metrics", "core", "-o", output / "table.tex"]),
        ("See the images", False, ["figure", "grid", fused, *sources, *scenes, "-o", output / "grid.png"]),
        ("See which methods differ", False, ["figure", "cd", scores, "-o", output / "cd.png"]),
        ("See who is good at what", False, ["figure", "heatmap", scores, "-o", output / "heatmap.png"]),
        ("See everything on one page", False, ["report", scores, "--title", "Demo", "-o", page]),
    ]
    for title, shown, words in steps:
        _run(title, words, shown=shown)
    typer.echo(f"\nNow open {page} in a browser, and look at {output / 'grid.png'}. With images of yours:\n")
    for line in (
        "fusionbench score results/mymethod --ir tno/ir --vis tno/vi -o scores.csv",
        "fusionbench fuse gff lp --ir tno/ir --vis tno/vi -o results",
        "fusionbench --help",
    ):
        typer.echo(f"  {line}")


def _networks() -> list[str]:
    """The learned methods that can fuse here: those whose weights come with this copy, if torch is installed."""
    from importlib.util import find_spec

    from fusionbench.baselines.learned import cards, weights

    if find_spec("torch") is None:
        return []
    shipped = [card for card in cards.CARDS.values() if card.shipped and card.fuses]
    return [card.method for card in shipped if weights.at_hand(card) is not None]


def _run(title: str, words: list[str | Path], *, shown: bool) -> None:
    """Print a command and run it; what it prints is left out unless it is to be shown, its complaints never are."""
    command = [str(word) for word in words]
    typer.echo(f"\n{title}:\n\n  {shlex.join(['fusionbench', *command])}")
    if shown:
        typer.echo()
    with nullcontext() if shown else redirect_stdout(io.StringIO()):
        code = main(command)
    if code:
        raise typer.Exit(code)
