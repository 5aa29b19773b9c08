"""What the classifier says about one text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Prediction:
    """The label and the calibrated probabilities of every task, for one text.

    Attributes:
        text: the text as given.
        labels: task name -> the most probable label; `p.stance` is short for
            `p.labels["stance"]`.
        scores: task name -> label -> probability; they sum to 1 within a task.
        target: the actor that the target tasks were asked about, if any.
    """

    text: str
    labels: Mapping[str, str]
    scores: Mapping[str, Mapping[str, float]]
    target: str | None = None

    def __getattr__(self, name: str) -> str:
        labels = self.__dict__.get("labels", {})
        if name in labels:
            return str(labels[name])
        raise AttributeError(f"no task {name!r} in this prediction; tasks: {', '.join(labels)}")

    def probability(self, task: str) -> float:
        """Return the probability of the label that was chosen."""
        return self.scores[task][self.labels[task]]
