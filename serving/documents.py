"""One row per document: how many sentences, and what share and mean probability each label has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow

from ..configs import Task


class DocumentTotals:
    """Sums over the sentences of every document, in the order in which documents first come."""

    def __init__(self, tasks: Sequence[Task]) -> None:
        self._columns = [(task.name, label) for task in tasks for label in task.labels]
        self._numbers: dict[str, int] = {}
        self._counts: list[int] = []
        self._sums: list[np.ndarray] = []

    def add(self, table: pyarrow.Table) -> None:
        """Count the sentences of a scored table; a title (sentence -1) is not one of them."""
        documents = table["document"].to_pylist()
        sentences = table["sentence"].to_pylist()
        values = np.zeros((len(table), 3 * len(self._columns)))
        for at, (task, label) in enumerate(self._columns):
            if task in table.column_names:
                probability = table[f"{task}_{label}"]
                given = np.array(table[task].to_pylist(), dtype=object) == label
                values[:, 3 * at] = given
                values[:, 3 * at + 1] = probability.fill_null(0.0).to_numpy()
                values[:, 3 * at + 2] = probability.is_valid().to_numpy()
        for document, sentence, row in zip(documents, sentences, values, strict=True):
            if sentence < 0:
                continue
            number = self._numbers.setdefault(document, len(self._numbers))
            if number == len(self._counts):
                self._counts.append(0)
                self._sums.append(np.zeros(values.shape[1]))
            self._counts[number] += 1
            self._sums[number] += row

    def table(self) -> pyarrow.Table:
        """Return `document`, `sentences`, and per label `<task>_<label>_share` and `..._mean`.

        Both are over the sentences that the task was asked about; where the model abstained, the
        shares do not add up to 1. They are empty for a document without such a sentence.
        """
        sums = np.array(self._sums).reshape(len(self._counts), 3 * len(self._columns))
        columns: dict[str, Any] = {"document": list(self._numbers), "sentences": self._counts}
        for at, (task, label) in enumerate(self._columns):
            asked = sums[:, 3 * at + 2]
            for name, total in (("share", sums[:, 3 * at]), ("mean", sums[:, 3 * at + 1])):
                columns[f"{task}_{label}_{name}"] = [
                    round(value / count, 4) if count else None
                    for value, count in zip(total.tolist(), asked.tolist(), strict=True)
                ]
        return pyarrow.table(columns)
