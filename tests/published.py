"""Numbers that other people's programs computed: what they are called there, and how closely they can be met."""

from __future__ import annotations

import csv
import functools
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fusionbench.images import read

GOLDEN = Path(__file__).parent / "golden"

# Programs in float64 differ from us by the order of their sums alone, which is seen in the last digits.
FLOAT64 = 1e-11
# On real images a window that is all but flat leaves a variance near VIF's threshold of 1e-10, or near the constants of an
# SSIM with L = 1, so that their own rounding decides it: two exact programs differ by this much.
FLAT = {"VIF": 1e-7, "SSIM": 1e-8}
# Sums of float32 are off by about 1e-7; where only the pixels are float32, nothing is lost.
FLOAT32 = 1e-6
# Five printed digits.
PRINTED = 5.1e-5


@dataclass(frozen=True)
class Program:
    """One program's numbers of our metrics.

    Attributes
    ----------
    convention : str
        Which of our conventions is meant to be it.
    names : dict of str to str
        Its names of metrics -> ours.
    tolerance : float
        Relative.
    exceptions : dict of str to float
        Tolerances of single metrics, by our name.
    """

    convention: str
    names: dict[str, str]
    tolerance: float = FLOAT64
    exceptions: dict[str, float] = field(default_factory=dict)

    def tolerance_of(self, metric: str) -> float:
        return self.exceptions.get(metric, self.tolerance)


def _same(names: str, **others: str) -> dict[str, str]:
    return {name: name for name in names.split()} | others


TANG = _same("EN SD SF AG MI SCD CC MSE PSNR VIF SSIM Qabf")
VIFB = {
    "Entropy": "EN",
    "Variance": "SD",
    "Spatial_frequency": "SF",
    "Avg_gradient": "AG",
    "Edge_intensity": "EI",
    "Mutinf": "MI",
    "Cross_entropy": "CE",
    "Rmse": "RMSE",
    "Psnr": "PSNR",
    "Ssim": "SSIM",
    "Qabf": "Qabf",
}
CDDFUSE = _same("EN SD SF AG MI SCD CC MSE PSNR SSIM Qabf", VIFF="VIF")
IVIF_ZOO = _same("EN SD SF AG EI MI CE SCD CC MSE PSNR VIF SSIM Qabf")

FORMULA = {
    "tang": Program("tang", TANG),
    "vifb": Program("vifb", VIFB),
    "cddfuse": Program("cddfuse", CDDFUSE, FLOAT32, {"EN": FLOAT64, "MI": FLOAT64, "VIF": FLOAT64, "SSIM": FLOAT64}),
    # In planes of up to 20480 pixels PyTorch rounds each product of SSIM's windows before it adds it.
    "ivif_zoo": Program("ivif-zoo", IVIF_ZOO, FLOAT32, {"MI": FLOAT64, "SSIM": 1e-5}),
}
"""On images made by integer arithmetic, which lie in the golden folder with the numbers."""

REAL = {
    "tang": Program("tang", TANG, FLOAT64, FLAT),
    "vifb": Program("vifb", VIFB, FLOAT64, FLAT),
    "cddfuse": Program("cddfuse", CDDFUSE, FLOAT32, {"EN": FLOAT64, "MI": FLOAT64, "VIF": 1e-7, "SSIM": FLOAT64}),
    "cddfuse_pinned": Program("cddfuse", CDDFUSE, FLOAT32),
    # Four values of VIF hang on roundings of float32 that the machine's own convolution decides.
    "ivif_zoo": Program("ivif-zoo", IVIF_ZOO, FLOAT32, {"MI": FLOAT64, "VIF": 1e-4}),
}
"""On published images, which are not ours to redistribute."""

SPREADSHEET = Program("tang-uint8", _same("EN SD SF AG MI SCD CC MSE PSNR VIF Qabf"), FLOAT64, {"VIF": 1e-8})
COLOUR_TABLE = Program("vifb", VIFB, PRINTED)

# What is published as these two methods' images is not what VIFB's published numbers of them came from: all eleven metrics
# disagree at once, by up to 0.7 %, while those of the other 23 methods agree in every printed digit.
OTHER_IMAGES = {"SwinFusion", "YDTR"}


@dataclass(frozen=True)
class Row:
    """One number of another program."""

    metric: str
    dataset: str
    method: str
    image: str
    value: float


def rows(file: Path, column: str = "metric") -> list[Row]:
    """The rows of a table of numbers; lines that begin with # tell where it comes from."""
    with file.open(newline="", encoding="utf-8") as stream:
        return [
            Row(row[column], row.get("dataset", "formula"), row["method"], row["image"], float(row["value"]))
            for row in csv.DictReader(line for line in stream if not line.startswith("#"))
        ]


@functools.cache
def image(path: Path) -> NDArray[np.uint8]:
    return read(path)


def formula_images(method: str, name: str) -> list[NDArray[np.uint8]]:
    """(ir, vis, fused) of a formula image; the colour method has colour sources."""
    suffix = "_rgb" if method == "colour" else ""
    return [image(GOLDEN / "formula" / folder / name) for folder in (f"ir{suffix}", f"vis{suffix}", method)]


def real_images(shared: Path, row: Row) -> list[NDArray[np.uint8]] | None:
    """(ir, vis, fused) of a row of the reference tables, or None if an image is not there."""
    if row.method == "mean":
        return None
    folder = {"TNO": "tno", "VIFB-rgb": "vifb"}[row.dataset]
    data = shared / "data"
    return [
        image(data / folder / "ir" / row.image),
        image(data / folder / "vis" / row.image),
        image(data / "fused" / folder / row.method / row.image),
    ]


def mean_images(shared: Path, row: Row) -> list[NDArray[np.uint8]]:
    """(ir, vis, mean) of the rows whose fused image is the rounded mean of the sources, grey by Pillow's rule."""
    from fusionbench.images import luma

    data = shared / "data"
    folders = {"VIFB": ["vifb"], "RoadScene": ["roadscene", "roadscene_extra"]}[row.dataset]
    folder = next(data / name for name in folders if (data / name / "ir" / row.image).exists())
    ir, vis = (luma(image(folder / source / row.image), "pillow") for source in ("ir", "vis"))
    mean = ((ir.astype(np.uint16) + vis + 1) // 2).astype(np.uint8)
    return [ir, vis, mean]


def by_images(table: list[Row]) -> Iterator[tuple[Row, list[Row]]]:
    """Rows grouped by image, so that each image is scored once."""
    groups: dict[tuple[str, str, str], list[Row]] = {}
    for row in table:
        groups.setdefault((row.dataset, row.method, row.image), []).append(row)
    for group in groups.values():
        yield group[0], group
