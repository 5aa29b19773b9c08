"""What an experiment is: the typed schema behind every YAML file in this folder."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ModelConfig(_Section):
    """The network: one encoder, one linear head per task."""

    encoder: str = Field(
        "all-MiniLM-L6-v2",
        description="A local folder, the name of an installed weights package, a hub name, or an "
        "earlier run, whose encoder and heads are trained further.",
    )
    pooling: Literal["mean", "cls"] = Field(
        "mean", description="How token vectors become one sentence vector."
    )
    mark_target: bool = Field(
        True, description="Put marks around the first mention of the target, for target tasks."
    )
    max_length: int = Field(128, ge=8, description="Window of the encoder, in tokens.")
    dropout: float = Field(0.1, ge=0, lt=1, description="Dropout before the heads.")


class Task(_Section):
    """One thing to predict."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    labels: list[str] = Field(min_length=2, description="The labels, in the order of the logits.")
    about: Literal["sentence", "target"] = Field(
        "sentence", description="`target` tasks read the pair (sentence, target)."
    )
    weight: float = Field(1.0, gt=0, description="Weight of the task in the summed loss.")

    @field_validator("labels")
    @classmethod
    def _labels_differ(cls, labels: list[str]) -> list[str]:
        if len(set(labels)) != len(labels):
            raise ValueError("labels must all differ")
        return labels


class Actor(_Section):
    """A party to the dispute, the names it goes by, and the label that favours it."""

    name: str
    aliases: list[str] = []
    favoured_by: dict[str, str] = Field(
        default={}, description="Task name -> the label of that task that favours this actor."
    )


class TaskColumn(_Section):
    """Where a task's label stands in the data, when not in a column of the task's own name."""

    column: str | None = None
    values: dict[str, str] = Field(
        default={}, description="Value in the data -> label of the task; empty: the same words."
    )
    distribution: dict[str, str] = Field(
        default={},
        description="Label of the task -> the column with its probability, or its count of votes; "
        "the likeliest is the label, and training learns the whole distribution.",
    )

    @model_validator(mode="after")
    def _one_place_for_the_label(self) -> TaskColumn:
        if bool(self.column) == bool(self.distribution):
            raise ValueError("give either `column` or `distribution`")
        return self


class ColumnsConfig(_Section):
    """Which column of the data holds what."""

    text: str = "text"
    document: str | None = "document"
    source: str | None = "source"
    language: str | None = "language"
    target: str | None = "target"
    annotators: str | None = Field(
        "annotators",
        description="A column of {annotator: {task: label}}: every annotator's own labels.",
    )
    pair: str | None = Field(
        "pair", description="A column that names the contrast pair a sentence belongs to."
    )
    tasks: dict[str, TaskColumn] = {}

    def of_task(self, name: str) -> str:
        """Return the column that holds a task's label."""
        return (self.tasks[name].column if name in self.tasks else None) or name


class SplitConfig(_Section):
    """How documents are dealt to train, dev and test when the data has no split of its own."""

    by: Literal["document"] = "document"
    dev: float = Field(0.15, ge=0, lt=1, description="Share of documents.")
    test: float = Field(0.15, ge=0, lt=1, description="Share of documents.")
    test_column: str | None = Field(
        None, description="A column that says which rows are test (true or 1), instead of a share."
    )
    seed: int = 0

    @model_validator(mode="after")
    def _something_is_left(self) -> SplitConfig:
        if self.dev + self.test >= 1:
            raise ValueError("dev + test must leave something to train on (below 1)")
        return self


class HygieneConfig(_Section):
    """What `data check` asks of a corpus beyond its schema."""

    least_share: dict[str, float] = Field(
        default={}, description="Task -> share that its rarest label must reach."
    )
    near_duplicate: float = Field(
        0.6, gt=0, le=1, description="Jaccard similarity of words from which two sentences are one."
    )
    least_pair_overlap: float = Field(
        0.4, ge=0, le=1, description="Jaccard similarity that the members of a pair must reach."
    )
    most_repeated: float = Field(
        0.004, gt=0, le=1, description="Share of sentences that may share five words or an opening."
    )
    entity_margin: float = Field(
        0.1, ge=0, description="How far names alone may beat the majority label, in accuracy."
    )
    loaded_words: list[str] = Field(
        default=[], description="Words that lean by themselves; `data stats` counts them by label."
    )


class SourceConfig(_Section):
    """Annotated sentences of one form: either `files` and a split, or three ready splits."""

    files: list[str] = Field(default=[], description="Paths or globs, relative to the config.")
    train: list[str] = []
    dev: list[str] = []
    test: list[str] = []
    columns: ColumnsConfig = ColumnsConfig()
    split: SplitConfig = SplitConfig()

    @model_validator(mode="after")
    def _one_way_of_splitting(self) -> SourceConfig:
        if bool(self.files) == bool(self.train):
            raise ValueError("give either `files` (split by document) or `train` (with dev, test)")
        if self.files and (self.dev or self.test):
            raise ValueError("`dev` and `test` go with `train`, not with `files`")
        return self


class DataConfig(SourceConfig):
    """The annotated sentences of an experiment."""

    hygiene: HygieneConfig = HygieneConfig()
    auxiliary: list[SourceConfig] = Field(
        default=[],
        description="More annotated sentences, in columns of their own, learned at the same time.",
    )

    @property
    def sources(self) -> list[SourceConfig]:
        """The main source and the auxiliary ones."""
        return [self, *self.auxiliary]


class DistillationConfig(_Section):
    """Learning from teachers: earlier runs, usually of a larger encoder."""

    teachers: list[str] = Field(min_length=1, description="Run or checkpoint folders.")
    weight: float = Field(
        0.5, gt=0, le=1, description="Share of the teachers in a labelled sentence's target."
    )
    temperature: float = Field(1.0, gt=0, description="Divides the teachers' logits.")
    vectors: float = Field(
        0.0, ge=0, description="Weight of matching the teachers' sentence vectors; 0: not matched."
    )
    variants: int = Field(
        0,
        ge=0,
        description="Let the teachers also label so many altered copies of every training "
        "sentence: with the actors' names exchanged, parts of it, some words replaced.",
    )
    unlabelled: list[SourceConfig] = Field(
        default=[], description="More sentences (`files`), which the teachers alone label."
    )
    retarget: bool = Field(
        False,
        description="Put an actor's name in the place of an unlabelled sentence's target: news "
        "on other people becomes news on the dispute, for the teachers to judge.",
    )


class AugmentationConfig(_Section):
    """Copies of training sentences in the forms that real input takes; shares of the sentences."""

    bare_words: float = Field(
        0.0, ge=0, le=1, description="Lowercased, without punctuation, numbers, possessives."
    )
    misspelt_names: float = Field(
        0.0, ge=0, le=1, description="With a typing error in the names of the actors."
    )
    other_names: float = Field(
        0.0, ge=0, le=1, description="With the actors called by another of their aliases."
    )


class TrainingConfig(_Section):
    """How the network is fine-tuned."""

    epochs: float = Field(8, gt=0)
    batch_size: int = Field(16, ge=1)
    learning_rate: float = Field(1e-4, gt=0, description="Peak rate of the encoder.")
    head_learning_rate: float | None = Field(
        None, gt=0, description="Peak rate of the heads; empty: the encoder's."
    )
    weight_decay: float = Field(0.01, ge=0)
    warmup: float = Field(0.1, ge=0, lt=1, description="Share of the steps spent warming up.")
    class_weights: Literal["none", "balanced"] = Field(
        "none", description="`balanced` weights a label by the inverse of its frequency."
    )
    label_smoothing: float = Field(0.0, ge=0, lt=1)
    augmentation: AugmentationConfig = AugmentationConfig()
    distillation: DistillationConfig | None = None
    early_stopping: int | None = Field(
        3, ge=1, description="Stop after so many epochs without a better dev score; empty: never."
    )
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        "auto", description="`auto`: bfloat16 where the GPU or the CPU computes in it."
    )
    checkpoint_precision: Literal["float32", "float16"] = Field(
        "float32", description="`float16` halves the file; the figures are measured with it."
    )
    seed: int = 0


class EvaluationConfig(_Section):
    """What is reported, and what the best epoch is chosen by."""

    select_by: str | None = Field(
        None, description="Task whose dev macro-F1 picks the best epoch; empty: mean of all tasks."
    )
    batch_size: int = Field(64, ge=1)
    bootstrap: int = Field(1000, ge=0, description="Resamples for the 95% interval; 0: none.")


class Config(_Section):
    """One experiment, complete: everything that `actorstance train` needs to know."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    description: str = ""
    model: ModelConfig = ModelConfig()
    tasks: list[Task] = Field(min_length=1)
    actors: list[Actor] = []
    data: DataConfig
    training: TrainingConfig = TrainingConfig()
    evaluation: EvaluationConfig = EvaluationConfig()

    @model_validator(mode="after")
    def _names_refer_to_something(self) -> Config:
        labels = {task.name: task.labels for task in self.tasks}
        if len(labels) != len(self.tasks):
            raise ValueError("two tasks have the same name")
        for actor in self.actors:
            for task, label in actor.favoured_by.items():
                if label not in labels.get(task, []):
                    raise ValueError(f"actor {actor.name}: no label {label!r} in task {task!r}")
        for source in self.data.sources:
            for task, column in source.columns.tasks.items():
                if task not in labels:
                    raise ValueError(f"columns.tasks: no task {task!r}; tasks: {list(labels)}")
                for label in [*column.values.values(), *column.distribution]:
                    if label not in labels[task]:
                        raise ValueError(
                            f"columns.tasks.{task}: {label!r} is no label of it: {labels[task]}"
                        )
                missing = [label for label in labels[task] if label not in column.distribution]
                if column.distribution and missing:
                    raise ValueError(f"columns.tasks.{task}.distribution: no column for {missing}")
        for task in self.data.hygiene.least_share:
            if task not in labels:
                raise ValueError(f"data.hygiene.least_share: no task {task!r}: {list(labels)}")
        if self.evaluation.select_by and self.evaluation.select_by not in labels:
            raise ValueError(
                f"evaluation.select_by: no task {self.evaluation.select_by!r}; "
                f"tasks: {list(labels)}"
            )
        return self
