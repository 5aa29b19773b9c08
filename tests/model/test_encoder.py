from pathlib import Path

import pytest
import torch
from actorstance.configs import EncoderError
from actorstance.model import encoder, resolve_encoder


def test_installed_weights_package_is_found_under_both_names() -> None:
    folder = resolve_encoder("all-MiniLM-L6-v2")
    assert (Path(folder) / "model.safetensors").is_file()
    assert resolve_encoder("sentence-transformers/all-MiniLM-L6-v2") == folder


def test_weights_with_another_checksum_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    real = encoder.PACKAGES["all-MiniLM-L6-v2"]
    other = encoder.WeightsPackage(real.module, real.distribution, real.folder, "0" * 64)
    monkeypatch.setitem(encoder.PACKAGES, "all-MiniLM-L6-v2", other)
    with pytest.raises(EncoderError, match=f"expected {'0' * 64}"):
        resolve_encoder("all-MiniLM-L6-v2")


def test_local_folder_wins(tiny_encoder: Path) -> None:
    assert resolve_encoder(str(tiny_encoder)) == str(tiny_encoder)


def test_pickled_weights_are_refused_and_named(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    torch.save({}, tmp_path / "pytorch_model.bin")
    with pytest.raises(EncoderError, match=r"model\.safetensors; found pytorch_model\.bin"):
        resolve_encoder(str(tmp_path))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("./nowhere", "no such folder"),
        ("all-MiniLM-L6-v3", "did you mean 'all-MiniLM-L6-v2'"),
    ],
)
def test_unknown_names_are_refused(name: str, words: str) -> None:
    with pytest.raises(EncoderError, match=words):
        resolve_encoder(name)


def test_other_names_are_left_to_the_hub() -> None:
    assert resolve_encoder("microsoft/deberta-v3-small") == "microsoft/deberta-v3-small"
