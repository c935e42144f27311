"""What is tried, one module a subject. `@scenario` registers a function that takes a sandbox."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable

from sandbox import Sandbox


@dataclass(frozen=True)
class Scenario:
    name: str
    seconds: float
    run: Callable[[Sandbox], None]


ALL: dict[str, Scenario] = {}


def scenario(name: str, *, seconds: float = 60, **parameters: object) -> Callable:
    """Registers a function as the scenario `name`, with a deadline and fixed arguments; can be repeated."""

    def register(function: Callable) -> Callable:
        if name in ALL:
            raise ValueError(f"two scenarios are called {name}")
        ALL[name] = Scenario(name, seconds, lambda sandbox: function(sandbox, **parameters))
        return function

    return register


def load() -> dict[str, Scenario]:
    """Imports every module of this package; returns the scenarios in the order they were written."""
    import importlib
    import pkgutil

    for module in sorted(pkgutil.iter_modules(__path__), key=lambda module: module.name):
        importlib.import_module(f"{__name__}.{module.name}")
    return ALL
