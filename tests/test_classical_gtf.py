"""Gradient transfer: its exact solver beside linear programming, its early-stopped one beside sparse matrices."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.optimize import linprog
from scipy.sparse.linalg import LinearOperator, cg

from fusionbench.baselines.classical.gtf import gradient_transfer_fusion
from fusionbench.types import UserError


def forward_differences(height: int, width: int) -> tuple[sp.csr_array, sp.csr_array]:
    """Along the rows and down the columns, 0 at the far edge, for pixels in reading order."""

    def one_axis(n: int) -> sp.csr_array:
        d = sp.diags_array([-np.ones(n), np.ones(n - 1)], offsets=[0, 1]).tolil()
        d[n - 1, :] = 0
        return d.tocsr()

    across = sp.kron(sp.eye_array(height), one_axis(width)).tocsr()
    return across, sp.kron(one_axis(height), sp.eye_array(width)).tocsr()


def objective(correction: np.ndarray, difference: np.ndarray, weight: float) -> float:
    across = np.diff(correction, axis=1, append=correction[:, -1:])
    down = np.diff(correction, axis=0, append=correction[-1:])
    length = np.sqrt((across**2 + down**2).sum(axis=2))
    return float(np.abs(correction - difference).sum() + weight * length.sum())


def test_admm_reaches_the_minimum_of_a_linear_program() -> None:
    # Images that are the same in every row: the length of a gradient is then an absolute value.
    rng = np.random.default_rng(5)
    width, weight = 36, 2.0
    difference = rng.choice([0.1, 0.9, 0.5], width, p=[0.5, 0.4, 0.1]) + rng.normal(0, 0.05, width)
    d = forward_differences(1, width)[0].toarray()[:-1]
    eye, zero = np.eye(width), np.zeros
    # u, then bounds of |u - s| and of |d u|.
    upper = np.block(
        [
            [eye, -eye, zero((width, width - 1))],
            [-eye, -eye, zero((width, width - 1))],
            [d, zero((width - 1, width)), -np.eye(width - 1)],
            [-d, zero((width - 1, width)), -np.eye(width - 1)],
        ]
    )
    limit = np.concatenate([difference, -difference, zero(2 * (width - 1))])
    cost = np.concatenate([zero(width), np.ones(width), weight * np.ones(width - 1)])
    best = linprog(cost, upper, limit, bounds=(None, None)).fun

    ir = np.tile(255 * difference, (32, 1))
    vis = np.zeros_like(ir)
    correction = gradient_transfer_fusion(ir, vis, weight=weight, solver="admm", steps=600) / 255
    reached = objective(correction[..., np.newaxis], ir[..., np.newaxis] / 255, weight) / 32
    assert best <= reached * (1 + 1e-9)
    assert reached == pytest.approx(best, rel=1e-4)


def reweighted(ir: np.ndarray, vis: np.ndarray, weight: float, steps: int) -> np.ndarray:
    """The authors' iteration on vectors and sparse matrices."""
    height, width, channels = vis.shape
    operators = forward_differences(height, width)
    s = ((ir[..., np.newaxis] - vis) / 255).transpose(2, 0, 1).reshape(channels, -1)
    u = s.copy()
    for step in range(steps):
        squared = sum(((d @ u.T) ** 2).sum(axis=1) for d in operators)
        centres, k = first_bin_above(squared, 0.01)
        variation = sp.diags_array(2 / np.sqrt(np.maximum(squared, centres[k] if centres[k] > 0 else centres[k + 1])))
        if step == 0:
            w = np.full(s.shape, 2 * np.sqrt(0.1))
        else:
            distance = np.abs(u - s)
            centres, k = first_bin_above(distance, 0.05)
            w = np.sqrt(np.maximum(distance, centres[k + 1]) / 2)
        smooth = sum(d.T @ variation @ d for d in operators)
        matrix = sp.block_diag([smooth] * channels)
        scale = sp.diags_array(w.ravel())
        system = sp.eye_array(s.size) + weight * scale @ matrix @ scale
        goal, start = (s / w).ravel(), (u / w).ravel()
        first = np.linalg.norm(goal - system @ start) / np.linalg.norm(goal)
        products = LinearOperator(system.shape, matvec=lambda v, a=system: a @ v, dtype=float)
        v, failed = cg(products, goal, start, rtol=min(first / 5, 1 - 2**-53), atol=0, maxiter=500)
        assert not failed
        u = w * v.reshape(s.shape)
    return vis + 255 * u.reshape(channels, height, width).transpose(1, 2, 0)


def first_bin_above(values: np.ndarray, fraction: float) -> tuple[np.ndarray, int]:
    centres = np.linspace(values.min(), values.max(), 1000)
    edges = np.concatenate([[-np.inf], (centres[1:] + centres[:-1]) / 2, [np.inf]])
    counts, _ = np.histogram(values, edges)
    return centres, int(np.argmax(np.cumsum(counts) > fraction * values.size))


def test_irn_follows_the_authors() -> None:
    rng = np.random.default_rng(8)
    y, x = np.mgrid[:33, :38]
    ir = 50 + 150 * (np.hypot(y - 14, x - 20) < 9) + rng.normal(0, 5, y.shape)
    vis = np.stack([90 + 60 * np.sin(x / 4), 120 + 60 * np.cos(y / 5), 80 + x + y], axis=-1) + rng.normal(
        0, 5, (33, 38, 3)
    )
    expected = reweighted(ir, vis, 4.0, 5)
    np.testing.assert_allclose(gradient_transfer_fusion(ir, vis), expected, rtol=0, atol=1e-7)
    # A plane is a colour image of one channel.
    plane = vis[..., 1]
    expected = reweighted(ir, plane[..., np.newaxis], 4.0, 5)[..., 0]
    np.testing.assert_allclose(gradient_transfer_fusion(ir, plane), expected, rtol=0, atol=1e-7)


def test_without_weight_it_is_the_infrared_image() -> None:
    ir, vis = np.random.default_rng(2).uniform(0, 255, (2, 32, 35))
    for weight in (0.0, 1e-17):
        np.testing.assert_allclose(gradient_transfer_fusion(ir, vis, weight=weight), ir, rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    ("wrong", "word"), [({"solver": "cg"}, "'cg'"), ({"weight": -1.0}, "weight=-1"), ({"steps": 0}, "steps=0")]
)
def test_wrong_parameters_are_refused(wrong: dict[str, object], word: str) -> None:
    flat = np.zeros((32, 32))
    with pytest.raises(UserError, match=word):
        gradient_transfer_fusion(flat, flat, **wrong)  # type: ignore[arg-type]
