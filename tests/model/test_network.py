from pathlib import Path
from typing import Any

import actorstance
import pytest
import torch
from actorstance.configs import CheckpointError, EncoderError, ModelConfig, Task
from actorstance.model import ActorStanceModel, find_checkpoint, load_checkpoint, marked
from actorstance.tests.fixtures import save_tiny_encoder
from transformers import AutoModel, AutoTokenizer, pipeline

TOKENS = "encoder.embeddings.word_embeddings.weight"
TONE = "heads.tone.weight"
TASKS = [
    Task(name="side", labels=["left", "right"]),
    Task(name="tone", labels=["bad", "even", "good"], about="target", weight=2.0),
]


@pytest.fixture
def network(tiny_encoder: Path) -> ActorStanceModel:
    torch.manual_seed(0)
    model = ModelConfig(encoder=str(tiny_encoder), max_length=32, dropout=0.0)
    network: ActorStanceModel = ActorStanceModel.from_encoder(model, TASKS).eval()
    return network


def batch(size: int = 4) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    ids = torch.randint(5, 200, (size, 9), generator=generator)
    return {"input_ids": ids, "attention_mask": torch.ones_like(ids)}


def test_one_head_per_task(network: ActorStanceModel) -> None:
    logits = network(**batch()).logits
    assert {name: tuple(values.shape) for name, values in logits.items()} == {
        "side": (4, 2),
        "tone": (4, 3),
    }


def test_loss_counts_only_the_labels_that_are_there(network: ActorStanceModel) -> None:
    labels = torch.tensor([[0, -100], [1, 2], [-100, 1], [-100, -100]])
    output = network(**batch(), labels=labels)
    cross_entropy = torch.nn.functional.cross_entropy
    expected = cross_entropy(output.logits["side"][:2], labels[:2, 0]) + 2.0 * cross_entropy(
        output.logits["tone"][1:3], labels[1:3, 1]
    )
    torch.testing.assert_close(output.loss, expected)
    nothing = network(**batch(), labels=torch.full((4, 2), -100)).loss
    assert nothing == 0
    nothing.backward()


def test_padding_changes_nothing(network: ActorStanceModel) -> None:
    inputs = batch(2)
    padded = {
        "input_ids": torch.nn.functional.pad(inputs["input_ids"], (0, 5)),
        "attention_mask": torch.nn.functional.pad(inputs["attention_mask"], (0, 5)),
    }
    torch.testing.assert_close(network(**padded).logits["side"], network(**inputs).logits["side"])


def test_a_second_architecture_without_token_types(tmp_path: Path) -> None:
    folder = save_tiny_encoder(tmp_path, "distilbert")
    model = ActorStanceModel.from_encoder(ModelConfig(encoder=str(folder), max_length=32), TASKS)
    assert model.encoder.config.model_type == "distilbert"
    assert model(**batch()).logits["side"].shape == (4, 2)


def test_window_longer_than_the_encoder_allows_is_refused(tiny_encoder: Path) -> None:
    with pytest.raises(EncoderError, match=r"max_length is 128, its window is 64"):
        ActorStanceModel.from_encoder(ModelConfig(encoder=str(tiny_encoder)), TASKS)


def test_save_and_load_through_the_auto_classes(network: ActorStanceModel, tmp_path: Path) -> None:
    network.config.temperatures = {"side": 2.0}
    network.save_pretrained(tmp_path)
    loaded = AutoModel.from_pretrained(tmp_path)
    assert isinstance(loaded, ActorStanceModel)
    assert [task.labels for task in loaded.config.task_list] == [task.labels for task in TASKS]
    before, after = network(**batch()).logits, loaded.eval()(**batch()).logits
    torch.testing.assert_close(before["tone"], after["tone"])
    sharp = torch.softmax(before["side"], -1)
    soft = loaded.probabilities(after)["side"]
    assert (soft.max(-1).values < sharp.max(-1).values).all()
    assert not list(tmp_path.glob("*.bin"))


def test_pipeline_task_agrees_with_the_classifier(dispute_run: Path) -> None:
    model, tokenizer = load_checkpoint(dispute_run)
    make_pipeline: Any = pipeline
    pipe = make_pipeline("actor-stance", model=model, tokenizer=tokenizer)
    text = "Rehl called the count a theft."
    prediction = actorstance.load(dispute_run, device="cpu")(text, target="Voss")
    answer = {**pipe(text), **pipe({"text": text, "target": "Voss"})}
    for task, scores in prediction.scores.items():
        assert answer[task] == pytest.approx(scores, abs=1e-5)


def test_tokenizer_travels_with_the_checkpoint(dispute_run: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(dispute_run / "checkpoint")
    assert tokenizer("Voss")["input_ids"]


def test_folders_that_are_no_checkpoint_are_refused(tmp_path: Path, tiny_encoder: Path) -> None:
    with pytest.raises(CheckpointError, match="no such checkpoint folder"):
        find_checkpoint(tmp_path / "nowhere")
    with pytest.raises(CheckpointError, match=r"no config\.json"):
        find_checkpoint(tmp_path)
    with pytest.raises(CheckpointError, match="'electra', expected 'actorstance'"):
        find_checkpoint(tiny_encoder)


def test_truncated_weights_are_refused_by_name(dispute_run: Path, tmp_path: Path) -> None:
    import shutil

    folder = tmp_path / "copy"
    shutil.copytree(dispute_run / "checkpoint", folder)
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:100_000])
    with pytest.raises(CheckpointError, match="copy: cannot be loaded"):
        load_checkpoint(folder)


def test_a_label_and_its_certain_distribution_teach_the_same(network: ActorStanceModel) -> None:
    labels = torch.tensor([[0, -100], [1, -100], [-100, 2], [-100, 0]])
    certain = torch.tensor(
        [[1, 0, 0, 0, 0], [0, 1, 0, 0, 0], [0, 0, 0, 0, 1], [0, 0, 1, 0, 0]], dtype=torch.float32
    )
    by_label = network(**batch(), labels=labels).loss
    by_distribution = network(**batch(), labels=labels, targets=certain).loss
    assert torch.allclose(by_label, by_distribution)
    doubtful = certain.clone()
    doubtful[0, :2] = 0.5
    assert not torch.allclose(by_label, network(**batch(), labels=labels, targets=doubtful).loss)


def test_an_earlier_run_is_trained_further(network: ActorStanceModel, tmp_path: Path) -> None:
    network.save_pretrained(tmp_path / "run" / "checkpoint")
    other = Task(name="camp", labels=["north", "south"])
    changed = Task(name="side", labels=["left", "centre", "right"])
    model = ModelConfig(encoder=str(tmp_path / "run"), max_length=32)
    further = ActorStanceModel.from_encoder(model, [TASKS[1], other, changed])
    assert torch.equal(further.state_dict()[TOKENS], network.state_dict()[TOKENS])
    assert torch.equal(further.state_dict()[TONE], network.state_dict()[TONE])
    assert further.state_dict()["heads.side.weight"].shape[0] == 3


def test_a_target_is_marked_where_it_is_first_named() -> None:
    assert marked("Vossberg likes Voss, voss.", "voss") == "Vossberg likes * Voss *, voss."
    assert marked("The mayor spoke.", "Voss") == "The mayor spoke."
    assert marked("The mayor (Voss) spoke.", None) == "The mayor (Voss) spoke."
    assert marked("The mayor (acting) spoke.", "mayor (acting)") == "The * mayor (acting) * spoke."
