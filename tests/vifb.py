"""VIFB's published images: what is needed, beyond the preset ``vifb``, to make them again.

Each is compared as it was published: written as JPEG of quality 75 with halved chroma, and read again.
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from fusionbench import fuse, images

FOLDERS = {
    "adf": "ADF",
    "cbf": "CBF",
    "cnn": "CNN",
    "fpde": "FPDE",
    "gfce": "GFCE",
    "gff": "GFF",
    "gtf": "GTF",
    "hmsd-gf": "HMSD_GF",
    "hybrid-msd": "Hybrid_MSD",
    "ifevip": "IFEVIP",
    "latlrr": "LatLRR",
    "lp-sr": "LP_SR",
    "mgff": "MGFF",
    "msvd": "MSVD",
    "nsct-sr": "NSCT_SR",
    "rp-sr": "RP_SR",
    "tif": "TIF",
    "vsm-wls": "VSMWLS",
}
"""Methods, and the folders of their published images."""

# Files that the authors ship and that may not be redistributed.
_FILES = {
    "cnn": ("weights", "cnnmodel.mat"),
    "latlrr": ("matrix", "L_8.mat"),
    "lp-sr": ("dictionary", "D_100000_256_8.mat"),
    "nsct-sr": ("dictionary", "D_100000_256_8.mat"),
    "rp-sr": ("dictionary", "D_100000_256_8.mat"),
}

_ONE_CHANNEL = ("manWalking", "running", "walking2", "walkingnight")
"""Scenes whose infrared file has one channel."""

# Where neither source has any detail, rounding noise in MATLAB's Laplacian decided; here, who had more of it.
_TIES_TO_INFRARED = ("carLight", "carShadow", "carWhite", "kettle", "labMan")

# Singular vectors of the visible image, per channel, whose signs were others in MATLAB's build of LAPACK.
_FLIPS: dict[str, tuple[tuple[int, ...], ...]] = {
    "carLight": ((2, 3),) * 3,
    "carShadow": ((2, 3),) * 3,
    "labMan": ((2, 3),) * 3,
    "peopleshadow": ((1, 2),) * 3,
    "running": ((), (2, 3), ()),
    "walkingnight": ((), (), (2, 3)),
}

ALMOST = {("gtf", "carShadow"): 0.999}
"""What is not equal in all samples, and the part of them that is."""


def files(name: str, shared: Path) -> dict[str, Path]:
    """The authors' file that the method was given, by parameter; none for most."""
    if name not in _FILES:
        return {}
    word, file = _FILES[name]
    return {word: shared / "weights" / "vifb" / file}


def missing(name: str, shared: Path) -> Path | None:
    """The authors' file, if it is needed and not there."""
    return next((file for file in files(name, shared).values() if not file.is_file()), None)


def particular(name: str) -> tuple[str, ...]:
    """Parameters that `made_again` gives beyond the preset."""
    return _FILES.get(name, ())[:1] + {"gff": ("tie", "misplace_infrared"), "msvd": ("flip",)}.get(name, ())


def made_again(name: str, scene: str, shared: Path) -> NDArray[np.uint8]:
    """Our image of a scene by a method, (H, W, 3), as VIFB made it."""
    ir, vis = (images.read(shared / "data" / "vifb" / role / f"{scene}.jpg") for role in ("ir", "vis"))
    more: dict[str, Any] = {**files(name, shared)}
    if name == "gff":
        more["tie"] = "infrared" if scene in _TIES_TO_INFRARED else "visible"
        more["misplace_infrared"] = scene in _ONE_CHANNEL
    if name == "msvd":
        flips = _FLIPS.get(scene, ((),) * 3)
        bands = [fuse(name, ir, vis[:, :, c], preset="vifb", flip=flips[c]) for c in range(3)]
        return np.stack(bands, axis=2)
    return fuse(name, ir, vis, preset="vifb", **more)


def as_published(fused: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The image after it was written and read as VIFB's."""
    file = BytesIO()
    PIL.Image.fromarray(fused).save(file, "JPEG", quality=75, subsampling=2)
    return np.asarray(PIL.Image.open(file))


def published(name: str, scene: str, shared: Path) -> NDArray[np.uint8]:
    """The published image, (H, W, 3)."""
    return images.read(shared / "data" / "fused" / "vifb" / FOLDERS[name] / f"{scene}.jpg")


def scenes(name: str, shared: Path) -> list[str]:
    """The scenes of which there are sources and a published image."""
    have = shared / "data" / "fused" / "vifb" / FOLDERS[name]
    found = [path.stem for path in sorted((shared / "data" / "vifb" / "ir").glob("*.jpg"))]
    return [scene for scene in found if (have / f"{scene}.jpg").is_file()]
