"""What actorstance is measured against: no model, no network, a lexicon, plain fine-tuning."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import datasets
import numpy as np
import torch
from actorstance.configs import Config, Task
from actorstance.data import Example
from actorstance.model import resolve_encoder
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    DataCollatorWithPadding,
    Trainer,
    TrainingArguments,
)

Baseline = Callable[[Sequence[Example]], list[int]]
TONES = ["negative", "neutral", "positive"]


def joined(example: Example, task: Task) -> str:
    """Put the target before the text, for baselines that read one string."""
    return f"{example.target} | {example.text}" if task.about == "target" else example.text


def labels_of(examples: Sequence[Example], task: Task) -> list[int]:
    """Return the label indices of examples that all have one."""
    return [task.labels.index(example.labels[task.name]) for example in examples]


def majority(train: Sequence[Example], task: Task) -> Baseline:
    """Always answer the commonest label of the training sentences."""
    commonest = Counter(labels_of(train, task)).most_common(1)[0][0]
    return lambda asked: [commonest] * len(asked)


def tfidf(train: Sequence[Example], task: Task) -> Baseline:
    """Words and word pairs, weighted by TF-IDF, into a balanced logistic regression."""
    pipeline = make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2),
        LogisticRegression(C=10, max_iter=2000, class_weight="balanced"),
    )
    pipeline.fit([joined(row, task) for row in train], labels_of(train, task))
    return lambda asked: [int(i) for i in pipeline.predict([joined(row, task) for row in asked])]


def vader(task: Task) -> Baseline | None:
    """The VADER lexicon with its authors' thresholds (Hutto and Gilbert 2014), for tones alone."""
    if task.labels != TONES:
        return None
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    analyzer = SentimentIntensityAnalyzer()

    def answer(asked: Sequence[Example]) -> list[int]:
        compounds = [analyzer.polarity_scores(row.text)["compound"] for row in asked]
        return [0 if value <= -0.05 else 2 if value >= 0.05 else 1 for value in compounds]

    return answer


def plain_fine_tuning(
    train: Sequence[Example], task: Task, config: Config, seed: int, folder: Path
) -> Baseline:
    """Fine-tune `AutoModelForSequenceClassification` on the same encoder, epochs and batch.

    The last epoch is used; the target, if any, is the second segment.
    """
    location = resolve_encoder(config.model.encoder)
    tokenizer = AutoTokenizer.from_pretrained(location)
    torch.manual_seed(seed)
    model = AutoModelForSequenceClassification.from_pretrained(
        location, num_labels=len(task.labels), use_safetensors=True
    )

    def encoded(examples: Sequence[Example], labels: Sequence[int]) -> datasets.Dataset:
        rows = [
            {
                **tokenizer(
                    row.text,
                    row.target if task.about == "target" else None,
                    truncation="only_first",
                    max_length=config.model.max_length,
                ),
                "labels": label,
            }
            for row, label in zip(examples, labels, strict=True)
        ]
        return datasets.Dataset.from_list(rows)

    trainer = Trainer(
        model=model,
        args=TrainingArguments(
            output_dir=str(folder),
            num_train_epochs=config.training.epochs,
            per_device_train_batch_size=config.training.batch_size,
            per_device_eval_batch_size=64,
            learning_rate=1e-4,
            warmup_steps=0.1,
            train_sampling_strategy="group_by_length",
            save_strategy="no",
            logging_strategy="no",
            seed=seed,
            report_to=[],
            disable_tqdm=True,
        ),
        train_dataset=encoded(train, labels_of(train, task)),
        data_collator=DataCollatorWithPadding(tokenizer),
    )
    trainer.train()

    def answer(asked: Sequence[Example]) -> list[int]:
        logits = np.asarray(trainer.predict(encoded(asked, [0] * len(asked))).predictions)
        return [int(i) for i in logits.argmax(-1)]

    return answer
