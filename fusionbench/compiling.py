"""Compiled loops, kept on disk for as long as nothing that they call has changed.

numba looks at the file that a function stands in alone; what it inlined from other files would live on in it for ever.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

from numba import njit

F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F, beside: str, **options: Any) -> F:
    """Compile on first use, keep on disk, release the GIL.

    Parameters
    ----------
    function : callable
        The function.
    beside : str
        A file in the folder of what it may call, besides its own. Where any file of the two folders has changed, it is compiled
        again.
    **options
        Of `numba.njit`.
    """
    dispatcher = njit(cache=True, nogil=True, error_model="numpy", **options)(function)
    kept = getattr(getattr(dispatcher, "_cache", None), "_cache_file", None)
    if kept is not None:  # None where numba is told not to compile
        folders = {Path(file).parent for file in (beside, function.__code__.co_filename)}
        kept._source_stamp = (kept._source_stamp, *sorted(map(_digest, folders)))
        kept._load_index = functools.partial(_loaded, kept._load_index)
    return cast("F", dispatcher)


def _loaded(index: Callable[[], dict[Any, Any]]) -> dict[Any, Any]:
    """What is kept of a function; nothing if its arguments were of types that an earlier release had and this one has not."""
    try:
        return index()
    except (AttributeError, ImportError):
        return {}


@functools.cache
def _digest(folder: Path) -> str:
    """Of the source files in a folder."""
    digest = hashlib.blake2b(digest_size=16)
    for file in sorted(folder.glob("*.py")):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()
