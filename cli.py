"""The command line: train · evaluate · score · export · data."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from . import __version__
from .configs import ActorstanceError, load_config

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .configs import Config
    from .data import CheckReport, Reject
    from .serving import ScoreProgress, ScoreReport

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    help="Whose side does a sentence take, and in what tone?",
)
data_app = typer.Typer(no_args_is_help=True, help="Check, count, split and annotate sentences.")
app.add_typer(data_app, name="data")
out = Console()
err = Console(stderr=True)

Checkpoint = Annotated[
    Path | None,
    typer.Option(
        "--checkpoint",
        "-c",
        help="Checkpoint or run folder [default: the one that ships, else runs/venezuela].",
    ),
]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps.")]
AnnotatedFiles = Annotated[
    list[str], typer.Argument(help="Files, folders or globs of annotated sentences.")
]
ConfigOption = Annotated[
    str, typer.Option("--config", help="Config that names the tasks and their labels.")
]


def main() -> None:
    """Run the command; a user's mistake is one clear message and exit code 1, never a traceback."""
    try:
        app()
    except ActorstanceError as error:
        err.print(f"[red]error:[/] {_plain(error)}", highlight=False, soft_wrap=True)
        sys.exit(1)
    except OSError as error:
        # An output folder that does not exist, a full disk, a file that may not be read.
        if error.filename is None:
            raise
        from .data.files import WRITING

        where = str(error.filename).removesuffix(WRITING)
        err.print(f"[red]error:[/] {_plain(where)}: {error.strerror}", highlight=False)
        sys.exit(1)
    except ModuleNotFoundError as error:
        extra = {"datasets", "evaluate", "accelerate", "krippendorff", "matplotlib", "sklearn"}
        if error.name not in extra:
            raise
        err.print(
            f"[red]error:[/] this needs {error.name}; pip install 'actorstance\\[train]'",
            soft_wrap=True,
        )
        sys.exit(1)
    except KeyboardInterrupt:
        err.print("interrupted")
        sys.exit(130)


@app.callback(invoke_without_command=True)
def _root(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        out.print(f"actorstance {__version__}")
        raise typer.Exit


@app.command()
def train(
    config: Annotated[str, typer.Argument(help="YAML file, or the name of one that ships.")],
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="Override, as in `--set training.epochs=3`; repeatable."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Run folder [default: runs/NAME].")
    ] = None,
    resume: Annotated[bool, typer.Option(help="Continue an interrupted run.")] = False,
    overwrite: Annotated[bool, typer.Option(help="Replace what is in the run folder.")] = False,
) -> None:
    """Fine-tune an encoder on annotated sentences, as a config says."""
    from .training import Run, train

    try:
        folder = train(
            config, overrides=settings or (), output=output, resume=resume, overwrite=overwrite
        )
    except KeyboardInterrupt:
        err.print("interrupted; the same command with --resume continues after the last epoch")
        sys.exit(130)
    if os.environ.get("RANK", "0") != "0":
        return  # one process of several speaks
    metrics = Run(folder).read_metrics()
    _print_metrics({f"{s} {t}": r for s in ("dev", "test") for t, r in metrics[s].items()})
    out.print(f"run folder: {folder}", highlight=False, soft_wrap=True)


@app.command()
def evaluate(
    files: Annotated[
        list[Path] | None,
        typer.Argument(help="Annotated files; by default the checkpoint's own test split."),
    ] = None,
    checkpoint: Checkpoint = None,
    split: Annotated[str, typer.Option(help="train, dev or test, when no files are given.")] = (
        "test"
    ),
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write the full report as JSON.")
    ] = None,
    device: Device = "auto",
) -> None:
    """Measure a checkpoint on annotated sentences.

    Macro-F1 has a 95% bootstrap interval over documents; `pairs` is the share of contrast pairs,
    of those whose label the edit changes, with both members right. ECE is the expected calibration
    error. The second table says what `score --abstain-below` would leave, and how much is right.
    """
    from .training import evaluate
    from .training.run import write_json

    _check_split(split)
    result = evaluate(checkpoint, files or (), split=split, device=device)
    rejected = result.pop("rejected")
    _print_metrics(result)
    _print_coverage(result)
    if rejected:
        err.print(f"{rejected} rows rejected; `actorstance data check` names them")
    if output:
        write_json(output, result)


@app.command()
def score(
    inputs: Annotated[
        list[str],
        typer.Argument(
            help="Files, folders or globs: txt, jsonl, csv, tsv, parquet, also .gz and .zst; "
            "- for standard input."
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help=".parquet, .jsonl or .csv [default: print a table]."),
    ] = None,
    checkpoint: Checkpoint = None,
    device: Device = "auto",
    backend: Annotated[
        str, typer.Option(help="auto (fastest here), torch, or the exported onnx or int8.")
    ] = "auto",
    text_column: Annotated[str, typer.Option(help="Column that holds the sentence.")] = "text",
    id_column: Annotated[str, typer.Option(help="Column that names the document.")] = "document",
    target_column: Annotated[
        str | None, typer.Option(help="Column that names the actor that target tasks are about.")
    ] = None,
    target: Annotated[
        str | None, typer.Option(help="Actor that target tasks are about, where no column says.")
    ] = None,
    abstain_below: Annotated[
        float,
        typer.Option(min=0, max=1, help="Leave a label empty if its probability is lower."),
    ] = 0.0,
    documents: Annotated[
        bool, typer.Option("--documents", help="Write a table with a row per document as well.")
    ] = False,
    overwrite: Annotated[bool, typer.Option(help="Replace an existing output.")] = False,
    engine: Annotated[str, typer.Option(help="local, or ray for a Ray cluster.")] = "local",
    workers: Annotated[int, typer.Option(min=1, help="Processes of the ray engine.")] = 2,
) -> None:
    """Label every sentence of articles and tables.

    A run that is cut off goes on where it stopped when the same command is given again.
    """
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    from .serving import score

    with Bar(
        TextColumn("scoring"),
        BarColumn(),
        TextColumn("{task.fields[sentences]:,} sentences, {task.fields[rate]:,.0f}/s"),
        TimeRemainingColumn(),
        console=err,
        transient=True,
    ) as bar:
        task = bar.add_task("scoring", total=None, sentences=0, rate=0.0)
        begun = time.monotonic()

        def show(progress: ScoreProgress) -> None:
            bar.update(
                task,
                completed=progress.bytes_read,
                total=progress.bytes_in_all or None,
                sentences=progress.sentences,
                rate=progress.sentences / max(time.monotonic() - begun, 1e-9),
            )

        try:
            report = score(
                inputs,
                output,
                checkpoint=checkpoint,
                device=device,
                backend=backend,
                text_column=text_column,
                id_column=id_column,
                target_column=target_column,
                target=target,
                abstain_below=abstain_below,
                documents=documents,
                overwrite=overwrite,
                engine=engine,
                workers=workers,
                on_progress=show,
            )
        except KeyboardInterrupt:
            bar.stop()
            again = "; the same command goes on from here" if output else ""
            err.print(f"interrupted{again}")
            sys.exit(130)
    if output is None:
        _print_scores(report)
    else:
        out.print(f"{report.sentences:,} sentences -> {output}", highlight=False, soft_wrap=True)
        if report.documents:
            out.print(f"its documents -> {report.documents}", highlight=False, soft_wrap=True)
    _name_rejects(report.rejects, report.rejects_file, report.rejected)


@app.command()
def export(
    checkpoint: Annotated[
        Path | None, typer.Argument(help="Checkpoint or run folder [default: as in score].")
    ] = None,
) -> None:
    """Write the forms that run fastest on CPUs into a checkpoint: ONNX, in float and int8."""
    from .model.export import export

    for file in export(checkpoint):
        size = file.stat().st_size / 1e6
        out.print(f"{file}  {size:.0f} MB", highlight=False, soft_wrap=True)


@data_app.command()
def check(
    files: AnnotatedFiles,
    config: ConfigOption = "venezuela",
    rejects: Annotated[
        Path, typer.Option(help="Where bad rows go, with file, line and reason.")
    ] = Path("rejects.jsonl"),
    strict: Annotated[
        bool, typer.Option(help="Exit with code 1 if a row is bad or a finding is not OK.")
    ] = False,
) -> None:
    """Validate annotated sentences, and look for duplicates, templates, leaks and giveaways.

    Every bad row is named with its line and reason. The limits are in the config, data.hygiene.
    """
    from .data import audit, split_of, write_rejects

    settings, report = _read_annotated(files, config)
    for reject in report.rejects:
        out.print(_plain(reject), highlight=False, soft_wrap=True)
    out.print(f"{len(report.examples):,} rows are good, {len(report.rejects):,} rejected")
    if report.rejects:
        write_rejects(report.rejects, rejects)
        out.print(f"rejected rows: {rejects}", highlight=False, soft_wrap=True)
    splits = [split_of(e, settings.data.split) for e in report.examples]
    findings = audit(report.examples, settings.tasks, settings.data.hygiene, splits)
    for finding in findings:
        mark = "[green]ok [/]" if finding.passed else "[red]BAD[/]"
        out.print(f"{mark} {finding.check}: {_plain(finding.summary)}", highlight=False)
        for detail in finding.details[:20]:
            out.print(f"      {_plain(detail)}", highlight=False, soft_wrap=True)
        if len(finding.details) > 20:
            out.print(f"      and {len(finding.details) - 20} more", highlight=False)
    if strict and (report.rejects or not all(finding.passed for finding in findings)):
        raise typer.Exit(1)


@data_app.command()
def stats(
    files: AnnotatedFiles,
    config: ConfigOption = "venezuela",
    by: Annotated[
        list[str] | None,
        typer.Option(help="Count the first task's labels per value of this column; repeatable."),
    ] = None,
) -> None:
    """Count labels, documents, sources and words of annotated sentences."""
    from .data import count, count_by, count_loaded

    settings, report = _read_annotated(files, config)
    seen = count(report.examples, settings.tasks)
    out.print(
        f"{seen.sentences:,} sentences, {seen.documents:,} documents, {seen.sources:,} sources; "
        f"{seen.words_mean:.1f} words on average ({seen.words_min} to {seen.words_max})",
        highlight=False,
    )
    table = Table("task", "label", "sentences", "share")
    for task, labels in seen.labels.items():
        total = sum(labels.values())
        for label, number in labels.items():
            table.add_row(task, label, f"{number:,}", f"{number / max(1, total):.1%}")
    out.print(table)
    first = settings.tasks[0]
    if words := settings.data.hygiene.loaded_words:
        table = Table(first.name, "with a loaded word", "without")
        for label, counts in count_loaded(report.examples, first, words).items():
            shares = [f"{n:,} ({n / max(1, seen.sentences):.1%})" for n in counts]
            table.add_row(label, *shares)
        out.print(table)
    for column in by or ():
        table = Table(column, "sentences", *first.labels)
        for value, (total, labels) in count_by(report.examples, first, column).items():
            table.add_row(value, f"{total:,}", *(f"{n:,}" for n in labels.values()))
        out.print(table)
    if report.rejects:
        err.print(f"{len(report.rejects)} rows rejected; `actorstance data check` names them")


@data_app.command()
def agreement(files: AnnotatedFiles, config: ConfigOption = "venezuela") -> None:
    """Measure how far annotators agree: Krippendorff's alpha per task."""
    from .data import agreement

    settings, report = _read_annotated(files, config)
    table = Table("task", "alpha", "95% interval", "same label", "sentences")
    for result in agreement(report.examples, settings.tasks):
        table.add_row(
            result.task,
            f"{result.alpha:.3f}",
            f"{result.interval[0]:.3f}-{result.interval[1]:.3f}",
            f"{result.observed:.1%}",
            f"{result.sentences:,}",
        )
    out.print(table)


@data_app.command()
def split(
    files: AnnotatedFiles,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder for train, dev and test.jsonl.")
    ],
    config: ConfigOption = "venezuela",
) -> None:
    """Deal annotated sentences to train, dev and test, whole documents at a time."""
    from .data import split_of, write_examples

    settings, report = _read_annotated(files, config)
    output.mkdir(parents=True, exist_ok=True)
    for name in ("train", "dev", "test"):
        rows = [
            example for example in report.examples if split_of(example, settings.data.split) == name
        ]
        write_examples(rows, output / f"{name}.jsonl", settings.data.columns)
        documents = len({row.document or row.text for row in rows})
        out.print(f"{name}: {len(rows):,} sentences in {documents:,} documents", highlight=False)
    _keep_rejects(report.rejects, output / "split.rejects.jsonl")


@data_app.command()
def sample(
    files: Annotated[list[str], typer.Argument(help="Files, folders or globs of sentences.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="CSV for a spreadsheet or Label Studio.")
    ],
    count: Annotated[int, typer.Option("--count", "-n", min=1, help="How many.")] = 100,
    strategy: Annotated[
        str, typer.Option(help="random, uncertainty (the model's entropy) or diverse (core-set).")
    ] = "random",
    labelled: Annotated[
        list[str] | None, typer.Option(help="Annotated files whose sentences are left out.")
    ] = None,
    again: Annotated[
        bool, typer.Option(help="Labelled sentences too, labels hidden: for a second annotator.")
    ] = False,
    split: Annotated[
        str | None, typer.Option(help="Only what the config deals to train, dev or test.")
    ] = None,
    config: ConfigOption = "venezuela",
    checkpoint: Checkpoint = None,
    device: Device = "auto",
    seed: Annotated[int, typer.Option(help="Seed of the random draw.")] = 0,
) -> None:
    """Pick the next sentences worth annotating, as a CSV to fill in."""
    from .data import check_files, expand_paths, split_of, write_annotation_table
    from .serving import load, select

    if strategy not in ("random", "uncertainty", "diverse"):
        raise ActorstanceError(f"--strategy {strategy!r}: expected random, uncertainty or diverse")
    if split is not None:
        _check_split(split)
    settings = load_config(config)
    columns = settings.data.columns
    pool = check_files(expand_paths(files), settings.tasks, columns)
    done: list[str] = []
    if labelled:
        known = check_files(expand_paths(labelled), settings.tasks, columns).examples
        done = [example.text for example in known]
    left_out = set(done)
    waiting = [
        e
        for e in pool.examples
        if (again or not e.labels)
        and e.text not in left_out
        and split in (None, split_of(e, settings.data.split))
    ]
    if not waiting:
        hint = "; --again takes labelled ones" if not again else ""
        raise ActorstanceError(f"{', '.join(files)}: no sentence left to annotate{hint}")
    chosen = select(
        [example.text for example in waiting],
        count,
        strategy,  # type: ignore[arg-type]  # checked above
        classifier=None if strategy == "random" else load(checkpoint, device),
        labelled=done,
        seed=seed,
    )
    write_annotation_table([waiting[i] for i in chosen], settings.tasks, output)
    out.print(f"{len(chosen):,} of {len(waiting):,} sentences -> {output}", highlight=False)
    _keep_rejects(pool.rejects, output.with_suffix(".rejects.jsonl"))
    out.print("fill in the empty columns, then: actorstance data merge", highlight=False)


@data_app.command()
def merge(
    labels: Annotated[Path, typer.Argument(help="The filled-in CSV, or Label Studio's export.")],
    into: Annotated[list[str], typer.Option(help="The corpus that the sentences come from.")],
    annotator: Annotated[str, typer.Option(help="Who gave these labels.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="JSONL to write.")],
    disputes: Annotated[
        Path | None, typer.Option(help="CSV to write of disputed sentences, for a third person.")
    ] = None,
    settle: Annotated[
        bool, typer.Option(help="The labels are verdicts on disputes: they override.")
    ] = False,
    config: ConfigOption = "venezuela",
) -> None:
    """Read annotators' labels back into a corpus.

    A sentence gets the label its annotators agree on; disputed ones stay without, and are counted.
    """
    from .data import merge_labels, write_annotation_table, write_examples

    settings, report = _read_annotated(into, config)
    if settings.data.columns.annotators is None:
        raise ActorstanceError("data.columns.annotators is null: merge needs a column to write to")
    merged = merge_labels(report.examples, labels, settings.tasks, annotator, settle=settle)
    write_examples(merged.examples, output, settings.data.columns)
    out.print(f"{merged.added:,} sentences labelled by {annotator} -> {output}", highlight=False)
    if merged.disputed:
        err.print(f"{len(merged.disputed):,} sentences are disputed and wait for adjudication")
    if disputes:
        write_annotation_table(merged.disputed, settings.tasks, disputes, show_annotators=True)
        out.print(f"fill in {disputes}, then: data merge --settle", highlight=False)
    # A corpus merged in place no longer holds the rows rejected before: they must not be lost here.
    rejects = [*report.rejects, *merged.rejects]
    _keep_rejects(rejects, output.with_suffix(".rejects.jsonl"), add=True)


def _read_annotated(files: list[str], config: str) -> tuple[Config, CheckReport]:
    from .data import check_files, expand_paths

    settings = load_config(config)
    suffixes = (".jsonl", ".csv", ".tsv", ".parquet")
    paths = expand_paths(files, suffixes)
    return settings, check_files(paths, settings.tasks, settings.data.columns)


def _check_split(split: str) -> None:
    if split not in ("train", "dev", "test"):
        raise ActorstanceError(f"--split {split!r}: expected train, dev or test")


def _keep_rejects(rejects: Sequence[Reject], where: Path, *, add: bool = False) -> None:
    """Write the rows that were left out of an output to a file, and name the first."""
    from .data import write_rejects

    if rejects:
        write_rejects(rejects, where, add=add)
    _name_rejects(rejects, where)


def _name_rejects(rejects: Sequence[Reject], where: Path | None, count: int | None = None) -> None:
    for reject in rejects[:10]:
        err.print(f"rejected {_plain(reject)}", highlight=False, soft_wrap=True)
    if rejects:
        place = f"; all in {where}" if where else ""
        err.print(f"{count or len(rejects)} rows rejected{place}", highlight=False, soft_wrap=True)


def _plain(message: Any) -> str:
    from rich.markup import escape

    return escape(str(message))


def _print_metrics(reports: dict[str, Any]) -> None:
    table = Table(
        *("", "macro-F1 (95%)", "accuracy", "ECE", "n", "pairs", "F1 per label"),
        box=SIMPLE,
        pad_edge=False,
        collapse_padding=True,
    )
    for column in table.columns[:-1]:
        column.no_wrap = True
    for name, report in reports.items():
        interval = report.get("macro_f1_interval")
        shown = f" ({interval[0]:.2f}-{interval[1]:.2f})" if interval else ""
        pairs = report.get("contrast_pairs", {})
        table.add_row(
            name,
            f"{report['macro_f1']:.3f}{shown}",
            f"{report['accuracy']:.3f}",
            f"{report['calibration_error']:.3f}",
            str(report["count"]),
            f"{pairs['consistency']:.0%} of {pairs['count']}" if pairs.get("count") else "",
            "\n".join(f"{label} {value:.2f}" for label, value in report["f1"].items()),
        )
    out.print(table)


def _print_coverage(reports: dict[str, Any]) -> None:
    """Print what abstaining would leave, and how much of that is right."""
    from .training.calibration import coverage_rows

    table = Table("abstain below", *reports, box=SIMPLE, pad_edge=False, collapse_padding=True)
    for row in coverage_rows(reports):
        table.add_row(*row)
    out.print(table)


COLOURS = ("blue", "default", "dark_orange")


def _print_scores(report: ScoreReport) -> None:
    """Print the labels of every sentence, document by document."""
    present = {name for row in report.rows for name in row}
    tasks = {task.name: task.labels for task in report.tasks if task.name in present}
    for document in dict.fromkeys(row["document"] for row in report.rows):
        table = Table("sentence", *tasks, title=document, title_justify="left", show_lines=True)
        for row in (row for row in report.rows if row["document"] == document):
            cells = []
            for name, labels in tasks.items():
                label = row.get(name)
                if label is None:
                    cells.append("")
                    continue
                colour = COLOURS[labels.index(label)] if len(labels) == 3 else "default"
                probability = row[f"{name}_{label}"]
                cells.append(f"[{colour}]{_plain(label)}[/]\n{probability:.0%}")
            text = _plain(row["text"])
            table.add_row(f"[bold]{text}[/]" if row["sentence"] == -1 else text, *cells)
        out.print(table)
