"""The checkpoint as a `transformers.pipeline("actor-stance", model=...)`."""

from __future__ import annotations

from typing import Any

import torch
from transformers import Pipeline
from transformers.pipelines import PIPELINE_REGISTRY

from .inputs import marked
from .modeling import ActorStanceModel


class ActorStancePipeline(Pipeline):
    """Text, or {"text": ..., "target": ...}, in; {task: {label: probability}} out.

    Target tasks answer only where a target is given. Longer texts than the window are cut here;
    `actorstance.load` splits them instead.
    """

    _load_tokenizer: Any = True

    def _sanitize_parameters(self, **_: Any) -> tuple[dict, dict, dict]:
        return {}, {}, {}

    def preprocess(self, input_: str | dict[str, str], **_: Any) -> dict[str, Any]:
        """Tokenize one text or (text, target) pair."""
        given = {"text": input_} if isinstance(input_, str) else input_
        if self.tokenizer is None:
            raise ValueError("this pipeline needs the checkpoint's tokenizer")
        text, target = given["text"], given.get("target")
        encoded = self.tokenizer(
            marked(text, target) if self.model.config.mark_target else text,
            target,
            truncation="only_first",
            max_length=self.model.config.window,
            return_tensors="pt",
        )
        return {**encoded, "has_target": given.get("target") is not None}

    def _forward(self, input_tensors: dict[str, Any], **_: Any) -> Any:
        has_target = input_tensors.pop("has_target")
        return {"logits": self.model(**input_tensors).logits, "has_target": has_target}

    def postprocess(self, model_outputs: dict[str, Any], **_: Any) -> dict[str, dict[str, float]]:
        """Calibrate and name the probabilities."""
        has_target = model_outputs["has_target"]
        if isinstance(has_target, torch.Tensor):
            has_target = bool(has_target.reshape(-1)[0])
        model: Any = self.model
        probabilities = model.probabilities(model_outputs["logits"])
        return {
            task.name: dict(zip(task.labels, probabilities[task.name][0].tolist(), strict=True))
            for task in self.model.config.task_list
            if (task.about == "target") == has_target
        }


PIPELINE_REGISTRY.register_pipeline(
    "actor-stance", pipeline_class=ActorStancePipeline, pt_model=ActorStanceModel
)
