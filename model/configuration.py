"""What a checkpoint says about itself: the encoder's shape, the tasks and their calibration."""

from __future__ import annotations

from typing import Any, ClassVar

from transformers import AutoConfig, PreTrainedConfig

from ..configs import Actor, Task


class ActorStanceConfig(PreTrainedConfig):
    """Configuration of an `ActorStanceModel`.

    Args:
        encoder: the encoder's own configuration, as a dict with its `model_type`.
        tasks: task definitions, as dicts of `configs.Task`, in the order of the heads.
        pooling: "mean" over the tokens, or "cls".
        mark_target: whether the target's first mention in the text is marked.
        head_dropout: dropout before the heads.
        window: the longest input in tokens that the model was trained with.
        temperatures: task name -> temperature that divides its logits before the softmax
            (Guo et al. 2017, On Calibration of Modern Neural Networks).
        actors: the parties the tasks are about, as dicts of `configs.Actor`.
    """

    model_type = "actorstance"
    has_no_defaults_at_init = True
    keys_to_ignore_at_inference: ClassVar[list[str]] = ["vectors"]

    def __init__(
        self,
        encoder: dict[str, Any] | None = None,
        tasks: list[dict[str, Any]] | None = None,
        pooling: str = "mean",
        mark_target: bool = False,
        head_dropout: float = 0.1,
        window: int = 128,
        temperatures: dict[str, float] | None = None,
        actors: list[dict[str, Any]] | None = None,
        **kwargs: Any,
    ) -> None:
        self.encoder = encoder or {}
        self.tasks = tasks or []
        self.pooling = pooling
        self.mark_target = mark_target
        self.head_dropout = head_dropout
        self.window = window
        self.temperatures = temperatures or {}
        self.actors = actors or []
        super().__init__(**kwargs)

    @property
    def task_list(self) -> list[Task]:
        """The tasks, in the order of the heads."""
        return [Task.model_validate(task) for task in self.tasks]

    @property
    def actor_list(self) -> list[Actor]:
        """The actors of the dispute this checkpoint was trained for."""
        return [Actor.model_validate(actor) for actor in self.actors]

    def encoder_config(self) -> PreTrainedConfig:
        """Build the encoder's own configuration object."""
        values = dict(self.encoder)
        return AutoConfig.for_model(values.pop("model_type"), **values)


AutoConfig.register("actorstance", ActorStanceConfig, exist_ok=True)
