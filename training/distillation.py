"""Learning from larger networks: what they say about a sentence joins, or replaces, its label.

Knowledge distillation (Hinton, Vinyals and Dean 2015) with the student and the hard labels at
temperature 1, so that teacher and label are one mixed target distribution.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from ..configs import (
    Actor,
    CheckpointError,
    Config,
    DistillationConfig,
    EvaluationConfig,
    Task,
)
from ..data import check_files, expand_paths
from ..model import find_checkpoint, load_checkpoint
from ..model.checkpoint import load_settings
from ..model.modeling import NO_LABEL
from .datasets import Row, target_probabilities
from .evaluation import predict_rows

PRONOUNS = frozenset(
    [
        *("i", "me", "my", "you", "your", "he", "him", "his", "she", "her", "it", "its"),
        *("we", "us", "our", "they", "them", "their"),
    ]
)


def unlabelled_rows(config: Config) -> list[Row]:
    """Read the sentences that the teachers alone label.

    A row with a target is read for the tasks about a target as well, and is retargeted, where the
    config asks for it, for the tasks about the sentence.
    """
    settings = config.training.distillation
    assert settings is not None
    generator = random.Random(config.training.seed)
    none = [NO_LABEL] * len(config.tasks)
    rows = []
    for source in settings.unlabelled:
        for example in check_files(expand_paths(source.files), [], source.columns).examples:
            text = example.text
            if settings.retarget and example.target and config.actors:
                text = _retargeted(text, example.target, config.actors, generator)
            rows.append(Row(text, None, none))
            if example.target and any(task.about == "target" for task in config.tasks):
                rows.append(Row(example.text, example.target, none))
    return rows


def _retargeted(text: str, target: str, actors: Sequence[Actor], generator: random.Random) -> str:
    if target.casefold() in PRONOUNS or not target[0].isupper():
        return text
    actor = generator.choice(actors)
    # The actor's own name is the commonest in news, so it is drawn half of the time.
    name = generator.choice([actor.name, generator.choice([actor.name, *actor.aliases])])
    return re.sub(rf"(?<!\w){re.escape(target)}(?!\w)", lambda _: name, text)


def distilled_targets(
    rows: Sequence[Row], tasks: Sequence[Task], settings: DistillationConfig, *, bfloat16: bool
) -> Tensor:
    """Mix the labels of rows with the mean probabilities of the teachers.

    Returns:
        (rows, labels of all tasks in a line), as `target_probabilities` gives it. A row without a
        label for a task that is about what the row shows gets the teachers' answer alone.

    Raises:
        CheckpointError: a teacher cannot be loaded, or knows none of the tasks.
    """
    wanted = target_probabilities(rows, tasks)
    spans = _spans(tasks)
    said = torch.zeros_like(wanted)
    heard = {task.name: 0 for task in tasks}
    for path in settings.teachers:
        for about in ("sentence", "target"):
            at = [
                i for i, row in enumerate(rows) if (row.target is not None) == (about == "target")
            ]
            asked = [task for task in tasks if task.about == about]
            logits = _answers(path, [rows[i] for i in at], asked, tasks, bfloat16=bfloat16)
            for name, values in logits.items():
                said[at, spans[name]] += (values / settings.temperature).softmax(-1)
                heard[name] += 1
    for task in tasks:
        if not heard[task.name]:
            continue
        span = spans[task.name]
        teacher = said[:, span] / heard[task.name]
        labelled = wanted[:, span].sum(1, keepdim=True) > 0
        mixed = (1 - settings.weight) * wanted[:, span] + settings.weight * teacher
        # Where the teachers were not asked, they have said nothing: all 0.
        wanted[:, span] = torch.where(labelled, mixed, teacher)
    return wanted


def _answers(
    path: str,
    rows: Sequence[Row],
    asked: Sequence[Task],
    tasks: Sequence[Task],
    *,
    bfloat16: bool,
) -> dict[str, Tensor]:
    """Ask a teacher: task -> (rows, labels) logits, for those of the tasks that it knows.

    What it says is kept in its folder, under a hash of the rows, so that other seeds and resumed
    runs do not ask again.
    """
    folder = find_checkpoint(path)
    known = [task.name for task in _shared_tasks(folder, tasks) if task in asked]
    if not rows or not known:
        return {}
    text = json.dumps([known, bfloat16, [(row.text, row.target) for row in rows]])
    kept = folder / "answers" / f"{hashlib.sha256(text.encode()).hexdigest()[:16]}.safetensors"
    if kept.is_file():
        return load_file(kept)
    model, tokenizer = load_checkpoint(folder)
    with torch.autocast(_device_type(), dtype=torch.bfloat16, enabled=bfloat16):
        logits = predict_rows(model, tokenizer, rows, EvaluationConfig().batch_size)
    answers = {name: logits[name].contiguous() for name in known}
    kept.parent.mkdir(exist_ok=True)
    partial = kept.with_name(kept.name + ".partial")
    save_file(answers, partial)
    partial.replace(kept)
    return answers


def _spans(tasks: Sequence[Task]) -> dict[str, slice]:
    spans = {}
    begin = 0
    for task in tasks:
        spans[task.name] = slice(begin, begin + len(task.labels))
        begin += len(task.labels)
    return spans


def _shared_tasks(folder: Path, tasks: Sequence[Task]) -> list[Task]:
    theirs = {task.name: task.labels for task in load_settings(folder).task_list}
    shared = [task for task in tasks if theirs.get(task.name) == task.labels]
    if not shared:
        raise CheckpointError(
            f"teacher {folder}: shares no task with this config; its tasks: "
            + "; ".join(f"{name} ({', '.join(labels)})" for name, labels in theirs.items())
        )
    return shared


def _device_type() -> str:
    return "cuda" if torch.cuda.is_available() else "cpu"
