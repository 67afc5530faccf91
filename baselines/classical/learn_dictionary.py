"""Learn the dictionary that the sparse methods write patches in, from photographs: K-SVD.

    python -m fusionbench.baselines.classical.learn_dictionary

makes the file that comes with the package again, from photographs in the public domain that come with scikit-image. Its
256 atoms of 8x8 pixels are learned from 100,000 patches, as those of the authors are; five atoms may write a patch.

References
----------
.. [1] M. Aharon, M. Elad, A. Bruckstein, "K-SVD: an algorithm for designing overcomplete dictionaries for sparse
   representation", IEEE Trans. Signal Processing 54(11), 2006, doi:10.1109/TSP.2006.881199.
.. [2] R. Rubinstein, M. Zibulevsky, M. Elad, "Efficient implementation of the K-SVD algorithm using batch orthogonal
   matching pursuit", Technion CS-2008-08, 2008: one alternating step in place of each singular value decomposition.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import platform
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from fusionbench import __version__, images, pixels
from fusionbench.types import UserError

from ..card import Plane
from .learn_latlrr import bundled
from .sparse import dictionary_of, pursue

SIDE: Final = 8
ATOMS: Final = 256

_PATCHES: Final = 100_000
_SPARSITY: Final = 5
_ROUNDS: Final = 25
# Two atoms this alike are one.
_ALIKE: Final = 0.99


def main(arguments: Sequence[str] | None = None) -> None:
    """Learn a dictionary and write it with its birth."""
    parser = argparse.ArgumentParser(description="Learn the dictionary of the sparse methods.")
    parser.add_argument("photographs", nargs="*", type=Path, help="image files (default: five of scikit-image's)")
    parser.add_argument("--seed", type=int, default=0, help="which patches are drawn (default 0)")
    default = Path(__file__).parent / "data" / "sr_dictionary.npz"
    parser.add_argument("-o", "--output", type=Path, default=default, help="the .npz file (default: the package's own)")
    asked = parser.parse_args(arguments)
    try:
        files = asked.photographs or bundled()
        generator = np.random.default_rng(asked.seed)
        columns = learn(patches(files, _PATCHES, generator), ATOMS, _SPARSITY, _ROUNDS, generator)
    except UserError as error:
        sys.exit(str(error))
    np.savez(asked.output, D=columns, birth=np.array(_birth(files, asked.seed)))
    print(f"{asked.output}: {columns.shape[1]} atoms")


def patches(files: Sequence[Path], count: int, generator: np.random.Generator) -> Plane:
    """Patches drawn at random from photographs, as many from each, without their means.

    Parameters
    ----------
    files : sequence of Path
        Images, grey or colour; of the latter the luma is taken.
    count : int
        How many.
    generator : Generator
        Draws them.

    Returns
    -------
    ndarray, (count, 64)
        The columns of each patch one after the other, in levels.

    Raises
    ------
    UserError
        If a photograph has fewer patches than are needed.
    """
    drawn = []
    for file, share in zip(files, np.array_split(np.arange(count), len(files)), strict=True):
        plane = pixels.luma(pixels.to_levels(images.read(file)), "matlab")
        height, width = (max(n - SIDE + 1, 0) for n in plane.shape)
        if height * width < share.size:
            raise UserError(f"'{file}' is too small to draw {share.size} patches from: leave it out.")
        places = np.unravel_index(generator.choice(height * width, share.size, replace=False), (height, width))
        windows = sliding_window_view(plane, (SIDE, SIDE))[places]
        drawn.append(windows.transpose(0, 2, 1).reshape(-1, SIDE * SIDE).astype(np.float64))
    together = np.concatenate(drawn)
    centred: Plane = together - together.mean(axis=1, keepdims=True)
    return centred


def learn(signals: Plane, size: int, sparsity: int, rounds: int, generator: np.random.Generator) -> Plane:
    """Atoms that write signals well, few at a time: sparse coding and improving the atoms take turns.

    Parameters
    ----------
    signals : ndarray, (N, n)
        One a row; n is the square of a patch's side.
    size : int
        How many atoms.
    sparsity : int
        How many of them may write a signal.
    rounds : int
        How many turns.
    generator : Generator
        Draws the signals that the atoms start from, and the order in which they are improved.

    Returns
    -------
    ndarray, (n, size)
        The atoms as columns of unit length.
    """
    lengths = np.linalg.norm(signals, axis=1)
    first = generator.choice(np.flatnonzero(lengths), size, replace=False)
    columns = np.ascontiguousarray((signals[first] / lengths[first, np.newaxis]).T)
    for _ in range(rounds):
        atoms, weights = pursue(signals, dictionary_of(columns), 0.0, sparsity)
        rest = signals.copy()
        for k in range(sparsity):
            rest -= weights[:, k, np.newaxis] * columns.T[atoms[:, k]]
        _improve(columns, rest, atoms, weights, generator.permutation(size))
        _replace(columns, rest, atoms, weights)
    return columns


def _improve(columns: Plane, rest: Plane, atoms: NDArray[np.int32], weights: Plane, order: NDArray[np.intp]) -> None:
    """Turn each atom towards what the signals that use it leave without it; their other weights stay."""
    uses = np.flatnonzero(weights)
    uses = uses[np.argsort(atoms.ravel()[uses], kind="stable")]
    bounds = np.searchsorted(atoms.ravel()[uses], np.arange(columns.shape[1] + 1))
    sparsity = atoms.shape[1]
    for atom in order:
        signal, place = np.divmod(uses[bounds[atom] : bounds[atom + 1]], sparsity)
        weight = weights[signal, place]
        without = rest[signal] + weight[:, np.newaxis] * columns[:, atom]
        turned = weight @ without
        length = np.linalg.norm(turned)
        if length == 0:
            continue
        columns[:, atom] = turned / length
        weights[signal, place] = without @ columns[:, atom]
        rest[signal] = without - weights[signal, place, np.newaxis] * columns[:, atom]


def _replace(columns: Plane, rest: Plane, atoms: NDArray[np.int32], weights: Plane) -> None:
    """Put the rests of the signals that are written worst in the place of atoms that nothing uses or that repeat another one."""
    used = np.bincount(atoms[weights != 0], minlength=columns.shape[1]) > 0
    alike = np.triu(np.abs(columns.T @ columns), 1).max(axis=0) > _ALIKE
    worst = iter(np.argsort(-np.square(rest).sum(axis=1), kind="stable"))
    for atom in np.flatnonzero(~used | alike):
        signal = rest[next(worst)]
        length = np.linalg.norm(signal)
        if length > 0:
            columns[:, atom] = signal / length


def _birth(files: Sequence[Path], seed: int) -> str:
    """How the dictionary was made, as JSON."""
    return json.dumps(
        {
            "program": "python -m fusionbench.baselines.classical.learn_dictionary",
            "seed": seed,
            "photographs": {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files},
            "patches": _PATCHES,
            "atoms per patch": _SPARSITY,
            "rounds": _ROUNDS,
            "fusionbench": __version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
        }
    )


if __name__ == "__main__":
    main()
