"""What a big benchmark costs on a cluster: the price of its parts, measured here, and what they come to.

    python benchmarks/cluster_cost.py
    python benchmarks/cluster_cost.py --pairs 15488 --size 1280x1024 --methods 30 --workers 1,8,64

Measured are, on one core: decoding and encoding a PNG and every metric, in milliseconds per megapixel; a set of classical
methods likewise; bytes of a fused image per pixel; and what a Dask scheduler takes for a pair, with workers on this machine.
The model is work / workers + pairs x overhead of the scheduler, since a scheduler is one process.
"""

from __future__ import annotations

import argparse
import io
import os
import statistics
import time
from typing import TYPE_CHECKING

from method_speed import milliseconds

if TYPE_CHECKING:
    from fusionbench.types import Fused

METHODS = "average lp dwt dtcwt nsct adf cbf fpde gff gtf hmsd-gf hybrid-msd ifevip mgff msvd tif vsm-wls gfce".split()


def prices(size: tuple[int, int], metrics: str) -> dict[str, float]:
    """Milliseconds of one core for the parts of a pair, by megapixel, and bytes by pixel."""
    import numpy as np
    import PIL.Image

    from fusionbench import pixels
    from fusionbench.baselines import METHODS as known
    from fusionbench.datasets import synthetic
    from fusionbench.metrics.conventions import CONVENTIONS
    from fusionbench.metrics.definitions import define
    from fusionbench.stacks import score_levels
    from fusionbench.workers import Stop

    width, height = size
    mega = width * height / 1e6
    scene = synthetic.scene(1, width, height)
    average = ((scene.ir[:, :, None].astype(np.uint16) + scene.vis + 1) // 2).astype(np.uint8)

    def encoded() -> bytes:
        file = io.BytesIO()
        PIL.Image.fromarray(average).save(file, "PNG", compress_level=2)  # as the package writes them
        return file.getvalue()

    data = encoded()
    found = {
        "bytes": len(data) / (width * height),
        "decode": milliseconds(lambda: np.asarray(PIL.Image.open(io.BytesIO(data)))) / mega,
        "encode": milliseconds(encoded) / mega,
    }
    definitions, _ = define(metrics, CONVENTIONS["standard"])

    def scored(count: int) -> float:
        fused = [average] * count
        return milliseconds(lambda: list(score_levels(scene.ir, scene.vis, fused, definitions, "bt601", Stop())))

    scored(1)
    first, five = scored(1), scored(5)
    found["metrics"] = len(definitions)
    # What is measured on the sources is measured once for all methods.
    found["score"] = (five - first) / 4 / mega
    found["sources"] = first / mega - found["score"]
    ir, vis = scene.ir.astype(np.float64), pixels.luma(scene.vis, "bt601").astype(np.float64)
    each = [milliseconds(lambda name=name: known[name](ir, vis)) / mega for name in METHODS]  # type: ignore[misc]
    found["fuse"] = statistics.fmean(each)
    return found


def _nothing(item: Fused) -> int:
    return len(item.path.parts)


def overhead(tasks: int = 2000) -> float:
    """Milliseconds of a scheduler for one task, with two workers that do nothing."""
    from pathlib import Path

    import distributed

    from fusionbench.types import Fused, Pair
    from fusionbench.workers import as_finished

    items = [
        Fused("lp", Pair(str(k), Path("ir") / f"{k}.png", Path("vis") / f"{k}.png"), Path(f"{k}.png"))
        for k in range(tasks)
    ]
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None, silence_logs=50
    ) as cluster:
        list(as_finished(_nothing, items[:10], 1, cluster=cluster.scheduler_address))
        clock = time.perf_counter()
        list(as_finished(_nothing, items, 1, cluster=cluster.scheduler_address))
        return (time.perf_counter() - clock) / tasks * 1e3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=15488)
    parser.add_argument("--size", default="1280x1024")
    parser.add_argument("--methods", type=int, default=30)
    parser.add_argument("--metrics", default="all")
    parser.add_argument("--workers", default="1,8,64")
    options = parser.parse_args()
    for library in ("OMP", "OPENBLAS", "MKL"):
        os.environ[f"{library}_NUM_THREADS"] = "1"
    width, height = map(int, options.size.split("x"))
    price = prices((min(width, 640), min(height, 512)), options.metrics)
    price["scheduler"] = overhead()
    print(f"decoding {price['decode']:.1f}, encoding {price['encode']:.1f} ms a megapixel of colour PNG")
    print(f"fusing {price['fuse']:.0f} ms a megapixel, the mean of {len(METHODS)} classical methods")
    print(
        f"scoring {price['score']:.0f} ms a megapixel for {price['metrics']:.0f} metrics, and {price['sources']:.0f} once a pair"
    )
    print(f"{price['bytes']:.2f} bytes a pixel of a fused image; {price['scheduler']:.2f} ms a pair for the scheduler")
    mega = width * height / 1e6
    images = options.pairs * options.methods
    stored = images * price["bytes"] * width * height
    work = (
        mega
        / 1e3
        * (
            options.pairs * (2 * price["decode"] + price["sources"])
            + images * (price["fuse"] + price["encode"] + price["score"])
        )
    )
    print(
        f"\n{options.pairs} pairs of {options.size} x {options.methods} methods: {images} images, {stored / 1e12:.2f} TB"
    )
    print(f"{'workers':>8} {'hours':>8} {'of which scheduler':>19}")
    for workers in map(int, options.workers.split(",")):
        alone = options.pairs * price["scheduler"] / 1e3
        print(f"{workers:8} {(work / workers + alone) / 3600:8.1f} {alone / 3600:19.4f}")


if __name__ == "__main__":
    main()
