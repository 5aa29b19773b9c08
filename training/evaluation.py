"""Scores of a checkpoint on annotated sentences, per task, with an interval and calibration."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import compress
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
from ..model.runtime import VECTORS
from .calibration import coverage_curve, expected_calibration_error
from .datasets import Row, encode, load_splits, rows_of
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

    Args:
        columns: which column of the files holds what; None: as in the checkpoint's own config.

    Returns:
        {task: {macro_f1, accuracy, macro_recall, f1, support, confusion, count,
        macro_f1_interval, calibration_error, coverage_curve, contrast_pairs}}, and under
        "rejected" the number of unusable rows.

    Raises:
        CheckpointError, DataError: one of them cannot be used.
    """
    folder = find_checkpoint(checkpoint)
    model, tokenizer = load_checkpoint(folder)
    tasks = model.config.task_list
    settings = EvaluationConfig()
    if paths := list(files):
        trained_by = folder / "experiment.yaml"
        if columns is None and trained_by.is_file():
            columns = load_config(trained_by).data.columns
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
    owners = [row for row in examples for _ in rows_of([row], tasks)]
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
            [row.document or row.text for row in compress(owners, labelled)],
        )
        report["calibration_error"] = expected_calibration_error(probabilities, wanted)
        report["coverage_curve"] = coverage_curve(probabilities, wanted)
        right = (probabilities.argmax(-1) == wanted).tolist()
        pairs = [row.pair for row in compress(owners, labelled)]
        report["contrast_pairs"] = pair_consistency(pairs, wanted.tolist(), right)
        result[task.name] = report
    return result


def pair_consistency(
    pairs: Sequence[str | None], wanted: Sequence[int], right: Sequence[bool]
) -> dict[str, Any]:
    """Share of contrast pairs with both members right, of those whose label the edit changes.

    The metric is the contrast consistency of Gardner et al. (2020, Evaluating Models' Local
    Decision Boundaries via Contrast Sets); `consistency` is None where there is no such pair.
    """
    members: dict[str, list[int]] = {}
    for index, pair in enumerate(pairs):
        if pair is not None:
            members.setdefault(pair, []).append(index)
    flipped = [m for m in members.values() if len({wanted[i] for i in m}) > 1]
    both = sum(all(right[i] for i in m) for m in flipped)
    return {"count": len(flipped), "consistency": both / len(flipped) if flipped else None}


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
    rows = rows_of(examples, model.config.task_list)
    logits = predict_rows(model, tokenizer, rows, batch_size, device)
    return logits, torch.tensor([row.labels for row in rows])


@torch.inference_mode()
def predict_rows(
    model: ActorStanceModel,
    tokenizer: PreTrainedTokenizerBase,
    rows: Sequence[Row],
    batch_size: int = 64,
    device: str = "auto",
) -> dict[str, Tensor]:
    """Run the model over rows, in their order, without dropout.

    Returns:
        task -> (rows, labels) logits, and under `VECTORS` what the heads read, (rows, hidden size).
    """
    settings = model.config
    dataset, _ = encode(rows, tokenizer, settings.window, mark_target=settings.mark_target)
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    was_training = model.training
    nn.Module.to(model, device).eval()
    collate = DataCollatorWithPadding(tokenizer)
    features = dataset.remove_columns("labels").to_list()
    order = sorted(range(len(features)), key=lambda i: len(features[i]["input_ids"]))
    pieces: dict[str, list[Tensor]] = {task.name: [] for task in model.config.task_list}
    pieces[VECTORS] = []
    for begin in range(0, len(order), batch_size):
        batch = BatchEncoding(collate([features[i] for i in order[begin : begin + batch_size]]))
        said = model(**batch.to(device))
        for name, values in {**said.logits, VECTORS: said.vectors}.items():
            pieces[name].append(values.float().cpu())
    model.train(was_training)
    back = torch.argsort(torch.tensor(order))
    return {name: torch.cat(values)[back] for name, values in pieces.items()}
