"""What methods cost: counts by hand, memory of a method that is known to take some, and what is printed."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from fusionbench import cli
from fusionbench.baselines import METHODS
from fusionbench.baselines.card import method
from fusionbench.baselines.learned.weights import NETWORKS
from fusionbench.costs import conditions, costs
from fusionbench.recipe import recipe
from fusionbench.types import UserError

# Multiplications a pixel, by hand: kernel taps times channels before times channels after.
_ENCODER = sum(cin * cin + 9 * cin * cout for cin, cout in ((1, 16), (16, 16), (16, 32), (32, 64)))
_SHORTCUTS = 1 * 16 + 16 * 32 + 32 * 64
_DECODER = sum(cin * cin + 10 * cin * cout for cin, cout in ((128, 64), (64, 32), (32, 16), (16, 1)))
_CLFNET = 2 * (_ENCODER + _SHORTCUTS) + _DECODER
_CS2FUSION = 9 * (
    2 * (1 * 16 + 16 * 16 + 32 * 16 + 48 * 16)
    + (128 * 64 + 64 * 32 + 32 * 16 + 16 * 1)
    + 2 * (64 * 64 + 64 * 32 + 64 * 16)
)
_ONCE = 2 * (64 + 32 + 16)
"""CS2Fusion's three demands are one product each of pooled features."""


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[..., Any]], None]:
    """Registers a method called "toy" for one test."""
    monkeypatch.setattr(METHODS, "_entries", dict(METHODS._entries))
    monkeypatch.setattr(METHODS, "_loaded", dict(METHODS._loaded))

    def register(function: Callable[..., Any]) -> None:
        card = {"title": "Toy", "authors": "nobody", "year": 2026, "doi": "", "summary": "A toy.", "defaults": "none"}
        method("toy", **card)(function)

    return register


def measured(*names: str, size: tuple[int, int] = (48, 32), runs: int = 1) -> list[Any]:
    return list(costs([recipe(name) for name in names], [size], runs))


@pytest.mark.parametrize(
    ("name", "parameters", "a_pixel", "once"),
    [("clfnet", 190_632, _CLFNET, 0), ("cs2fusion", 191_732, _CS2FUSION, _ONCE)],
)
def test_networks_are_counted(name: str, parameters: int, a_pixel: int, once: int) -> None:
    pytest.importorskip("torch", reason="networks need torch, an extra")
    (found,) = measured(name)
    assert found.parameters == parameters
    assert found.flops == 2 * (a_pixel * 48 * 32 + once)
    assert 0 < found.fastest <= found.milliseconds <= found.slowest


@pytest.mark.parametrize("name", list(NETWORKS))
def test_every_network_is_counted_without_weights(name: str) -> None:
    pytest.importorskip("torch", reason="networks need torch, an extra")
    from fusionbench.baselines.learned import networks

    assert networks.parameters(name) > 1000
    small, large = networks.flops(name, 64, 64), networks.flops(name, 128, 64)
    # At least one multiplication a pixel and learned number of the first layer; twice the image, about twice the work.
    assert small > 2 * 64 * 64
    assert 1.5 < large / small < 2.5


def test_coconet_needs_no_weights_to_be_measured() -> None:
    pytest.importorskip("torch", reason="networks need torch, an extra")
    (found,) = measured("coconet")
    assert found.parameters == 9_169_605
    assert conditions([recipe("coconet")], 1)["weights"] == "untrained, which cost the same"


def test_time_and_calls_are_those_of_the_method(toy: Callable[..., None]) -> None:
    shapes = []

    def slow(ir: np.ndarray, vis: np.ndarray) -> np.ndarray:
        shapes.append((ir.shape, vis.shape))
        time.sleep(0.01)
        return ir

    toy(slow)
    first, second = costs([recipe("toy")], [(48, 32), (64, 40)], 3)
    # Two to warm up and three that count, at each size.
    assert shapes == [((32, 48), (32, 48))] * 5 + [((40, 64), (40, 64))] * 5
    assert (first.width, first.height, second.width, second.height) == (48, 32, 64, 40)
    assert first.fastest >= 10
    assert first.parameters is None
    assert first.flops is None


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells how much memory was used at most")
def test_memory_is_what_the_method_takes_for_a_while(toy: Callable[..., None]) -> None:
    def greedy(ir: np.ndarray, vis: np.ndarray) -> np.ndarray:
        return ir + np.ones(20_000_000 // 8).mean()

    toy(greedy)
    (found,) = measured("toy", runs=2)
    assert found.memory is not None
    assert 20e6 <= found.memory < 25e6


def test_where_the_system_does_not_tell_memory_is_unknown(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    from fusionbench import costs as module

    monkeypatch.setattr(module, "_BEGIN_ANEW", tmp_path / "absent" / "file")
    (found,) = measured("average")
    assert found.memory is None


@pytest.mark.parametrize(
    ("runs", "size", "sentence"),
    [
        (0, (48, 32), "0 runs cannot be timed: ask for at least 1."),
        (1, (48, 31), "A synthetic scene cannot be 48 x 31: make it at least 32 x 32 pixels."),
    ],
)
def test_what_cannot_be_measured(runs: int, size: tuple[int, int], sentence: str) -> None:
    with pytest.raises(UserError) as caught:
        measured("average", size=size, runs=runs)
    assert str(caught.value) == sentence


def test_table_has_a_row_a_method_and_size_and_says_under_which_conditions(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["cost", "average", "max", "--size", "48x32", "--size", "40x40", "--runs", "1", "--quiet"]) == 0
    out = capsys.readouterr().out
    rows = [line.split() for line in out.splitlines()]
    assert rows[0] == ["method", "size", "parameters", "GFLOPs", "ms", "MB"]
    assert [row[:4] for row in rows[2:6]] == [
        [name, size, "-", "-"] for name in ("average", "max") for size in ("48x32", "40x40")
    ]
    assert f"numpy: {np.__version__}" in out
    assert "median of 1 runs" in out
    assert "networks only" in out
    assert "torch" not in out


def test_json_is_the_same_in_full(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("torch", reason="networks need torch, an extra")
    words = ["--size", "48x32", "--runs", "2", "--json", "--quiet", "--precision", "bf16"]
    assert cli.main(["cost", "average", "clfnet", *words]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [one["method"] for one in told["costs"]] == ["average", "clfnet"]
    assert [one["parameters"] for one in told["costs"]] == [None, 190_632]
    assert told["conditions"]["precision"] == "bf16"
    assert "threads of torch" in told["conditions"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ["average", "--size", "640"],
            "'--size 640' is no size: write width and height in pixels, e.g. --size 640x480.",
        ),
        (["average", "--device", "cpu"], "Nothing in average depends on --device: leave it out."),
        (["averag"], "Unknown method 'averag': did you mean average"),
        (["average", "--runs", "0"], "0 runs cannot be timed: ask for at least 1."),
    ],
)
def test_mistakes_are_one_sentence(words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["cost", *words]) == 2
    assert capsys.readouterr().err.startswith(f"fusionbench: {sentence}")
