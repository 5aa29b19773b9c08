import csv
import json
from pathlib import Path

import pytest
from actorstance.configs import ColumnsConfig, DataError, Task
from actorstance.configs.schema import TaskColumn
from actorstance.data import (
    Example,
    agreement,
    check_files,
    merge_labels,
    sentence_id,
    write_annotation_table,
    write_examples,
)

TASKS = [
    Task(name="side", labels=["left", "middle", "right"]),
    Task(name="tone", labels=["-", "+"]),
]
CORPUS = [
    Example("Guaidó spoke first.", document="d1", other={"register": "wire"}),
    Example("Nobody answered him.", document="d1"),
    Example("Nobody answered him.", document="d2"),
]


def fill_in(path: Path, sides: list[str]) -> None:
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=rows[0])
        writer.writeheader()
        writer.writerows({**row, "side": side} for row, side in zip(rows, sides, strict=True))


def test_labels_go_out_and_come_back(tmp_path: Path) -> None:
    write_annotation_table(CORPUS, TASKS, tmp_path / "a.csv")
    assert "Guaidó" in (tmp_path / "a.csv").read_text(encoding="utf-8")
    assert (tmp_path / "a.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    fill_in(tmp_path / "a.csv", ["left", "right", ""])
    first = merge_labels(CORPUS, tmp_path / "a.csv", TASKS, "ann")
    assert (first.added, first.disputed, first.rejects) == (2, [], [])
    assert [row.labels for row in first.examples] == [{"side": "left"}, {"side": "right"}, {}]
    write_examples(first.examples, tmp_path / "corpus.jsonl")
    again = check_files([tmp_path / "corpus.jsonl"], TASKS).examples
    assert again[0] == first.examples[0]
    assert again[0].other == {"register": "wire"}


@pytest.mark.parametrize("unused", ["document", "source", "target", "pair", "annotators"])
def test_a_corpus_is_written_under_the_columns_it_was_read_by(tmp_path: Path, unused: str) -> None:
    mapped = {"side": TaskColumn(column="camp", values={"L": "left", "M": "middle"})}
    columns = ColumnsConfig(text="sentence", tasks=mapped).model_copy(update={unused: None})
    path = tmp_path / "corpus.jsonl"
    path.write_text(
        json.dumps({"sentence": "Guaidó spoke.", "camp": "L", unused: "kept", "note": "n"}) + "\n"
    )
    read = check_files([path], TASKS, columns).examples
    assert read[0].other == {unused: "kept", "note": "n"}
    write_examples(read, path, columns)
    assert check_files([path], TASKS, columns).examples == read


def sheet(path: Path, examples: list[Example], sides: list[str], **options: bool) -> Path:
    write_annotation_table(examples, TASKS, path, **options)
    fill_in(path, sides)
    return path


def test_annotators_who_differ_leave_a_dispute_that_a_third_person_settles(tmp_path: Path) -> None:
    ann = sheet(tmp_path / "ann.csv", CORPUS, ["left", "left", ""])
    bob = sheet(tmp_path / "bob.csv", CORPUS, ["left", "right", ""])
    first = merge_labels(CORPUS, ann, TASKS, "ann").examples
    second = merge_labels(first, bob, TASKS, "bob")
    assert [row.text for row in second.disputed] == ["Nobody answered him."]
    assert [row.labels for row in second.examples] == [{"side": "left"}, {}, {}]

    verdict = tmp_path / "verdict.csv"
    write_annotation_table(second.disputed, TASKS, verdict, show_annotators=True)
    with verdict.open(encoding="utf-8-sig", newline="") as file:
        row = next(csv.DictReader(file))
    assert (row["side by ann"], row["side by bob"], row["side"]) == ("left", "right", "")
    fill_in(verdict, ["middle"])
    settled = merge_labels(second.examples, verdict, TASKS, "chair", settle=True)
    assert settled.disputed == []
    assert settled.examples[1].labels == {"side": "middle"}
    assert set(settled.examples[1].annotators) == {"ann", "bob"}

    late = sheet(tmp_path / "late.csv", CORPUS, ["", "right", ""])
    assert merge_labels(settled.examples, late, TASKS, "late").examples[1].labels["side"] == (
        "middle"
    )


def test_a_label_that_never_came_from_annotators_stays(tmp_path: Path) -> None:
    own = [Example(CORPUS[0].text, {"side": "left"}, document="d1")]
    bob = sheet(tmp_path / "bob.csv", own, ["right"])
    assert merge_labels(own, bob, TASKS, "bob").examples[0].labels == {"side": "left"}


def test_a_label_from_before_the_annotators_outlives_their_quarrel(tmp_path: Path) -> None:
    examples = [Example(CORPUS[0].text, {"side": "left"}, document="d1")]
    for name, side in (("bob", "left"), ("carol", "right")):
        labels = sheet(tmp_path / f"{name}.csv", examples, [side])
        examples = merge_labels(examples, labels, TASKS, name).examples
    assert examples[0].labels == {"side": "left"}


def test_an_annotator_may_correct_and_complete_what_they_said(tmp_path: Path) -> None:
    examples = [Example(CORPUS[0].text, document="d1")]
    for side in ("left", "right"):
        labels = sheet(tmp_path / "ann.csv", examples, [side])
        examples = merge_labels(examples, labels, TASKS, "ann").examples
    assert examples[0].labels == {"side": "right"}
    tone = tmp_path / "tone.csv"
    tone.write_text(f"sentence_id,tone\n{sentence_id(examples[0])},+\n")
    examples = merge_labels(examples, tone, TASKS, "ann").examples
    assert examples[0].annotators == {"ann": {"side": "right", "tone": "+"}}
    assert examples[0].labels == {"side": "right", "tone": "+"}


def test_rows_that_match_nothing_are_named_and_the_rest_is_merged(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text(
        "text,side\nGuaidó spoke first.,left\nNobody answered him.,left\nUnheard of.,left\n"
    )
    report = merge_labels(CORPUS, path, TASKS, "ann")
    assert report.added == 1
    assert [reject.line for reject in report.rejects] == [3, 4]
    assert "more than once" in report.rejects[0].reason
    path.write_text(f"sentence_id,side\n{sentence_id(CORPUS[1])},lft\n")
    with pytest.raises(DataError, match=r"'lft', expected one of left, middle, right"):
        merge_labels(CORPUS, path, TASKS, "ann")


def test_alpha_of_perfect_chance_and_known_data() -> None:
    def rows(pairs: list[tuple[str, str]]) -> list[Example]:
        return [
            Example(f"s{i}", document=f"d{i // 5}", annotators={"a": {"side": x}, "b": {"side": y}})
            for i, (x, y) in enumerate(pairs)
        ]

    perfect = agreement(rows([("left", "left"), ("right", "right")] * 20), TASKS)[0]
    assert perfect.alpha == perfect.observed == 1.0
    crossed = [("left", "left"), ("left", "right"), ("right", "left"), ("right", "right")] * 25
    chance = agreement(rows(crossed), TASKS)[0]
    assert abs(chance.alpha) < 0.02
    # Worked by hand: 1 - (n - 1) * disagreeing / (n_left * n_right), n = 8 labels.
    known = agreement(
        rows([("left", "left"), ("left", "left"), ("left", "right"), ("right", "right")]), TASKS
    )[0]
    assert known.alpha == pytest.approx(1 - 7 * 1 / (5 * 3))
    assert known.interval[0] <= known.alpha <= known.interval[1]


def test_agreement_needs_two_annotators() -> None:
    with pytest.raises(DataError, match="two annotators"):
        agreement(CORPUS, TASKS)
