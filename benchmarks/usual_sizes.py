"""The numbers that every definition gives of published fused images: writes fusionbench/usual.csv.

    python benchmarks/usual_sizes.py SHARED              # the folder with data/<dataset>/{ir,vis}, data/fused/<dataset>
    python benchmarks/usual_sizes.py SHARED --every 5    # only every fifth image, for what is slow
    python benchmarks/usual_sizes.py SHARED --again SSIM,VIF

What the table has already is kept, but for the metrics named after ``--again``. The images may not be redistributed; the
smallest and the largest number of each definition may.
"""

from __future__ import annotations

import argparse
import csv
import math
import sys
from pathlib import Path

from fusionbench import magnitudes, pairing
from fusionbench.candidates import Bench, registered
from fusionbench.metrics import METRICS
from fusionbench.types import Fused

DATASETS = ("tno", "vifb", "roadscene", "msrs")
COLUMNS = ("metric", "convention", "images", "low", "high")


def published(data: Path) -> list[Fused]:
    found: list[Fused] = []
    for name in DATASETS:
        sources = pairing.pair_sources(data / name / "ir", data / name / "vis")
        found += [item for method in pairing.match_fused(data / "fused" / name, sources) for item in method.found]
    return found


def known() -> dict[tuple[str, str], dict[str, str]]:
    with magnitudes.USUAL.open(newline="", encoding="utf-8") as file:
        rows = csv.DictReader(line for line in file if not line.startswith("#"))
        return {(row["metric"], row["convention"]): row for row in rows}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("shared", type=Path)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--again", default="")
    words = parser.parse_args()
    again = words.again.split(",")
    kept = {key: row for key, row in known().items() if key[0] not in again}
    items = published(words.shared / "data")[:: words.every]
    candidates = [candidate for metric in METRICS.names() for candidate in registered(metric)]
    missing = [
        each for each in candidates if not all((each.definition.name, name) in kept for name in each.conventions)
    ]
    bench = Bench(progress=lambda done, total: print(f"{done} of {total}", file=sys.stderr))
    bench.measure([(candidate, item) for candidate in missing for item in items])
    for candidate in missing:
        values = [value for item in items if math.isfinite(value := bench.value(candidate, item))]
        for convention in candidate.conventions if values else ():
            key = candidate.definition.name, convention
            ends = f"{min(values):.6g}", f"{max(values):.6g}"
            kept.setdefault(key, dict(zip(COLUMNS, (*key, str(len(values)), *ends), strict=True)))
    with magnitudes.USUAL.open("w", newline="", encoding="utf-8") as file:
        file.write(
            "# Smallest and largest value of each definition on published fused images of TNO, VIFB, RoadScene and\n"
        )
        file.write("# MSRS; written by benchmarks/usual_sizes.py.\n")
        table = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        table.writeheader()
        table.writerows(
            kept[key]
            for candidate in candidates
            for name in candidate.conventions
            if (key := (candidate.definition.name, name)) in kept
        )


if __name__ == "__main__":
    main()
