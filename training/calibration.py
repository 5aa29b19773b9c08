"""One temperature per task, so that a probability of 0.8 is right about 80% of the time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor


def fit_temperature(logits: Tensor, labels: Tensor) -> float:
    """Return the temperature that minimises negative log-likelihood (Guo et al. 2017).

    Args:
        logits: (examples, labels), uncalibrated.
        labels: (examples,) indices.

    The search is over 0.25..10 on a fine logarithmic grid: the loss has one minimum in the
    temperature, and a grid gives the same answer on every machine.
    """
    if len(labels) == 0:
        return 1.0
    candidates = np.geomspace(0.25, 10.0, 400)
    losses = [
        float(torch.nn.functional.cross_entropy(logits.float() / float(t), labels))
        for t in candidates
    ]
    return round(float(candidates[int(np.argmin(losses))]), 4)


def coverage_curve(probabilities: Tensor, labels: Tensor) -> list[dict[str, float]]:
    """What abstaining below a probability leaves, and how much of it is right.

    Args:
        probabilities: (examples, labels), calibrated.
        labels: (examples,) indices.

    Returns:
        for each threshold: abstain_below, coverage (share of examples still labelled), and
        accuracy among those; a threshold that leaves nothing ends the curve.
    """
    confidence, predicted = probabilities.max(dim=-1)
    correct = (predicted == labels).float()
    curve = []
    for threshold in (0.0, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95):
        kept = confidence >= threshold
        if not kept.any():
            break
        curve.append(
            {
                "abstain_below": threshold,
                "coverage": float(kept.float().mean()),
                "accuracy": float(correct[kept].mean()),
            }
        )
    return curve


def coverage_rows(reports: Mapping[str, Mapping[str, Any]]) -> list[list[str]]:
    """Put the `coverage_curve` of every task's report in words: a row per threshold."""
    curves = {
        task: {point["abstain_below"]: point for point in report["coverage_curve"]}
        for task, report in reports.items()
    }
    return [
        [
            f"{threshold:g}",
            *(
                f"{curve[threshold]['coverage']:.0%} labelled, "
                f"{curve[threshold]['accuracy']:.0%} right"
                if threshold in curve
                else "none labelled"
                for curve in curves.values()
            ),
        ]
        for threshold in sorted({threshold for curve in curves.values() for threshold in curve})
    ]


def expected_calibration_error(probabilities: Tensor, labels: Tensor, bins: int = 10) -> float:
    """Mean gap between confidence and accuracy over equal-width bins (Naeini et al. 2015)."""
    confidence, predicted = probabilities.max(dim=-1)
    correct = (predicted == labels).float()
    index = (confidence * bins).long().clamp(max=bins - 1)
    error = 0.0
    for bin_ in range(bins):
        inside = index == bin_
        if inside.any():
            gap = (confidence[inside].mean() - correct[inside].mean()).abs()
            error += float(gap) * float(inside.float().mean())
    return error
