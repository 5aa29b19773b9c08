"""Sentences like a given one in other words, for teachers to label."""

from __future__ import annotations

import random
import re
from functools import cache

from torch import Tensor
from transformers import PreTrainedTokenizerBase

WORD = re.compile(r"(?<![\w'’])[A-Za-z]{4,}(?![\w'’])")  # shorter ones hold the sentence together
SHARE = 0.25
NEIGHBOURS = 10


class Rewording:
    """Replaces words by near ones in an encoder's table of word vectors.

    Near words are used in like places, and may mean the opposite ("accepted", "rejected"): what
    comes out needs a label of its own. The data augmentation of TinyBERT (Jiao et al. 2020).
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase, vectors: Tensor) -> None:
        """Take an encoder's tokenizer, and its word vectors, (vocabulary, hidden size)."""
        self.tokenizer = tokenizer
        vectors = vectors.detach().float()
        centred = vectors - vectors.mean(0)
        self.vectors = centred / centred.norm(dim=1, keepdim=True).clamp(min=1e-6)
        self.near = cache(self._near)

    def __call__(self, text: str, generator: random.Random) -> str:
        """Replace about `SHARE` of the words of four letters and more that have near words."""

        def other(found: re.Match[str]) -> str:
            if generator.random() >= SHARE:
                return found[0]
            near = self.near(found[0].lower())
            chosen = generator.choice(near) if near else found[0]
            return chosen.capitalize() if found[0][0].isupper() else chosen

        return WORD.sub(other, text)

    def _near(self, word: str) -> list[str]:
        pieces = self.tokenizer.tokenize(f" {word}")
        if len(pieces) != 1 or pieces[0] == self.tokenizer.unk_token:
            return []
        token = self.tokenizer.convert_tokens_to_ids(pieces[0])
        # Some of the nearest are pieces of words.
        nearest = (self.vectors @ self.vectors[token]).topk(3 * NEIGHBOURS).indices.tolist()
        names = self.tokenizer.convert_ids_to_tokens(nearest)
        words = [self.tokenizer.convert_tokens_to_string([name]).strip() for name in names]
        return [each for each in words if WORD.fullmatch(each) and each != word][:NEIGHBOURS]
