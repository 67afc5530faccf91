"""All methods on three scenes side by side, to be looked at.

    python benchmarks/contact_sheet.py -o sheet.png                                # scenes made for the purpose
    python benchmarks/contact_sheet.py --ir TNO/ir --vis TNO/vi --scenes 1,17,25 -o sheet.png

Grey; a method that needs a file of its authors is left out and named unless it is given.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from fusionbench import UserError, fuse, images, pixels
from fusionbench.baselines import METHODS
from fusionbench.datasets import synthetic
from fusionbench.pairing import pair_sources
from fusionbench.types import Pair

LABEL, GAP = 14, 6


def chosen_pairs(ir: Path, vis: Path, scenes: str | None) -> list[Pair]:
    """Three pairs of a folder: those that are named, or some that lie apart."""
    pairs = pair_sources(ir, vis).pairs
    if scenes:
        wanted = scenes.split(",")
        found = [pair for pair in pairs if pair.name in wanted]
        if len(found) != len(wanted):
            raise UserError(f"Not all of {scenes} are pairs there: {', '.join(pair.name for pair in pairs)}.")
        return found
    return [pairs[k * (len(pairs) - 1) // 2] for k in range(3)][: len(pairs)]


def block(title: str, tiles: list[np.ndarray], width: int, height: int) -> Image.Image:
    """One method: its name, and below it the scenes."""
    canvas = Image.new("L", ((width + GAP) * len(tiles), height + LABEL + GAP), 255)
    ImageDraw.Draw(canvas).text((0, 0), title, fill=0)
    for k, tile in enumerate(tiles):
        canvas.paste(
            Image.fromarray(tile).resize((width, height), Image.Resampling.LANCZOS), (k * (width + GAP), LABEL)
        )
    return canvas


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--ir", type=Path)
    parser.add_argument("--vis", type=Path)
    parser.add_argument("--scenes", help="names separated by commas; by default three that lie apart")
    parser.add_argument("--methods", help="names separated by commas; by default all")
    parser.add_argument("--cnn-weights", type=Path, help="without these, cnn is left out")
    parser.add_argument("--width", type=int, default=240, help="pixels of a tile")
    parser.add_argument("--columns", type=int, default=3, help="methods side by side")
    parser.add_argument("-o", "--output", type=Path, default=Path("sheet.png"))
    arguments = parser.parse_args()

    if bool(arguments.ir) != bool(arguments.vis):
        parser.error("--ir and --vis belong together")
    with tempfile.TemporaryDirectory() as made:
        if not arguments.ir:
            synthetic.make(Path(made), 3)
        folders = arguments.ir or Path(made, "ir"), arguments.vis or Path(made, "vis")
        read = [
            tuple(pixels.luma(pixels.to_levels(images.read(path)), "bt601") for path in (pair.ir, pair.vis))
            for pair in chosen_pairs(*folders, arguments.scenes)
        ]
    width = arguments.width
    height = width * 3 // 4
    blocks = [block(role, [pair[k] for pair in read], width, height) for k, role in enumerate(("infrared", "visible"))]
    more = {"cnn": {"weights": arguments.cnn_weights}}
    for name in arguments.methods.split(",") if arguments.methods else METHODS.names():
        try:
            blocks.append(block(name, [fuse(name, *pair, **more.get(name, {})) for pair in read], width, height))
        except UserError as error:
            print(f"{name} is left out: {error}")
    wide, high = blocks[0].size
    rows = -(-len(blocks) // arguments.columns)
    sheet = Image.new("L", (wide * arguments.columns, high * rows), 255)
    for k, part in enumerate(blocks):
        sheet.paste(part, (wide * (k % arguments.columns), high * (k // arguments.columns)))
    sheet.save(arguments.output)
    print(f"{len(blocks) - 2} methods: {arguments.output}")


if __name__ == "__main__":
    main()
