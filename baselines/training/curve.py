"""The losses of a training as a picture, in plain SVG."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Final

from fusionbench.files import whole

_WIDTH: Final = 640
_HEIGHT: Final = 150
_MARGIN: Final = 60
_POINTS: Final = 300
"""A curve has no more points than this; each is the mean of its share of the steps."""
_NO_LOSS: Final = ("step", "epoch", "rate", "seconds")


def draw(log: Path, picture: Path) -> None:
    """Draw each loss of a log over the steps, one below the other, each on its own scale.

    Parameters
    ----------
    log : Path
        As `fusionbench.baselines.training.log.Log` writes it.
    picture : Path
        An SVG file.
    """
    with log.open(newline="") as file:
        rows = list(csv.DictReader(file))
    names = [name for name in rows[0] if name not in _NO_LOSS]
    steps = [float(row["step"]) for row in rows]
    panels = [_panel(name, steps, [float(row[name]) for row in rows], place) for place, name in enumerate(names)]
    width, height = _WIDTH + 2 * _MARGIN, len(names) * (_HEIGHT + _MARGIN) + _MARGIN
    body = "\n".join(panels)
    drawing = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">\n'
        f'<rect width="{width}" height="{height}" fill="white"/>\n{body}\n</svg>\n'
    )
    whole(picture, lambda file: file.write(drawing.encode()))


def _panel(name: str, steps: list[float], losses: list[float], place: int) -> str:
    steps, losses = _thinned(steps), _thinned(losses)
    low, high = min(losses), max(losses)
    top = _MARGIN + place * (_HEIGHT + _MARGIN)
    span, first = (high - low) or 1.0, steps[0]
    length = (steps[-1] - first) or 1.0
    points = " ".join(
        f"{_MARGIN + _WIDTH * (step - first) / length:.1f},{top + _HEIGHT * (high - loss) / span:.1f}"
        for step, loss in zip(steps, losses, strict=True)
    )
    left, bottom = _MARGIN, top + _HEIGHT
    return (
        f'<text x="{left}" y="{top - 8}">{name}</text>'
        f'<path d="M{left},{top}V{bottom}H{left + _WIDTH}" fill="none" stroke="#888"/>'
        f'<text x="{left - 6}" y="{top + 10}" text-anchor="end">{high:.4g}</text>'
        f'<text x="{left - 6}" y="{bottom}" text-anchor="end">{low:.4g}</text>'
        f'<text x="{left + _WIDTH}" y="{bottom + 16}" text-anchor="end">step {steps[-1]:.0f}</text>'
        f'<polyline points="{points}" fill="none" stroke="#1f6fb4" stroke-width="1.5"/>'
    )


def _thinned(values: list[float]) -> list[float]:
    share = -(-len(values) // _POINTS)
    parts = [values[start : start + share] for start in range(0, len(values), share)]
    return [sum(part) / len(part) for part in parts]
