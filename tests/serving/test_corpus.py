import csv
import gzip
import importlib
import itertools
import json
import resource
import signal
import subprocess
import sys
from pathlib import Path

import actorstance
import pyarrow
import pyarrow.parquet as pq
import pytest
from actorstance.configs import DataError
from actorstance.serving import ScoreProgress
from actorstance.tests.fixtures import DISPUTE

corpus_module = importlib.import_module("actorstance.serving.corpus")

EXAMPLES = Path(actorstance.__file__).parent / "data" / "examples"


@pytest.fixture(scope="module")
def tiny_run(tiny_encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of one epoch on a small encoder, for what does not depend on what it says."""
    overrides = [f"model.encoder={tiny_encoder}", "training.epochs=1", "evaluation.bootstrap=0"]
    output = tmp_path_factory.mktemp("runs") / "tiny"
    return actorstance.train(DISPUTE, overrides=overrides, output=output, progress=False)


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
    dispute_run: Path, corpus: Path, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=r"no sentence to score.*broken\.txt"):
        actorstance.score(corpus / "broken.txt", tmp_path / "out.csv", checkpoint=dispute_run)
    assert not list(tmp_path.glob("out.csv*"))


def test_compressed_files_and_standard_input_are_read_like_any_other(
    dispute_run: Path, corpus: Path, tmp_path: Path
) -> None:
    plain = (corpus / "rows.jsonl").read_bytes()
    packed = tmp_path / "packed"
    packed.mkdir()
    (packed / "rows.jsonl.gz").write_bytes(gzip.compress(plain))
    with pyarrow.CompressedOutputStream(str(packed / "table.csv.zst"), "zstd") as file:
        file.write((corpus / "table.csv").read_bytes())
    (packed / "cut.csv.gz").write_bytes(gzip.compress(b"text\n" + b"A long table.\n" * 5000)[:60])
    report = actorstance.score(packed, checkpoint=dispute_run)
    assert [row["text"] for row in report.rows if row["text"] != "A long table."] == [
        "The council met.",
        "It will meet again.",
        "Every clerk signed.",
    ]
    assert any("unreadable" in str(r) or "cannot be read" in str(r) for r in report.rejects)
    code = (
        "import actorstance; "
        f"print([r['text'] for r in actorstance.score('-', checkpoint={str(dispute_run)!r}).rows])"
    )
    given = plain + b"A bare line.\n"
    done = subprocess.run(
        [sys.executable, "-c", code], input=given, capture_output=True, check=True
    )
    assert eval(done.stdout) == ["The council met.", "It will meet again.", "A bare line."]


def test_other_columns_stay_and_targets_come_from_a_column(
    dispute_run: Path, tmp_path: Path
) -> None:
    table = tmp_path / "table.csv"
    table.write_text(
        "id,when,quote,side,who\n"
        "speech-1,2019-02-01,Voss won.,left,Voss\n"
        "speech-1,2019-02-02,Rehl lost.,right,\n"
        "speech-2,2019-02-03,,right,Rehl\n"
    )
    report = actorstance.score(
        table,
        tmp_path / "out.parquet",
        checkpoint=dispute_run,
        text_column="quote",
        id_column="id",
        target_column="who",
        documents=True,
    )
    rows = pq.read_table(tmp_path / "out.parquet").to_pylist()
    assert [(row["document"], row["sentence"]) for row in rows] == [
        ("speech-1", 0),
        ("speech-1", 1),
    ]
    assert [row["when"] for row in rows] == ["2019-02-01", "2019-02-02"]
    assert [row["side_in"] for row in rows] == ["left", "right"]
    assert rows[0]["target"] == "Voss" and rows[0]["tone_toward"] is not None
    assert rows[1]["target"] is None and rows[1]["tone_toward"] is None
    assert report.sentences == 2 and report.rejected == 1
    documents = pq.read_table(report.documents or "").to_pylist()
    assert [(row["document"], row["sentences"]) for row in documents] == [("speech-1", 2)]
    labels = [name for name in documents[0] if name.startswith("side_") and name.endswith("_share")]
    assert sum(documents[0][name] for name in labels) == pytest.approx(1)


def many_sentences(path: Path) -> Path:
    """A corpus of a few hundred rows, some of them broken, some of them twice."""
    with path.open("w", encoding="utf-8") as file:
        for number in range(600):
            text = f"Ward {number % 450} counted {number % 7} boxes for Voss."
            row = {"text": None if number % 50 == 9 else text, "document": f"d{number // 13}"}
            file.write(json.dumps(row) + "\n")
    return path


def test_killed_at_any_moment_it_resumes_to_the_very_same_table(
    tiny_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = many_sentences(tmp_path / "many.jsonl")
    monkeypatch.setattr(corpus_module, "SHARD", 40)
    whole = actorstance.score(
        source, tmp_path / "whole.parquet", checkpoint=tiny_run, documents=True
    )
    assert whole.sentences == 588 and whole.rejected == 12
    program = Path(__file__).with_name("killed.py")
    command = [sys.executable, str(program), str(source), str(tmp_path), str(tiny_run), "20"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    kills, *finished = done.stdout.split()
    assert int(kills) >= 20 and finished
    for name, table in itertools.product(
        ("parquet", "documents.parquet", "rejects.jsonl"), finished
    ):
        of_whole = tmp_path / f"whole.{name}"
        assert (tmp_path / f"{table}.{name}").read_bytes() == of_whole.read_bytes(), (table, name)


def test_a_cut_off_run_goes_on_only_with_the_same_question(
    tiny_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = many_sentences(tmp_path / "many.jsonl")
    output = tmp_path / "out.parquet"
    monkeypatch.setattr(corpus_module, "SHARD", 40)

    def stop(progress: ScoreProgress) -> None:
        if progress.sentences > 100:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        actorstance.score(source, output, checkpoint=tiny_run, on_progress=stop)
    assert not output.exists()
    with pytest.raises(DataError, match=r"differs in abstain_below.*--overwrite"):
        actorstance.score(source, output, checkpoint=tiny_run, abstain_below=0.5)
    done: list[int] = []
    actorstance.score(
        source, output, checkpoint=tiny_run, on_progress=lambda p: done.append(p.sentences)
    )
    assert len(pq.read_table(output)) == 588 == done[-1]
    with pytest.raises(DataError, match="exists"):
        actorstance.score(source, output, checkpoint=tiny_run)


def test_a_full_disk_is_one_clear_line_and_loses_nothing(
    tiny_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = many_sentences(tmp_path / "many.jsonl")
    output = tmp_path / "out.jsonl"
    monkeypatch.setattr(corpus_module, "SHARD", 40)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
        with pytest.raises(DataError, match=r"out\.jsonl: cannot be written: File too large"):
            actorstance.score(source, output, checkpoint=tiny_run)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    assert not output.exists()
    assert actorstance.score(source, output, checkpoint=tiny_run).sentences == 588


def test_a_cluster_gives_the_same_table_though_a_worker_dies(
    tiny_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("ray")
    source = many_sentences(tmp_path / "many.jsonl")
    monkeypatch.setattr(corpus_module, "SHARD", 40)
    actorstance.score(source, tmp_path / "local.parquet", checkpoint=tiny_run)
    program = Path(__file__).with_name("on_ray.py")
    command = [sys.executable, str(program), str(source), str(tmp_path / "ray.parquet")]
    done = subprocess.run([*command, str(tiny_run)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    # Ray writes lines of its own to standard output.
    assert "killed 1" in done.stdout.splitlines(), done.stdout[-2000:]
    assert (tmp_path / "ray.parquet").read_bytes() == (tmp_path / "local.parquet").read_bytes()
    assert (tmp_path / "ray.rejects.jsonl").read_bytes() == (
        tmp_path / "local.rejects.jsonl"
    ).read_bytes()
