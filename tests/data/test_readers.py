import gzip
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from actorstance.configs import ColumnsConfig, DataError, Task, TaskColumn
from actorstance.data import Example, Reject, expand_paths, read_examples

TASKS = [Task(name="stance", labels=["pro_maduro", "neutral", "pro_guaido"])]


def read(path: Path, columns: ColumnsConfig | None = None) -> tuple[list[Example], list[Reject]]:
    items = [item for _, item in read_examples(path, TASKS, columns)]
    return (
        [item for item in items if isinstance(item, Example)],
        [item for item in items if isinstance(item, Reject)],
    )


def test_bad_rows_are_named_and_good_rows_survive(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(
        b'{"text": "Spain recognised him.", "stance": "pro_guaido", "document": "d"}\n'
        b'{"text": "Cut short\n'
        b'{"text": "Wrong label.", "stance": "pro_guiado"}\n'
        b'{"text": "", "stance": "neutral"}\n'
        b'{"text": 7, "stance": "neutral"}\n'
        b'{"txt": "Wrong key."}\n'
        b'{"text": "caf\xe9", "stance": "neutral"}\n'
        b'["a list"]\n'
        b"\n"
        b'{"text": "...", "stance": "neutral"}\n'
        b'{"text": "The last row.", "stance": null}\n'
    )
    good, bad = read(path)
    assert [row.text for row in good] == ["Spain recognised him.", "The last row."]
    assert good[0].labels == {"stance": "pro_guaido"}
    assert good[0].document == "d"
    assert good[1].labels == {}
    reasons = {reject.line: reject.reason for reject in bad}
    assert sorted(reasons) == [2, 3, 4, 5, 6, 7, 8, 10]
    assert "not JSON" in reasons[2]
    assert "did you mean 'pro_guaido'" in reasons[3]
    assert "empty" in reasons[4]
    assert "not int" in reasons[5]
    assert "did you mean 'txt'" in reasons[6]
    assert "not UTF-8: byte 0xe9" in reasons[7]
    assert "found list" in reasons[8]
    assert "no word" in reasons[10]


def test_csv_with_own_columns_and_values(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(
        'Sentence,Camp\n"A ""quoted"", long one",G\nSecond,M\nThird,X\nToo,many,fields\n',
        encoding="utf-8-sig",
    )
    columns = ColumnsConfig(
        text="Sentence",
        tasks={"stance": TaskColumn(column="Camp", values={"G": "pro_guaido", "M": "pro_maduro"})},
    )
    good, bad = read(path, columns)
    assert [(row.text, row.labels["stance"]) for row in good] == [
        ('A "quoted", long one', "pro_guaido"),
        ("Second", "pro_maduro"),
    ]
    assert [reject.line for reject in bad] == [4, 5]
    assert "'X'" in bad[0].reason


def test_parquet_and_plain_text(tmp_path: Path) -> None:
    table = pa.table({"text": ["One row.", None], "stance": ["neutral", "neutral"]})
    pq.write_table(table, tmp_path / "rows.parquet")
    good, bad = read(tmp_path / "rows.parquet")
    assert [row.labels["stance"] for row in good] == ["neutral"]
    assert "text is missing" in bad[0].reason
    (tmp_path / "rows.txt").write_text("One sentence.\n\nAnother one.\n")
    assert [row.text for row in read(tmp_path / "rows.txt")[0]] == ["One sentence.", "Another one."]


def test_annotators_own_labels_are_kept_and_checked(write_jsonl: Callable[..., Path]) -> None:
    path = write_jsonl(
        {"text": "A row.", "annotators": {"ann": {"stance": "neutral"}}},
        {"text": "B row.", "annotators": {"bob": {"stance": "neutrl"}}},
    )
    good, bad = read(path)
    assert good[0].annotators == {"ann": {"stance": "neutral"}}
    assert "annotators.bob.stance" in bad[0].reason


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("rows.csv", b"sentence,stance\nA,neutral\n", ["no column 'text'", "sentence, stance"]),
        ("rows.parquet", b"not parquet", ["not a Parquet file"]),
        ("rows.docx", b"x", ["unknown format '.docx'", ".jsonl"]),
    ],
)
def test_a_file_that_cannot_be_read_at_all_is_one_clear_error(
    tmp_path: Path, name: str, content: bytes, words: list[str]
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError) as error:
        read(tmp_path / name)
    for word in [str(tmp_path / name), *words]:
        assert word in str(error.value)


def test_missing_path_suggests_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "corpus.jsonl").write_text("{}")
    with pytest.raises(DataError, match=r"did you mean '.*corpus\.jsonl'"):
        expand_paths([tmp_path / "corpse.jsonl"])


def test_folders_and_globs_expand_in_order_and_once(tmp_path: Path) -> None:
    for name in ("b.jsonl", "a.csv", "notes.md"):
        (tmp_path / name).write_text("x")
    found = expand_paths([tmp_path, str(tmp_path / "*.csv")])
    assert [path.name for path in found] == ["a.csv", "b.jsonl"]


def test_votes_become_a_label_and_shares(write_jsonl: Callable[..., Path]) -> None:
    path = write_jsonl(
        {"text": "Four raters.", "m": 1, "n": 0, "g": 3},
        {"text": "None yet.", "m": None, "n": "", "g": None},
        {"text": "Wrong.", "m": "many", "n": 0, "g": 0},
        {"text": "Nobody.", "m": 0, "n": 0, "g": 0},
    )
    votes = TaskColumn(distribution={"pro_maduro": "m", "neutral": "n", "pro_guaido": "g"})
    good, bad = read(path, ColumnsConfig(tasks={"stance": votes}))
    assert good[0].labels == {"stance": "pro_guaido"}
    assert good[0].distributions["stance"] == {
        "pro_maduro": 0.25,
        "neutral": 0.0,
        "pro_guaido": 0.75,
    }
    assert good[1].labels == {} and good[1].distributions == {}
    assert "pro_maduro is 'many', expected a probability or a count" in bad[0].reason
    assert "all 0" in bad[1].reason


def test_a_line_without_end_is_rejected_and_the_next_one_is_read(tmp_path: Path) -> None:
    endless = b"x" * 9_000_000
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'{"text": "First."}\n' + endless + b'\n{"text": "Last."}\n')
    good, bad = read(path)
    assert [row.text for row in good] == ["First.", "Last."]
    assert [(reject.line, reject.reason) for reject in bad] == [
        (2, "the line is longer than 4,000,000 bytes")
    ]
    table = tmp_path / "rows.csv"
    table.write_bytes(b'text,note\nFirst.,"two\nlines"\n' + endless + b"\nLast.,\n")
    good, bad = read(table)
    assert [row.text for row in good] == ["First.", "Last."]
    assert [reject.line for reject in bad] == [4]


def test_what_can_be_read_of_a_damaged_file_is_read(tmp_path: Path) -> None:
    rows = "".join(f'{{"text": "Sentence {number} of many."}}\n' for number in range(5000))
    packed = gzip.compress(rows.encode())
    for name in ("cut.jsonl.gz", "cut.csv.gz"):
        (tmp_path / name).write_bytes(packed[: len(packed) // 2])
    good, bad = read(tmp_path / "cut.jsonl.gz")
    assert 0 < len(good) < 5000
    assert len(bad) == 1 and "unreadable from here on" in bad[0].reason
    (tmp_path / "not.jsonl.gz").write_bytes(b"never compressed")
    with pytest.raises(DataError, match=r"not\.jsonl\.gz: cannot be read"):
        read(tmp_path / "not.jsonl.gz")
