"""What stands and moves in a street: people, cars, trees, signs and lamps, painted from far to near.

Each is a flat figure that faces the camera, put together from simple shapes. A shape is given by the distance of every
point to its edge, in metres and negative inside, which gives soft edges at any size.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from fusionbench.datasets.street import Colour, Light, Plane, Street

PERSON: Final = 1
CAR: Final = 2

_HEADLIGHT: Final = (1.0, 0.95, 0.85)
_TAIL_LIGHT: Final = (1.0, 0.06, 0.03)
_BULB: Final = (1.0, 0.74, 0.42)
_BLACK: Final = (0.0, 0.0, 0.0)


class Board(NamedTuple):
    """The part of a picture that a flat figure at (X, Z) may cover, in metres to its right and above the ground."""

    street: Street
    x: float
    z: float
    box: tuple[slice, slice]
    a: Plane
    b: Plane

    def paint(
        self, edge: Plane, albedo: Colour | Plane, heat: float | Plane, glow: Colour = _BLACK, label: int = 0
    ) -> None:
        """Cover what lies behind a shape."""
        s, box = self.street, self.box
        cover = np.clip(0.5 - edge * (s.focal / self.z), 0, 1).astype(np.float32)
        three = cover[..., None]
        s.albedo[box] += three * (np.asarray(albedo, np.float32) - s.albedo[box])
        s.glow[box] += three * (np.asarray(glow, np.float32) - s.glow[box])
        s.heat[box] += cover * (np.asarray(heat, np.float32) - s.heat[box])
        inside = cover > 0.5
        s.labels[box][inside] = label
        s.where[0][box][inside] = self.x + self.a[inside]
        s.where[1][box][inside] = self.b[inside]
        s.where[2][box][inside] = self.z

    def warm(self, amount: Plane) -> None:
        """Add heat to what is there already."""
        self.street.heat[self.box] += amount

    def shade(self, half_width: float) -> None:
        """Darken the ground that a figure stands on."""
        near = np.exp(-((self.a / half_width) ** 2) - (self.b / (0.1 + 0.1 * half_width)) ** 2)
        self.street.albedo[self.box] *= (1 - 0.8 * near * (self.b < 0.3))[..., None]

    def shine(self, a: float, b: float, colour: Colour, power: float, *, forward: bool = False) -> None:
        """Put a source of light at a point of the figure."""
        at = (self.x + a, b, self.z)
        self.street.lights.append(Light(at, self.street.pixel(*at), colour, power, forward))


def populate(street: Street) -> None:
    """Place people, cars, trees, signs and lamps in a street and paint them."""
    things = [*_furniture(street), *_traffic(street), *_people(street)]
    for z, x, kind in sorted(things, key=lambda thing: -thing[0]):
        half_width, height = _SIZES[kind]
        board = _board(street, x, z, half_width, height)
        if board is not None:
            _DRAW[kind](board)


def _board(s: Street, x: float, z: float, half_width: float, height: float) -> Board | None:
    top, left = s.pixel(x - half_width, height, z)
    foot, right = s.pixel(x + half_width, -0.15, z)
    rows, columns = s.heat.shape
    box = slice(max(0, int(top)), min(rows, int(foot) + 2)), slice(max(0, int(left)), min(columns, int(right) + 2))
    if box[0].start >= box[0].stop or box[1].start >= box[1].stop:
        return None
    row, column = np.ogrid[box]
    metre = s.focal / z
    foot, middle = s.pixel(x, 0, z)
    shape = box[0].stop - box[0].start, box[1].stop - box[1].start
    a = np.broadcast_to(((column - middle) / metre).astype(np.float32), shape)
    b = np.broadcast_to(((foot - row) / metre).astype(np.float32), shape)
    return Board(s, x, z, box, a, b)


def _furniture(s: Street) -> list[tuple[float, float, str]]:
    start = s.rng.uniform(9, 14)
    lamps = [(start + 13 * k, (-1) ** k * (s.road + 0.5), "lamp") for k in range(5)]
    trees = [
        (z, side * (s.road + s.rng.uniform(1.2, 2.2)), "tree")
        for side in (-1, 1)
        for z in s.rng.uniform(11, 60, s.rng.integers(1, 5))
    ]
    signs = [(z, s.rng.choice([-1, 1]) * (s.road + 0.4), "sign") for z in s.rng.uniform(9, 30, s.rng.integers(1, 4))]
    return lamps + trees + signs


def _traffic(s: Street) -> list[tuple[float, float, str]]:
    coming = [(z, -s.road / 2, "coming") for z in s.rng.uniform(11, 55, s.rng.integers(1, 4))]
    going = [(z, s.road / 2, "going") for z in s.rng.uniform(10, 55, s.rng.integers(0, 4))]
    return coming + going


def _people(s: Street) -> list[tuple[float, float, str]]:
    """Walkers here and there, and one before everything else, so that every picture has a clear target."""
    walkers = [
        (z, s.rng.choice([-1, 1]) * (s.road + s.rng.uniform(0.3, 2.3)), "person")
        for z in s.rng.uniform(9, 38, s.rng.integers(2, 7))
    ]
    crossing = [(z, s.rng.uniform(-s.road, s.road), "person") for z in s.rng.uniform(9, 25, s.rng.integers(0, 3))]
    near = s.rng.uniform(5.5, 8.5)
    reach = 0.42 * s.heat.shape[1] * near / s.focal
    middle = (s.heat.shape[1] / 2 - s.centre) * near / s.focal
    return [*walkers, *crossing, (near, middle + s.rng.uniform(-reach, reach), "person")]


def _limb(a: Plane, b: Plane, start: tuple[float, float], end: tuple[float, float], radius: float) -> Plane:
    """Edge of a line with round ends."""
    da, db = end[0] - start[0], end[1] - start[1]
    along = np.clip(((a - start[0]) * da + (b - start[1]) * db) / (da * da + db * db + 1e-9), 0, 1)
    edge: Plane = np.hypot(a - start[0] - along * da, b - start[1] - along * db) - radius
    return edge


def _disc(a: Plane, b: Plane, centre: tuple[float, float], radius: float) -> Plane:
    edge: Plane = np.hypot(a - centre[0], b - centre[1]) - radius
    return edge


def _block(a: Plane, b: Plane, centre: tuple[float, float], half: tuple[float, float], corner: float = 0.0) -> Plane:
    """Edge of a rectangle with rounded corners."""
    outside_a = np.abs(a - centre[0]) - half[0] + corner
    outside_b = np.abs(b - centre[1]) - half[1] + corner
    edge: Plane = np.hypot(np.maximum(outside_a, 0), np.maximum(outside_b, 0))
    edge += np.minimum(np.maximum(outside_a, outside_b), 0) - corner
    return edge


def _draw_person(board: Board) -> None:
    rng, size = board.street.rng, board.street.rng.uniform(1.55, 1.9)
    a, b = board.a / size, board.b / size
    board.shade(0.35)
    cloth = board.street.grain(board.b, board.a, 30.0)
    stride, swing = rng.uniform(0.02, 0.13), rng.uniform(-0.06, 0.08)
    coat = rng.uniform(0.02, 0.35) * rng.uniform(0.4, 1.0, 3)
    trousers = rng.uniform(0.02, 0.16) * np.array([0.9, 0.95, 1.1])
    skin = rng.uniform(0.25, 0.6) * np.array([1.0, 0.75, 0.6])
    jacket = rng.uniform(0.62, 0.8)
    for sign in (-1, 1):
        leg = _limb(a, b, (sign * 0.035, 0.48), (sign * stride, 0.03), 0.042) * size
        board.paint(leg, tuple(trousers), 0.62 + 0.07 * cloth, label=PERSON)
        board.paint(
            _limb(a, b, (sign * stride, 0.015), (sign * stride + 0.03, 0.015), 0.018) * size, _BLACK, 0.45, label=PERSON
        )
    board.paint(_limb(a, b, (0, 0.53), (0, 0.75), 0.085) * size, tuple(coat), jacket + 0.08 * cloth, label=PERSON)
    for sign in (-1, 1):
        hand = (sign * 0.125 + swing, 0.46)
        board.paint(_limb(a, b, (sign * 0.1, 0.77), hand, 0.03) * size, tuple(0.85 * coat), jacket, label=PERSON)
        board.paint(_disc(a, b, hand, 0.024) * size, tuple(skin), 0.9, label=PERSON)
    board.paint(_limb(a, b, (0, 0.83), (0, 0.88), 0.03) * size, tuple(skin), 0.97, label=PERSON)
    board.paint(_limb(a, b, (0, 0.905), (0, 0.935), 0.056) * size, tuple(skin), 1.0, label=PERSON)
    board.paint(_limb(a, b, (0, 0.95), (0, 0.958), 0.052) * size, (0.05, 0.04, 0.03), 0.82, label=PERSON)


def _draw_car(board: Board, *, coming: bool) -> None:
    s, a, b = board.street, board.a, board.b
    rng = s.rng
    paint = rng.uniform(0.03, 0.7) * rng.uniform(0.5, 1.0, 3)
    metal = (0.22 if s.night else 0.42) + rng.uniform(-0.05, 0.08)
    gloss = np.clip(0.75 + 0.5 * (b - 0.5), 0.5, 1.3)[..., None]
    board.shade(1.0)
    # Air and asphalt under a running engine are warm; wheels are warm from braking.
    board.warm((0.28 * np.exp(-((a / 0.95) ** 2) - (np.maximum(b, -0.1) / 0.12) ** 2)).astype(np.float32))
    board.paint(_block(a, b, (0, 0.12), (0.8, 0.14)), (0.01, 0.01, 0.01), 0.48 if coming else 0.4, label=CAR)
    for sign in (-1, 1):
        board.paint(_block(a, b, (sign * 0.68, 0.3), (0.11, 0.3), 0.05), (0.02, 0.02, 0.02), 0.74, label=CAR)
    cabin = np.maximum(_block(a, b, (0, 1.16), (0.78, 0.3), 0.12), np.abs(a) - (1.4 - 0.6 * b))
    board.paint(cabin, paint * gloss, metal, label=CAR)
    glass = np.maximum(_block(a, b, (0, 1.16), (0.68, 0.2), 0.08), np.abs(a) - (1.3 - 0.6 * b))
    reflection = (0.05 + 0.25 * np.clip(b - 1.0, 0, 1))[..., None] * np.array([0.8, 0.9, 1.0])
    board.paint(glass, reflection, 0.12, label=CAR)
    board.paint(_disc(a, b, (-0.3, 1.06), 0.13), (0.08, 0.06, 0.05), 0.5, label=CAR)
    hood = 0.3 * np.exp(-((a / 0.5) ** 2) - ((b - 0.65) / 0.22) ** 2) if coming else 0.0
    board.paint(_block(a, b, (0, 0.62), (0.9, 0.36), 0.14), paint * gloss, metal + hood, label=CAR)
    board.paint(_block(a, b, (0, 0.45), (0.26, 0.06)), (0.7, 0.7, 0.6), metal - 0.05, label=CAR)
    if coming:
        board.paint(_block(a, b, (0, 0.62), (0.42, 0.07), 0.03), (0.03, 0.03, 0.03), 0.86, label=CAR)
    else:
        board.paint(_disc(a, b, (0.5, 0.24), 0.06), (0.02, 0.02, 0.02), 0.98, label=CAR)
    colour = _HEADLIGHT if coming else _TAIL_LIGHT
    on = s.night or not coming
    for sign in (-1, 1):
        glow = tuple(np.multiply(colour, (6.0 if coming else 1.6) if s.night else 0.25))
        lamp = (
            _disc(a, b, (sign * 0.66, 0.7), 0.11) if coming else _block(a, b, (sign * 0.68, 0.74), (0.14, 0.09), 0.03)
        )
        board.paint(lamp, colour, metal + (0.22 if coming else 0.08), glow if on else _BLACK, label=CAR)
        if s.night:
            board.shine(sign * 0.66, 0.7, colour, 8.0 if coming else 0.3, forward=coming)


def _draw_tree(board: Board) -> None:
    s, a, b = board.street, board.a, board.b
    rng = s.rng
    trunk, crown = rng.uniform(2.0, 3.0), rng.uniform(1.1, 1.7)
    bark = 0.13 * (1 + 0.4 * s.grain(b, a, 12.0))
    board.paint(
        _limb(a, b, (0, 0), (rng.uniform(-0.2, 0.2), trunk), 0.11),
        bark[..., None] * np.array([1.0, 0.8, 0.6]),
        0.27 + (0 if s.night else 0.08) + 0.04 * s.grain(b, a, 20.0),
    )
    fine, coarse = s.grain(b + board.x, a + board.z, 22.0), s.grain(a + board.x, b + board.z, 6.0)
    leaves = (0.14 + 0.1 * fine + 0.05 * coarse)[..., None] * np.array([0.55, 1.0, 0.3])
    heat = 0.24 + (0 if s.night else 0.1) + 0.05 * fine + 0.04 * coarse
    for _ in range(4):
        middle = (rng.uniform(-0.7, 0.7), trunk + 0.4 + rng.uniform(0, 1.4))
        board.paint(_disc(a, b, middle, crown * rng.uniform(0.6, 1)) + 0.35 * fine + 0.3 * coarse, leaves, heat)


def _draw_lamp(board: Board) -> None:
    s, a, b = board.street, board.a, board.b
    inward = -np.sign(board.x) * 1.2
    pole = np.minimum(_limb(a, b, (0, 0), (0, 5.6), 0.06), _limb(a, b, (0, 5.6), (inward, 5.8), 0.045))
    board.paint(pole, (0.2, 0.21, 0.2), 0.2 if s.night else 0.4)
    glow = tuple(np.multiply(_BULB, 5.0)) if s.night else _BLACK
    board.paint(_block(a, b, (inward, 5.75), (0.3, 0.09), 0.05), (0.6, 0.6, 0.6), 0.62 if s.night else 0.35, glow)
    if s.night:
        board.shine(inward, 5.7, _BULB, s.rng.uniform(1.5, 5.0))


def _draw_sign(board: Board) -> None:
    s, a, b = board.street, board.a, board.b
    colour = ((0.7, 0.04, 0.04), (0.03, 0.12, 0.6), (0.75, 0.5, 0.03))[s.rng.integers(3)]
    heat = 0.17 if s.night else 0.36
    board.paint(_limb(a, b, (0, 0), (0, 2.3), 0.035), (0.4, 0.4, 0.4), heat)
    board.paint(_disc(a, b, (0, 2.4), 0.36), colour, heat)
    board.paint(_disc(a, b, (0, 2.4), 0.27), (0.85, 0.85, 0.85), heat)
    letters = np.maximum(_block(a, b, (0, 2.4), (0.17, 0.1)), 0.06 - np.abs(a % 0.17 - 0.085))
    board.paint(letters, (0.03, 0.03, 0.03), heat)


_DRAW: Final = {
    "person": _draw_person,
    "coming": lambda board: _draw_car(board, coming=True),
    "going": lambda board: _draw_car(board, coming=False),
    "tree": _draw_tree,
    "lamp": _draw_lamp,
    "sign": _draw_sign,
}
_SIZES: Final = {
    "person": (0.6, 2.0),
    "coming": (1.2, 1.6),
    "going": (1.2, 1.6),
    "tree": (3.0, 6.8),
    "lamp": (1.7, 6.1),
    "sign": (0.5, 2.9),
}
