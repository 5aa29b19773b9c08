"""`actorstance data check`: read everything, keep the good rows, name every bad one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from ..configs import ColumnsConfig, DataError, Task
from .example import Example
from .files import replacing
from .readers import Reject, read_examples


@dataclass(frozen=True)
class CheckReport:
    """What survived and what did not."""

    examples: list[Example]
    rejects: list[Reject]


def check_files(
    paths: Sequence[str | Path], tasks: Sequence[Task], columns: ColumnsConfig | None = None
) -> CheckReport:
    """Read files of annotated sentences; a duplicate of an earlier (text, target) is rejected.

    Raises:
        DataError: a file cannot be read at all, or no row of any file is usable.
    """
    examples: list[Example] = []
    rejects: list[Reject] = []
    first_seen: dict[tuple[str, str | None], str] = {}
    for path in paths:
        for line, item in read_examples(path, tasks, columns):
            if isinstance(item, Reject):
                rejects.append(item)
                continue
            key = (item.text.casefold(), item.target)
            if key in first_seen:
                reason = f"same text as {first_seen[key]}"
                rejects.append(Reject(str(path), line, reason, item.text))
                continue
            first_seen[key] = f"{Path(path).name}:{line}"
            examples.append(item)
    if not examples:
        first = f"; the first: {rejects[0]}" if rejects else ""
        files = ", ".join(str(path) for path in paths)
        raise DataError(f"{files}: no usable row, {len(rejects)} rejected{first}")
    return CheckReport(examples, rejects)


def write_rejects(rejects: Sequence[Reject], path: str | Path, *, add: bool = False) -> None:
    """Write rejects as JSONL (file, line, reason, row), atomically.

    Args:
        add: keep what the file holds already.
    """
    path = Path(path)
    kept = path.read_text(encoding="utf-8") if add and path.is_file() else ""
    with replacing(path) as partial, partial.open("w", encoding="utf-8") as file:
        file.write(kept)
        for reject in rejects:
            file.write(json.dumps(asdict(reject), ensure_ascii=False) + "\n")
