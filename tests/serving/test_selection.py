from pathlib import Path

import actorstance
import numpy as np
import pytest
from actorstance.serving import select
from actorstance.serving.selection import core_set

TEXTS = [
    "Voss won the count.",
    "Rehl called it theft.",
    "The ferry leaves at nine.",
    "The ferry leaves at ten.",
    "Rain fell on the harbour all night.",
]


def test_random_is_a_seeded_draw_without_repeats() -> None:
    chosen = select(TEXTS, 3, seed=1)
    assert len(set(chosen)) == 3
    assert chosen == select(TEXTS, 3, seed=1)
    assert sorted(select(TEXTS, 99)) == [0, 1, 2, 3, 4]


def test_uncertainty_takes_the_least_sure_first(dispute_run: Path) -> None:
    classifier = actorstance.load(dispute_run, device="cpu")
    chosen = select(TEXTS, 5, "uncertainty", classifier=classifier)
    spread = [max(p.scores["side"].values()) for p in classifier(TEXTS)]
    assert chosen[-1] == int(np.argmax(spread))


def test_diverse_keeps_away_from_what_is_chosen_or_labelled(dispute_run: Path) -> None:
    classifier = actorstance.load(dispute_run, device="cpu")
    chosen = select(TEXTS, 4, "diverse", classifier=classifier)
    assert not {2, 3} <= set(chosen)
    beside = select(
        TEXTS, 2, "diverse", classifier=classifier, labelled=["The ferry leaves at six."]
    )
    assert not {2, 3} & set(beside)


def test_core_set_covers_the_clusters() -> None:
    generator = np.random.default_rng(0)
    centres = np.eye(4) * 5
    points = np.concatenate([centre + generator.normal(0, 0.1, (10, 4)) for centre in centres])
    assert sorted(i // 10 for i in core_set(points, 4)) == [0, 1, 2, 3]


def test_a_strategy_that_needs_a_model_says_so() -> None:
    with pytest.raises(ValueError, match="needs a classifier"):
        select(TEXTS, 1, "diverse")
