"""Numbers that other people's programs computed: what they are called there, and how closely they can be met."""

from __future__ import annotations

import csv
import functools
import math
from collections.abc import Iterator, Mapping
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
    unseen : frozenset of str
        Our metrics that the program has and of which no numbers of it are at hand.
    """

    convention: str
    names: dict[str, str]
    tolerance: float = FLOAT64
    exceptions: dict[str, float] = field(default_factory=dict)
    unseen: frozenset[str] = frozenset()

    def tolerance_of(self, metric: str) -> float:
        return self.exceptions.get(metric, self.tolerance)


def _same(names: str, **others: str) -> dict[str, str]:
    return {name: name for name in names.split()} | others


TANG = _same("EN SD SF AG MI SCD CC MSE PSNR VIF SSIM Qabf", Nabf_asCalled="Nabf")
TANG |= {"mef_ssim": "MEF-SSIM", "MS_SSIM_mef": "MEF-MS-SSIM"}
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
    "Qcb": "Qcb",
    "Qcv": "Qcv",
}
CDDFUSE = _same("EN SD SF AG MI SCD CC MSE PSNR SSIM Qabf", VIFF="VIF")
IVIF_ZOO = _same("EN SD SF AG EI MI CE SCD CC MSE PSNR VIF SSIM Qabf Nabf")

IVIF_ZOO |= {"MS_SSIM": "MS-SSIM", "Qy": "Qy"}
ZHENGLIU = {"Q_G": "Qabf", "Q_M": "Q_M", "Q_SF": "Q_SF"}
ZHENGLIU |= {"Q_S": "Q_S", "Q_W": "Q_W", "Q_C": "Qc", "Q_Y": "Qy"}
THFYLSTY = _same(
    "EN AG EI SSIM",
    SF_MySF="SF",
    SD_std2="SD",
    OCE="CE",
    CC_uint8="CC",
    SCD_uint8sat="SCD",
    MI_MIabf="MI",
    DF_Definition="DF",
)
TOPANXAL = _same(
    "EN SF SCD SSIM Nabf",
    figure_definition="DF",
    avg_gradient="AG",
    std2="SD",
    cc="CC",
    psnr="PSNR",
    edge_intensity="EI",
    edge_association="Qabf",
)

IVIF_ZOO |= {"Qcb": "Qcb"}
ZHENGLIU |= {"Q_CB": "Qcb", "Q_CV": "Qcv", "Q_P": "Qp"}
THFYLSTY |= {"VIFF": "VIFF", "VIF_wavelet_01": "VIF"}
TOPANXAL |= {"VIFF": "VIFF"}

IVIF_ZOO |= {"NMI": "NMI", "QNCIE": "Q_NCIE", "TE": "Q_TE"}
ZHENGLIU |= {"Q_MI": "NMI", "Q_NCIE": "Q_NCIE", "Q_TE": "Q_TE"}
FMI_PORT = Program(
    "standard",
    {"FMI_none": "FMI_pixel", "FMI_gradient": "FMI_gradient", "FMI_dct": "FMI_dct", "FMI_wavelet": "FMI_w"},
)
"""The FMI authors' program, ported because the original needs 6 ms a pixel; it has nothing else of the standard convention."""

FORMULA = {
    # Its FMI takes minutes an image in Octave, whose edge is not MATLAB's either; FMI_PORT stands in for it.
    "tang": Program("tang", TANG, unseen=frozenset({"FMI_pixel", "FMI_dct"})),
    "vifb": Program("vifb", VIFB),
    "cddfuse": Program("cddfuse", CDDFUSE, FLOAT32, {"EN": FLOAT64, "MI": FLOAT64, "VIF": FLOAT64, "SSIM": FLOAT64}),
    # In planes of up to 20480 pixels PyTorch rounds each product of SSIM's windows before it adds it.
    "ivif_zoo": Program(
        "ivif-zoo", IVIF_ZOO, FLOAT32, {"MI": FLOAT64, "NMI": FLOAT64, "Nabf": FLOAT64, "SSIM": 1e-5, "Qy": FLOAT64}
    ),
    "zhengliu": Program("liu", ZHENGLIU),
    "thfylsty": Program("thfylsty", THFYLSTY),
    # Where both sources are flat, the rounding of float32 decides which of them VIFF looks at.
    "topanxal": Program("topanxal", TOPANXAL, FLOAT32, {"EI": FLOAT64, "Nabf": FLOAT64, "Qabf": FLOAT64, "VIFF": 2e-4}),
}
"""On images made by integer arithmetic, which lie in the golden folder with the numbers."""

REAL = {
    "tang": Program("tang", TANG, FLOAT64, FLAT),
    "vifb": Program("vifb", VIFB, FLOAT64, FLAT),
    "cddfuse": Program("cddfuse", CDDFUSE, FLOAT32, {"EN": FLOAT64, "MI": FLOAT64, "VIF": 1e-7, "SSIM": FLOAT64}),
    "cddfuse_pinned": Program("cddfuse", CDDFUSE, FLOAT32),
    # Four values of VIF hang on roundings of float32 that the machine's own convolution decides.
    "ivif_zoo": Program(
        "ivif-zoo", IVIF_ZOO, FLOAT32, {"MI": FLOAT64, "NMI": FLOAT64, "Nabf": FLOAT64, "VIF": 1e-4, "Qy": FLOAT64}
    ),
    # On FusionGAN's 41 both sources are flat over large parts, where the saliency of Q_S is a quotient of two roundings; in two
    # images one window of Qc falls on the other side of 0 or 1.
    "zhengliu": Program("liu", ZHENGLIU, FLOAT64, {"Q_S": 1e-6, "Qc": 1e-5}),
    "thfylsty": Program("thfylsty", THFYLSTY),
    "topanxal": Program("topanxal", TOPANXAL, FLOAT32, {"EI": FLOAT64, "Nabf": FLOAT64, "Qabf": FLOAT64, "VIFF": 2e-2}),
}
"""On published images, which are not ours to redistribute."""


@dataclass(frozen=True)
class Library:
    """What a function of a library is with us.

    Attributes
    ----------
    metric, keywords
        Our metric, and how it is asked. A function of two images has one row a source (``name__ir``, ``name__vis``) and is
        held against our metric with that image for both sources.
    factor : float
        Theirs over ours.
    tolerance : float
        Relative.
    """

    metric: str
    keywords: Mapping[str, object] = field(default_factory=dict)
    factor: float = 1.0
    tolerance: float = 1e-10


LIBRARIES = {
    "skimage_shannon_entropy": Library("EN"),
    "numpy_std": Library("SD"),
    "numpy_scd": Library("SCD"),
    "numpy_pearson": Library("CC"),
    "numpy_mse": Library("MSE"),
    "sklearn_mi_nats": Library("MI", {"log_base": math.e}, 0.5),
    "sklearn_nmi_arith": Library("NMI", factor=0.5),
    "skimage_ssim_gauss11": Library("SSIM"),
    "skimage_ssim_gauss11_f64_dr1": Library("SSIM", {"data_range": 1.0}, tolerance=FLAT["SSIM"]),
    "skimage_ssim_uniform7_default": Library("SSIM", {"window": "uniform-7", "covariance": "sample"}),
    "piq_ssim": Library("SSIM"),
    "kornia_ssim_valid": Library("SSIM"),
    # Weights of its window in float32.
    "pytorch_msssim_ssim": Library("SSIM", tolerance=1e-5),
    "sewar_vifp": Library("VIF", factor=0.5, tolerance=FLAT["VIF"]),
    "torchmetrics_vif": Library("VIF", factor=0.5, tolerance=FLAT["VIF"]),
    # It adds 1e-8, not 1e-10, where something might be divided by zero.
    "piq_vif_p": Library("VIF", factor=0.5, tolerance=1e-4),
    "piq_gmsd": Library("GMSD"),
    # In float32.
    "piq_fsim": Library("FSIM", tolerance=2e-5),
    # Weights of its window in float32, at five scales.
    "pytorch_msssim_msssim": Library("MS-SSIM", {"halving": "zero"}, tolerance=3e-5),
}
"""Functions of libraries that are one of our definitions."""

SPREADSHEET = Program("tang-uint8", _same("EN SD SF AG MI SCD CC MSE PSNR VIF Qabf"), FLOAT64, {"VIF": 1e-8})
COLOUR_TABLE = Program("vifb", VIFB, PRINTED)

# What is published as these two methods' images is not what VIFB's published numbers of them came from: all thirteen metrics
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
    """The rows of a table of numbers; lines that begin with # tell where it comes from, and an empty value is NaN."""
    with file.open(newline="", encoding="utf-8") as stream:
        return [
            Row(row[column], row.get("dataset", "formula"), row["method"], row["image"], float(row["value"] or "nan"))
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
    from fusionbench.pixels import luma

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
