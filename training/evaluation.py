"""Scores of a checkpoint on annotated sentences, per task, with an interval and calibration."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from transformers import BatchEncoding, DataCollatorWithPadding, PreTrainedTokenizerBase

from ..configs import ColumnsConfig, DataError, EvaluationConfig, Task, load_config
from ..data import Example, check_files, expand_paths
from ..model import ActorStanceModel, find_checkpoint, load_checkpoint
from ..model.modeling import NO_LABEL
from .calibration import expected_calibration_error
from .datasets import encode, load_splits, rows_of
from .metrics import ClassificationReport


def evaluate(
    checkpoint: str | Path | None = None,
    files: Iterable[str | Path] = (),
    *,
    split: str = "test",
    columns: ColumnsConfig | None = None,
    device: str = "auto",
) -> dict[str, Any]:
    """Measure a checkpoint, on given files or on a split of the data it was trained from.

    Returns:
        {task: {macro_f1, accuracy, macro_recall, f1, support, confusion, count,
        macro_f1_interval, calibration_error}}, and under "rejected" the number of unusable rows.

    Raises:
        CheckpointError, DataError: one of them cannot be used.
    """
    folder = find_checkpoint(checkpoint)
    model, tokenizer = load_checkpoint(folder)
    tasks = model.config.task_list
    settings = EvaluationConfig()
    if paths := list(files):
        report = check_files(expand_paths(paths), tasks, columns)
        examples, rejected = report.examples, len(report.rejects)
    else:
        config = load_config(folder / "experiment.yaml")
        splits = load_splits(config)
        examples, rejected = getattr(splits, split), len(splits.rejects)
        settings = config.evaluation
    if not any(example.labels for example in examples):
        names = ", ".join(task.name for task in tasks)
        raise DataError(f"no sentence to evaluate on has a label for any of: {names}")
    result = measure(model, tokenizer, examples, settings, device=device)
    return {**result, "rejected": rejected}


def measure(
    model: ActorStanceModel,
    tokenizer: PreTrainedTokenizerBase,
    examples: Sequence[Example],
    settings: EvaluationConfig,
    *,
    device: str = "auto",
) -> dict[str, Any]:
    """Report every task that some example has a label for."""
    tasks = model.config.task_list
    logits, labels = predict_logits(model, tokenizer, examples, settings.batch_size, device)
    documents = [row.document or row.text for row in examples for _ in rows_of([row], tasks)]
    result = {}
    for index, task in enumerate(tasks):
        labelled = labels[:, index] != NO_LABEL
        if not labelled.any():
            continue
        wanted = labels[labelled, index]
        probabilities = model.probabilities({task.name: logits[task.name][labelled]})[task.name]
        report = report_of(
            probabilities.argmax(-1),
            wanted,
            task,
            settings.bootstrap,
            [document for document, use in zip(documents, labelled, strict=True) if use],
        )
        report["calibration_error"] = expected_calibration_error(probabilities, wanted)
        result[task.name] = report
    return result


def report_of(
    predicted: Tensor | np.ndarray,
    wanted: Tensor | np.ndarray,
    task: Task,
    bootstrap: int = 0,
    groups: Sequence[str] | None = None,
) -> dict[str, Any]:
    """Compute the `ClassificationReport` of one task."""
    report: dict[str, Any] = ClassificationReport(config_name="default").compute(
        predictions=predicted,
        references=wanted,
        labels=task.labels,
        bootstrap=bootstrap,
        groups=groups,
    )
    return report


@torch.inference_mode()
def predict_logits(
    model: ActorStanceModel,
    tokenizer: PreTrainedTokenizerBase,
    examples: Sequence[Example],
    batch_size: int = 64,
    device: str = "auto",
) -> tuple[dict[str, Tensor], Tensor]:
    """Run the model over the labelled rows of examples, in their order, without dropout.

    Returns:
        logits per task, each (rows, labels), and label indices (rows, tasks).
    """
    tasks = model.config.task_list
    dataset, _ = encode(examples, tasks, tokenizer, model.config.window)
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    was_training = model.training
    nn.Module.to(model, device).eval()
    collate = DataCollatorWithPadding(tokenizer)
    order = sorted(range(len(dataset)), key=lambda i: len(dataset[i]["input_ids"]))
    rows = dataset.to_list()
    pieces: dict[str, list[Tensor]] = {task.name: [] for task in tasks}
    for begin in range(0, len(order), batch_size):
        batch = BatchEncoding(collate([rows[i] for i in order[begin : begin + batch_size]]))
        batch.pop("labels")
        for name, values in model(**batch.to(device)).logits.items():
            pieces[name].append(values.float().cpu())
    model.train(was_training)
    back = torch.argsort(torch.tensor(order))
    labels = torch.tensor([row["labels"] for row in rows])
    return {name: torch.cat(values)[back] for name, values in pieces.items()}, labels
