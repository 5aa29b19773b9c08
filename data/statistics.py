"""Counts that describe annotated sentences: labels per task, lengths, documents, sources."""

from __future__ import annotations

import re
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


def count_by(
    examples: Iterable[Example], task: Task, column: str
) -> dict[str, tuple[int, dict[str, int]]]:
    """Count sentences and labels of a task per value of a column; a list counts for each item.

    Returns:
        value -> (sentences, label -> sentences), the commonest value first.
    """
    totals: Counter[str] = Counter()
    labels: dict[str, Counter[str]] = {}
    for row in examples:
        known = {"document": row.document, "source": row.source, "language": row.language}
        value = known.get(column, row.other.get(column))
        for item in value if isinstance(value, list) else [value]:
            name = "(none)" if item is None else str(item)
            totals[name] += 1
            labels.setdefault(name, Counter())[row.labels.get(task.name, "")] += 1
    return {
        name: (total, {label: labels[name][label] for label in task.labels})
        for name, total in totals.most_common()
    }


def count_loaded(
    examples: Iterable[Example], task: Task, loaded_words: Sequence[str]
) -> dict[str, tuple[int, int]]:
    """Count, per label of a task, the sentences with a loaded word and those without."""
    pattern = re.compile(r"\b(?:" + "|".join(map(re.escape, loaded_words)) + r")", re.IGNORECASE)
    counts = {label: [0, 0] for label in task.labels}
    for row in examples:
        if (label := row.labels.get(task.name)) is not None:
            counts[label][pattern.search(row.text) is None] += 1
    return {label: (with_, without) for label, (with_, without) in counts.items()}
