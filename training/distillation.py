"""Learning from larger networks: what they say about a sentence joins, or replaces, its label.

Knowledge distillation (Hinton, Vinyals and Dean 2015) with the student and the hard labels at
temperature 1, so that teacher and label are one mixed target distribution.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from pathlib import Path

import torch
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
from ..model import ActorStanceModel, load_checkpoint
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
        model, tokenizer = load_checkpoint(path)
        known = _shared_tasks(model, tasks, path)
        with torch.autocast(_device_type(), dtype=torch.bfloat16, enabled=bfloat16):
            logits = predict_rows(model, tokenizer, rows, EvaluationConfig().batch_size)
        for task in known:
            said[:, spans[task.name]] += (logits[task.name] / settings.temperature).softmax(-1)
            heard[task.name] += 1
    for task in tasks:
        if not heard[task.name]:
            continue
        span = spans[task.name]
        teacher = said[:, span] / heard[task.name]
        labelled = wanted[:, span].sum(1) > 0
        asked = torch.tensor([(row.target is not None) == (task.about == "target") for row in rows])
        mixed = (1 - settings.weight) * wanted[:, span] + settings.weight * teacher
        wanted[:, span] = torch.where(
            (labelled & asked)[:, None], mixed, torch.where(asked[:, None], teacher, 0.0)
        )
    return wanted


def _spans(tasks: Sequence[Task]) -> dict[str, slice]:
    spans = {}
    begin = 0
    for task in tasks:
        spans[task.name] = slice(begin, begin + len(task.labels))
        begin += len(task.labels)
    return spans


def _shared_tasks(model: ActorStanceModel, tasks: Sequence[Task], path: str | Path) -> list[Task]:
    theirs = {task.name: task.labels for task in model.config.task_list}
    shared = [task for task in tasks if theirs.get(task.name) == task.labels]
    if not shared:
        raise CheckpointError(
            f"teacher {path}: shares no task with this config; its tasks: "
            + "; ".join(f"{name} ({', '.join(labels)})" for name, labels in theirs.items())
        )
    return shared


def _device_type() -> str:
    return "cuda" if torch.cuda.is_available() else "cpu"
