"""How near our images come to those that VIFB publishes: equal samples under its preset, PSNR and SSIM by default.

    python benchmarks/vifb_parity.py SHARED                  # the folder with data/vifb, data/fused/vifb, weights/vifb
    python benchmarks/vifb_parity.py SHARED --methods gff,gtf --scenes walking,labMan

Both are written as JPEG as VIFB's were before they are compared. What differs by default is printed beside it: it is
every parameter that is not the preset's, and the files that the authors ship and we do not.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from pathlib import Path

import numpy as np

from fusionbench import fuse, images, score
from fusionbench.recipe import recipe

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
import vifb


def differences(name: str) -> str:
    """Our defaults where they are not what VIFB's images need."""
    ours, theirs = recipe(name), recipe(name, preset="vifb")
    particular = () if name == "cnn" else vifb.particular(name)
    words = [f"{word} {ours.parameters[word]!r}" for word in particular]
    words += [f"{word} {value!r}" for word, value in ours.parameters.items() if theirs.parameters[word] != value]
    return ", ".join(dict.fromkeys([f"color {ours.color!r}", *words]))


def by_default(name: str, scene: str, shared: Path) -> tuple[float, float]:
    """PSNR and SSIM of our image with the published one."""
    ir, vis = (images.read(shared / "data" / "vifb" / role / f"{scene}.jpg") for role in ("ir", "vis"))
    expected = vifb.published(name, scene, shared)
    # The one method that does nothing without its authors' file.
    more = vifb.files(name, shared) if name == "cnn" else {}
    near = score(vifb.as_published(fuse(name, ir, vis, **more)), expected, expected, metrics=["PSNR", "SSIM"])
    return near["PSNR"], near["SSIM"]


def line(name: str, scenes: list[str], shared: Path) -> str:
    """One row of the table."""
    start = time.perf_counter()
    cells = []
    for scene in scenes:
        equal = np.mean(vifb.as_published(vifb.made_again(name, scene, shared)) == vifb.published(name, scene, shared))
        cells.append("exact" if equal == 1 else f"{100 * equal:.3f}")
    seconds = (time.perf_counter() - start) / len(scenes)
    near = [by_default(name, scene, shared) for scene in scenes]
    psnr, ssim = (statistics.fmean(values) for values in zip(*near, strict=True))
    return f"| {name} | {' | '.join(cells)} | {seconds:.2f} | {psnr:.1f} dB | {ssim:.3f} | {differences(name)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("shared", type=Path, help="folder of images and weights that may not be redistributed")
    parser.add_argument("--methods", default=",".join(vifb.FOLDERS), help="names separated by commas")
    parser.add_argument("--scenes", help="names separated by commas; by default all that are published there")
    arguments = parser.parse_args()

    methods = arguments.methods.split(",")
    scenes = arguments.scenes.split(",") if arguments.scenes else vifb.scenes(methods[0], arguments.shared)
    header = ["method", *(f"{scene} %" for scene in scenes), "s/image", "default PSNR", "SSIM", "default is"]
    print(f"| {' | '.join(header)} |")
    print(f"|{'---|' * len(header)}")
    for name in methods:
        print(line(name, scenes, arguments.shared), flush=True)


if __name__ == "__main__":
    main()
