"""What computes a checkpoint's logits: PyTorch on any device, or ONNX Runtime on the CPU."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import nn
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from ..configs import CheckpointError, InputError
from .checkpoint import find_checkpoint, load_checkpoint, load_settings

BACKENDS = ("auto", "torch", "onnx", "int8")
ONNX_FILES = {"onnx": Path("onnx") / "model.onnx", "int8": Path("onnx") / "model_int8.onnx"}
VECTORS = "sentence-vectors"  # a name that no task can have
INPUTS = ("input_ids", "attention_mask", "token_type_ids")


class Runtime(Protocol):
    """Runs the network over a batch of token ids.

    Attributes:
        name: "torch", "onnx" or "int8".
        config: the checkpoint's `ActorStanceConfig`: tasks, window, calibration.
        batch_tokens: how many tokens, padding included, one pass should take at most.
    """

    name: str
    config: Any
    batch_tokens: int

    def run(self, batch: Mapping[str, np.ndarray], outputs: Sequence[str]) -> dict[str, np.ndarray]:
        """Compute outputs, float32, uncalibrated.

        Args:
            batch: input_ids, attention_mask and, where the tokenizer gives them, token_type_ids,
                each (texts, tokens), int64.
            outputs: names of tasks, (texts, labels), or `VECTORS`, (texts, hidden size).
        """
        ...


class TorchRuntime:
    """The network in PyTorch; on a GPU in bfloat16, where it has it."""

    name = "torch"

    def __init__(self, folder: Path, device: torch.device) -> None:
        model, _ = load_checkpoint(folder)
        nn.Module.to(model, device)
        self.model = model.eval()
        self.device = device
        self.config = model.config
        on_gpu = device.type == "cuda"
        self.batch_tokens = 65_536 if on_gpu else 2_048
        self._bfloat16 = on_gpu and torch.cuda.is_bf16_supported()

    @torch.inference_mode()
    def run(self, batch: Mapping[str, np.ndarray], outputs: Sequence[str]) -> dict[str, np.ndarray]:
        """See `Runtime.run`."""
        tensors = {name: self._tensor(values) for name, values in batch.items()}
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self._bfloat16):
            vectors = self.model.embed(**tensors)
            result = {
                name: vectors if name == VECTORS else self.model.heads[name](vectors)
                for name in outputs
            }
        return {name: values.float().cpu().numpy() for name, values in result.items()}

    def _tensor(self, values: np.ndarray) -> torch.Tensor:
        tensor = torch.from_numpy(values)
        if self.device.type == "cuda":
            return tensor.pin_memory().to(self.device, non_blocking=True)
        return tensor.to(self.device)


class OnnxRuntime:
    """The exported network in ONNX Runtime."""

    def __init__(self, folder: Path, name: str) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        file = folder / ONNX_FILES[name]
        try:
            self._session = onnxruntime.InferenceSession(
                str(file), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # ONNX Runtime raises kinds of its own
            raise CheckpointError(f"{file}: cannot be loaded: {error}") from None
        self.name = name
        self.config = load_settings(folder)
        self.batch_tokens = 2_048
        self._inputs = {entry.name for entry in self._session.get_inputs()}

    def run(self, batch: Mapping[str, np.ndarray], outputs: Sequence[str]) -> dict[str, np.ndarray]:
        """See `Runtime.run`."""
        given = {name: values for name, values in batch.items() if name in self._inputs}
        values = self._session.run(list(outputs), given)
        return dict(zip(outputs, values, strict=True))


def load_runtime(
    path: str | Path | None = None, device: str = "auto", backend: str = "auto"
) -> tuple[Runtime, PreTrainedTokenizerBase]:
    """Open a checkpoint with the runtime that is fastest where it is to run.

    Args:
        path: see `find_checkpoint`.
        device: "auto" (a GPU if there is one), "cpu", "cuda", "cuda:1", "mps".
        backend: "auto": on the CPU the exported int8 form if the checkpoint has it, else the
            exported float form, else PyTorch; "torch", "onnx" or "int8" asks for one of them.

    Raises:
        CheckpointError: there is no usable checkpoint, or it lacks the form asked for.
        InputError: the device does not exist here, or is not for this backend.
    """
    if backend not in BACKENDS:
        raise InputError(f"backend {backend!r}: expected one of {', '.join(BACKENDS)}")
    folder = find_checkpoint(path)
    where = _device(device)
    chosen = _choose(folder, where, backend)
    runtime: Runtime = (
        TorchRuntime(folder, where) if chosen == "torch" else OnnxRuntime(folder, chosen)
    )
    return runtime, _tokenizer(folder)


def _choose(folder: Path, device: torch.device, backend: str) -> str:
    if backend == "torch":
        return "torch"
    if backend == "auto":
        for name in ("int8", "onnx"):
            if device.type == "cpu" and (folder / ONNX_FILES[name]).is_file():
                return name
        return "torch"
    if device.type != "cpu":
        raise InputError(f"backend {backend!r} runs on the CPU; device is {device.type!r}")
    if not (folder / ONNX_FILES[backend]).is_file():
        raise CheckpointError(
            f"{folder}: has no {ONNX_FILES[backend]}; make it with: actorstance export {folder}"
        )
    return backend


def _tokenizer(folder: Path) -> PreTrainedTokenizerBase:
    try:
        tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(folder)
    except Exception as error:  # tokenizers raises its own kinds
        raise CheckpointError(f"{folder}: tokenizer cannot be loaded: {error}") from None
    return tokenizer


def _device(name: str) -> torch.device:
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise InputError(f"device {name!r}: {str(error).splitlines()[0]}") from None
    return device


def probabilities(logits: np.ndarray, temperature: float) -> np.ndarray:
    """Turn logits, (texts, labels), into calibrated probabilities."""
    scaled = logits.astype(np.float64) / temperature
    exponents = np.exp(scaled - scaled.max(-1, keepdims=True))
    result: np.ndarray = exponents / exponents.sum(-1, keepdims=True)
    return result


def feed(pieces: Sequence[Mapping[str, Any]], padding: int) -> dict[str, np.ndarray]:
    """Pad tokenized texts to one length: name -> (texts, tokens), int64."""
    longest = max(len(piece["input_ids"]) for piece in pieces)
    batch = {}
    for name in INPUTS:
        if name in pieces[0]:
            fill = padding if name == "input_ids" else 0
            array = np.full((len(pieces), longest), fill, dtype=np.int64)
            for row, piece in enumerate(pieces):
                array[row, : len(piece[name])] = piece[name]
            batch[name] = array
    return batch
