"""The network, where pretrained weights come from, and how a checkpoint is kept."""

from .checkpoint import find_checkpoint, load_checkpoint
from .configuration import ActorStanceConfig
from .encoder import resolve_encoder
from .inputs import marked
from .modeling import ActorStanceModel, ActorStanceOutput
from .pipeline import ActorStancePipeline

__all__ = [
    "ActorStanceConfig",
    "ActorStanceModel",
    "ActorStanceOutput",
    "ActorStancePipeline",
    "find_checkpoint",
    "load_checkpoint",
    "marked",
    "resolve_encoder",
]
