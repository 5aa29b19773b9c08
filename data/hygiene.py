"""What a corpus must not have: near-duplicates, templates, leaking splits, labels told by names."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ..configs import HygieneConfig, Task
from .example import Example
from .splitting import SplitName

WORD = re.compile(r"\w+(?:['’]\w+)?")
NAME = re.compile(r"([.?!:;\"“‘'(#@]\s*)?([^\W\d_]+(?:-[^\W\d_]+)*)")  # what opens it, the word
LEAST_REPEATS = 4  # in a small corpus a share is too strict: fewer than this is no template
PROBE_FOLDS = 5


@dataclass(frozen=True)
class Finding:
    """One thing that was looked for; `details` name the sentences or phrases concerned."""

    check: str
    passed: bool
    summary: str
    details: tuple[str, ...] = ()


def audit(
    examples: Sequence[Example],
    tasks: Sequence[Task],
    rules: HygieneConfig,
    split_names: Sequence[SplitName],
) -> list[Finding]:
    """Look for everything; the findings come in a fixed order.

    Args:
        split_names: the split of each example.
    """
    return [
        *_balance(examples, tasks, rules),
        _near_duplicates(examples, rules, split_names),
        _crossing(examples, split_names),
        _pairs(examples, tasks, rules),
        *_templates(examples, rules),
        *_probes(examples, tasks, rules),
    ]


def words_of(text: str) -> list[str]:
    """Lowercased words, without punctuation."""
    return WORD.findall(text.lower())


def _balance(
    examples: Sequence[Example], tasks: Sequence[Task], rules: HygieneConfig
) -> Iterator[Finding]:
    for task in tasks:
        seen = Counter(row.labels[task.name] for row in examples if task.name in row.labels)
        total = max(1, sum(seen.values()))
        rarest = min(task.labels, key=lambda label: seen[label])
        share, least = seen[rarest] / total, rules.least_share.get(task.name, 0.0)
        shown = ", ".join(f"{label} {seen[label] / total:.1%}" for label in task.labels)
        yield Finding(
            f"balance of {task.name}",
            share >= least,
            f"{shown}" + (f"; each must reach {least:.0%}" if least else ""),
        )


def _near_duplicates(
    examples: Sequence[Example], rules: HygieneConfig, split_names: Sequence[SplitName]
) -> Finding:
    from sklearn.feature_extraction.text import CountVectorizer

    bags = CountVectorizer(analyzer=lambda text: set(words_of(text))).fit_transform(
        [row.text for row in examples]
    )
    sizes = np.asarray(bags.sum(1)).ravel()
    details = []
    for begin in range(0, len(examples), 1000):
        shared = (bags[begin : begin + 1000] @ bags.T).tocoo()
        for row, column, common in zip(shared.row, shared.col, shared.data, strict=True):
            i, j = begin + int(row), int(column)
            if i >= j or common < rules.near_duplicate * (sizes[i] + sizes[j] - common):
                continue
            first, second = examples[i], examples[j]
            if first.target != second.target or (first.pair and first.pair == second.pair):
                continue
            across = "" if split_names[i] == split_names[j] else " (in two splits)"
            details.append(f"{first.text!r:.90} ~ {second.text!r:.90}{across}")
    return Finding(
        "near-duplicates",
        not details,
        f"{len(details)} pairs of sentences share {rules.near_duplicate:.0%} of their words "
        "(declared contrast pairs apart)",
        tuple(details),
    )


def _crossing(examples: Sequence[Example], split_names: Sequence[SplitName]) -> Finding:
    """Documents and contrast pairs must lie in one split."""
    homes: dict[tuple[str, str], set[str]] = {}
    for row, split in zip(examples, split_names, strict=True):
        for kind, name in (("document", row.document), ("pair", row.pair)):
            if name:
                homes.setdefault((kind, name), set()).add(split)
    details = [
        f"{kind} {name}: in {', '.join(sorted(splits))}"
        for (kind, name), splits in homes.items()
        if len(splits) > 1
    ]
    return Finding(
        "splits",
        not details,
        f"{len(details)} documents or contrast pairs lie in two splits",
        tuple(details),
    )


def _pairs(examples: Sequence[Example], tasks: Sequence[Task], rules: HygieneConfig) -> Finding:
    """A contrast pair has two members that share most words and differ in some label."""
    members: dict[str, list[Example]] = {}
    for row in examples:
        if row.pair:
            members.setdefault(row.pair, []).append(row)
    details = []
    for name, rows in members.items():
        if len(rows) != 2:
            details.append(f"{name}: {len(rows)} member{'s' * (len(rows) > 1)}, expected 2")
        elif all(rows[0].labels.get(t.name) == rows[1].labels.get(t.name) for t in tasks):
            details.append(f"{name}: both members have the same labels")
        else:
            first, second = (set(words_of(row.text)) for row in rows)
            shared = len(first & second) / max(1, len(first | second))
            if shared < rules.least_pair_overlap:
                details.append(f"{name}: the members share {shared:.0%} of their words")
    flips = {
        task.name: sum(
            len(rows) == 2 and rows[0].labels.get(task.name) != rows[1].labels.get(task.name)
            for rows in members.values()
        )
        for task in tasks
    }
    shown = ", ".join(f"{count} flip {task}" for task, count in flips.items())
    return Finding("contrast pairs", not details, f"{len(members)} pairs: {shown}", tuple(details))


def _templates(examples: Sequence[Example], rules: HygieneConfig) -> Iterator[Finding]:
    fives: Counter[str] = Counter()
    openings: Counter[str] = Counter()
    counted: set[tuple[str, str]] = set()
    for row in examples:
        words = words_of(row.text)
        phrases = {" ".join(words[i : i + 5]) for i in range(len(words) - 4)}
        # The two members of a contrast pair share words on purpose: they count once.
        fives.update(p for p in phrases if not row.pair or (row.pair, p) not in counted)
        opening = " ".join(words[:3])
        if not row.pair or (row.pair, opening) not in counted:
            openings[opening] += 1
        if row.pair:
            counted |= {(row.pair, phrase) for phrase in (*phrases, opening)}
    most = max(LEAST_REPEATS, rules.most_repeated * len(examples))
    for name, counts in (("repeated five words", fives), ("repeated openings", openings)):
        top = counts.most_common(5)
        details = tuple(f"{phrase!r}: {count} times" for phrase, count in top if count > most)
        shown = "; ".join(f"{phrase!r} {count}" for phrase, count in top)
        yield Finding(name, not details, f"most frequent: {shown} (at most {most:.0f})", details)


def _probes(
    examples: Sequence[Example], tasks: Sequence[Task], rules: HygieneConfig
) -> Iterator[Finding]:
    """Accuracy of a bag of words, and of names alone, on documents held out in turn."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GroupKFold, cross_val_score
    from sklearn.pipeline import make_pipeline

    for task in tasks:
        rows = [row for row in examples if task.name in row.labels and task.about == "sentence"]
        documents = [row.document or row.text for row in rows]
        labels = [row.labels[task.name] for row in rows]
        if len(set(documents)) < PROBE_FOLDS or len(set(labels)) < 2:
            continue
        majority = max(Counter(labels).values()) / len(labels)
        scores = {}
        for name, texts in (
            ("words", [row.text for row in rows]),
            ("names", [" ".join(names) or "none" for names in names_of([r.text for r in rows])]),
        ):
            probe = make_pipeline(
                TfidfVectorizer(sublinear_tf=True, token_pattern=r"\S+"),
                LogisticRegression(max_iter=1000),
            )
            folds = GroupKFold(PROBE_FOLDS)
            scores[name] = float(
                np.mean(cross_val_score(probe, texts, labels, cv=folds, groups=documents))
            )
        yield Finding(
            f"names tell {task.name}",
            scores["names"] <= majority + rules.entity_margin,
            f"accuracy from names alone {scores['names']:.1%}, majority {majority:.1%} "
            f"(margin {rules.entity_margin:.0%}); from all words {scores['words']:.1%}",
        )


def names_of(texts: Sequence[str]) -> list[list[str]]:
    """Return the names in each text: a rough list of its named entities.

    A name is a word that the texts write with a capital more often than without, wherever neither
    the start of a sentence nor a quotation mark asks for one.
    """
    split = [NAME.findall(re.sub(r"['’]s\b", "", text)) for text in texts]
    capital: Counter[str] = Counter()
    for words in split:
        for opening, word in words[1:]:
            if not opening:
                capital[word.lower()] += 1 if word[0].isupper() else -1
    return [
        [
            word
            for _, word in words
            if word[0].isupper() and len(word) > 1 and capital[word.lower()] > 0
        ]
        for words in split
    ]
