"""Typed experiment configs: the schema, how YAML is loaded, and the errors all floors raise."""

from .errors import (
    ActorstanceError,
    CheckpointError,
    ConfigError,
    DataError,
    EncoderError,
    InputError,
    RunError,
)
from .loading import load_config, save_config
from .schema import (
    Actor,
    AugmentationConfig,
    ColumnsConfig,
    Config,
    DataConfig,
    DistillationConfig,
    EvaluationConfig,
    HygieneConfig,
    ModelConfig,
    SourceConfig,
    SplitConfig,
    Task,
    TaskColumn,
    TrainingConfig,
)

__all__ = [
    "Actor",
    "ActorstanceError",
    "AugmentationConfig",
    "CheckpointError",
    "ColumnsConfig",
    "Config",
    "ConfigError",
    "DataConfig",
    "DataError",
    "DistillationConfig",
    "EncoderError",
    "EvaluationConfig",
    "HygieneConfig",
    "InputError",
    "ModelConfig",
    "RunError",
    "SourceConfig",
    "SplitConfig",
    "Task",
    "TaskColumn",
    "TrainingConfig",
    "load_config",
    "save_config",
]
