"""fusionbench: image-fusion scores that say which definition they follow.

>>> import fusionbench as fb
>>> fb.__version__.count(".")
2
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fusionbench import baselines as methods
    from fusionbench import datasets as datasets
    from fusionbench import metrics as metrics
    from fusionbench.fusing import fuse as fuse
    from fusionbench.leaderboards import leaderboard as leaderboard
    from fusionbench.scoring import score as score
    from fusionbench.scoring import score_folder as score_folder
    from fusionbench.types import UserError as UserError

__version__ = "0.1.0"

__all__ = ["UserError", "__version__", "datasets", "fuse", "leaderboard", "methods", "metrics", "score", "score_folder"]

# Each word is imported when it is first used, so that `import fusionbench` costs nothing.
_WORDS = {
    "UserError": "fusionbench.types:UserError",
    "datasets": "fusionbench.datasets",
    "fuse": "fusionbench.fusing:fuse",
    "leaderboard": "fusionbench.leaderboards:leaderboard",
    "methods": "fusionbench.baselines",
    "metrics": "fusionbench.metrics",
    "score": "fusionbench.scoring:score",
    "score_folder": "fusionbench.scoring:score_folder",
}


def __getattr__(name: str) -> object:
    if name not in _WORDS:
        raise AttributeError(f"module 'fusionbench' has no attribute {name!r}")
    module, _, attribute = _WORDS[name].partition(":")
    word: object = import_module(module)
    if attribute:
        word = getattr(word, attribute)
    globals()[name] = word
    return word


def __dir__() -> list[str]:
    return __all__
