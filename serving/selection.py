"""Which unlabelled sentences to annotate next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from .classifier import Classifier

Strategy = Literal["random", "uncertainty", "diverse"]


def select(
    texts: Sequence[str],
    count: int,
    strategy: Strategy = "random",
    *,
    classifier: Classifier | None = None,
    labelled: Sequence[str] = (),
    seed: int = 0,
) -> list[int]:
    """Pick sentences worth annotating; returns their indices, most worthwhile first.

    Args:
        strategy: "random"; "uncertainty", the highest entropy of the predicted labels, relative to
            the largest possible and averaged over tasks (Settles 2009, Active Learning Literature
            Survey); "diverse", the greedy core-set: each next sentence is the farthest from all
            chosen and labelled ones in the encoder's space (Sener and Savarese 2018).
        classifier: needed by "uncertainty" and "diverse".
        labelled: sentences that have labels already; "diverse" keeps away from them.

    Raises:
        ValueError: a strategy that needs a classifier was given none.
    """
    count = min(count, len(texts))
    if strategy == "random":
        return [int(i) for i in np.random.default_rng(seed).permutation(len(texts))[:count]]
    if classifier is None:
        raise ValueError(f"strategy {strategy!r} needs a classifier")
    if strategy == "uncertainty":
        entropies = [_relative_entropy(p.scores) for p in classifier(list(texts))]
        return [int(i) for i in np.argsort(-np.array(entropies), kind="stable")[:count]]
    known = classifier.embed(list(labelled)) if labelled else None
    return core_set(classifier.embed(list(texts)), count, known)


def core_set(points: np.ndarray, count: int, known: np.ndarray | None = None) -> list[int]:
    """Greedy k-center: (n, d) points -> indices. Starts from `known`, or from the most central."""
    points = points / np.linalg.norm(points, axis=1, keepdims=True)
    if known is None:
        chosen = [int(np.argmax(points @ points.mean(0)))]
        nearest = points @ points[chosen[0]]
    else:
        known = known / np.linalg.norm(known, axis=1, keepdims=True)
        chosen = []
        nearest = np.full(len(points), -np.inf)
        for row in known:
            np.maximum(nearest, points @ row, out=nearest)
    nearest[chosen] = np.inf
    while len(chosen) < count:
        chosen.append(int(np.argmin(nearest)))
        np.maximum(nearest, points @ points[chosen[-1]], out=nearest)
        nearest[chosen[-1]] = np.inf
    return chosen[:count]


def _relative_entropy(scores: Mapping[str, Mapping[str, float]]) -> float:
    values = []
    for labels in scores.values():
        p = np.array(list(labels.values()))
        values.append(float(-(p * np.log(np.clip(p, 1e-12, 1))).sum() / np.log(len(p))))
    return float(np.mean(values)) if values else 0.0
