"""Scoring files and folders: sentences in, one row per sentence out, whatever happens between."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

import pyarrow

from ..configs import DataError, InputError, Task
from ..data import Reject
from ..data.files import STANDARD_INPUT, Meter
from ..model import find_checkpoint
from ..model.runtime import ONNX_FILES
from .classifier import Classifier, load
from .documents import DocumentTotals
from .sentences import Columns, Input, expand_inputs, stream
from .shards import ShardedTable

SHARD = 8192  # rows and rejects that are written at once, and lost at most when a run is cut off
ENGINES = ("local", "ray")
NAMED = 20  # rejects that a report quotes; the file has all
Item = TypeVar("Item")


@dataclass(frozen=True)
class ScoreReport:
    """What a scoring run read and wrote.

    Attributes:
        output: the table; None where the rows were asked for.
        documents: the table of documents, where it was asked for.
        sentences: how many rows the table has.
        rejected: how many rows of the input could not be used.
        rows: the rows, where no output was asked for.
        rejects: the first of the rejects.
        rejects_file: all of them.
        tasks: what was asked.
    """

    output: Path | None
    documents: Path | None
    sentences: int
    rejected: int
    rows: list[dict[str, Any]]
    rejects: list[Reject]
    rejects_file: Path | None
    tasks: list[Task]


@dataclass(frozen=True)
class ScoreProgress:
    """How far a scoring run is: sentences done, and bytes of the input read, of all."""

    sentences: int
    bytes_read: int
    bytes_in_all: int


def score(
    inputs: str | Path | Iterable[str | Path],
    output: str | Path | None = None,
    *,
    checkpoint: str | Path | None = None,
    device: str = "auto",
    backend: str = "auto",
    text_column: str = "text",
    id_column: str = "document",
    target_column: str | None = None,
    target: str | None = None,
    abstain_below: float = 0.0,
    documents: bool = False,
    overwrite: bool = False,
    engine: str = "local",
    workers: int = 2,
    on_progress: Callable[[ScoreProgress], None] | None = None,
) -> ScoreReport:
    """Score every sentence of files and folders.

    Args:
        inputs: files, folders, globs, or "-" for standard input (a sentence, or a JSON object, per
            line). A .txt file is an article (running text, or one word per line) and is cut into
            sentences; in .jsonl, .csv, .tsv and .parquet a row is a sentence. All but Parquet may
            be compressed (.gz, .zst).
        output: .parquet, .jsonl or .csv; None to get the rows only. It is written in shards: the
            same call goes on where an interrupted one stopped, and ends with the same table.
        checkpoint, device, backend: see `load`.
        text_column: the column that holds the sentence.
        id_column: the column that names the document; without it the file is the document.
        target_column: the column that names the actor whom target tasks are asked about.
        target: an actor whom target tasks are asked about, in every row that names none.
        abstain_below: probability that a label must reach, else it is left empty.
        documents: write a table with a row per document as well, `NAME.documents.SUFFIX`.
        overwrite: replace an output that exists.
        engine: "local", or "ray" for a pool of `workers` on a Ray cluster; the rows are the same.
        workers: how many processes label, with engine "ray".
        on_progress: called after every shard.

    Each row has `document`, `sentence` (index in the document; the title of a token-per-line
    article is -1), `start` and `end` (character offsets in an article), `text`, the other columns
    of the input, and for each task its label and a `<task>_<label>` column per probability.

    Raises:
        DataError: nothing can be read, or the output cannot be written.
        CheckpointError: the checkpoint cannot be used.
        InputError: an option makes no sense.
    """
    if documents and output is None:
        raise InputError("documents=True needs an output to write the table of documents beside")
    if engine not in ENGINES:
        raise InputError(f"engine {engine!r}: expected one of {', '.join(ENGINES)}")
    found = expand_inputs([inputs] if isinstance(inputs, str | Path) else inputs)
    columns = Columns(text_column, id_column, target_column)
    table = ShardedTable(Path(output)) if output is not None else None
    if table is not None:
        table.check_writable(overwrite=overwrite)
    folder = find_checkpoint(checkpoint)
    asked: dict[str, Any] = {
        "checkpoint": str(folder),
        "device": device,
        "backend": backend,
        "target": target,
        "abstain_below": abstain_below,
    }
    # The local engine works with it; of the others it says what tasks there are.
    labeller = Labeller.load(**asked)
    meter = Meter(source.path for source in found)
    items = stream(found, columns, labeller.columns, meter)
    shards = _ahead(_chunks(items))
    report = _Tally(on_progress, meter)
    if table is None:
        rows: list[dict[str, Any]] = []
        for chunk, labelled in _labelled(shards, engine, workers, labeller, asked):
            rows += labelled
            report.count(chunk)
        report.require_sentences(found)
        return ScoreReport(
            output=None,
            documents=None,
            sentences=len(rows),
            rejected=report.rejected,
            rows=rows,
            rejects=report.rejects,
            rejects_file=None,
            tasks=labeller.tasks,
        )

    form = labeller.classifier.runtime.name
    run = {
        "checkpoint": _fingerprint(folder, form),
        "backend": form,
        "inputs": [_stamp(source) for source in found],
        "columns": asdict(columns),
        "target": target,
        "abstain_below": abstain_below,
        "rows per shard": SHARD,
    }
    table.open(run, overwrite=overwrite, resumable=not _reads_standard_input(found))
    finished = table.finished_shards
    for chunk in itertools.islice(shards, finished):
        report.count(chunk)
    rest = _labelled(shards, engine, workers, labeller, asked)
    for number, (chunk, labelled) in enumerate(rest, finished):
        table.add(number, labelled, chunk.rejects)
        report.count(chunk)
    return _finish(table, labeller.tasks, found, report, documents=documents)


class Labeller:
    """Adds labels and probabilities to rows; what every engine runs."""

    def __init__(self, classifier: Classifier, target: str | None, abstain_below: float) -> None:
        self.classifier = classifier
        self.target = target
        self.abstain_below = abstain_below

    @classmethod
    def load(
        cls,
        checkpoint: str,
        device: str,
        backend: str,
        target: str | None,
        abstain_below: float,
    ) -> Labeller:
        """Open a checkpoint, in this process or in a worker's."""
        return cls(load(checkpoint, device, backend), target, abstain_below)

    @property
    def tasks(self) -> list[Task]:
        """The tasks that rows may get an answer for."""
        return self.classifier.tasks

    @property
    def columns(self) -> list[str]:
        """The columns that it adds."""
        return [
            name
            for task in self.tasks
            for name in (task.name, *(f"{task.name}_{label}" for label in task.labels))
        ]

    def __call__(self, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Return the rows with the columns added; without a target none about a target."""
        targets = [row.get("target") or self.target for row in rows]
        predictions = self.classifier(
            [row["text"] for row in rows], targets, abstain_below=self.abstain_below
        )
        scored = []
        for row, prediction in zip(rows, predictions, strict=True):
            full = dict(row)
            if prediction.target is not None:
                full["target"] = prediction.target
            for task, scores in prediction.scores.items():
                full[task] = prediction.labels[task]
                full.update({f"{task}_{label}": round(p, 4) for label, p in scores.items()})
            scored.append(full)
        return scored


@dataclass(frozen=True)
class Chunk:
    """Rows and rejects that came one after the other."""

    rows: list[dict[str, Any]]
    rejects: list[Reject]


class _Tally:
    """Counts what has gone through, keeps the first rejects, and tells of the progress."""

    def __init__(self, on_progress: Callable[[ScoreProgress], None] | None, meter: Meter) -> None:
        self.sentences = 0
        self.rejected = 0
        self.rejects: list[Reject] = []
        self._on_progress = on_progress
        self._meter = meter

    def count(self, chunk: Chunk) -> None:
        self.sentences += len(chunk.rows)
        self.rejected += len(chunk.rejects)
        self.rejects += chunk.rejects[: max(0, NAMED - len(self.rejects))]
        if self._on_progress:
            self._on_progress(ScoreProgress(self.sentences, self._meter.done, self._meter.total))

    def require_sentences(self, inputs: Sequence[Input]) -> None:
        if not self.sentences:
            reason = f"; the first reject: {self.rejects[0]}" if self.rejects else ""
            names = ", ".join(str(source.path) for source in inputs[:5])
            raise DataError(f"{names}: no sentence to score{reason}")


def _finish(
    table: ShardedTable,
    tasks: Sequence[Task],
    inputs: Sequence[Input],
    report: _Tally,
    *,
    documents: bool,
) -> ScoreReport:
    try:
        report.require_sentences(inputs)
    except DataError:
        table.discard()
        raise
    counts = table.counts()
    if counts != {"rows": report.sentences, "rejects": report.rejected}:
        raise DataError(
            f"{table.folder}: holds {counts}, but the input has {report.sentences} sentences and "
            f"{report.rejected} rejects; start over with --overwrite"
        )
    more: dict[Path, pyarrow.Table] = {}
    if documents:
        totals = DocumentTotals(tasks)
        for part in table.tables():
            totals.add(part)
        suffix = table.output.suffix
        name = f"{table.output.name.removesuffix(suffix)}.documents{suffix}"
        more[table.output.with_name(name)] = totals.table()
    table.join(more)
    return ScoreReport(
        output=table.output,
        documents=next(iter(more), None),
        sentences=report.sentences,
        rejected=report.rejected,
        rows=[],
        rejects=report.rejects,
        rejects_file=table.rejects_file if report.rejected else None,
        tasks=list(tasks),
    )


def _chunks(items: Iterator[dict[str, Any] | Reject]) -> Iterator[Chunk]:
    while taken := list(itertools.islice(items, SHARD)):
        yield Chunk(
            [item for item in taken if not isinstance(item, Reject)],
            [item for item in taken if isinstance(item, Reject)],
        )


def _labelled(
    chunks: Iterator[Chunk],
    engine: str,
    workers: int,
    labeller: Labeller,
    asked: dict[str, Any],
) -> Iterator[tuple[Chunk, list[dict[str, Any]]]]:
    if engine == "local":
        for chunk in chunks:
            yield chunk, labeller(chunk.rows)
        return
    from .cluster import label_with_ray

    given, kept = itertools.tee(chunks)
    yield from zip(
        kept, label_with_ray((chunk.rows for chunk in given), workers, asked), strict=False
    )


def _ahead(items: Iterator[Item]) -> Iterator[Item]:
    """Yield the same items, each read while the one before is worked on."""
    done = object()
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, items, done)
        while (item := coming.result()) is not done:
            coming = pool.submit(next, items, done)
            yield item  # type: ignore[misc]


def _fingerprint(folder: Path, backend: str) -> str:
    """Hash what decides a checkpoint's answers, when it runs in this form."""
    digest = hashlib.sha256()
    weights = ONNX_FILES.get(backend, "model.safetensors")
    for name in ("config.json", "tokenizer.json", weights):
        file = folder / name
        if file.is_file():
            with file.open("rb") as content:
                digest.update(hashlib.file_digest(content, "sha256").digest())
    return digest.hexdigest()


def _stamp(source: Input) -> list[Any]:
    if source.path == STANDARD_INPUT:
        return ["-"]
    status = source.path.stat()
    return [str(source.path), status.st_size, status.st_mtime_ns]


def _reads_standard_input(inputs: Iterable[Input]) -> bool:
    return any(source.path == STANDARD_INPUT for source in inputs)
