import shutil
from pathlib import Path

import actorstance
import numpy as np
import pytest
from actorstance.configs import CheckpointError, InputError, load_config
from actorstance.model.export import export
from actorstance.tests.fixtures import DISPUTE, save_tiny_encoder
from actorstance.training.datasets import load_splits


@pytest.fixture(scope="module")
def exported(dispute_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of a real checkpoint with its ONNX forms."""

    folder = tmp_path_factory.mktemp("exported") / "checkpoint"
    shutil.copytree(dispute_run / "checkpoint", folder)
    assert [file.name for file in export(folder)] == ["model.onnx", "model_int8.onnx"]
    return folder


def test_the_exported_forms_say_what_the_network_says(exported: Path) -> None:
    splits = load_splits(load_config(DISPUTE))
    texts = [row.text for row in (*splits.train, *splits.dev, *splits.test)]
    torch_, onnx, int8 = (
        actorstance.load(exported, "cpu", backend) for backend in ("torch", "onnx", "int8")
    )
    said = torch_(texts, target="Voss")
    for exact, quantized, given in zip(onnx(texts, "Voss"), int8(texts, "Voss"), said, strict=True):
        for task in given.scores:
            a, b, c = (np.array(list(p.scores[task].values())) for p in (given, exact, quantized))
            assert np.abs(a - b).max() < 1e-3
            assert np.abs(a - c).max() < 0.25
    same = [a.side == b.side for a, b in zip(said, int8(texts, "Voss"), strict=True)]
    assert np.mean(same) > 0.9
    vectors = torch_.embed(texts[:8]), onnx.embed(texts[:8])
    assert np.abs(vectors[0] - vectors[1]).max() < 1e-3


def test_the_fastest_form_that_is_there_is_taken(exported: Path, dispute_run: Path) -> None:
    assert actorstance.load(exported, "cpu").runtime.name == "int8"
    assert actorstance.load(dispute_run, "cpu").runtime.name == "torch"
    with pytest.raises(CheckpointError, match="actorstance export"):
        actorstance.load(dispute_run, "cpu", "onnx")
    with pytest.raises(InputError, match=r"'tensorrt'.*auto, torch, onnx, int8"):
        actorstance.load(exported, "cpu", "tensorrt")
    with pytest.raises(InputError, match="runs on the CPU"):
        actorstance.load(exported, "meta", "int8")


def test_another_architecture_is_exported_too(tmp_path: Path) -> None:
    for kind in ("electra", "distilbert"):
        encoder = save_tiny_encoder(tmp_path / kind, kind)
        overrides = [f"model.encoder={encoder}", "training.epochs=1", "evaluation.bootstrap=0"]
        run = actorstance.train(
            DISPUTE, overrides=overrides, output=tmp_path / f"run-{kind}", progress=False
        )
        export(run)
        texts = ["The council met.", "Voss won by eleven votes, and every clerk signed the sheet."]
        exact, plain = actorstance.load(run, "cpu", "onnx"), actorstance.load(run, "cpu", "torch")
        for a, b in zip(exact(texts, "Voss"), plain(texts, "Voss"), strict=True):
            assert a.scores["side"] == pytest.approx(b.scores["side"], abs=1e-3)


def test_a_damaged_onnx_file_is_refused_with_its_name(exported: Path, tmp_path: Path) -> None:

    folder = tmp_path / "checkpoint"
    shutil.copytree(exported, folder)
    (folder / "onnx" / "model_int8.onnx").write_bytes(b"cut off")
    with pytest.raises(CheckpointError, match=r"model_int8\.onnx: cannot be loaded"):
        actorstance.load(folder, "cpu")
