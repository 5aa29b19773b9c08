"""Articles become sentences, in two forms: punctuated text, and one lowercased word per line.

Punctuated text goes through `sentencex`. The token-per-line form has lost its punctuation, so its
boundaries are recovered by `boundaries.find_boundaries`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..configs import DataError
from .boundaries import find_boundaries
from .files import Meter, opened

LONGEST_ARTICLE = 20_000_000  # bytes; a larger .txt file is a corpus, not an article


@dataclass(frozen=True)
class Sentence:
    """A sentence and where it stands: `source_text[start:end]`, in characters."""

    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Article:
    """A text cut into sentences; a token-per-line file has its title apart."""

    sentences: list[Sentence]
    title: str | None = None


def read_article(path: str | Path, meter: Meter | None = None) -> Article:
    """Read a .txt file, telling the token-per-line form from running text by its shape.

    Raises:
        DataError: the file cannot be read, is not UTF-8, or holds no word.
    """
    path = Path(path)
    if path.is_dir():
        raise DataError(f"{path}: is a folder, expected a text file")
    try:
        with opened(path, meter) as file:
            raw = file.read(LONGEST_ARTICLE + 1)
        if len(raw) > LONGEST_ARTICLE:
            raise DataError(
                f"{path}: more than {LONGEST_ARTICLE:,} bytes, too long for one article"
            )
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 text: byte {error.start} cannot be decoded") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from None
    if not any(char.isalnum() for char in text):
        raise DataError(f"{path}: no word in this file")
    return split_article(text)


def split_article(text: str) -> Article:
    """Cut a text into sentences; offsets point into `text`."""
    if not _is_token_per_line(text):
        return Article(split_sentences(text))
    first, _, rest = text.lstrip("\n").partition("\n")
    shift = text.index(first) + len(first) + 1
    words, spans = [], []
    position = shift
    for line in rest.split("\n"):
        word = line.strip()
        if word:
            start = position + line.index(word)
            words.append(word)
            spans.append((start, start + len(word)))
        position += len(line) + 1
    sentences = []
    begin = 0
    for end in [*find_boundaries(words), len(words)]:
        if end > begin:
            joined = " ".join(words[begin:end])
            sentences.append(Sentence(joined, spans[begin][0], spans[end - 1][1]))
        begin = end
    return Article(sentences, title=first.strip())


def split_sentences(text: str) -> list[Sentence]:
    """Cut punctuated text into sentences; a blank line always ends one."""
    import sentencex

    sentences = []
    position = 0
    for piece in sentencex.segment("en", text):
        start = text.index(piece, position)
        position = start + len(piece)
        for paragraph in piece.split("\n\n"):
            offset = text.index(paragraph, start) if paragraph else start
            stripped = paragraph.strip()
            if any(char.isalnum() for char in stripped):
                begin = text.index(stripped, offset)
                sentences.append(Sentence(" ".join(stripped.split()), begin, begin + len(stripped)))
            start = offset + len(paragraph)
    return sentences


def _is_token_per_line(text: str) -> bool:
    """One word on nearly every line after the first, and enough lines to be sure."""
    lines = [line.split() for line in text.splitlines()[1:] if line.strip()]
    return len(lines) >= 10 and sum(len(line) == 1 for line in lines) >= 0.95 * len(lines)
