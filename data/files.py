"""Files of text: opened plain or compressed, walked without ever holding a line that is too long,
and written under another name until they are whole.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

WRITING = ".writing"  # ends the name of a file until it is whole
COMPRESSIONS = {".gz": "gzip", ".zst": "zstd"}
LONGEST_LINE = 4_000_000  # bytes; a longer line is a broken file, not a row
STANDARD_INPUT = Path("-")


def suffix_of(path: Path) -> str:
    """Return the ending that names the format: `.jsonl` for `rows.jsonl.gz`."""
    inner = path.with_suffix("") if path.suffix.lower() in COMPRESSIONS else path
    return inner.suffix.lower()


def stem_of(path: Path) -> str:
    """Return the name without its endings: `rows` for `rows.jsonl.gz`."""
    inner = path.with_suffix("") if path.suffix.lower() in COMPRESSIONS else path
    return inner.stem


@contextmanager
def opened(path: Path, meter: Meter | None = None) -> Iterator[BinaryIO]:
    """Open a file, or standard input for `-`, for reading bytes; .gz and .zst are unpacked.

    Raises:
        OSError: it cannot be opened; reading raises it too where compressed data is damaged.
    """
    if path == STANDARD_INPUT:
        yield sys.stdin.buffer
        return
    with path.open("rb") as file:
        if meter is not None:
            meter.begin(file)
        try:
            yield from _unpacked(path, file)
        finally:
            if meter is not None:
                meter.finish(path.stat().st_size)


def _unpacked(path: Path, file: BinaryIO) -> Iterator[BinaryIO]:
    compression = COMPRESSIONS.get(path.suffix.lower())
    if compression is None:
        yield file
        return
    import pyarrow

    with pyarrow.CompressedInputStream(file, compression) as stream:
        yield cast(BinaryIO, io.BufferedReader(cast(io.RawIOBase, stream), 1 << 16))


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a name to write under; on success the file is on disk under its own name."""
    partial = path.with_name(path.name + WRITING)
    yield partial
    with partial.open("rb") as file:
        os.fsync(file.fileno())
    partial.replace(path)


def numbered_lines(file: BinaryIO) -> Iterator[tuple[int, bytes | None]]:
    """Yield (line number, bytes of the line); None for a line of more than `LONGEST_LINE`."""
    number = 0
    while raw := file.readline(LONGEST_LINE):
        number += 1
        if len(raw) < LONGEST_LINE or raw.endswith(b"\n"):
            yield number, raw
            continue
        while raw and not raw.endswith(b"\n"):
            raw = file.readline(LONGEST_LINE)
        yield number, None


class Meter:
    """How many bytes of a set of files have been read; .gz and .zst count as they lie on disk."""

    def __init__(self, paths: Iterable[Path]) -> None:
        self.total = sum(path.stat().st_size for path in paths if path != STANDARD_INPUT)
        self._finished = 0
        self._file: BinaryIO | None = None

    @property
    def done(self) -> int:
        """Bytes read so far."""
        return self._finished + (self._file.tell() if self._file else 0)

    def begin(self, file: BinaryIO) -> None:
        """Follow a file that has just been opened."""
        self._file = file

    def finish(self, size: int) -> None:
        """Count a file as read."""
        self._file = None
        self._finished += size
