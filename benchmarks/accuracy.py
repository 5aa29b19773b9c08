"""Accuracy of actorstance beside simpler ways, on the same sentences, in one run.

python benchmarks/accuracy.py --dataset newsmtsc                  # trains 3 seeds, then measures
python benchmarks/accuracy.py --dataset venezuela --checkpoint runs/venezuela --files MORE.jsonl

Baselines and networks learn from the config's train split; every row of a table is measured on the
same sentences: the config's test split, and each of `--files`. Finished trainings are kept in the
output folder and not repeated.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from actorstance import train
from actorstance.configs import Config, Task, load_config
from actorstance.data import Example, check_files, expand_paths
from actorstance.model import load_checkpoint
from actorstance.training.datasets import load_splits
from actorstance.training.evaluation import measure, report_of
from baselines import Baseline, labels_of, majority, plain_fine_tuning, tfidf, vader
from rich.console import Console
from rich.table import Table

Scores = dict[str, list[dict[str, float]]]  # name of the set of sentences -> a report per seed
METRICS = ("macro_f1", "accuracy")


def main() -> None:
    """Train what is missing, and print one table per task and set of sentences."""
    arguments = _arguments()
    config = load_config(arguments.dataset, arguments.set)
    splits = load_splits(config)
    sets = {"its test split": splits.test}
    for path in expand_paths(arguments.files) if arguments.files else []:
        sets[path.name] = check_files([path], config.tasks, config.data.columns).examples
    checkpoints = arguments.checkpoint or _trained(config, arguments)
    ours = _of_checkpoints(checkpoints, sets, config)
    console = Console()
    for task in config.tasks:
        learned = [row for row in splits.train if task.name in row.labels]
        asked = {
            name: [row for row in rows if task.name in row.labels] for name, rows in sets.items()
        }
        asked = {name: rows for name, rows in asked.items() if rows}
        rows: dict[str, Scores] = {
            "majority label": _scored([majority(learned, task)], asked, task)
        }
        rows["TF-IDF + logistic regression"] = _scored([tfidf(learned, task)], asked, task)
        if lexicon := vader(task):
            rows["VADER"] = _scored([lexicon], asked, task)
        if arguments.plain:
            plain = [
                plain_fine_tuning(learned, task, config, seed, arguments.output / "plain")
                for seed in range(arguments.seeds)
            ]
            rows["AutoModelForSequenceClassification"] = _scored(plain, asked, task)
        rows["actorstance"] = ours[task.name]
        for name, examples in asked.items():
            title = f"{config.name}: {task.name} on {name}, {len(examples)} sentences"
            table = Table("", *METRICS, "seeds", title=title)
            for row, scores in rows.items():
                table.add_row(row, *_cells(scores[name]), str(len(scores[name])))
            console.print(table)


def _trained(config: Config, arguments: argparse.Namespace) -> list[Path]:
    overrides = arguments.set
    return [
        train(
            arguments.dataset,
            overrides=[*overrides, f"training.seed={seed}"],
            output=arguments.output / f"{config.name}-seed{seed}",
            resume=True,
        )
        for seed in range(arguments.seeds)
    ]


def _of_checkpoints(
    checkpoints: Sequence[Path], sets: dict[str, list[Example]], config: Config
) -> dict[str, Scores]:
    found: dict[str, Scores] = {task.name: {name: [] for name in sets} for task in config.tasks}
    for checkpoint in checkpoints:
        model, tokenizer = load_checkpoint(checkpoint)
        for name, examples in sets.items():
            for task, report in measure(model, tokenizer, examples, config.evaluation).items():
                if task in found:
                    found[task][name].append(report)
    return found


def _scored(baselines: list[Baseline], sets: dict[str, list[Example]], task: Task) -> Scores:
    return {
        name: [
            report_of(np.array(answer(examples)), np.array(labels_of(examples, task)), task)
            for answer in baselines
        ]
        for name, examples in sets.items()
    }


def _cells(reports: list[dict[str, float]]) -> list[str]:
    cells = []
    for metric in METRICS:
        values = [100 * report[metric] for report in reports]
        spread = f" ± {statistics.stdev(values):.1f}" if len(values) > 1 else ""
        cells.append(f"{statistics.mean(values):.1f}{spread}" if values else "")
    return cells


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dataset", required=True, help="a config that ships, or a YAML file")
    parser.add_argument("--set", action="append", default=[], help="override, as in the CLI")
    parser.add_argument("--seeds", type=int, default=3, help="trainings with seeds 0, 1, ...")
    parser.add_argument(
        "--checkpoint", nargs="+", type=Path, default=[], help="measure these, train nothing"
    )
    parser.add_argument(
        "--plain",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="also fine-tune AutoModelForSequenceClassification, once per task and seed",
    )
    parser.add_argument("--files", nargs="*", default=[], help="more sentences to measure on")
    parser.add_argument("--output", type=Path, default=Path("runs/benchmark"))
    return parser.parse_args()


if __name__ == "__main__":
    main()
