"""The table that a scoring run writes: shard by shard, so that nothing is lost when it is cut off.

Beside the output stands a folder `NAME.partial` while the run lasts: `run.json`, what is being done
with what; then for each shard its rows (Parquet), its rejects, and last its counts, which make it
count. Every file is written under another name and moved in place. A run that finds the folder goes
on behind the last shard that counts; when the input ends, the shards are joined into one table.
"""

from __future__ import annotations

import csv
import itertools
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet

from ..configs import DataError
from ..data import Reject
from ..data.files import replacing

FORMATS = (".parquet", ".jsonl", ".csv")
OWN_TYPES = {
    "document": pyarrow.string(),
    "sentence": pyarrow.int64(),
    "start": pyarrow.int64(),
    "end": pyarrow.int64(),
    "text": pyarrow.string(),
    "target": pyarrow.string(),
}


class ShardedTable:
    """The shards of one output file, and the file itself in the end."""

    def __init__(self, output: Path) -> None:
        self.output = output
        self.folder = output.with_name(output.name + ".partial")
        self.rejects_file = output.with_name(
            output.name.removesuffix(output.suffix) + ".rejects.jsonl"
        )

    def check_writable(self, *, overwrite: bool) -> None:
        """Refuse an output that cannot be written, before any work is done.

        Raises:
            DataError: it has no known ending, is a folder or in none, or exists without a cut-off
                run beside it that would replace it.
        """
        _check_place(self.output)
        if self.output.exists() and not overwrite and self._earlier_run() is None:
            raise DataError(f"{self.output}: exists; replace it with --overwrite")

    def open(self, run: Mapping[str, Any], *, overwrite: bool, resumable: bool = True) -> None:
        """Begin, or go on where an earlier run of the same kind was cut off.

        Args:
            run: what is being done with what; a cut-off run that differs is not continued.
            overwrite: start over where a cut-off run differs.
            resumable: whether the same input can be read again; else a cut-off run is dropped.

        Raises:
            DataError: a cut-off run differs, or the folder cannot be made.
        """
        before = self._earlier_run() if resumable else None
        changed = [] if before is None else _changed(before, run)
        if changed and not overwrite:
            raise DataError(
                f"{self.folder}: holds a run that was cut off and differs in {', '.join(changed)}; "
                "repeat it as it was, or start over with --overwrite"
            )
        if before is not None and not changed:
            return
        self.discard()
        try:
            self.folder.mkdir()
            _write_text(self.folder / "run.json", json.dumps(run, indent=2))
        except OSError as error:
            raise DataError(f"{self.folder}: cannot be written: {error.strerror}") from None

    def discard(self) -> None:
        """Take the shards away; without its `run.json`, what is left of the folder is no run."""
        (self.folder / "run.json").unlink(missing_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _earlier_run(self) -> dict[str, Any] | None:
        try:
            earlier: dict[str, Any] = json.loads((self.folder / "run.json").read_text("utf-8"))
        except (OSError, json.JSONDecodeError):
            return None
        return earlier

    @property
    def finished_shards(self) -> int:
        """How many shards count; they are the first ones."""
        number = 0
        while self._file(number, "json").is_file():
            number += 1
        return number

    def add(
        self, number: int, rows: Sequence[Mapping[str, Any]], rejects: Sequence[Reject]
    ) -> None:
        """Write a shard; it counts once this returns.

        Raises:
            DataError: the disk does not take it.
        """
        try:
            if rows:
                with replacing(self._file(number, "parquet")) as partial:
                    pyarrow.parquet.write_table(as_table(rows), partial)
            lines = [json.dumps(asdict(reject), ensure_ascii=False) + "\n" for reject in rejects]
            _write_text(self._file(number, "rejects.jsonl"), "".join(lines))
            counts = {"rows": len(rows), "rejects": len(rejects)}
            _write_text(self._file(number, "json"), json.dumps(counts))
        except OSError as error:
            raise DataError(
                f"{self.folder}: cannot be written: {error.strerror or error}"
            ) from None

    def counts(self) -> dict[str, int]:
        """Count what the shards hold: rows and rejects."""
        totals = {"rows": 0, "rejects": 0}
        for number in range(self.finished_shards):
            shard = json.loads(self._file(number, "json").read_text("utf-8"))
            totals = {name: totals[name] + shard[name] for name in totals}
        return totals

    def tables(self) -> Iterator[pyarrow.Table]:
        """Yield the rows of each shard, all with the same columns of the same types."""
        files = [
            file
            for number in range(self.finished_shards)
            if (file := self._file(number, "parquet")).is_file()
        ]
        schema = _common_schema([pyarrow.parquet.read_schema(file) for file in files])
        for file in files:
            yield _conformed(pyarrow.parquet.read_table(file), schema)

    def join(self, more: Mapping[Path, pyarrow.Table] | None = None) -> None:
        """Join the shards into the output and its rejects file, and take the shards away.

        Args:
            more: further tables to write first, each to a file of the output's format.
        """
        try:
            for path, table in (more or {}).items():
                write_table([table], path)
            write_table(self.tables(), self.output)
            if self.counts()["rejects"]:
                with replacing(self.rejects_file) as partial, partial.open("wb") as file:
                    for number in range(self.finished_shards):
                        file.write(self._file(number, "rejects.jsonl").read_bytes())
            else:
                self.rejects_file.unlink(missing_ok=True)
        except OSError as error:
            raise DataError(
                f"{self.output}: cannot be written: {error.strerror or error}"
            ) from None
        self.discard()

    def _file(self, number: int, suffix: str) -> Path:
        return self.folder / f"{number:06}.{suffix}"


def write_table(tables: Iterable[pyarrow.Table], path: Path) -> None:
    """Write tables that have the same columns as one file, in the format of its ending."""
    with replacing(path) as partial:
        writers = {".parquet": _write_parquet, ".jsonl": _write_jsonl, ".csv": _write_csv}
        writers[path.suffix](iter(tables), partial)


def _write_parquet(tables: Iterator[pyarrow.Table], path: Path) -> None:
    first = next(tables)
    with pyarrow.parquet.ParquetWriter(path, first.schema, compression="zstd") as writer:
        for table in itertools.chain([first], tables):
            writer.write_table(table)


def _write_jsonl(tables: Iterator[pyarrow.Table], path: Path) -> None:
    with path.open("w", encoding="utf-8") as file:
        for table in tables:
            for row in table.to_pylist():
                file.write(json.dumps(row, ensure_ascii=False, default=str) + "\n")


def _write_csv(tables: Iterator[pyarrow.Table], path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = None
        for table in tables:
            if writer is None:
                writer = csv.writer(file)
                writer.writerow(table.column_names)
            columns = [column.to_pylist() for column in table.columns]
            writer.writerows(map(_cells, zip(*columns, strict=True)))


def _cells(row: tuple[Any, ...]) -> list[Any]:
    return [
        json.dumps(cell, ensure_ascii=False, default=str) if isinstance(cell, list | dict) else cell
        for cell in row
    ]


def as_table(rows: Sequence[Mapping[str, Any]]) -> pyarrow.Table:
    """Return rows as a table; a column of values of several kinds becomes text."""
    names = dict.fromkeys(name for row in rows for name in row)
    return pyarrow.table({name: _array([row.get(name) for row in rows]) for name in names})


def _array(values: list[Any]) -> pyarrow.Array:
    try:
        return pyarrow.array(values)
    except (pyarrow.ArrowException, TypeError, OverflowError):
        return pyarrow.array([_as_text(value) for value in values], pyarrow.string())


def _as_text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, default=str)


def _common_schema(schemas: Sequence[pyarrow.Schema]) -> pyarrow.Schema:
    types: dict[str, list[pyarrow.DataType]] = {}
    for schema in schemas:
        for field in schema:
            types.setdefault(field.name, []).append(field.type)
    return pyarrow.schema(
        [(name, OWN_TYPES.get(name) or _common_type(found)) for name, found in types.items()]
    )


def _common_type(types: Sequence[pyarrow.DataType]) -> pyarrow.DataType:
    known = [type_ for type_ in types if not pyarrow.types.is_null(type_)]
    if not known:
        return pyarrow.string()
    try:
        fields = [pyarrow.schema([("column", type_)]) for type_ in known]
        return pyarrow.unify_schemas(fields, promote_options="permissive").field(0).type
    except pyarrow.ArrowException:
        return pyarrow.string()


def _conformed(table: pyarrow.Table, schema: pyarrow.Schema) -> pyarrow.Table:
    columns = []
    for field in schema:
        if field.name not in table.column_names:
            column = pyarrow.nulls(len(table), field.type)
        else:
            column = table[field.name]
            if column.type != field.type and pyarrow.types.is_string(field.type):
                column = pyarrow.array([_as_text(v) for v in column.to_pylist()], field.type)
            elif column.type != field.type:
                column = column.cast(field.type)
        columns.append(column)
    return pyarrow.table(columns, schema=schema)


def _changed(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    # Through JSON, as the earlier run was, so that a tuple and a list are the same.
    now = json.loads(json.dumps(now))
    return [name for name in dict.fromkeys([*before, *now]) if before.get(name) != now.get(name)]


def _check_place(path: Path) -> None:
    if path.suffix not in FORMATS:
        raise DataError(f"{path}: output ends in {path.suffix!r}, expected one of {FORMATS}")
    if path.is_dir():
        raise DataError(f"{path}: is a folder, expected a file to write")
    if not path.absolute().parent.is_dir():
        raise DataError(f"{path}: its folder does not exist")
    if not os.access(path.absolute().parent, os.W_OK):
        raise DataError(f"{path}: its folder cannot be written to")


def _write_text(path: Path, text: str) -> None:
    with replacing(path) as partial:
        partial.write_text(text, encoding="utf-8")
