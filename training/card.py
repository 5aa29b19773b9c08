"""The model card of a run: its data, its figures, and what it must not be used for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..configs import Config
from ..data import count
from .calibration import coverage_rows

TEMPLATE = """---
library_name: actorstance
pipeline_tag: text-classification
tags: [stance-detection, sentiment-analysis, political-text]
---
# {name}

{description}

Made by `actorstance train`; `experiment.yaml` beside this file is the config that made it.

```python
import actorstance

clf = actorstance.load("path/to/this/folder")
clf("A sentence.")
```

## What it predicts
{tasks}

Encoder: `{encoder}`, one linear head per task, window of {max_length} tokens.

## Data statement
{data}

## Results
Macro-F1 with a 95% interval (bootstrap over documents). The epoch was chosen, and the temperatures
were fitted, on dev; test was measured once, at the end of this run (seed {seed}).

{results}

### What abstaining gains
Share of the test sentences that get a label with at least the given probability, and how many of
those labels are right.

{coverage}

## Intended use
Describing how texts on this dispute take sides, over many sentences, by researchers and analysts
who read a sample of the sentences themselves and report the error rates above beside their
findings.

## Limits
- A label says what a *sentence* favours, not what its author believes nor whether it is true; a
  quoted accusation counts for the side it helps.
- Sentences are read one at a time: who "he" is, or irony that needs the paragraph, is lost.
- Trained on English, on this dispute, on these kinds of text. Elsewhere expect lower figures, and
  measure them before use.
- Probabilities are calibrated on dev sentences; on other text they may be too sure.
- Not for decisions about a person or an outlet (moderation, ranking, surveillance, hiring), and not
  for single sentences without a human reader.
"""


def write_model_card(path: Path, config: Config, splits: Any, metrics: dict[str, Any]) -> None:
    """Write the card as Markdown with the metadata block that model hubs read."""
    text = TEMPLATE.format(
        name=config.name,
        description=config.description,
        tasks="\n".join(
            f"- `{task.name}` (about the {task.about}): {', '.join(task.labels)}"
            for task in config.tasks
        ),
        encoder=Path(config.model.encoder).name,
        max_length=config.model.max_length,
        data=_data_statement(config, splits, metrics),
        results=_results_table(metrics),
        coverage=_coverage_table(metrics["test"] or metrics["dev"]),
        seed=config.training.seed,
    )
    path.write_text(text, encoding="utf-8")


def _data_statement(config: Config, splits: Any, metrics: dict[str, Any]) -> str:
    lines = []
    for name in ("train", "dev", "test"):
        examples = getattr(splits, name)
        if not examples:
            continue
        seen = count(examples, config.tasks)
        labels = "; ".join(
            f"{task}: " + ", ".join(f"{label} {n}" for label, n in counts.items())
            for task, counts in seen.labels.items()
        )
        lines.append(
            f"- {name}: {seen.sentences:,} sentences in {seen.documents:,} documents from "
            f"{seen.sources:,} sources, {seen.words_mean:.0f} words on average. {labels}"
        )
    by = "split by document" if config.data.files else "splits as given in the config"
    lines.append(f"- {by}; {metrics['rejected']} rows were rejected as unusable")
    return "\n".join(lines)


def _results_table(metrics: dict[str, Any]) -> str:
    rows = [
        "| split | task | macro-F1 | 95% interval | accuracy | calibration error | sentences |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for split in ("dev", "test"):
        for task, report in metrics[split].items():
            interval = report.get("macro_f1_interval")
            shown = f"{interval[0]:.3f} to {interval[1]:.3f}" if interval else ""
            rows.append(
                f"| {split} | {task} | {report['macro_f1']:.3f} | {shown} "
                f"| {report['accuracy']:.3f} | {report['calibration_error']:.3f} "
                f"| {report['count']} |"
            )
    return "\n".join(rows)


def _coverage_table(reports: dict[str, Any]) -> str:
    rows = [
        "| abstain below | " + " | ".join(reports) + " |",
        "| --- |" + " --- |" * len(reports),
        *("| " + " | ".join(row) + " |" for row in coverage_rows(reports)),
    ]
    return "\n".join(rows)
