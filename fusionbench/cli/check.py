"""``fusionbench check``: is this data what you think it is?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from fusionbench.cli import examples
from fusionbench.cli.failures import cut
from fusionbench.cli.progress import Progress
from fusionbench.cli.screen import Cell, paragraph, print_json, table
from fusionbench.typesetting import count

if TYPE_CHECKING:
    from fusionbench.integrity import Finding, Report

_SHOWN: Final = 3
"""So many files of one fault are described."""

app = typer.Typer()


@app.command(
    epilog=examples(
        "fusionbench check --ir tno/ir --vis tno/vi",
        "fusionbench check --ir tno/ir --vis tno/vi results/ -o findings.csv",
        "fusionbench check --ir ir.png --vis vis.png fused.png --json",
    )
)
def check(
    ir: Annotated[Path, typer.Option(metavar="IR", help="Infrared images: a folder or one file, matched by name.")],
    vis: Annotated[Path, typer.Option(metavar="VIS", help="Visible images, likewise.")],
    fused: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[FUSED]...", help="Folders of images, folders of such folders (one a method), or images."
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write every finding as .json or .csv.")
    ] = None,
    workers: Annotated[int | None, typer.Option(metavar="N", help="Threads; by default one a core.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Show no progress.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON instead of a table.")] = False,
) -> None:
    """Find images that are not what they are taken for, and say what that does to scores.

    Exit code 1 means that a score would be wrong.
    """
    from fusionbench import integrity

    if output is not None:
        integrity.check_target(output)
    with Progress("Checking", "images", quiet=quiet) as progress:
        report = integrity.check_paths(ir, vis, fused or [], workers=workers, progress=progress)
    if output is not None:
        integrity.write(report, output)
    if as_json:
        print_json(report.record())
    else:
        _show(report)
        if output is not None:
            typer.echo(f"Written to {output}.")
    if report.wrong:
        raise typer.Exit(1)


def _show(report: Report) -> None:
    looked = f"{count(report.pairs, 'pair')} and {count(report.fused, 'fused image')} looked at"
    if not report.findings:
        typer.echo(f"{looked}: nothing found.")
        return
    faults: dict[tuple[str, str], dict[str, list[Finding]]] = {}
    for one in report.findings:
        faults.setdefault((one.severity, one.detector), {}).setdefault(one.method, []).append(one)
    rows = [
        [
            Cell(severity),
            Cell(detector),
            Cell(str(sum(map(len, groups.values())))),
            Cell(cut(", ".join(method or "sources" for method in groups), 60)),
        ]
        for (severity, detector), groups in faults.items()
    ]
    for line in table(["severity", "fault", "times", "of"], rows, left=(0, 1, 3)):
        typer.echo(line)
    for (severity, _), groups in faults.items():
        typer.echo()
        for line in _described(severity, list(groups.values())):
            typer.echo(line)
    counts = report.counts()
    numbers = f"{counts['wrong']} wrong, {counts['suspect']} suspect, {count(counts['note'], 'note')}"
    typer.echo()
    typer.echo(paragraph(f"{looked}: {numbers}. Every one of them, with its numbers: -o FILE or --json."))


def _described(severity: str, groups: list[list[Finding]]) -> Iterator[str]:
    """What a fault does, and a few of the images that have it: of one method, or the first of each of several."""
    detector, (metrics, how) = groups[0][0].detector, groups[0][0].effect
    if severity == "note":
        yield f"{severity}, {detector}:"
        most = 1
    else:
        yield paragraph(f"{severity}, {detector} (changes {metrics.replace(' ', ', ')}): {how}", indent="  ")
        most = _SHOWN
    shown = (groups[0] if len(groups) == 1 else [found[0] for found in groups])[:most]
    for one in shown:
        yield "  " + cut(f"{one.files[0].parent.name}/{one.files[0].name} {one.says}")
    if more := sum(map(len, groups)) - len(shown):
        yield f"  and {more} more"
