"""From a checkpoint to predictions: the function call, and scoring of files."""

from .classifier import Classifier, load
from .corpus import ScoreReport, score
from .prediction import Prediction

__all__ = ["Classifier", "Prediction", "ScoreReport", "load", "score"]
