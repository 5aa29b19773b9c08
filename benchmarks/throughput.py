"""Sentences per second on this machine's CPU, file in, file out, beside other ways to run the same.

python benchmarks/throughput.py --checkpoint runs/venezuela [--sentences 4000]

Every row reads the same JSONL of distinct sentences and writes a table; model loading is not
counted. The floor is the time that the network's multiply-adds alone would take at the rate that
this machine reaches in one large matrix product of the network's own shape.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from actorstance import load, score
from actorstance.data import expand_paths, read_examples
from actorstance.data.example import Example
from actorstance.model import find_checkpoint, load_checkpoint
from rich.console import Console
from rich.table import Table
from transformers import pipeline

pipelines: Any = pipeline  # its overloads do not know registered tasks
CORPUS = Path(__file__).parents[1] / "data" / "venezuela"


def main() -> None:
    """Measure everything in one run and print ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--checkpoint", type=Path)
    parser.add_argument("--sentences", type=int, default=4000)
    arguments = parser.parse_args()
    folder = find_checkpoint(arguments.checkpoint)
    texts = _texts(arguments.sentences)
    seconds: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as scratch:
        source = Path(scratch) / "sentences.jsonl"
        source.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
        model, tokenizer = load_checkpoint(folder)
        for size in (1, 8, 32, 64):
            chain: Any = pipelines("actor-stance", model=model, tokenizer=tokenizer, batch_size=1)
            some = texts[: max(200, len(texts) // 8)]
            seconds[f"transformers.pipeline, batch {size}"] = (
                _timed(partial(_with_pipeline, chain, some, size, scratch)) * len(texts) / len(some)
            )
        seconds["plain torch, batch 32, in order"] = _timed(
            partial(_plain, model, tokenizer, texts, scratch)
        )
        for backend in ("torch", "onnx", "int8"):
            if backend != "torch" and not (folder / "onnx").is_dir():
                continue
            load(folder, "cpu", backend)("Warm up.")
            output = Path(scratch) / f"{backend}.parquet"
            seconds[f"actorstance score, {backend}"] = _timed(
                partial(score, source, output, checkpoint=folder, device="cpu", backend=backend)
            )
    tokens = sum(len(ids) for ids in tokenizer(texts)["input_ids"])
    operations = _multiply_adds(model, tokens, len(texts))
    best_pipeline = min(s for name, s in seconds.items() if "pipeline" in name)
    table = Table("", "sentences/s", "against the pipeline", title=_machine())
    for name, value in seconds.items():
        table.add_row(name, f"{len(texts) / value:,.0f}", f"{best_pipeline / value:.1f}x")
    for kind, rate in _matmul_rates(model.config.encoder_config()).items():
        floor = operations / rate
        table.add_row(
            f"floor at the {kind} matrix product rate, {rate / 1e9:,.0f} GMAC/s",
            f"{len(texts) / floor:,.0f}",
            f"{best_pipeline / floor:.1f}x",
        )
    Console().print(table)


def _texts(count: int) -> list[str]:
    found: dict[str, None] = {}
    for path in expand_paths([CORPUS]):
        for _, item in read_examples(path, []):
            if isinstance(item, Example):
                found[item.text] = None
    return list(found)[:count]


def _timed(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def _with_pipeline(chain: Any, texts: list[str], size: int, scratch: str) -> None:
    answers = list(chain(texts, batch_size=size))
    (Path(scratch) / "pipeline.jsonl").write_text("\n".join(map(json.dumps, answers)))


@torch.inference_mode()
def _plain(model: Any, tokenizer: Any, texts: list[str], scratch: str) -> None:
    rows = []
    for begin in range(0, len(texts), 32):
        batch = tokenizer(
            texts[begin : begin + 32], padding=True, truncation=True, return_tensors="pt"
        )
        logits = model(**batch).logits
        rows += [
            {name: row.tolist() for name, row in zip(logits, each, strict=True)}
            for each in zip(*logits.values(), strict=True)
        ]
    (Path(scratch) / "plain.jsonl").write_text("\n".join(map(json.dumps, rows)))


def _multiply_adds(model: Any, tokens: int, texts: int) -> float:
    """Count those of the layers' matrix products; attention scores are under 2% at this length."""
    weights = sum(
        module.weight.numel()
        for name, module in model.encoder.named_modules()
        if isinstance(module, torch.nn.Linear) and "pooler" not in name
    )
    heads = sum(head.weight.numel() for head in model.heads.values())
    return float(weights * tokens + heads * texts)


def _matmul_rates(encoder: Any) -> dict[str, float]:
    """Measure multiply-adds per second of (2048, hidden) x (hidden, intermediate) products."""
    rows, inner = 2048, encoder.hidden_size
    outer = getattr(encoder, "intermediate_size", 4 * inner)
    left, right = torch.randn(rows, inner), torch.randn(inner, outer)
    rates = {}
    for kind, dtype in (("float32", torch.float32), ("bfloat16", torch.bfloat16)):
        a, b = left.to(dtype), right.to(dtype)
        rates[kind] = _rate(partial(torch.matmul, a, b), rows * inner * outer)
    rates["int8"] = _rate(_int8_product(rows, inner, outer), rows * inner * outer)
    return rates


def _int8_product(rows: int, inner: int, outer: int) -> Callable[[], object]:
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper

    generator = np.random.default_rng(0)
    weights = generator.integers(-127, 127, (inner, outer), dtype=np.int8)
    node = helper.make_node("MatMulInteger", ["a", "b"], ["c"])
    graph = helper.make_graph(
        [node],
        "product",
        [helper.make_tensor_value_info("a", TensorProto.UINT8, [rows, inner])],
        [helper.make_tensor_value_info("c", TensorProto.INT32, [rows, outer])],
        [numpy_helper.from_array(weights, "b")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    given = {"a": generator.integers(0, 255, (rows, inner), dtype=np.uint8)}
    return partial(session.run, None, given)


def _rate(work: Callable[[], object], operations: int) -> float:
    work()
    repeats = 20
    return operations * repeats / _timed(lambda: [work() for _ in range(repeats)])


def _machine() -> str:
    names = (
        [
            line.split(":", 1)[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ]
        if Path("/proc/cpuinfo").is_file()
        else [platform.processor()]
    )
    return f"{names[0]}, {os.cpu_count()} cores, {torch.get_num_threads()} threads"


if __name__ == "__main__":
    main()
