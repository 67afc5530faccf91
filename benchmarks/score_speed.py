"""What scoring costs, as ratios to decoding the same images in the same run.

    python benchmarks/score_speed.py                         # on scenes made for the purpose
    python benchmarks/score_speed.py --ir TNO/ir --vis TNO/vi --fused RESULTS -o speed.json

For every pair, on one thread: the time in which Pillow decodes the three files (ir, vis, one fused image), the time of the
eight core metrics for the first fused image of the pair, and for each further one, which finds the sources measured. Then
what each part takes, and the rate of whole files through `score_folder` with two threads over that with one.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from fusionbench import images, pixels, score_folder
from fusionbench.datasets import synthetic
from fusionbench.metrics import CORE, METRICS
from fusionbench.metrics.triple import Scene, Triple
from fusionbench.pairing import match_fused, pair_sources
from fusionbench.types import Fused, Pair

FURTHER = 2


def milliseconds(work: Callable[[], object], repeats: int) -> float:
    """Median time of one call, after one that does not count."""
    work()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1e3


def measure(pair: Pair, fused: list[Path], repeats: int) -> dict[str, float | str]:
    """The times of one pair, in milliseconds."""
    ir, vis, *made = (pixels.luma(pixels.to_levels(images.read(path)), "bt601") for path in (pair.ir, pair.vis, *fused))

    def decode() -> None:
        for path in (pair.ir, pair.vis, fused[0]):
            with Image.open(path) as image:
                image.load()

    def score(count: int) -> None:
        for triple in Scene(ir, vis, made[:count]).triples:
            for name in CORE:
                METRICS[name](triple)

    first, more = (milliseconds(lambda n=n: score(n), repeats) for n in (1, 1 + FURTHER))
    return {
        "pair": pair.name,
        "size": f"{ir.shape[1]}x{ir.shape[0]}",
        "decode": milliseconds(decode, repeats),
        "first": first,
        "further": (more - first) / FURTHER,
        **{name: milliseconds(lambda name=name: METRICS[name](Triple.of(ir, vis, made[0])), repeats) for name in CORE},
    }


def synthetic_folders(folder: Path) -> tuple[Path, Path, Path]:
    """Scenes of a common size and three simple fusions of each."""
    synthetic.make(folder, 4, (768, 576), seed=1)
    for name in ("average", "max", "min"):
        (folder / "fused" / name).mkdir(parents=True)
    for file in sorted((folder / "ir").iterdir()):
        a, b = (pixels.luma(images.read(folder / source / file.name), "bt601") for source in ("ir", "vis"))
        for name, plane in (
            ("average", (a.astype(np.uint16) + b) // 2),
            ("max", np.maximum(a, b)),
            ("min", np.minimum(a, b)),
        ):
            images.write(folder / "fused" / name / file.name, plane.astype(np.uint8))
    return folder / "ir", folder / "vis", folder / "fused"


def per_pair(methods: list[list[Fused]]) -> dict[str, tuple[Pair, list[Path]]]:
    """Fused images by pair, of the pairs that enough methods have."""
    found: dict[str, tuple[Pair, list[Path]]] = {}
    for method in methods:
        for fused in method:
            found.setdefault(fused.pair.name, (fused.pair, []))[1].append(fused.path)
    return {name: (pair, paths[: 1 + FURTHER]) for name, (pair, paths) in found.items() if len(paths) > FURTHER}


def rate(fused: Path, ir: Path, vis: Path, workers: int) -> float:
    """Images per second through files, decoding included."""
    start = time.perf_counter()
    table = score_folder(fused, ir=ir, vis=vis, workers=workers)
    return len(table) / (time.perf_counter() - start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ir", type=Path)
    parser.add_argument("--vis", type=Path)
    parser.add_argument("--fused", type=Path)
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("-o", "--output", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        ir, vis, fused = given.ir, given.vis, given.fused
        if not (ir and vis and fused):
            ir, vis, fused = synthetic_folders(Path(temporary))
        methods = match_fused(fused, pair_sources(ir, vis))
        pairs = per_pair([list(method.found) for method in methods])
        rows = [measure(pair, paths, given.repeats) for pair, paths in pairs.values()]
        rate(fused, ir, vis, 1)
        rates = [(rate(fused, ir, vis, 1), rate(fused, ir, vis, 2)) for _ in range(3)]
    result = {
        "first / decode": statistics.median(row["first"] / row["decode"] for row in rows),
        "further / decode": statistics.median(row["further"] / row["decode"] for row in rows),
        "two threads / one": statistics.median(two / one for one, two in rates),
        "cores": os.cpu_count(),
        "pairs": rows,
    }
    for row in rows:
        parts = "  ".join(f"{name} {row[name] / row['decode']:.3f}" for name in CORE)
        ratios = f"first {row['first'] / row['decode']:.2f}  further {row['further'] / row['decode']:.2f}"
        print(f"{row['pair']:>8} {row['size']:>9}  decode {row['decode']:6.2f} ms  {ratios}   alone: {parts}")
    for key in ("first / decode", "further / decode", "two threads / one"):
        print(f"{key:>18}: {result[key]:.2f}")
    if given.output:
        given.output.write_text(json.dumps(result, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
