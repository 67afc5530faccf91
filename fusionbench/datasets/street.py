"""An empty street, drawn twice over: what its surfaces reflect, and how warm they are.

A pinhole camera stands on the road and looks along it. Ground, house fronts and sky are found for every pixel at once
by intersecting its ray with the planes of the street. World coordinates are metres: X to the right, Y up from the road,
Z away from the camera.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, map_coordinates

Plane: TypeAlias = NDArray[np.floating[Any]]
Colour: TypeAlias = tuple[float, float, float]

SKY: Final = 0
GROUND: Final = 1
LEFT: Final = 2
RIGHT: Final = 3
END: Final = 4

_TEXELS: Final = 256


@dataclass(frozen=True)
class Light:
    """Something that shines: where it stands in the world and in the picture, and how strongly it dazzles."""

    at: tuple[float, float, float]
    pixel: tuple[float, float]
    colour: Colour
    power: float
    forward: bool
    """Whether it throws a beam towards the camera instead of shining all around."""


@dataclass
class Street:
    """The layers of one picture.

    Attributes
    ----------
    albedo, glow : Plane
        Reflectance in [0, 1] and light given off, (H, W, 3).
    heat : Plane
        Temperature on a scale where the night sky is 0 and bare skin 1, (H, W).
    where : Plane
        World coordinates (X, Y, Z) of what each pixel shows, (3, H, W).
    labels : NDArray[np.uint8]
        Which kind of thing is seen, 0 for the street itself, (H, W).
    facing : NDArray[np.uint8]
        Which of the street's planes is behind each pixel: `SKY`, `GROUND`, `LEFT`, `RIGHT` or `END`, (H, W).
    """

    rng: np.random.Generator
    night: bool
    albedo: Plane
    glow: Plane
    heat: Plane
    where: Plane
    labels: NDArray[np.uint8]
    facing: NDArray[np.uint8]
    focal: float
    centre: float
    horizon: float
    eye: float
    road: float
    walls: tuple[float, float]
    heights: tuple[NDArray[np.float32], NDArray[np.float32]]
    texture: Plane
    lights: list[Light] = field(default_factory=list)

    def grain(self, a: Plane, b: Plane, texels_a_metre: float) -> Plane:
        """Cloudy texture in [-1, 1], fixed to world coordinates: for detail finer than a pixel or nearly so."""
        rows = (a * texels_a_metre).astype(np.int32) % _TEXELS
        columns = (b * texels_a_metre).astype(np.int32) % _TEXELS
        return self.texture[rows, columns]

    def cloud(self, a: Plane, b: Plane, texels_a_metre: float) -> Plane:
        """The same texture without visible texels: for what spreads over many pixels."""
        where = np.stack([a * texels_a_metre, b * texels_a_metre])
        smooth: Plane = map_coordinates(self.texture, where, order=1, mode="grid-wrap")
        return smooth

    def pixel(self, x: float, y: float, z: float) -> tuple[float, float]:
        """Row and column at which a point of the world is seen."""
        return self.horizon + self.focal * (self.eye - y) / z, self.centre + self.focal * x / z


def lay_out(rng: np.random.Generator, width: int, height: int, *, night: bool) -> Street:
    """Lay out a street and draw its ground, its house fronts and the sky.

    Parameters
    ----------
    rng : np.random.Generator
        Decides everything that is not fixed.
    width, height : int
        Size in pixels.
    night : bool
        By night windows, lamps and cars shine.
    """
    street = _empty_street(rng, width, height, night=night)
    _paint_ground(street)
    _paint_sky(street)
    for side in (LEFT, RIGHT, END):
        _paint_fronts(street, side)
    return street


def _empty_street(rng: np.random.Generator, width: int, height: int, *, night: bool) -> Street:
    focal = 1.1 * height
    centre = width * rng.uniform(0.42, 0.58)
    horizon = height * rng.uniform(0.36, 0.46)
    eye = rng.uniform(1.7, 2.6)
    road = rng.uniform(3.4, 4.4)
    walls = (road + rng.uniform(2.5, 5.0), road + rng.uniform(2.5, 5.0))
    end = rng.uniform(60, 110)
    heights = _roofs(rng), _roofs(rng)

    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    right, down = (columns - centre) / focal, (rows - horizon) / focal
    far = np.float32(1e6)
    with np.errstate(divide="ignore"):
        ground = np.where(down > 0, eye / down, far)
        wall = np.where(right < 0, walls[0], walls[1]) / np.abs(right)
    z = np.minimum(np.minimum(ground, wall), end).astype(np.float32)
    y = eye - down * z
    facing = np.where(ground <= np.minimum(wall, end), GROUND, np.where(right < 0, LEFT, RIGHT))
    facing = np.where((facing != GROUND) & (wall > end), END, facing).astype(np.uint8)
    for side, tops in ((LEFT, heights[0]), (RIGHT, heights[1]), (END, heights[0][::-1])):
        along = z if side != END else right * z + 50
        facing[(facing == side) & (y > tops[house_at(along)])] = SKY

    white = rng.standard_normal((_TEXELS, _TEXELS), dtype=np.float32)
    texture = sum(sigma * gaussian_filter(white, sigma, mode="wrap") for sigma in (0.6, 2.0, 7.0))
    texture /= 2.5 * texture.std()
    return Street(
        rng=rng,
        night=night,
        albedo=np.zeros((height, width, 3), np.float32),
        glow=np.zeros((height, width, 3), np.float32),
        heat=np.zeros((height, width), np.float32),
        where=np.stack([right * z, y, z]).astype(np.float32),
        labels=np.zeros((height, width), np.uint8),
        facing=facing,
        focal=focal,
        centre=centre,
        horizon=horizon,
        eye=eye,
        road=road,
        walls=walls,
        heights=heights,
        texture=np.clip(texture, -1, 1).astype(np.float32),
    )


def _roofs(rng: np.random.Generator) -> NDArray[np.float32]:
    """Heights of the houses of one side; neighbours are of like height, as the flank of a taller one is not drawn."""
    steps = rng.normal(0, 1.3, 16) * (rng.random(16) < 0.6)
    return np.clip(rng.uniform(7, 15) + np.cumsum(steps), 5, 18).astype(np.float32)


def house_at(along: Plane) -> NDArray[np.int32]:
    """Which house a front belongs to, by its distance along the street: they are 9 m wide."""
    return np.clip(along / 9, 0, 15).astype(np.int32)


def _paint_ground(s: Street) -> None:
    here = s.facing == GROUND
    x, z = s.where[0][here], s.where[2][here]
    fine, coarse = s.grain(x, z, 23.0), s.cloud(z, x, 3.0)
    on_road = np.abs(x) < s.road
    joints = (np.abs(x) % 1.0 < 0.06) | (z % 1.0 < 0.05)
    crossing = s.rng.uniform(9, 30)
    dashes = (np.abs(x) < 0.09) & (z % 6 < 3)
    edges = np.abs(np.abs(x) - s.road + 0.3) < 0.07
    stripes = (np.abs(z - crossing) < 1.6) & (x % 1.0 < 0.5)
    marks = on_road & (dashes | edges | stripes) & (coarse > -0.75)
    kerb = (np.abs(x) >= s.road) & (np.abs(x) < s.road + 0.16)
    grey = np.where(on_road, 0.13 + 0.035 * fine + 0.03 * coarse, 0.25 + 0.05 * fine + 0.03 * coarse)
    grey = np.where(joints & ~on_road & (z < 25), grey * 0.6, grey)
    grey = np.where(marks, 0.7 + 0.08 * fine, np.where(kerb, 0.42, grey))
    s.albedo[here] = np.clip(grey, 0.02, 1)[:, None] * np.array([1.0, 0.98, 0.94], np.float32)
    # Wheels warm the tracks they run in; paint loses heat more slowly than asphalt; pavement cools first.
    tracks = np.exp(-(((np.abs(np.abs(x) - s.road / 2) - 0.75) / 0.35) ** 2))
    warmth = np.where(on_road, 0.36 + 0.07 * tracks, 0.24) + np.where(marks, -0.05, 0) + np.where(kerb, 0.06, 0)
    s.heat[here] = warmth + 0.06 * coarse + 0.025 * fine + (0.0 if s.night else 0.1)


def _paint_sky(s: Street) -> None:
    here = s.facing == SKY
    rows = np.nonzero(here)[0].astype(np.float32)
    low = np.clip(rows / max(s.horizon, 1), 0, 1)
    columns = np.nonzero(here)[1].astype(np.float32)
    scale = 60 / s.heat.shape[0]
    cloud = np.clip(s.cloud(rows * 2, columns, scale) + 0.3 * s.cloud(rows * 2, columns, 5 * scale), 0, 1)[:, None]
    high, near = ((0.004, 0.006, 0.014), (0.03, 0.025, 0.03)) if s.night else ((0.25, 0.42, 0.75), (0.75, 0.82, 0.9))
    blue = np.array(high) + (np.array(near) - np.array(high)) * low[:, None] ** 1.5
    white = 0.012 if s.night else 0.95
    s.glow[here] = blue * (1 - 0.7 * cloud) + white * 0.7 * cloud
    s.heat[here] = 0.03 + 0.1 * low**2 + 0.06 * cloud[:, 0]


def _paint_fronts(s: Street, side: int) -> None:
    here = s.facing == side
    if not here.any():
        return
    x, y, z = (plane[here] for plane in s.where)
    along = x + 50 if side == END else z
    # Metres of the front within one pixel: what is finer than that must not flicker.
    blur = z / s.focal if side == END else z**2 / (s.focal * s.walls[side - LEFT])
    house = house_at(along)
    tint = s.rng.uniform(0.12, 0.5, 16)[:, None] * s.rng.uniform(0.75, 1.0, (16, 3)) * np.array([1.05, 0.95, 0.85])
    warmth = s.rng.uniform(0.08, 0.36, 16)
    pitch = s.rng.uniform(2.2, 3.6, 16)[house]
    lit_share = s.rng.uniform(0.1, 0.5, 16)[house]
    shade = s.rng.random((64, 64))

    column, floor = along / pitch, (y - 0.5) / 3.1
    in_window = (np.abs(column % 1 - 0.5) < 0.27) & (np.abs(floor % 1 - 0.55) < 0.27) & (floor >= 1)
    tops = s.heights[1 if side == RIGHT else 0]
    top = (tops[::-1] if side == END else tops)[house]
    in_window &= y < top - 0.9
    bar = in_window & ((np.abs(column % 1 - 0.5) < 0.02) | (np.abs(floor % 1 - 0.6) < 0.015))
    window = in_window * np.clip(1.6 * (pitch / np.maximum(blur, 1e-3) - 1), 0, 1)
    dice = shade[floor.astype(np.int32) % 64, (column.astype(np.int32) + 5 * house) % 64]
    fine, coarse = s.grain(y, along, 18.0), s.grain(along, y, 2.0)
    bricks = np.where((y % 0.25 < 0.05) & (blur < 0.15), 0.8, 1.0) * (1 + 0.18 * fine + 0.22 * coarse)
    ledge = (np.abs(y - top + 0.25) < 0.25) | (np.abs(y - 3.4) < 0.12)
    wall = tint[house] * (bricks * np.where(ledge, 1.35, 1.0))[:, None]
    glass = np.where(bar, 0.35, 0.06)[:, None] * np.array([0.9, 1.0, 1.1])
    s.albedo[here] = wall * (1 - window[:, None]) + glass * window[:, None]

    lit = window * (dice < lit_share) * (0.3 + 1.2 * dice / lit_share) * ~bar
    sign = (np.abs(y - 2.9) < 0.42) & (house % 3 == side % 3) & (np.abs(along % 9 - 4.5) < 3.2)
    letters = sign & (np.abs(y - 2.9) < 0.25) & (s.grain(along, along, 9.0) > 0) & (blur < 0.4)
    hue = np.where(letters[:, None], np.array([1.0, 0.95, 0.85]), s.rng.uniform(0.05, 1.0, (16, 3))[house])
    s.albedo[here] = np.where(sign[:, None], hue * 0.7, s.albedo[here])
    if s.night:
        s.glow[here] = 0.55 * lit[:, None] * np.array([1.0, 0.82, 0.5]) + np.where(sign[:, None], 0.28 * hue, 0)
    else:
        s.glow[here] = (window * ~bar * (0.06 + 0.25 * dice))[:, None] * np.array([0.7, 0.85, 1.0])
    heat = warmth[house] + 0.06 * coarse + 0.02 * fine + 0.06 * np.exp(-y / 2) + np.where(ledge, 0.05, 0)
    glass_heat = np.where(dice < lit_share, 0.16, 0.06) if s.night else -0.1
    s.heat[here] = heat + window * glass_heat + np.where(sign, 0.05, 0) + (0 if s.night else 0.12)
