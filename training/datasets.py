"""From a config's data files to tokenized `datasets.Dataset` splits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import datasets
from transformers import PreTrainedTokenizerBase

from ..configs import Config, DataError, Task
from ..data import Example, Reject, check_files, expand_paths, split_of
from ..model.modeling import NO_LABEL


@dataclass(frozen=True)
class Splits:
    """The examples of an experiment, and the rows that had to be left out."""

    train: list[Example]
    dev: list[Example]
    test: list[Example]
    rejects: list[Reject]


def load_splits(config: Config) -> Splits:
    """Read the data of a config and split it by document.

    A sentence without a document id is a document of its own.

    Raises:
        DataError: no file, no usable row, or a split without any label to learn from.
    """
    data = config.data
    if data.files:
        report = check_files(expand_paths(data.files), config.tasks, data.columns)
        parts: dict[str, list[Example]] = {"train": [], "dev": [], "test": []}
        for example in report.examples:
            parts[split_of(example.document or example.text, data.split)].append(example)
        splits = Splits(**parts, rejects=report.rejects)
    else:
        reports = {
            name: check_files(expand_paths(files), config.tasks, data.columns)
            for name in ("train", "dev", "test")
            if (files := getattr(data, name))
        }
        splits = Splits(
            **{n: reports[n].examples if n in reports else [] for n in ("train", "dev", "test")},
            rejects=[reject for report in reports.values() for reject in report.rejects],
        )
    _require_labels(config, splits)
    return splits


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


def rows_of(examples: Sequence[Example], tasks: Sequence[Task]) -> list[tuple[Example, list[int]]]:
    """Expand examples to rows (example as encoded, label index per task, -100 for none).

    An example with labels about the sentence and about its target makes two rows, because the
    first are read from the sentence alone and the second from the pair.
    """
    rows = []
    for example in examples:
        for about in ("sentence", "target"):
            labels = [
                task.labels.index(example.labels[task.name])
                if task.about == about and task.name in example.labels
                else NO_LABEL
                for task in tasks
            ]
            if any(label != NO_LABEL for label in labels):
                target = example.target if about == "target" else None
                rows.append((Example(text=example.text, target=target), labels))
    return rows


def encode(
    examples: Sequence[Example],
    tasks: Sequence[Task],
    tokenizer: PreTrainedTokenizerBase,
    max_length: int,
) -> tuple[datasets.Dataset, int]:
    """Tokenize examples; return the dataset and how many texts were longer than the window."""
    rows = rows_of(examples, tasks)
    encoded = []
    cut = 0
    for example, labels in rows:
        features = tokenizer(
            example.text, example.target, truncation="only_first", max_length=max_length + 1
        )
        if len(features["input_ids"]) > max_length:
            cut += 1
            features = tokenizer(
                example.text, example.target, truncation="only_first", max_length=max_length
            )
        encoded.append({**features, "labels": labels})
    return datasets.Dataset.from_list(encoded), cut
