"""The function call: `clf = load(); clf("A sentence.").stance`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, overload

import numpy as np
from transformers import PreTrainedTokenizerBase

from ..configs import InputError, Task
from ..model import marked
from ..model.runtime import VECTORS, Runtime, feed, load_runtime, probabilities
from .prediction import Prediction

OVERLAP = 16  # tokens that two windows of a long text share
AHEAD = 4096  # texts tokenized and sorted by length at a time


def load(path: str | Path | None = None, device: str = "auto", backend: str = "auto") -> Classifier:
    """Open a checkpoint for inference.

    Args:
        path: a checkpoint or run folder; None for the one that ships, else `runs/venezuela`.
        device: "auto" (a GPU if there is one), "cpu", "cuda", "cuda:1", "mps".
        backend: "auto" (on the CPU the exported int8 form, if there is one), "torch", "onnx",
            "int8".

    Raises:
        CheckpointError: there is no usable checkpoint.
        InputError: the device does not exist here.
    """
    return Classifier(*load_runtime(path, device, backend))


@dataclass(frozen=True)
class _Question:
    """A text, and the target it is read with, if any."""

    text: str
    target: str | None


class Classifier:
    """A checkpoint on a device; call it with a text or a list of texts."""

    def __init__(self, runtime: Runtime, tokenizer: PreTrainedTokenizerBase) -> None:
        self.runtime = runtime
        self.tokenizer = tokenizer

    @property
    def tasks(self) -> list[Task]:
        """The tasks of the checkpoint, with their labels in order."""
        tasks: list[Task] = self.runtime.config.task_list
        return tasks

    @overload
    def __call__(  # type: ignore[overload-overlap]  # a str is an iterable of str
        self, texts: str, target: str | None = None, *, abstain_below: float = 0.0
    ) -> Prediction: ...

    @overload
    def __call__(
        self,
        texts: Iterable[str],
        target: str | Sequence[str | None] | None = None,
        *,
        abstain_below: float = 0.0,
    ) -> list[Prediction]: ...

    def __call__(
        self,
        texts: str | Iterable[str],
        target: str | Sequence[str | None] | None = None,
        *,
        abstain_below: float = 0.0,
    ) -> Prediction | list[Prediction]:
        """Score one text or many, in order. A text that comes more than once is computed once.

        Args:
            texts: a text gives a `Prediction`, an iterable of texts a list of them. A text longer
                than the window is read in overlapping pieces, and their probabilities are
                averaged by length.
            target: an actor, or one (or None) per text; target tasks are answered about it, and
                left out without one.
            abstain_below: probability that a label must reach; below it the label is None.
                `actorstance evaluate` shows what accuracy is gained for what coverage.

        Raises:
            InputError: a text is not a string or is empty (names its index), the target is not a
                name that leaves room for a text, or `abstain_below` is no probability.
        """
        if not 0 <= abstain_below <= 1:
            raise InputError(f"abstain_below is {abstain_below!r}, expected a probability, 0 to 1")
        single = isinstance(texts, str)
        items = [texts] if isinstance(texts, str) else _as_list(texts)
        for index, text in enumerate(items):
            _check(text, None if single else index)
        targets = self._checked_targets(target, len(items))
        scores: list[dict[str, dict[str, float]]] = [{} for _ in items]
        self._score([_Question(text, None) for text in items], "sentence", scores)
        self._score(list(map(_Question, items, targets)), "target", scores)
        predictions = [
            Prediction(
                text=text,
                labels={
                    task: label if p[label := max(p, key=p.__getitem__)] >= abstain_below else None
                    for task, p in given.items()
                },
                scores=given,
                target=asked,
            )
            for text, asked, given in zip(items, targets, scores, strict=True)
        ]
        return predictions[0] if single else predictions

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """Return the encoder's vector of every text, (texts, hidden size), float32."""
        for index, text in enumerate(texts):
            _check(text, index)
        width = self.runtime.config.encoder_config().hidden_size
        totals = np.zeros((len(texts), width), dtype=np.float32)
        weight = np.zeros((len(texts), 1), dtype=np.float32)
        for rows, weights, batch in self._batches([_Question(text, None) for text in texts]):
            of_pieces = self.runtime.run(batch, [VECTORS])[VECTORS]
            np.add.at(totals, rows, of_pieces * weights)
            np.add.at(weight, rows, weights)
        vectors: np.ndarray = totals / weight
        return vectors

    def _checked_targets(
        self, target: str | Sequence[str | None] | None, count: int
    ) -> list[str | None]:
        one_for_all = target is None or isinstance(target, str)
        targets: list[Any] = [target] * count if one_for_all else list(target or ())
        if len(targets) != count:
            raise InputError(f"{len(targets)} targets for {count} texts, expected one per text")
        room = self.runtime.config.window // 2
        checked: set[str] = set()
        for each in targets if count or not one_for_all else [target]:
            if each is None or (isinstance(each, str) and each in checked):
                continue
            if not isinstance(each, str) or not each.strip():
                raise InputError(f"target is {each!r}, expected the name of an actor")
            if not any(task.about == "target" for task in self.tasks):
                raise InputError(
                    f"target {each!r}: this checkpoint has no task about a target; "
                    f"tasks: {', '.join(task.name for task in self.tasks)}"
                )
            length = len(self.tokenizer.tokenize(each))
            if length > room:
                raise InputError(f"target has {length} tokens, expected a name of at most {room}")
            checked.add(each)
        return targets

    def _score(
        self,
        questions: Sequence[_Question],
        about: str,
        scores: Sequence[dict[str, dict[str, float]]],
    ) -> None:
        """Fill in the answers of the tasks about a sentence, or about a target."""
        tasks = [task for task in self.tasks if task.about == about]
        numbers: dict[_Question, int] = {}
        for question in questions:
            if about == "sentence" or question.target is not None:
                numbers.setdefault(question, len(numbers))
        if not tasks or not numbers:
            return
        totals = {task.name: np.zeros((len(numbers), len(task.labels))) for task in tasks}
        for rows, weights, batch in self._batches(list(numbers)):
            logits = self.runtime.run(batch, [task.name for task in tasks])
            for task in tasks:
                temperature = self.runtime.config.temperatures.get(task.name, 1.0)
                values = probabilities(logits[task.name], temperature)
                np.add.at(totals[task.name], rows, values * weights)
        shares = {name: total / total.sum(1, keepdims=True) for name, total in totals.items()}
        values_of = {name: share.tolist() for name, share in shares.items()}
        for question, answer in zip(questions, scores, strict=True):
            number = numbers.get(question)
            if number is not None:
                for task in tasks:
                    values = values_of[task.name][number]
                    answer[task.name] = dict(zip(task.labels, values, strict=True))

    def _batches(
        self, questions: Sequence[_Question]
    ) -> Iterator[tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]]:
        """Yield (question of each piece, length of each piece, what the runtime takes).

        A batch holds pieces of like length, and so many that they fill the runtime's budget of
        tokens. The next texts are tokenized while the runtime works on these.
        """
        windows = [questions[i : i + AHEAD] for i in range(0, len(questions), AHEAD)]
        with ThreadPoolExecutor(1) as pool:
            coming = pool.submit(self._pieces, windows[0]) if windows else None
            for at in range(len(windows)):
                assert coming is not None
                owners, pieces = coming.result()
                if at + 1 < len(windows):
                    coming = pool.submit(self._pieces, windows[at + 1])
                lengths = [len(piece["input_ids"]) for piece in pieces]
                # The longest first: what memory a run needs shows at its beginning.
                order = sorted(range(len(pieces)), key=lambda i: -lengths[i])
                begin = 0
                while begin < len(order):
                    size = max(1, self.runtime.batch_tokens // lengths[order[begin]])
                    chosen = order[begin : begin + size]
                    begin += size
                    yield (
                        np.array([at * AHEAD + owners[i] for i in chosen]),
                        np.array([[lengths[i]] for i in chosen], dtype=np.float32),
                        feed([pieces[i] for i in chosen], self.tokenizer.pad_token_id or 0),
                    )

    def _pieces(self, questions: Sequence[_Question]) -> tuple[list[int], list[Mapping[str, Any]]]:
        """Tokenize, splitting what is longer than the window; owners[i] is the text of piece i."""
        settings = self.runtime.config
        texts = [
            marked(question.text, question.target) if settings.mark_target else question.text
            for question in questions
        ]
        paired = questions[0].target is not None
        encoded = self.tokenizer(
            texts,
            [question.target or "" for question in questions] if paired else None,
            truncation="only_first",
            max_length=settings.window,
            stride=OVERLAP,
            return_overflowing_tokens=True,
        )
        owners = encoded.pop("overflow_to_sample_mapping")
        names = [name for name in self.tokenizer.model_input_names if name in encoded]
        pieces: list[Mapping[str, Any]] = [
            {name: encoded[name][i] for name in names} for i in range(len(owners))
        ]
        return owners, pieces


def _as_list(texts: Any) -> list[Any]:
    if isinstance(texts, bytes) or not isinstance(texts, Iterable):
        raise InputError(
            f"expected a text or a list of texts, found {type(texts).__name__}: {texts!r:.60}"
        )
    return list(texts)


def _check(text: Any, index: int | None) -> None:
    where = "text" if index is None else f"text at index {index}"
    if not isinstance(text, str):
        raise InputError(f"{where} is {text!r:.60}, expected a string, not {type(text).__name__}")
    if not text.strip():
        raise InputError(f"{where} is empty, expected a sentence")
