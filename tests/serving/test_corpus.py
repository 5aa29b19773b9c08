import csv
import json
from pathlib import Path

import actorstance
import pyarrow.parquet as pq
import pytest
from actorstance.configs import DataError

EXAMPLES = Path(actorstance.__file__).parent / "data" / "examples"


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = tmp_path / "corpus"
    folder.mkdir()
    (folder / "article.txt").write_text("Voss won. Rehl called it theft, and left.\n")
    (folder / "rows.jsonl").write_text(
        '{"text": "The council met.", "document": "minutes"}\n'
        '{"text": 3}\n'
        '{"text": "It will meet again.", "document": "minutes"}\n'
    )
    (folder / "table.csv").write_text("text\nEvery clerk signed.\n")
    (folder / "broken.txt").write_bytes(b"\xff\xff")
    return folder


def test_a_folder_becomes_one_row_per_sentence_and_nothing_good_is_lost(
    dispute_run: Path, corpus: Path, tmp_path: Path
) -> None:
    report = actorstance.score(
        corpus, tmp_path / "out.jsonl", checkpoint=dispute_run, target="Voss"
    )
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [(row["document"], row["sentence"], row["text"]) for row in rows] == [
        ("article", 0, "Voss won."),
        ("article", 1, "Rehl called it theft, and left."),
        ("minutes", 0, "The council met."),
        ("minutes", 1, "It will meet again."),
        ("table", 0, "Every clerk signed."),
    ]
    text = (corpus / "article.txt").read_text()
    assert text[rows[1]["start"] : rows[1]["end"]] == rows[1]["text"]
    classifier = actorstance.load(dispute_run)
    for row in rows:
        prediction = classifier(row["text"], target="Voss")
        assert row["side"] == prediction.side
        assert row["side_for_voss"] == pytest.approx(
            prediction.scores["side"]["for_voss"], abs=1e-3
        )
        assert row["tone_toward"] == prediction.tone_toward
    assert {Path(r.file).name for r in report.rejects} == {"broken.txt", "rows.jsonl"}
    rejects = (tmp_path / "out.rejects.jsonl").read_text().splitlines()
    assert len(rejects) == 2


def test_all_formats_hold_the_same_rows(dispute_run: Path, tmp_path: Path) -> None:
    for suffix in ("jsonl", "csv", "parquet"):
        actorstance.score([EXAMPLES], tmp_path / f"out.{suffix}", checkpoint=dispute_run)
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert pq.read_table(tmp_path / "out.parquet").to_pylist() == rows
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file))
    assert [row["text"] for row in table] == [row["text"] for row in rows]
    assert [float(row["side_neither"]) for row in table] == [row["side_neither"] for row in rows]
    titles = [row["text"] for row in rows if row["sentence"] == -1]
    assert titles == ["Guaidó's tour ends where it began, at a closed bridge"]


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("out.xlsx", r"'\.xlsx'.*\.parquet"),
        ("missing/out.csv", "folder does not exist"),
        ("folder.csv", "is a folder"),
        ("there.csv", "exists.*--overwrite"),
    ],
)
def test_output_that_cannot_be_written_is_refused_before_any_work(
    corpus: Path, tmp_path: Path, output: str, words: str
) -> None:
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "there.csv").write_text("mine")
    with pytest.raises(DataError, match=words):
        actorstance.score(corpus, tmp_path / output, checkpoint=tmp_path / "no checkpoint needed")
    assert (tmp_path / "there.csv").read_text() == "mine"


def test_nothing_to_score_is_an_error_that_names_the_first_reason(
    corpus: Path, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=r"no sentence to score.*broken\.txt"):
        actorstance.score(corpus / "broken.txt", tmp_path / "out.csv")
