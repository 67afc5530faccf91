"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from fusionbench.types import UserError


def whole(
    path: Path,
    fill: Callable[[BinaryIO], object],
    *,
    keep: bool = True,
    durable: bool = True,
    remedy: str = "choose another place",
) -> None:
    """Let `fill` write a file that appears under its name when it is complete; without `keep`, only try.

    Parameters
    ----------
    path : Path
        Where it will be. An existing file is replaced.
    fill : callable
        Writes the content to the open file that it is given.
    keep : bool
        False to find out whether it could be written, and leave nothing.
    durable : bool
        Wait until the disk has it, so that even a power cut leaves it whole; otherwise only the end of this process does.
    remedy : str
        What the sentence of an error advises.

    Raises
    ------
    UserError
        If the folder is missing or cannot be written to.
    """
    # No suffix of ours: whoever lists the folder meanwhile must not take it for a table or an image.
    part = path.with_name(f".{uuid.uuid4().hex}.part")
    try:
        with part.open("xb") as file:
            fill(file)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        if keep:
            part.replace(path)
    except FileNotFoundError as error:
        raise UserError(f"'{path}' cannot be written: its folder does not exist, create it first.") from error
    except OSError as error:
        raise UserError(f"'{path}' cannot be written ({error.strerror or error}): {remedy}.") from error
    finally:
        with suppress(OSError):  # it is gone, or never was
            part.unlink()


def sweep(folder: Path) -> None:
    """Remove what a process that was killed left behind while it wrote files below a folder."""
    for part in folder.glob("**/.*.part"):
        with suppress(OSError):
            part.unlink()
