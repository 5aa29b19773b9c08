"""From a config's data files to tokenized `datasets.Dataset` splits."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import datasets
import torch
from transformers import PreTrainedTokenizerBase

from ..configs import Actor, AugmentationConfig, Config, DataError, SourceConfig, Task
from ..data import (
    Example,
    Reject,
    bare_words,
    check_files,
    expand_paths,
    split_of,
    with_misspelt_names,
    with_other_names,
)
from ..model import marked
from ..model.modeling import NO_LABEL


@dataclass(frozen=True)
class Splits:
    """The examples of an experiment, and the rows that had to be left out."""

    train: list[Example]
    dev: list[Example]
    test: list[Example]
    rejects: list[Reject]


def load_splits(config: Config) -> Splits:
    """Read every source of a config and split each in its own way.

    Raises:
        DataError: no file, no usable row, or a split without any label to learn from.
    """
    splits = Splits([], [], [], [])
    for source in config.data.sources:
        found = _load_source(source, config.tasks)
        for name in ("train", "dev", "test", "rejects"):
            getattr(splits, name).extend(getattr(found, name))
    _require_labels(config, splits)
    return splits


def _load_source(source: SourceConfig, tasks: Sequence[Task]) -> Splits:
    if source.files:
        report = check_files(expand_paths(source.files), tasks, source.columns)
        parts: dict[str, list[Example]] = {"train": [], "dev": [], "test": []}
        for example in report.examples:
            parts[split_of(example, source.split)].append(example)
        return Splits(**parts, rejects=report.rejects)
    reports = {
        name: check_files(expand_paths(files), tasks, source.columns)
        for name in ("train", "dev", "test")
        if (files := getattr(source, name))
    }
    return Splits(
        **{n: reports[n].examples if n in reports else [] for n in ("train", "dev", "test")},
        rejects=[reject for report in reports.values() for reject in report.rejects],
    )


def _require_labels(config: Config, splits: Splits) -> None:
    where = ", ".join(config.data.files or config.data.train)
    for task in config.tasks:
        seen = {row.labels[task.name] for row in splits.train if task.name in row.labels}
        missing = [label for label in task.labels if label not in seen]
        if missing:
            raise DataError(
                f"{where}: task {task.name!r}: no training example has the label "
                f"{', '.join(missing)}; every label needs some"
            )
    if not splits.dev:
        raise DataError(
            f"{where}: the dev split is empty; give more documents, a larger data.split.dev, "
            "or another data.split.seed"
        )


@dataclass(frozen=True)
class Row:
    """What the network reads at once: a text, or a text and a target, and what it should say.

    Attributes:
        labels: label index per task, -100 for none.
        distributions: probability of each label per task, where the data has more than one label.
    """

    text: str
    target: str | None
    labels: list[int]
    distributions: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


def rows_of(examples: Iterable[Example], tasks: Sequence[Task]) -> list[Row]:
    """Expand examples to rows.

    An example with labels about the sentence and about its target makes two rows, because the
    first are read from the sentence alone and the second from the pair.
    """
    rows = []
    for example in examples:
        for about in ("sentence", "target"):
            names = [task.name for task in tasks if task.about == about]
            if any(name in example.labels for name in names):
                labels = [
                    task.labels.index(example.labels[task.name])
                    if task.name in names and task.name in example.labels
                    else NO_LABEL
                    for task in tasks
                ]
                target = example.target if about == "target" else None
                given = {n: d for n, d in example.distributions.items() if n in names}
                rows.append(Row(example.text, target, labels, given))
    return rows


def target_probabilities(rows: Sequence[Row], tasks: Sequence[Task]) -> torch.Tensor:
    """Say what each row should be answered with: (rows, labels of all tasks in a line).

    A label is a 1 among 0s, a distribution is itself, and a task without either is all 0.
    """
    result = torch.zeros(len(rows), sum(len(task.labels) for task in tasks))
    for at, row in enumerate(rows):
        begin = 0
        for task, label in zip(tasks, row.labels, strict=True):
            if task.name in row.distributions:
                given = [row.distributions[task.name][name] for name in task.labels]
                result[at, begin : begin + len(given)] = torch.tensor(given)
            elif label != NO_LABEL:
                result[at, begin + label] = 1.0
            begin += len(task.labels)
    return result


def with_augmented_copies(
    rows: Sequence[Row],
    settings: AugmentationConfig,
    actors: Sequence[Actor],
    seed: int,
) -> tuple[list[Row], list[int]]:
    """Add copies of some labelled rows in other forms; say which row each one is made from.

    A copy that comes out like its original is left out. The label stays: none of the forms changes
    what a sentence says. Names are not touched in a row about a target, which may be the name.
    """
    generator = random.Random(seed)
    forms: list[tuple[float, Callable[[str], str]]] = [
        (settings.bare_words, bare_words),
        (settings.misspelt_names, lambda text: with_misspelt_names(text, actors, generator)),
        (settings.other_names, lambda text: with_other_names(text, actors, generator)),
    ]
    result = list(rows)
    origins = list(range(len(rows)))
    labelled = [
        (at, row)
        for at, row in enumerate(rows)
        if row.distributions or any(label != NO_LABEL for label in row.labels)
    ]
    for share, form in forms:
        for at, row in labelled:
            if generator.random() >= share or (row.target is not None and form is not bare_words):
                continue
            target = bare_words(row.target) if row.target is not None else None
            text = form(row.text)
            if text != row.text and text and target != "":
                result.append(replace(row, text=text, target=target))
                origins.append(at)
    return result, origins


def encode(
    rows: Sequence[Row],
    tokenizer: PreTrainedTokenizerBase,
    max_length: int,
    targets: torch.Tensor | None = None,
    *,
    mark_target: bool = False,
) -> tuple[datasets.Dataset, int]:
    """Tokenize rows; return the dataset and how many texts were longer than the window.

    Args:
        targets: what to train towards instead of the labels, as `target_probabilities` gives it.
        mark_target: mark the target's first mention.
    """
    encoded = []
    cut = 0
    for at, row in enumerate(rows):
        text = marked(row.text, row.target) if mark_target else row.text
        features = tokenizer(text, row.target, truncation="only_first", max_length=max_length + 1)
        if len(features["input_ids"]) > max_length:
            cut += 1
            features = tokenizer(text, row.target, truncation="only_first", max_length=max_length)
        wanted = {} if targets is None else {"targets": targets[at].tolist(), "row": at}
        encoded.append({**features, "labels": row.labels, **wanted})
    return datasets.Dataset.from_list(encoded), cut
