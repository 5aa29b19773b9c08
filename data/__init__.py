"""What a sentence is; how files of them are read, checked, counted, split, annotated."""

from .agreement import Agreement, agreement
from .annotation import MergeReport, merge_labels, sentence_id, write_annotation_table
from .augmentation import (
    bare_words,
    part_of,
    renamed,
    with_exchanged_names,
    with_misspelt_names,
    with_other_names,
)
from .example import Example
from .hygiene import Finding, audit
from .readers import Reject, expand_paths, read_examples, read_rows
from .segmentation import Article, Sentence, read_article, split_sentences
from .splitting import SplitName, split_of
from .statistics import Statistics, count, count_by, count_loaded
from .validation import CheckReport, check_files, write_rejects
from .writers import write_examples

__all__ = [
    "Agreement",
    "Article",
    "CheckReport",
    "Example",
    "Finding",
    "MergeReport",
    "Reject",
    "Sentence",
    "SplitName",
    "Statistics",
    "agreement",
    "audit",
    "bare_words",
    "check_files",
    "count",
    "count_by",
    "count_loaded",
    "expand_paths",
    "merge_labels",
    "part_of",
    "read_article",
    "read_examples",
    "read_rows",
    "renamed",
    "sentence_id",
    "split_of",
    "split_sentences",
    "with_exchanged_names",
    "with_misspelt_names",
    "with_other_names",
    "write_annotation_table",
    "write_examples",
    "write_rejects",
]
