"""What a training shows while it runs: a progress bar, and a log with one line per event."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from ..data.files import replacing


class EpochLog(TrainerCallback):
    """Mirror the Trainer's history to a JSONL file, so that a resumed run has one whole log."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        **_: Any,
    ) -> None:
        """Rewrite the log from the state."""
        if state.is_world_process_zero:
            lines = (json.dumps(entry) + "\n" for entry in state.log_history)
            with replacing(self.path) as partial:
                partial.write_text("".join(lines), encoding="utf-8")


class Progress(TrainerCallback):
    """A progress bar over the steps and one line per epoch, on standard error."""

    def __init__(self) -> None:
        self.console = Console(stderr=True)
        self.bar = Bar(
            TextColumn("training"),
            BarColumn(),
            TextColumn("{task.completed:.0f}/{task.total:.0f} steps"),
            TimeRemainingColumn(),
            console=self.console,
        )
        self.task = self.bar.add_task("training", total=None)

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Show the bar, at the step a resumed run stands at."""
        if state.is_world_process_zero:
            self.bar.update(self.task, total=state.max_steps, completed=state.global_step)
            self.bar.start()

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Advance."""
        self.bar.update(self.task, completed=state.global_step)

    def on_evaluate(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        metrics: dict[str, float] | None = None,
        **_: Any,
    ) -> None:
        """Print the dev scores of the epoch."""
        if state.is_world_process_zero and metrics:
            scores = {
                key.removeprefix("eval_").removesuffix("_macro_f1"): value
                for key, value in metrics.items()
                if key.endswith("macro_f1")
            }
            shown = "  ".join(f"{name} {value:.3f}" for name, value in scores.items())
            self.console.print(f"epoch {state.epoch or 0:.0f}: dev macro-F1  {shown}")

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Take the bar away."""
        self.bar.stop()
