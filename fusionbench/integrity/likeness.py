"""Fused images that are no fusion: one source, the average of both, or a fusion whose contrast was stretched."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fusionbench.integrity.finding import Finding, Severity
from fusionbench.integrity.look import Look

_Plane: TypeAlias = NDArray[np.float32]

ALIKE: Final = 0.98
"""Share of pixels that must agree: rounding and colour conversion spare all but a few, and of published fusions the one
nearest to a source agrees in 92 %."""
_COPY: Final[tuple[str, Severity]] = ("copy", "wrong")
_AVERAGE: Final[tuple[str, Severity]] = ("average", "suspect")
_LINEAR: Final = 0.9995
"""Correlation above which two images differ by brightness and contrast only; of published fusions the one nearest to a
source has 0.9977."""


def copies(ir: Look, vis: Look, fused: Look) -> Iterator[Finding]:
    """A fused image that is a source, or the average of the two, up to rounding or up to brightness and contrast.

    A source is wrong; the average is suspect, for somebody may have meant it as a baseline. Of sources that differ too
    little from one another (one agrees with their average already) nothing can be said.
    """
    one, two, image = (seen.plane.astype(np.float32) for seen in (ir, vis, fused))
    mean: _Plane = np.asarray((one + two) / 2, np.float32)
    if _agree(one, mean) >= ALIKE or image.std() == 0:
        return
    targets: dict[str, _Plane] = {
        "the infrared image": one,
        "the visible image": two,
        "the average of its sources": mean,
    }
    likeness = {what: _correlation(target, image) for what, target in targets.items()}
    for what, target in targets.items():
        agree, r = _agree(target, image), likeness[what]
        rival = max(other for name, other in likeness.items() if name != what)
        if agree >= ALIKE:
            says = f"is {what}: {agree:.1%} of the pixels agree"
        elif r >= _LINEAR and r - rival > 1 - _LINEAR:
            says = f"is {what} but for brightness and contrast (correlation {r:.5f})"
        else:
            continue
        detector, severity = _COPY if target is not mean else _AVERAGE
        yield fused.finding(detector, severity, says, agree=agree, correlation=r)
        return


def stretch(ir: Look, vis: Look, fused: Look) -> Iterator[Finding]:
    """Contrast stretched over the whole image after fusing.

    Either the image reaches exactly 0 and 255, each in one pixel of a thousand at most, while its sources stay at least
    8 levels inside together; or at least 4 % of the levels within its middle 98 % are skipped, as levels that were
    multiplied must skip them; not if a source skips as many. Published images skip none, but for one method that
    stretches (7 %); multiplied by 1.4 they skip 28 %.
    """
    counts = np.bincount(fused.plane.ravel(), minlength=256)
    skipped = gaps(fused)
    if skipped >= 0.04 and skipped > max(gaps(ir), gaps(vis)):
        says = f"skips {skipped:.0%} of its levels: its contrast was stretched after it had been rounded"
        yield fused.finding("stretch", "suspect", says, skipped=skipped)
        return
    low = min(int(ir.plane.min()), int(vis.plane.min()))
    high = max(int(ir.plane.max()), int(vis.plane.max()))
    ends = max(counts[0], counts[255]) / fused.plane.size
    if counts[0] and counts[255] and ends <= 0.001 and low + 255 - high >= 8:
        says = f"reaches from 0 to 255, its sources only from {low} to {high}: stretched to its own extremes"
        yield fused.finding("stretch", "suspect", says, darkest=low, brightest=high, at_ends=float(ends))


def gaps(seen: Look) -> float:
    """Share of levels within the middle 98 % of the pixels that no pixel has, but 20 and more have the next ones.

    At most five in a row count: between background and object there may be more that nothing has.
    """
    counts = np.bincount(seen.plane.ravel(), minlength=256)
    below = np.cumsum(counts)
    first, last = (int(np.searchsorted(below, share * seen.plane.size)) for share in (0.01, 0.99))
    used = first + np.flatnonzero(counts[first : last + 1] >= 20)
    step = np.diff(used)
    empty = (below[used[1:] - 1] == below[used[:-1]]) & (step <= 6)
    return float((step - 1)[empty].sum() / (last - first + 1)) if used.size >= 10 else 0.0


def _agree(one: _Plane, two: _Plane) -> float:
    return float((np.abs(one - two) <= 2).mean())


def _correlation(one: _Plane, two: _Plane) -> float:
    x, y = one - one.mean(dtype=np.float64), two - two.mean(dtype=np.float64)
    power = float((x * x).sum() * (y * y).sum())
    return float((x * y).sum()) / power**0.5 if power else 0.0
