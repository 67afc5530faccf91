"""Where the tests find things; nothing here decides what is right."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parents[1]
ON_CI = os.environ.get("CI", "").lower() in {"1", "true"}

# One place for compiled kernels, so that .ci/run's demo and tests share them. It must be named before numba is imported.
os.environ["NUMBA_CACHE_DIR"] = str(ROOT / ".cache" / "numba")

# What somebody gives to metrics here must not decide what the tests compute.
os.environ.pop("FUSIONBENCH_LPIPS", None)

settings.register_profile("ci", deadline=None, derandomize=True)
settings.register_profile("here", deadline=None)
settings.load_profile("ci" if ON_CI else "here")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs shared data, so that ``-m "not shared_data"`` leaves it out."""
    for item in items:
        if "shared" in getattr(item, "fixturenames", ()):
            item.add_marker("shared_data")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of images and reference numbers that may be used but not redistributed; skips where it is absent."""
    if ON_CI:
        pytest.skip("shared data is never used on CI")
    folder = Path(os.environ.get("FUSIONBENCH_SHARED", ROOT.parent / "shared"))
    if not folder.is_dir():
        pytest.skip(f"no folder of shared data at {folder}; FUSIONBENCH_SHARED names another one")
    return folder


@pytest.fixture(scope="session")
def lpips_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of LPIPS's AlexNet, by formula."""
    import numpy as np
    from perceptual import weights

    path = tmp_path_factory.mktemp("weights") / "alexnet.npz"
    np.savez(path, **weights("alexnet"))
    return path


@pytest.fixture
def lpips_weights(lpips_file: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """As a user gives them."""
    monkeypatch.setenv("FUSIONBENCH_LPIPS", str(lpips_file))
    return lpips_file


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Torch in one thread, as the authors' programs were run; sums of another order differ in the last bits."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def no_gradients() -> Iterator[None]:
    """What torch computes is not remembered for training."""
    import torch

    with torch.no_grad():
        yield


@pytest.fixture(scope="module")
def one_thread_of_blas() -> Iterator[None]:
    """BLAS in one thread, as where the detectors run; several would wait for one another on busy cores."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, user_api="blas"):
        yield


@pytest.fixture(scope="session")
def golden() -> Path:
    """The folder of numbers computed by other programs."""
    return ROOT / "tests" / "golden"
