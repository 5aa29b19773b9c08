"""Examples become files again: JSONL that the readers read back unchanged."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from .example import Example


def write_examples(examples: Iterable[Example], path: str | Path) -> None:
    """Write one JSON object per line, atomically."""
    path = Path(path)
    partial = path.with_name(path.name + ".partial")
    with partial.open("w", encoding="utf-8") as file:
        for example in examples:
            file.write(json.dumps(to_record(example), ensure_ascii=False) + "\n")
    partial.replace(path)


def to_record(example: Example) -> dict[str, Any]:
    """Return an example as a row under the default column names; what is empty is left out."""
    record = {
        "document": example.document,
        "source": example.source,
        **example.other,
        "text": example.text,
        "target": example.target,
        **example.labels,
        "pair": example.pair,
        "annotators": {name: dict(labels) for name, labels in example.annotators.items()},
        "language": None if example.language == "en" else example.language,
    }
    return {name: value for name, value in record.items() if value not in (None, "", {}, [])}
