"""The commands as a shell user meets them: output, files, exit codes."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest
from actorstance.tests.fixtures import DISPUTE, SENTENCES


def run(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "actorstance", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=False)


@pytest.mark.parametrize("command", ["train", "evaluate", "score", "data check", "data stats"])
def test_every_command_explains_itself(command: str) -> None:
    done = run(*command.split(), "--help")
    assert done.returncode == 0
    assert "Usage: " in done.stdout


def test_data_check_names_bad_rows_keeps_good_ones_and_writes_rejects(tmp_path: Path) -> None:
    data = tmp_path / "rows.jsonl"
    data.write_text(
        '{"text": "A fine row.", "stance": "neutral"}\n'
        '{"text": "A bad label.", "stance": "pro_guiado"}\n'
        '{"text": "a fine row.", "stance": "pro_guaido"}\n'
    )
    done = run("data", "check", data, "--rejects", tmp_path / "bad.jsonl")
    assert done.returncode == 0
    assert f"{data}:2: stance is 'pro_guiado'" in done.stdout
    assert f"{data}:3: same text as rows.jsonl:1" in done.stdout
    assert "1 rows are good, 2 rejected" in done.stdout
    rejects = [json.loads(line) for line in (tmp_path / "bad.jsonl").read_text().splitlines()]
    assert [reject["line"] for reject in rejects] == [2, 3]


def test_data_check_fails_only_when_nothing_is_left(tmp_path: Path) -> None:
    data = tmp_path / "rows.jsonl"
    data.write_text("no json\n")
    done = run("data", "check", data, cwd=tmp_path)
    assert done.returncode == 1
    assert "no usable row" in done.stderr
    assert "Traceback" not in done.stderr


def test_data_stats_counts(tmp_path: Path) -> None:
    done = run("data", "stats", SENTENCES, "--config", DISPUTE)
    assert "60 sentences" in done.stdout
    assert "for_rehl" in done.stdout


def test_evaluate_and_score_print_tables(dispute_run: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    done = run("evaluate", "--checkpoint", dispute_run, "--output", report)
    assert done.returncode == 0, done.stderr
    assert "macro-F1" in done.stdout
    assert json.loads(report.read_text())["side"]["count"] > 0
    (tmp_path / "article.txt").write_text("Voss won [bold]again[/bold]. Rehl left.")
    done = run("score", tmp_path / "article.txt", "-c", dispute_run)
    assert done.returncode == 0, done.stderr
    assert "[bold]again[/bold]" in done.stdout
    assert "for_voss" in done.stdout or "neither" in done.stdout or "for_rehl" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["train", "venezuella"], "did you mean 'venezuela'"),
        (["train", "venezuela", "--set", "training.epoch=1"], "did you mean 'epochs'"),
        (["score", "nothing.txt"], "no such file"),
        (["evaluate", "-c", "nowhere"], "no such checkpoint folder"),
        (["evaluate", "--split", "tst"], "expected train, dev or test"),
        (
            [
                "data",
                "sample",
                str(SENTENCES),
                "--config",
                str(DISPUTE),
                "--again",
                "-o",
                "no/s.csv",
            ],
            "no/s.csv: No such file or directory",
        ),
    ],
)
def test_a_mistake_is_one_clear_message_and_exit_code_1(
    tmp_path: Path, arguments: list[str], words: str
) -> None:
    done = run(*arguments, cwd=tmp_path)
    assert done.returncode == 1
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "runs").exists()


def test_a_blind_sheet_for_a_second_annotator_hides_the_labels(tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.csv"
    refused = run("data", "sample", SENTENCES, "--config", DISPUTE, "-o", sheet)
    assert refused.returncode == 1
    assert "--again" in refused.stderr
    done = run(
        *("data", "sample", SENTENCES, "--config", DISPUTE, "-o", sheet, "--again"),
        *("--split", "test", "-n", 1000),
    )
    assert done.returncode == 0, done.stderr
    with sheet.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert 0 < len(rows) < 60
    assert all(row["side"] == "" for row in rows)


def test_merge_names_and_keeps_the_rows_of_the_corpus_it_cannot_read(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus.jsonl"
    corpus.write_text(
        '{"text": "A fine row.", "document": "d1"}\n{"text": "Bad.", "stance": "pro_guiado"}\n'
    )
    labels = tmp_path / "ann.csv"
    labels.write_text("text,stance\nA fine row.,neutral\n")
    done = run("data", "merge", labels, "--into", corpus, "--annotator", "ann", "-o", corpus)
    assert done.returncode == 0
    assert f"{corpus}:2: stance is 'pro_guiado'" in done.stderr
    rejects = [json.loads(x) for x in (tmp_path / "corpus.rejects.jsonl").open()]
    assert "pro_guiado" in rejects[0]["row"]
    assert json.loads(corpus.read_text())["stance"] == "neutral"
    labels.write_text("text,stance\nA fine row.,neutral\nUnheard of.,neutral\n")
    run("data", "merge", labels, "--into", corpus, "--annotator", "bob", "-o", corpus)
    kept = (tmp_path / "corpus.rejects.jsonl").read_text()
    assert "pro_guiado" in kept
    assert "Unheard of" in kept


def test_split_files_evaluate_under_the_columns_of_their_config(
    dispute_run: Path, tmp_path: Path
) -> None:
    done = run("data", "split", SENTENCES, "--config", DISPUTE, "-o", tmp_path)
    assert done.returncode == 0, done.stderr
    done = run("evaluate", tmp_path / "test.jsonl", "-c", dispute_run)
    assert done.returncode == 0, done.stderr
    assert "macro-F1" in done.stdout
