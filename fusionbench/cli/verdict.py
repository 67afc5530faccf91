"""What a folder of pairs is, for people and for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from fusionbench.cli.failures import cut
from fusionbench.cli.screen import paragraph

if TYPE_CHECKING:
    from fusionbench.datasets.verifying import Part, Verdict


def spelled(verdict: Verdict) -> dict[str, Any]:
    """A verdict for programs."""
    from dataclasses import asdict

    return {
        "root": str(verdict.found.root),
        "dataset": verdict.card.name,
        "layout": verdict.found.layout,
        "pairs": len(verdict.found),
        "complete": verdict.complete,
        "nearest": asdict(verdict.nearest),
        "parts": [asdict(part) for part in verdict.parts],
        "strange": list(verdict.strange),
        "remarks": verdict.found.remarks,
    }


def show(verdict: Verdict) -> None:
    """Print a verdict for people."""
    found, nearest = verdict.found, verdict.nearest
    typer.echo(paragraph(f"{found.root}: {len(found):,} pairs; layout {found.layout}"))
    by = {
        "names": "by its names",
        "numbers": "by its numbers, which any re-packing has",
        "folders": "by its folders",
        "count": "by the count alone",
    }[nearest.evidence]
    if nearest.exact:
        typer.echo(paragraph(f"This is {_called(verdict, nearest)}, complete, {by}."))
    elif verdict.complete:
        typer.echo(paragraph(f"All of {_called(verdict, nearest)} is here, {by}, and more."))
    else:
        typer.echo(paragraph(f"Of {_called(verdict, nearest)} {nearest.have:,} of {nearest.count:,} are here, {by}."))
    for part in verdict.parts:
        if part is not nearest:
            typer.echo(paragraph(f"  {_called(verdict, part)}: {part.have:,} of {part.count:,}", indent="    "))
    if nearest.missing:
        typer.echo(paragraph(f"Missing ({len(nearest.missing)}): {cut(', '.join(nearest.missing))}"))
    if verdict.strange:
        typer.echo(paragraph(f"Not of it ({len(verdict.strange)}): {cut(', '.join(verdict.strange))}"))
    for line in found.remarks:
        typer.echo(paragraph(cut(line)))


def _called(verdict: Verdict, part: Part) -> str:
    return part.name if part.kind == "dataset" else f"the {part.kind} {part.name} of {verdict.card.name}"
