"""``fusionbench weights``: which weights there are, how to get them, and what a file of weights is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fusionbench.cli import examples
from fusionbench.cli.progress import Progress
from fusionbench.cli.screen import Cell, paragraph, print_json, table

if TYPE_CHECKING:
    from fusionbench.baselines.learned.card import WeightsCard
    from fusionbench.baselines.learned.weights import Verdict

app = typer.Typer(
    help="List, fetch, verify or convert the weights of learned methods.",
    epilog=examples(
        "fusionbench weights list",
        "fusionbench weights fetch coconet@official",
        'fusionbench weights verify "Backbone Network.pth"',
        'fusionbench weights convert "Backbone Network.pth" -o cs2fusion.safetensors',
    ),
)

_Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("list", epilog=examples("fusionbench weights list", "fusionbench weights list cs2fusion@official"))
def list_(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Tell everything about one of them.")] = None,
    as_json: _Json = False,
) -> None:
    """List the weights that are known, or tell everything about one of them."""
    from fusionbench.baselines.learned.cards import CARDS
    from fusionbench.baselines.learned.weights import card

    cards = [card(name)] if name else list(CARDS.values())
    if as_json:
        print_json([_described(one) for one in cards])
    elif name:
        for heading, text in _described(cards[0]).items():
            if text is not None:
                spelled = {True: "yes", False: "no, it serves training only"}.get(text, text)
                typer.echo(paragraph(f"{heading:<9}{spelled}", indent=" " * 9))
    else:
        rows = [
            [
                Cell(one.name),
                Cell("fusing" if one.fuses else "training"),
                Cell(_where(one).partition(":")[0]),
                Cell(one.licence.split(",")[0]),
            ]
            for one in cards
        ]
        for line in table(["weights", "for", "where", "licence"], rows, left=(0, 1, 2, 3)):
            typer.echo(line)
        typer.echo("'fusionbench weights list NAME' tells everything about one of them.")


@app.command(
    epilog=examples(
        "fusionbench weights fetch coconet@official",
        "fusionbench weights fetch coconet@official --to weights",
        "fusionbench weights fetch cs2fusion@official --from file:///media/stick/backbone.pth",
    )
)
def fetch(
    names: Annotated[
        list[str], typer.Argument(metavar="NAME...", help="Which; 'fusionbench weights list' shows them.")
    ],
    to: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where to; by default a folder in which methods look for them.")
    ] = None,
    source: Annotated[
        str | None,
        typer.Option("--from", metavar="URL", help="Another place to get it from: https://, http:// or file://."),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but the path of each file.")] = False,
) -> None:
    """Get weights from where their authors keep them, and make sure that they are the right ones."""
    from fusionbench.baselines.learned import weights
    from fusionbench.types import UserError

    cards = [weights.card(name) for name in names]
    if source and len(cards) > 1:
        raise UserError(f"'{source}' is one file, but {len(cards)} names are given: name one of them.")
    for one in cards:
        with Progress(f"Fetching {one.name}", "bytes", quiet=quiet) as progress:
            path = weights.fetch(one, to, source, progress)
        typer.echo(str(path))
        if not quiet and not one.shipped:
            said = "its SHA-256 is that of the authors' file" if one.sha256 else _only_readable(path)
            typer.echo(paragraph(f"{one.name}: {said}. Licence: {one.licence}."))


@app.command(epilog=examples('fusionbench weights verify "Backbone Network.pth"', "fusionbench weights verify *.pth"))
def verify(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Files of weights, of any origin.")],
    as_json: _Json = False,
) -> None:
    """Say which weights a file holds and whether a method can use it; nothing in it is run.

    The exit code is 1 if a file is neither known nor fits any method.
    """
    from fusionbench.baselines.learned import weights

    verdicts = [weights.verify(file) for file in files]
    if as_json:
        print_json([_spelled(verdict) for verdict in verdicts])
    else:
        for verdict in verdicts:
            _show(verdict)
    if any(verdict.known is None and not _fitting(verdict) for verdict in verdicts):
        raise typer.Exit(1)


@app.command(epilog=examples('fusionbench weights convert "Backbone Network.pth" -o cs2fusion.safetensors'))
def convert(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What torch.save wrote, or an npz.")],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="Ends in .safetensors.")],
) -> None:
    """Write the weights of a file as safetensors, a format that holds numbers and nothing that could be run."""
    from fusionbench.baselines.learned import weights

    _show(weights.convert(file, output))


def _only_readable(path: Path) -> str:
    from fusionbench.baselines.learned.weights import verify

    verdict = verify(path)
    fitting = _fitting(verdict)
    fits = (
        f"it fits {', '.join(fitting)}, and"
        if fitting
        else "it is readable, but"
        if verdict.misfits
        else "it is readable, and"
    )
    return f"{fits} what the SHA-256 of the authors' file is was not known; this one has {verdict.sha256}"


def _where(card: WeightsCard) -> str:
    from fusionbench.baselines.learned.weights import at_hand
    from fusionbench.types import UserError

    try:
        if (place := at_hand(card)) is not None:
            return "in the package" if card.shipped else f"fetched: {place}"
    except UserError:
        return "fetched, but changed since"
    return "not in this copy" if card.shipped else "to be fetched" if card.url else "to be got by hand"


def _described(card: WeightsCard) -> dict[str, Any]:
    return {
        "name": card.name,
        "file": card.file,
        "fuses": card.fuses,
        "trained": card.trained,
        "licence": card.licence,
        "home": card.home,
        "url": card.url or None,
        "sha256": card.sha256 or None,
        "where": _where(card),
    }


def _fitting(verdict: Verdict) -> list[str]:
    return [method for method, reason in (verdict.misfits or {}).items() if not reason]


def _spelled(verdict: Verdict) -> dict[str, Any]:
    return {
        "file": str(verdict.path),
        "sha256": verdict.sha256,
        "content_sha256": verdict.content,
        "tensors": verdict.tensors,
        "numbers": verdict.numbers,
        "name": verdict.known.name if verdict.known else None,
        "same_file": verdict.same_file,
        "fits": None if verdict.misfits is None else _fitting(verdict),
        "misfits": None if verdict.misfits is None else {m: why for m, why in verdict.misfits.items() if why},
    }


def _show(verdict: Verdict) -> None:
    known = verdict.known
    if known is None:
        what = "none of the weights that are known"
    else:
        same = "the very file of its makers" if verdict.same_file else "the same numbers in another file"
        what = f"{known.name}, {same}; {'for fusing' if known.fuses else 'for training only'}"
    lines = [
        ("holds", f"{verdict.tensors} tensors of {verdict.numbers} numbers, all finite"),
        ("is", what),
        ("fits", _fits(verdict)),
        ("sha256", verdict.sha256),
    ]
    typer.echo(str(verdict.path))
    for heading, text in lines:
        typer.echo(paragraph(f"  {heading:<8}{text}", indent=" " * 10))


def _fits(verdict: Verdict) -> str:
    if verdict.misfits is None:
        return "not known without torch: pip install fusionbench[learned]"
    if (fitting := _fitting(verdict)) or verdict.known:
        return ", ".join(fitting) or "no method"
    return "; ".join(f"not {method}: {why}" for method, why in verdict.misfits.items())
