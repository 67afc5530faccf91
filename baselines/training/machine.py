"""Where a training runs."""

from __future__ import annotations

import platform

import torch

from fusionbench.types import UserError


def check(device: str) -> None:
    """Raise `UserError` if there is no such device here."""
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise UserError(f"There is no device '{device}' here: use cpu, or cuda where torch finds one.") from error


def described(device: str) -> str:
    """A device by its kind, e.g. ``"x86_64 CPU, 2 threads"``."""
    if torch.device(device).type == "cuda":
        return torch.cuda.get_device_name(device)
    threads = torch.get_num_threads()
    return f"{platform.machine()} CPU, {threads} thread{'s' * (threads > 1)}"
