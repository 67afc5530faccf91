"""The light that reaches the camera from a street: lamps by night, the sun by day, and what comes between."""

from __future__ import annotations

from copy import deepcopy

import numpy as np

from fusionbench.datasets.street import LEFT, RIGHT, SKY, Plane, Street, house_at
from fusionbench.datasets.things import PERSON


def night(s: Street) -> tuple[Plane, Plane]:
    """Light that reaches the camera by night, lamps and beams, and the glare they make in the lens, each (H, W, 3)."""
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
    return s.albedo * shining + s.glow, glare


def day(s: Street) -> Plane:
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


def low_sun(s: Street) -> Plane:
    """What a sun above the end of the street does in the lens: a disc that bleeds, and a veil over everything."""
    height, width = s.heat.shape
    rows, columns = np.ogrid[:height, :width]
    r2 = ((rows - 0.6 * s.horizon) ** 2 + (columns - s.centre) ** 2) / height**2
    strength = 60 * np.exp(-r2 / 0.0006) + 0.02 / (r2 + 0.006) + 0.12
    return strength[..., None].astype(np.float32) * np.array([1.0, 0.9, 0.72], np.float32)


def smoke(s: Street, radiance: Plane, *, always: bool = False) -> Plane:
    """In two scenes of three, smoke rises before somebody: it hides what visible light shows, hardly what heat does."""
    rows, columns = np.nonzero(s.labels == PERSON)
    # Smoke that was asked for leaves everything that is drawn later as it is without.
    rng = deepcopy(s.rng) if always else s.rng
    chance = rng.random()
    if (chance < 1 / 3 and not always) or not rows.size:
        return radiance
    source = rng.integers(rows.size)
    x, _, z = s.where[:, rows[source], columns[source]]
    row, column = s.pixel(x, 0.0, z)
    metre = s.focal / z
    height, width = s.heat.shape
    a = ((np.arange(width, dtype=np.float32) - column) / metre)[None, :]
    b = ((row - np.arange(height, dtype=np.float32)) / metre)[:, None]
    wind = rng.uniform(-0.5, 0.5)
    spread = 0.55 + 0.3 * np.maximum(b, 0)
    plume = np.exp(-(((a - wind * b) / spread) ** 2)) * np.clip(b + 0.6, 0, 1) * np.clip(1.6 - b / 4, 0, 1)
    clouds = s.cloud(1.3 * a + 0.8 * b, b - 0.3 * a, 14.0) + 0.4 * s.cloud(b + a, a - b, 40.0)
    dense = np.clip(plume * (1.1 + 0.45 * clouds), 0, 0.96) * np.clip((s.where[2] - z + 2) / 1.6, 0, 1)
    s.heat += 0.15 * dense * (0.35 - s.heat)
    smoke = np.array([0.42, 0.43, 0.45], np.float32) * (1 + 0.15 * clouds)[..., None] * (0.12 if s.night else 1)
    radiance += dense[..., None] * (smoke - radiance)
    return radiance
