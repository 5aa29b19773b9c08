"""Where sentences end in text that has lost its punctuation and case.

A boundary between two words is scored by how much likelier the left word is to end a sentence, and
the right one to begin it, than to stand inside one (naive Bayes log-odds, learned once from
punctuated news by `benchmarks/boundaries.py`). The best segmentation under these scores and a
log-normal prior on sentence length is found by dynamic programming (Viterbi 1967).
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import TypedDict

SCORES = Path(__file__).with_name("boundary_scores.json")
LONGEST = 80  # words; no sentence recovered is longer


class BoundaryScores(TypedDict):
    """Log-odds of a boundary after `left[word]`, before `right[word]` and between `pair`."""

    left: dict[str, float]
    right: dict[str, float]
    pair: dict[str, float]
    length_mean: float
    length_sd: float


def find_boundaries(words: Sequence[str], scores: BoundaryScores | None = None) -> list[int]:
    """Return the indices of the words that begin a new sentence (never 0), in order."""
    scores = scores or _shipped_scores()
    count = len(words)
    gain = [0.0] * (count + 1)
    for index in range(1, count):
        left, right = words[index - 1].lower(), words[index].lower()
        pair = scores["pair"].get(f"{left} {right}")
        single = scores["left"].get(left, 0.0) + scores["right"].get(right, 0.0)
        gain[index] = single if pair is None else pair
    prior = [-math.inf] + [
        _log_normal(length, scores["length_mean"], scores["length_sd"])
        for length in range(1, LONGEST + 1)
    ]
    best = [0.0] + [-math.inf] * count
    previous = [0] * (count + 1)
    for end in range(1, count + 1):
        for begin in range(max(0, end - LONGEST), end):
            score = best[begin] + prior[end - begin] + gain[end]
            if score > best[end]:
                best[end], previous[end] = score, begin
    boundaries = []
    at = previous[count] if count else 0
    while at > 0:
        boundaries.append(at)
        at = previous[at]
    return boundaries[::-1]


def fit_boundary_scores(
    documents: Iterable[Sequence[Sequence[str]]], *, least_count: int = 20, smoothing: float = 2.0
) -> BoundaryScores:
    """Learn the scores from documents given as sentences given as stripped, lowercased words.

    Args:
        least_count: words and pairs seen less often than this get no score of their own.
        smoothing: added to every count, in proportion to how common boundaries are.
    """
    seen: dict[str, Counter[str]] = {"left": Counter(), "right": Counter(), "pair": Counter()}
    at_boundary: dict[str, Counter[str]] = {name: Counter() for name in seen}
    lengths = []
    for sentences in documents:
        lengths += [math.log(len(sentence)) for sentence in sentences if sentence]
        words = [word for sentence in sentences for word in sentence]
        starts, position = set(), 0
        for sentence in sentences:
            starts.add(position)
            position += len(sentence)
        for index in range(1, len(words)):
            left, right = words[index - 1], words[index]
            for name, key in (("left", left), ("right", right), ("pair", f"{left} {right}")):
                seen[name][key] += 1
                at_boundary[name][key] += index in starts
    base = sum(at_boundary["left"].values()) / max(1, sum(seen["left"].values()))

    def log_odds(name: str, against: float) -> dict[str, float]:
        scores = {}
        for key, total in seen[name].items():
            if total >= least_count:
                rate = (at_boundary[name][key] + smoothing * base) / (total + smoothing)
                scores[key] = round(math.log(rate / (1 - rate)) - against, 2)
        return scores

    # Given the log-normal prior, a word that is neutral about boundaries must score zero.
    neutral = math.log(base / (1 - base))
    mean = sum(lengths) / len(lengths)
    variance = sum((length - mean) ** 2 for length in lengths) / len(lengths)
    return BoundaryScores(
        left=log_odds("left", neutral),
        right=log_odds("right", neutral),
        pair=log_odds("pair", neutral),
        length_mean=round(mean, 3),
        length_sd=round(math.sqrt(variance), 3),
    )


def _log_normal(length: int, mean: float, sd: float) -> float:
    """Log density of a log-normal length, less its average rate of boundaries per word."""
    z = (math.log(length) - mean) / sd
    return -0.5 * z * z - math.log(length * sd * math.sqrt(2 * math.pi))


@cache
def _shipped_scores() -> BoundaryScores:
    scores: BoundaryScores = json.loads(SCORES.read_text(encoding="utf-8"))
    return scores
