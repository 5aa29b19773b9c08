"""Scoring files and folders: sentences in, one row per sentence out."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..configs import ColumnsConfig, DataError
from ..data import Example, Reject, expand_paths, read_article, read_examples, write_rejects
from .classifier import Classifier, load

FORMATS = (".parquet", ".jsonl", ".csv")
CHUNK = 1024  # sentences scored between two reports of progress


@dataclass(frozen=True)
class ScoreReport:
    """What a scoring run read and wrote."""

    output: Path | None
    rows: list[dict[str, Any]]
    rejects: list[Reject]
    rejects_file: Path | None


def score(
    inputs: str | Path | Iterable[str | Path],
    output: str | Path | None = None,
    *,
    checkpoint: str | Path | None = None,
    device: str = "auto",
    text_column: str = "text",
    target: str | None = None,
    batch_size: int = 64,
    abstain_below: float = 0.0,
    overwrite: bool = False,
    on_progress: Callable[[int, int], None] | None = None,
) -> ScoreReport:
    """Score every sentence of files and folders.

    Args:
        inputs: files, folders or globs. A .txt file is an article (running text, or one word per
            line) and is cut into sentences; in .jsonl, .csv, .tsv and .parquet a row is a sentence.
        output: .parquet, .jsonl or .csv; None to get the rows only.
        checkpoint: see `load`.
        text_column: the column that holds the sentence.
        target: an actor that target tasks are asked about.
        abstain_below: probability that a label must reach, else it is left empty.
        overwrite: replace an output that exists.
        on_progress: called with (sentences done, sentences in all).

    Each row has `document`, `sentence` (index in the document; the title of a token-per-line
    article is -1), `start` and `end` (character offsets in an article), `text`, and for each task
    its label and a `<task>_<label>` column per probability.

    Raises:
        DataError: nothing can be read, or the output cannot be written.
        CheckpointError: the checkpoint cannot be used.
    """
    if isinstance(inputs, str | Path):
        inputs = [inputs]
    target_file = _checked_output(output, overwrite)
    paths = expand_paths(inputs)
    sentences: list[dict[str, Any]] = []
    rejects: list[Reject] = []
    for path in paths:
        for item in _sentences(path, text_column):
            if isinstance(item, Reject):
                rejects.append(item)
            else:
                sentences.append(item)
    if not sentences:
        reason = f"; the first reject: {rejects[0]}" if rejects else ""
        raise DataError(f"{', '.join(map(str, paths))}: no sentence to score{reason}")
    classifier = load(checkpoint, device)
    rows = []
    for begin in range(0, len(sentences), CHUNK):
        chunk = sentences[begin : begin + CHUNK]
        rows += _score_rows(classifier, chunk, target, batch_size, abstain_below)
        if on_progress:
            on_progress(len(rows), len(sentences))
    rejects_file = None
    if target_file:
        _write(rows, target_file)
        if rejects:
            rejects_file = target_file.with_name(target_file.stem + ".rejects.jsonl")
            write_rejects(rejects, rejects_file)
    return ScoreReport(target_file, rows, rejects, rejects_file)


def _sentences(path: Path, text_column: str) -> Iterator[dict[str, Any] | Reject]:
    if path.suffix.lower() == ".txt":
        try:
            article = read_article(path)
        except DataError as error:
            yield Reject(str(path), 0, str(error), "")
            return
        if article.title:
            yield {
                "document": path.stem,
                "sentence": -1,
                "start": None,
                "end": None,
                "text": article.title,
            }
        for index, sentence in enumerate(article.sentences):
            yield {
                "document": path.stem,
                "sentence": index,
                "start": sentence.start,
                "end": sentence.end,
                "text": sentence.text,
            }
        return
    counts: dict[str, int] = {}
    for _, item in read_examples(path, [], ColumnsConfig(text=text_column)):
        if isinstance(item, Example):
            document = item.document or path.stem
            yield {
                "document": document,
                "sentence": counts.get(document, 0),
                "start": None,
                "end": None,
                "text": item.text,
            }
            counts[document] = counts.get(document, 0) + 1
        else:
            yield item


def _score_rows(
    classifier: Classifier,
    chunk: list[dict[str, Any]],
    target: str | None,
    batch_size: int,
    abstain_below: float,
) -> list[dict[str, Any]]:
    predictions = classifier(
        [row["text"] for row in chunk],
        target=target,
        batch_size=batch_size,
        abstain_below=abstain_below,
    )
    rows = []
    for row, prediction in zip(chunk, predictions, strict=True):
        scored = dict(row)
        for task, scores in prediction.scores.items():
            scored[task] = prediction.labels[task]
            scored.update({f"{task}_{label}": round(p, 4) for label, p in scores.items()})
        rows.append(scored)
    return rows


def _checked_output(output: str | Path | None, overwrite: bool) -> Path | None:
    if output is None:
        return None
    path = Path(output)
    if path.suffix not in FORMATS:
        raise DataError(f"{path}: output ends in {path.suffix!r}, expected one of {FORMATS}")
    if path.is_dir():
        raise DataError(f"{path}: is a folder, expected a file to write")
    if path.exists() and not overwrite:
        raise DataError(f"{path}: exists; replace it with --overwrite")
    if not path.absolute().parent.is_dir():
        raise DataError(f"{path}: its folder does not exist")
    if not os.access(path.absolute().parent, os.W_OK):
        raise DataError(f"{path}: its folder cannot be written to")
    return path


def _write(rows: list[dict[str, Any]], path: Path) -> None:
    partial = path.with_name(path.name + ".partial")
    if path.suffix == ".parquet":
        import pyarrow
        import pyarrow.parquet

        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), partial)
    elif path.suffix == ".jsonl":
        with partial.open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    else:
        with partial.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, fieldnames=list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    partial.replace(path)
