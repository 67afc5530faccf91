"""Learn the projection that `latlrr` decomposes by, from photographs: latent low-rank representation.

    python -m fusionbench.baselines.classical.learn_latlrr

makes the file that comes with the package again, from photographs in the public domain that come with scikit-image. The
patches keep their means, and the projection lets a little of a mean pass, less of it the more patches it is learned
from: 7 % from 1200 patches, which is as many as the authors took.

References
----------
.. [1] G. Liu, S. Yan, "Latent low-rank representation for subspace segmentation and feature extraction", ICCV 2011,
   doi:10.1109/ICCV.2011.6126422.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import platform
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import numpy as np

from fusionbench import __version__, images, pixels
from fusionbench.types import UserError

from ..card import Plane
from .nuclear import SIDE

PHOTOGRAPHS: Final = ("astronaut.png", "camera.png", "chelsea.png", "coffee.png", "rocket.jpg")
"""Photographs of scikit-image without copyright restrictions (public domain or CC0), each with a camera's real noise."""

_PATCHES: Final = 1200
_NOISE_WEIGHT: Final = 0.4

# Inexact augmented Lagrangian: the penalty grows by a tenth a step until the constraints hold to the tolerance.
_FIRST_PENALTY: Final = 1e-6
_LARGEST_PENALTY: Final = 1e6
_GROWTH: Final = 1.1
_TOLERANCE: Final = 1e-6
_MOST_STEPS: Final = 1000


def main(arguments: Sequence[str] | None = None) -> None:
    """Learn a projection and write it with its birth."""
    parser = argparse.ArgumentParser(description="Learn the projection that latlrr decomposes by.")
    parser.add_argument("photographs", nargs="*", type=Path, help="image files (default: five of scikit-image's)")
    parser.add_argument("--seed", type=int, default=0, help="which patches are drawn (default 0)")
    default = Path(__file__).parent / "data" / "latlrr_matrix.npz"
    parser.add_argument("-o", "--output", type=Path, default=default, help="the .npz file (default: the package's own)")
    asked = parser.parse_args(arguments)
    try:
        files = asked.photographs or bundled()
        projection = learn(patches(files, asked.seed))
    except UserError as error:
        sys.exit(str(error))
    np.savez(asked.output, L=projection, birth=np.array(_birth(files, asked.seed)))
    print(f"{asked.output}: a projection of norm {np.linalg.norm(projection, 2):.4f}")


def bundled() -> list[Path]:
    """The files of `PHOTOGRAPHS`.

    Raises
    ------
    UserError
        Where scikit-image is not installed.
    """
    found = find_spec("skimage")
    if found is None or found.origin is None:
        raise UserError("The photographs come with scikit-image: install it, or name other photographs.")
    return [Path(found.origin).parent / "data" / name for name in PHOTOGRAPHS]


def patches(files: Sequence[Path], seed: int) -> Plane:
    """Patches drawn at random from all that tile the photographs, as many from each.

    Parameters
    ----------
    files : sequence of Path
        Images, grey or colour; of the latter the luma is taken.
    seed : int
        Of the random generator.

    Returns
    -------
    ndarray, (64, 1200)
        The columns of each patch one after the other, 0..1.
    """
    generator = np.random.default_rng(seed)
    drawn = []
    for file, share in zip(files, np.array_split(np.arange(_PATCHES), len(files)), strict=True):
        tiles = _tiles(pixels.luma(pixels.to_levels(images.read(file)), "matlab") / 255)
        if len(tiles) < share.size:
            raise UserError(f"{file} is too small: it gives {len(tiles)} of the {share.size} patches that are needed.")
        drawn.append(tiles[generator.choice(len(tiles), share.size, replace=False)])
    return np.concatenate(drawn).T


def _tiles(plane: Plane) -> Plane:
    height, width = (n - n % SIDE for n in plane.shape)
    tiles = plane[:height, :width].reshape(height // SIDE, SIDE, width // SIDE, SIDE)
    return tiles.transpose(0, 2, 3, 1).reshape(-1, SIDE * SIDE)


def learn(data: Plane, noise_weight: float = _NOISE_WEIGHT) -> Plane:
    """Minimise ``|Z|_* + |L|_* + noise_weight * |E|_1`` under ``X = X Z + L X + E``.

    Parameters
    ----------
    data : ndarray, (d, n)
        X, one sample a column.
    noise_weight : float
        Weight of the sum of magnitudes of what neither explains.

    Returns
    -------
    ndarray, (d, d)
        L, the projection on the salient part.

    Raises
    ------
    ArithmeticError
        If the constraints do not come to hold.

    Notes
    -----
    Z and everything that is compared with it stay in the row space of X; so Z is kept as its coefficients C in the right
    singular basis V of X, ``Z = V C``, and no n x n matrix is ever decomposed.
    """
    d, n = data.shape
    left, strengths, basis = np.linalg.svd(data, full_matrices=False)
    scaled = strengths[:, np.newaxis] * left.T
    for_coefficients = 1 / (1 + strengths**2)[:, np.newaxis]
    for_projection = np.linalg.inv(np.eye(d) + data @ data.T)

    coefficients, projection, noise = np.zeros((strengths.size, n)), np.zeros((d, d)), np.zeros((d, n))
    # Multipliers of the three constraints: of X, of Z and its low-rank twin, of L and its twin.
    of_data, of_coefficients, of_projection = noise.copy(), coefficients.copy(), projection.copy()
    penalty = _FIRST_PENALTY
    for _ in range(_MOST_STEPS):
        low_coefficients = _shrink_singular_values(coefficients + of_coefficients / penalty, 1 / penalty)
        low_projection = _shrink_singular_values(projection + of_projection / penalty, 1 / penalty)
        coefficients = for_coefficients * (
            scaled @ (data - projection @ data - noise + of_data / penalty)
            + low_coefficients
            - of_coefficients / penalty
        )
        explained = scaled.T @ coefficients
        projection = (
            (data - explained - noise + of_data / penalty) @ data.T + low_projection - of_projection / penalty
        ) @ for_projection
        rest = data - explained - projection @ data
        noise = _soft(rest + of_data / penalty, noise_weight / penalty)

        data_gap = rest - noise
        coefficients_gap = coefficients - low_coefficients
        projection_gap = projection - low_projection
        gaps = (data_gap, basis.T @ coefficients_gap, projection_gap)
        if max(float(np.abs(gap).max()) for gap in gaps) < _TOLERANCE:
            return projection
        of_data += penalty * data_gap
        of_coefficients += penalty * coefficients_gap
        of_projection += penalty * projection_gap
        penalty = min(_GROWTH * penalty, _LARGEST_PENALTY)
    raise ArithmeticError(f"The constraints do not hold after {_MOST_STEPS} steps.")


def _shrink_singular_values(matrix: Plane, threshold: float) -> Plane:
    left, values, right = np.linalg.svd(matrix, full_matrices=False)
    shrunk: Plane = (left * np.maximum(values - threshold, 0)) @ right
    return shrunk


def _soft(values: Plane, threshold: float) -> Plane:
    return np.sign(values) * np.maximum(np.abs(values) - threshold, 0)


def _birth(files: Sequence[Path], seed: int) -> str:
    """How the projection was made, as JSON."""
    return json.dumps(
        {
            "program": "python -m fusionbench.baselines.classical.learn_latlrr",
            "seed": seed,
            "photographs": {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files},
            "fusionbench": __version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
        }
    )


if __name__ == "__main__":
    main()
