"""How the images of a method's folder were made: written beside them, and compared before others join them."""

from __future__ import annotations

import json
import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import fusionbench
from fusionbench.files import whole
from fusionbench.images import SUFFIXES
from fusionbench.recipe import Recipe
from fusionbench.store import plain
from fusionbench.types import UserError

NAME: Final = "recipe.json"
"""The file that says it."""


@dataclass(frozen=True, slots=True)
class Record:
    """How the images of one folder are made; to be written before the first of them.

    Attributes
    ----------
    path : Path
        Where.
    content : mapping of str to object
        What JSON will hold; the part called ``"recipe"`` decides whether two folders were made alike.
    outdated : collection of Path
        Images that were made otherwise and will be made anew: they go when the record comes, so that a run that is
        stopped leaves none of them beside it.
    """

    path: Path
    content: Mapping[str, Any]
    outdated: Collection[Path] = ()
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def write(self) -> None:
        """Make the folder, and the record in it unless it is there, instead of what was made otherwise.

        Raises
        ------
        UserError
            If the folder cannot be written to.
        """
        with self._lock:
            if recipe_in(self.path) == self.content["recipe"]:
                return
            text = json.dumps(self.content, indent=1, allow_nan=False) + "\n"
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                for image in self.outdated:
                    image.unlink(missing_ok=True)
            except OSError as error:
                reason = error.strerror or error
                raise UserError(
                    f"'{self.path.parent}' cannot be written to ({reason}): choose another place."
                ) from error
            whole(self.path, lambda file: file.write(text.encode()))


def record(chosen: Recipe, folder: Path, made: Collection[Path], **more: Any) -> Record | None:
    """What to write into a method's folder.

    Parameters
    ----------
    chosen : Recipe
        How its images are made.
    folder : Path
        The folder, which need not exist.
    made : collection of Path
        Images that will be made, whether or not they are there now.
    **more
        What else belongs to the recipe: format and depth.

    Returns
    -------
    Record or None
        None if images of unknown making stay in the folder, of which nothing can be said.

    Raises
    ------
    UserError
        If images that were made otherwise would stay there.
    """
    content = about(chosen, **more)
    own = content["recipe"]
    before = recipe_in(folder / NAME)
    found = [path for path in folder.iterdir() if _is_image(path)] if folder.is_dir() else []
    staying = any(path not in made for path in found)
    if staying and before is None:
        return None
    if staying and before != own:
        raise UserError(
            f"'{folder}' holds images made with {_difference(before, own)}: choose another folder, remove them, or have "
            "all of them overwritten."
        )
    return Record(folder / NAME, content, found if before != own else ())


def about(chosen: Recipe, **more: Any) -> dict[str, Any]:
    """What a record holds: the recipe, with `more`, and whose method it is."""
    own = json.loads(json.dumps(plain({**chosen.record(), **more})))
    return {"fusionbench": fusionbench.__version__, "title": chosen.card.title, "doi": chosen.card.doi, "recipe": own}


def recipe_in(path: Path) -> Any:
    """The recipe that a record holds; None if there is no record.

    Raises
    ------
    UserError
        If the file holds none.
    """
    try:
        return json.loads(path.read_text())["recipe"]
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"'{path}' does not say how the images beside it were made: remove it and them.") from error


def _is_image(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".")


def _difference(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """What two recipes differ in, in words."""
    old, new = ({**one, **one["parameters"]} for one in (before, now))
    words = [word for word in {**old, **new} if word != "parameters" and old.get(word) != new.get(word)]
    return ", ".join(f"{word} {json.dumps(old.get(word))} instead of {json.dumps(new.get(word))}" for word in words)
