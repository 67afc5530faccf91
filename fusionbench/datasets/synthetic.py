"""Registered infrared and visible street scenes, computed instead of photographed.

By night the visible image is dark, dazzled and noisy while people and engines stand out in the infrared one; by day the
visible image is rich in detail, but shadows and smoke hide things that the infrared one still shows. Nothing is
downloaded: the same seed and size give the same pixels on the same platform.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from fusionbench import images
from fusionbench.datasets.cameras import infrared, visible
from fusionbench.datasets.light import day, low_sun, night, smoke
from fusionbench.datasets.street import lay_out
from fusionbench.datasets.things import CAR, PERSON, populate
from fusionbench.registry import unknown
from fusionbench.types import UserError

Kind: TypeAlias = Literal["night", "day"]
Condition: TypeAlias = Literal["smoke", "glare", "overexposed", "underexposed", "noise"]

_VERSION: Final = 1
"""Raised whenever the same seed gives other pixels."""
_MADE: Final = "made.json"
_LARGEST: Final = 1 << 26
"""Pixels that memory surely has room for, with all that is computed of them."""
_EXPOSURE: Final[dict[str, float]] = {"overexposed": 5.0, "underexposed": 1 / 8}


@dataclass(frozen=True)
class Scene:
    """One registered pair and what is known about it.

    Attributes
    ----------
    name : str
        Kind and seed.
    ir : NDArray[np.uint8]
        Infrared image, (H, W).
    vis : NDArray[np.uint8]
        Visible image, RGB, (H, W, 3).
    people, cars : NDArray[np.bool_]
        Which pixels show them, whether or not they can be made out in the visible image, (H, W).
    heat, light : NDArray[np.uint8]
        What perfect cameras would see from the same place, without noise, smoke, glare or a wrong exposure: infrared,
        (H, W), and visible, (H, W, 3).
    """

    name: str
    ir: NDArray[np.uint8]
    vis: NDArray[np.uint8]
    people: NDArray[np.bool_]
    cars: NDArray[np.bool_]
    heat: NDArray[np.uint8]
    light: NDArray[np.uint8]

    @property
    def target(self) -> NDArray[np.bool_]:
        """Pixels of everything that a fused image should make stand out, (H, W)."""
        return self.people | self.cars


def scene(
    seed: int, width: int = 320, height: int = 240, kind: Kind = "night", conditions: Collection[Condition] = ()
) -> Scene:
    """Compute one scene.

    Parameters
    ----------
    seed : int
        At least 0; another seed is another street.
    width, height : int
        Size in pixels, each at least 32.
    kind : {"night", "day"}
        Time of day.
    conditions : collection of {"smoke", "glare", "overexposed", "underexposed", "noise"}
        What makes it difficult, besides what the time of day brings along: thick smoke before somebody; lamps or a low
        sun that dazzle; a wrong exposure of the visible image; four times the noise in both.

    Returns
    -------
    Scene

    Raises
    ------
    UserError
        If the size is too small or too large, the seed negative, or the kind or a condition unknown.

    Examples
    --------
    >>> night = scene(7, width=64, height=48)
    >>> night.ir.shape, night.vis.shape, bool(night.people.any())
    ((48, 64), (48, 64, 3), True)
    """
    if min(width, height) < 32:
        raise UserError(f"A synthetic scene cannot be {width} x {height}: make it at least 32 x 32 pixels.")
    if width * height > _LARGEST:
        raise UserError(f"A synthetic scene cannot be {width} x {height}: make it at most {_LARGEST} pixels.")
    if seed < 0:
        raise UserError(f"The seed {seed} is negative: use 0 or more.")
    if kind not in ("night", "day"):
        raise UserError(f"There is no kind of synthetic scene called '{kind}': use 'night' or 'day'.")
    for condition in conditions:
        if condition not in get_args(Condition):
            raise unknown("condition", condition, get_args(Condition))
    rng = np.random.default_rng([seed, kind == "night"])
    street = lay_out(rng, width, height, night=kind == "night")
    populate(street)
    light, glare = night(street) if street.night else (day(street), low_sun(street))
    heat, seen = street.heat.copy(), light.copy()
    if street.night:
        seen = light + (6 if "glare" in conditions else 1) * glare
    elif "glare" in conditions:
        seen += glare
    if not street.night:
        seen = smoke(street, seen)
    if "smoke" in conditions:
        seen = smoke(street, seen, always=True)
    noise = 4.0 if "noise" in conditions else 1.0
    ir, clear_ir = infrared(street, heat, noise)
    exposure = float(np.prod([_EXPOSURE.get(condition, 1.0) for condition in conditions]))
    vis, clear_vis = visible(street, seen, light, exposure, noise)
    return Scene(
        name=f"{kind}-{seed}",
        ir=ir,
        vis=vis,
        people=street.labels == PERSON,
        cars=street.labels == CAR,
        heat=clear_ir,
        light=clear_vis,
    )


def make(
    folder: Path,
    n: int,
    size: tuple[int, int] = (320, 240),
    seed: int = 0,
    *,
    conditions: Collection[Condition] = (),
    truth: bool = False,
    tick: Callable[[int, int], None] | None = None,
) -> list[str]:
    """Write pairs to ``folder/ir`` and ``folder/vis`` as PNG, by turns by night and by day.

    Parameters
    ----------
    folder : Path
        Is made if it does not exist; files of the same names are replaced.
    n : int
        How many pairs, at least 1.
    size : tuple of int
        Width and height in pixels, each at least 32.
    seed : int
        Seed of the first pair; the others follow it.
    conditions : collection of str
        As for `scene`, for every pair.
    truth : bool
        Also write what is known of each scene, under the same names: ``folder/truth/heat`` and ``folder/truth/light``,
        free of noise, smoke, glare and wrong exposure, and the masks ``folder/truth/people`` and ``folder/truth/cars``,
        255 where they are and 0 elsewhere.
    tick : callable, optional
        Is told how many pairs are written, and of how many.

    Returns
    -------
    list of str
        The names: ``01``, ``02``, ...

    Raises
    ------
    UserError
        If the count, size, seed or a condition is impossible, the folder cannot be written, or it holds other images.
    """
    if n < 1:
        raise UserError(f"A dataset of {n} pairs cannot be made: ask for at least 1.")
    shown = ("ir", "vis", *(("truth/heat", "truth/light", "truth/people", "truth/cars") if truth else ()))
    for side in shown:
        try:
            (folder / side).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"The folder {folder / side} cannot be made ({error.strerror}); choose another.") from None
    names = _names(n)
    for side in shown:
        for path in sorted((folder / side).iterdir()):
            if path.suffix.lower() in images.SUFFIXES and path.name not in {f"{name}.png" for name in names}:
                raise UserError(f"'{path}' would pass for one of these pairs: move it away, or choose another folder.")
    for k, name in enumerate(names):
        made = scene(seed + k, *size, kind="day" if k % 2 else "night", conditions=conditions)
        masks = (np.where(mask, 255, 0).astype(np.uint8) for mask in (made.people, made.cars))
        for side, image in zip(shown, (made.ir, made.vis, made.heat, made.light, *masks), strict=False):
            images.write(folder / side / f"{name}.png", image)
        if tick is not None:
            tick(k + 1, n)
    return names


def make_once(folder: Path, n: int = 20, size: tuple[int, int] = (640, 480), seed: int = 0) -> Path:
    """Make pairs in a folder that then appears whole, unless just these are there already; returns it.

    Parameters
    ----------
    folder : Path
        Other scenes that this function made in it give way.
    n, size, seed
        As for `make`.

    Raises
    ------
    UserError
        If something is asked for that `make` refuses, something else is there, or it cannot be written.
    """
    wanted = {"scenes": _VERSION, "n": n, "size": list(size), "seed": seed}
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        if folder.exists():
            if (made := _made(folder)) == wanted:
                return folder
            _clear(folder, made)
        with tempfile.TemporaryDirectory(prefix=".make-", dir=folder.parent) as place:
            fresh = Path(place) / "made"
            make(fresh, n, size, seed)
            (fresh / _MADE).write_text(json.dumps(wanted))
            fresh.replace(folder)
    except OSError as error:
        raise UserError(f"'{folder}' cannot be made ({error.strerror or error}): choose another place.") from error
    return folder


def _made(folder: Path) -> dict[str, Any]:
    """What `make_once` made in a folder."""
    try:
        made: dict[str, Any] = json.loads((folder / _MADE).read_text())
        return made
    except (OSError, ValueError):
        raise UserError(f"'{folder}' was not made for synthetic scenes: move it away.") from None


def _clear(folder: Path, made: dict[str, Any]) -> None:
    """Remove the scenes that were made in a folder, and it if nothing else is in it."""
    for name in _names(made["n"]):
        for side in ("ir", "vis"):
            (folder / side / f"{name}.png").unlink(missing_ok=True)
    others = [path for path in folder.rglob("*") if path.is_file() and path != folder / _MADE]
    if others:
        raise UserError(f"'{folder}' is for synthetic scenes, but '{others[0]}' is in it: move that away.")
    shutil.rmtree(folder)


def _names(n: int) -> list[str]:
    return [f"{k:0{max(2, len(str(n)))}}" for k in range(1, n + 1)]
