"""The training recipe, top to bottom: config -> data -> network -> Trainer -> run folder."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import PartialState
from transformers import (
    AutoTokenizer,
    DataCollatorWithPadding,
    EarlyStoppingCallback,
    EvalPrediction,
    PreTrainedTokenizerBase,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainingArguments,
    set_seed,
)

from ..configs import Config, TrainingConfig, load_config, save_config
from ..data import Example, count, write_rejects
from ..model import ActorStanceModel, resolve_encoder
from ..model.encoder import without_progress_bars
from ..model.modeling import NO_LABEL, VectorMatching
from .calibration import fit_temperature
from .callbacks import EpochLog, Progress
from .card import write_model_card
from .datasets import (
    Row,
    encode,
    load_splits,
    rows_of,
    target_probabilities,
    with_augmented_copies,
)
from .distillation import Lesson, prepare_lesson, unlabelled_rows
from .evaluation import measure, predict_logits, report_of
from .plots import plot_confusion, plot_coverage, plot_loss
from .rewording import Rewording
from .run import Run


def train(
    config: str | Path | Config,
    *,
    overrides: Iterable[str] = (),
    output: str | Path | None = None,
    resume: bool = False,
    overwrite: bool = False,
    progress: bool = True,
) -> Path:
    """Fine-tune the encoder of a config and return the run folder.

    Args:
        config: a YAML file, the name of a config that ships, or a `Config`.
        overrides: `a.b=c` strings laid over the file.
        output: the run folder; by default `runs/<name of the config>`.
        resume: continue an interrupted run; a finished one is returned as it is.
        overwrite: replace what an earlier run left in the folder.
        progress: show a progress bar.

    Raises:
        ConfigError, DataError, EncoderError, RunError: see their messages.
    """
    if not isinstance(config, Config):
        config = load_config(config, overrides)
    run = Run(Path(output) if output else Path("runs") / config.name)
    process = PartialState(cpu=not torch.accelerator.is_available())
    if process.is_main_process:
        run.open(config, resume=resume, overwrite=overwrite)
    process.wait_for_everyone()
    if run.finished:
        return run.folder
    set_seed(config.training.seed)

    splits = load_splits(config)
    if splits.rejects and process.is_main_process:
        write_rejects(splits.rejects, run.folder / "rejects.jsonl")
    tokenizer = AutoTokenizer.from_pretrained(resolve_encoder(config.model.encoder))
    model = ActorStanceModel.from_encoder(config.model, config.tasks, config.actors)
    if config.training.class_weights == "balanced":
        model.class_weights = balanced_weights(splits.train, config)
    model.label_smoothing = config.training.label_smoothing

    length = config.model.max_length
    distillation = config.training.distillation
    reworded = None
    if distillation and distillation.variants:
        reworded = Rewording(tokenizer, model.encoder.get_input_embeddings().weight)
    rows, lesson = _what_to_learn(splits.train, config, reworded)
    if lesson and lesson.vectors and distillation and distillation.vectors:
        size = model.config.encoder_config().hidden_size
        model.vector_matching = VectorMatching(size, lesson.vectors, distillation.vectors)
    targets = lesson.targets if lesson else None
    mark = config.model.mark_target
    train_set, cut = encode(rows, tokenizer, length, targets, mark_target=mark)
    dev_set, _ = encode(rows_of(splits.dev, config.tasks), tokenizer, length, mark_target=mark)
    callbacks: list[TrainerCallback] = [EpochLog(run.folder / "training_log.jsonl")]
    if progress:
        callbacks.append(Progress())
    if config.training.early_stopping:
        callbacks.append(EarlyStoppingCallback(config.training.early_stopping))
    trainer = Trainer(
        model=model,
        args=_arguments(config, run),
        train_dataset=train_set,
        eval_dataset=dev_set,
        data_collator=DataCollatorWithPadding(tokenizer),
        compute_metrics=lambda prediction: _dev_scores(prediction, config),
        callbacks=callbacks,
        optimizers=(_optimizer(model, config.training), None),
    )
    trainer.remove_callback(PrinterCallback)
    started = time.monotonic()
    with without_progress_bars():
        trainer.train(resume_from_checkpoint=run.last_trainer_checkpoint() if resume else None)
    seconds = time.monotonic() - started
    # The Trainer's mixed precision ends here: what is measured is what inference computes.
    model = trainer.accelerator.unwrap_model(model, keep_fp32_wrapper=False)
    model.vector_matching = None
    if trainer.is_world_process_zero():
        _finish(run, config, model, tokenizer, trainer, splits, seconds, cut)
    trainer.accelerator.wait_for_everyone()
    return run.folder


def balanced_weights(examples: list[Example], config: Config) -> dict[str, torch.Tensor]:
    """Weight a label by n / (labels * n_label), the rule of scikit-learn's `balanced`."""
    counts = count(examples, config.tasks).labels
    return {
        name: torch.tensor([sum(c.values()) / (len(c) * max(1, n)) for n in c.values()])
        for name, c in counts.items()
    }


def _what_to_learn(
    examples: list[Example], config: Config, reworded: Rewording | None
) -> tuple[list[Row], Lesson | None]:
    """Return the rows to train on and, where labels are not all there is, what to answer them."""
    settings = config.training
    rows = rows_of(examples, config.tasks)
    lesson = None
    if settings.distillation:
        rows += unlabelled_rows(config, rows, reworded)
        bfloat16 = _use_bfloat16(settings)
        lesson = prepare_lesson(rows, config.tasks, settings.distillation, bfloat16=bfloat16)
    elif any(row.distributions for row in rows):
        lesson = Lesson(target_probabilities(rows, config.tasks), [])
    rows, origins = with_augmented_copies(rows, settings.augmentation, config.actors, settings.seed)
    if lesson:
        lesson = Lesson(lesson.targets[origins], [each[origins] for each in lesson.vectors])
    return rows, lesson


def _use_bfloat16(settings: TrainingConfig) -> bool:
    if settings.precision != "auto":
        return settings.precision == "bfloat16"
    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported())
    # Without instructions of its own, a CPU is slower in bfloat16 than in float32.
    supported = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(getattr(torch.cpu, name, lambda: False)() for name in supported)


def _arguments(config: Config, run: Run) -> TrainingArguments:
    settings = config.training
    on_gpu = torch.cuda.is_available()
    return TrainingArguments(
        output_dir=str(run.trainer),
        num_train_epochs=settings.epochs,
        per_device_train_batch_size=settings.batch_size,
        per_device_eval_batch_size=config.evaluation.batch_size,
        learning_rate=settings.learning_rate,
        weight_decay=settings.weight_decay,
        warmup_steps=settings.warmup,
        lr_scheduler_type="linear",
        eval_strategy="epoch",
        save_strategy="epoch",
        save_total_limit=2,
        load_best_model_at_end=True,
        metric_for_best_model="score",
        greater_is_better=True,
        # Batches of like length waste less on padding.
        train_sampling_strategy="group_by_length",
        logging_strategy="epoch",
        seed=settings.seed,
        bf16=_use_bfloat16(settings),
        use_cpu=not torch.accelerator.is_available(),
        dataloader_pin_memory=on_gpu,
        label_names=["labels"],
        report_to=[],
        disable_tqdm=True,
        log_level="error",
    )


def _optimizer(model: ActorStanceModel, settings: TrainingConfig) -> torch.optim.AdamW:
    head_rate = settings.head_learning_rate or settings.learning_rate
    groups: dict[tuple[float, float], list[torch.nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        fresh = name.startswith(("heads.", "vector_matching."))
        rate = head_rate if fresh else settings.learning_rate
        # Biases and layer norms are not decayed (Devlin et al. 2019).
        decay = 0.0 if parameter.ndim < 2 else settings.weight_decay
        groups.setdefault((rate, decay), []).append(parameter)
    return torch.optim.AdamW(
        [{"params": p, "lr": rate, "weight_decay": decay} for (rate, decay), p in groups.items()],
        fused=True,  # one pass over the weights: a tenth of a training step on a CPU
    )


def _dev_scores(prediction: EvalPrediction, config: Config) -> dict[str, float]:
    scores = {}
    logits: Any = prediction.predictions
    labels = np.asarray(prediction.label_ids)
    for index, task in enumerate(config.tasks):
        wanted = labels[:, index]
        labelled = wanted != NO_LABEL
        if labelled.any():
            predicted = logits[task.name][labelled].argmax(-1)
            scores[f"{task.name}_macro_f1"] = report_of(predicted, wanted[labelled], task)[
                "macro_f1"
            ]
    chosen = config.evaluation.select_by
    score = scores[f"{chosen}_macro_f1"] if chosen else sum(scores.values()) / max(1, len(scores))
    return {**scores, "score": score}


def _finish(
    run: Run,
    config: Config,
    model: ActorStanceModel,
    tokenizer: PreTrainedTokenizerBase,
    trainer: Trainer,
    splits: Any,
    seconds: float,
    cut: int,
) -> None:
    """Calibrate on dev, measure on test, and write everything a reader of the run needs."""
    if config.training.checkpoint_precision == "float16":
        model.half().float()  # what is measured is what will be loaded
    logits, labels = predict_logits(model, tokenizer, splits.dev, config.evaluation.batch_size)
    for index, task in enumerate(config.tasks):
        labelled = labels[:, index] != NO_LABEL
        model.config.temperatures[task.name] = fit_temperature(
            logits[task.name][labelled], labels[labelled, index]
        )
    metrics: dict[str, Any] = {
        "dev": measure(model, tokenizer, splits.dev, config.evaluation),
        "test": measure(model, tokenizer, splits.test, config.evaluation) if splits.test else {},
        "sentences": {name: len(getattr(splits, name)) for name in ("train", "dev", "test")},
        "rejected": len(splits.rejects),
        "longer_than_window": cut,
        "training_seconds": round(seconds, 1),
        "sentences_per_second": round(
            len(splits.train) * (trainer.state.epoch or 0) / max(seconds, 1e-9), 1
        ),
        "epochs": trainer.state.epoch,
        "best_dev_score": trainer.state.best_metric,
    }
    partial = run.folder / "checkpoint.partial"
    with without_progress_bars():
        precision = getattr(torch, config.training.checkpoint_precision)
        model.cpu().to(precision).save_pretrained(partial)
    tokenizer.save_pretrained(partial)
    save_config(config, partial / "experiment.yaml")
    write_model_card(partial / "README.md", config, splits, metrics)
    shutil.rmtree(run.checkpoint, ignore_errors=True)
    partial.replace(run.checkpoint)
    plot_loss(trainer.state.log_history, run.plots / "loss.png")
    for split in ("dev", "test"):
        for task in config.tasks:
            if task.name in metrics[split]:
                plot_confusion(
                    metrics[split][task.name]["confusion"],
                    task.labels,
                    f"{config.name}: {task.name} on {split}",
                    run.plots / f"confusion_{task.name}_{split}.png",
                )
        if metrics[split]:
            plot_coverage(
                {task: report["coverage_curve"] for task, report in metrics[split].items()},
                f"{config.name}: what abstaining gains on {split}",
                run.plots / f"coverage_{split}.png",
            )
    run.write_json("metrics.json", metrics)
    shutil.rmtree(run.trainer, ignore_errors=True)
