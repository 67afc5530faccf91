"""Images that lie beside one another: displacement to a fraction of a pixel, or the word that it cannot be told.

Edges are compared, not levels: the gradient with its angle doubled, so that an edge is the same whichever side is
the lighter one, and of bounded size, so that many weak edges outweigh one strong. Two such fields are correlated through
their spectra for displacements up to `REACH` pixels. A peak is believed if it stands out from all the other
displacements.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fusionbench.integrity.finding import Finding, Severity
from fusionbench.integrity.look import Look
from fusionbench.integrity.prints import doubled_gradient
from fusionbench.types import Levels

REACH: Final = 12
"""Pixels to each side within which a displacement is looked for."""
_SIDE: Final = 512
"""Of larger images so many rows and columns from the middle are looked at."""

_Spectrum: TypeAlias = NDArray[np.complex64]


@dataclass(frozen=True, slots=True)
class Edges:
    """Spectrum of the field of edges of one image, and the length of the field."""

    spectrum: _Spectrum
    length: float


class Shift(NamedTuple):
    """Where one image lies relative to another.

    Attributes
    ----------
    down, right : float
        Pixels by which the second is displaced.
    peak : float
        Correlation there, 1 for equal images.
    distance : float
        How many standard deviations the peak is above the mean of all displacements that are not beside it.
    rival : float
        The greatest correlation of these, as a share of the peak.
    """

    down: float
    right: float
    peak: float
    distance: float
    rival: float

    @property
    def size(self) -> float:
        """Length of the displacement in pixels."""
        return float(np.hypot(self.down, self.right))

    def __str__(self) -> str:
        across, along = "left" if self.right < 0 else "right", "above" if self.down < 0 else "below"
        return f"{abs(self.right):.1f} px {across} of and {abs(self.down):.1f} px {along}"


def edges(plane: Levels) -> Edges:
    """The field of edges of an image, faded out towards its border, as its spectrum."""
    from scipy.fft import fft2

    field = doubled_gradient(_middle(plane).astype(np.float32))
    size = np.abs(field)
    field /= size + (2 * size.mean() + 1)
    rows, columns = field.shape
    field *= _fade(rows)[:, None]
    field *= _fade(columns)
    length = float(np.sqrt(np.vdot(field, field).real))
    return Edges(fft2(field), length)


def between(first: Edges, second: Edges) -> Shift | None:
    """The displacement of the second image against the first, or None if one of them has no edges."""
    if not first.length or not second.length:
        return None
    cross = np.conj(first.spectrum) * second.spectrum
    cross /= first.length * second.length
    whole = np.arange(-REACH, REACH + 1, dtype=np.float32)
    coarse = _correlation(cross, whole, whole)
    row, column = np.unravel_index(int(coarse.argmax()), coarse.shape)
    down, right, peak = float(whole[row]), float(whole[column]), 0.0
    for step in (0.5, 0.125):
        around = np.arange(-2, 3, dtype=np.float32) * np.float32(step)
        up, aside, peak = _summit(_correlation(cross, down + around, right + around))
        down, right = down + step * up, right + step * aside
    others = np.ones(coarse.shape, bool)
    others[max(row - 4, 0) : row + 5, max(column - 4, 0) : column + 5] = False
    rest = coarse[others]
    spread = float(rest.std()) or 1e-9
    return Shift(
        down,
        right,
        peak,
        (peak - float(rest.mean())) / spread,
        float(rest.max()) / max(peak, 1e-9),
    )


def sources(ir: Look, vis: Look, one: Edges, two: Edges) -> Iterator[Finding]:
    """Sources that are not registered: suspect from 1.5 pixels.

    Of 252 published pairs ten lie that far beside one another, and mutual information says so too.

    Infrared and visible edges agree in part only, so a peak is believed only 8 standard deviations above the rest and
    with no rival of 3/4 its height; where there is none, nothing is said of a pair.
    """
    found = between(one, two)
    if found is None or found.distance < 8 or found.rival > 0.75:
        yield vis.finding("shift", "note", "cannot tell whether it is registered to the infrared image", ir.path)
    elif found.size >= 1.5:
        says = f"lies {found} the infrared image: the sources are not registered"
        yield vis.finding("shift", "suspect", says, ir.path, **_evidence(found))


def fused(ir: Look, vis: Look, image: Look, one: Edges, two: Edges) -> Iterator[Finding]:
    """A fused image that lies beside its sources: suspect from 0.4 pixels, wrong from 0.75.

    Measured against the source it resembles more, unless it lies upon the other: registered sources move together, others
    do not. All published images keep within that. A peak is believed 6 standard deviations above the rest and with no
    rival of 0.85 its height.
    """
    mine = edges(image.plane)
    pairs = [(between(one, mine), ir), (between(two, mine), vis)]
    believed = [
        (found, source) for found, source in pairs if found is not None and found.distance >= 6 and found.rival <= 0.85
    ]
    if not believed:
        yield image.finding("shift", "note", "cannot tell whether it lies upon its sources")
        return
    best, source = max(believed, key=lambda one: one[0].peak)
    if min(found.size for found, _ in believed) >= 0.4:
        severity: Severity = "wrong" if best.size >= 0.75 else "suspect"
        yield image.finding("shift", severity, f"lies {best} its {source.role} source", source.path, **_evidence(best))


def _evidence(found: Shift) -> dict[str, float]:
    return {name: round(value, 3) for name, value in found._asdict().items()}


def _middle(plane: Levels) -> Levels:
    (top, left) = (max(size - _SIDE, 0) // 2 for size in plane.shape)
    return plane[top : top + _SIDE, left : left + _SIDE]


def _fade(size: int) -> NDArray[np.float32]:
    """1 inside, falling to 0 within an eighth of the side but no more than 32 pixels."""
    width = min(size // 8, 32) + 1
    ramp = np.sin(np.pi / 2 * (np.arange(width) + 0.5) / width) ** 2
    window = np.ones(size, np.float32)
    window[:width] = ramp
    window[size - width :] = np.minimum(window[size - width :], ramp[::-1])
    return window


def _correlation(cross: _Spectrum, down: NDArray[np.float32], right: NDArray[np.float32]) -> NDArray[np.float32]:
    """Correlation at every combination of displacements down and to the right."""
    rows, columns = cross.shape
    vertical = np.exp(2j * np.pi * np.outer(down, np.fft.fftfreq(rows))).astype(np.complex64)
    horizontal = np.exp(2j * np.pi * np.outer(np.fft.fftfreq(columns), right)).astype(np.complex64)
    return np.asarray((vertical @ cross @ horizontal).real / (rows * columns), np.float32)


def _summit(values: NDArray[np.float32]) -> tuple[float, float, float]:
    """Where a parabola along each axis through the greatest value has its top, from the middle, and that value."""
    row, column = np.unravel_index(int(values.argmax()), values.shape)

    def top(line: NDArray[np.float32], at: int) -> float:
        if not 0 < at < line.size - 1:
            return 0.0
        before, here, after = (float(x) for x in line[at - 1 : at + 2])
        bend = before - 2 * here + after
        return 0.5 * (before - after) / bend if bend else 0.0

    middle = values.shape[0] // 2
    down = row - middle + top(values[:, column], int(row))
    right = column - middle + top(values[row], int(column))
    return float(down), float(right), float(values[row, column])
