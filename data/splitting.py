"""Which split a document belongs to: a hash decides, so a growing corpus never reshuffles."""

from __future__ import annotations

import hashlib
from typing import Literal

from ..configs import SplitConfig

SplitName = Literal["train", "dev", "test"]


def split_of(document: str, split: SplitConfig) -> SplitName:
    """Deal a document to train, dev or test by the hash of its id and the seed.

    Adding documents later leaves every earlier one where it was.
    """
    digest = hashlib.sha256(f"{split.seed}:{document}".encode()).digest()
    position = int.from_bytes(digest[:8]) / 2**64
    if position < split.test:
        return "test"
    if position < split.test + split.dev:
        return "dev"
    return "train"
