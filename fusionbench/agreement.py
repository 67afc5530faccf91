"""How closely our numbers meet those of other people's programs, and why not more closely."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from fusionbench.candidates import Bench, Candidate
from fusionbench.images import SUFFIXES
from fusionbench.metrics.conventions import CONVENTIONS
from fusionbench.metrics.definitions import definition
from fusionbench.tables import called_here
from fusionbench.types import Fused, Pair, UserError
from fusionbench.typesetting import count

PROGRAMS: Final[Mapping[str, str]] = {
    "tang": "tang",
    "vifb": "vifb",
    "cddfuse": "cddfuse",
    "ivif_zoo": "ivif-zoo",
    "zhengliu": "liu",
    "thfylsty": "thfylsty",
    "topanxal": "topanxal",
    "fmi_port": "standard",
    "tang_nabf": "standard",
}
"""Programs, by the name of the file of their numbers -> the convention that is meant to be it."""

TINY: Final = 1e-11
"""Relative difference that the order of sums in double precision makes."""

_SINGLE: Final = "the program computes in single precision"
_FLAT: Final = "where a window is all but flat, the rounding of both decides"
REASONS: Final[Mapping[tuple[str, str], str]] = {
    ("cddfuse", ""): _SINGLE,
    ("ivif_zoo", ""): _SINGLE,
    ("ivif_zoo", "SSIM"): f"{_SINGLE}, and its library rounds each product in a window of small planes",
    ("topanxal", ""): _SINGLE,
    ("tang", "SSIM"): _FLAT,
    ("tang", "VIF"): _FLAT,
    ("thfylsty", "SSIM"): _FLAT,
    (
        "topanxal",
        "VIFF",
    ): "where both sources are flat, the program's single precision decides which of them it looks at",
}
"""Why a difference is not tiny, by program and metric; a metric of no name is every other one of the program."""


_HEADING: Final = """\
# Our numbers and those of other people's programs

The largest relative difference of each metric, as the convention that is meant to be the program defines it, over {total}
in all. An empty cell: the program does not compute it, or none of its numbers is at hand. A number in brackets says why a
difference is more than the order of sums in double precision makes. Written by `fusionbench metric agreement -o README.md`.
"""


@dataclass(frozen=True, slots=True)
class Agreement:
    """One metric of one program.

    Attributes
    ----------
    metric, called : str
        Our name and the program's.
    program, convention : str
        Whose numbers, and whose definition here.
    values : int
        How many numbers were compared.
    worst : float
        Largest relative difference.
    where : str
        The image that it is of, ``method/image``.
    reason : str
        Why it is not tiny; empty if it is, or if nobody knows.
    """

    metric: str
    called: str
    program: str
    convention: str
    values: int
    worst: float
    where: str
    reason: str


@dataclass(frozen=True, slots=True)
class _Row:
    program: str
    called: str
    metric: str
    method: str
    image: str
    value: float


def agreement(
    reference: Path, images: Path, *, dataset: str | None = None, bench: Bench | None = None
) -> tuple[list[Agreement], list[str]]:
    """Compare our numbers with those in files, one a program.

    Parameters
    ----------
    reference : Path
        A folder of tables ``<program>.csv`` with the columns ``method image value`` and ``metric``, our name; beside it
        ``program_metric``, the program's, or ``implementation``, and then ``metric`` is what the program calls it.
    images : Path
        A folder with ``ir``, ``vis`` and one folder a method (also in a folder ``fused``); a method ``colour`` is of
        ``ir_rgb`` and ``vis_rgb``, where these are.
    dataset : str, optional
        Only rows with this in their column ``dataset``.
    bench : Bench, optional
        What computes.

    Returns
    -------
    found : list of Agreement
        By metric, in the order of the registry, then program.
    remarks : list of str
        What was left out.

    Raises
    ------
    UserError
        If there is nothing to compare, or a file cannot be read.
    """
    from fusionbench.metrics import METRICS

    bench = bench or Bench()
    files = sorted(reference.glob("*.csv")) if reference.is_dir() else []
    known = [file for file in files if file.stem in PROGRAMS]
    if not known:
        raise UserError(
            f"'{reference}' has none of {', '.join(f'{name}.csv' for name in PROGRAMS)}: name their folder."
        )
    others = [file.name for file in files if file not in known]
    remarks = [f"No convention is meant to be {', '.join(others)}; left out"] * bool(others)
    rows = [row for file in known for row in _rows(file, dataset)]
    work: list[tuple[_Row, Candidate, Fused]] = []
    absent: dict[str, None] = {}
    undefined: dict[str, None] = {}
    for row in rows:
        whose = CONVENTIONS[PROGRAMS[row.program]]
        own = definition(row.metric, whose) if row.metric in METRICS else None
        item = _fused(images, row)
        if own is None:
            undefined[f"{row.called} of {row.program}"] = None
        elif item is None:
            absent[f"{row.method}/{row.image}"] = None
        else:
            work.append((row, Candidate(own, whose.luma, (whose.name,)), item))
    if undefined:
        remarks.append(f"Not defined here ({len(undefined)}), left out: {', '.join(undefined)}")
    if absent:
        remarks.append(f"No such images in {images} ({len(absent)}), left out: {', '.join(absent)}")
    if not work:
        raise UserError(f"None of the numbers in '{reference}' is of an image in '{images}': name the images' folder.")
    bench.measure([(candidate, item) for _, candidate, item in work])
    remarks += [f"{path}: {reason}" for path, reason in bench.unusable.items()]
    groups: dict[tuple[str, str, str], list[tuple[float, str]]] = {}
    for row, candidate, item in work:
        if item.path not in bench.unusable:
            difference = _relative(bench.value(candidate, item), row.value)
            key = row.metric, row.program, row.called
            groups.setdefault(key, []).append((difference, f"{row.method}/{row.image}"))
    order = {name: at for at, name in enumerate(METRICS.names())}
    found = [_agreement(*key, differences) for key, differences in groups.items()]
    return sorted(found, key=lambda each: (order[each.metric], list(PROGRAMS).index(each.program))), remarks


def table(found: Sequence[Agreement]) -> list[dict[str, Any]]:
    """A row each, as CSV and JSON hold it."""
    return [
        {
            "metric": each.metric,
            "program": each.program,
            "called": each.called,
            "convention": each.convention,
            "values": each.values,
            "worst": each.worst,
            "where": each.where if each.worst else "",
            "reason": each.reason,
        }
        for each in found
    ]


def csv_text(found: Sequence[Agreement]) -> str:
    """`table` as comma-separated values."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(table(found[:1])[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(table(found))
    return text.getvalue()


def grid(found: Sequence[Agreement]) -> tuple[list[str], list[list[str]], list[str]]:
    """Metric by program: the header, the rows, and the reasons, which cells name by number."""
    programs = [name for name in PROGRAMS if any(each.program == name for each in found)]
    reasons = list(dict.fromkeys(each.reason for each in found if each.reason))
    rows = []
    for metric in dict.fromkeys(each.metric for each in found):
        cells = dict.fromkeys(programs, "")
        for each in found:
            if each.metric == metric:
                note = f" [{reasons.index(each.reason) + 1}]" if each.reason else ""
                cells[each.program] += ", " * bool(cells[each.program]) + _short(each.worst) + note
        rows.append([metric, *cells.values()])
    return ["metric", *programs], rows, reasons


def markdown(found: Sequence[Agreement]) -> str:
    """A page with the table metric by program, and below it the reasons."""
    header, rows, reasons = grid(found)
    lines = [_HEADING.format(total=count(sum(each.values for each in found), "number"))]
    lines += [f"| {' | '.join(header)} |", "|:---" + "|---:" * (len(header) - 1) + "|"]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    lines += ["", *(f"{at}. {reason[:1].upper()}{reason[1:]}." for at, reason in enumerate(reasons, 1))]
    return "\n".join(lines).rstrip() + "\n"


def _short(worst: float) -> str:
    return "0" if worst == 0 else f"{worst:.0e}"


def _agreement(metric: str, program: str, called: str, differences: Sequence[tuple[float, str]]) -> Agreement:
    worst, where = max(differences)
    reason = REASONS.get((program, metric)) or REASONS.get((program, ""), "")
    reason = reason if worst > TINY else ""
    return Agreement(metric, called, program, PROGRAMS[program], len(differences), worst, where, reason)


def _relative(ours: float, theirs: float) -> float:
    if ours == theirs or (math.isnan(ours) and math.isnan(theirs)):
        return 0.0
    if math.isnan(ours) or math.isnan(theirs) or theirs == 0:
        return math.inf
    return abs(ours - theirs) / abs(theirs)


def _rows(file: Path, dataset: str | None) -> Iterable[_Row]:
    with file.open(newline="", encoding="utf-8") as stream:
        for row in csv.DictReader(line for line in stream if not line.startswith("#")):
            try:
                called = row.get("program_metric") or row["metric"]
                metric = row["metric"] if "program_metric" in row else called_here(called) or ""
                value = float(row["value"] or "nan")
                method, image = row["method"], row["image"]
            except (KeyError, ValueError) as error:
                raise UserError(f"'{file}' is not a table of a program's numbers ({error}): see '--help'.") from None
            if dataset is None or row.get("dataset") == dataset:
                yield _Row(file.stem, called, metric, method, image, value)


def _fused(folder: Path, row: _Row) -> Fused | None:
    """The images of a row, if they are there."""
    suffix = "_rgb" if row.method == "colour" and (folder / "ir_rgb").is_dir() else ""
    ends = [row.image] if Path(row.image).suffix.lower() in SUFFIXES else [row.image + end for end in SUFFIXES]
    for name in ends:
        ir, vis = folder / f"ir{suffix}" / name, folder / f"vis{suffix}" / name
        for fused in (folder / row.method / name, folder / "fused" / row.method / name):
            if ir.is_file() and vis.is_file() and fused.is_file():
                # Sources in colour are another pair than the grey ones of the same name.
                return Fused(row.method, Pair(f"{Path(name).stem}{suffix}", ir, vis), fused)
    return None
