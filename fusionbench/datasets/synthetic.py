"""Registered infrared and visible street scenes, computed instead of photographed.

By night the visible image is dark, dazzled and noisy while people and engines stand out in the infrared one; by day the
visible image is rich in detail, but shadows and smoke hide things that the infrared one still shows. Nothing is
downloaded: the same seed and size give the same pixels on the same platform.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from fusionbench import images
from fusionbench.datasets.street import LEFT, RIGHT, SKY, Plane, Street, house_at, lay_out
from fusionbench.datasets.things import CAR, PERSON, populate
from fusionbench.types import UserError

Kind: TypeAlias = Literal["night", "day"]


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
    """

    name: str
    ir: NDArray[np.uint8]
    vis: NDArray[np.uint8]
    people: NDArray[np.bool_]
    cars: NDArray[np.bool_]

    @property
    def target(self) -> NDArray[np.bool_]:
        """Pixels of everything that a fused image should make stand out, (H, W)."""
        return self.people | self.cars


def scene(seed: int, width: int = 320, height: int = 240, kind: Kind = "night") -> Scene:
    """Compute one scene.

    Parameters
    ----------
    seed : int
        At least 0; another seed is another street.
    width, height : int
        Size in pixels, each at least 32.
    kind : {"night", "day"}
        Time of day.

    Returns
    -------
    Scene

    Raises
    ------
    UserError
        If the size is too small, the seed negative or the kind unknown.

    Examples
    --------
    >>> night = scene(7, width=64, height=48)
    >>> night.ir.shape, night.vis.shape, bool(night.people.any())
    ((48, 64), (48, 64, 3), True)
    """
    if min(width, height) < 32:
        raise UserError(f"A synthetic scene cannot be {width} x {height}: make it at least 32 x 32 pixels.")
    if seed < 0:
        raise UserError(f"The seed {seed} is negative: use 0 or more.")
    if kind not in ("night", "day"):
        raise UserError(f"There is no kind of synthetic scene called '{kind}': use 'night' or 'day'.")
    rng = np.random.default_rng([seed, kind == "night"])
    street = lay_out(rng, width, height, night=kind == "night")
    populate(street)
    light = _night(street) if street.night else _smoke(street, _day(street))
    return Scene(
        name=f"{kind}-{seed}",
        ir=_infrared(street),
        vis=_visible(street, light),
        people=street.labels == PERSON,
        cars=street.labels == CAR,
    )


def make(folder: Path, n: int, size: tuple[int, int] = (320, 240), seed: int = 0) -> list[str]:
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

    Returns
    -------
    list of str
        The names: ``01``, ``02``, ...

    Raises
    ------
    UserError
        If the count, size or seed is impossible or the folder cannot be written.
    """
    if n < 1:
        raise UserError(f"A dataset of {n} pairs cannot be made: ask for at least 1.")
    for side in ("ir", "vis"):
        try:
            (folder / side).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"The folder {folder / side} cannot be made ({error.strerror}); choose another.") from None
    names = [f"{k:0{max(2, len(str(n)))}}" for k in range(1, n + 1)]
    for k, name in enumerate(names):
        pair = scene(seed + k, *size, kind="day" if k % 2 else "night")
        for side, image in (("ir", pair.ir), ("vis", pair.vis)):
            images.write(folder / side / f"{name}.png", image)
    return names


def _night(s: Street) -> Plane:
    """Light that reaches the camera by night, (H, W, 3): lamps, beams, and the glare they make in the lens."""
    x, y, z = s.where
    sky = np.array([0.010, 0.013, 0.022], np.float32) * s.rng.uniform(0.3, 1.2)
    shining = np.zeros_like(s.albedo) + sky
    glare = np.zeros_like(s.albedo)
    rows, columns = np.ogrid[: x.shape[0], : x.shape[1]]
    size = x.shape[0] / 240
    for lamp in s.lights:
        lx, ly, lz = lamp.at
        colour = np.array(lamp.colour, np.float32)
        if lamp.forward:
            beam = np.exp(-(((x - lx) / (0.8 + 0.08 * np.abs(lz - z))) ** 2) - np.maximum(lz - z, 0) / 9)
            reach = 0.03 * beam * (z < lz) * (y < 1.0)
        else:
            square = (x - lx) ** 2 + (y - ly) ** 2 + (z - lz) ** 2 + 0.3
            reach = np.clip((ly - y) / np.sqrt(square) + 0.15, 0, 1) / square
        shining += (lamp.power * reach)[..., None] * colour
        row, column = lamp.pixel
        inside = 0 <= row < x.shape[0] and 0 <= column < x.shape[1]
        if inside and s.glow[int(row), int(column)].max() > 0.5:
            r2 = ((rows - row) ** 2 + (columns - column) ** 2) / size**2
            strength = lamp.power / (1 + lz / 12) * (2.5 if lamp.forward else 1.0)
            glare += (strength * (0.1 / (1 + r2 / 9) ** 1.5 + 0.004 * np.exp(-r2 / 800)))[..., None] * colour
    return s.albedo * shining + s.glow + glare


def _day(s: Street) -> Plane:
    """Light that reaches the camera by day, (H, W, 3): sun, shadows and haze."""
    x, y, z = s.where
    rng = s.rng
    shady = rng.choice([LEFT, RIGHT])
    toward = 1 if shady == LEFT else -1
    steep = rng.uniform(0.6, 1.5)
    # The houses before the sun throw their shadow over everything below the line from their roofs.
    depth = s.walls[shady - LEFT] + toward * x
    lit = np.clip(2 * (y + steep * depth - s.heights[shady - LEFT][house_at(z)]) + 0.5, 0, 1) * (s.facing != shady)
    sun = np.array([1.0, 0.93, 0.8], np.float32)
    sky = np.array([0.16, 0.20, 0.28], np.float32)
    radiance: Plane = s.albedo * (sky + lit[..., None] * sun) * 1.1 + s.glow
    haze = 1 - np.exp(-z / 700)
    radiance += haze[..., None] * (np.array([0.6, 0.66, 0.72], np.float32) - radiance) * (s.facing != SKY)[..., None]
    return radiance


def _smoke(s: Street, radiance: Plane) -> Plane:
    """In two scenes of three, smoke rises before somebody: it hides what visible light shows, hardly what heat does."""
    rows, columns = np.nonzero(s.labels == PERSON)
    if s.rng.random() < 1 / 3 or not rows.size:
        return radiance
    source = s.rng.integers(rows.size)
    x, _, z = s.where[:, rows[source], columns[source]]
    row, column = s.pixel(x, 0.0, z)
    metre = s.focal / z
    height, width = s.heat.shape
    a = ((np.arange(width, dtype=np.float32) - column) / metre)[None, :]
    b = ((row - np.arange(height, dtype=np.float32)) / metre)[:, None]
    wind = s.rng.uniform(-0.5, 0.5)
    spread = 0.55 + 0.3 * np.maximum(b, 0)
    plume = np.exp(-(((a - wind * b) / spread) ** 2)) * np.clip(b + 0.6, 0, 1) * np.clip(1.6 - b / 4, 0, 1)
    clouds = s.cloud(1.3 * a + 0.8 * b, b - 0.3 * a, 14.0) + 0.4 * s.cloud(b + a, a - b, 40.0)
    dense = np.clip(plume * (1.1 + 0.45 * clouds), 0, 0.96) * np.clip((s.where[2] - z + 2) / 1.6, 0, 1)
    s.heat += 0.15 * dense * (0.35 - s.heat)
    smoke = np.array([0.42, 0.43, 0.45], np.float32) * (1 + 0.15 * clouds)[..., None]
    radiance += dense[..., None] * (smoke - radiance)
    return radiance


def _infrared(s: Street) -> NDArray[np.uint8]:
    """What a thermal camera makes of the heat: slightly blurred, striped and noisy."""
    height, width = s.heat.shape
    seen = gaussian_filter(s.heat, 0.7 * max(1.0, height / 480))
    gain, offset = s.rng.uniform(205, 235), s.rng.uniform(2, 14)
    stripes = s.rng.normal(0, 1.0, (1, width))
    noise = s.rng.normal(0, 1.8, (height, width))
    return _levels(offset + gain * seen + stripes + noise)


def _visible(s: Street, radiance: Plane) -> NDArray[np.uint8]:
    """What a colour camera makes of the light: a trace of blur, exposure, noise, and the usual tone curve."""
    exposure = s.rng.uniform(1.2, 2.6) if s.night else s.rng.uniform(1.3, 1.7)
    light = 1 - np.exp(-exposure * gaussian_filter(radiance, (0.45, 0.45, 0)))
    shot, read = (0.006, 0.0012) if s.night else (0.004, 0.002)
    light += s.rng.standard_normal(light.shape, dtype=np.float32) * np.sqrt(shot**2 * light * 4 + read**2)
    return _levels(255 * np.clip(light, 0, 1) ** (1 / 2.2))


def _levels(values: Plane) -> NDArray[np.uint8]:
    levels: NDArray[np.uint8] = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    return levels
