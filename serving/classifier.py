"""The function call: `clf = load(); clf("A sentence.").stance`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, overload

import numpy as np
import torch
from torch import Tensor, nn
from transformers import BatchEncoding, PreTrainedTokenizerBase

from ..configs import InputError, Task
from ..model import ActorStanceModel, load_checkpoint, marked
from .prediction import Prediction

OVERLAP = 16  # tokens that two windows of a long text share


def load(path: str | Path | None = None, device: str = "auto") -> Classifier:
    """Open a checkpoint for inference.

    Args:
        path: a checkpoint or run folder; None for the one that ships, else `runs/venezuela`.
        device: "auto" (a GPU if there is one), "cpu", "cuda", "cuda:1", "mps".

    Raises:
        CheckpointError: there is no usable checkpoint.
        InputError: the device does not exist here.
    """
    model, tokenizer = load_checkpoint(path)
    return Classifier(model, tokenizer, device)


class Classifier:
    """A checkpoint on a device; call it with a text or a list of texts."""

    def __init__(
        self, model: ActorStanceModel, tokenizer: PreTrainedTokenizerBase, device: str = "auto"
    ) -> None:
        self.device = _device(device)
        self.model = model.eval()
        nn.Module.to(model, self.device)
        self.tokenizer = tokenizer

    @property
    def tasks(self) -> list[Task]:
        """The tasks of the checkpoint, with their labels in order."""
        tasks: list[Task] = self.model.config.task_list
        return tasks

    @overload
    def __call__(  # type: ignore[overload-overlap]  # a str is an iterable of str
        self,
        texts: str,
        target: str | None = None,
        batch_size: int = 64,
        abstain_below: float = 0.0,
    ) -> Prediction: ...

    @overload
    def __call__(
        self,
        texts: Iterable[str],
        target: str | None = None,
        batch_size: int = 64,
        abstain_below: float = 0.0,
    ) -> list[Prediction]: ...

    def __call__(
        self,
        texts: str | Iterable[str],
        target: str | None = None,
        batch_size: int = 64,
        abstain_below: float = 0.0,
    ) -> Prediction | list[Prediction]:
        """Score one text or many, in order.

        Args:
            texts: a text gives a `Prediction`, an iterable of texts a list of them. A text longer
                than the window is read in overlapping pieces, and their probabilities are
                averaged by length.
            target: an actor; target tasks are answered about it, and left out without one.
            batch_size: pieces per forward pass.
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
        if target is not None and (not isinstance(target, str) or not target.strip()):
            raise InputError(f"target is {target!r}, expected the name of an actor")
        asked = {
            about: [t for t in self.tasks if t.about == about] for about in ("sentence", "target")
        }
        if target is not None and not asked["target"]:
            raise InputError(
                f"target {target!r}: this checkpoint has no task about a target; "
                f"tasks: {', '.join(task.name for task in self.tasks)}"
            )
        scores: list[dict[str, dict[str, float]]] = [{} for _ in items]
        if asked["sentence"]:
            self._score(items, None, asked["sentence"], scores, batch_size)
        if asked["target"] and target is not None:
            self._score(items, target, asked["target"], scores, batch_size)
        predictions = [
            Prediction(
                text=text,
                labels={
                    task: label if p[label := max(p, key=p.__getitem__)] >= abstain_below else None
                    for task, p in given.items()
                },
                scores=given,
                target=target,
            )
            for text, given in zip(items, scores, strict=True)
        ]
        return predictions[0] if single else predictions

    @torch.inference_mode()
    def _score(
        self,
        texts: Sequence[str],
        target: str | None,
        tasks: Sequence[Task],
        scores: list[dict[str, dict[str, float]]],
        batch_size: int,
    ) -> None:
        """Fill `scores` for the given tasks."""
        totals = {task.name: torch.zeros(len(texts), len(task.labels)) for task in tasks}
        for rows, weights, batch in self._batches(texts, target, batch_size):
            probabilities = self.model.probabilities(self.model(**batch).logits)
            for task in tasks:
                totals[task.name].index_add_(0, rows, probabilities[task.name].cpu() * weights)
        for task in tasks:
            shares = totals[task.name] / totals[task.name].sum(1, keepdim=True)
            for row, values in zip(scores, shares.tolist(), strict=True):
                row[task.name] = dict(zip(task.labels, values, strict=True))

    @torch.inference_mode()
    def embed(self, texts: Sequence[str], batch_size: int = 64) -> np.ndarray:
        """Return the encoder's vector of every text, (texts, hidden size), float32."""
        for index, text in enumerate(texts):
            _check(text, index)
        width = self.model.config.encoder_config().hidden_size
        totals, weight = torch.zeros(len(texts), width), torch.zeros(len(texts), 1)
        for rows, weights, batch in self._batches(texts, None, batch_size):
            totals.index_add_(0, rows, self.model.embed(**batch).float().cpu() * weights)
            weight.index_add_(0, rows, weights.float())
        vectors: np.ndarray = (totals / weight).numpy()
        return vectors

    def _batches(
        self, texts: Sequence[str], target: str | None, batch_size: int
    ) -> Iterator[tuple[Tensor, Tensor, BatchEncoding]]:
        """Yield (index of the text of each piece, length of each piece, tensors on the device)."""
        owners, pieces = self._pieces(texts, target)
        # Sorting by length keeps padding, and so wasted work, small.
        order = sorted(range(len(pieces)), key=lambda i: len(pieces[i]["input_ids"]))
        for begin in range(0, len(order), batch_size):
            chosen = order[begin : begin + batch_size]
            batch = self.tokenizer.pad([pieces[i] for i in chosen], return_tensors="pt")
            weights = batch["attention_mask"].sum(1, keepdim=True)
            yield torch.tensor([owners[i] for i in chosen]), weights, batch.to(self.device)

    def _pieces(
        self, texts: Sequence[str], target: str | None
    ) -> tuple[list[int], list[dict[str, Any]]]:
        """Tokenize, splitting what is longer than the window; owners[i] is the text of piece i."""
        if not texts:
            return [], []
        if target is not None:
            length, room = len(self.tokenizer.tokenize(target)), self.model.config.window // 2
            if length > room:
                raise InputError(f"target has {length} tokens, expected a name of at most {room}")
        if self.model.config.mark_target:
            texts = [marked(text, target) for text in texts]
        encoded = self.tokenizer(
            list(texts),
            None if target is None else [target] * len(texts),
            truncation="only_first",
            max_length=self.model.config.window,
            stride=OVERLAP,
            return_overflowing_tokens=True,
        )
        owners = encoded.pop("overflow_to_sample_mapping")
        names = [name for name in self.tokenizer.model_input_names if name in encoded]
        pieces = [{name: encoded[name][i] for name in names} for i in range(len(owners))]
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


def _device(name: str) -> torch.device:
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise InputError(f"device {name!r}: {str(error).splitlines()[0]}") from None
    return device
