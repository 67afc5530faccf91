"""Conventions: whose exact definition of every metric, as data.

A convention names the rule that turns colour into grey levels and, for each metric that the implementation has, the
values of its keyword parameters. What a convention does not list, that implementation does not compute.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fusionbench.registry import unknown

if TYPE_CHECKING:
    from fusionbench.pixels import PlaneRule


@dataclass(frozen=True)
class Convention:
    """One implementation's definitions.

    Attributes
    ----------
    name, title : str
        Short name, and whose it is.
    source : str
        Where the implementation is published, and the version meant.
    luma : {"matlab", "bt601", "pillow", "per-channel"}
        How colour becomes grey levels. ``"per-channel"``: a colour image is scored in each channel, and the score is the mean.
    metrics : mapping of str to mapping
        Keyword parameters by metric; a metric that is not here is not defined by this convention.
    side_by_side : frozenset of str
        Metrics for which the three channels of a colour image are one image, three times as wide.
    note : str
        What a user should know before comparing with it.
    """

    name: str
    title: str
    source: str
    luma: PlaneRule
    metrics: Mapping[str, Mapping[str, Any]]
    side_by_side: frozenset[str] = field(default=frozenset())
    note: str = ""


_PROGRAMS = [
    Convention(
        name="standard",
        title="The original papers' formulas",
        source="this package; each metric's card names its paper and explains every choice",
        luma="bt601",
        metrics={
            name: {}
            for name in (
                "EN AG SF SD SCD VIF MI SSIM CC MSE RMSE PSNR Qabf EI CE "
                "Nabf Labf Q_M Q_SF EPI DF GMSD"
                " MS-SSIM MEF-SSIM MEF-MS-SSIM Q_S Q_W Q_E Qc Qy"
                " Qcb Qcv VIFF Qp FSIM"
                " NMI Q_NCIE Q_TE FMI_pixel FMI_gradient FMI_edge FMI_dct FMI_w"
                " CF Delta-E LPIPS"
            ).split()
        },
        note="8-bit grey levels 0..255, float64, logarithms to base 2. The functions' own defaults.",
    ),
    Convention(
        name="tang-uint8",
        title="The published spreadsheet of Tang et al. (2021-2022 tables)",
        source="Linfeng-Tang/Evaluation-for-Image-Fusion 0e87153, Metric/Metric_TNO.xlsx",
        luma="matlab",
        metrics={
            "EN": {},
            "AG": {"denominator": "inner"},
            "SF": {"denominator": "differences", "scale": 1.0},
            "SD": {"arithmetic": "uint8"},
            "SCD": {},
            "VIF": {"arithmetic": "uint8"},
            "MI": {"joint": "saturated"},
            "CC": {},
            "MSE": {"scale": 1.0},
            "PSNR": {"scale": 1.0},
            "Qabf": {"scale": 1.0, "border": "zero", "tie": "gradient"},
        },
        note="SD and VIF come from unsigned-byte arithmetic that saturates; PSNR is 48.13 dB too high.",
    ),
    Convention(
        name="tang",
        title="Tang et al., today's code",
        source="Linfeng-Tang/Evaluation-for-Image-Fusion 0e87153, MATLAB",
        luma="matlab",
        metrics={
            "EN": {},
            "AG": {"denominator": "inner"},
            "SF": {"denominator": "differences"},
            "SD": {},
            "SCD": {},
            "VIF": {},
            "MI": {"joint": "saturated"},
            "SSIM": {"data_range": 1.0, "border": "replicate"},
            "CC": {},
            "MSE": {"scale": 1.0},
            "PSNR": {"scale": 1.0},
            "Qabf": {"border": "zero", "tie": "gradient"},
            "Nabf": {"tested": "ir"},
            "MEF-SSIM": {},
            "MEF-MS-SSIM": {},
            "FMI_pixel": {"feature": "edge"},
            "FMI_dct": {},
        },
        note="SSIM takes the range of double images to be 1 though they span 0..255; PSNR is 48.13 dB too high; Nabf takes "
        "the infrared image for the fused one, so that its ranking is upside down. FMI_pixel is the edges' FMI; FMI_w, whose "
        "filter is MATLAB's own, is left out.",
    ),
    Convention(
        name="vifb",
        title="VIFB (Zhang et al. 2020)",
        source="xingchenzhang/VIFB 22b2ea9, MATLAB",
        luma="per-channel",
        metrics={
            "EN": {},
            "AG": {"denominator": "inner"},
            "SF": {"denominator": "pixels"},
            "SD": {},
            "MI": {"log_base": math.e},
            "SSIM": {"aggregate": "sum"},
            "RMSE": {"form": "root-sum"},
            "PSNR": {"error": "root-sum"},
            "Qabf": {"scale": 65025.0, "border": "zero", "tie": "gradient"},
            "EI": {},
            "CE": {},
            "Qcb": {"stretch": "levels"},
            "Qcv": {"stretch": "levels", "border": "zero", "partial": "padded"},
        },
        side_by_side=frozenset({"SF"}),
        note="RMSE and PSNR take the root before the mean, so they change with the image size.",
    ),
    Convention(
        name="cddfuse",
        title="CDDFuse (Zhao et al. 2023)",
        source="Zhaozixiang1228/MMIF-CDDFuse fd8da1f, utils/Evaluator.py",
        luma="bt601",
        metrics={
            "EN": {},
            "AG": {"denominator": "pixels"},
            "SF": {"denominator": "differences"},
            "SD": {},
            "SCD": {},
            "VIF": {"undefined": 1.0},
            "MI": {"log_base": math.e},
            "SSIM": {
                "window": "uniform-7",
                "data_range": 2.0,
                "covariance": "sample",
                "aggregate": "sum",
                "precision": "float32",
            },
            "CC": {},
            "MSE": {},
            "PSNR": {"peak": "fused"},
            "Qabf": {"border": "zero", "tie": "gradient"},
        },
        note="SSIM takes the range of the levels to be 2, the default of the library it used.",
    ),
    Convention(
        name="ivif-zoo",
        title="IVIF_ZOO (Liu et al. 2024)",
        source="RollingPlain/IVIF_ZOO 61b0a44, Metric/*.py",
        luma="pillow",
        metrics={
            "EN": {"epsilon": 1e-7},
            "AG": {"denominator": "pixels"},
            "SF": {"denominator": "differences"},
            "SD": {},
            "SCD": {},
            "VIF": {"window": "shifted"},
            "MI": {},
            "SSIM": {"scale": 65025.0, "aggregate": "sum", "precision": "float32"},
            "CC": {},
            "MSE": {"scale": 1.0},
            "PSNR": {"scale": 1.0},
            "Qabf": {"border": "zero", "tie": "gradient"},
            "EI": {"border": "zero"},
            "CE": {"form": "sigmoid"},
            "Nabf": {"floor": 0.0},
            "MS-SSIM": {"halving": "zero", "scale": 65025.0, "aggregate": "sum", "precision": "float32"},
            "Qy": {"window": "repeated-7", "constants": (1e-4, 9e-4)},
            "Qcb": {"stretch": "unit", "degrees": 30.0, "guard": 1e-10},
            "NMI": {"normaliser": "sources", "epsilon": 1e-10},
            "Q_NCIE": {"correlation": "pearson"},
            "Q_TE": {"form": "balance"},
        },
        note="SSIM images are scaled twice, CE saturates: see the cards.",
    ),
    Convention(
        name="liu",
        title="Liu et al. 2012, twelve objective measures",
        source="zhengliu6699/imageFusionMetrics d6f7f1a, MATLAB",
        luma="matlab",
        metrics={
            "Qabf": {"form": "local"},
            "Q_M": {"details": "sum"},
            "Q_SF": {},
            "Q_S": {"window": "gaussian-11", "constants": (6.5025, 58.5225)},
            "Q_W": {"window": "gaussian-11", "constants": (6.5025, 58.5225)},
            "Qc": {"window": "gaussian-7", "constants": (2e-16, 2e-16), "outside": "quality", "undefined": "nan"},
            "Qy": {"window": "gaussian-7", "constants": (2e-16, 2e-16), "undefined": "nan"},
            "Qcb": {"stretch": "levels"},
            "Qcv": {"stretch": "levels", "border": "zero", "partial": "padded"},
            "Qp": {"phase": "early"},
            "NMI": {},
            "Q_NCIE": {},
            "Q_TE": {"form": "powers", "marginals": "exchanged"},
        },
        note="The measures of information, Qcb and Qcv first stretch each image to 0..255 and round it.",
    ),
    Convention(
        name="mefb",
        title="MEFB (Zhang 2021), multi-exposure fusion",
        source="xingchenzhang/MEFB, MATLAB; written from descriptions of its code, no numbers of it were at hand",
        luma="per-channel",
        metrics={
            "EN": {},
            "AG": {"denominator": "inner"},
            "SF": {"denominator": "pixels"},
            "SD": {},
            "CE": {},
            "MEF-SSIM": {},
            "Q_W": {"window": "gaussian-11", "constants": (6.5025, 58.5225), "image": "edges"},
            "Qc": {"window": "gaussian-7", "constants": (2e-16, 2e-16), "outside": "quality", "undefined": "skip"},
            "Qy": {"window": "gaussian-7", "constants": (2e-16, 2e-16), "undefined": "skip"},
            "Qcb": {"stretch": "levels"},
            "Qcv": {"stretch": "levels", "border": "zero", "partial": "padded"},
            "NMI": {},
            "Q_NCIE": {},
            "Q_TE": {"order": 1.85, "form": "sum", "marginals": "exchanged"},
            "FMI_pixel": {"feature": "edge"},
        },
    ),
    Convention(
        name="thfylsty",
        title="Objective evaluation for image fusion (thfylsty)",
        source="thfylsty/Objective-evaluation-for-image-fusion 6f55732, MATLAB",
        luma="matlab",
        metrics={
            "EN": {},
            "AG": {"denominator": "inner"},
            "SF": {"denominator": "pixels"},
            "SD": {"ddof": 1},
            "SCD": {"arithmetic": "uint8"},
            "MI": {"joint": "saturated", "marginals": "saturated"},
            "SSIM": {"border": "replicate"},
            "CC": {"arithmetic": "uint8"},
            "EI": {},
            "CE": {},
            "DF": {},
            "VIF": {"domain": "wavelet", "scale": 1.0, "aggregate": "mean"},
            "VIFF": {},
        },
        note="Most measures are given unsigned bytes, whose arithmetic saturates.",
    ),
    Convention(
        name="topanxal",
        title="Image fusion evaluation in PyTorch (Topanxal)",
        source="Topanxal/Image-fusion-evaluation-metrics-code-PyTorch-version- 4a89e63",
        luma="pillow",
        metrics={
            "EN": {"darkest": 1},
            "AG": {"denominator": "inner"},
            "SF": {"denominator": "pixels"},
            "SD": {"ddof": 1},
            "SCD": {},
            "SSIM": {"window": "uniform-11", "border": "zero", "aggregate": "sum"},
            "CC": {},
            "PSNR": {"peak": "source", "average": "decibels"},
            "Qabf": {"border": "zero", "angle": "circle"},
            "EI": {},
            "Nabf": {"divisor": 1.0, "border": "zero", "orientation": "direction"},
            "DF": {"denominator": "pixels"},
            "VIFF": {},
        },
        note="EN counts black as level 1; SSIM sees black around the images; PSNR is the mean of two ratios.",
    ),
]

CONVENTIONS: dict[str, Convention] = {c.name: c for c in _PROGRAMS}


def convention(name: str) -> Convention:
    """The convention of that name.

    Raises
    ------
    UserError
        If there is none; the sentence offers the nearest names.
    """
    if name not in CONVENTIONS:
        raise unknown("convention", name, CONVENTIONS)
    return CONVENTIONS[name]
