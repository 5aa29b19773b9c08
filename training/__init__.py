"""From a config to a run folder: train, evaluate, and the metrics both report."""

from .evaluation import evaluate
from .run import Run
from .train import train

__all__ = ["Run", "evaluate", "train"]
