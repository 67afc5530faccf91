"""How fast the networks are: milliseconds an image, ours against the same network run as its authors' scripts run it.

    python benchmarks/learned_speed.py
    python benchmarks/learned_speed.py --device cuda --compiled
    python benchmarks/learned_speed.py --networks cs2fusion --weights cs2fusion="Backbone Network.pth" --size 320x240

Theirs is eager, one image at a time, with torch's own settings: normalisations are not folded, the largest value comes
from an adaptive pool, CoCoNet keeps what only training needs, and on CUDA convolutions may multiply in tf32. What counts
is the network alone, images and result on the device. The difference to the result of theirs is in levels.
"""

from __future__ import annotations

import argparse
import copy
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from fusionbench import pixels
from fusionbench.baselines.learned import networks, weights
from fusionbench.baselines.learned.adapter import Conditions, Fuser
from fusionbench.baselines.learned.clfnet import Generator
from fusionbench.baselines.learned.coconet import CoCoNet
from fusionbench.baselines.learned.cs2fusion import Backbone, Demand
from fusionbench.datasets.synthetic import scene
from fusionbench.types import UserError

NETWORKS: dict[str, type[nn.Module]] = {"clfnet": Generator, "cs2fusion": Backbone, "coconet": CoCoNet}


class Row(NamedTuple):
    network: str
    what: str
    batch: int
    milliseconds: float
    ratio: float
    difference: float


class PooledDemand(nn.Module):
    """CS2Fusion's demand with adaptive pools, and a convolution over the one pixel that they leave."""

    def __init__(self, ours: Demand) -> None:
        super().__init__()
        self.most, self.mean, self.cov = nn.AdaptiveMaxPool2d(1), nn.AdaptiveAvgPool2d(1), ours.cov

    def forward(self, x: Tensor) -> Tensor:
        return self.cov(torch.cat([self.most(x), self.mean(x)], 1))


def theirs(name: str, network: nn.Module) -> Callable[[Tensor, Tensor], Tensor]:
    """One pass as in the authors' script; images on the scale 0..255, before and after."""
    for place, module in list(network.named_children()):
        if isinstance(module, Demand):
            setattr(network, place, PooledDemand(module))
    # Their script for CoCoNet forgets both eval() and no_grad().
    network.train(name == "coconet")
    untracked = nullcontext if name == "coconet" else torch.no_grad

    def run(ir: Tensor, vis: Tensor) -> Tensor:
        with untracked():
            if name == "clfnet":
                return network((vis - 127.5) / 127.5, (ir - 127.5) / 127.5).fused * 127.5 + 127.5
            if name == "coconet":
                return network(vis, ir) * 127.5 + 127.5
            return network(vis, ir).fused

    return run


def timed(work: Callable[[], object], device: torch.device, seconds: float) -> float:
    """Median milliseconds of one call, in a time that is worth measuring."""
    wait = torch.cuda.synchronize if device.type == "cuda" else lambda: None
    for _ in range(3 if device.type == "cuda" else 1):
        work()
    wait()
    times: list[float] = []
    while len(times) < 3 or (sum(times) < seconds and len(times) < 200):
        start = time.perf_counter()
        work()
        wait()
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1e3


def entries_of(name: str, files: dict[str, Path]) -> dict[str, Any] | None:
    """The weights that were named or are at hand; None if there are none."""
    try:
        return weights.find(name, files.get(name), *weights.expected(name))
    except UserError as error:
        if name in files:
            raise
        print(f"{name} runs untrained, which takes as long. ({error})")
        return None


def rows(name: str, options: argparse.Namespace) -> Iterator[Row]:
    device = torch.device(options.device)
    width, height = map(int, options.size.split("x"))
    pair = scene(1, width, height)
    ir, vis = (
        torch.from_numpy(pixels.luma(image, "bt601").astype(np.float32))[None, None].to(device)
        for image in (pair.ir, pair.vis)
    )
    torch.manual_seed(1)
    network = NETWORKS[name]()
    entries = entries_of(name, options.weights)
    if entries is not None:
        network.load_state_dict({key: torch.from_numpy(np.array(entry)) for key, entry in entries.items()})
    born = {key: entry.numpy().copy() for key, entry in network.state_dict().items()}

    run = theirs(name, copy.deepcopy(network).to(device))
    expected = run(ir, vis).detach()
    base = timed(lambda: run(ir, vis), device, options.seconds)
    yield Row(name, "theirs", 1, base, 1.0, 0.0)

    precisions = ["fp32", "tf32", "bf16", "fp16"] if device.type == "cuda" else ["fp32", "bf16"]
    for precision in precisions:
        for compiled in (False, True) if options.compiled else (False,):
            fuser = Fuser(networks.inference(name, born), Conditions(options.device, precision, compiled=compiled))
            for batch in options.batches:
                many = ir.repeat(batch, 1, 1, 1), vis.repeat(batch, 1, 1, 1)
                difference = float((fuser.forward(*many)[:1] - expected).abs().max())
                spent = timed(lambda: fuser.forward(*many), device, options.seconds) / batch  # noqa: B023
                what = f"ours, {precision}{', compiled' if compiled else ''}"
                yield Row(name, what, batch, spent, base / spent, difference)


def weights_file(text: str) -> tuple[str, Path]:
    name, _, path = text.partition("=")
    return name, Path(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", default=",".join(NETWORKS), help="separated by commas")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--size", default="640x480", help="width x height")
    parser.add_argument("--batches", default="1,8", help="separated by commas")
    parser.add_argument("--seconds", type=float, default=3.0, help="for each measurement, about")
    parser.add_argument("--compiled", action="store_true", help="also what torch.compile makes of ours")
    parser.add_argument("--weights", action="append", type=weights_file, default=[], metavar="NETWORK=FILE")
    options = parser.parse_args()
    options.batches = [int(batch) for batch in options.batches.split(",")]
    options.weights = dict(options.weights)

    place = torch.cuda.get_device_name(options.device) if options.device != "cpu" else "CPU"
    threads = f", {torch.get_num_threads()} threads" if options.device == "cpu" else ""
    print(f"torch {torch.__version__} on {place}{threads}, {options.size}")
    print(f"{'network':<10} {'what':<22} {'batch':>5} {'ms/image':>9} {'ratio':>6} {'difference':>10}")
    for name in options.networks.split(","):
        for row in rows(name, options):
            print(
                f"{row.network:<10} {row.what:<22} {row.batch:>5} {row.milliseconds:>9.2f} {row.ratio:>6.2f} "
                f"{row.difference:>10.2g}",
                flush=True,
            )


if __name__ == "__main__":
    main()
