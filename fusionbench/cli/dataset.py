"""``fusionbench dataset``: which datasets there are, how to get them, what a folder is, and scenes made on the spot."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fusionbench.cli import examples
from fusionbench.cli.progress import Progress
from fusionbench.cli.screen import Cell, paragraph, print_json, table
from fusionbench.cli.verdict import show, spelled
from fusionbench.typesetting import count

if TYPE_CHECKING:
    from fusionbench.datasets.card import Card

app = typer.Typer(
    help="List datasets, explain, fetch or verify one, or make synthetic scenes.",
    epilog=examples(
        "fusionbench dataset list",
        "fusionbench dataset info tno",
        "fusionbench dataset fetch roadscene",
        "fusionbench dataset verify data/MSRS",
        "fusionbench dataset make synthetic -n 20 --size 640x480 --seed 7 -o streets",
    ),
)

_Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_Quiet = Annotated[bool, typer.Option("--quiet", help="Print nothing but the path of the folder.")]
_Name = Annotated[str, typer.Argument(metavar="NAME", help="The dataset, e.g. msrs.")]


@app.command("list", epilog=examples("fusionbench dataset list", "fusionbench dataset list --json"))
def list_(as_json: _Json = False) -> None:
    """List the datasets."""
    from fusionbench.datasets import DATASETS

    cards = [DATASETS[name] for name in DATASETS.names()]
    if as_json:
        print_json([_described(card) for card in cards])
        return
    rows = [
        [
            Cell(card.name),
            Cell(card.kind.removesuffix("-visible").removeprefix("multi-")),
            Cell(f"{card.count:,}{_question(card, 'count')}"),
            Cell(
                ", ".join(
                    f"{split.name} {split.count:,}{_question(card, f'splits.{split.name}')}"
                    for split in card.splits
                    if not split.repeats
                )
                or "-"
            ),
            Cell(" ".join(f"{one.count}{_question(card, f'subsets.{one.name}')}" for one in card.subsets) or "-"),
            Cell(_where(card).partition(",")[0]),
        ]
        for card in cards
    ]
    header = ["dataset", "kind", "pairs", "splits", "known subsets", "where"]
    for line in table(header, rows, left=(0, 1, 3, 4, 5)):
        typer.echo(line)
    typer.echo("'fusionbench dataset info NAME' explains one; a number with ? was not verified.")


@app.command(epilog=examples("fusionbench dataset info tno", "fusionbench dataset info msrs --json"))
def info(name: _Name, as_json: _Json = False) -> None:
    """Explain a dataset: what its pairs are, whose it is, how it is got, how it lies on disk, what papers use of it."""
    from fusionbench.datasets import DATASETS

    card = DATASETS[name]
    if as_json:
        print_json(_described(card))
        return
    typer.echo(f"{name}: {card.title}\n")
    for field, heading, text in (
        ("kind", "Kind", f"{card.kind}; colour in {_COLOUR[card.colour]}"),
        ("ir", "ir", card.ir),
        ("vis", "vis", card.vis),
        ("count", "Pairs", f"{card.count:,}"),
        ("size", "Size", card.size),
        ("citation", "Cite", card.citation),
        ("licence", "Licence", card.licence),
        ("home", "Page", card.home),
        ("obtain", "Get it", card.obtain),
        ("official", "Files", card.official),
        ("remarks", "Remarks", card.remarks),
    ):
        if text:
            typer.echo(_entry(heading, text + _doubt(card, field)))
    for layout in card.layouts:
        text = f"{layout.name}: {layout.ir} with {layout.vis}"
        typer.echo(_entry("Layout", text + _doubt(card, f"layouts.{layout.name}")))
    for split in card.splits:
        typer.echo(_entry("Split", f"{split.name}: {split.count:,} pairs" + _doubt(card, f"splits.{split.name}")))
    for subset in card.subsets:
        known = "names known" if subset.names else "names not known"
        text = f"{subset.name}: {subset.count} pairs, {known}. {subset.about}"
        typer.echo(_entry("Subset", text + _doubt(card, f"subsets.{subset.name}")))
    for archive in card.archives:
        text = archive.url + f" (subset {archive.subset})" * bool(archive.subset)
        typer.echo(_entry("Archive", text + _doubt(card, "archives")))
    typer.echo(_entry("Where", _where(card)))


@app.command(
    epilog=examples(
        "fusionbench dataset fetch roadscene",
        "fusionbench dataset fetch tno --subset tang --to data/tno",
        "fusionbench dataset fetch m3fd --from M3FD_Detection.zip --from M3FD_Fusion.zip",
    )
)
def fetch(
    name: _Name,
    subset: Annotated[
        str | None, typer.Option(metavar="NAME", help="A known subset that is given out on its own.")
    ] = None,
    to: Annotated[
        Path | None, typer.Option(metavar="DIR", help="The folder for it; by default below FUSIONBENCH_DATA.")
    ] = None,
    source: Annotated[
        list[str] | None,
        typer.Option(
            "--from", metavar="URL|FILE", help="An archive to take instead, fetched or here. May be repeated."
        ),
    ] = None,
    sha256: Annotated[str, typer.Option(metavar="HEX", help="What the archive given by --from must be.")] = "",
    quiet: _Quiet = False,
    as_json: _Json = False,
) -> None:
    """Get a dataset from where its makers keep it and unpack it, or say how to get it by hand.

    A download that breaks goes on where it stopped. The exit code is 1 if what was got is not complete.
    """
    from fusionbench import datasets

    with Progress(f"Fetching {name}", "bytes", quiet=quiet) as progress:
        folder = datasets.fetch(name, subset, to, source or (), sha256, progress)
    verdict = datasets.verify(folder, name, subset=subset)
    if as_json:
        print_json(spelled(verdict))
    else:
        typer.echo(str(folder))
    if not quiet and not as_json:
        show(verdict)
        typer.echo(
            paragraph(
                f"Licence: {verdict.card.licence}{_doubt(verdict.card, 'licence')}. Cite: {verdict.card.citation}."
            )
        )
    # All of it was asked for, and not what some paper uses.
    if not verdict.complete or (subset is None and verdict.nearest.kind == "subset"):
        raise typer.Exit(1)


@app.command(
    epilog=examples(
        "fusionbench dataset verify data/MSRS",
        "fusionbench dataset verify data/tno --dataset tno --subset tang",
        "fusionbench dataset verify data/LLVIP --dataset llvip --split test --json",
    )
)
def verify(
    root: Annotated[Path, typer.Argument(metavar="ROOT", help="The folder.")],
    name: Annotated[
        str | None, typer.Option("--dataset", metavar="NAME", help="What it is meant to be; by default what fits best.")
    ] = None,
    split: Annotated[str | None, typer.Option(metavar="NAME", help="The split that is meant to be there.")] = None,
    subset: Annotated[str | None, typer.Option(metavar="NAME", help="The subset that is meant to be there.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing: the exit code says it.")] = False,
    as_json: _Json = False,
) -> None:
    """Say which dataset, split or known subset a folder holds, in which layout, and what is missing.

    The exit code is 1 if something is missing.
    """
    from fusionbench import datasets

    verdict = datasets.verify(root, name, split, subset)
    if as_json:
        print_json(spelled(verdict))
    elif not quiet:
        show(verdict)
    if not verdict.complete:
        raise typer.Exit(1)


@app.command(
    epilog=examples(
        "fusionbench dataset make synthetic -n 20 --size 640x480 --seed 7",
        "fusionbench dataset make synthetic -n 4 --condition smoke --condition noise --truth -o smoky",
    )
)
def make(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The dataset: synthetic is the one that can be made.")],
    n: Annotated[int, typer.Option("-n", help="How many pairs.")] = 20,
    size: Annotated[str, typer.Option(metavar="WIDTHxHEIGHT", help="Size in pixels.")] = "640x480",
    seed: Annotated[int, typer.Option(help="Another seed makes other streets.")] = 0,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="DIR", help="The folder, with ir and vis in it.")
    ] = Path("synthetic"),
    condition: Annotated[
        list[str] | None,
        typer.Option(help="smoke, glare, overexposed, underexposed or noise, in every scene. May be repeated."),
    ] = None,
    truth: Annotated[
        bool, typer.Option("--truth", help="Also write masks of people and cars, and the scenes free of disturbances.")
    ] = False,
    quiet: _Quiet = False,
    as_json: _Json = False,
) -> None:
    """Make registered infrared and visible street scenes, by turns by night and by day; the same seed, the same pixels."""
    import re

    from fusionbench.datasets import DATASETS, synthetic
    from fusionbench.types import UserError

    if DATASETS[name].name != "synthetic":
        raise UserError(f"{name} is photographed, not made: 'fusionbench dataset fetch {name}' gets it or says how.")
    numbers = re.fullmatch(r"(\d+)x(\d+)", size)
    if numbers is None:
        raise UserError(f"'{size}' is no size: write width and height like 640x480.")
    with Progress("Making scenes", "pairs", quiet=quiet) as progress:
        names = synthetic.make(
            output,
            n,
            (int(numbers[1]), int(numbers[2])),
            seed,
            conditions=condition or (),  # type: ignore[arg-type]  # it checks the words itself
            truth=truth,
            tick=progress,
        )
    if as_json:
        print_json({"folder": str(output), "pairs": names, "size": size, "seed": seed, "conditions": condition or []})
        return
    typer.echo(str(output))
    if not quiet:
        also = f"; what is known of them in {output / 'truth'}" if truth else ""
        typer.echo(
            paragraph(f"{count(len(names), 'pair')} of {size} pixels in {output / 'ir'} and {output / 'vis'}{also}")
        )


_COLOUR = {"vis": "vis", "both": "both", "neither": "neither of them"}


def _entry(heading: str, text: str) -> str:
    return paragraph(f"{heading:<9}{text}", indent=" " * 9)


def _doubt(card: Card, field: str) -> str:
    head = field.partition(".")[0]
    return " (not verified)" if field in card.unverified or head in card.unverified else ""


def _question(card: Card, field: str) -> str:
    return "?" if _doubt(card, field) else ""


def _where(card: Card) -> str:
    from fusionbench.datasets.loading import place

    for subset in ("", *(archive.subset for archive in card.archives)):
        if (folder := place(card.name, subset)).is_dir():
            return f"here, {folder}"
    if card.name == "synthetic":
        return "made, when it is asked for"
    parts = [archive.subset for archive in card.archives]
    if "" in parts:
        return "to fetch"
    return "by hand" + f", but the subset {' and '.join(parts)} can be fetched" * bool(parts)


def _described(card: Card) -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(card) | {"where": _where(card)}
