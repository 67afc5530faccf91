"""How a run grows: 20,000 small pairs against fewer, its memory at the peak, and what of its time was none of the work.

    python benchmarks/run_scale.py
    python benchmarks/run_scale.py --pairs 2000 --size 64x48 --methods average,lp

A few scenes are computed, and all pairs are copies of them under names of their own. Every run is a process of its own,
whose memory and time the system tells at its end; a run again, with nothing left to do, is measured, too.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from fusionbench.datasets import synthetic

BENCH = """
[benchmark]
name = "scale"
metrics = "{metrics}"
[[dataset]]
name = "many"
root = "many"
"""

MEASURE = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:], stdout=sys.stderr).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)
sys.exit(code)
"""


def copies(folder: Path, scenes: Path, count: int) -> None:
    originals = sorted(path.name for path in (scenes / "ir").glob("*.png"))
    for side in ("ir", "vis"):
        (folder / side).mkdir(parents=True)
        for number in range(count):
            shutil.copyfile(scenes / side / originals[number % len(originals)], folder / side / f"{number:05}.png")


def run(folder: Path) -> tuple[float, float, dict[str, float]]:
    """Seconds, MiB at the peak, and what the run itself says of its time."""
    words = ["run", "bench.toml", "--no-report", "--quiet", "--json"]
    command = [sys.executable, "-c", MEASURE, sys.executable, "-m", "fusionbench", *words]
    clock = time.perf_counter()
    said = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    return time.perf_counter() - clock, float(said.stdout), json.loads(said.stderr)["seconds"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, nargs="+", default=[1000, 5000, 20000])
    parser.add_argument("--size", default="32x32")
    parser.add_argument("--methods", default="average,max")
    parser.add_argument("--metrics", default="EN,SD,SF,MI")
    options = parser.parse_args()
    width, height = map(int, options.size.split("x"))
    print(f"{'pairs':>6} {'s':>8} {'ms/image':>9} {'MiB':>6} {'again s':>8} {'MiB':>6}  work a thread / wall")
    with tempfile.TemporaryDirectory() as name:
        scenes = Path(name) / "scenes"
        synthetic.make(scenes, 16, (width, height))
        for count in options.pairs:
            folder = Path(name) / str(count)
            copies(folder / "many", scenes, count)
            methods = options.methods.split(",")
            bench = BENCH.format(metrics=options.metrics) + "".join(f'[[method]]\nname = "{one}"\n' for one in methods)
            (folder / "bench.toml").write_text(bench)
            first, peak, spent = run(folder)
            again, second, _ = run(folder)
            environment = json.loads((folder / "scale" / "environment.json").read_text())
            work = sum(seconds for stage, seconds in spent.items() if stage != "wall") / environment["workers"]
            each = first / count / len(methods) * 1000
            print(
                f"{count:6} {first:8.1f} {each:9.2f} {peak:6.0f} {again:8.1f} {second:6.0f}  {work / spent['wall']:.2f}",
                flush=True,
            )
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
