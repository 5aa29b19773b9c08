"""Examples become files again: JSONL that the readers read back unchanged."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ..configs import ColumnsConfig
from .example import Example
from .files import replacing


def write_examples(
    examples: Iterable[Example], path: str | Path, columns: ColumnsConfig | None = None
) -> None:
    """Write one JSON object per line, atomically, under the column names the config gives."""
    path = Path(path)
    with replacing(path) as partial, partial.open("w", encoding="utf-8") as file:
        for example in examples:
            record = to_record(example, columns or ColumnsConfig())
            file.write(json.dumps(record, ensure_ascii=False) + "\n")


def to_record(example: Example, columns: ColumnsConfig) -> dict[str, Any]:
    """Return an example as the row it would be read from; what is empty is left out.

    A field that the config gives no column is written under its own name.
    """
    about = {
        columns.document or "document": example.document,
        columns.source or "source": example.source,
    }
    said = {
        columns.text: example.text,
        columns.target or "target": example.target,
        **{columns.of_task(task): label for task, label in example.labels.items()},
        columns.pair or "pair": example.pair,
        columns.annotators or "annotators": {
            name: dict(labels) for name, labels in example.annotators.items()
        },
        columns.language or "language": None if example.language == "en" else example.language,
    }
    # Only what has a value may take the place of a column of the user's own.
    return {**_filled(about), **_filled(example.other), **_filled(said)}


def _filled(record: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if value not in (None, "", {}, [])}
