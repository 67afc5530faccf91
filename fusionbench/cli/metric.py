"""``fusionbench metric``: which metrics there are, and what each of them means under every convention."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fusionbench.cli import examples
from fusionbench.cli.screen import ARROW, Cell, paragraph, print_json, table

if TYPE_CHECKING:
    from fusionbench.types import MetricCard

app = typer.Typer(
    help="List the metrics, or explain one.",
    epilog=examples("fusionbench metric list", "fusionbench metric info SSIM", "fusionbench metric agreement"),
)

_Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("list", epilog=examples("fusionbench metric list", "fusionbench metric list --json"))
def list_(as_json: _Json = False) -> None:
    """List the metrics, and the conventions that define them."""
    from fusionbench.metrics import CORE, METRICS
    from fusionbench.metrics.conventions import CONVENTIONS
    from fusionbench.metrics.definitions import conventions_with

    cards = {name: METRICS[name].card for name in METRICS.names()}
    having = {name: list(conventions_with(name)) for name in cards}
    if as_json:
        print_json([_described(name, card) | {"conventions": having[name]} for name, card in cards.items()])
        return
    rows = [
        [
            Cell(name + "*" * (name in CORE) + "+" * bool(card.weights)),
            Cell(card.title),
            Cell(ARROW[card.better]),
            Cell(_range(card)),
            Cell("yes" if card.sources else "no"),
        ]
        for name, card in cards.items()
    ]
    for line in table(["metric", "title", "better", "range", "sources"], rows, left=(0, 1)):
        typer.echo(line)
    typer.echo("* core: what 'score' computes if nothing else is asked for.")
    typer.echo("+ needs weights of yours, see 'metric info'; without them 'all' leaves it out.\n")
    typer.echo("Conventions")
    longest = max(map(len, CONVENTIONS))
    for whose in CONVENTIONS.values():
        lacking = [name for name in cards if whose.name not in having[name]]
        text = f"{whose.name:{longest}}  {whose.title}" + f"; without {', '.join(lacking)}" * bool(lacking)
        typer.echo(paragraph(text, indent=" " * (longest + 2)))


@app.command(epilog=examples("fusionbench metric info SSIM", "fusionbench metric info VIF --json"))
def info(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The metric, e.g. SSIM.")], as_json: _Json = False
) -> None:
    """Explain a metric: its formula, and what each convention makes of it."""
    from fusionbench.metrics import METRICS
    from fusionbench.metrics.conventions import CONVENTIONS
    from fusionbench.metrics.definitions import conventions_with

    card = METRICS[name].card
    definitions = conventions_with(name)
    if as_json:
        details = {
            key: {"id": each.id, "grey": CONVENTIONS[key].luma, "parameters": each.parameters}
            for key, each in definitions.items()
        }
        print_json(_described(name, card) | {"conventions": {key: details.get(key) for key in CONVENTIONS}})
        return
    typer.echo(f"{name}: {card.title}\n")
    direction = f"{card.better} is better {ARROW[card.better]}"
    against = "the fused image and its sources" if card.sources else "the fused image alone"
    for heading, text in (
        ("Looks at", against + ", in colour" * card.colour),
        ("Range", f"{_range(card)}, {direction}"),
        ("Formula", card.formula),
        ("Standard", card.standard),
        ("Undefined", card.undefined),
        ("Fooled by", card.fooled),
        ("Weights", card.weights),
        ("Source", card.reference),
        ("Version", str(card.version)),
    ):
        if text:
            typer.echo(paragraph(f"{heading:<11}{text}", indent=" " * 11))
    typer.echo()
    longest = max(map(len, CONVENTIONS))
    usual = definitions["standard"].parameters if "standard" in definitions else {}
    typer.echo(f"{'convention':{longest}}  {'grey':11}  definition")
    for key, whose in CONVENTIONS.items():
        if key not in definitions:
            text = "does not define it"
        elif key == "standard":
            text = _spelled(usual) or "has no parameters"
        else:
            own = definitions[key].parameters
            text = _spelled({word: own[word] for word in own if word not in usual or own[word] != usual[word]})
            text = text or "as standard"
            text += "; colour channels side by side" * definitions[key].side_by_side
        typer.echo(paragraph(f"{key:{longest}}  {whose.luma:11}  {text}", indent=" " * (longest + 15)))


@app.command(
    epilog=examples(
        "fusionbench metric agreement",
        "fusionbench metric agreement -o agreement.csv",
        "fusionbench metric agreement --reference numbers/ --images tno/ --dataset TNO",
    )
)
def agreement(
    reference: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Tables PROGRAM.csv of other programs' numbers; by default those of the source tree."
        ),
    ] = None,
    images: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Their images: ir, vis and one folder a method; by default DIR/formula."),
    ] = None,
    dataset: Annotated[str | None, typer.Option(metavar="NAME", help="Only rows of this dataset.")] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write the table as .csv or .md.")
    ] = None,
    workers: Annotated[int | None, typer.Option(metavar="N", help="Threads; by default one a core.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Show no progress.")] = False,
    as_json: _Json = False,
) -> None:
    """Compare every definition with the program that it is meant to be."""
    import fusionbench
    from fusionbench import agreement as table_of
    from fusionbench import files
    from fusionbench.candidates import Bench
    from fusionbench.cli.progress import Progress
    from fusionbench.types import UserError

    if output and output.suffix.lower() not in (".csv", ".md"):
        raise UserError(f"'{output}' does not say what to write: end it in .csv or .md.")
    if reference is None:
        reference = Path(fusionbench.__file__).parents[1] / "tests" / "golden"
        if not reference.is_dir():
            raise UserError(
                "The numbers of other programs come with the source tree, not with the package: give --reference."
            )
    with Progress("Comparing", "images", quiet=quiet) as progress:
        notice = None if quiet else lambda sentence: typer.echo(sentence, err=True)
        bench = Bench(workers, progress, notice)
        found, remarks = table_of.agreement(reference, images or reference / "formula", dataset=dataset, bench=bench)
    rows = table_of.table(found)
    if output:
        text = table_of.markdown(found) if output.suffix.lower() == ".md" else table_of.csv_text(found)
        files.whole(output, lambda file: file.write(text.encode()))
    if as_json:
        print_json({"agreement": rows, "remarks": remarks})
        return
    header, lines, reasons = table_of.grid(found)
    for line in table(header, [[Cell(text) for text in row] for row in lines]):
        typer.echo(line)
    typer.echo()
    notes = [f"[{at}] {reason}." for at, reason in enumerate(reasons, 1)]
    for line in ["Largest relative differences; empty: not computed by that program.", *notes, *remarks]:
        typer.echo(paragraph(line))
    if output:
        typer.echo(f"Written to {output}.")


def _described(name: str, card: MetricCard) -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(card) | {"name": name}


def _spelled(parameters: Mapping[str, Any]) -> str:
    return ", ".join(f"{key}={value!r}" for key, value in parameters.items())


def _range(card: MetricCard) -> str:
    return " to ".join(f"{end:g}" if end == round(end, 1) else f"{end:.4g}" for end in card.range)
