"""The same scoring on many machines: a pool of Ray Data actors labels shards, in order."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow

from ..configs import InputError
from .shards import as_table

AHEAD = 8  # shards per worker that are under way at once


class _Worker:
    """One checkpoint in one process; labels shards that come and go as Arrow streams."""

    def __init__(self, arguments: dict[str, Any]) -> None:
        from .corpus import Labeller

        self.labeller = Labeller.load(**arguments)

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Label a batch of one shard."""
        rows = pyarrow.ipc.open_stream(batch["shard"][0]).read_all().to_pylist()
        return {"shard": [_packed(self.labeller(rows))]}


def label_with_ray(
    shards: Iterable[list[dict[str, Any]]], workers: int, arguments: dict[str, Any]
) -> Iterator[list[dict[str, Any]]]:
    """Label shards on a Ray cluster, or on this machine where none is joined.

    The checkpoint's folder must be there on every machine. A worker that dies is replaced and its
    shard is labelled again. Rows come back as the local engine gives them, in the same order.

    Args:
        shards: rows per shard; this process reads them, the workers do the rest.
        workers: how many actors, each with a checkpoint of its own.
        arguments: what `Labeller.load` takes.

    Raises:
        InputError: Ray is not installed.
    """
    try:
        import ray
        import ray.data
    except ImportError:
        raise InputError("engine 'ray' needs Ray: pip install 'actorstance[ray]'") from None
    ray.init(ignore_reinit_error=True, log_to_driver=False)
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.execution_options.preserve_order = True
    waiting = iter(shards)
    arguments = {**arguments, "checkpoint": str(Path(arguments["checkpoint"]).absolute())}
    while window := list(itertools.islice(waiting, workers * AHEAD)):
        packed = [{"shard": _packed(rows)} for rows in window if rows]
        labelled: Iterator[dict[str, Any]] = iter(())
        if packed:
            labelled = iter(
                ray.data.from_items(packed, override_num_blocks=len(packed))
                .map_batches(
                    _Worker,
                    fn_constructor_args=(arguments,),
                    batch_size=1,
                    concurrency=min(workers, len(packed)),
                )
                .iter_rows()
            )
        for rows in window:
            yield _unpacked(next(labelled)["shard"]) if rows else []


def _packed(rows: list[dict[str, Any]]) -> bytes:
    table = as_table(rows)
    sink = pyarrow.BufferOutputStream()
    with pyarrow.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    packed: bytes = sink.getvalue().to_pybytes()
    return packed


def _unpacked(stream: bytes) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pyarrow.ipc.open_stream(stream).read_all().to_pylist()
    return rows
