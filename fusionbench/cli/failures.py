"""What failed, in as few lines as say it all."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from fusionbench.store import Failure

_LONG: Final = 400
"""Characters after which a list of names is cut on the screen; files have it whole."""


def reasons(failures: Iterable[Failure]) -> list[str]:
    """A line a reason, with the images it holds for."""
    images: dict[tuple[str, str], list[str]] = {}
    for failure in failures:
        images.setdefault((failure.metric, failure.reason), []).append(f"{failure.method}/{failure.image}")
    lines = []
    for (metric, reason), names in images.items():
        what = f"{metric} of " if metric else ""
        whom = names[0] if len(names) == 1 else f"{len(names)} images ({cut(', '.join(names), 100)})"
        lines.append(f"{what}{whom}: {reason}")
    return lines


def cut(text: str, most: int = _LONG) -> str:
    """Text of so many characters at most."""
    return textwrap.shorten(text, most, placeholder=" ...")
