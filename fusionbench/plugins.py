"""A user's own Python files, which register metrics, methods and datasets when they are run."""

from __future__ import annotations

import hashlib
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Final

from fusionbench.types import UserError

_PREFIX: Final = "fusionbench_plugin_"
_digests: dict[str, str] = {}
"""SHA-256 of each plugin file when it was run, by the name of its module."""


def run(file: Path) -> None:
    """Run a plugin file.

    Raises
    ------
    UserError
        If there is no such file, it is not Python, or it stops with an error.
    """
    if not file.is_file():
        raise UserError(f"There is no plugin file '{file}': give --plugin the path of a Python file.")
    # Registered under its name before it runs, as an import would: pickle, inspect and numba look it up there.
    name, place = f"{_PREFIX}{file.stem}", file.resolve()
    while name in sys.modules and sys.modules[name].__file__ != str(place):
        name += "_"  # one of another folder may be called so, too
    spec = spec_from_file_location(name, place)
    if spec is None or spec.loader is None:
        raise UserError(f"The plugin '{file}' is not a Python file: its name must end in .py.")
    _digests[name] = hashlib.sha256(file.read_bytes()).hexdigest()
    module = module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except UserError as error:
        raise UserError(f"In the plugin '{file}': {error}") from error
    except (Exception, SystemExit) as error:
        message = f"The plugin '{file}' stopped with {type(error).__name__}: {str(error).rstrip('.')}"
        raise UserError(f"{message}. Correct it, or leave --plugin out.") from error


def digest(function: object) -> str:
    """SHA-256 of the plugin file that a function is from, whose every change may change what it computes; or empty."""
    return _digests.get(getattr(function, "__module__", ""), "")


def loaded() -> list[Path]:
    """The plugin files that were run in this process: another process has to run them, too."""
    modules = [module for name, module in sys.modules.items() if name.startswith(_PREFIX)]
    return [Path(str(module.__file__)) for module in modules]
