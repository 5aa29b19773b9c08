"""Macro-F1 of checkpoints beside majority and TF-IDF + logistic regression, in one run.

python benchmarks/accuracy.py venezuela --checkpoint runs/venezuela [--files MORE.jsonl]

The baselines learn from the config's train split; every row is measured on the same sentences: the
config's test split, and each of `--files`. Several checkpoints (seeds) give mean and spread.
"""

from __future__ import annotations

import argparse
import statistics
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from actorstance.configs import Task, load_config
from actorstance.data import Example, check_files, expand_paths
from actorstance.model import load_checkpoint
from actorstance.training.datasets import load_splits
from actorstance.training.evaluation import measure, report_of
from rich.console import Console
from rich.table import Table
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

Baseline = Callable[[Sequence[str]], list[int]]


def majority(texts: list[str], labels: list[int]) -> Baseline:
    """Always answer the commonest label of the training sentences."""
    commonest = Counter(labels).most_common(1)[0][0]
    return lambda asked: [commonest] * len(asked)


def tfidf(texts: list[str], labels: list[int]) -> Baseline:
    """Words and word pairs, weighted by TF-IDF, into a balanced logistic regression."""
    pipeline = make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2),
        LogisticRegression(C=10, max_iter=2000, class_weight="balanced"),
    )
    pipeline.fit(texts, labels)
    return lambda asked: list(pipeline.predict(asked))


def labelled(examples: Sequence[Example], task: Task) -> tuple[list[str], list[int]]:
    """Return texts and label indices of the examples that a task has a label for."""
    rows = [row for row in examples if task.name in row.labels]
    texts = [f"{row.target} | {row.text}" if task.about == "target" else row.text for row in rows]
    return texts, [task.labels.index(row.labels[task.name]) for row in rows]


def main() -> None:
    """Print one table per set of sentences."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("config")
    parser.add_argument("--checkpoint", nargs="+", type=Path, default=[])
    parser.add_argument("--files", nargs="*", default=[])
    arguments = parser.parse_args()
    config = load_config(arguments.config)
    splits = load_splits(config)
    sets = {"own test split": splits.test}
    for path in expand_paths(arguments.files) if arguments.files else []:
        sets[str(path)] = check_files([path], config.tasks, config.data.columns).examples
    console = Console()
    for name, examples in sets.items():
        table = Table("", *(task.name for task in config.tasks), title=f"macro-F1 on {name}")
        for make in (majority, tfidf):
            cells = []
            for task in config.tasks:
                predict = make(*labelled(splits.train, task))
                texts, wanted = labelled(examples, task)
                report = report_of(np.array(predict(texts)), np.array(wanted), task)
                cells.append(f"{report['macro_f1']:.3f} ({len(wanted)})")
            table.add_row(make.__name__, *cells)
        found: dict[str, list[float]] = {task.name: [] for task in config.tasks}
        for checkpoint in arguments.checkpoint:
            model, tokenizer = load_checkpoint(checkpoint)
            for measured, report in measure(model, tokenizer, examples, config.evaluation).items():
                found[measured].append(report["macro_f1"])
        if arguments.checkpoint:
            table.add_row(
                f"actorstance, {len(arguments.checkpoint)} seeds",
                *(
                    f"{statistics.mean(scores):.3f}"
                    + (f" ± {statistics.stdev(scores):.3f}" if len(scores) > 1 else "")
                    for scores in found.values()
                ),
            )
        console.print(table)


if __name__ == "__main__":
    main()
