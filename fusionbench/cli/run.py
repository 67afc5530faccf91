"""``fusionbench run``: a whole benchmark from one file, that can be stopped and goes on where it stopped."""

from __future__ import annotations

import io
import time
from collections.abc import Sequence
from contextlib import nullcontext, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fusionbench.cli import examples, main
from fusionbench.cli.failures import cut
from fusionbench.cli.progress import Progress
from fusionbench.cli.screen import Cell, number, paragraph, print_json, table

if TYPE_CHECKING:
    from fusionbench.benchmark import Failure, Plan
    from fusionbench.results import Tally

_SHOWN = 6
"""Methods in the figure of images, which must fit onto a page."""

app = typer.Typer()


@app.command(
    epilog=examples(
        "fusionbench run bench.toml",
        "fusionbench run bench.toml --dry-run",
        "fusionbench run bench.toml -o results/tno --workers 8",
        "fusionbench run bench.toml --cluster tcp://head:8786 --no-report",
    )
)
def run(
    benchmark: Annotated[
        Path, typer.Argument(metavar="BENCH.TOML", help="What to run; the README shows one. Its paths start from it.")
    ],
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="DIR", help="The folder of results; by default the benchmark's name."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done and what it would cost, and do nothing.")
    ] = False,
    prune: Annotated[
        bool, typer.Option("--prune", help="Remove images and scores that the file does not ask for any more.")
    ] = False,
    workers: Annotated[int | None, typer.Option(metavar="N", help="Threads; by default one a core.")] = None,
    cluster: Annotated[
        str | None,
        typer.Option(metavar="TCP://HOST:PORT", help="Work on the workers of this Dask scheduler instead of here."),
    ] = None,
    report: Annotated[
        bool, typer.Option("--report/--no-report", help="Whether to draw figures and make the page at the end.")
    ] = True,
    quiet: Annotated[bool, typer.Option("--quiet", help="Show no progress, and no remarks.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was done as JSON instead of a table.")] = False,
) -> None:
    """Fuse, score, rank and draw: every dataset by every method, and only what is not done yet."""
    from fusionbench import planning, results, runner
    from fusionbench.types import UserError
    from fusionbench.workers import count, telling_of_compilation

    threads = count(workers)
    if dry_run and prune:
        raise UserError("--dry-run does nothing and --prune removes files: leave one of them out.")
    with nullcontext() if dry_run else results.claimed(output or planning.folder_of(benchmark)):
        plan, remarks = planning.plan(benchmark, output)
        if not quiet:
            for remark in remarks:
                typer.echo(paragraph(remark), err=True)
        tally = results.Tally()
        clock = time.perf_counter()
        if not dry_run:
            results.write_recipes(plan)
        with (
            telling_of_compilation(None if quiet else _notice),
            Progress("Looking" if dry_run else "Running", "images", quiet=quiet) as progress,
        ):
            for outcome in runner.run(plan, only_look=dry_run, workers=threads, cluster=cluster, progress=progress):
                tally.add(outcome)
        if dry_run:
            _forecast(plan, tally, threads, as_json=as_json, quiet=quiet)
            return
        wall = time.perf_counter() - clock
        failures = results.write(plan, tally, remarks)
        content = results.environment(plan, tally, wall=round(wall, 3), workers=threads, cluster=cluster)
        results.write_environment(plan, content)
        removed = results.prune(plan, tally) if prune else []
        made = _make_readable(plan, report=report)
    if as_json:
        print_json(_described(plan, tally, failures, removed, wall))
    else:
        _show(plan, tally, failures, removed, made)
        if not quiet:
            typer.echo(_spent(tally, wall, threads, cluster), err=True)
    if failures:
        raise typer.Exit(1)


def _notice(sentence: str) -> None:
    typer.echo(sentence, err=True)


def _make_readable(plan: Plan, *, report: bool) -> list[Path]:
    """Leaderboards and, if wanted, figures and the page: each made by a command that anybody can give."""
    from fusionbench.results import SCORES

    folder = plan.folder
    scores = folder / SCORES
    by = ["--by", "dataset"] if len(plan.datasets) > 1 else []
    made = [folder / f"leaderboard.{suffix}" for suffix in ("csv", "md", "tex")]
    commands: list[Sequence[str | Path]] = [["leaderboard", scores, *by, "-o", target] for target in made]
    if report:
        figures, page = folder / "figures", folder / "report.html"
        figures.mkdir(exist_ok=True)
        for convention, _ in plan.definitions if len(plan.methods) > 1 else ():
            for kind in ("cd", "heatmap"):
                target = figures / f"{convention}-{kind}.pdf"
                commands.append(["figure", kind, scores, "--convention", convention, "-o", target])
                made.append(target)
        for dataset in plan.datasets:
            if drawable := _best(plan, dataset.name):
                place, methods = drawable
                target = figures / f"{dataset.name}-grid.pdf"
                sources = "--ir", place["ir"], "--vis", place["vis"], "--methods", ",".join(methods)
                commands.append(["figure", "grid", place["fused"], *sources, "-o", target])
                made.append(target)
        commands.append(["report", folder, "-o", page, "--title", folder.resolve().name, "--quiet"])
        made.append(page)
    for command in commands:
        _give(command)
    return made


def _best(plan: Plan, dataset: str) -> tuple[dict[str, Path | str], list[str]] | None:
    """The images of a dataset that a figure can show: as many methods as fit, the best ones; None if it cannot."""
    from fusionbench import leaderboards
    from fusionbench.results import SCORES, folders

    made = [method.name for method in plan.methods if method.recipe]
    places = folders(plan, dataset)
    if not made or not places:
        return None
    if len(made) > _SHOWN:
        ranking = leaderboards.leaderboard(plan.folder / SCORES, methods=made).boards[0].ranking
        made = list(ranking.methods[:_SHOWN])
    return places[0], made


def _give(command: Sequence[str | Path]) -> None:
    said = io.StringIO()
    with redirect_stdout(io.StringIO()), redirect_stderr(said):
        code = main([str(word) for word in command])
    if code:
        # The scores are safe; whoever reads this can draw the rest by hand.
        typer.echo(f"{command[0]} could not be made: {said.getvalue().strip()}", err=True)


def _forecast(plan: Plan, tally: Tally, threads: int, *, as_json: bool, quiet: bool) -> None:
    """What would be done, and about what it would cost."""
    from fusionbench.estimates import estimates

    total = len(plan.datasets) * len(plan.methods)
    cost = {}
    with Progress("Trying", "methods", quiet=quiet) as progress:
        for dataset_name, method_name, each in estimates(plan):
            cost[dataset_name, method_name] = each
            progress(len(cost), total)
    rows: list[dict[str, Any]] = []
    for dataset in plan.datasets:
        for method in plan.methods:
            cell = dataset.name, method.name
            fuse, score = tally.fused.get(cell, 0), tally.scored.get(cell, 0)
            lacking = sum(1 for one in tally.failures if (one.dataset, one.method) == cell)
            price = cost.get(cell)
            rows.append(
                {
                    "dataset": dataset.name,
                    "method": method.name,
                    "pairs": len(dataset.pairs),
                    "done": len(dataset.pairs) - score - lacking,
                    "fuse": fuse,
                    "score": score,
                    "missing": lacking,
                    "seconds": fuse * price.fuse + score * price.score if price is not None else None,
                    "bytes": fuse * price.size if price is not None else None,
                }
            )
    seconds = sum(row["seconds"] or 0 for row in rows) / threads
    room = sum(row["bytes"] or 0 for row in rows)
    if as_json:
        print_json({"cells": rows, "seconds": seconds, "bytes": room, "workers": threads})
        return
    heads = ("dataset", "method", "pairs", "done", "to fuse", "to score", "missing", "about s")
    cells = [
        [
            Cell(row["dataset"]),
            Cell(row["method"]),
            *(Cell(str(row[word])) for word in ("pairs", "done", "fuse", "score", "missing")),
            Cell("-" if row["seconds"] is None else number(row["seconds"] / threads)),
        ]
        for row in rows
    ]
    for line in table(heads, cells, labels=2, left=(0, 1)):
        typer.echo(line)
    typer.echo(
        f"About {number(seconds)} s with {threads} workers, and {number(room / 1e6)} MB of images; nothing was done."
    )


def _show(plan: Plan, tally: Tally, failures: Sequence[Failure], removed: Sequence[Path], made: Sequence[Path]) -> None:
    cells = [
        [
            Cell(dataset.name),
            Cell(method.name),
            Cell(str(len(dataset.pairs))),
            Cell(str(tally.fused.get((dataset.name, method.name), 0))),
            Cell(str(tally.scored.get((dataset.name, method.name), 0))),
            Cell(str(sum(1 for one in failures if (one.dataset, one.method) == (dataset.name, method.name)))),
        ]
        for dataset in plan.datasets
        for method in plan.methods
    ]
    for line in table(("dataset", "method", "pairs", "fused", "scored", "failures"), cells, labels=2, left=(0, 1)):
        typer.echo(line)
    if removed:
        typer.echo(f"Removed {len(removed)} files that the benchmark does not ask for.")
    if failures:
        from fusionbench.results import FAILURES

        first = failures[0]
        what = f"{first.metric} of " if first.metric else ""
        typer.echo(
            paragraph(
                f"{len(failures)} images or scores are missing, see {plan.folder / FAILURES}; the first, "
                f"{what}{first.method}/{first.pair} of {first.dataset}: {cut(first.reason)}"
            ),
            err=True,
        )
    there = [str(path) for path in made if path.exists()]
    typer.echo(paragraph(f"Wrote {plan.folder / 'scores.parquet'}, {', '.join(there)}"))


def _spent(tally: Tally, wall: float, threads: int, cluster: str | None) -> str:
    """Where the time went, and how much of it was none of the work."""
    parts = ", ".join(f"{stage} {number(seconds)} s" for stage, seconds in tally.seconds.items())
    work = sum(tally.seconds.values())
    if cluster or not work:
        return f"{number(wall)} s; on all workers together: {parts}."
    return (
        f"{number(wall)} s on {threads} threads; {parts}: {number(work / threads)} s of work a thread, the rest "
        f"{max(0.0, 1 - work / threads / wall):.0%}."
    )


def _described(
    plan: Plan, tally: Tally, failures: Sequence[Failure], removed: Sequence[Path], wall: float
) -> dict[str, Any]:
    return {
        "folder": str(plan.folder),
        "fused": sum(tally.fused.values()),
        "scored": sum(tally.scored.values()),
        "images": plan.images,
        "failures": [
            {name: getattr(one, name) for name in ("dataset", "pair", "method", "metric", "convention", "reason")}
            for one in failures
        ],
        "removed": [str(path) for path in removed],
        "seconds": {"wall": wall, **tally.seconds},
    }
