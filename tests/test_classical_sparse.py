"""Sparse coding, fusion by it, dictionaries from files, and the learning of one."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat
from sklearn.linear_model import orthogonal_mp

from fusionbench.baselines.classical import learn_dictionary
from fusionbench.baselines.classical.choose import choose_max
from fusionbench.baselines.classical.contourlet import Scales, merge_scales, split_scales, stronger
from fusionbench.baselines.classical.laplacian import (
    Pyramid,
    from_laplacian,
    from_ratio,
    laplacian_pyramid,
    ratio_pyramid,
)
from fusionbench.baselines.classical.learn_latlrr import PHOTOGRAPHS, bundled
from fusionbench.baselines.classical.multiscale_sparse import (
    contourlet_sparse,
    laplacian_sparse,
    ratio_sparse,
    sparse_representation,
)
from fusionbench.baselines.classical.sparse import (
    Codes,
    Dictionary,
    dictionary_of,
    encode,
    fuse_codes,
    own_dictionary,
    pursue,
    read_array,
    read_dictionary,
)
from fusionbench.types import UserError


def random_dictionary(side: int, size: int, seed: int = 0) -> Dictionary:
    columns = np.random.default_rng(seed).normal(size=(side * side, size))
    return dictionary_of(columns / np.linalg.norm(columns, axis=0))


def plane(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0, 255, shape)


# Pursuit


@pytest.mark.parametrize("size", [20, 64, 100])
@pytest.mark.parametrize("most", [1, 5, 13])
def test_pursuit_takes_the_atoms_that_scikit_learn_takes(size: int, most: int) -> None:
    dictionary = random_dictionary(6, size)
    signals = np.random.default_rng(1).normal(size=(30, 36))
    atoms, weights = pursue(signals, dictionary, 1e-9, most)
    expected = orthogonal_mp(dictionary.columns, signals.T, n_nonzero_coefs=most).T.reshape(30, size)
    dense = np.zeros((30, size))
    np.put_along_axis(dense, atoms, weights, axis=1)
    np.testing.assert_allclose(dense, expected, atol=1e-10)


def test_pursuit_stops_at_the_tolerance_and_not_before() -> None:
    dictionary = random_dictionary(4, 50)
    signals = np.random.default_rng(2).normal(size=(40, 16)) * 10
    atoms, weights = pursue(signals, dictionary, 1.0, 16)
    for signal, chosen, weight in zip(signals, atoms, weights, strict=True):
        used = chosen[weight != 0]
        assert len(set(used)) == len(used)
        for count, beyond in ((len(used), False), (len(used) - 1, True)):
            columns = dictionary.columns[:, used[:count]]
            rest = signal - columns @ np.linalg.lstsq(columns, signal)[0]
            assert bool(np.linalg.norm(rest) > 1.0) == beyond


def test_pursuit_ends_where_no_atom_is_left_to_help() -> None:
    columns = np.eye(9)[:, [0, 1, 2, 2]]
    signals = np.array([np.zeros(9), np.eye(9)[5], 3 * np.eye(9)[2] + np.eye(9)[5], np.arange(9.0)])
    atoms, weights = pursue(signals, dictionary_of(columns), 0.1, 9)
    assert np.count_nonzero(weights, axis=1).tolist() == [0, 0, 1, 2]
    assert (atoms[2, 0], weights[2, 0]) == (2, 3.0)


def test_pursuit_of_one_signal_does_not_depend_on_the_others() -> None:
    dictionary, signals = random_dictionary(5, 40), np.random.default_rng(3).normal(size=(7, 25))
    together = pursue(signals, dictionary, 0.5, 25)
    for alone in range(7):
        for one, all_of_them in zip(pursue(signals[[alone]], dictionary, 0.5, 25), together, strict=True):
            np.testing.assert_array_equal(one[0], all_of_them[alone])


# Fusion of codes


def slow_fusion(
    p: np.ndarray, q: np.ndarray, columns: np.ndarray, side: int, stride: int, tolerance: float
) -> np.ndarray:
    """Patch by patch, coded by least squares on the atoms taken so far."""
    total, count = np.zeros_like(p), np.zeros_like(p)
    for y in range(0, p.shape[0] - side + 1, stride):
        for x in range(0, p.shape[1] - side + 1, stride):
            candidates = []
            for image in (p, q):
                patch = image[y : y + side, x : x + side].flatten("F")
                rest, taken, weights = patch - patch.mean(), [], np.zeros(0)
                while np.linalg.norm(rest) > tolerance and len(taken) < side**2:
                    best = int(np.argmax(np.abs(columns.T @ rest)))
                    if best in taken:
                        break
                    taken.append(best)
                    weights = np.linalg.lstsq(columns[:, taken], patch - patch.mean())[0]
                    rest = patch - patch.mean() - columns[:, taken] @ weights
                candidates.append((np.abs(weights).sum(), patch - rest))
            winner = candidates[0] if candidates[0][0] >= candidates[1][0] else candidates[1]
            total[y : y + side, x : x + side] += winner[1].reshape(side, side, order="F")
            count[y : y + side, x : x + side] += 1
    return np.where(count > 0, total / np.maximum(count, 1), (p + q) / 2)


@pytest.mark.parametrize("stride", [1, 2, 3])
def test_patches_compete_with_their_means(stride: int) -> None:
    dictionary = random_dictionary(4, 40)
    p, q = plane(13, 15), plane(13, 15, seed=1)
    codes: list[Codes] = [encode(x, dictionary, stride, 5.0) for x in (p, q)]
    fused = fuse_codes(p, q, *codes, dictionary, stride)
    np.testing.assert_allclose(fused, slow_fusion(p, q, dictionary.columns, 4, stride, 5.0), atol=1e-9)
    assert not np.allclose(fused, (p + q) / 2, atol=5)


def test_sparse_representation_is_the_slow_fusion_in_our_own_dictionary() -> None:
    ir, vis = np.round(plane(17, 20)), np.round(plane(17, 20, seed=1))
    expected = slow_fusion(ir, vis, own_dictionary().columns, 8, 2, 0.1)
    np.testing.assert_allclose(sparse_representation(ir, vis), expected, atol=1e-6)


@pytest.mark.parametrize("name", ["lp-sr", "rp-sr", "nsct-sr"])
def test_low_pass_images_are_fused_by_their_codes(name: str, tmp_path: Path) -> None:
    dictionary = random_dictionary(4, 40)
    np.savez(tmp_path / "D.npz", D=dictionary.columns)
    words = {"dictionary": tmp_path / "D.npz", "stride": 3, "tolerance": 5.0}
    ir, vis = np.round(plane(35, 37)), np.round(plane(35, 37, seed=1))
    if name == "nsct-sr":
        scales = [split_scales(x, 2) for x in (ir, vis)]
        low = slow_fusion(scales[0].low, scales[1].low, dictionary.columns, 4, 3, 5.0)
        expected = merge_scales(Scales(stronger(*scales, (2, 4)), low))
        fused = contourlet_sparse(ir, vis, directions=(2, 4), **words)
    else:
        method, split, merge = {
            "lp-sr": (laplacian_sparse, laplacian_pyramid, from_laplacian),
            "rp-sr": (ratio_sparse, ratio_pyramid, from_ratio),
        }[name]
        first, second = (split(x, 2) for x in (ir, vis))
        low = slow_fusion(first.low, second.low, dictionary.columns, 4, 3, 5.0)
        bands = [choose_max(a, b) for a, b in zip(first.bands, second.bands, strict=True)]
        expected = merge(Pyramid(bands, low, ir.shape))
        fused = method(ir, vis, levels=2, **words)
    np.testing.assert_allclose(fused, expected, atol=1e-6)


def test_ties_go_to_the_first_and_flat_planes_stay_flat() -> None:
    dictionary = own_dictionary()
    dark, bright = np.full((20, 20), 10.0), np.full((20, 20), 200.0)
    codes = [encode(x, dictionary, 2) for x in (dark, bright)]
    np.testing.assert_array_equal(fuse_codes(dark, bright, *codes, dictionary, 2), dark)


def test_what_no_patch_covers_is_averaged() -> None:
    dictionary = own_dictionary()
    p, q = plane(11, 13), plane(11, 13, seed=1)
    fused = fuse_codes(p, q, *(encode(x, dictionary, 2) for x in (p, q)), dictionary, 2)
    np.testing.assert_array_equal(fused[10:], (p + q)[10:] / 2)
    np.testing.assert_array_equal(fused[:, 12:], (p + q)[:, 12:] / 2)
    small = [x[:7, :9] for x in (p, q)]
    fused = fuse_codes(*small, *(encode(x, dictionary, 2) for x in small), dictionary, 2)
    np.testing.assert_array_equal(fused, (small[0] + small[1]) / 2)


@pytest.mark.parametrize("method", [sparse_representation, laplacian_sparse, ratio_sparse, contourlet_sparse])
def test_busy_source_wins_over_the_flat_one(method) -> None:
    busy, flat = 60 + np.round(plane(48, 64)) / 2, np.full((48, 64), 20.0)
    words = {"levels": 2} if method in (laplacian_sparse, ratio_sparse) else {}
    for ir, vis in ((busy, flat), (flat, busy)):
        assert np.abs(method(ir, vis, **words) - busy).mean() < np.abs(flat - busy).mean() / 20


@pytest.mark.parametrize(("words", "message"), [({"stride": 9}, "give 1 to 8"), ({"tolerance": 0.0}, "out of range")])
def test_stride_and_tolerance_are_checked(words: dict[str, float], message: str) -> None:
    with pytest.raises(UserError, match=message):
        sparse_representation(plane(32, 32), plane(32, 32), **words)


# Files


def test_user_dictionary_is_read_from_both_kinds_of_files(tmp_path: Path) -> None:
    columns = random_dictionary(5, 30).columns
    savemat(tmp_path / "theirs.mat", {"D": columns, "other": 1.0})
    np.savez(tmp_path / "ours.npz", dictionary=columns)
    ir, vis = plane(32, 33), plane(32, 33, seed=1)
    fused = [sparse_representation(ir, vis, dictionary=tmp_path / name) for name in ("theirs.mat", "ours.npz")]
    np.testing.assert_array_equal(*fused)
    assert np.abs(fused[0] - sparse_representation(ir, vis)).max() > 1
    assert read_dictionary(tmp_path / "ours.npz").side == 5


def test_changed_dictionary_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "D.npz"
    for seed in (0, 1):
        columns = random_dictionary(5, 30, seed).columns
        np.savez(file, D=columns)
        file.touch()
        np.testing.assert_array_equal(read_dictionary(file).columns, columns)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("D.npz", {"D": np.ones((64, 3))}, "whose length is not 1"),
        ("D.npz", {"D": np.eye(60)}, r"of shape \(60, 60\)"),
        ("D.npz", {"D": np.full((64, 2), np.nan)}, "whose length is not 1"),
        ("D.npz", {"E": np.eye(64)}, "no array called D or dictionary"),
        ("D.npz", {"D": np.array(["a", "b"])}, "of real numbers"),
        ("D.npz", {"D": np.array([object()])}, "cannot be read as a NumPy archive"),
        ("D.npz", b"PK but no archive", "cannot be read as a NumPy archive"),
        ("D.mat", b"no matrix", "cannot be read as a MATLAB file"),
        ("D.txt", b"1 2 3", "neither a .mat nor a .npz file"),
        ("D.npz", None, "does not exist"),
    ],
)
def test_bad_file_is_named(
    tmp_path: Path, name: str, content: dict[str, np.ndarray] | bytes | None, message: str
) -> None:
    file = tmp_path / name
    if isinstance(content, bytes):
        file.write_bytes(content)
    elif content is not None:
        np.savez(file, **content)
    with pytest.raises(UserError, match=message) as raised:
        read_dictionary(file)
    assert name in str(raised.value)


def test_first_name_is_taken(tmp_path: Path) -> None:
    file = tmp_path / "several.npz"
    np.savez(file, a=np.arange(3, dtype=np.float32), b=np.arange(4))
    assert read_array(file, ("c", "b", "a")).tolist() == [0, 1, 2, 3]
    assert read_array(file, ("a",)).dtype == np.float32


# Learning


def test_learning_finds_the_atoms_that_made_the_signals() -> None:
    rng = np.random.default_rng(0)
    truth = random_dictionary(4, 24).columns
    weights = np.zeros((1500, 24))
    for row in weights:
        row[rng.choice(24, 3, replace=False)] = rng.normal(size=3)
    learned = learn_dictionary.learn(weights @ truth.T, 24, 3, 40, rng)
    np.testing.assert_allclose(np.linalg.norm(learned, axis=0), 1)
    found = np.abs(truth.T @ learned).max(axis=1) > 0.99
    assert found.sum() >= 20


def test_learning_replaces_atoms_that_nothing_needs() -> None:
    signals = np.tile(np.eye(16)[:4] * 7, (20, 1))
    learned = learn_dictionary.learn(signals, 6, 1, 5, np.random.default_rng(0))
    assert set(np.abs(learned).argmax(axis=0)) == {0, 1, 2, 3}


def test_own_dictionary_has_a_birth_and_beats_cosines_on_a_photograph_it_has_not_seen() -> None:
    file = Path(learn_dictionary.__file__).parent / "data" / "sr_dictionary.npz"
    birth = json.loads(str(read_birth(file)))
    assert birth["photographs"] == {
        photograph.name: hashlib.sha256(photograph.read_bytes()).hexdigest() for photograph in bundled()
    }
    own = own_dictionary()
    assert own.columns.shape == (64, 256)
    np.testing.assert_allclose(own.columns.sum(axis=0), 0, atol=1e-12)

    k = np.arange(16)
    cosines = np.cos(np.pi * np.outer(2 * np.arange(8) + 1, k) / 32)
    cosines[:, 1:] -= cosines[:, 1:].mean(axis=0)
    both = np.kron(cosines, cosines)
    both /= np.linalg.norm(both, axis=0)
    unseen = bundled()[0].with_name("coins.png")
    assert unseen.name not in PHOTOGRAPHS
    patches = learn_dictionary.patches([unseen], 500, np.random.default_rng(0))
    errors = []
    for dictionary in (own, dictionary_of(both)):
        atoms, weights = pursue(patches, dictionary, 1e-9, 5)
        written = np.einsum("nkp,nk->np", dictionary.columns.T[atoms], weights)
        errors.append(np.square(patches - written).mean())
    assert errors[0] < 0.9 * errors[1]


def read_birth(file: Path) -> np.ndarray:
    with np.load(file) as archive:
        return archive["birth"]


def test_command_writes_the_same_dictionary_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(learn_dictionary, "_PATCHES", 1500)
    monkeypatch.setattr(learn_dictionary, "_ROUNDS", 2)
    outputs = [tmp_path / name for name in ("one.npz", "two.npz", "other.npz")]
    for output, seed in zip(outputs, ("3", "3", "4"), strict=True):
        learn_dictionary.main(["--seed", seed, "-o", str(output)])
    assert "256 atoms" in capsys.readouterr().out
    one, two, other = (read_dictionary(output).columns for output in outputs)
    np.testing.assert_array_equal(one, two)
    assert np.abs(one - other).max() > 0.1


def test_photograph_that_is_too_small_is_named(tmp_path: Path) -> None:
    from fusionbench import images

    images.write(tmp_path / "tiny.png", np.zeros((7, 40), np.uint8))
    with pytest.raises(SystemExit, match=r"tiny\.png' is too small"):
        learn_dictionary.main([str(tmp_path / "tiny.png"), "-o", str(tmp_path / "D.npz")])
