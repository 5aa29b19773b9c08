"""How far annotators agree: Krippendorff's alpha per task, with an interval over documents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..configs import DataError, Task
from .example import Example


@dataclass(frozen=True)
class Agreement:
    """Agreement of all annotators on one task.

    Attributes:
        alpha: Krippendorff's alpha, nominal; 1 is perfect and 0 is chance.
        interval: 95%, percentile bootstrap over documents.
        observed: share of sentences on which all annotators gave the same label.
        sentences: sentences that at least two annotators labelled.
    """

    task: str
    alpha: float
    interval: tuple[float, float]
    observed: float
    sentences: int


def agreement(
    examples: Sequence[Example], tasks: Sequence[Task], *, bootstrap: int = 1000, seed: int = 0
) -> list[Agreement]:
    """Measure agreement on every task that two annotators share sentences of.

    Alpha is that of Krippendorff (2018, Content Analysis, 4th ed.), through the library
    `krippendorff`.

    Raises:
        DataError: no sentence has labels of two annotators for any task.
    """
    results = [
        result
        for task in tasks
        if (result := _agreement_on(task, examples, bootstrap, seed)) is not None
    ]
    if not results:
        raise DataError("no sentence has the labels of two annotators; nothing to compare")
    return results


def _agreement_on(
    task: Task, examples: Sequence[Example], bootstrap: int, seed: int
) -> Agreement | None:
    import krippendorff

    counts, documents = [], []
    for example in examples:
        given = [labels[task.name] for labels in example.annotators.values() if task.name in labels]
        if len(given) >= 2:
            counts.append([given.count(label) for label in task.labels])
            documents.append(example.document or example.text)
    if not counts:
        return None
    table = np.array(counts)

    def alpha(rows: np.ndarray) -> float:
        if (table[rows].sum(0) > 0).sum() < 2:
            return 1.0  # one label throughout: nothing to disagree on
        return float(krippendorff.alpha(value_counts=table[rows], level_of_measurement="nominal"))

    ids = np.unique(documents, return_inverse=True)[1]
    members = [np.flatnonzero(ids == i) for i in range(ids.max() + 1)]
    generator = np.random.default_rng(seed)
    draws = (generator.integers(len(members), size=len(members)) for _ in range(bootstrap))
    resampled = [alpha(np.concatenate([members[i] for i in draw])) for draw in draws]
    low, high = np.percentile(resampled, [2.5, 97.5]) if resampled else (np.nan, np.nan)
    return Agreement(
        task=task.name,
        alpha=alpha(np.arange(len(table))),
        interval=(float(low), float(high)),
        observed=float((table.max(1) == table.sum(1)).mean()),
        sentences=len(table),
    )
