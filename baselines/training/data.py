"""Scenes to learn from, cut into patches; which patches make the batch of a step depends on seed and step alone."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from fusionbench import images, pairing, pixels
from fusionbench.types import Levels, UserError

_VISIBLE_FOLDERS = "vis", "vi", "visible"


@dataclass(frozen=True, slots=True)
class Scene:
    """One pair, decoded.

    Attributes
    ----------
    name : str
        Of the pair.
    vis, ir : Levels
        (H, W), of one size; colour counts by its luma (BT.601).
    mask : Levels or None
        (H, W): 255 where the infrared image is to be followed, 0 where the visible one is.
    """

    name: str
    vis: Levels
    ir: Levels
    mask: Levels | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """Patches for one step: (B, 1, size, size) float32 on the scale 0..255; the mask in [0, 1], if there is one."""

    vis: Tensor
    ir: Tensor
    mask: Tensor | None


def load(folder: Path, exclude: Sequence[str] = ()) -> list[Scene]:
    """Read all pairs of a folder.

    Parameters
    ----------
    folder : Path
        Holds the folders ``ir`` and ``vis`` (or ``vi``, ``visible``), matched by name, and perhaps ``mask``; or images
        whose names tell infrared from visible.
    exclude : sequence of str
        Names of pairs to leave out.

    Returns
    -------
    list of Scene
        In natural order of their names.

    Raises
    ------
    UserError
        If there are no pairs, an image cannot be read, or sizes differ.
    """
    sides = [folder / name for name in _VISIBLE_FOLDERS if (folder / name).is_dir()]
    ir, vis = (folder / "ir", sides[0]) if sides and (folder / "ir").is_dir() else (folder, folder)
    pairs = [pair for pair in pairing.pair_sources(ir, vis).pairs if pair.name not in exclude]
    if not pairs:
        raise UserError(f"All pairs in '{folder}' are left out by name: leave out fewer, or give more data.")
    masks = folder / "mask"
    by_stem = {path.stem: path for path in pairing.images_in(masks)} if masks.is_dir() else {}
    scenes = []
    for pair in pairs:
        path = by_stem.get(pair.ir.stem, by_stem.get(pair.name))
        if by_stem and path is None:
            raise UserError(f"'{masks}' has no mask of {pair.name}: add it, or take the folder away.")
        planes = [_plane(one) for one in (pair.ir, pair.vis, *([path] if path else []))]
        if len({plane.shape for plane in planes}) > 1:
            raise UserError(f"'{pair.ir}' and '{pair.vis}', or their mask, differ in size: register them first.")
        scenes.append(Scene(pair.name, planes[1], planes[0], planes[2] if path else None))
    return scenes


def fingerprint(scenes: Sequence[Scene]) -> str:
    """SHA-256 of the names and pixels of some scenes, as hexadecimal digits."""
    digest = hashlib.sha256()
    for scene in scenes:
        digest.update(f"{scene.name} {scene.vis.shape} {scene.mask is not None}\n".encode())
        for plane in (scene.vis, scene.ir, scene.mask):
            digest.update(b"" if plane is None else plane.tobytes())
    return digest.hexdigest()


class Patches:
    """A grid of square patches over every scene.

    Parameters
    ----------
    scenes : sequence of Scene
        Where from.
    size, stride : int
        Side of a patch, and how far the next one is; in pixels.
    flips : bool
        Show a patch mirrored left to right, and upside down, every second time each.
    seed : int
        With the number of the step it decides everything that is random.

    Raises
    ------
    UserError
        If a scene is smaller than a patch.

    Notes
    -----
    In each epoch every patch comes up once, in a new order. A last batch that would not be full is left out.
    """

    def __init__(self, scenes: Sequence[Scene], size: int, stride: int, *, flips: bool, seed: int) -> None:
        for scene in scenes:
            if min(scene.vis.shape) < size:
                height, width = scene.vis.shape
                raise UserError(
                    f"The pair {scene.name} is {width} x {height} pixels, smaller than a patch of {size}: choose a "
                    "smaller crop, or leave the pair out."
                )
        self._scenes, self._size, self._flips, self._seed = scenes, size, flips, seed
        self._corners = [
            (index, top, left)
            for index, scene in enumerate(scenes)
            for top in range(0, scene.vis.shape[0] - size + 1, stride)
            for left in range(0, scene.vis.shape[1] - size + 1, stride)
        ]

    def __len__(self) -> int:
        return len(self._corners)

    def batch(self, step: int, size: int) -> Batch:
        """The patches of a step, counted from 0, `size` of them."""
        epoch, place = divmod(step, len(self) // size)
        order = random(self._seed, epoch, "order").permutation(len(self))
        rng = random(self._seed, step, "flips")
        stacks: list[list[Levels]] = []
        for index in order[place * size : (place + 1) * size]:
            scene, top, left = self._corners[index]
            window = slice(top, top + self._size), slice(left, left + self._size)
            turn = tuple(slice(None, None, -1 if self._flips and rng.random() < 0.5 else 1) for _ in range(2))
            item = self._scenes[scene]
            planes = [item.vis, item.ir, *([] if item.mask is None else [item.mask])]
            stacks.append([plane[window][turn] for plane in planes])
        if len({len(stack) for stack in stacks}) > 1:
            stacks = [stack[:2] for stack in stacks]
        tensors = [torch.from_numpy(np.stack(planes)).float()[:, None] for planes in zip(*stacks, strict=True)]
        return Batch(tensors[0], tensors[1], tensors[2] / 255 if len(tensors) > 2 else None)


def random(seed: int, number: int, purpose: str) -> np.random.Generator:
    """Random numbers for one purpose at one step (or epoch), the same however often they are asked for."""
    word = int.from_bytes(hashlib.sha256(purpose.encode()).digest()[:8], "little")
    return np.random.default_rng([seed, number, word])


def _plane(path: Path) -> Levels:
    return pixels.luma(pixels.to_levels(images.read(path)), "bt601")
