import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import actorstance
import pytest
import torch
from actorstance.configs import CheckpointError, InputError
from actorstance.serving import Classifier

TEXTS = [
    "The harbour council met on Tuesday.",
    "Voss won by eleven votes, and every ward clerk signed the sheet without a word.",
    "Rehl called it theft.",
]


@pytest.fixture(scope="module")
def classifier(dispute_run: Path) -> Classifier:
    return actorstance.load(dispute_run, device="cpu")


def test_a_text_gives_a_prediction_and_a_list_gives_a_list_in_order(classifier: Any) -> None:
    one = classifier(TEXTS[1])
    assert one.text == TEXTS[1]
    assert one.side == one.labels["side"] == max(one.scores["side"], key=one.scores["side"].get)
    assert sum(one.scores["side"].values()) == pytest.approx(1)
    assert one.probability("side") == max(one.scores["side"].values())
    many = classifier(TEXTS)
    assert [p.text for p in many] == TEXTS
    assert many[1].scores["side"] == pytest.approx(one.scores["side"], abs=1e-5)
    assert classifier(iter(TEXTS)) == many
    assert classifier([]) == []


def test_a_prediction_cannot_be_changed(classifier: Any) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        classifier(TEXTS[0]).text = "another"


def test_batch_size_does_not_change_answers(classifier: Any) -> None:
    texts = TEXTS * 7
    for p, q in zip(classifier(texts), [classifier(text) for text in texts], strict=True):
        assert p.scores["side"] == pytest.approx(q.scores["side"], abs=1e-5)


def test_target_tasks_answer_only_about_a_target(classifier: Any) -> None:
    assert "tone_toward" not in classifier(TEXTS[1]).labels
    about_voss = classifier(TEXTS[1], target="Voss")
    about_rehl = classifier(TEXTS[1], target="Rehl")
    assert about_voss.target == "Voss"
    assert about_voss.scores["tone_toward"] != about_rehl.scores["tone_toward"]
    assert about_voss.scores["side"] == pytest.approx(about_rehl.scores["side"])


def test_it_abstains_where_asked_and_keeps_its_probabilities(classifier: Any) -> None:
    sure = classifier(TEXTS)
    threshold = sorted(p.probability("side") for p in sure)[1]
    asked = classifier(TEXTS, abstain_below=threshold)
    assert sorted(p.side is None for p in asked) == [False, False, True]
    assert [p.scores for p in asked] == [p.scores for p in sure]
    with pytest.raises(InputError, match="abstain_below is 60"):
        classifier(TEXTS, abstain_below=60)


def test_unknown_task_is_named(classifier: Any) -> None:
    with pytest.raises(AttributeError, match=r"no task 'stance'.*side"):
        _ = classifier(TEXTS[0]).stance


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        ("", "text is empty"),
        ("  \n", "text is empty"),
        (["fine", ""], "index 1 is empty"),
        (["fine", "fine", None], "index 2 is None, expected a string, not NoneType"),
        ([b"bytes"], "index 0"),
        (7, "expected a text or a list of texts, found int"),
        (b"bytes", "found bytes"),
    ],
)
def test_bad_input_is_named_with_its_index(classifier: Any, texts: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        classifier(texts)


def test_the_end_of_a_long_text_counts(classifier: Any) -> None:
    long = " ".join(["The council met and counted the ballots again."] * 40)
    ending = long + " " + " ".join(["Voss won and every clerk signed the sheet."] * 40)
    before, after = classifier(long).scores["side"], classifier(ending).scores["side"]
    assert before != pytest.approx(after, abs=1e-4)
    assert sum(after.values()) == pytest.approx(1)


def test_a_target_that_fills_the_window_is_refused(classifier: Any) -> None:
    with pytest.raises(InputError, match=r"target has \d+ tokens"):
        classifier(TEXTS[0], target="Voss " * 100)


def test_reduced_threads_give_the_same_labels(classifier: Any) -> None:
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        alone = [p.labels for p in classifier(TEXTS)]
    finally:
        torch.set_num_threads(before)
    assert alone == [p.labels for p in classifier(TEXTS)]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
def test_gpu_gives_the_labels_of_the_cpu(dispute_run: Path, classifier: Any) -> None:
    on_gpu = actorstance.load(dispute_run, device="cuda")
    assert [p.labels for p in on_gpu(TEXTS)] == [p.labels for p in classifier(TEXTS)]


def test_unknown_device_and_missing_checkpoint_are_one_line(
    dispute_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InputError, match="device 'gpu'"):
        actorstance.load(dispute_run, device="gpu")
    with pytest.raises(CheckpointError, match="no such checkpoint folder"):
        actorstance.load(tmp_path / "nowhere")


def texts_that_stop() -> Iterator[str]:
    yield TEXTS[0]


def test_a_generator_is_a_list_of_texts(classifier: Any) -> None:
    assert len(classifier(texts_that_stop())) == 1
