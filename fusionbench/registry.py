"""Names for things: lazy entries, plugins by entry point, and a helpful answer to a misspelling."""

from __future__ import annotations

import difflib
import re
import warnings
from collections.abc import Iterable, Mapping
from importlib import import_module
from importlib.metadata import entry_points
from typing import Generic, TypeVar

from fusionbench.types import UserError


def unknown(kind: str, name: str, known: Iterable[str]) -> UserError:
    """The error for a name that does not exist: what was meant, or what there is."""
    known = list(known)
    folded = {k.casefold(): k for k in known}
    close = difflib.get_close_matches(name.casefold(), folded, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(folded[c] for c in close)}?" if close else f"there are {', '.join(known)}."
    return UserError(f"Unknown {kind} '{name}': {hint}")


T = TypeVar("T")


class Registry(Generic[T]):
    """A set of named things of one kind, each loaded when it is first asked for.

    Parameters
    ----------
    kind : str
        The word used in messages, e.g. ``"metric"``.
    group : str
        Entry-point group that other packages may add to, e.g. ``"fusionbench.metrics"``.
    entries : mapping of str to str
        Name to ``"module:attribute"``, in the order in which they are listed.
    """

    def __init__(self, kind: str, group: str, entries: Mapping[str, str]) -> None:
        self.kind = kind
        self._entries = dict(entries)
        self._loaded: dict[str, T] = {}
        self._foreign: set[str] = set()
        self._group: str | None = group

    def names(self) -> list[str]:
        """Every name, built-in ones first."""
        self._find_plugins()
        return list(self._entries)

    def __contains__(self, name: str) -> bool:
        return name in self.names()

    def __getitem__(self, name: str) -> T:
        """The thing of that name.

        Raises
        ------
        UserError
            If there is none, the sentence offering the nearest names; or if another package announces it and fails.
        """
        self._find_plugins()
        if name not in self._entries:
            raise unknown(self.kind, name, self._entries)
        if name not in self._loaded:
            module, _, attribute = self._entries[name].partition(":")
            try:
                self._loaded[name] = getattr(import_module(module), attribute)
            except Exception as error:
                if name not in self._foreign:
                    raise
                # Anybody's package may be broken; ours goes on without it.
                raise UserError(
                    f"The {self.kind} '{name}' comes from '{module}', which fails ({type(error).__name__}: {error}): "
                    "mend or uninstall that package."
                ) from error
        return self._loaded[name]

    def register(self, name: str, thing: T) -> None:
        """Add a thing of the user's own.

        Parameters
        ----------
        name : str
            Its name.
        thing : object
            A function, say. One defined again in the place of the last, as in a notebook, replaces it.

        Raises
        ------
        UserError
            If the name is taken, or would not pass for one word, one of a list or a folder.
        """
        if not re.fullmatch(r"\w[\w.+-]*", name):
            raise UserError(f"A {self.kind} cannot be called '{name}': use letters, digits, hyphens and underscores.")
        self._find_plugins()
        place = f"{getattr(thing, '__module__', '?')}:{getattr(thing, '__name__', name)}"
        known = self._entries.setdefault(name, place)
        # An entry that is being loaded for the first time may name its thing by way of another module of the package.
        package, ours = (re.split("[.:]", where)[0] for where in (known, place))
        if known != place and (name in self._loaded or package != ours):
            raise UserError(f"There is already a {self.kind} called '{name}': choose another name.")
        self._loaded[name] = thing

    def _find_plugins(self) -> None:
        if self._group is None:
            return
        for point in entry_points(group=self._group):
            if point.name not in self._entries:
                self._entries[point.name] = point.value
                self._foreign.add(point.name)
            elif self._entries[point.name] != point.value:
                warnings.warn(
                    f"The {self.kind} '{point.name}' of '{point.value}' is not used: there is already one of that name.",
                    stacklevel=3,
                )
        self._group = None
