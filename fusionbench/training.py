"""Train a network on folders of pairs, and judge it by our own metrics meanwhile."""

from __future__ import annotations

import hashlib
import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import fusionbench
from fusionbench.registry import unknown
from fusionbench.scoring import score
from fusionbench.types import Levels, UserError

if TYPE_CHECKING:
    from fusionbench.baselines.training.data import Scene
    from fusionbench.baselines.training.recipe import Recipe

Schedule: TypeAlias = Literal["authors", "cosine"]
Precision: TypeAlias = Literal["fp32", "bf16"]

JUDGES: Final = ("VIF", "SSIM", "Qabf", "SCD")
"""The metrics of a validation."""
_RECIPES: Final = {
    "clfnet": "clfnet:CLFNetRecipe",
    "cs2fusion": "cs2fusion:CS2FusionRecipe",
    "coconet": "coconet:CoCoNetRecipe",
}


def train(
    method: str,
    data: Sequence[str | Path],
    out: str | Path,
    *,
    validate: str | Path | None = None,
    hold_out: int = 5,
    exclude: Sequence[str] = (),
    epochs: float | None = None,
    steps: int | None = None,
    batch: int | None = None,
    crop: int | None = None,
    stride: int | None = None,
    flips: bool = False,
    rate: float | None = None,
    schedule: Schedule = "authors",
    validate_every: int | None = None,
    save_every: int = 1,
    seed: int = 123,
    device: str = "cpu",
    precision: Precision = "fp32",
    resume: bool = False,
    tell: Callable[[int, int], None] | None = None,
    **options: Any,
) -> Path:
    """Train one of the networks, as its authors do unless told otherwise.

    Parameters
    ----------
    method : {"clfnet", "cs2fusion", "coconet"}
        Which network.
    data : sequence of str or Path
        Folders of pairs: each with the folders ``ir`` and ``vis``, and perhaps ``mask``.
    out : str or Path
        A folder: gets ``best.safetensors`` (with a card of how it was made), ``log.csv``, ``validation.csv``,
        ``loss.svg``, and the state to resume from.
    validate : str or Path, optional
        A folder of pairs to judge by. By default `hold_out` pairs of the data, evenly spread, which are not learned from.
    hold_out : int
        How many.
    exclude : sequence of str
        Names of pairs to leave out.
    epochs, steps : float, int, optional
        How long; at most one of the two. By default the authors' number of epochs.
    batch, crop, stride, rate : optional
        Patches a step, their side and distance in pixels, and Adam's learning rate; by default the authors'.
    flips : bool
        Mirror patches at random.
    schedule : {"authors", "cosine"}
        How the learning rate falls.
    validate_every : int, optional
        Steps between validations; by default an epoch.
    save_every : int
        Steps between states.
    seed : int
        Of everything random.
    device : str
        As torch names it.
    precision : {"fp32", "bf16"}
        Of the convolutions.
    resume : bool
        Go on with the training in `out`.
    tell : callable, optional
        Called with the number of steps done, and of all.
    **options
        What a recipe takes of its own: `detail` of CLF-Net and CS2Fusion; `vgg`, `backbone`, `stage` and `weights` of
        CoCoNet.

    Returns
    -------
    Path
        The weights with the best geometric mean of VIF, SSIM, Qabf and SCD on the pairs it was judged by.

    Raises
    ------
    UserError
        If the data cannot be used, a number makes no sense, torch is not installed, or there is nothing to resume.
    """
    recipe = _recipe(method)
    from fusionbench.baselines.training import machine
    from fusionbench.baselines.training.data import load
    from fusionbench.baselines.training.loop import Settings
    from fusionbench.baselines.training.loop import train as run

    known = list(inspect.signature(recipe.__init__).parameters)[4:]
    for word in options:
        if word not in known:
            raise unknown(f"option of {method}", word, known)
    if epochs is not None and steps is not None:
        raise UserError("Both epochs and steps are given: say one of them.")
    usual = recipe.defaults
    size, apart = crop or usual.crop, stride or usual.stride
    numbers = {"batch": batch or usual.batch, "crop": size, "stride": apart, "save_every": save_every}
    for word, number in {**numbers, "steps": steps or 1, "epochs": epochs or 1, "rate": rate or 1}.items():
        if number <= 0:
            raise UserError(f"{word} is {number}: give a positive number.")
    machine.check(device)
    scenes = [recipe.prepared(scene) for folder in data for scene in load(Path(folder), exclude)]
    if validate is not None:
        judged = load(Path(validate))
    else:
        scenes, judged = _split(scenes, hold_out)
    patches = sum(_count(scene, size, apart) for scene in scenes)
    an_epoch = max(1, patches // numbers["batch"])
    total = steps or max(1, round((epochs or usual.epochs) * an_epoch))
    settings = Settings(
        method=method,
        steps=total,
        batch=numbers["batch"],
        crop=size,
        stride=apart,
        flips=flips,
        rate=rate or usual.rate,
        schedule=schedule,
        validate_every=validate_every or an_epoch,
        seed=seed,
        precision=precision,
        options={word: _recorded(value) for word, value in options.items()},
    )
    about = {
        "fusionbench": fusionbench.__version__,
        "pairs": [scene.name for scene in scenes],
        "judged_by": [scene.name for scene in judged],
        "machine": machine.described(device),
        "date": datetime.now(UTC).date().isoformat(),
    }

    def judge(fuse: Callable[[Levels, Levels], Levels]) -> Mapping[str, float]:
        return _judge(fuse, judged)

    return run(
        lambda: recipe(settings.rate, device, precision, **options),
        scenes,
        settings,
        Path(out),
        judge,
        resume=resume,
        save_every=save_every,
        about=about,
        tell=tell,
    )


def card(weights: Path) -> dict[str, Any]:
    """How weights that `train` made were made, and what they scored."""
    from fusionbench.baselines.training.state import read

    found: dict[str, Any] = read(weights)[1]["card"]
    return found


def _recipe(method: str) -> type[Recipe]:
    if method not in _RECIPES:
        raise unknown("network to train", method, _RECIPES)
    module, _, name = _RECIPES[method].partition(":")
    try:
        found: type[Recipe] = getattr(import_module(f"fusionbench.baselines.training.{module}"), name)
    except ModuleNotFoundError as error:
        if error.name not in ("torch", "safetensors"):
            raise
        raise UserError(f"Training needs {error.name}: install it with pip install 'fusionbench[learned]'.") from error
    return found


def _judge(fuse: Callable[[Levels, Levels], Levels], scenes: Sequence[Scene]) -> dict[str, float]:
    """The geometric mean of the mean scores, so that a per cent of each counts alike; then these themselves."""
    sums = dict.fromkeys(JUDGES, 0.0)
    for scene in scenes:
        for name, value in score(fuse(scene.vis, scene.ir), scene.ir, scene.vis, metrics=JUDGES).items():
            sums[name] += value / len(scenes)
    together = math.exp(sum(math.log(max(value, 1e-6)) for value in sums.values()) / len(sums))
    return {"together": together, **sums}


def _recorded(value: Any) -> Any:
    """An option as it stands in a card: a file by its name and content."""
    if isinstance(value, str | Path) and Path(value).is_file():
        with Path(value).open("rb") as file:
            return {"file": Path(value).name, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}
    return str(value) if isinstance(value, Path) else value


def _split(scenes: Sequence[Scene], hold_out: int) -> tuple[list[Scene], list[Scene]]:
    if not 0 < hold_out < len(scenes):
        raise UserError(
            f"{hold_out} of {len(scenes)} pairs cannot be held out to judge by: name a folder to validate on, or hold out "
            "fewer."
        )
    held = {(2 * place + 1) * len(scenes) // (2 * hold_out) for place in range(hold_out)}
    kept = [scene for place, scene in enumerate(scenes) if place not in held]
    return kept, [scene for place, scene in enumerate(scenes) if place in held]


def _count(scene: Scene, size: int, stride: int) -> int:
    height, width = scene.vis.shape
    return len(range(0, height - size + 1, stride)) * len(range(0, width - size + 1, stride))
