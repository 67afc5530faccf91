"""``fusionbench cost``: the table of parameters, operations, time and memory that papers print."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fusionbench.cli import examples
from fusionbench.cli.fuse import recipes_for
from fusionbench.cli.progress import Progress
from fusionbench.cli.screen import Cell, number, paragraph, print_json, table

if TYPE_CHECKING:
    from fusionbench.costs import Cost

app = typer.Typer()


@app.command(
    epilog=examples(
        "fusionbench cost gff lp clfnet cs2fusion coconet",
        "fusionbench cost gff gtf --size 640x480 --size 1280x1024",
        "fusionbench cost cs2fusion --device cuda --precision fp16 --set compiled=true --json",
    )
)
def cost(
    methods: Annotated[
        list[str], typer.Argument(metavar="METHOD...", help="Short names; 'fusionbench method list' shows them.")
    ],
    size: Annotated[
        list[str] | None,
        typer.Option(metavar="WIDTHxHEIGHT", help="Pixels; 640x480 by default. May be repeated."),
    ] = None,
    runs: Annotated[int, typer.Option(metavar="N", help="So many are timed.")] = 5,
    preset: Annotated[str | None, typer.Option(metavar="NAME", help="A named set of parameters, e.g. 'vifb'.")] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="[METHOD.]NAME=VALUE", help="A parameter of every method, or of one."),
    ] = None,
    weights: Annotated[Path | None, typer.Option(metavar="FILE", help="The weights of a method that has any.")] = None,
    device: Annotated[
        str | None, typer.Option(metavar="NAME", help="Where networks run: cpu (what is used by default) or cuda.")
    ] = None,
    precision: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Of networks: fp32 (what is used by default), tf32, bf16 or fp16."),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Show no progress.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Measure what methods cost: parameters, operations, time and memory."""
    from dataclasses import asdict

    from fusionbench.costs import conditions, costs

    sizes = [_size(text) for text in size or ["640x480"]]
    of_networks = {"weights": weights, "device": device, "precision": precision}
    recipes = recipes_for(list(dict.fromkeys(methods)), None, preset, set_ or [], of_networks)
    about = conditions(recipes, runs)
    found: list[Cost] = []
    with Progress("Measuring", "measurements", quiet=quiet) as progress:
        for one in costs(recipes, sizes, runs):
            found.append(one)
            progress(len(found), len(recipes) * len(sizes))
    if as_json:
        print_json({"conditions": about, "costs": [asdict(one) for one in found]})
        return
    for line in table(["method", "size", "parameters", "GFLOPs", "ms", "MB"], [_row(one) for one in found]):
        typer.echo(line)
    typer.echo()
    for word, text in about.items():
        typer.echo(paragraph(f"{word}: {text}", indent="  "))
    if any(one.flops is None for one in found):
        typer.echo(paragraph("Parameters and operations are counted for networks only; of others there is no count."))


def _row(one: Cost) -> list[Cell]:
    return [
        Cell(one.method),
        Cell(f"{one.width}x{one.height}"),
        Cell("-" if one.parameters is None else f"{one.parameters:,}"),
        Cell("-" if one.flops is None else number(one.flops / 1e9)),
        Cell(number(one.milliseconds)),
        Cell("-" if one.memory is None else number(one.memory / 1e6)),
    ]


def _size(text: str) -> tuple[int, int]:
    from fusionbench.types import UserError

    if not (parts := re.fullmatch(r"([1-9]\d{0,5})x([1-9]\d{0,5})", text.lower())):
        raise UserError(f"'--size {text}' is no size: write width and height in pixels, e.g. --size 640x480.")
    return int(parts[1]), int(parts[2])
