"""Finding and opening a checkpoint folder: weights, tokenizer, tasks, calibration, model card."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from ..configs import CheckpointError
from .configuration import ActorStanceConfig
from .encoder import without_progress_bars
from .modeling import ActorStanceModel

SHIPPED = Path(__file__).parent / "checkpoints" / "venezuela"
TRAINED = Path("runs") / "venezuela"


def find_checkpoint(path: str | Path | None = None) -> Path:
    """Resolve a checkpoint folder, or a run folder that holds one.

    Args:
        path: the folder; None for the checkpoint that ships, else `runs/venezuela` here.

    Raises:
        CheckpointError: nothing there, or not one of our checkpoints.
    """
    if path is None:
        for folder in (SHIPPED, TRAINED):
            if folder.is_dir():
                return find_checkpoint(folder)
        raise CheckpointError(
            "no checkpoint given, and none found at runs/venezuela; train one first "
            "(actorstance train configs/venezuela.yaml) or name a folder"
        )
    folder = Path(path).expanduser()
    if not folder.is_dir():
        raise CheckpointError(f"{path}: no such checkpoint folder")
    if (folder / "checkpoint").is_dir():
        folder = folder / "checkpoint"
    try:
        kind = json.loads((folder / "config.json").read_text(encoding="utf-8")).get("model_type")
    except FileNotFoundError:
        hint = ""
        if (folder / "trainer").is_dir():
            hint = "; its training has not finished: continue it with --resume"
        raise CheckpointError(f"{folder}: no config.json, so not a checkpoint{hint}") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise CheckpointError(f"{folder / 'config.json'}: damaged: {error}") from None
    if kind != "actorstance":
        raise CheckpointError(
            f"{folder}: a checkpoint of kind {kind!r}, expected 'actorstance'; "
            "a plain encoder is fine-tuned first, through model.encoder in a config"
        )
    if not (folder / "model.safetensors").is_file():
        raise CheckpointError(f"{folder}: no model.safetensors in this folder")
    return folder


def load_settings(folder: Path) -> ActorStanceConfig:
    """Read what a checkpoint says about itself, without its weights."""
    try:
        settings: ActorStanceConfig = ActorStanceConfig.from_pretrained(folder)
    except Exception as error:  # pydantic and transformers raise their own kinds
        raise CheckpointError(f"{folder}: cannot be loaded: {error}") from None
    return settings


def load_checkpoint(
    path: str | Path | None = None,
) -> tuple[ActorStanceModel, PreTrainedTokenizerBase]:
    """Open a checkpoint in evaluation mode, on the CPU.

    Raises:
        CheckpointError: it is missing, of another kind, or damaged.
    """
    folder = find_checkpoint(path)
    try:
        with without_progress_bars():
            # CPUs compute in float32, whatever the file is kept in.
            model = ActorStanceModel.from_pretrained(
                folder, use_safetensors=True, dtype=torch.float32
            )
        tokenizer = AutoTokenizer.from_pretrained(folder)
    except Exception as error:  # safetensors and tokenizers raise their own kinds
        raise CheckpointError(f"{folder}: cannot be loaded: {error}") from error
    model.eval()
    return model, tokenizer
