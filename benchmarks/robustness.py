"""How far a checkpoint's answers hold when the same sentences come in the forms real input takes.

python benchmarks/robustness.py --checkpoint runs/venezuela [--files MORE.jsonl]

Measures macro-F1 on the bare-words form (lowercased, no punctuation, no numbers, no possessives),
and the share of labels that change when an actor goes by a name, or a misspelling, that its config
does not list; only sentences that name the actor count.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from actorstance.configs import EvaluationConfig, load_config
from actorstance.data import Example, bare_words, check_files, expand_paths, renamed
from actorstance.model import find_checkpoint, load_checkpoint
from actorstance.training.datasets import load_splits
from actorstance.training.evaluation import measure, predict_logits
from rich.console import Console
from rich.table import Table

NAMES = [
    ("Guaidó", "the interim leader"),
    ("Guaidó", "Guiado"),
    ("Guaidó", "Gauido"),
    ("Maduro", "Miraflores"),
    ("Maduro", "the presidential palace"),
    ("Maduro", "Madruo"),
]


def main() -> None:
    """Print one table per checkpoint and set of sentences."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--checkpoint", nargs="+", type=Path, default=[None])
    parser.add_argument("--files", nargs="*", default=[])
    parser.add_argument(
        "--name",
        action="append",
        metavar="ACTOR=NAME",
        help="another name to try; repeatable [default: some for the Venezuelan dispute]",
    )
    arguments = parser.parse_args()
    names = [tuple(pair.split("=", 1)) for pair in arguments.name or []] or NAMES
    for path in arguments.checkpoint:
        folder = find_checkpoint(path)
        config = load_config(folder / "experiment.yaml")
        sets = {"its test split": load_splits(config).test}
        for file in expand_paths(arguments.files) if arguments.files else []:
            sets[file.name] = check_files([file], config.tasks, config.data.columns).examples
        for name, examples in sets.items():
            _report(folder, f"{folder}: {name}", examples, names)


def _report(
    folder: Path, title: str, examples: Sequence[Example], names: Sequence[tuple[str, ...]]
) -> None:
    model, tokenizer = load_checkpoint(folder)
    tasks = model.config.task_list
    settings = EvaluationConfig(bootstrap=0)
    bare = [replace(row, text=bare_words(row.text)) for row in examples]
    as_is = measure(model, tokenizer, examples, settings)
    stripped = measure(model, tokenizer, bare, settings)
    table = Table("", *(task for task in as_is), title=title)
    table.add_row("macro-F1", *(f"{100 * report['macro_f1']:.1f}" for report in as_is.values()))
    table.add_row(
        "macro-F1 on bare words",
        *(
            f"{100 * stripped[task]['macro_f1']:.1f} "
            f"({100 * (stripped[task]['macro_f1'] - report['macro_f1']):+.1f})"
            for task, report in as_is.items()
        ),
    )
    actors = {actor.name: actor for actor in model.config.actor_list}
    for actor, name in names:
        if actor not in actors:
            continue
        pairs = [
            (row, replace(row, text=renamed(row.text, actors[actor], name))) for row in examples
        ]
        pairs = [pair for pair in pairs if pair[0].text != pair[1].text]
        before, labels = predict_logits(model, tokenizer, [pair[0] for pair in pairs])
        after, _ = predict_logits(model, tokenizer, [pair[1] for pair in pairs])
        cells = []
        for index, task in enumerate(tasks):
            asked = labels[:, index] >= 0
            moved = before[task.name].argmax(-1) != after[task.name].argmax(-1)
            share = float(moved[asked].float().mean()) if asked.any() else float("nan")
            cells.append(f"{share:.1%} of {int(asked.sum())} change")
        table.add_row(f"{actor} -> {name}", *cells[: len(as_is)])
    Console().print(table)


if __name__ == "__main__":
    main()
