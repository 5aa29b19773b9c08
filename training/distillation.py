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
from dataclasses import dataclass
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
from ..data import check_files, expand_paths, part_of, with_exchanged_names
from ..data.files import replacing
from ..model import find_checkpoint, load_checkpoint
from ..model.checkpoint import load_settings
from ..model.modeling import NO_LABEL
from ..model.runtime import VECTORS
from .datasets import Row, target_probabilities
from .evaluation import predict_rows
from .rewording import Rewording

PRONOUNS = frozenset(
    [
        *("i", "me", "my", "you", "your", "he", "him", "his", "she", "her", "it", "its"),
        *("we", "us", "our", "they", "them", "their"),
    ]
)


def unlabelled_rows(
    config: Config, labelled: Sequence[Row] = (), reworded: Rewording | None = None
) -> list[Row]:
    """Read, and make, the sentences that the teachers alone label.

    Every sentence of `labelled` gets `variants` altered copies: half of them with the actors' names
    exchanged, a quarter cut to a part, all of them `reworded`. A row with a target is read for the
    tasks about a target as well, and is retargeted, where the config asks for it, for the tasks
    about the sentence. What is made is part of the data, and so the same for every seed.
    """
    settings = config.training.distillation
    assert settings is not None
    generator = random.Random(0)
    none = [NO_LABEL] * len(config.tasks)
    rows: list[Row] = []
    written = dict.fromkeys(row.text for row in labelled if row.target is None)
    made = dict.fromkeys(
        _variant(text, config.actors, generator, reworded)
        for text in written
        for _ in range(settings.variants)
    )
    rows += [Row(text, None, none) for text in made if text not in written]
    for source in settings.unlabelled:
        for example in check_files(expand_paths(source.files), [], source.columns).examples:
            text = example.text
            if settings.retarget and example.target and config.actors:
                text = _retargeted(text, example.target, config.actors, generator)
            rows.append(Row(text, None, none))
            if example.target and any(task.about == "target" for task in config.tasks):
                rows.append(Row(example.text, example.target, none))
    return rows


def _variant(
    text: str, actors: Sequence[Actor], generator: random.Random, reworded: Rewording | None
) -> str:
    if generator.random() < 0.5:
        text = with_exchanged_names(text, actors, generator)
    if generator.random() < 0.25:
        text = part_of(text, generator)
    return reworded(text, generator) if reworded else text


def _retargeted(text: str, target: str, actors: Sequence[Actor], generator: random.Random) -> str:
    if target.casefold() in PRONOUNS or not target[0].isupper():
        return text
    actor = generator.choice(actors)
    # The actor's own name is the commonest in news, so it is drawn half of the time.
    name = generator.choice([actor.name, generator.choice([actor.name, *actor.aliases])])
    return re.sub(rf"(?<!\w){re.escape(target)}(?!\w)", lambda _: name, text)


@dataclass(frozen=True)
class Lesson:
    """What rows are to be answered with.

    Attributes:
        targets: (rows, labels of all tasks in a line), as `target_probabilities` gives it.
        vectors: per teacher, (rows, its hidden size), all 0 for a row that it was not asked.
    """

    targets: Tensor
    vectors: list[Tensor]


def prepare_lesson(
    rows: Sequence[Row], tasks: Sequence[Task], settings: DistillationConfig, *, bfloat16: bool
) -> Lesson:
    """Mix the labels of rows with the mean probabilities of the teachers.

    A row without a label for a task that is about what the row shows gets the teachers' answer
    alone.

    Raises:
        CheckpointError: a teacher cannot be loaded, or knows none of the tasks.
    """
    wanted = target_probabilities(rows, tasks)
    spans = _spans(tasks)
    said = torch.zeros_like(wanted)
    heard = {task.name: 0 for task in tasks}
    vectors = []
    for path in settings.teachers:
        seen: Tensor | None = None
        for about in ("sentence", "target"):
            at = [
                i for i, row in enumerate(rows) if (row.target is not None) == (about == "target")
            ]
            asked = [task for task in tasks if task.about == about]
            answers = _answers(path, [rows[i] for i in at], asked, tasks, bfloat16=bfloat16)
            if not answers:
                continue
            read = answers.pop(VECTORS)
            seen = torch.zeros(len(rows), read.shape[1]) if seen is None else seen
            seen[at] = read.float()
            for name, values in answers.items():
                said[at, spans[name]] += (values / settings.temperature).softmax(-1)
                heard[name] += 1
        if seen is not None:
            vectors.append(seen)
    for task in tasks:
        if not heard[task.name]:
            continue
        span = spans[task.name]
        teacher = said[:, span] / heard[task.name]
        labelled = wanted[:, span].sum(1, keepdim=True) > 0
        mixed = (1 - settings.weight) * wanted[:, span] + settings.weight * teacher
        # Where the teachers were not asked, they have said nothing: all 0.
        wanted[:, span] = torch.where(labelled, mixed, teacher)
    return Lesson(wanted, vectors)


def _answers(
    path: str,
    rows: Sequence[Row],
    asked: Sequence[Task],
    tasks: Sequence[Task],
    *,
    bfloat16: bool,
) -> dict[str, Tensor]:
    """Ask a teacher: logits, (rows, labels), of those of the tasks that it knows, and its vectors.

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
        found = predict_rows(model, tokenizer, rows, EvaluationConfig().batch_size)
    answers = {name: found[name].contiguous() for name in known}
    answers[VECTORS] = found[VECTORS].to(torch.float16).contiguous()
    kept.parent.mkdir(exist_ok=True)
    with replacing(kept) as partial:
        save_file(answers, partial)
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
