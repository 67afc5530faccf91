"""The loop: steps, a state after each, a log, validation, and the best weights so far.

A step depends on the state, the seed and its own number, on nothing else. So a training that was killed goes on from its
last state as if nothing had been.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

import torch

from fusionbench.types import Levels, UserError

from . import state
from .curve import draw
from .data import Patches, Scene, fingerprint, random
from .log import Log
from .recipe import Precision, Recipe

Fuse: TypeAlias = Callable[[Levels, Levels], Levels]
"""Visible and infrared levels, (H, W) each, to fused ones."""
Judge: TypeAlias = Callable[[Fuse], Mapping[str, float]]
"""What a way of fusing is worth, by name of the measure; the first number decides, and more is better."""
Schedule: TypeAlias = Literal["authors", "cosine"]

STATE: Final = "state.safetensors"
BEST: Final = "best.safetensors"


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that decides what comes out of a training, next to the data.

    Attributes
    ----------
    method : str
        The network.
    steps, batch, crop, stride : int
        How many updates, on how many patches each; side and distance of patches in pixels.
    flips : bool
        Whether patches are mirrored at random.
    rate : float
        Learning rate at the start.
    schedule : {"authors", "cosine"}
        How the rate falls: as the authors have it, or along half a cosine to zero.
    validate_every : int
        Steps between two validations.
    seed : int
        Of everything random.
    precision : {"fp32", "bf16"}
        Of the convolutions.
    options : mapping of str to object
        What else the recipe was told.
    """

    method: str
    steps: int
    batch: int
    crop: int
    stride: int
    flips: bool
    rate: float
    schedule: Schedule
    validate_every: int
    seed: int
    precision: Precision
    options: Mapping[str, Any]


def train(
    build: Callable[[], Recipe],
    scenes: Sequence[Scene],
    settings: Settings,
    out: Path,
    judge: Judge,
    *,
    resume: bool = False,
    save_every: int = 1,
    about: Mapping[str, Any] | None = None,
    tell: Callable[[int, int], None] | None = None,
) -> Path:
    """Train, or go on training.

    Parameters
    ----------
    build : callable
        Makes the recipe; called once, after torch's own random numbers were seeded.
    scenes : sequence of Scene
        What to learn from.
    settings : Settings
        How.
    out : Path
        A folder, made if it does not exist: gets the state, the log, the curve of the losses, and the best weights.
    judge : callable
        Values the network after every `settings.validate_every` steps and at the end.
    resume : bool
        Go on from the state in `out`.
    save_every : int
        Steps between two states; a training that is killed loses so many at most.
    about : mapping of str to object, optional
        What else the card of the weights is to say.
    tell : callable, optional
        Called with the number of steps done, and of all.

    Returns
    -------
    Path
        The best weights by the first measure of `judge`.

    Raises
    ------
    UserError
        If there are too few patches for a batch, `out` holds a training already or (to resume) none or another one, or
        the loss is no number any more.
    """
    patches = Patches(scenes, settings.crop, settings.stride, flips=settings.flips, seed=settings.seed)
    if len(patches) < settings.batch:
        raise UserError(
            f"The data give {len(patches)} patches, fewer than a batch of {settings.batch}: choose a smaller batch, crop "
            "or stride, or give more data."
        )
    identity = {"settings": asdict(settings), "data": fingerprint(scenes)}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        recipe = build()
    start, best = _start(recipe, out, identity, resume=resume)
    log, validation = Log(out / "log.csv", start), Log(out / "validation.csv", start)
    begun = {name: [group["lr"] for group in one.param_groups] for name, one in recipe.optimisers.items()}
    for step in range(start, settings.steps):
        clock = time.perf_counter()
        factor = _factor(recipe, settings, step / settings.steps)
        for name, optimiser in recipe.optimisers.items():
            for group, rate in zip(optimiser.param_groups, begun[name], strict=True):
                group["lr"] = rate * factor
        tensors = recipe.update(patches.batch(step, settings.batch), random(settings.seed, step, settings.method))
        losses = {name: float(loss) for name, loss in tensors.items()}
        if not all(map(math.isfinite, losses.values())):
            raise UserError(f"The loss is no number any more at step {step + 1}: choose a smaller learning rate.")
        done = step + 1
        epoch = done * settings.batch / len(patches)
        log.add(
            {
                "step": done,
                "epoch": epoch,
                "rate": settings.rate * factor,
                **losses,
                "seconds": time.perf_counter() - clock,
            }
        )
        last = done == settings.steps
        if last or done % settings.validate_every == 0:
            scores = dict(judge(recipe.fuse))
            validation.add({"step": done, **scores})
            worth = next(iter(scores.values()))
            if best is None or worth > best:
                best = worth
                card = {**identity, "step": done, "scores": scores, **(about or {})}
                state.write(out / BEST, recipe.modules["network"].state_dict(), {"card": card})
            draw(out / "log.csv", out / "loss.svg")
        if last or done % save_every == 0:
            state.write(out / STATE, state.collect(recipe), {**identity, "step": done, "best": best})
        if tell is not None:
            tell(done, settings.steps)
    return out / BEST


def _start(recipe: Recipe, out: Path, identity: Mapping[str, Any], *, resume: bool) -> tuple[int, float | None]:
    """How many steps are done, and what the best weights so far are worth."""
    there = (out / STATE).exists()
    if there and not resume:
        raise UserError(f"'{out}' holds a training already: resume it, or give another folder.")
    if resume and not there:
        raise UserError(f"There is no training to resume in '{out}': give the folder of one, or start one.")
    if not there:
        out.mkdir(parents=True, exist_ok=True)
        return 0, None
    tensors, about = state.read(out / STATE)
    if about.get("data") != identity["data"]:
        raise UserError(f"The training in '{out}' learns from other data: give the same data to resume it.")
    known, asked = about.get("settings", {}), identity["settings"]
    for word in asked:
        if known.get(word) != asked[word]:
            raise UserError(
                f"The training in '{out}' has {word} {known.get(word)}, not {asked[word]}: resume it with what it began "
                "with, or start another one."
            )
    state.restore(recipe, tensors)
    return about["step"], about["best"]


def _factor(recipe: Recipe, settings: Settings, progress: float) -> float:
    if settings.schedule == "cosine":
        return (1 + math.cos(math.pi * progress)) / 2
    return recipe.decay(progress)
