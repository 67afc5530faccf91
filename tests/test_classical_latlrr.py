"""Latent low-rank fusion beside loops over patches; its eigenvalues beside LAPACK's; its matrix beside its birth."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusionbench.baselines.classical import latlrr, learn_latlrr
from fusionbench.baselines.classical.latlrr import latent_low_rank_fusion
from fusionbench.baselines.classical.nuclear import nuclear_norms
from fusionbench.types import UserError

STORED = Path(latlrr.__file__).parent / "data" / "latlrr_matrix.npz"


@given(seed=st.integers(0, 2**32 - 1), rank=st.integers(0, 8), exponent=st.integers(-9, 6), grading=st.floats(0, 3))
def test_nuclear_norms_of_any_rank(seed: int, rank: int, exponent: int, grading: float) -> None:
    rng = np.random.default_rng(seed)
    left, right = rng.normal(size=(2, 5, 8, rank))
    matrices = 10.0**exponent * (left * 10.0 ** (-grading * np.arange(rank))) @ right.transpose(0, 2, 1)
    expected = np.linalg.svd(matrices, compute_uv=False)
    error = np.abs(nuclear_norms(matrices.reshape(5, 64)) - expected.sum(axis=1))
    assert np.all(error <= 5e-7 * expected[:, 0])


def test_nuclear_norms_of_special_matrices() -> None:
    special = np.stack([np.zeros((8, 8)), np.ones((8, 8)), np.eye(8), np.diag(np.arange(8.0)), np.eye(8)[::-1]])
    np.testing.assert_allclose(nuclear_norms(special.reshape(-1, 64)), [0, 8, 8, 28, 8], rtol=1e-7)


def naive(ir: np.ndarray, vis: np.ndarray, matrix: np.ndarray, weights: list[int]) -> np.ndarray:
    height, width = ir.shape
    places = [(i, j) for i in range(height - 7) for j in range(width - 7)]

    def projected(image: np.ndarray) -> list[np.ndarray]:
        return [(matrix @ image[i : i + 8, j : j + 8].ravel(order="F")).reshape(8, 8, order="F") for i, j in places]

    def overlapped(patches: list[np.ndarray]) -> np.ndarray:
        total, count = np.zeros((2, height, width))
        for (i, j), patch in zip(places, patches, strict=True):
            total[i : i + 8, j : j + 8] += patch
            count[i : i + 8, j : j + 8] += 1
        return total / count

    a, b, fused = ir / 255, vis / 255, np.zeros((height, width))
    for weight in weights:
        of_a, of_b = projected(a), projected(b)
        strength = [(np.linalg.norm(p, "nuc"), np.linalg.norm(q, "nuc")) for p, q in zip(of_a, of_b, strict=True)]
        share = [p / (p + q) if p + q > 0 else 0.5 for p, q in strength]
        mixed = [s * p + (1 - s) * q for s, p, q in zip(share, of_a, of_b, strict=True)]
        fused += weight * overlapped(mixed)
        a, b = a - overlapped(of_a), b - overlapped(of_b)
    return 255 * (fused + (a + b) / 2)


@pytest.mark.parametrize(("accumulate", "weights"), [(False, [1, 1, 1]), (True, [3, 2, 1])])
def test_formulas(tmp_path: Path, accumulate: bool, weights: list[int]) -> None:
    rng = np.random.default_rng(1)
    ir, vis = np.round(rng.uniform(0, 255, (2, 14, 19)))
    # Nothing to see in either source: weights of 0/0.
    ir[:, :10] = vis[:, :10] = 0
    matrix = rng.normal(0, 0.05, (64, 64)) + 0.3 * np.eye(64)
    np.savez(tmp_path / "own.npz", L=matrix)
    fused = latent_low_rank_fusion(ir, vis, levels=3, accumulate=accumulate, matrix=tmp_path / "own.npz")
    np.testing.assert_allclose(fused, naive(ir, vis, matrix, weights), rtol=0, atol=1e-4)


def test_wrong_levels_and_matrices_are_refused(tmp_path: Path) -> None:
    plane = np.zeros((32, 32))
    with pytest.raises(UserError, match="levels=0"):
        latent_low_rank_fusion(plane, plane, levels=0)
    np.savez(tmp_path / "small.npz", L=np.eye(16))
    with pytest.raises(UserError, match=r"small\.npz .*\(16, 16\)"):
        latent_low_rank_fusion(plane, plane, matrix=tmp_path / "small.npz")


def learn_slowly(x: np.ndarray, noise_weight: float) -> np.ndarray:
    """The augmented Lagrangian with Z as the full n x n matrix."""
    d, n = x.shape
    z, low_z, y2 = np.zeros((3, n, n))
    projection, low_l, y3 = np.zeros((3, d, d))
    e, y1 = np.zeros((2, d, n))
    mu = 1e-6

    def shrink(m: np.ndarray, t: float) -> np.ndarray:
        u, s, v = np.linalg.svd(m)
        return (u * np.maximum(s - t, 0)) @ v

    while True:
        low_z, low_l = shrink(z + y2 / mu, 1 / mu), shrink(projection + y3 / mu, 1 / mu)
        z = np.linalg.solve(np.eye(n) + x.T @ x, x.T @ (x - projection @ x - e) + low_z + (x.T @ y1 - y2) / mu)
        right = (x - x @ z - e) @ x.T + low_l + (y1 @ x.T - y3) / mu
        projection = np.linalg.solve(np.eye(d) + x @ x.T, right.T).T
        rest = x - x @ z - projection @ x
        e = np.sign(rest + y1 / mu) * np.maximum(np.abs(rest + y1 / mu) - noise_weight / mu, 0)
        gaps = (rest - e, z - low_z, projection - low_l)
        if max(np.abs(gap).max() for gap in gaps) < 1e-6:
            return projection
        y1, y2, y3 = (y + mu * gap for y, gap in zip((y1, y2, y3), gaps, strict=True))
        mu = min(1.1 * mu, 1e6)


def test_learning_in_the_row_space_changes_nothing() -> None:
    rng = np.random.default_rng(4)
    data = rng.uniform(0.2, 0.8, (1, 25)) + 0.1 * rng.normal(size=(6, 3)) @ rng.normal(size=(3, 25))
    data += 0.3 * (rng.uniform(size=data.shape) < 0.05)
    np.testing.assert_allclose(learn_latlrr.learn(data), learn_slowly(data, 0.4), rtol=0, atol=1e-7)


def test_stored_matrix_comes_from_its_birth() -> None:
    pytest.importorskip("skimage", reason="scikit-image, whose photographs the matrix was learned from, is absent")
    with np.load(STORED) as stored:
        matrix, birth = stored["L"], json.loads(str(stored["birth"]))
    files = learn_latlrr.bundled()
    assert birth["photographs"] == {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}
    learned = learn_latlrr.learn(learn_latlrr.patches(files, birth["seed"]))
    np.testing.assert_allclose(learned, matrix, rtol=0, atol=1e-5)


def test_learning_writes_a_file_that_fuses(golden: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learn_latlrr, "_PATCHES", 120)
    learn_latlrr.main([str(golden / "formula/vis/1.png"), "--seed", "7", "-o", str(tmp_path / "l.npz")])
    rng = np.random.default_rng(0)
    ir, vis = rng.uniform(0, 255, (2, 32, 32))
    fused = latent_low_rank_fusion(ir, vis, levels=1, matrix=tmp_path / "l.npz")
    assert np.isfinite(fused).all()
    assert not np.array_equal(fused, latent_low_rank_fusion(ir, vis, levels=1))


def test_too_small_a_photograph_is_refused(golden: Path, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"1\.png is too small"):
        learn_latlrr.main([str(golden / "formula/vis/1.png"), "-o", str(tmp_path / "l.npz")])
    assert not (tmp_path / "l.npz").exists()
