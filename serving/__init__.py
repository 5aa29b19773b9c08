"""From a checkpoint to predictions: the function call, scoring of files, what to annotate next."""

from .classifier import Classifier, load
from .corpus import ScoreProgress, ScoreReport, score
from .prediction import Prediction
from .selection import Strategy, select

__all__ = [
    "Classifier",
    "Prediction",
    "ScoreProgress",
    "ScoreReport",
    "Strategy",
    "load",
    "score",
    "select",
]
