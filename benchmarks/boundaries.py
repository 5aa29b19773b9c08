"""Fit and measure the boundary scores for text without punctuation.

python benchmarks/boundaries.py NEWS.jsonl.gz [--write]   # a JSONL of articles with a `text` field

Every fifth article is held out; boundary F1 on those is printed beside fixed windows.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
from pathlib import Path

from actorstance.data import split_sentences
from actorstance.data.boundaries import SCORES, find_boundaries, fit_boundary_scores

WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")


def strip(sentence: str) -> list[str]:
    """Lowercase, drop numbers, punctuation and possessives: the token-per-line form."""
    words = WORD.findall(sentence.lower())
    return [re.sub(r"['’]s$", "", word) for word in words]


def main() -> None:
    """Fit on four fifths of the articles, report F1 on the rest, write the scores if asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("news", type=Path)
    parser.add_argument("--write", action="store_true", help="write the scores into the package")
    arguments = parser.parse_args()
    with gzip.open(arguments.news, "rt", encoding="utf-8") as file:
        texts = [json.loads(line)["text"] for line in file]
    documents = [
        [words for s in split_sentences(text) if (words := strip(s.text))] for text in texts
    ]
    train = [d for i, d in enumerate(documents) if i % 5]
    held_out = [d for i, d in enumerate(documents) if i % 5 == 0]
    scores = fit_boundary_scores(train)

    def measure(predict) -> str:  # type: ignore[no-untyped-def]
        hits = predicted = true = 0
        for sentences in held_out:
            words = [word for sentence in sentences for word in sentence]
            gold, position = set(), 0
            for sentence in sentences[:-1]:
                position += len(sentence)
                gold.add(position)
            found = set(predict(words))
            hits, predicted, true = (
                hits + len(found & gold),
                predicted + len(found),
                true + len(gold),
            )
        precision, recall = hits / max(1, predicted), hits / max(1, true)
        f1 = 2 * precision * recall / max(1e-9, precision + recall)
        return f"precision {precision:.3f}  recall {recall:.3f}  F1 {f1:.3f}"

    print(f"{len(train)} articles to fit, {len(held_out)} held out")
    print("ours          ", measure(lambda words: find_boundaries(words, scores)))
    print("every 22 words", measure(lambda words: range(22, len(words), 22)))
    if arguments.write:
        text = json.dumps(scores, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
        SCORES.write_text(text, encoding="utf-8")
        print(f"wrote {SCORES} ({len(text) / 1e3:.0f} kB)")


if __name__ == "__main__":
    main()
