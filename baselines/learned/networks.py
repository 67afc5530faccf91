"""The networks by the name of their method: their weights are loaded once, and their size is told without any."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from . import checkpoints, weights
from .adapter import Conditions as Conditions
from .adapter import Fuser, device_of

_KEPT: Final = 4
"""So many networks stay loaded."""


def fuser(method: str, given: Path | str | None, conditions: Conditions, **options: Any) -> Fuser:
    """The network of a method, loaded once for the same weights, conditions and options.

    Parameters
    ----------
    method : str
        ``"clfnet"``, ``"cs2fusion"`` or ``"coconet"``.
    given : Path, str or None
        A file of weights or the tag of known ones; by default whatever is there.
    conditions : Conditions
        Under which it runs.
    **options
        What the network's ``Inference`` takes.

    Returns
    -------
    Fuser

    Raises
    ------
    UserError
        If there are no such weights, they are not this network's, or the conditions make no sense.
    """
    return _LOADED.get(method, given, conditions, options)


class _Loaded:
    """The networks that were used last."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._fusers: OrderedDict[object, Fuser] = OrderedDict()
        self._contents: dict[object, str] = {}

    def get(self, method: str, given: Path | str | None, conditions: Conditions, options: Mapping[str, Any]) -> Fuser:
        how = (method, conditions, *sorted(options.items()))
        with self._guard:
            path = weights.locate(method, given)
            file = (method, *_stamp(path))
            if (self._contents.get(file), *how) not in self._fusers:
                entries = weights.find(method, path, *weights.expected(method))
                self._contents[file] = checkpoints.fingerprint(entries)
                if (self._contents[file], *how) not in self._fusers:
                    self._fusers[self._contents[file], *how] = Fuser(inference(method, entries, **options), conditions)
            key = (self._contents[file], *how)
            self._fusers.move_to_end(key)
            while len(self._fusers) > _KEPT:
                self._fusers.popitem(last=False)
            return self._fusers[key]


_LOADED: Final = _Loaded()


def _stamp(path: Path) -> tuple[Any, ...]:
    """Something that changes when the file does, without reading it."""
    about = [file.stat() for file in checkpoints.files_in(path)]
    return (path.resolve(), *((one.st_ino, one.st_size, one.st_mtime_ns) for one in about))


def inference(method: str, entries: Mapping[str, NDArray[Any]] | None = None, **options: Any) -> nn.Module:
    """A network, ready for `Fuser`.

    Parameters
    ----------
    method : str
        Which.
    entries : mapping of str to ndarray, optional
        Its weights by their names; without them it has the ones that it is born with, and fuses nothing.
    **options
        What the network's ``Inference`` takes.
    """
    module, built = _born(method)
    if entries is not None:
        # A copy: what was read from a file may not be written to, and torch minds.
        built.load_state_dict({name: torch.from_numpy(np.array(entry)) for name, entry in entries.items()})
    return module.Inference(built, **options)


def parameters(method: str) -> int:
    """How many numbers a network has learned; the running statistics of normalisations do not count."""
    with torch.device("meta"):
        return sum(parameter.numel() for parameter in _born(method)[1].parameters())


def flops(method: str, height: int, width: int) -> int:
    """Floating-point operations for one pair, two a multiplication and addition; without computing anything."""
    with torch.device("meta"), torch.inference_mode(), FlopCounterMode(display=False) as counter:
        plane = torch.empty(1, 1, height, width)
        inference(method)(plane, plane)
    return counter.get_total_flops()


def untrained(method: str) -> dict[str, NDArray[Any]]:
    """The weights that a network is born with, which cost what others cost and fuse nothing."""
    return {name: entry.numpy() for name, entry in _born(method)[1].state_dict().items()}


def forget_peak(device: str) -> None:
    """Begin to watch how much memory of a CUDA device is used."""
    if device_of(device).type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)


def peak(device: str) -> int | None:
    """Bytes of a CUDA device, weights included, that were in use at most since then; None for the CPU."""
    return torch.cuda.max_memory_allocated(device) if device_of(device).type == "cuda" else None


def surroundings(device: str) -> dict[str, str]:
    """What the time of a network depends on: the release of torch, its threads, and the device by its maker's name."""
    about = {"torch": torch.__version__, "threads of torch": str(torch.get_num_threads())}
    if device_of(device).type == "cuda":
        about |= {"GPU": torch.cuda.get_device_name(device), "CUDA": str(torch.version.cuda)}
    return about


def _born(method: str) -> tuple[ModuleType, nn.Module]:
    """The file of a network, and the network untrained."""
    file, _, name = weights.NETWORKS[method].partition(":")
    module = import_module(f".{file}", __package__)
    return module, getattr(module, name)()
