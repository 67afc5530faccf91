"""``fusionbench method``: which methods there are, and what each of them does."""

from __future__ import annotations

from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fusionbench.cli import examples
from fusionbench.cli.screen import Cell, paragraph, print_json, table, width

if TYPE_CHECKING:
    from fusionbench.recipe import Parameter
    from fusionbench.types import MethodCard

app = typer.Typer(
    help="List, explain or check the methods, or begin one of your own.",
    epilog=examples(
        "fusionbench method list",
        "fusionbench method info gff",
        "fusionbench method new my-method",
        "fusionbench --plugin my_method.py method check mine",
    ),
)

_Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("list", epilog=examples("fusionbench method list", "fusionbench method list --kind network --json"))
def list_(
    kind: Annotated[
        str | None,
        typer.Option(
            metavar="KIND", help="Only these: 'rule', 'classical', 'network', or 'foreign' (files and programs)."
        ),
    ] = None,
    as_json: _Json = False,
) -> None:
    """List the methods, and how it stands with the weights of those that have any.

    These are shipped with the package, at hand since they were fetched, to be fetched by 'fusionbench weights fetch', or
    a file to give with --weights.
    """
    from typing import get_args

    from fusionbench.baselines import METHODS
    from fusionbench.registry import unknown
    from fusionbench.types import Kind

    if kind is not None and kind not in get_args(Kind):
        raise unknown("kind of method", kind, get_args(Kind))
    cards = {name: METHODS[name].card for name in METHODS.names()}
    chosen = {name: _described(name, card) for name, card in cards.items() if kind in (None, card.kind)}
    if as_json:
        print_json(list(chosen.values()))
        return
    header = ["method", "kind", "year", "weights", "licence", "title"]
    rows = [_row(each) for each in chosen.values()]
    # Titles take what room there is, so that the table stays one.
    others = zip(*([cell.text for cell in row[:-1]] for row in rows), strict=True)
    taken = sum(max(map(len, [name, *column])) + 2 for name, column in zip(header, others, strict=False))
    rows = [[*row[:-1], Cell(shorten(row[-1].text, max(width() - taken, 20), placeholder=" …"))] for row in rows]
    for line in table(header, rows, left=(0, 1, 3, 4, 5)):
        typer.echo(line)
    typer.echo("'fusionbench method info NAME' explains one, with its parameters.")


@app.command(epilog=examples("fusionbench method info gff", "fusionbench method info adf --json"))
def info(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The method, e.g. gff.")], as_json: _Json = False
) -> None:
    """Explain a method: the paper, what it does, and its parameters."""
    from fusionbench.baselines import METHODS
    from fusionbench.recipe import opened, parameters_of, recipe

    name = opened(name).method
    card = METHODS[name].card
    parameters = parameters_of(name)
    described = _described(name, card)
    if as_json:
        print_json(described | {"parameters": [_spelled(each) for each in parameters.values()]})
        return
    typer.echo(f"{name}: {card.title}\n")
    paper = f"{card.authors}, {card.year}" if card.authors else "as old as the field; nobody's paper"
    if card.kind == "foreign":
        paper = "that of whoever made the file or program"
    for heading, text in (
        ("Does", card.summary),
        ("Kind", card.kind),
        ("Paper", paper + f", doi:{card.doi}" * bool(card.doi)),
        *([("Weights", _weights_in_words(described["weights"]))] if described["weights"] else []),
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


@app.command(
    epilog=examples(
        "fusionbench method check gff",
        "fusionbench --plugin my_method.py method check mine",
        "fusionbench method check onnx:theirs.onnx",
    )
)
def check(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The method, e.g. gff.")],
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A parameter of it. May be repeated.")
    ] = None,
    as_json: _Json = False,
) -> None:
    """Check whether a method keeps what every method promises.

    It has to make one finite image of the right size of any pair, always the same, leave its sources alone, and hold what
    its card says. The exit code is 1 if it does not.
    """
    from fusionbench.cli.fuse import recipes_for
    from fusionbench.contract import broken

    (chosen,) = recipes_for([name], None, None, set_ or [], {})
    found = broken(chosen)
    if as_json:
        print_json({"method": chosen.label, "broken": found})
    elif not found:
        typer.echo(f"{chosen.label} keeps what every method promises.")
    for sentence in [] if as_json else found:
        typer.echo(paragraph(sentence))
    if found:
        raise typer.Exit(1)


@app.command(epilog=examples("fusionbench method new my-method", "fusionbench method new my-method -o work/my-method"))
def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it is to be called, e.g. my-method.")],
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="DIR", help="Where; by default fusionbench-NAME here."),
    ] = None,
) -> None:
    """Begin a method of your own: a small repository with a method, its test, and the line by which it is found."""
    from fusionbench.scaffold import create

    files = create(name, output)
    for file in files:
        typer.echo(str(file))
    folder = files[0].parent
    typer.echo(
        f"Now 'cd {folder}', then \"pip install -e '.[test]'\" and 'pytest'; the method is in {files[2].relative_to(folder)}."
    )


def _identity(card: MethodCard) -> str:
    if card.identity is None:
        return "an image fused with itself may change"
    return f"an image fused with itself stays what it is, up to {card.identity:g} levels"


def _row(described: dict[str, Any]) -> list[Cell]:
    weights = described["weights"] or {}
    return [
        Cell(described["name"]),
        Cell(described["kind"]),
        Cell(str(described["year"] or "-")),
        Cell(weights.get("status", "-")),
        Cell(weights.get("allowed") or "-"),
        Cell(described["title"]),
    ]


def _weights_in_words(weights: dict[str, Any]) -> str:
    ways = {
        "shipped": "come with this package",
        "at hand": "were fetched",
        "fetch": f"to be fetched: fusionbench weights fetch {weights['name']}",
        "give": "a file of them has to be given",
    }
    known = f"; {weights['name']}, licence: {weights['licence']}" if weights["name"] else ""
    return ways[weights["status"]] + known


def _described(name: str, card: MethodCard) -> dict[str, Any]:
    from dataclasses import asdict

    from fusionbench.baselines.learned.standing import standing

    found = standing(name) if card.kind == "network" else None
    weights = None if found is None else asdict(found) | {"allowed": found.allowed}
    return asdict(card) | {"name": name, "weights": weights}


def _spelled(parameter: Parameter) -> dict[str, Any]:
    from fusionbench.recipe import REQUIRED

    required = parameter.default is REQUIRED
    default = None if required else parameter.default
    return {"name": parameter.name, "required": required, "default": default, "meaning": parameter.meaning}
