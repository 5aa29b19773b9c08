"""What a corpus holds, sentence by sentence: files become a stream of rows that fits in memory."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..configs import DataError
from ..data import Reject, expand_paths, read_article, read_rows
from ..data.files import STANDARD_INPUT, Meter, stem_of, suffix_of
from ..data.readers import BadRowError, clean_text

FIXED = ("document", "sentence", "start", "end", "text", "target")


@dataclass(frozen=True)
class Columns:
    """Which column of a table holds what."""

    text: str = "text"
    document: str = "document"
    target: str | None = None


@dataclass(frozen=True)
class Input:
    """A file to score, and the document id of what it holds: its path in the folder given."""

    path: Path
    document: str


def expand_inputs(inputs: Iterable[str | Path]) -> list[Input]:
    """Resolve files, folders, globs and `-` (standard input), in a stable order, each once.

    Raises:
        DataError: one of them matches nothing.
    """
    found: dict[Path, Input] = {}
    for given in inputs:
        root = Path(given).expanduser()
        for path in expand_paths([given]):
            inside = path.relative_to(root).parent if root.is_dir() else Path()
            document = "stdin" if path == STANDARD_INPUT else (inside / stem_of(path)).as_posix()
            found.setdefault(path, Input(path, document))
    return list(found.values())


def stream(
    inputs: Iterable[Input],
    columns: Columns,
    reserved: Collection[str] = (),
    meter: Meter | None = None,
) -> Iterator[dict[str, Any] | Reject]:
    """Yield every sentence as a row, and what cannot be used as a reject, file by file in order.

    A .txt file is an article, cut into sentences with character offsets; a row of any other file is
    a sentence. A row has `document`, `sentence` (its index in the document; -1 for the title of a
    token-per-line article), `start`, `end`, `text`, `target` where there is one, and the table's
    other columns as they are; one that bears the name of a column of ours, or of the `reserved`
    ones, is kept as `NAME_in`.
    """
    taken = {*FIXED, *reserved}
    counts: dict[str, int] = {}
    for source in inputs:
        try:
            if suffix_of(source.path) == ".txt":
                yield from _of_article(source, meter)
            else:
                yield from _of_table(source, columns, counts, taken, meter)
        except DataError as error:
            yield Reject(str(source.path), 0, str(error), "")


def _of_article(source: Input, meter: Meter | None) -> Iterator[dict[str, Any]]:
    article = read_article(source.path, meter)
    if article.title:
        yield {**_place(source.document, -1), "text": article.title}
    for index, sentence in enumerate(article.sentences):
        place = _place(source.document, index, sentence.start, sentence.end)
        yield {**place, "text": sentence.text}


def _of_table(
    source: Input,
    columns: Columns,
    counts: dict[str, int],
    taken: Collection[str],
    meter: Meter | None,
) -> Iterator[dict[str, Any] | Reject]:
    for line, row in read_rows(source.path, columns.text, meter):
        if isinstance(row, Reject):
            yield row
            continue
        try:
            text = clean_text(row.get(columns.text), columns.text)
            target = _target(row, columns)
        except BadRowError as problem:
            yield Reject(str(source.path), line, str(problem), repr(row)[:2000])
            continue
        given = row.get(columns.document)
        document = source.document if given in (None, "") else str(given)
        index = counts.get(document, 0)
        counts[document] = index + 1
        asked = {} if target is None else {"target": target}
        yield {**_place(document, index), "text": text, **asked, **_others(row, columns, taken)}


def _place(
    document: str, sentence: int, start: int | None = None, end: int | None = None
) -> dict[str, Any]:
    return {"document": document, "sentence": sentence, "start": start, "end": end}


def _target(row: Mapping[str, Any], columns: Columns) -> str | None:
    given = row.get(columns.target) if columns.target else None
    return None if given in (None, "") else clean_text(given, str(columns.target))


def _others(row: Mapping[str, Any], columns: Columns, taken: Collection[str]) -> dict[str, Any]:
    used = (columns.text, columns.document, columns.target)
    return {
        f"{name}_in" if name in taken else name: value
        for name, value in row.items()
        if name not in used
    }
