"""The networks of the literature: what their authors' programs computed, and how closely it can be met."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import formula
import numpy as np

# Sums of float32 in another order than the authors' differ by about this much, on the scale of the output.
FLOAT32 = 1e-4


@dataclass(frozen=True)
class Case:
    """One output of an authors' program.

    Attributes
    ----------
    method : str
        Ours.
    reference : str
        The file below reference/networks, without suffix.
    output : str
        The array in it: what the network returned.
    inputs : tuple of str
        The arrays in it that are the infrared and the visible image.
    weights : str
        The file or folder below weights/others; empty for weights by formula.
    gain : float
        Of the formula, for those; see `formula.weights`.
    options : mapping of str to object
        Of the method.
    scale, offset : float
        What makes of the output a plane on the scale 0..255, as our `Inference` returns it.
    image : str
        The array that is the final image, in whole levels; empty if there is none.
    tolerance : float
        Largest difference of the outputs, relative to the range of the output in 0..255.
    off : float
        Largest share of samples of the final image that are off by one; none is off by more.
    why : str
        Why more than `FLOAT32`, or more than 0.05 % of samples.
    rules : mapping of str to callable
        For weights by formula: what a key that ends so is filled by instead of the usual rule, from its name and shape.
    """

    method: str
    reference: str
    output: str
    inputs: tuple[str, str] = ("img_ir", "img_vis")
    weights: str = ""
    gain: float = 1.2
    options: Mapping[str, Any] = field(default_factory=dict)
    scale: float = 255.0
    offset: float = 0.0
    image: str = ""
    tolerance: float = FLOAT32
    off: float = 5e-4
    why: str = ""
    rules: Mapping[str, Callable[[str, tuple[int, ...]], np.ndarray]] = field(default_factory=dict)


CASES = [
    *(
        Case(
            "seafusion",
            "torch/seafusion_reference",
            f"{name}_y_float",
            (f"{name}_ir", f"{name}_vis"),
            "seafusion/SeAFusion.pth",
            image=f"{name}_u8",
        )
        for name in ("img", "tno", "rgb")
    ),
]


@dataclass(frozen=True)
class Published:
    """Images that were published: those of one method, and how far ours may be from them.

    Attributes
    ----------
    method, folder, weights, options
        Ours; below data/fused, below weights/others; of the method.
    dataset : str
        Folder of the sources below data.
    worst : int
        Levels that a sample may be off.
    off : float
        Share of samples that may be off at all.
    why : str
        Why it is not nothing.
    most : int
        How many of the images are compared; networks are slow.
    """

    method: str
    folder: str
    weights: str
    options: Mapping[str, Any] = field(default_factory=dict)
    dataset: str = "tno"
    worst: int = 1
    off: float = 1e-3
    why: str = ""
    most: int = 2


PUBLISHED = [
    Published("seafusion", "tno/SeAFusion", "seafusion/SeAFusion.pth"),
]

PARAMETERS = {
    "seafusion": 166_883,
}
"""As published, or counted in the authors' files."""


def filled(shapes: Mapping[str, tuple[int, ...]], case: Case) -> dict[str, np.ndarray]:
    """Weights by formula for a network without public ones."""
    entries = formula.weights(shapes, case.gain)
    for name, shape in shapes.items():
        for ending, rule in case.rules.items():
            if name.endswith(ending):
                entries[name] = rule(name, tuple(shape))
    return entries
