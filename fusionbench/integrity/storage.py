"""How images are stored: depth, alpha, needless channels, compression, and whether there is anything in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import numpy as np

from fusionbench.integrity.finding import Finding, Severity
from fusionbench.integrity.look import Look, is_grey

_COEFFICIENTS: Final = ((0, 1), (1, 0), (1, 1), (0, 2), (2, 0), (1, 2), (2, 1), (2, 2))
_STEPS: Final = range(2, 41)


def depth(seen: Look) -> Iterator[Finding]:
    """16-bit data; wrong if they fill no more than 12 bits, for their 8-bit levels are then 16 at most.

    ``suspect`` up to 14 bits (what thermal cameras deliver): at most a quarter of the 8-bit range is left. Beyond that a
    note.
    """
    if seen.stored.dtype != np.uint16:
        return
    most = int(seen.stored.max())
    bits = most.bit_length()
    severity: Severity = "wrong" if bits <= 12 else "suspect" if bits <= 14 else "note"
    remedy = "" if severity == "note" else f"; scale them to 16 bits first, or their 8-bit levels end at {most // 257}"
    yield seen.finding("depth", severity, f"has 16-bit levels up to {most}{remedy}", largest=most, bits=bits)


def alpha(seen: Look) -> Iterator[Finding]:
    """An alpha channel in a PNG file; the reader refuses it unless it is opaque everywhere, so what is left is a note."""
    if seen.png[1] in (4, 6):
        yield seen.finding("alpha", "note", "has an alpha channel, opaque everywhere, which is dropped")


def grey_as_rgb(seen: Look) -> Iterator[Finding]:
    """Three channels that are equal in every pixel: a note, for it changes no score."""
    if seen.levels.ndim == 3 and is_grey(seen.levels):
        yield seen.finding("grey-as-rgb", "note", "is grey, stored as three equal channels")


def lossy(seen: Look) -> Iterator[Finding]:
    """A fused image in a JPEG file: a note, for it is plain to see. Sources are as their authors published them."""
    if seen.role == "fused" and seen.lossy:
        yield seen.finding("lossy", "note", "is stored as JPEG")


def blank(seen: Look) -> Iterator[Finding]:
    """An image of one level, or of the levels 0 and 1 only, as numbers in [0, 1] become when they are cut to 8 bits.

    ``suspect`` if 99.5 % of the pixels are within 2 levels of black: medical slices, mostly background, have 90 %.
    """
    low, high = int(seen.plane.min()), int(seen.plane.max())
    if low == high:
        yield seen.finding("blank", "wrong", f"is {low} in every pixel", level=low)
    elif high <= 1:
        yield seen.finding(
            "blank", "wrong", "has no level but 0 and 1: scale [0, 1] to 0 .. 255 before saving", largest=high
        )
    elif (dark := float((seen.plane <= 2).mean())) >= 0.995:
        yield seen.finding("blank", "suspect", f"is black in {dark:.1%} of its pixels", black=dark)


def jpeg(seen: Look) -> Iterator[Finding]:
    """Traces of JPEG in a file that is not one: a comb in the coefficients of 8 x 8 blocks, of `comb` 0.4 or more.

    Published fused images in PNG have 0.21 at most, and images once compressed at quality 90 or less 0.68 at least;
    finer compression leaves no trace that can be told from none. In a source it is a note: every method had that
    source.
    """
    if seen.lossy:
        return
    strength = comb(seen)
    if strength >= 0.4:
        severity: Severity = "suspect" if seen.role == "fused" else "note"
        says = f"was a JPEG once (comb in its block coefficients {strength:.2f}, none is below 0.4)"
        yield seen.finding("jpeg", severity, says, comb=strength)


def comb(seen: Look) -> float:
    """How regularly the low coefficients of 8 x 8 blocks are multiples of a step: 1 if all are, about 0 by chance.

    The greatest mean of ``cos(2 π c / q)`` over steps q, for the coefficients that do not round to 0; the median of
    eight low frequencies, on at most 64 x 64 blocks from the first corner, where the blocks of a JPEG begin.
    """
    from scipy.fft import dctn

    rows, columns = (min(size // 8, 64) for size in seen.plane.shape)
    if rows * columns < 64:
        return 0.0
    blocks = seen.plane[: 8 * rows, : 8 * columns].astype(np.float32).reshape(rows, 8, columns, 8)
    spectra = dctn(blocks, axes=(1, 3), norm="ortho")
    found = []
    for u, v in _COEFFICIENTS:
        sizes = np.abs(spectra[:, u, :, v].ravel())
        best = 0.0
        for step in _STEPS:
            kept = sizes[2 * sizes >= step]
            if kept.size < 60:
                break
            best = max(best, float(np.cos(2 * np.pi / step * kept).mean()))
        found.append(best)
    return float(np.median(found))


DETECTORS: Final[tuple[Callable[[Look], Iterator[Finding]], ...]] = (depth, alpha, grey_as_rgb, lossy, blank, jpeg)
"""What is looked for in every image by itself."""
