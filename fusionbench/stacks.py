"""Score images that are there: the fused ones of a pair together, as what depends on the sources is measured once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from fusionbench import pixels
from fusionbench.metrics.definitions import Definition
from fusionbench.types import Levels
from fusionbench.workers import Stop

if TYPE_CHECKING:
    from fusionbench.metrics.triple import Scene

_FITS_ALL: Final = 168
"""Side of an image that is large enough for every metric."""
STUMBLED: Final = "it stopped with "
"""How the reason begins where a metric has no value because it raised an error that it should not."""


class Stopped(Exception):
    """Somebody wants the work to end now."""


def score_levels(
    ir: Levels,
    vis: Levels,
    fused: Sequence[Levels],
    definitions: Sequence[Definition],
    luma: pixels.PlaneRule,
    stop: Stop,
) -> Iterator[tuple[int, list[float], list[str]]]:
    """Score the fused images of one pair.

    Parameters
    ----------
    ir, vis : ndarray of uint8
        The sources, (H, W) or (H, W, 3), as `fusionbench.pixels.to_levels` makes them.
    fused : sequence of ndarray
        Any number, of the same size.
    definitions : sequence of Definition
        What to compute, all by one rule for colour.
    luma : {"matlab", "bt601", "pillow", "per-channel"}
        That rule.
    stop : Stop
        When given, `Stopped` is raised before the next metric.

    Yields
    ------
    place : int
        Which fused image.
    values : list of float
        One a definition; NaN where there is none.
    reasons : list of str
        Why, one a definition; empty where there is a value, and for a metric of colour that only a group asks for.
    """
    for stack in stacked(ir, vis, fused, luma):
        for place, member in enumerate(stack.members):
            values, reasons = [], []
            for definition in definitions:
                if stop.is_set():
                    raise Stopped
                value, reason = stack.attempt(definition, place)
                values.append(value)
                reasons.append(reason)
            yield member, values, reasons


def warm_up(definitions: Iterable[Definition], luma: pixels.PlaneRule) -> None:
    """Compile or load every kernel here, so that threads need not wait for one another to do it."""
    ramp = np.arange(_FITS_ALL**2).reshape(_FITS_ALL, _FITS_ALL)
    ir, vis, fused = ((ramp * factor % 251).astype(np.uint8) for factor in (1, 3, 7))
    [grey] = stacked(ir, vis, [fused], luma)
    [colour] = stacked(ir, np.stack([vis, ir, ir], axis=2), [np.stack([fused, ir, ir], axis=2)], luma)
    for definition in definitions:
        (colour if definition.card.colour else grey).attempt(definition, 0)


@dataclass(frozen=True, slots=True)
class Stack:
    """Fused images of one pair that are scored alike: on one plane each, or on one a channel."""

    members: list[int]
    channels: list[list[Levels]]
    """For each channel: ir, vis, and every member."""
    scenes: list[Scene]
    side_by_side: list[Scene]
    """The scene of all channels side by side, made when a metric first wants it."""

    @classmethod
    def of(cls, members: list[int], channels: list[list[Levels]], stored: Sequence[Levels] | None = None) -> Stack:
        """Measure what each channel holds; `stored` is ir, vis and every member with their colours."""
        from fusionbench.metrics.triple import Scene

        return cls(members, channels, [Scene(ir, vis, fused, stored) for ir, vis, *fused in channels], [])

    def seen_by(self, definition: Definition) -> list[Scene]:
        """The scenes whose mean score is the score."""
        if not definition.side_by_side or len(self.channels) == 1:
            return self.scenes
        if not self.side_by_side:
            wide = [np.concatenate(planes, axis=1) for planes in zip(*self.channels, strict=True)]
            self.side_by_side.extend(Stack.of(self.members, [wide]).scenes)
        return self.side_by_side

    def evaluate(self, definition: Definition, place: int) -> tuple[float, str]:
        """The score of one member, and why it is NaN if it is."""
        from fusionbench.metrics.card import Colourless, NotDefined
        from fusionbench.metrics.triple import Triple

        try:
            scenes = self.seen_by(definition)
            values = [float(definition.function(Triple(scene, place), **definition.parameters)) for scene in scenes]
            value = sum(values) / len(scenes)
        except NotDefined as reason:
            return np.nan, "" if definition.by_group and isinstance(reason, Colourless) else str(reason)
        no_value = f"the formula has no value for this image, see 'fusionbench metric info {definition.name}'"
        return value, no_value if np.isnan(value) else ""

    def attempt(self, definition: Definition, place: int) -> tuple[float, str]:
        """What `evaluate` returns, even of a metric that raises an error that it should not."""
        try:
            return self.evaluate(definition, place)
        except Exception as error:  # a metric may be anybody's; its mistake must not cost the other scores
            return np.nan, f"{STUMBLED}{type(error).__name__}: {error}"


def stacked(ir: Levels, vis: Levels, fused: Sequence[Levels], luma: pixels.PlaneRule) -> list[Stack]:
    """Turn colour into planes by a convention's rule, and put together what can be measured together."""
    if luma != "per-channel":
        found = [(list(range(len(fused))), [[pixels.luma(levels, luma) for levels in (ir, vis, *fused)]])]
    else:
        coloured = [i for i, levels in enumerate(fused) if levels.ndim == 3]
        grey = [i for i, levels in enumerate(fused) if levels.ndim == 2]
        bands = [_bands(levels) for levels in (ir, vis, *(fused[i] for i in coloured))]
        # The programs that score channel by channel are MATLAB's, and so is their way from colour to grey.
        plane = [pixels.luma(levels, "matlab") for levels in (ir, vis, *(fused[i] for i in grey))]
        found = [(coloured, [list(planes) for planes in zip(*bands, strict=True)]), (grey, [plane])]
    return [
        Stack.of(members, channels, [ir, vis, *(fused[member] for member in members)])
        for members, channels in found
        if members
    ]


def _bands(levels: Levels) -> list[Levels]:
    """R, G and B; a grey image stands for each of them."""
    planes = pixels.planes(levels, "per-channel")
    return planes if len(planes) == 3 else planes * 3
