"""One image as the detectors see it: its pixels, and what its file says of itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fusionbench import images, pixels
from fusionbench.integrity.finding import Finding, Severity
from fusionbench.types import Image, Levels, UserError

Role: TypeAlias = Literal["ir", "vis", "fused"]

_HEADER: Final = 32


@dataclass(frozen=True, slots=True)
class Look:
    """A readable image.

    Attributes
    ----------
    path : Path
        The file.
    role : {"ir", "vis", "fused"}
        What it is to the pair.
    pair, method : str
        Name of the pair and, of a fused image, of its method.
    header : bytes
        The first bytes of the file.
    stored : Image
        The numbers in the file.
    levels : ndarray of uint8
        (H, W) or (H, W, 3), 0..255.
    plane : Levels
        Luma, (H, W).
    """

    path: Path
    role: Role
    pair: str
    method: str
    header: bytes
    stored: Image
    levels: NDArray[np.uint8]
    plane: Levels

    @property
    def lossy(self) -> bool:
        """Whether the file is a JPEG, whatever its suffix says."""
        return self.header.startswith(b"\xff\xd8\xff")

    @property
    def png(self) -> tuple[int, int]:
        """Bits a sample and colour type of a PNG file, (0, 0) of another one."""
        return png_kind(self.header)

    def finding(self, detector: str, severity: Severity, says: str, *others: Path, **evidence: object) -> Finding:
        """A finding about this image."""
        return Finding(detector, severity, (self.path, *others), says, evidence, self.method, self.pair)


def look(path: Path, role: Role, pair: str, method: str = "") -> Look | Finding:
    """Read an image, or say why it cannot be scored.

    Parameters
    ----------
    path : Path
        The file.
    role, pair, method : str
        As `Look` has them.

    Returns
    -------
    Look or Finding
        A finding, of severity ``"wrong"``, if the file is refused.
    """
    header = b""
    try:
        stored = images.read(path)
        with path.open("rb") as file:
            header = file.read(_HEADER)
        levels = pixels.to_levels(stored)
        return Look(path, role, pair, method, header, stored, levels, pixels.luma(levels, "bt601"))
    except (UserError, OSError) as error:
        says = str(error).removeprefix(f"'{path}' ")
        return Finding(_why_refused(path), "wrong", (path,), says, {}, method, pair)


def _why_refused(path: Path) -> str:
    """The detector that a refusal belongs to, by the header where that says it."""
    try:
        with path.open("rb") as file:
            depth, kind = png_kind(file.read(_HEADER))
    except OSError:
        return "refused"
    if depth == 16 and kind:
        return "depth"
    return "alpha" if kind in (4, 6) else "refused"


def png_kind(header: bytes) -> tuple[int, int]:
    """Bits a sample and colour type of a PNG file (0 grey, 2 RGB, 3 palette, 4 and 6 with alpha); (0, 0) of another."""
    whole = header.startswith(b"\x89PNG") and len(header) >= 26
    return (header[24], header[25]) if whole else (0, 0)


def is_grey(levels: NDArray[np.uint8]) -> bool:
    """Whether an image has no colour, in one channel or in three equal ones."""
    if levels.ndim == 2:
        return True
    red, green, blue = (levels[:, :, band] for band in range(3))
    return bool((red == green).all() and (green == blue).all())
