"""Names, and what other packages add to them."""

from __future__ import annotations

import re
from importlib.metadata import EntryPoint
from typing import Any

import pytest

from fusionbench import registry
from fusionbench.metrics.card import metric
from fusionbench.registry import Registry
from fusionbench.types import UserError

GROUP = "fusionbench.things"


def with_plugins(monkeypatch: pytest.MonkeyPatch, *plugins: tuple[str, str]) -> Registry[object]:
    points = [EntryPoint(name, value, GROUP) for name, value in plugins]
    monkeypatch.setattr(registry, "entry_points", lambda group: [point for point in points if point.group == group])
    return Registry("thing", GROUP, {"sine": "math:sin"})


def test_names_are_loaded_when_asked_for_and_misspellings_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    things = with_plugins(monkeypatch)
    assert things["sine"](0.0) == 0.0  # type: ignore[operator]
    with pytest.raises(UserError, match=r"^Unknown thing 'sin': did you mean sine\?$"):
        things["sin"]


def test_other_packages_add_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    things = with_plugins(monkeypatch, ("cosine", "math:cos"))
    assert things.names() == ["sine", "cosine"]
    assert things["cosine"](0.0) == 1.0  # type: ignore[operator]


@pytest.mark.parametrize("value", ["no_such_module_anywhere:f", "math:no_such_function"])
def test_a_broken_package_costs_only_its_own_name(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    things = with_plugins(monkeypatch, ("broken", value))
    with pytest.raises(UserError, match=r"^The thing 'broken' comes from '\w+', which fails \(.*\): mend or uninstall"):
        things["broken"]
    assert things["sine"]


def test_a_mistake_of_ours_is_not_blamed_on_others(monkeypatch: pytest.MonkeyPatch) -> None:
    with_plugins(monkeypatch)
    with pytest.raises(AttributeError):
        Registry[object]("thing", GROUP, {"ours": "math:no_such_function"})["ours"]


def test_a_name_that_is_taken_is_not_taken_over_in_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    things = with_plugins(monkeypatch, ("sine", "math:cos"))
    with pytest.warns(UserWarning, match="The thing 'sine' of 'math:cos' is not used"):
        assert things["sine"](0.0) == 0.0  # type: ignore[operator]


@pytest.mark.parametrize("name", ["", "a,b", "a/b", "a b", "../a", "a:b", "a=b"])
def test_a_name_is_one_word_of_a_command_and_one_folder(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    things = with_plugins(monkeypatch)
    with pytest.raises(UserError, match=r"^A thing cannot be called '.*': use letters, digits"):
        things.register(name, object())
    things.register("夜-1.b_c+", object())
    assert "夜-1.b_c+" in things


@pytest.mark.parametrize(
    ("card", "said"),
    [
        ({"better": "up"}, "'up' cannot be what is better of MINE: give 'higher' or 'lower'."),
        ({"range": 5}, "5 cannot be the range of MINE: give the least and the greatest value, as in (0, 255)."),
    ],
)
def test_a_card_that_says_nothing_usable(card: dict[str, Any], said: str) -> None:
    usual = {"title": "", "better": "lower", "range": (0, 1), "sources": False, "version": 1, "reference": ""}
    with pytest.raises(UserError, match=f"^{re.escape(said)}$"):
        metric("MINE", **{**usual, **card})
