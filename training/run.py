"""The run folder: where a training keeps its config, checkpoint, log, metrics and plots."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..configs import Config, RunError, load_config, save_config
from ..data.files import replacing


@dataclass(frozen=True)
class Run:
    """The folder of one training; every file in it is written atomically."""

    folder: Path

    @property
    def config_file(self) -> Path:
        """The resolved config."""
        return self.folder / "config.yaml"

    @property
    def checkpoint(self) -> Path:
        """All that inference needs; there only once training has finished."""
        return self.folder / "checkpoint"

    @property
    def trainer(self) -> Path:
        """What the Trainer needs to resume; removed when training has finished."""
        return self.folder / "trainer"

    @property
    def plots(self) -> Path:
        """PNG plots."""
        return self.folder / "plots"

    @property
    def finished(self) -> bool:
        """Whether training ran to its end: metrics are written last."""
        return (self.folder / "metrics.json").is_file() and self.checkpoint.is_dir()

    def open(self, config: Config, *, resume: bool, overwrite: bool) -> None:
        """Prepare the folder for a new or a resumed training.

        Raises:
            RunError: the folder is in use and neither flag was given, holds something that is not
                a run, or holds a run of another config.
        """
        if self.folder.exists() and not self.folder.is_dir():
            raise RunError(f"{self.folder}: is a file, expected a folder for the run")
        occupied = self.folder.is_dir() and any(self.folder.iterdir())
        if occupied and not self.config_file.is_file():
            raise RunError(f"{self.folder}: not empty and not a run; choose another --output")
        if occupied and resume:
            self._require_same(config)
        elif occupied and overwrite:
            shutil.rmtree(self.folder)
        elif occupied:
            state = "a finished run" if self.finished else "an unfinished run"
            raise RunError(
                f"{self.folder}: holds {state}; continue it with --resume, replace it with "
                "--overwrite, or choose another folder with --output"
            )
        try:
            self.plots.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RunError(f"{self.folder}: cannot be written: {error.strerror}") from None
        save_config(config, self.config_file)

    def last_trainer_checkpoint(self) -> str | None:
        """Return the newest state to resume from, if any."""
        found = [
            path
            for path in self.trainer.glob("checkpoint-*")
            if (path / "trainer_state.json").is_file() and (path / "model.safetensors").is_file()
        ]
        if not found:
            return None
        return str(max(found, key=lambda path: int(path.name.split("-")[-1])))

    def read_metrics(self) -> dict[str, Any]:
        """Return what `metrics.json` holds."""
        content: dict[str, Any] = json.loads((self.folder / "metrics.json").read_text("utf-8"))
        return content

    def write_json(self, name: str, content: Any) -> None:
        """Write a JSON file, atomically."""
        write_json(self.folder / name, content)

    def _require_same(self, config: Config) -> None:
        before = load_config(self.config_file).model_dump()
        changed = _differences(before, config.model_dump())
        if changed:
            raise RunError(
                f"{self.folder}: the run to resume has another config; changed: "
                + ", ".join(changed)
            )


def write_json(path: Path, content: Any) -> None:
    """Write JSON beside the target, then move it in place."""
    text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
    with replacing(path) as partial:
        partial.write_text(text, encoding="utf-8")


def _differences(before: Any, after: Any, at: str = "") -> list[str]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        keys = list(dict.fromkeys([*before, *after]))
        return [
            difference
            for key in keys
            for difference in _differences(
                before.get(key), after.get(key), f"{at}.{key}" if at else str(key)
            )
        ]
    return [] if before == after else [f"{at} (was {before!r:.60}, is {after!r:.60})"]
