"""Annotated files (JSONL, CSV, Parquet, plain text) become examples; a bad row becomes a reject.

Rows are read one by one rather than by `datasets.load_dataset`, which gives up the whole file at
the first row that does not parse.
"""

from __future__ import annotations

import csv
import difflib
import glob
import json
import math
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from ..configs import ColumnsConfig, DataError, Task
from .example import Example
from .files import (
    COMPRESSIONS,
    LONGEST_LINE,
    STANDARD_INPUT,
    Meter,
    numbered_lines,
    opened,
    suffix_of,
)

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
            matches = sorted(p for p in path.rglob("*") if p.is_file() and suffix_of(p) in suffixes)
        elif path.is_file() or path == STANDARD_INPUT:
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
        except BadRowError as problem:
            yield line, Reject(str(path), line, str(problem), json.dumps(row, default=str)[:2000])


def read_rows(
    path: Path, text_column: str | None = None, meter: Meter | None = None
) -> Iterator[tuple[int, dict[str, Any] | Reject]]:
    """Yield (line number, row or reject) for every non-blank row of a file.

    A table must have the text column, if one is named. The meter follows what has been read.
    """
    if path.is_dir():
        raise DataError(f"{path}: is a folder, expected a file")
    if not path.is_file() and path != STANDARD_INPUT:
        raise DataError(_nothing_at(path, SUFFIXES))
    suffix = suffix_of(path)
    try:
        if path == STANDARD_INPUT:
            yield from _standard_input_rows(text_column or "text")
        elif suffix in (".jsonl", ".json"):
            yield from _json_rows(path, meter)
        elif suffix in (".csv", ".tsv"):
            yield from _csv_rows(path, text_column, "\t" if suffix == ".tsv" else ",", meter)
        elif path.suffix.lower() == ".parquet":
            yield from _parquet_rows(path, text_column, meter)
        elif suffix == ".txt":
            for number, line in _lines(path, meter):
                yield number, line if isinstance(line, Reject) else {text_column or "text": line}
        else:
            raise DataError(
                f"{path}: unknown format {path.suffix or '(no ending)'!r}; "
                f"expected one of {', '.join(SUFFIXES)}, each but .parquet also with "
                f"{' or '.join(COMPRESSIONS)}"
            )
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from None


class BadRowError(Exception):
    """Why a row is rejected."""


def _nothing_at(path: Path, suffixes: Sequence[str]) -> str:
    if path.is_dir():
        return f"{path}: no file in this folder ends in {', '.join(suffixes)}"
    siblings = [str(p) for p in path.parent.iterdir()] if path.parent.is_dir() else []
    nearest = difflib.get_close_matches(str(path), siblings, n=1)
    return f"{path}: no such file" + (f"; did you mean {nearest[0]!r}?" if nearest else "")


def _lines(path: Path, meter: Meter | None = None) -> Iterator[tuple[int, str | Reject]]:
    """Yield (line number, line) of what is not blank; what cannot be read is a reject."""
    number = 0
    try:
        with opened(path, meter) as file:
            for number, raw in numbered_lines(file):
                line = _decoded(path, number, raw)
                if line:
                    yield number, line
    except OSError as error:
        if number == 0:
            raise
        yield number + 1, Reject(str(path), number + 1, f"unreadable from here on: {error}", "")


def _decoded(path: Path, number: int, raw: bytes | None) -> str | Reject:
    if raw is None:
        reason = f"the line is longer than {LONGEST_LINE:,} bytes"
        return Reject(str(path), number, reason, "")
    try:
        return raw.decode("utf-8-sig" if number == 1 else "utf-8").strip()
    except UnicodeDecodeError as error:
        reason = f"not UTF-8: byte {raw[error.start]:#04x} at column {error.start + 1}"
        return Reject(str(path), number, reason, repr(raw[:200]))


def _standard_input_rows(text_column: str) -> Iterator[tuple[int, dict[str, Any] | Reject]]:
    """One JSON object, or one sentence, per line: the first character of a line tells which."""
    for number, line in _lines(STANDARD_INPUT):
        if isinstance(line, str) and not line.startswith("{"):
            yield number, {text_column: line}
        else:
            yield _json_row(STANDARD_INPUT, number, line)


def _json_rows(path: Path, meter: Meter | None) -> Iterator[tuple[int, dict[str, Any] | Reject]]:
    for number, line in _lines(path, meter):
        yield _json_row(path, number, line)


def _json_row(path: Path, number: int, line: str | Reject) -> tuple[int, dict[str, Any] | Reject]:
    if isinstance(line, Reject):
        return number, line
    try:
        row = json.loads(line)
    except (json.JSONDecodeError, RecursionError) as error:
        return number, Reject(str(path), number, f"not JSON: {error}", line[:2000])
    if isinstance(row, dict):
        return number, row
    reason = f"expected one JSON object per line, found {type(row).__name__}"
    return number, Reject(str(path), number, reason, line[:2000])


def _csv_rows(
    path: Path, text_column: str | None, delimiter: str, meter: Meter | None
) -> Iterator[tuple[int, dict[str, Any] | Reject]]:
    skipped: list[Reject] = []
    last = 0

    def lines(file: BinaryIO) -> Iterator[str]:
        nonlocal last
        for last, raw in numbered_lines(file):
            if raw is None:
                skipped.append(cast(Reject, _decoded(path, last, raw)))
            else:
                yield raw.decode("utf-8-sig" if last == 1 else "utf-8", errors="surrogateescape")

    with opened(path, meter) as file:
        reader = csv.DictReader(lines(file), delimiter=delimiter)
        if reader.fieldnames is not None:
            _require_column(path, text_column, reader.fieldnames)
        while True:
            row: dict[Any, Any] | Reject | None
            try:
                row = next(reader, None)
            except csv.Error as error:
                row = Reject(str(path), last, f"not CSV: {error}", "")
            except OSError as error:
                row = Reject(str(path), last + 1, f"unreadable from here on: {error}", "")
                skipped.append(row)
                row = None
            for reject in skipped:
                yield reject.line, reject
            skipped.clear()
            if row is None:
                return
            yield last, row if isinstance(row, Reject) else _checked_row(path, last, row, reader)


def _checked_row(
    path: Path, line: int, row: dict[Any, Any], reader: csv.DictReader[str]
) -> dict[str, Any] | Reject:
    if None in row:
        reason = f"{len(row[None])} more fields than the {len(reader.fieldnames or [])} columns"
        return Reject(str(path), line, reason, str(row)[:2000])
    if any("\udc80" <= char <= "\udcff" for value in row.values() for char in value or ""):
        return Reject(str(path), line, "not UTF-8", repr(row)[:2000])
    return row


def _parquet_rows(
    path: Path, text_column: str | None, meter: Meter | None
) -> Iterator[tuple[int, dict[str, Any] | Reject]]:
    import pyarrow
    import pyarrow.parquet

    with opened(path, meter) as raw:
        try:
            file = pyarrow.parquet.ParquetFile(raw)
        except pyarrow.ArrowException as error:
            raise DataError(f"{path}: not a Parquet file: {error}") from None
        _require_column(path, text_column, file.schema_arrow.names)
        number = 0
        try:
            for batch in file.iter_batches(batch_size=4096):
                for row in batch.to_pylist():
                    number += 1
                    yield number, row
        except pyarrow.ArrowException as error:
            reason = f"unreadable from here on: {error}"
            yield number + 1, Reject(str(path), number + 1, reason, "")


def _require_column(path: Path, column: str | None, present: Sequence[str]) -> None:
    if column is not None and column not in present:
        nearest = difflib.get_close_matches(column, present, n=1)
        hint = f"; did you mean {nearest[0]!r}?" if nearest else ""
        raise DataError(f"{path}: no column {column!r}; columns: {', '.join(present)}{hint}")


def clean_text(value: Any, name: str) -> str:
    """Check that a value is usable text; raise with the reason if not."""
    if value is None:
        raise BadRowError(f"{name} is missing")
    if not isinstance(value, str):
        raise BadRowError(f"{name} is {value!r:.60}, expected text, not {type(value).__name__}")
    text = " ".join(value.split())
    if not any(unicodedata.category(char)[0] in "LNS" for char in text):
        problem = f"has no word in it: {text!r:.60}" if text else "is empty"
        raise BadRowError(f"{name} {problem}")
    if len(text) > LONGEST_TEXT:
        raise BadRowError(f"{name} has {len(text):,} characters, more than {LONGEST_TEXT:,}")
    return text


def _to_example(row: Mapping[str, Any], tasks: Sequence[Task], columns: ColumnsConfig) -> Example:
    if columns.text not in row:
        nearest = difflib.get_close_matches(columns.text, list(row), n=1)
        hint = f"; did you mean {nearest[0]!r}?" if nearest else ""
        raise BadRowError(f"no field {columns.text!r}; fields: {', '.join(map(str, row))}{hint}")
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
        raise BadRowError(f"has a label about a target, but field {columns.target!r} is empty")
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
            raise BadRowError(f"{label} is {value!r:.60}, expected a probability or a count")
    total = sum(votes.values())
    if total == 0:
        raise BadRowError(f"the probabilities of {task.name} are all 0")
    return {label: vote / total for label, vote in votes.items()}


def _known_label(value: str, task: Task, field: str) -> str:
    if value in task.labels:
        return value
    nearest = difflib.get_close_matches(value, task.labels, n=1)
    hint = f"; did you mean {nearest[0]!r}?" if nearest else ""
    raise BadRowError(f"{field} is {value!r:.60}, expected one of {', '.join(task.labels)}{hint}")


def _annotators(
    row: Mapping[str, Any], tasks: Sequence[Task], columns: ColumnsConfig
) -> dict[str, dict[str, str]]:
    given = row.get(columns.annotators) if columns.annotators else None
    if not given:
        return {}
    if not isinstance(given, Mapping) or not all(isinstance(v, Mapping) for v in given.values()):
        raise BadRowError(f"{columns.annotators} is not {{annotator: {{task: label}}}}")
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
