"""Make the tables of this folder again: run ``bench.toml``, and take each dataset's part of the results.

    python results/make.py --data DIR [--work DIR]

``DIR`` holds the datasets as ``tno``, ``roadscene``, ``vifb`` and ``msrs``, each with ``ir`` and ``vis``. The work, a few hours
of one core, goes on where it stopped if it is given the same ``--work``.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import PIL.Image

from fusionbench import cli, leaderboards
from fusionbench.files import whole

HERE = Path(__file__).parent
TITLES = {
    "tno": "TNO, the 42 pairs of Tang et al.",
    "roadscene": "RoadScene, every fourth or fifth of its 221 pairs",
    "vifb": "VIFB, all 21 pairs",
    "msrs": "MSRS, every eighteenth pair of its test split",
}
COMMAND = "python results/make.py --data DIR"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="where the datasets are")
    parser.add_argument("--work", type=Path, default=Path("work"), metavar="DIR", help="where images and logs go")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    # Beside a copy of the file, so that what is written down has no path of this machine in it.
    shutil.copyfile(HERE / "bench.toml", options.work / "bench.toml")
    link = options.work / "data"
    if not link.exists():
        link.symlink_to(options.data.resolve(), target_is_directory=True)
    words = ["run", "bench.toml", "--no-report"]
    subprocess.run([sys.executable, "-m", "fusionbench", *words], cwd=options.work, check=False)
    write(options.work / "all")


def write(made: Path) -> None:
    """Take the results apart by dataset and convention."""
    scores = pd.read_parquet(made / "scores.parquet")
    environment = json.loads((made / "environment.json").read_text())
    failures = pd.read_csv(made / "failures.csv")
    best: dict[tuple[str, str], list[str]] = {}
    for name, title in TITLES.items():
        folder = HERE / name
        folder.mkdir(exist_ok=True)
        # Without the name of the dataset, which a table of one's own need not say.
        part = scores[scores["dataset"] == name].drop(columns="dataset")
        whole(folder / "scores.parquet", lambda file, part=part: part.to_parquet(file, index=False))  # type: ignore[misc]
        boards = {}
        for convention, rows in part.groupby("convention", sort=False):
            board = leaderboards.leaderboard(rows)
            boards[str(convention)] = board
            best[name, str(convention)] = list(board.boards[0].ranking.methods[:5])
            text(folder / f"{convention}.csv", board.to_csv())
            text(folder / f"{convention}.md", f"# {title}: `{convention}`\n\n{board.to_markdown()}")
            for kind in ("cd", "heatmap"):
                words = ["figure", kind, folder / "scores.parquet", "--convention", convention]
                target = folder / f"{convention}-{kind}.png"
                cli.main([*map(str, words), "-o", str(target)])
                shrink(target)
        missing = failures[failures["dataset"] == name]
        text(folder / "README.md", readme(title, name, boards, environment, missing))
    text(HERE / "README.md", index(best))


def shrink(path: Path) -> None:
    """Make a figure for print one for the screen: a clone should not wait for it."""
    with PIL.Image.open(path) as figure:
        small = figure.convert("RGB").reduce(2).quantize(64)
    small.save(path, optimize=True)


def readme(title: str, name: str, boards: dict[str, Any], environment: dict[str, Any], missing: pd.DataFrame) -> str:
    """What the tables of one dataset are, and how they were made."""
    data = environment["datasets"][name]
    lines = [
        f"# {title}",
        "",
        f"{len(boards)} conventions, {len(next(iter(boards.values())).boards[0].ranking.methods)} methods, {data['pairs']} "
        "pairs. `scores.parquet` has every score of every image, so that a method can be ranked among these without running "
        "any of them:",
        "",
        "```console",
        f"$ fusionbench leaderboard results/{name}/scores.parquet mine.csv",
        "```",
        "",
    ]
    for convention in boards:
        lines += [
            f"## `{convention}`",
            "",
            f"[Table]({convention}.md), [numbers in full]({convention}.csv).",
            "",
            f"![Ranks by metric]({convention}-heatmap.png)",
            "",
            f"![Critical differences]({convention}-cd.png)",
            "",
        ]
    versions = ", ".join(f"{package} {version}" for package, version in environment["versions"].items())
    lines += [
        "## How it was made",
        "",
        f"* `{COMMAND}`, with `results/bench.toml`, commit `{str(environment['commit'])[:12]}`.",
        f"* {versions}; {environment['machine']['processor']}, {environment['machine']['cores']} cores.",
        f"* Data fingerprint `{data['content']}`: of the names of the pairs and the SHA-256 of both sources.",
    ]
    if len(missing):
        counts = missing.fillna("").groupby(["metric", "convention"], sort=False).size()
        said = ", ".join(
            f"{metric or 'images'} {convention}: {count}" for (metric, convention), count in counts.items()
        )
        lines.append(f"* Without a value: {said}.")
    return "\n".join(lines) + "\n"


def index(best: dict[tuple[str, str], list[str]]) -> str:
    """The front page."""
    lines = [
        "# Results",
        "",
        "Every classical method and every network that comes with weights, on four datasets by three conventions; the five of "
        "the best mean rank over all metrics of the convention. A mean rank is a vote of metrics, of which many say nearly the "
        "same: read the tables.",
        "",
        "| dataset | convention | best first |",
        "|:---|:---|:---|",
    ]
    for (name, convention), methods in best.items():
        lines.append(
            f"| [{name}]({name}/README.md) | [`{convention}`]({name}/{convention}.md) | {', '.join(methods)} |"
        )
    lines += [
        "",
        f"Made by `{COMMAND}`. `tests/test_results.py` makes a sample of these numbers again.",
        "",
        "Beside these: [tno-networks](tno-networks/README.md) compares the shipped weights with the authors', "
        "[agreement](agreement/README.md) every metric with the programs that define it, and [demo](demo/README.md) is what the "
        "front page shows.",
    ]
    return "\n".join(lines) + "\n"


def text(path: Path, content: str) -> None:
    whole(path, lambda file: file.write(content.encode()))


if __name__ == "__main__":
    main()
