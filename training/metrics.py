"""Classification metrics as an `evaluate` module that needs no network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import datasets
import evaluate
import numpy as np
from sklearn.metrics import confusion_matrix


class ClassificationReport(evaluate.Metric):
    """Macro-F1, accuracy, macro-recall, F1 per class, confusion matrix, bootstrap 95% interval.

    `compute(predictions=..., references=..., labels=[names in order], bootstrap=1000, seed=0,
    groups=[document ids])`, with label indices. A class that the references lack does not count in
    the macro averages. The interval is the percentile bootstrap (Efron 1979) of macro-F1 over
    documents where groups are given (sentences of one document are not independent), else over
    sentences.
    """

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description="Classification report for stance and sentiment tasks.",
            citation="",
            inputs_description="predictions and references: label indices",
            features=datasets.Features(
                {"predictions": datasets.Value("int32"), "references": datasets.Value("int32")}
            ),
        )

    def _compute(
        self,
        predictions: Sequence[int],
        references: Sequence[int],
        labels: Sequence[str] = (),
        bootstrap: int = 0,
        seed: int = 0,
        groups: Sequence[str] | None = None,
    ) -> dict[str, Any]:
        size = len(labels) or int(max([*predictions, *references])) + 1
        names = list(labels) or [str(index) for index in range(size)]
        matrix = confusion_matrix(references, predictions, labels=list(range(size)))
        report = {
            **_averages(matrix),
            "f1": dict(zip(names, _f1(matrix).tolist(), strict=True)),
            "support": dict(zip(names, matrix.sum(1).tolist(), strict=True)),
            "confusion": matrix.tolist(),
            "count": int(matrix.sum()),
        }
        if bootstrap:
            report["macro_f1_interval"] = _interval(
                np.asarray(predictions), np.asarray(references), size, bootstrap, seed, groups
            )
        return report


def _f1(matrix: np.ndarray) -> np.ndarray:
    true = matrix.sum(1)
    found = matrix.sum(0)
    scores: np.ndarray = 2 * np.diag(matrix) / np.maximum(true + found, 1)
    return scores


def _averages(matrix: np.ndarray) -> dict[str, float]:
    present = matrix.sum(1) > 0
    recall = np.diag(matrix) / np.maximum(matrix.sum(1), 1)
    return {
        "macro_f1": float(_f1(matrix)[present].mean()),
        "accuracy": float(np.diag(matrix).sum() / max(matrix.sum(), 1)),
        "macro_recall": float(recall[present].mean()),
    }


def _interval(
    predictions: np.ndarray,
    references: np.ndarray,
    size: int,
    resamples: int,
    seed: int,
    groups: Sequence[str] | None,
) -> list[float]:
    generator = np.random.default_rng(seed)
    ids = (
        np.arange(len(references)) if groups is None else np.unique(groups, return_inverse=True)[1]
    )
    units = int(ids.max()) + 1
    # One confusion matrix per unit makes every resample a weighted sum of matrices.
    matrices = np.zeros((units, size, size))
    np.add.at(matrices, (ids, references, predictions), 1)
    scores = []
    for _ in range(resamples):
        counts = np.bincount(generator.integers(units, size=units), minlength=units)
        scores.append(_averages(np.tensordot(counts, matrices, axes=1))["macro_f1"])
    return [float(bound) for bound in np.percentile(scores, [2.5, 97.5])]
