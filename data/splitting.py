"""Which split an example belongs to: the hash of its document, so a growing corpus stays dealt."""

from __future__ import annotations

import hashlib
from typing import Literal

from ..configs import SplitConfig
from .example import Example

HELD_OUT = ("true", "1", "yes", "test")
SplitName = Literal["train", "dev", "test"]


def split_of(example: Example, split: SplitConfig) -> SplitName:
    """Deal an example to train, dev or test by the hash of its document's id and the seed.

    A sentence without a document is a document of its own. Adding documents later leaves every
    earlier one where it was. Where `split.test_column` names a column, that decides what is test.
    """
    document = example.document or example.text
    digest = hashlib.sha256(f"{split.seed}:{document}".encode()).digest()
    position = int.from_bytes(digest[:8]) / 2**64
    test = split.test
    if split.test_column is not None:
        if str(example.other.get(split.test_column, "")).casefold() in HELD_OUT:
            return "test"
        test = 0.0
    if position < test:
        return "test"
    if position < test + split.dev:
        return "dev"
    return "train"
