"""Annotated files (JSONL, CSV, Parquet, plain text) become examples; a bad row becomes a reject.

Rows are read one by one rather than by `datasets.load_dataset`, which gives up the whole file at
the first row that does not parse.
"""

from __future__ import annotations

import csv
import difflib
import glob
import io
import json
import math
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..configs import ColumnsConfig, DataError, Task
from .example import Example

SUFFIXES = (".jsonl", ".json", ".csv", ".tsv", ".parquet", ".txt")
LONGEST_TEXT = 10_000  # characters; a "sentence" beyond this is a broken file


@dataclass(frozen=True)
class Reject:
    """A row that cannot be used, and why."""

    file: str
    line: int
    reason: str
    row: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.reason}"


def expand_paths(patterns: Iterable[str | Path], suffixes: Sequence[str] = SUFFIXES) -> list[Path]:
    """Resolve files, folders and globs to files, in a stable order, each once.

    Raises:
        DataError: a pattern matches nothing.
    """
    found: dict[Path, None] = {}
    for pattern in patterns:
        path = Path(pattern).expanduser()
        if path.is_dir():
            matches = sorted(p for p in path.rglob("*") if p.is_file() and p.suffix in suffixes)
        elif path.is_file():
            matches = [path]
        else:
            matches = sorted(Path(match) for match in glob.glob(str(path), recursive=True))
        if not matches:
            raise DataError(_nothing_at(path, suffixes))
        found.update(dict.fromkeys(matches))
    return list(found)


def read_examples(
    path: str | Path, tasks: Sequence[Task], columns: ColumnsConfig | None = None
) -> Iterator[tuple[int, Example | Reject]]:
    """Read one file row by row, as (line number, example or reject).

    Args:
        path: .jsonl, .csv, .tsv, .parquet, or .txt (one unlabelled sentence per line).
        tasks: the tasks whose labels to look for; other columns are ignored.
        columns: which column holds what.

    Raises:
        DataError: the file cannot be opened, is of no known format, or lacks the text column.
    """
    path = Path(path)
    columns = columns or ColumnsConfig()
    for line, row in read_rows(path, columns.text):
        if isinstance(row, Reject):
            yield line, row
            continue
        try:
            yield line, _to_example(row, tasks, columns)
        except _BadRowError as problem:
            yield line, Reject(str(path), line, str(problem), json.dumps(row, default=str)[:2000])


def read_rows(
    path: Path, text_column: str | None = None
) -> Iterator[tuple[int, dict[str, Any] | Reject]]:
    """Yield (line number, row or reject) for every non-blank row of a file.

    A table must have the text column, if one is named.
    """
    if path.is_dir():
        raise DataError(f"{path}: is a folder, expected a file")
    if not path.is_file():
        raise DataError(_nothing_at(path, SUFFIXES))
    suffix = path.suffix.lower()
    try:
        if suffix in (".jsonl", ".json"):
            yield from _json_rows(path)
        elif suffix in (".csv", ".tsv"):
            yield from _csv_rows(path, text_column, "\t" if suffix == ".tsv" else ",")
        elif suffix == ".parquet":
            yield from _parquet_rows(path, text_column)
        elif suffix == ".txt":
            for number, line in _lines(path):
                yield number, line if isinstance(line, Reject) else {text_column or "text": line}
        else:
            raise DataError(
                f"{path}: unknown format {suffix or '(no ending)'!r}; "
                f"expected one of {', '.join(SUFFIXES)}"
            )
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from None


class _BadRowError(Exception):
    """Why a row is rejected."""


def _nothing_at(path: Path, suffixes: Sequence[str]) -> str:
    if path.is_dir():
        return f"{path}: no file in this folder ends in {', '.join(suffixes)}"
    siblings = [str(p) for p in path.parent.iterdir()] if path.parent.is_dir() else []
    nearest = difflib.get_close_matches(str(path), siblings, n=1)
    return f"{path}: no such file" + (f"; did you mean {nearest[0]!r}?" if nearest else "")


def _lines(path: Path) -> Iterator[tuple[int, str | Reject]]:
    with path.open("rb") as file:
        for number, raw in enumerate(file, 1):
            try:
                line = raw.decode("utf-8-sig" if number == 1 else "utf-8").strip()
            except UnicodeDecodeError as error:
                reason = f"not UTF-8: byte {raw[error.start]:#04x} at column {error.start + 1}"
                yield number, Reject(str(path), number, reason, repr(raw[:200]))
                continue
            if line:
                yield number, line


def _json_rows(path: Path) -> Iterator[tuple[int, dict[str, Any] | Reject]]:
    for number, line in _lines(path):
        if isinstance(line, Reject):
            yield number, line
            continue
        try:
            row = json.loads(line)
        except (json.JSONDecodeError, RecursionError) as error:
            yield number, Reject(str(path), number, f"not JSON: {error}", line[:2000])
            continue
        if isinstance(row, dict):
            yield number, row
        else:
            reason = f"expected one JSON object per line, found {type(row).__name__}"
            yield number, Reject(str(path), number, reason, line[:2000])


def _csv_rows(
    path: Path, text_column: str | None, delimiter: str
) -> Iterator[tuple[int, dict[str, Any] | Reject]]:
    content = path.read_bytes().decode("utf-8-sig", errors="surrogateescape")
    reader = csv.DictReader(io.StringIO(content, newline=""), delimiter=delimiter)
    if reader.fieldnames is not None:
        _require_column(path, text_column, reader.fieldnames)
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield reader.line_num, Reject(str(path), reader.line_num, f"not CSV: {error}", "")
            continue
        if None in row:
            reason = f"{len(row[None])} more fields than the {len(reader.fieldnames or [])} columns"
            yield reader.line_num, Reject(str(path), reader.line_num, reason, str(row)[:2000])
        elif any("\udc80" <= char <= "\udcff" for value in row.values() for char in value or ""):
            yield reader.line_num, Reject(str(path), reader.line_num, "not UTF-8", repr(row)[:2000])
        else:
            yield reader.line_num, dict(row)


def _parquet_rows(
    path: Path, text_column: str | None
) -> Iterator[tuple[int, dict[str, Any] | Reject]]:
    import pyarrow
    import pyarrow.parquet

    try:
        file = pyarrow.parquet.ParquetFile(path)
    except pyarrow.ArrowException as error:
        raise DataError(f"{path}: not a Parquet file: {error}") from None
    _require_column(path, text_column, file.schema_arrow.names)
    number = 0
    for batch in file.iter_batches():
        for row in batch.to_pylist():
            number += 1
            yield number, row


def _require_column(path: Path, column: str | None, present: Sequence[str]) -> None:
    if column is not None and column not in present:
        nearest = difflib.get_close_matches(column, present, n=1)
        hint = f"; did you mean {nearest[0]!r}?" if nearest else ""
        raise DataError(f"{path}: no column {column!r}; columns: {', '.join(present)}{hint}")


def clean_text(value: Any, name: str) -> str:
    """Check that a value is usable text; raise with the reason if not."""
    if value is None:
        raise _BadRowError(f"{name} is missing")
    if not isinstance(value, str):
        raise _BadRowError(f"{name} is {value!r:.60}, expected text, not {type(value).__name__}")
    text = " ".join(value.split())
    if not any(unicodedata.category(char)[0] in "LNS" for char in text):
        problem = f"has no word in it: {text!r:.60}" if text else "is empty"
        raise _BadRowError(f"{name} {problem}")
    if len(text) > LONGEST_TEXT:
        raise _BadRowError(f"{name} has {len(text):,} characters, more than {LONGEST_TEXT:,}")
    return text


def _to_example(row: Mapping[str, Any], tasks: Sequence[Task], columns: ColumnsConfig) -> Example:
    if columns.text not in row:
        nearest = difflib.get_close_matches(columns.text, list(row), n=1)
        hint = f"; did you mean {nearest[0]!r}?" if nearest else ""
        raise _BadRowError(f"no field {columns.text!r}; fields: {', '.join(map(str, row))}{hint}")
    labels = {}
    distributions = {}
    for task in tasks:
        if distribution := _distribution(row, task, columns):
            distributions[task.name] = distribution
            labels[task.name] = max(task.labels, key=distribution.__getitem__)
        elif (label := _label(row, task, columns)) is not None:
            labels[task.name] = label

    def optional(column: str | None) -> str | None:
        value = row.get(column) if column else None
        return None if value is None or value == "" else str(value)

    target = optional(columns.target)
    if target is None and any(task.about == "target" and task.name in labels for task in tasks):
        raise _BadRowError(f"has a label about a target, but field {columns.target!r} is empty")
    return Example(
        text=clean_text(row[columns.text], columns.text),
        labels=labels,
        target=target,
        document=optional(columns.document),
        source=optional(columns.source),
        language=optional(columns.language) or "en",
        annotators=_annotators(row, tasks, columns),
        pair=optional(columns.pair),
        distributions=distributions,
        other={name: value for name, value in row.items() if name not in _used(tasks, columns)},
    )


def _used(tasks: Sequence[Task], columns: ColumnsConfig) -> set[str | None]:
    """List the columns that an example has fields for."""
    fixed = {
        columns.text,
        columns.target,
        columns.document,
        columns.source,
        columns.language,
        columns.annotators,
        columns.pair,
    }
    return fixed | {columns.of_task(task.name) for task in tasks}


def _label(row: Mapping[str, Any], task: Task, columns: ColumnsConfig) -> str | None:
    mapped = columns.tasks.get(task.name)
    if mapped and mapped.distribution:
        return None
    column = columns.of_task(task.name)
    value = row.get(column)
    if value is None or value == "":
        return None
    if mapped and mapped.values:
        value = mapped.values.get(str(value), value)
    return _known_label(str(value), task, column)


def _distribution(row: Mapping[str, Any], task: Task, columns: ColumnsConfig) -> dict[str, float]:
    """Read label -> probability; votes are turned into shares, and no votes at all into nothing."""
    mapped = columns.tasks.get(task.name)
    given = {
        label: row.get(column) for label, column in (mapped.distribution if mapped else {}).items()
    }
    if all(value in (None, "") for value in given.values()):
        return {}
    votes = {}
    for label, value in given.items():
        try:
            votes[label] = float(value or 0)
        except (TypeError, ValueError):
            votes[label] = -1.0
        if not 0 <= votes[label] < math.inf:
            raise _BadRowError(f"{label} is {value!r:.60}, expected a probability or a count")
    total = sum(votes.values())
    if total == 0:
        raise _BadRowError(f"the probabilities of {task.name} are all 0")
    return {label: vote / total for label, vote in votes.items()}


def _known_label(value: str, task: Task, field: str) -> str:
    if value in task.labels:
        return value
    nearest = difflib.get_close_matches(value, task.labels, n=1)
    hint = f"; did you mean {nearest[0]!r}?" if nearest else ""
    raise _BadRowError(f"{field} is {value!r:.60}, expected one of {', '.join(task.labels)}{hint}")


def _annotators(
    row: Mapping[str, Any], tasks: Sequence[Task], columns: ColumnsConfig
) -> dict[str, dict[str, str]]:
    given = row.get(columns.annotators) if columns.annotators else None
    if not given:
        return {}
    if not isinstance(given, Mapping) or not all(isinstance(v, Mapping) for v in given.values()):
        raise _BadRowError(f"{columns.annotators} is not {{annotator: {{task: label}}}}")
    return {
        str(annotator): {
            task.name: _known_label(
                str(labels[task.name]), task, f"{columns.annotators}.{annotator}.{task.name}"
            )
            for task in tasks
            if labels.get(task.name) not in (None, "")
        }
        for annotator, labels in given.items()
    }
