import importlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import actorstance
import pytest
import torch
from actorstance.configs import (
    AugmentationConfig,
    CheckpointError,
    DataError,
    RunError,
    load_config,
)
from actorstance.data import bare_words
from actorstance.model import resolve_encoder
from actorstance.tests.fixtures import DISPUTE, SENTENCES
from actorstance.training.callbacks import EpochLog
from actorstance.training.datasets import load_splits, rows_of, with_augmented_copies
from actorstance.training.distillation import unlabelled_rows
from actorstance.training.rewording import Rewording
from actorstance.training.run import Run
from safetensors.torch import load_file
from transformers import AutoModel, AutoTokenizer

recipe = importlib.import_module("actorstance.training.train")


def tiny(encoder: Path, *more: str) -> list[str]:
    return [f"model.encoder={encoder}", "training.epochs=3", "evaluation.bootstrap=0", *more]


def numbers(folder: Path) -> dict[str, Any]:
    metrics = Run(folder).read_metrics()
    return {split: metrics[split] for split in ("dev", "test")}


def test_second_dispute_needs_a_config_only(dispute_run: Path) -> None:
    for name in (
        "config.yaml",
        "metrics.json",
        "training_log.jsonl",
        "checkpoint/README.md",
        "checkpoint/experiment.yaml",
        "checkpoint/model.safetensors",
        "plots/loss.png",
        "plots/confusion_side_dev.png",
        "plots/confusion_tone_toward_test.png",
    ):
        assert (dispute_run / name).stat().st_size > 0, name
    assert not (dispute_run / "trainer").exists()
    classifier = actorstance.load(dispute_run)
    prediction = classifier("Voss has kept the ferries running.", target="Voss")
    assert prediction.side in ("for_voss", "neither", "for_rehl")
    assert prediction.tone_toward in ("against", "even", "favourable")
    card = (dispute_run / "checkpoint" / "README.md").read_text(encoding="utf-8")
    for heading in ("Data statement", "Intended use", "Limits", "for_rehl"):
        assert heading in card


def test_evaluate_repeats_the_figures_of_the_run(dispute_run: Path) -> None:
    again = actorstance.evaluate(dispute_run, device="cpu")
    for task, report in numbers(dispute_run)["test"].items():
        assert again[task]["confusion"] == report["confusion"]
        assert again[task]["macro_f1_interval"] == pytest.approx(report["macro_f1_interval"])


def test_same_seed_same_numbers_and_resume_changes_nothing(
    tiny_encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    overrides = tiny(tiny_encoder)
    first = actorstance.train(DISPUTE, overrides=overrides, output=tmp_path / "a", progress=False)
    second = actorstance.train(DISPUTE, overrides=overrides, output=tmp_path / "b", progress=False)
    assert numbers(first) == numbers(second)
    weights = "checkpoint/model.safetensors"
    assert (first / weights).read_bytes() == (second / weights).read_bytes()

    class PullThePlug(EpochLog):
        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            if state.epoch > 1.5:
                raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(recipe, "EpochLog", PullThePlug)
        with pytest.raises(KeyboardInterrupt):
            actorstance.train(DISPUTE, overrides=overrides, output=tmp_path / "c", progress=False)
    assert not (tmp_path / "c" / "metrics.json").exists()
    third = actorstance.train(
        DISPUTE, overrides=overrides, output=tmp_path / "c", resume=True, progress=False
    )
    assert numbers(third) == numbers(first)
    assert (third / weights).read_bytes() == (first / weights).read_bytes()
    log = [json.loads(line) for line in (third / "training_log.jsonl").read_text().splitlines()]
    assert [entry["epoch"] for entry in log if "eval_loss" in entry] == [1.0, 2.0, 3.0]


def test_a_run_is_not_overwritten_unasked(tiny_encoder: Path, tmp_path: Path) -> None:
    overrides = tiny(tiny_encoder)
    folder = actorstance.train(DISPUTE, overrides=overrides, output=tmp_path / "r", progress=False)
    before = (folder / "metrics.json").stat().st_mtime_ns
    with pytest.raises(RunError, match=r"finished run.*--overwrite"):
        actorstance.train(DISPUTE, overrides=overrides, output=folder, progress=False)
    with pytest.raises(RunError, match=r"training\.seed \(was 3, is 4\)"):
        actorstance.train(
            DISPUTE, overrides=[*overrides, "training.seed=4"], output=folder, resume=True
        )
    actorstance.train(DISPUTE, overrides=overrides, output=folder, resume=True, progress=False)
    assert (folder / "metrics.json").stat().st_mtime_ns == before
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("years of work")
    with pytest.raises(RunError, match="not a run"):
        actorstance.train(DISPUTE, overrides=overrides, output=tmp_path / "mine", overwrite=True)
    assert (tmp_path / "mine" / "thesis.tex").exists()


def test_bad_rows_are_set_aside_and_training_goes_on(tiny_encoder: Path, tmp_path: Path) -> None:
    data = tmp_path / "sentences.csv"
    data.write_text(SENTENCES.read_text() + 'x1,"A row with a wrong camp.",W,,\n')
    overrides = tiny(tiny_encoder, f"data.files=[{data}]", "training.epochs=1")
    folder = actorstance.train(DISPUTE, overrides=overrides, output=tmp_path / "r", progress=False)
    assert Run(folder).read_metrics()["rejected"] == 1
    reject = json.loads((folder / "rejects.jsonl").read_text())
    assert "'W'" in reject["reason"]


def test_a_label_nobody_gave_is_named_before_training(tiny_encoder: Path, tmp_path: Path) -> None:
    labels = "tasks.0.labels=[for_voss, neither, for_rehl, for_nobody]"
    with pytest.raises(DataError, match=r"'side'.*for_nobody"):
        actorstance.train(DISPUTE, overrides=tiny(tiny_encoder, labels), output=tmp_path / "r")


def test_documents_do_not_cross_splits(dispute_run: Path) -> None:
    splits = load_splits(load_config(dispute_run / "config.yaml"))
    documents = [{row.document for row in part} for part in (splits.train, splits.dev, splits.test)]
    assert all(documents)
    assert not documents[0] & documents[1]
    assert not documents[0] & documents[2]
    assert not documents[1] & documents[2]


def test_two_processes_train_one_run(tiny_encoder: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node=2"]
    command += ["-m", "actorstance", "train", str(DISPUTE), "--output", str(tmp_path / "r")]
    for override in tiny(tiny_encoder):
        command += ["--set", override]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.count("run folder:") == 1
    log = (tmp_path / "r" / "training_log.jsonl").read_text().splitlines()
    steps = max(json.loads(line)["step"] for line in log)
    alone = actorstance.train(
        DISPUTE, overrides=tiny(tiny_encoder), output=tmp_path / "s", progress=False
    )
    log = (alone / "training_log.jsonl").read_text().splitlines()
    assert steps < max(json.loads(line)["step"] for line in log)


def test_two_sources_in_columns_of_their_own_are_learned_together(
    tiny_encoder: Path, tmp_path: Path, write_jsonl: Callable[..., Path]
) -> None:
    more = write_jsonl(
        *({"words": f"The mayor {n} spoke well of Rehl.", "camp": "right"} for n in range(30))
    )
    columns = (
        "text: words, document: null, tasks: {side: {column: camp, values: {right: for_rehl}}}"
    )
    source = f"{{files: [{more}], columns: {{{columns}}}, split: {{dev: 0.2, test: 0.2}}}}"
    overrides = tiny(tiny_encoder, "training.epochs=1", f"data.auxiliary=[{source}]")
    folder = actorstance.train(DISPUTE, overrides=overrides, output=tmp_path / "r", progress=False)
    alone = load_splits(load_config(DISPUTE))
    both = Run(folder).read_metrics()["sentences"]
    assert sum(both.values()) == 30 + len(alone.train) + len(alone.dev) + len(alone.test)
    assert both["dev"] > len(alone.dev)


def test_a_student_comes_to_agree_with_its_teacher(
    dispute_run: Path, tmp_path: Path, write_jsonl: Callable[..., Path]
) -> None:
    """Every label is wrong and the teacher alone is heard: the student follows the teacher."""
    text = SENTENCES.read_text(encoding="utf-8")
    data = tmp_path / "swapped.csv"
    data.write_text(text.replace(",V,", ",x,").replace(",R,", ",V,").replace(",x,", ",R,"))
    more = write_jsonl({"sentence": "Rehl has the harbour behind him."}, name="more.jsonl")
    unlabelled = f"[{{files: [{more}], columns: {{text: sentence}}}}]"
    more_ways = "vectors: 1.0, variants: 2"
    distillation = (
        f"{{teachers: [{dispute_run}], weight: 1.0, unlabelled: {unlabelled}, {more_ways}}}"
    )
    overrides = [f"data.files=[{data}]", f"training.distillation={distillation}"]
    folder = actorstance.train(DISPUTE, overrides=overrides, output=tmp_path / "r", progress=False)
    sentences = [
        row.text for row in load_splits(load_config(DISPUTE)).train if "side" in row.labels
    ]
    teacher, student = actorstance.load(dispute_run), actorstance.load(folder)
    same = [a.side == b.side for a, b in zip(teacher(sentences), student(sentences), strict=True)]
    assert sum(same) > 0.8 * len(same)
    vectors = [torch.tensor(clf.embed(sentences)) for clf in (teacher, student)]
    # A linear map was learned between them, and is not part of the checkpoint.
    mapped = vectors[1] @ torch.linalg.lstsq(vectors[1], vectors[0]).solution
    assert torch.nn.functional.cosine_similarity(mapped, vectors[0]).mean() > 0.8
    weights = load_file(folder / "checkpoint" / "model.safetensors")
    assert not [name for name in weights if not name.startswith(("encoder.", "heads."))]
    assert list((dispute_run / "checkpoint" / "answers").glob("*.safetensors"))


def test_a_teacher_of_other_tasks_is_refused(tiny_encoder: Path, tmp_path: Path) -> None:
    labels = "tasks.0.labels=[for_rehl, neither, for_voss]"
    teacher = actorstance.train(
        DISPUTE, overrides=tiny(tiny_encoder, "training.epochs=1"), output=tmp_path / "t"
    )
    distillation = f"training.distillation={{teachers: [{teacher}]}}"
    renamed = tmp_path / "renamed.yaml"
    renamed.write_text(
        DISPUTE.read_text()
        .replace("tone_toward", "tone_elsewhere")
        .replace("files: [", f"files: [{SENTENCES.parent}/")
    )
    overrides = tiny(tiny_encoder, labels, distillation)
    with pytest.raises(CheckpointError, match=r"shares no task.*side \(for_voss, neither"):
        actorstance.train(renamed, overrides=overrides, output=tmp_path / "r")


def test_a_checkpoint_of_half_the_size_answers_as_measured(
    tiny_encoder: Path, tmp_path: Path
) -> None:
    half = "training.checkpoint_precision=float16"
    sizes, folders = [], []
    for name, more in (("whole", []), ("half", [half])):
        overrides = tiny(tiny_encoder, *more)
        folder = actorstance.train(DISPUTE, overrides=overrides, output=tmp_path / name)
        folders.append(folder)
        sizes.append((folder / "checkpoint" / "model.safetensors").stat().st_size)
    assert sizes[1] < 0.6 * sizes[0]
    again = actorstance.evaluate(folders[1], device="cpu")
    for task, report in numbers(folders[1])["test"].items():
        assert again[task]["confusion"] == report["confusion"]
        assert again[task]["calibration_error"] == pytest.approx(report["calibration_error"])


def test_augmentation_adds_copies_and_leaves_targets_alone() -> None:
    config = load_config(DISPUTE)
    rows = rows_of(load_splits(config).train, config.tasks)
    settings = AugmentationConfig(bare_words=0.5, other_names=1.0)
    more, origins = with_augmented_copies(rows, settings, config.actors, seed=0)
    again, _ = with_augmented_copies(rows, settings, config.actors, seed=0)
    assert more == again and more[: len(rows)] == rows
    copies = more[len(rows) :]
    assert len(rows) / 3 < len(copies) < 1.5 * len(rows)
    for copy, origin in zip(copies, origins[len(rows) :], strict=True):
        assert copy.labels == rows[origin].labels
        if copy.target is not None:
            assert copy.text == bare_words(rows[origin].text)
            assert copy.target == bare_words(rows[origin].target or "")
    unlabelled = [replace(row, labels=[-100] * len(row.labels)) for row in rows]
    more, origins = with_augmented_copies([*rows, *unlabelled], settings, config.actors, seed=0)
    assert len(more) == 2 * len(rows) + len(copies) and max(origins[2 * len(rows) :]) < len(rows)
    assert any("Harbour master" in row.text or "harbour master" in row.text for row in copies)


def test_unlabelled_news_on_others_is_retargeted_to_the_actors(
    write_jsonl: Callable[..., Path],
) -> None:
    path = write_jsonl(
        {"text": "Kessel lied, and Kessel's aides knew.", "target": "Kessel"},
        {"text": "He lied.", "target": "He"},
        {"text": "Nobody is asked about."},
    )
    distillation = f"{{teachers: [none], retarget: true, unlabelled: [{{files: [{path}]}}]}}"
    config = load_config(DISPUTE, [f"training.distillation={distillation}"])
    rows = unlabelled_rows(config)
    texts = [row.text for row in rows if row.target is None]
    names = [name for actor in config.actors for name in (actor.name, *actor.aliases)]
    assert texts[0] in [f"{name} lied, and {name}'s aides knew." for name in names]
    assert texts[1:] == ["He lied.", "Nobody is asked about."]
    assert [(row.text, row.target) for row in rows if row.target] == [
        ("Kessel lied, and Kessel's aides knew.", "Kessel"),
        ("He lied.", "He"),
    ]


def test_variants_are_new_sentences_in_near_words() -> None:
    folder = resolve_encoder("all-MiniLM-L6-v2")
    encoder = AutoModel.from_pretrained(folder)
    reworded = Rewording(
        AutoTokenizer.from_pretrained(folder), encoder.get_input_embeddings().weight
    )
    assert {"rejecting", "denied"} < set(reworded.near("rejected"))
    assert reworded.near("qwzx") == []
    assert reworded.tokenizer.tokenize("☂") == ["[UNK]"] and reworded.near("☂") == []
    config = load_config(DISPUTE, ["training.distillation={teachers: [none], variants: 4}"])
    rows = rows_of(load_splits(config).train, config.tasks)
    texts = [row.text for row in unlabelled_rows(config, rows, reworded)]
    assert texts == [row.text for row in unlabelled_rows(config, rows, reworded)]
    sentences = {row.text for row in rows if row.target is None}
    assert 3 * len(sentences) < len(set(texts)) == len(texts) <= 4 * len(sentences)
    assert not sentences & set(texts)
