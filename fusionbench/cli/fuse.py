"""``fusionbench fuse``: pairs of images by one method or several."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fusionbench.cli import examples
from fusionbench.cli.failures import cut, reasons
from fusionbench.cli.progress import Progress
from fusionbench.cli.screen import Cell, number, print_json, table

if TYPE_CHECKING:
    from fusionbench.fusing import FolderFusion, Outcome
    from fusionbench.recipe import Recipe

app = typer.Typer()


@app.command(
    epilog=examples(
        "fusionbench fuse gff --ir tno/ir --vis tno/vi -o out",
        "fusionbench fuse gff lp dwt --ir tno/ir --vis tno/vi -o out --color grey",
        "fusionbench fuse adf --preset vifb --ir vifb/ir --vis vifb/vis -o out",
        "fusionbench fuse weighted average --set weighted.weight=0.7 --ir tno/ir --vis tno/vi -o out",
        "fusionbench fuse gff --ir a_ir.png --vis a_vis.png -o fused.png",
        "fusionbench fuse clfnet --ir tno/ir --vis tno/vi -o out --weights CLF_Net.pth --device cuda",
        "fusionbench fuse onnx:theirs.onnx --ir tno/ir --vis tno/vi -o out",
        "fusionbench fuse theirs=torchscript:latest.pt --set trust=true --ir tno/ir --vis tno/vi -o out",
        "fusionbench fuse 'command:python their.py --ir {ir} --vis {vis} --out {out}' --ir tno/ir --vis tno/vi -o out",
    )
)
def fuse(
    methods: Annotated[
        list[str],
        typer.Argument(
            metavar="METHOD...",
            help="Short names; 'fusionbench method list' shows them. Also [LABEL=]onnx:FILE, torchscript:FILE, exported:FILE "
            "and command:'PROGRAM ... {ir} ... {vis} ... {out}'.",
        ),
    ],
    ir: Annotated[Path, typer.Option(metavar="IR", help="Infrared images: a folder or one file, matched by name.")],
    vis: Annotated[Path, typer.Option(metavar="VIS", help="Visible images, likewise.")],
    output: Annotated[
        Path,
        typer.Option(
            "-o", "--output", metavar="DIR", help="Gets a folder a method. For one method and one pair also a file."
        ),
    ],
    preset: Annotated[str | None, typer.Option(metavar="NAME", help="A named set of parameters, e.g. 'vifb'.")] = None,
    color: Annotated[
        str | None,
        typer.Option(
            metavar="MODE",
            help="Visible images in colour: 'luma' (fuse the luma, keep the chroma; what is done by default), "
            "'per-channel', or 'grey'.",
        ),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="[METHOD.]NAME=VALUE",
            help="A parameter of every method, or of one. May be repeated.",
        ),
    ] = None,
    weights: Annotated[Path | None, typer.Option(metavar="FILE", help="The weights of a method that has any.")] = None,
    device: Annotated[
        str | None, typer.Option(metavar="NAME", help="Where networks run: cpu (what is used by default) or cuda.")
    ] = None,
    precision: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Of networks: fp32 (what is used by default), tf32, bf16 or fp16."),
    ] = None,
    workers: Annotated[int | None, typer.Option(metavar="N", help="Threads; by default one a core.")] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Make images anew that are there already, instead of keeping them.")
    ] = False,
    format_: Annotated[
        str | None, typer.Option("--format", metavar="NAME", help="png (what is used by default), tif, bmp or jpg.")
    ] = None,
    depth: Annotated[int, typer.Option(metavar="BITS", help="8, or 16 for grey png and tif.")] = 8,
    quiet: Annotated[bool, typer.Option("--quiet", help="Show no progress.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON instead of a table.")] = False,
) -> None:
    """Fuse pairs of infrared and visible images."""
    from fusionbench.fusing import fuse_folder
    from fusionbench.types import UserError
    from fusionbench.workers import telling_of_compilation

    of_networks = {"weights": weights, "device": device, "precision": precision}
    recipes = recipes_for(list(dict.fromkeys(methods)), color, preset, set_ or [], of_networks)
    job = fuse_folder(recipes, ir, vis, output, workers=workers, overwrite=overwrite, format=format_, depth=depth)
    outcomes: list[Outcome] = []
    with Progress("Fusing", "images", quiet=quiet) as progress, telling_of_compilation(None if quiet else _notice):
        for outcome in job.outcomes(lambda: progress(len(outcomes), len(job.todo))):
            outcomes.append(outcome)
    order = {item: place for place, item in enumerate(job.todo)}
    outcomes.sort(key=lambda outcome: order[outcome.fused])
    if outcomes and not job.kept and all(outcome.reason for outcome in outcomes):
        raise UserError(_nothing_fused(outcomes))
    if as_json:
        print_json(_described(job, outcomes))
    else:
        _show(job, outcomes)
    _complain(job, outcomes)


def recipes_for(
    methods: Sequence[str],
    color: str | None,
    preset: str | None,
    words: Sequence[str],
    options: Mapping[str, Path | str | None],
) -> list[Recipe]:
    """What the words of a command line say about methods.

    Parameters
    ----------
    methods : sequence of str
        Short names, or whatever `fusionbench.recipe.opened` takes.
    color, preset : str or None
        As for `fusionbench.recipe.recipe`, for all of them.
    words : sequence of str
        ``NAME=VALUE`` or ``METHOD.NAME=VALUE`` each.
    options : mapping of str to object
        Parameters with an option of their own, for those methods that have them; None where it is not given.

    Raises
    ------
    UserError
        If something does not exist, has a wrong value, or is of use to none of the methods.
    """
    from fusionbench import recipe
    from fusionbench.types import UserError

    parameters: dict[str, dict[str, Any]] = {name: {} for name in methods}
    called = {recipe.opened(name).label: name for name in methods} | {name: name for name in methods}
    for option, value in options.items():
        if value is None:
            continue
        having = [name for name in methods if option in recipe.parameters_of(name)]
        if not having:
            raise UserError(f"Nothing in {' or '.join(methods)} depends on --{option}: leave it out.")
        for name in having:
            parameters[name][option] = value
    for word in words:
        target, equals, text = word.partition("=")
        one, dot, parameter = target.strip().rpartition(".")
        if not equals or not parameter:
            raise UserError(f"'--set {word}' gives no value: write --set NAME=VALUE.")
        if dot and one not in called:
            raise UserError(
                f"'--set {word}' is for the method '{one}', which is not among those to fuse by: name it too."
            )
        for name in [called[one]] if dot else methods:
            parameters[name][parameter] = recipe.parse(name, parameter, text)
    return [recipe.recipe(name, color=color, preset=preset, parameters=parameters[name]) for name in methods]


def _show(job: FolderFusion, outcomes: Sequence[Outcome]) -> None:
    rows = []
    for chosen in job.recipes:
        mine = [outcome for outcome in outcomes if outcome.fused.method == chosen.label]
        times = [outcome.seconds for outcome in mine if not outcome.reason]
        kept = [item for item in job.kept if item.method == chosen.label]
        paths = [item.path for item in kept] + [outcome.fused.path for outcome in mine]
        rows.append(
            [
                Cell(chosen.label),
                Cell(str(len(times))),
                Cell(str(len(kept))),
                Cell(str(len(mine) - len(times))),
                Cell(number(sum(times) / len(times)) if times else "-"),
                Cell(str(paths[0] if len(paths) == 1 else paths[0].parent)),
            ]
        )
    for line in table(["method", "fused", "kept", "failed", "s/image", "where"], rows, left=(0, 5)):
        typer.echo(line)
    if (count := len(job.kept)) == 1:
        typer.echo("1 image was there already and stays as it is; --overwrite makes it anew.")
    elif count:
        typer.echo(f"{count} images were there already and stay as they are; --overwrite makes them anew.")


def _described(job: FolderFusion, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    from fusionbench.pairing import remarks

    kept = [{"method": item.method, "pair": item.pair.name, "file": str(item.path), "kept": True} for item in job.kept]
    made = [
        {
            "method": outcome.fused.method,
            "pair": outcome.fused.pair.name,
            "file": None if outcome.reason else str(outcome.fused.path),
            "kept": False,
            "seconds": outcome.seconds,
            "reason": outcome.reason or None,
        }
        for outcome in outcomes
    ]
    recipes = [chosen.record() for chosen in job.recipes]
    return {"recipes": recipes, "images": kept + made, "remarks": remarks(job.sources)}


def _complain(job: FolderFusion, outcomes: Sequence[Outcome]) -> None:
    """Name on stderr whatever has no partner or could not be fused."""
    from fusionbench.pairing import remarks
    from fusionbench.store import Failure

    sys.stdout.flush()
    for line in remarks(job.sources):
        typer.echo(cut(line), err=True)
    failed = [Failure(o.fused.method, o.fused.pair.name, "", o.reason) for o in outcomes if o.reason]
    if failed:
        typer.echo(f"Of {len(outcomes)} images, {len(failed)} could not be fused:", err=True)
        for line in reasons(failed):
            typer.echo(f"  {line}", err=True)
        raise typer.Exit(1)


def _nothing_fused(outcomes: Sequence[Outcome]) -> str:
    first = outcomes[0]
    what = f"{first.fused.pair.name} by {first.fused.method}"
    if len(outcomes) == 1:
        return f"{what} could not be fused: {first.reason}"
    return f"None of {len(outcomes)} images could be fused; the first, {what}: {first.reason}"


def _notice(sentence: str) -> None:
    typer.echo(sentence, err=True)
