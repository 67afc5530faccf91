"""Every choice that a keyword offers, whether or not a convention makes it, against the naive version."""

from __future__ import annotations

import typing
from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

import naive
import pytest
from published import formula_images

from fusionbench.metrics import METRICS
from fusionbench.metrics.triple import Triple

SINGLE = {"float32", "shifted", "sigmoid"}
"""Choices that round as single precision does."""


def words(hint: Any) -> Iterator[str]:
    """The words that a keyword of this type may be."""
    if get_origin(hint) is Literal:
        yield from (word for word in get_args(hint) if isinstance(word, str))
    else:
        for part in get_args(hint):
            yield from words(part)


CHOICES = [
    (name, keyword, word)
    for name in METRICS.names()
    for keyword, hint in typing.get_type_hints(METRICS[name]).items()
    for word in words(hint)
]


@pytest.mark.parametrize(("name", "keyword", "word"), CHOICES)
def test_a_word_means_what_the_naive_version_says(name: str, keyword: str, word: str) -> None:
    ir, vis, fused = formula_images("sharp", "4.png")
    ours = METRICS[name](Triple.of(ir, vis, fused), **{keyword: word})
    theirs = getattr(naive, METRICS[name].__name__)(ir, vis, fused, **{keyword: word})
    assert ours == pytest.approx(theirs, rel=1e-6 if word in SINGLE else 1e-9, nan_ok=True)
