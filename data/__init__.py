"""What a sentence is, how files of them are read, checked, counted and split."""

from .example import Example
from .readers import Reject, expand_paths, read_examples
from .segmentation import Article, Sentence, read_article, split_sentences
from .splitting import split_of
from .statistics import Statistics, count
from .validation import CheckReport, check_files, write_rejects

__all__ = [
    "Article",
    "CheckReport",
    "Example",
    "Reject",
    "Sentence",
    "Statistics",
    "check_files",
    "count",
    "expand_paths",
    "read_article",
    "read_examples",
    "split_of",
    "split_sentences",
    "write_rejects",
]
