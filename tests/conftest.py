"""Fixtures that several test folders share."""

import json
from collections.abc import Callable
from pathlib import Path

import actorstance
import pytest
from actorstance.tests.fixtures import DISPUTE, save_tiny_encoder


@pytest.fixture(scope="session")
def tiny_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_encoder(tmp_path_factory.mktemp("encoder"))


@pytest.fixture(scope="session")
def dispute_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The second dispute, trained for real on the default encoder: a run folder."""
    return actorstance.train(
        DISPUTE, output=tmp_path_factory.mktemp("runs") / "dispute", progress=False
    )


@pytest.fixture
def write_jsonl(tmp_path: Path) -> Callable[..., Path]:
    def write(*rows: dict | str, name: str = "rows.jsonl") -> Path:
        path = tmp_path / name
        lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    return write
