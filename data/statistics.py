"""Counts that describe annotated sentences: labels per task, lengths, documents, sources."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..configs import Task
from .example import Example


@dataclass(frozen=True)
class Statistics:
    """Counts over a set of examples; lengths are in whitespace words."""

    sentences: int
    documents: int
    sources: int
    labels: dict[str, dict[str, int]]
    words_mean: float
    words_min: int
    words_max: int


def count(examples: Iterable[Example], tasks: Sequence[Task]) -> Statistics:
    """Count labels in the order of each task, documents, sources and words."""
    rows = list(examples)
    lengths = [len(row.text.split()) for row in rows] or [0]
    labels = {}
    for task in tasks:
        seen = Counter(row.labels[task.name] for row in rows if task.name in row.labels)
        labels[task.name] = {label: seen[label] for label in task.labels}
    return Statistics(
        sentences=len(rows),
        documents=len({row.document for row in rows if row.document}),
        sources=len({row.source for row in rows if row.source}),
        labels=labels,
        words_mean=sum(lengths) / len(lengths),
        words_min=min(lengths),
        words_max=max(lengths),
    )
