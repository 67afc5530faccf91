"""A training as a file: all weights and all that the optimisers remember, whole or not there at all, and no code in it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from fusionbench.files import whole
from fusionbench.types import UserError

from .recipe import Recipe


def write(path: Path, tensors: Mapping[str, Tensor], about: Mapping[str, Any]) -> None:
    """Write tensors and a record of them; whoever reads the file meanwhile sees the old one or the new one.

    Parameters
    ----------
    path : Path
        A safetensors file.
    tensors : mapping of str to Tensor
        What it holds.
    about : mapping of str to object
        Becomes JSON in the file's head, under each name.
    """
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    content = save(plain, {name: json.dumps(value) for name, value in about.items()})
    whole(path, lambda file: file.write(content))


def read(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """What `write` wrote: the tensors, and the record.

    Raises
    ------
    UserError
        If the file is no such file.
    """
    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, {  # noqa: SIM118
                name: json.loads(value) for name, value in (file.metadata() or {}).items()
            }
    except (SafetensorError, ValueError) as error:
        raise UserError(
            f"'{path}' is damaged or no state of a training ({error}): start anew in another folder."
        ) from error


def collect(recipe: Recipe) -> dict[str, Tensor]:
    """All tensors that the next step depends on, by name."""
    tensors = {
        f"module/{name}/{key}": tensor
        for name, module in recipe.modules.items()
        for key, tensor in module.state_dict().items()
    }
    for name, optimiser in recipe.optimisers.items():
        for index, memory in optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser/{name}/{index}/{key}": torch.as_tensor(value) for key, value in memory.items()}
    return tensors


def restore(recipe: Recipe, tensors: Mapping[str, Tensor]) -> None:
    """Put back what `collect` gave."""
    for name, module in recipe.modules.items():
        module.load_state_dict(_below(tensors, f"module/{name}/"))
    for name, optimiser in recipe.optimisers.items():
        memory: dict[int, dict[str, Tensor]] = {}
        for key, tensor in _below(tensors, f"optimiser/{name}/").items():
            index, _, word = key.partition("/")
            memory.setdefault(int(index), {})[word] = tensor
        optimiser.load_state_dict({"state": memory, "param_groups": optimiser.state_dict()["param_groups"]})


def _below(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
