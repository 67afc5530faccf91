"""``fusionbench identify``: which convention made published numbers."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from fusionbench.cli import examples
from fusionbench.cli.failures import cut
from fusionbench.cli.progress import Progress
from fusionbench.cli.screen import Cell, number, paragraph, print_json, table
from fusionbench.typesetting import count

if TYPE_CHECKING:
    from fusionbench.claims import Claims
    from fusionbench.magnitudes import Estimate
    from fusionbench.verdicts import Identification, Verdict

_BY_CHANCE: Final = 0.1
"""Agreements expected by chance from which on a reader should know."""

app = typer.Typer()


@app.command(
    epilog=examples(
        "fusionbench identify SD=9.2 EN=6.9 VIF=0.81",
        "fusionbench identify theirs.csv --fused results/ --ir tno/ir --vis tno/vi",
        "fusionbench identify EN=6.813 SF=9.57 --fused results/mymethod --ir tno/ir --vis tno/vi --subset test20.txt",
        "fusionbench identify scores.csv --fused results/ --ir tno/ir --vis tno/vi --metrics SSIM,Qabf --json",
    )
)
def identify(
    scores: Annotated[
        list[str],
        typer.Argument(
            metavar="SCORES|ROW",
            help="Tables of published numbers (.csv, .parquet, .xlsx; a row an image, a row a method, or a row a number), or "
            "a row of numbers, each NAME=NUMBER.",
        ),
    ],
    fused: Annotated[
        Path | None, typer.Option(metavar="FUSED", help="The fused images that the numbers are of, as for 'score'.")
    ] = None,
    ir: Annotated[Path | None, typer.Option(metavar="IR", help="Their infrared images.")] = None,
    vis: Annotated[Path | None, typer.Option(metavar="VIS", help="Their visible images.")] = None,
    metrics: Annotated[
        str | None, typer.Option(metavar="NAMES", help="Only these columns: names separated by commas.")
    ] = None,
    dataset: Annotated[
        str | None, typer.Option(metavar="NAME", help="Which dataset of the table the images are.")
    ] = None,
    subset: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="Names of pairs, one a line, that means may be over. May be repeated."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write it as .json or .csv.")
    ] = None,
    workers: Annotated[int | None, typer.Option(metavar="N", help="Threads; by default one a core.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Show no progress.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Find which convention made published numbers; without images, say what their size allows.

    The answer may be that nothing does: that is no error.
    """
    from fusionbench import files, magnitudes
    from fusionbench.candidates import Bench
    from fusionbench.identify import identify as find
    from fusionbench.types import UserError

    if output and output.suffix.lower() not in (".json", ".csv"):
        raise UserError(f"'{output}' does not say what to write: end it in .json or .csv.")
    if output:
        files.whole(output, lambda _: None, keep=False)
    claims = _claims(scores, metrics)
    if not (fused or ir or vis):
        if dataset or subset:
            raise UserError("--dataset and --subset choose images: give these with --fused, --ir and --vis.")
        estimate = magnitudes.judge(claims)
        _hand_over(estimate.to_dict(), _rows_of_estimate(estimate), _estimated(estimate), output, as_json)
        return
    if not (fused and ir and vis):
        raise UserError("The images are needed all three: give --fused, --ir and --vis, or none of them.")
    subsets = {file.stem: _names(file) for file in subset or []}
    with Progress("Identifying", "images", quiet=quiet) as progress:
        notice = None if quiet else lambda sentence: typer.echo(sentence, err=True)
        bench = Bench(workers, progress, notice)
        found = find(claims, fused, ir, vis, dataset=dataset, subsets=subsets, bench=bench)
    _hand_over(found.to_dict(), _rows(found), _shown(found), output, as_json)
    sys.stdout.flush()
    for line in found.remarks:
        typer.echo(cut(line), err=True)
    for name, reason in found.failures.items():
        typer.echo(f"{name} could not be scored: {reason}", err=True)
    if found.failures:
        raise typer.Exit(1)


def _claims(words: Sequence[str], metrics: str | None) -> Claims:
    from fusionbench import claims
    from fusionbench.types import UserError

    row = [word for word in words if "=" in word and not Path(word).exists()]
    if row and len(row) < len(words):
        raise UserError(f"'{row[0]}' is a number and '{(set(words) - set(row)).pop()}' a table: give one or the other.")
    if not row:
        return claims.together([claims.read(Path(word), metrics) for word in words])
    if metrics:
        raise UserError("--metrics chooses columns of a table: leave it out, and name just the numbers you mean.")
    return claims.from_row(row)


def _names(file: Path) -> list[str]:
    from fusionbench.types import UserError

    try:
        lines = [line.partition("#")[0].strip() for line in file.read_text(encoding="utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"'{file}' cannot be read as a list of names ({error}): give a text file.") from None
    names = [Path(line).stem for line in lines if line]
    if not names:
        raise UserError(f"'{file}' names no pair: write one a line.")
    return names


def _hand_over(
    found: Mapping[str, Any],
    rows: Sequence[Mapping[str, Any]],
    lines: Iterable[str],
    output: Path | None,
    as_json: bool,
) -> None:
    """Write the file, and print."""
    from fusionbench import files, store

    if output:
        text = store.json_text(found) if output.suffix.lower() == ".json" else _csv(rows)
        files.whole(output, lambda file: file.write(text.encode()))
    if as_json:
        print_json(found)
        return
    for line in lines:
        typer.echo(line)
    if output:
        typer.echo(f"Written to {output}.")


def _csv(rows: Sequence[Mapping[str, Any]]) -> str:
    import csv
    import io

    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _rows(found: Identification) -> list[dict[str, Any]]:
    return [
        {
            "metric": each.metric,
            "column": each.column,
            "values": each.values,
            "agree": each.matches[0].agree if each.matches else each.closest.agree if each.closest else 0,
            "worst": each.matches[0].worst if each.matches else "",
            "definition": each.made_by,
            "closest": each.closest.label if each.closest else "",
            "off": each.closest.off if each.closest else "",
        }
        for each in found.verdicts
    ]


def _shown(found: Identification) -> Iterable[str]:
    rows = []
    for each in found.verdicts:
        best = each.matches[0] if each.matches else None
        nearest = best or each.closest
        name = each.metric if each.metric == each.column else f"{each.metric} ({each.column})"
        agree = str(nearest.agree) if nearest and nearest.agree else "none"
        worst = ("0" if best.worst == 0 else f"{best.worst:.1e}") if best else ""
        rows.append([Cell(name), Cell(str(each.values)), Cell(agree), Cell(worst), Cell(each.made_by or "nothing")])
    yield from table(["metric", "numbers", "agree", "worst", "made by"], rows, left=(0, 4))
    yield ""
    total = len(found.verdicts)
    if found.best:
        names = " and ".join(found.best)
        makes = "makes" if len(found.best) == 1 else "each make"
        yield paragraph(f"{names} {makes} {found.conventions[found.best[0]]} of {count(total, 'metric')}.")
    else:
        yield paragraph(f"No convention makes any of these {count(total, 'metric')}.")
    for each in found.verdicts:
        for line in _explained(each):
            yield paragraph(line)
    differ = [name for each in found.verdicts for match in each.matches[:1] for name in match.differ]
    for name in dict.fromkeys(differ):
        yield paragraph(
            f"Of {name} no number agrees in {count(differ.count(name), 'metric')}: its images may not be those that the "
            "numbers are of."
        )
    yield paragraph(
        "worst: largest relative difference of the numbers that agree, beyond half a unit of the last digit printed."
    )


def _explained(verdict: Verdict) -> Iterable[str]:
    for match in verdict.matches[:1]:
        if match.relation.name:
            yield f"{verdict.column}: {match.relation.name} is {match.relation.reason}."
        if match.coincidence > _BY_CHANCE:
            yield f"{verdict.column}: so few digits could agree by chance; more numbers, or more digits, would tell."
    if not verdict.matches and verdict.closest:
        nearest = verdict.closest
        off = f"off by {number(100 * nearest.off)} % in the median" if nearest.off < float("inf") else "without a value"
        some = f", though {nearest.agree} of {verdict.values} numbers agree" if nearest.agree else ""
        yield f"{verdict.column}: nothing matches; nearest is {nearest.label}, {off}{some}."
    if verdict.hint:
        yield f"{verdict.column}: {verdict.hint}."


def _rows_of_estimate(estimate: Estimate) -> list[dict[str, Any]]:
    return [
        {"metric": each.metric, "column": each.column, "definition": one.label, "size": one.size, "reason": one.reason}
        for each in estimate.columns
        for one in each.opinions
    ]


def _estimated(estimate: Estimate) -> Iterable[str]:
    """What the size of the numbers alone says."""
    for each in estimate.columns:
        low, high = number(each.low), number(each.high)
        name = each.metric if each.metric == each.column else f"{each.metric} ({each.column})"
        yield f"{name} {low}" + f" to {high}" * (each.low != each.high)
        fitting = " = ".join(one.label for one in each.opinions if one.size == "possible")
        yield paragraph(f"  possible  {fitting or 'no definition of any convention'}", indent=" " * 12)
        for reason in dict.fromkeys(one.reason for one in each.opinions if one.size != "possible"):
            names = " = ".join(one.label for one in each.opinions if one.reason == reason)
            yield paragraph(f"  not       {names}: {reason}", indent=" " * 12)
        for hint in each.hints:
            yield paragraph(f"  perhaps   {hint}", indent=" " * 12)
    yield ""
    metrics = f"all {len(estimate.columns)} metrics" if len(estimate.columns) > 1 else "the one metric"
    if estimate.fitting:
        yield paragraph(f"By size alone, the numbers of {metrics} may be those of: {', '.join(estimate.fitting)}.")
    else:
        yield paragraph(f"No convention gives numbers of these sizes for {metrics}.")
    yield paragraph("Which of them, the images would say: give --fused, --ir and --vis.")
    for name in estimate.unknown:
        yield paragraph(f"'{name}' is no metric here; left out.")
