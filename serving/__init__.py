"""From a checkpoint to predictions: the function call, scoring of files, what to annotate next."""

from .classifier import Classifier, load
from .corpus import ScoreReport, score
from .prediction import Prediction
from .selection import Strategy, select

__all__ = ["Classifier", "Prediction", "ScoreReport", "Strategy", "load", "score", "select"]
