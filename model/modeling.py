"""One encoder, one linear head per task, and a loss that skips the labels an example lacks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoModel, PreTrainedModel
from transformers.utils.generic import ModelOutput

from ..configs import Actor, EncoderError, ModelConfig, Task
from .configuration import ActorStanceConfig
from .encoder import resolve_encoder, without_progress_bars

NO_LABEL = -100


@dataclass
class ActorStanceOutput(ModelOutput):
    """What the network says.

    Attributes:
        loss: if labels came in.
        logits: per task, uncalibrated, each (batch, labels of the task).
        vectors: what the heads read, (batch, hidden size), without dropout.
    """

    loss: Tensor | None = None
    logits: dict[str, Tensor] | None = None
    vectors: Tensor | None = None


class VectorMatching(nn.Module):
    """Pulls sentence vectors, linearly mapped, towards the direction of the teachers' vectors.

    Matching what a teacher's heads read tells a student more per sentence than the few
    probabilities they give (Romero et al. 2015, FitNets; Jiao et al. 2020, TinyBERT).

    Args:
        hidden_size: of the student.
        vectors: one (examples, teacher's hidden size) tensor per teacher; all 0 for an example that
            it has not seen.
        weight: factor of the loss.
    """

    def __init__(self, hidden_size: int, vectors: Sequence[Tensor], weight: float) -> None:
        super().__init__()
        self.maps = nn.ModuleList(
            nn.Linear(hidden_size, each.shape[1], bias=False) for each in vectors
        )
        self.vectors = list(vectors)
        self.weight = weight

    def forward(self, vectors: Tensor, row: Tensor) -> Tensor:
        """Return the weighted mean of 1 - cosine, over the examples that each teacher has seen."""
        total = vectors.sum() * 0.0
        for map_, wanted in zip(self.maps, self.vectors, strict=True):
            target = wanted[row.to(wanted.device)].to(vectors.device)
            seen = target.abs().sum(1) > 0
            if seen.any():
                cosine = nn.functional.cosine_similarity(map_(vectors[seen]), target[seen])
                total = total + self.weight * (1 - cosine).mean()
        return total


class ActorStanceModel(PreTrainedModel):
    """A pretrained encoder with one classification head per task."""

    config_class = ActorStanceConfig
    base_model_prefix = "encoder"
    _supports_sdpa = True
    _supports_flash_attn = True

    def __init__(self, config: ActorStanceConfig) -> None:
        super().__init__(config)
        encoder_config = config.encoder_config()
        self.encoder = AutoModel.from_config(encoder_config)
        self.dropout = nn.Dropout(config.head_dropout)
        self.heads = nn.ModuleDict(
            {
                task.name: nn.Linear(encoder_config.hidden_size, len(task.labels))
                for task in config.task_list
            }
        )
        # Class weights matter for training alone, so they are kept out of the checkpoint.
        self.class_weights: Mapping[str, Tensor] = {}
        self.label_smoothing = 0.0
        self.vector_matching: VectorMatching | None = None
        self.post_init()

    @classmethod
    def from_encoder(
        cls, model: ModelConfig, tasks: list[Task], actors: list[Actor] | None = None
    ) -> ActorStanceModel:
        """Start from pretrained encoder weights and fresh heads.

        Where `model.encoder` is an earlier run, the heads of tasks with the same name and labels
        are taken over as well.

        Raises:
            EncoderError: the encoder cannot be found, is not safetensors, or cannot be loaded.
        """
        location = resolve_encoder(model.encoder)
        try:
            # A download deserves a bar, a file on disk does not.
            with without_progress_bars() if Path(location).is_dir() else nullcontext():
                encoder = AutoModel.from_pretrained(
                    location, use_safetensors=True, trust_remote_code=False
                )
        except (OSError, ValueError, KeyError) as error:
            raise EncoderError(f"encoder {model.encoder!r}: cannot be loaded: {error}") from None
        earlier = encoder if isinstance(encoder, cls) else None
        if earlier is not None:
            encoder = earlier.encoder
        positions = getattr(encoder.config, "max_position_embeddings", model.max_length)
        # RoBERTa counts positions from padding_idx + 1, so two of its positions are not usable.
        usable = (
            positions - 2
            if encoder.config.model_type in ("roberta", "mpnet", "camembert")
            else (positions)
        )
        if model.max_length > usable > 0:
            raise EncoderError(
                f"encoder {model.encoder!r}: model.max_length is {model.max_length}, "
                f"its window is {usable} tokens"
            )
        config = ActorStanceConfig(
            encoder=encoder.config.to_dict(),
            tasks=[task.model_dump() for task in tasks],
            pooling=model.pooling,
            mark_target=model.mark_target,
            head_dropout=model.dropout,
            window=model.max_length,
            actors=[actor.model_dump() for actor in actors or []],
        )
        network = cls(config)
        network.encoder.load_state_dict(encoder.state_dict())
        if earlier is not None:
            network._continue_heads(earlier)
        return network

    def _continue_heads(self, earlier: ActorStanceModel) -> None:
        """Take over the heads of the tasks that an earlier network shares with this one."""
        labels = {task.name: task.labels for task in earlier.config.task_list}
        for task in self.config.task_list:
            if labels.get(task.name) == task.labels:
                self.heads[task.name].load_state_dict(earlier.heads[task.name].state_dict())

    def _init_weights(self, module: nn.Module) -> None:
        if isinstance(module, nn.Linear) and module in self.heads.values():
            nn.init.normal_(module.weight, std=0.02)
            nn.init.zeros_(module.bias)

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        token_type_ids: Tensor | None = None,
        labels: Tensor | None = None,
        targets: Tensor | None = None,
        row: Tensor | None = None,
        **_: Any,
    ) -> ActorStanceOutput:
        """Encode and classify.

        Args:
            input_ids: (batch, tokens).
            attention_mask: (batch, tokens), 1 for a token and 0 for padding.
            token_type_ids: (batch, tokens), for encoders that tell segments apart.
            labels: (batch, tasks) label indices in the order of the tasks, -100 for none.
            targets: (batch, labels of all tasks in a line), the probabilities to learn instead of
                the labels; all 0 for a task that an example says nothing about.
            row: (batch,) numbers of the examples, for `vector_matching`, where that is set.
        """
        vectors = self.embed(input_ids, attention_mask, token_type_ids)
        pooled = self.dropout(vectors)
        logits = {name: head(pooled) for name, head in self.heads.items()}
        loss = None
        if targets is not None:
            loss = self._distribution_loss(logits, targets)
        elif labels is not None:
            loss = self._loss(logits, labels)
        if loss is not None and row is not None and self.vector_matching is not None:
            loss = loss + self.vector_matching(vectors, row)
        return ActorStanceOutput(loss=loss, logits=logits, vectors=vectors)

    def embed(
        self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor | None = None
    ) -> Tensor:
        """Return the sentence vectors that the heads read, (batch, hidden size)."""
        inputs = {"input_ids": input_ids, "attention_mask": attention_mask}
        if token_type_ids is not None:
            inputs["token_type_ids"] = token_type_ids
        tokens: Tensor = self.encoder(**inputs).last_hidden_state
        if self.config.pooling == "cls":
            return tokens[:, 0]
        mask = attention_mask.unsqueeze(-1).to(tokens.dtype)
        return (tokens * mask).sum(1) / mask.sum(1).clamp(min=1)

    def _loss(self, logits: dict[str, Tensor], labels: Tensor) -> Tensor:
        """Sum over tasks of weight times mean cross-entropy over the examples that have a label."""
        total = next(iter(logits.values())).sum() * 0.0
        for index, task in enumerate(self.config.task_list):
            wanted = labels[:, index]
            if (wanted != NO_LABEL).any():
                total = total + task.weight * nn.functional.cross_entropy(
                    logits[task.name].float(),
                    wanted,
                    weight=self._class_weights(task.name, wanted),
                    ignore_index=NO_LABEL,
                    label_smoothing=self.label_smoothing,
                )
        return total

    def _distribution_loss(self, logits: dict[str, Tensor], targets: Tensor) -> Tensor:
        """Sum over tasks of weight times mean cross-entropy to the target probabilities."""
        total = next(iter(logits.values())).sum() * 0.0
        sizes = [len(task.labels) for task in self.config.task_list]
        for task, wanted in zip(self.config.task_list, targets.split(sizes, dim=1), strict=True):
            given = wanted.sum(1) > 0
            if given.any():
                total = total + task.weight * nn.functional.cross_entropy(
                    logits[task.name][given].float(),
                    wanted[given],
                    weight=self._class_weights(task.name, wanted),
                    label_smoothing=self.label_smoothing,
                )
        return total

    def _class_weights(self, task: str, like: Tensor) -> Tensor | None:
        weights = self.class_weights.get(task)
        return None if weights is None else weights.to(like.device)

    def probabilities(self, logits: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Turn logits into calibrated probabilities, (batch, labels) per task."""
        return {
            name: torch.softmax(values.float() / self.config.temperatures.get(name, 1.0), dim=-1)
            for name, values in logits.items()
        }


AutoModel.register(ActorStanceConfig, ActorStanceModel, exist_ok=True)
