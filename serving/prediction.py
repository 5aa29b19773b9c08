"""What the classifier says about one text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Prediction:
    """The label and the calibrated probabilities of every task, for one text.

    Attributes:
        text: the text as given.
        labels: task name -> the most probable label, None where the model abstained; `p.stance`
            is short for `p.labels["stance"]`.
        scores: task name -> label -> probability; they sum to 1 within a task.
        target: the actor that the target tasks were asked about, if any.
    """

    text: str
    labels: Mapping[str, str | None]
    scores: Mapping[str, Mapping[str, float]]
    target: str | None = None

    def __getattr__(self, name: str) -> str | None:
        labels = self.__dict__.get("labels", {})
        if name in labels:
            label: str | None = labels[name]
            return label
        raise AttributeError(f"no task {name!r} in this prediction; tasks: {', '.join(labels)}")

    def probability(self, task: str) -> float:
        """Return the probability of the most probable label."""
        return max(self.scores[task].values())
