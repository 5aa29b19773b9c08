"""What the corpus promises in its datasheet, counted from its files."""

from collections import Counter
from pathlib import Path

import actorstance
import pytest
from actorstance.configs import Config, load_config
from actorstance.data import Example, agreement, check_files, count_loaded, expand_paths, split_of

CORPUS = Path(actorstance.__file__).parent / "data" / "venezuela"


@pytest.fixture(scope="module")
def config() -> Config:
    return load_config("venezuela")


@pytest.fixture(scope="module")
def corpus(config: Config) -> list[Example]:
    report = check_files(expand_paths([CORPUS], (".jsonl",)), config.tasks)
    assert report.rejects == []
    return report.examples


def test_size_and_shape(corpus: list[Example]) -> None:
    documents = Counter(row.document for row in corpus)
    assert len(corpus) >= 4000
    assert len(documents) >= 450
    assert set(documents.values()) <= set(range(3, 21))
    assert all(6 <= len(row.text.split()) <= 60 for row in corpus)
    assert {str(row.other["date"])[:4] for row in corpus} == {str(y) for y in range(2017, 2023)}
    assert len({row.other["register"] for row in corpus}) == 11


def test_every_sentence_has_every_label_and_every_rule_its_sentences(
    corpus: list[Example], config: Config
) -> None:
    assert all(set(row.labels) == {task.name for task in config.tasks} for row in corpus)
    rules = Counter(rule for row in corpus for rule in row.other.get("rules", []))
    assert set(rules) == set(range(1, 11))
    assert min(rules.values()) >= 80


def test_loaded_words_do_not_decide(corpus: list[Example], config: Config) -> None:
    counts = count_loaded(corpus, config.tasks[0], config.data.hygiene.loaded_words)
    sides = [label for label in counts if label != "neutral"]
    assert counts["neutral"][0] >= 0.1 * len(corpus)
    assert sum(counts[side][1] for side in sides) >= 0.1 * len(corpus)


def test_contrast_pairs(corpus: list[Example]) -> None:
    pairs = Counter(row.pair for row in corpus if row.pair)
    assert len(pairs) >= 400
    assert set(pairs.values()) == {2}


def test_dev_and_test_were_read_twice_and_the_readers_agree(
    corpus: list[Example], config: Config
) -> None:
    held_out = [row for row in corpus if split_of(row, config.data.split) != "train"]
    assert len(held_out) >= 1000
    assert all(len(row.annotators) >= 2 for row in held_out)
    stance = agreement(held_out, config.tasks, bootstrap=0)[0]
    assert stance.alpha >= 0.75
