"""To annotators and back: a CSV of sentences to label, and the labels merged into a corpus."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..configs import DataError, Task
from .example import Example
from .files import replacing
from .readers import Reject, read_rows


@dataclass(frozen=True)
class MergeReport:
    """The corpus with labels merged in, and what could not be merged.

    Attributes:
        added: sentences that got this annotator's labels.
        disputed: sentences whose annotators differ on a task and that have no label of their own
            for it: they wait for adjudication.
    """

    examples: list[Example]
    added: int
    disputed: list[Example]
    rejects: list[Reject]


def sentence_id(example: Example) -> str:
    """Return an id that depends on document, text and target alone."""
    key = "\x1f".join((example.document or "", example.text, example.target or ""))
    return hashlib.sha256(key.encode()).hexdigest()[:12]


def write_annotation_table(
    examples: Sequence[Example],
    tasks: Sequence[Task],
    path: str | Path,
    *,
    show_annotators: bool = False,
) -> None:
    """Write a CSV for spreadsheets or Label Studio: one row per sentence, an empty cell per task.

    It starts with a byte order mark, without which spreadsheets break accents.

    Args:
        show_annotators: add what each annotator said, for the person who settles disputes.
    """
    path = Path(path)
    with (
        replacing(path) as partial,
        partial.open("w", encoding="utf-8-sig", newline="") as file,
    ):
        writer = csv.writer(file)
        names = [task.name for task in tasks]
        annotators = sorted({name for row in examples for name in row.annotators})
        shown = [(task, who) for task in names for who in annotators] if show_annotators else []
        said = [f"{task} by {who}" for task, who in shown]
        writer.writerow(["sentence_id", "document", "text", "target", *said, *names])
        for row in examples:
            cells = [sentence_id(row), row.document or "", row.text, row.target or ""]
            cells += [row.annotators.get(who, {}).get(task, "") for task, who in shown]
            writer.writerow([*cells, *("" for _ in names)])


def merge_labels(
    examples: Sequence[Example],
    labels: str | Path,
    tasks: Sequence[Task],
    annotator: str,
    *,
    settle: bool = False,
) -> MergeReport:
    """Add one annotator's labels to the examples they belong to.

    A sentence without a label for a task gets the one that all its annotators agree on, and loses
    it when a further annotator differs. A label that was settled, or that was there before any
    annotator, stays; `settled` in `Example.other` lists the tasks. What an annotator said earlier
    of other tasks stays, of the same task it is corrected.

    Args:
        labels: a CSV or JSONL with `sentence_id` (or `text`) and a column per task, as a
            spreadsheet saves it or Label Studio exports it.
        settle: the labels are verdicts on disputes: they become the sentence's own, and are not
            kept as one more annotation, which would distort the agreement.

    Raises:
        DataError: the file has no column to match by, or no row could be merged.
    """
    path = Path(labels)
    by_id = {sentence_id(row): i for i, row in enumerate(examples)}
    by_text: dict[str, list[int]] = {}
    for i, row in enumerate(examples):
        by_text.setdefault(row.text, []).append(i)
    given: dict[int, dict[str, str]] = {}
    rejects: list[Reject] = []
    for line, item in read_rows(path):
        if isinstance(item, Reject):
            rejects.append(item)
            continue
        problem, index, found = _match(item, by_id, by_text, tasks)
        if problem is None and index in given and given[index] != found:
            problem = "labels this sentence a second time, differently"
        if problem is not None:
            rejects.append(Reject(str(path), line, problem, str(item)[:2000]))
        elif found:
            given[index] = found
    if not given:
        first = f"; the first: {rejects[0]}" if rejects else ""
        raise DataError(f"{path}: no label to merge, {len(rejects)} rows rejected{first}")
    merged = list(examples)
    for i, found in given.items():
        row = examples[i]
        merged[i] = _settle(row, found) if settle else _annotate(row, annotator, found)
    disputed = [row for row in merged if _is_disputed(row, tasks)]
    return MergeReport(merged, len(given), disputed, rejects)


def _match(
    row: Mapping[str, object],
    by_id: Mapping[str, int],
    by_text: Mapping[str, list[int]],
    tasks: Sequence[Task],
) -> tuple[str | None, int, dict[str, str]]:
    """Return (what is wrong or None, index of the example, its labels)."""
    key, text = str(row.get("sentence_id") or ""), " ".join(str(row.get("text") or "").split())
    if key in by_id:
        index = by_id[key]
    elif len(by_text.get(text, ())) == 1:
        index = by_text[text][0]
    elif text in by_text:
        return "text occurs more than once in the corpus; sentence_id is needed", -1, {}
    else:
        return "no sentence of the corpus has this sentence_id or text", -1, {}
    found = {}
    for task in tasks:
        value = str(row.get(task.name) or "").strip()
        if value and value not in task.labels:
            return f"{task.name} is {value!r}, expected one of {', '.join(task.labels)}", -1, {}
        if value:
            found[task.name] = value
    return None, index, found


def _settle(row: Example, verdict: Mapping[str, str]) -> Example:
    labels = {**row.labels, **verdict}
    return replace(row, labels=labels, other=_with_settled(row, set(verdict)))


def _annotate(row: Example, annotator: str, given: Mapping[str, str]) -> Example:
    """Add an annotator; a label that rests on agreement alone follows it, or falls with it."""
    own = {**row.annotators.get(annotator, {}), **given}
    annotators = {**row.annotators, annotator: own}
    labels = dict(row.labels)
    settled = _settled(row) | {
        task for task in given if task in labels and not _votes(row.annotators, task)
    }
    for task in given.keys() - settled:
        votes = _votes(annotators, task)
        if len(votes) == 1:
            labels[task] = next(iter(votes))
        elif _votes(row.annotators, task) == {labels.get(task)}:
            del labels[task]
    return replace(row, annotators=annotators, labels=labels, other=_with_settled(row, settled))


def _settled(row: Example) -> set[str]:
    tasks = row.other.get("settled")
    return set(tasks) if isinstance(tasks, list) else set()


def _with_settled(row: Example, tasks: set[str]) -> dict[str, object]:
    settled = sorted(tasks | _settled(row))
    return {**row.other, "settled": settled} if settled else dict(row.other)


def _votes(annotators: Mapping[str, Mapping[str, str]], task: str) -> set[str]:
    return {given[task] for given in annotators.values() if task in given}


def _is_disputed(row: Example, tasks: Sequence[Task]) -> bool:
    return any(
        task.name not in row.labels
        and any(task.name in labels for labels in row.annotators.values())
        for task in tasks
    )
