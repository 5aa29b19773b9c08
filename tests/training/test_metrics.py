import numpy as np
import pytest
import torch
from actorstance.training.calibration import (
    coverage_curve,
    expected_calibration_error,
    fit_temperature,
)
from actorstance.training.evaluation import pair_consistency
from actorstance.training.metrics import ClassificationReport
from sklearn.metrics import accuracy_score, f1_score, recall_score


def test_report_agrees_with_scikit_learn() -> None:
    generator = np.random.default_rng(0)
    references = generator.integers(0, 3, 300)
    predictions = np.where(generator.random(300) < 0.6, references, generator.integers(0, 3, 300))
    report = ClassificationReport(config_name="default").compute(
        predictions=predictions, references=references, labels=["a", "b", "c"], bootstrap=500
    )
    assert report["macro_f1"] == pytest.approx(f1_score(references, predictions, average="macro"))
    assert report["accuracy"] == pytest.approx(accuracy_score(references, predictions))
    recall = recall_score(references, predictions, average="macro")
    assert report["macro_recall"] == pytest.approx(recall)
    assert list(report["f1"].values()) == pytest.approx(
        f1_score(references, predictions, average=None).tolist()
    )
    low, high = report["macro_f1_interval"]
    assert low < report["macro_f1"] < high
    assert 0.05 < high - low < 0.2


def test_interval_is_wider_when_sentences_of_a_document_go_together() -> None:
    references = np.repeat([0, 1] * 20, 10)
    right = np.repeat(np.random.default_rng(1).random(40) < 0.7, 10)
    predictions = np.where(right, references, 1 - references)
    metric = ClassificationReport(config_name="default")
    common = {"predictions": predictions, "references": references, "bootstrap": 500}
    alone = metric.compute(**common)["macro_f1_interval"]
    groups = [f"document {i // 10}" for i in range(400)]
    together = metric.compute(**common, groups=groups)["macro_f1_interval"]
    assert together[1] - together[0] > 2 * (alone[1] - alone[0])


def test_temperature_undoes_overconfidence() -> None:
    generator = torch.Generator().manual_seed(0)
    honest = torch.randn(4000, 3, generator=generator)
    labels = torch.multinomial(torch.softmax(honest, -1), 1, generator=generator)[:, 0]
    assert fit_temperature(honest * 3, labels) == pytest.approx(3.0, rel=0.1)
    before = expected_calibration_error(torch.softmax(honest * 3, -1), labels)
    after = expected_calibration_error(torch.softmax(honest, -1), labels)
    assert after < 0.03 < before


def test_calibration_error_of_a_known_case() -> None:
    # Ten answers at 0.9 of which six are right: the gap is 0.3.
    probabilities = torch.tensor([[0.9, 0.1]] * 10)
    labels = torch.tensor([0] * 6 + [1] * 4)
    assert expected_calibration_error(probabilities, labels) == pytest.approx(0.3, abs=1e-6)


def test_a_contrast_pair_counts_only_when_both_members_are_right() -> None:
    pairs = ["a", "a", "b", "b", "c", "c", None]
    wanted = [0, 1, 0, 1, 1, 1, 0]
    right = [True, True, True, False, True, True, False]
    # Pair c keeps its label, so this task's consistency does not count it.
    assert pair_consistency(pairs, wanted, right) == {"count": 2, "consistency": 0.5}
    assert pair_consistency([None], [0], [True])["consistency"] is None


def test_coverage_falls_and_counts_only_what_is_left() -> None:
    probabilities = torch.tensor([[0.97, 0.03], [0.3, 0.7], [0.55, 0.45], [0.49, 0.51]])
    curve = coverage_curve(probabilities, torch.tensor([0, 0, 0, 1]))
    by_threshold = {point["abstain_below"]: point for point in curve}
    assert by_threshold[0.0] == {"abstain_below": 0.0, "coverage": 1.0, "accuracy": 0.75}
    assert by_threshold[0.6] == {"abstain_below": 0.6, "coverage": 0.5, "accuracy": 0.5}
    assert by_threshold[0.95] == {"abstain_below": 0.95, "coverage": 0.25, "accuracy": 1.0}
