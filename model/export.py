"""A checkpoint in the form that runs fastest on CPUs: ONNX, in float and in 8-bit integers."""

from __future__ import annotations

import contextlib
import io
import shutil
import tempfile
import warnings
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..configs import CheckpointError
from ..data.files import replacing
from .checkpoint import find_checkpoint, load_checkpoint
from .modeling import ActorStanceModel
from .runtime import INPUTS, ONNX_FILES, VECTORS

FUSED_KINDS = ("bert", "roberta", "camembert", "distilbert", "electra")


class _Exported(nn.Module):
    """All heads and the sentence vectors, as a tuple, which is what a graph can return."""

    def __init__(self, model: ActorStanceModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        vectors = self.model.embed(*inputs)
        return (*(head(vectors) for head in self.model.heads.values()), vectors)


def export(path: str | Path | None = None) -> list[Path]:
    """Write `onnx/model.onnx` and `onnx/model_int8.onnx` into a checkpoint.

    The graph's attention, layer norms and activations are fused as ONNX Runtime's optimizer does;
    the 8-bit form has its weights quantized per channel and its activations at run time.

    Raises:
        CheckpointError: there is no usable checkpoint, or `onnx` is not installed.
    """
    folder = find_checkpoint(path)
    try:
        import onnx  # what the quantizer imports, and fails on without a word
        from onnxruntime.quantization import QuantType, quantize_dynamic
        from onnxruntime.transformers import optimizer
    except ImportError:
        raise CheckpointError(
            "the ONNX form needs onnx and onnxruntime: pip install 'actorstance[export]'"
        ) from None
    model, tokenizer = load_checkpoint(folder)
    model.encoder.set_attn_implementation("eager")
    example = dict(tokenizer(["One.", "Two words."], padding=True, return_tensors="pt"))
    names = [name for name in INPUTS if name in example]
    outputs = [task.name for task in model.config.task_list] + [VECTORS]
    with tempfile.TemporaryDirectory() as scratch, _quiet():
        raw, fused, quantized = (Path(scratch) / f"{n}.onnx" for n in ("raw", "fused", "int8"))
        torch.onnx.export(
            _Exported(model).eval(),
            tuple(example[name] for name in names),
            str(raw),
            input_names=names,
            output_names=outputs,
            dynamic_axes={
                **{name: {0: "texts", 1: "tokens"} for name in names},
                **{name: {0: "texts"} for name in outputs},
            },
            dynamo=False,
            opset_version=17,
        )
        encoder: Any = model.config.encoder_config()
        if encoder.model_type in FUSED_KINDS:
            graph = optimizer.optimize_model(
                str(raw),
                model_type="bert",
                num_heads=encoder.num_attention_heads,
                hidden_size=encoder.hidden_size,
                opt_level=0,
            )
            graph.save_model_to_file(str(fused))
        else:
            fused = raw
        quantize_dynamic(
            fused,
            quantized,
            per_channel=True,
            weight_type=QuantType.QInt8,
            extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT},
        )
        written = []
        for source, name in ((fused, "onnx"), (quantized, "int8")):
            target = folder / ONNX_FILES[name]
            target.parent.mkdir(exist_ok=True)
            with replacing(target) as partial:
                shutil.copyfile(source, partial)
            written.append(target)
    return written


@contextlib.contextmanager
def _quiet() -> Any:
    """Keep the exporters' notes on tracing, which no user can act on, to themselves."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        yield
