"""Whose side does a sentence take, and in what tone?

`load()` opens a checkpoint and returns a callable, `score()` labels files, `train()` fine-tunes
from a config. Nothing heavy is imported before one of them is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = ["ActorstanceError", "Prediction", "evaluate", "load", "score", "train"]

if TYPE_CHECKING:
    from .configs import ActorstanceError
    from .serving import Prediction, load, score
    from .training import evaluate, train

_HOMES = {
    "ActorstanceError": "configs",
    "Prediction": "serving",
    "load": "serving",
    "score": "serving",
    "evaluate": "training",
    "train": "training",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'actorstance' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
