"""What every metric costs on one core: milliseconds on 768 x 576, and how often an image could be decoded in that time.

    python benchmarks/metric_speed.py
    python benchmarks/metric_speed.py --metrics VIF,FSIM --conventions standard,liu

The milliseconds are of the processor, not of the clock, so that what else the machine does counts for less. Every call sees
new images: what is measured on them once, and shared by several metrics in practice, is counted for each.

The slowest three, and why. LPIPS, where it has weights: 37 thousand million operations of AlexNet on three images, and twenty
times as many of VGG-16. Qp: 72 Fourier transforms of complex planes, from the 24 filters by the three images, 7 megabytes
each, so that half of the time goes by while they pass through memory. FMI, here of wavelets: 63 logarithms for every
window of 3 x 3, of which there are as many as pixels, 28 million in all.
"""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

from method_speed import decoding, milliseconds

if TYPE_CHECKING:
    from fusionbench.metrics.definitions import Definition
    from fusionbench.metrics.triple import Triple

SIZE = (768, 576)


def triple() -> Triple:
    """A made scene and the average of its sources, in colour and grey."""
    import numpy as np

    from fusionbench import pixels
    from fusionbench.datasets import synthetic
    from fusionbench.metrics.triple import Triple

    scene = synthetic.scene(1, *SIZE)
    average = ((scene.ir[:, :, None].astype(np.uint16) + scene.vis + 1) // 2).astype(np.uint8)
    stored = [scene.ir, scene.vis, average]
    ir, vis, fused = (pixels.luma(image, "bt601") for image in stored)
    return Triple.of(ir, vis, fused, stored=stored)


def definitions(metrics: list[str] | None, conventions: list[str] | None) -> dict[str, tuple[Definition, list[str]]]:
    """Every definition once, with the conventions that share it."""
    from fusionbench.metrics import METRICS
    from fusionbench.metrics.conventions import CONVENTIONS, convention
    from fusionbench.metrics.definitions import definition

    found: dict[str, tuple[Definition, list[str]]] = {}
    for name in metrics or METRICS.names():
        for whose in map(convention, conventions or CONVENTIONS):
            one = definition(name, whose)
            if one:
                found.setdefault(f"{name} {one.parameters}", (one, []))[1].append(whose.name)
    return found


def measure(metrics: list[str] | None, conventions: list[str] | None) -> None:
    """Print the table, the slowest first."""
    from fusionbench.metrics.triple import Triple

    t = triple()
    unit = decoding([t.vis])
    rows = []
    for one, whose in definitions(metrics, conventions).values():

        def work(one: Definition = one) -> None:
            one.function(Triple.of(t.ir, t.vis, t.fused, stored=t.scene.stored), **one.parameters)

        try:
            work()  # compiles what is not compiled yet
        except ValueError as error:
            print(f"{one.name} ({', '.join(whose)}) has no value here: {error}")
            continue
        rows.append((milliseconds(work), one.name, ", ".join(whose)))
    print(f"Decoding one image takes {unit:.2f} ms.\n\n| metric | conventions | ms | x decoding |\n|---|---|---|---|")
    for cost, name, names in sorted(rows, reverse=True):
        print(f"| {name} | {names} | {cost:.1f} | {cost / unit:.2f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--metrics", help="names separated by commas; by default all")
    parser.add_argument("--conventions", help="names separated by commas; by default all")
    arguments = parser.parse_args()

    # Before numpy is loaded, whose threads would keep the cores that they start with.
    for library in ("OMP", "OPENBLAS", "MKL"):
        os.environ[f"{library}_NUM_THREADS"] = "1"
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    measure(*(words.split(",") if words else None for words in (arguments.metrics, arguments.conventions)))


if __name__ == "__main__":
    main()
