"""What fusing costs on one core: milliseconds a method at 640 x 480 grey, and how that grows with the pixels.

    python benchmarks/method_speed.py
    python benchmarks/method_speed.py --methods gff,adf --cnn-weights cnnmodel.mat

The milliseconds are of the processor, not of the clock, so that what else the machine does hardly counts. Beside them
stands their ratio to decoding the two sources as PNG in the same run, which another machine changes less. The growth is
the exponent of the pixels between 320 x 240 and 1280 x 960: 1 is linear.
"""

from __future__ import annotations

import argparse
import math
import os
import statistics
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

SIZES = ((320, 240), (640, 480), (1280, 960))
ENOUGH = 1.0
"""Seconds after which nothing is repeated any more."""


def milliseconds(work: Callable[[], object]) -> float:
    """Median time of one call, after one that does not count unless it takes long."""
    times: list[float] = []
    while len(times) < 8 and sum(times) < ENOUGH:
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return statistics.median(times[1:] or times) * 1e3


def sources(width: int, height: int) -> list[np.ndarray]:
    """Grey levels of a pair."""
    from fusionbench import pixels
    from fusionbench.datasets import synthetic

    scene = synthetic.scene(1, width, height)
    return [pixels.luma(image, "bt601") for image in (scene.ir, scene.vis)]


def decoding(pair: list[np.ndarray]) -> float:
    """Milliseconds to decode a pair."""
    from PIL import Image

    files = [BytesIO() for _ in pair]
    for file, image in zip(files, pair, strict=True):
        Image.fromarray(image).save(file, "PNG")

    def decode() -> None:
        for file in files:
            Image.open(file).load()

    return milliseconds(decode)


def measure(names: list[str] | None, cnn_weights: Path | None) -> None:
    """Print the table."""
    from fusionbench.baselines import METHODS
    from fusionbench.types import UserError

    more = {"cnn": {"weights": cnn_weights}}
    pairs = {size: sources(*size) for size in SIZES}
    unit = decoding(pairs[SIZES[1]])
    print(f"Decoding both sources takes {unit:.1f} ms.\n\n| method | ms | x decoding | growth |\n|---|---|---|---|")
    for name in names or [name for name in METHODS.names() if METHODS[name].card.kind != "foreign"]:

        def fuse(size: tuple[int, int], name: str = name) -> None:
            # New planes each time: a method that remembers its source must not profit from having seen it.
            METHODS[name](*(plane.astype(float) for plane in pairs[size]), **more.get(name, {}))

        try:
            fuse(SIZES[0])  # compiles what is not compiled yet
        except UserError as error:
            print(f"| {name} | - | - | {error} |")
            continue
        times = [milliseconds(lambda size=size, fuse=fuse: fuse(size)) for size in SIZES]
        growth = math.log(times[2] / times[0]) / math.log(math.prod(SIZES[2]) / math.prod(SIZES[0]))
        print(f"| {name} | {times[1]:.1f} | {times[1] / unit:.1f} | {growth:.2f} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--methods", help="names separated by commas; by default all")
    parser.add_argument("--cnn-weights", type=Path, help="without these, cnn is left out")
    arguments = parser.parse_args()

    # Before numpy is loaded, whose threads would keep the cores that they start with.
    for library in ("OMP", "OPENBLAS", "MKL"):
        os.environ[f"{library}_NUM_THREADS"] = "1"
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    measure(arguments.methods.split(",") if arguments.methods else None, arguments.cnn_weights)


if __name__ == "__main__":
    main()
