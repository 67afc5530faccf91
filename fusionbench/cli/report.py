"""``fusionbench report``: one page that holds everything, to be read without a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fusionbench.cli import examples
from fusionbench.cli.progress import Progress
from fusionbench.cli.screen import paragraph, print_json

if TYPE_CHECKING:
    from fusionbench.report.scenes import Folders
    from fusionbench.tables import Table

app = typer.Typer()


@app.command(
    epilog=examples(
        "fusionbench report scores.csv",
        "fusionbench report scores.csv --ir tno/ir --vis tno/vi --fused results -o report.html",
        "fusionbench report standard.csv vifb.csv --max-mb 8 --title 'Our method on TNO'",
        "fusionbench report scores.csv --assets report_images -o report.html",
    )
)
def report(
    results: Annotated[
        list[Path], typer.Argument(metavar="RESULTS...", help="Files of scores, or folders with such a file.")
    ],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="The page.")] = Path("report.html"),
    ir: Annotated[
        list[str] | None,
        typer.Option(
            metavar="IR",
            help="Infrared images, if the scores do not say where they are. For several datasets: NAME=IR, repeated.",
        ),
    ] = None,
    vis: Annotated[list[str] | None, typer.Option(metavar="VIS", help="Visible images, likewise.")] = None,
    fused: Annotated[list[str] | None, typer.Option(metavar="FUSED", help="Fused images, likewise.")] = None,
    max_mb: Annotated[
        float,
        typer.Option("--max-mb", metavar="MB", help="Images are made smaller until the page has no more than this."),
    ] = 20.0,
    assets: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Put the images there, in full size, and link to them instead of holding them."
        ),
    ] = None,
    title: Annotated[str | None, typer.Option(metavar="TEXT", help="The title of the page.")] = None,
    maps: Annotated[bool, typer.Option("--maps/--no-maps", help="Whether to add maps of SSIM.")] = True,
    lower: Annotated[
        list[str] | None,
        typer.Option(
            metavar="METRIC", help="Less of this metric is better. Where nothing else says so; may be repeated."
        ),
    ] = None,
    higher: Annotated[list[str] | None, typer.Option(metavar="METRIC", help="More of it is better, likewise.")] = None,
    workers: Annotated[int | None, typer.Option(metavar="N", help="Threads; by default one a core.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Show no progress, and no remarks.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was made as JSON.")] = False,
) -> None:
    """Make one page of scores, statistics and images that works from disk, without a network."""
    from fusionbench import tables
    from fusionbench.report import page
    from fusionbench.workers import telling_of_compilation

    table = tables.read(results, lower=lower or (), higher=higher or ())
    given = {"ir": ir or [], "vis": vis or [], "fused": fused or []}
    folders, said = _given(table, given) if any(given.values()) else _remembered(table, results)
    with (
        telling_of_compilation(None if quiet else _notice),
        Progress("Preparing images", "scenes", quiet=quiet) as progress,
    ):
        made = page.write(
            table,
            output,
            folders=folders,
            title=title or f"Image fusion: {', '.join(path.resolve().stem for path in results)}",
            max_mb=max_mb,
            assets=assets,
            maps=maps,
            workers=workers,
            progress=progress,
        )
    remarks = [*said, *made.remarks]
    if as_json:
        print_json(
            {"page": str(made.path), "bytes": made.size, "scenes": made.scenes, "side": made.side, "remarks": remarks}
        )
        return
    if not quiet:
        for remark in remarks:
            typer.echo(paragraph(remark), err=True)
    size = f" of at most {made.side} pixels a side" if made.side else ""
    images = f"{made.scenes} scenes{size}" if made.scenes else "no images"
    typer.echo(f"Wrote {made.path} ({made.size / 1e6:.2g} MB, {images}); open it in a browser.")


def _given(table: Table, given: dict[str, list[str]]) -> tuple[Mapping[str, Sequence[Folders]], list[str]]:
    """Folders from the command line, by dataset."""
    from fusionbench.report.scenes import Folders
    from fusionbench.types import UserError

    by_dataset: dict[str, dict[str, Path]] = {}
    for role, words in given.items():
        for word in words:
            name, sign, path = word.partition("=")
            if not sign or name not in table.datasets:
                if len(table.datasets) > 1:
                    known = " or ".join(f"--{role} {dataset}={word}" for dataset in table.datasets[:2])
                    raise UserError(f"The scores are of several datasets: say of which '{word}' is, e.g. {known}.")
                name, path = table.datasets[0], word
            if role in by_dataset.setdefault(name, {}):
                raise UserError(f"--{role} is given twice for one dataset: give it once.")
            by_dataset[name][role] = Path(path)
    folders: dict[str, Sequence[Folders]] = {}
    for name, roles in by_dataset.items():
        if missing := [f"--{role}" for role in given if role not in roles]:
            whose = f" of the dataset '{name}'" if name else ""
            raise UserError(f"To show the images{whose} {' and '.join(missing)} must be given, too.")
        folders[name] = [Folders(roles["ir"], roles["vis"], roles["fused"])]
    return folders, []


def _remembered(table: Table, results: Sequence[Path]) -> tuple[Mapping[str, Sequence[Folders]], list[str]]:
    """Folders that the files beside the scores name, and what is wrong with them."""
    from fusionbench.report.scenes import Folders

    places: dict[str, list[Folders]] = {}
    said: list[str] = []
    for file, meta in table.metas.items():
        if "folders" in meta and len(table.datasets) > 1:
            said.append(
                f"{file} does not say of which dataset its images are: give --ir, --vis and --fused to show them."
            )
            continue
        named: Mapping[str, Any] = meta.get("datasets") or {table.datasets[0]: {"folders": [meta.get("folders", {})]}}
        for dataset, roles in ((name, each) for name in named for each in named[name]["folders"]):
            if dataset not in table.datasets or not all(roles.get(role) for role in ("ir", "vis", "fused")):
                continue
            place = Folders(Path(roles["ir"]), Path(roles["vis"]), Path(roles["fused"]), roles.get("method", ""))
            if gone := [path for path in (place.ir, place.vis, place.fused) if not path.exists()]:
                said.append(
                    f"Images are not shown: '{gone[0]}', which {file} names, is not there (it may be meant from another "
                    "folder); give --ir, --vis and --fused."
                )
            elif place not in places.setdefault(dataset, []):
                places[dataset].append(place)
    return places, said


def _notice(sentence: str) -> None:
    typer.echo(sentence, err=True)
