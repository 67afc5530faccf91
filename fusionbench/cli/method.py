"""``fusionbench method``: which methods there are, and what each of them does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from fusionbench.cli import examples
from fusionbench.cli.screen import Cell, paragraph, print_json, table

if TYPE_CHECKING:
    from fusionbench.recipe import Parameter
    from fusionbench.types import MethodCard

app = typer.Typer(
    help="List the methods, or explain one.",
    epilog=examples("fusionbench method list", "fusionbench method info gff", "fusionbench method info gff --json"),
)

_Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("list", epilog=examples("fusionbench method list", "fusionbench method list --json"))
def list_(as_json: _Json = False) -> None:
    """List the methods."""
    from fusionbench.baselines import METHODS

    cards = {name: METHODS[name].card for name in METHODS.names()}
    if as_json:
        print_json([_described(name, card) for name, card in cards.items()])
        return
    rows = [
        [Cell(name), Cell(card.title), Cell(str(card.year or "-")), Cell(", ".join(card.presets) or "-")]
        for name, card in cards.items()
    ]
    for line in table(["method", "title", "year", "presets"], rows, left=(0, 1, 3)):
        typer.echo(line)
    typer.echo("'fusionbench method info NAME' explains one, with its parameters.")


@app.command(epilog=examples("fusionbench method info gff", "fusionbench method info adf --json"))
def info(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The method, e.g. gff.")], as_json: _Json = False
) -> None:
    """Explain a method: the paper, what it does, and its parameters."""
    from fusionbench.baselines import METHODS
    from fusionbench.recipe import parameters_of, recipe

    card = METHODS[name].card
    parameters = parameters_of(name)
    if as_json:
        print_json(_described(name, card) | {"parameters": [_spelled(each) for each in parameters.values()]})
        return
    typer.echo(f"{name}: {card.title}\n")
    paper = f"{card.authors}, {card.year}" if card.authors else "as old as the field; nobody's paper"
    for heading, text in (
        ("Does", card.summary),
        ("Paper", paper + f", doi:{card.doi}" * bool(card.doi)),
        ("Defaults", card.defaults),
        ("Identity", _identity(card)),
        ("Smallest", f"{card.smallest} pixels on the shorter side"),
    ):
        typer.echo(paragraph(f"{heading:<10}{text}", indent=" " * 10))
    for preset in card.presets:
        chosen = recipe(name, preset=preset)
        other = [
            f"{word}={value!r}"
            for word, value in chosen.parameters.items()
            if value is not parameters[word].default and value != parameters[word].default
        ]
        typer.echo(
            paragraph(f"{'Preset':<10}{preset}: {', '.join([f'color={chosen.color}', *other])}", indent=" " * 10)
        )
    if not parameters:
        return
    typer.echo()
    longest = max(map(len, parameters))
    for each in parameters.values():
        spelled = _spelled(each)
        default = "must be given" if spelled["required"] else f"by default {spelled['default']!r}"
        typer.echo(paragraph(f"{each.name:{longest}}  {default}. {each.meaning}", indent=" " * (longest + 2)))


def _identity(card: MethodCard) -> str:
    if card.identity is None:
        return "an image fused with itself may change"
    return f"an image fused with itself stays what it is, up to {card.identity:g} levels"


def _described(name: str, card: MethodCard) -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(card) | {"name": name}


def _spelled(parameter: Parameter) -> dict[str, Any]:
    from fusionbench.recipe import REQUIRED

    required = parameter.default is REQUIRED
    default = None if required else parameter.default
    return {"name": parameter.name, "required": required, "default": default, "meaning": parameter.meaning}
