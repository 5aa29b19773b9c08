"""The one record type: a text, perhaps a target in it, and a label or none for each task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Example:
    """One sentence as annotated, or as waiting to be.

    Attributes:
        text: the sentence.
        labels: task name -> label; a task without a label is absent.
        target: the actor a target task asks about, in the words of the text or not.
        document: id of the text it comes from; splits never divide a document.
        source: outlet or author.
        language: BCP 47 code.
        annotators: annotator -> task name -> the label that annotator gave.
        pair: name shared by the members of a contrast pair: the same sentence but for an edit that
            changes a label (Gardner et al. 2020, Evaluating Models' Local Decision Boundaries).
        distributions: task name -> label -> probability, where the data has more than one label.
        other: the columns of the row that are none of the above, as they were.
    """

    text: str
    labels: Mapping[str, str] = field(default_factory=dict)
    target: str | None = None
    document: str | None = None
    source: str | None = None
    language: str = "en"
    annotators: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    pair: str | None = None
    distributions: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    other: Mapping[str, Any] = field(default_factory=dict)
