"""Entries of TensorFlow's checkpoints under the names, and in the order of axes, that a network has here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

_AXES = {4: (3, 2, 0, 1), 2: (1, 0)}
"""By how many axes: kernels (height, width, in, out), and matrices (in, out), to ours."""


def from_tensorflow(entries: Mapping[str, NDArray[Any]], names: Mapping[str, str]) -> dict[str, NDArray[Any]]:
    """The entries of a network among those of a checkpoint.

    Parameters
    ----------
    entries : mapping of str to ndarray
        As read from a file.
    names : mapping of str to str
        Our name by that of the checkpoint, in which ``__`` stands for ``/``.

    Returns
    -------
    dict of str to ndarray
        What of the checkpoint has a name here, convolutions (out, in, height, width); if nothing has, all entries as they
        are, which then have our names or belong to another network.
    """
    found = {ours: entries[theirs] for theirs, ours in names.items() if theirs in entries}
    return {ours: array.transpose(_AXES.get(array.ndim)) for ours, array in found.items()} or dict(entries)


def convolutions(layers: Mapping[str, str]) -> dict[str, str]:
    """Names of convolutions that are called ``fusion_model/layer1_ir/w1_ir``.

    Parameters
    ----------
    layers : mapping of str to str
        Our name, without ``.weight``, by what follows ``layer``.

    Returns
    -------
    dict of str to str
        Names for `from_tensorflow`.
    """
    return {
        f"fusion_model__layer{layer}__{letter}{layer}": f"{ours}.{kind}"
        for layer, ours in layers.items()
        for letter, kind in (("w", "weight"), ("b", "bias"))
    }


def layers(names: Mapping[str, str]) -> dict[str, str]:
    """Names of layers that have a ``kernel`` and a ``bias``.

    Parameters
    ----------
    names : mapping of str to str
        Our name, without ``.weight``, by that of the scope.

    Returns
    -------
    dict of str to str
        Names for `from_tensorflow`.
    """
    return {
        f"{theirs}__{word}": f"{ours}.{kind}"
        for theirs, ours in names.items()
        for word, kind in (("kernel", "weight"), ("bias", "bias"))
    }


def normalisations(layers: Mapping[str, str]) -> dict[str, str]:
    """The same of what follows them, whose running statistics nobody uses."""
    return {
        f"fusion_model__layer{layer}__BatchNorm__{letter}": f"{ours}.{kind}"
        for layer, ours in layers.items()
        for letter, kind in (("gamma", "weight"), ("beta", "bias"))
    }
