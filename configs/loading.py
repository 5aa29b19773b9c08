"""From a YAML file and `--set key=value` overrides to a validated config."""

from __future__ import annotations

import difflib
import typing
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from .errors import ConfigError
from .schema import Config, SourceConfig

SHIPPED = Path(__file__).parent
Source = TypeVar("Source", bound=SourceConfig)


def load_config(path: str | Path, overrides: Iterable[str] = ()) -> Config:
    """Read, override and validate a config; data paths come back absolute.

    Args:
        path: a YAML file, or the name of one shipped in `configs/` ("venezuela").
        overrides: `a.b=c` strings; the value is read as YAML.

    Raises:
        ConfigError: the file is missing or no YAML, or a key or value does not fit the schema.
    """
    path = _find(path)
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not readable as YAML: {error}") from None
    if not isinstance(raw, dict):
        raise ConfigError(f"{path}: expected a mapping of keys to values, found {raw!r:.60}")
    for override in overrides:
        _override(raw, override)
    try:
        config = Config.model_validate(raw)
    except ValidationError as error:
        raise ConfigError(_explain(error, path)) from None
    return _with_absolute_paths(config, path.resolve().parent)


def save_config(config: Config, path: str | Path) -> None:
    """Write the resolved config as YAML that `load_config` reads back unchanged."""
    text = yaml.safe_dump(
        config.model_dump(exclude_none=False), sort_keys=False, allow_unicode=True, width=100
    )
    Path(path).write_text(text, encoding="utf-8")


def _find(path: str | Path) -> Path:
    path = Path(path)
    if path.is_file():
        return path
    if path.is_dir():
        raise ConfigError(f"{path}: is a folder; give the YAML file in it")
    shipped = SHIPPED / f"{path.name.removesuffix('.yaml')}.yaml"
    if path.parent == Path() and shipped.is_file():
        return shipped
    names = sorted(file.stem for file in SHIPPED.glob("*.yaml"))
    siblings = [str(file) for file in path.parent.glob("*.yaml")] if path.parent.is_dir() else []
    nearest = difflib.get_close_matches(str(path), [*siblings, *names], n=1)
    hint = f"did you mean {nearest[0]!r}?" if nearest else f"configs that ship: {names}"
    raise ConfigError(f"{path}: no such config file; {hint}")


def _override(raw: dict[str, Any], override: str) -> None:
    key, equals, value = override.partition("=")
    if not equals or not key:
        raise ConfigError(f"--set {override!r}: expected key=value, as in training.epochs=3")
    *parents, last = key.split(".")
    here: Any = raw
    for depth, part in enumerate([*parents, last]):
        is_last = depth == len(parents)
        index: Any = part
        if isinstance(here, list):
            if not part.isdigit() or int(part) >= len(here):
                raise ConfigError(
                    f"--set {override!r}: {'.'.join(parents[:depth])} is a list of {len(here)}; "
                    f"expected an index 0..{len(here) - 1}, found {part!r}"
                )
            index = int(part)
        elif not isinstance(here, dict):
            raise ConfigError(
                f"--set {override!r}: {'.'.join(parents[:depth])} is a value, not a section"
            )
        if is_last:
            try:
                here[index] = _number(yaml.safe_load(value))
            except yaml.YAMLError as error:
                raise ConfigError(f"--set {override!r}: not readable as YAML: {error}") from None
        else:
            here = here.setdefault(index, {}) if isinstance(here, dict) else here[index]


def _number(value: Any) -> Any:
    # YAML 1.1 reads 5e-5 as a string because it has no dot.
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return value
    return value


def _explain(error: ValidationError, path: Path) -> str:
    lines = []
    for problem in error.errors():
        where = ".".join(str(part) for part in problem["loc"]) or "(whole file)"
        seen = problem["input"]
        shown = "" if isinstance(seen, dict | BaseModel) else f" (found {seen!r:.80})"
        if problem["type"] == "extra_forbidden":
            valid = _keys_at(problem["loc"][:-1])
            nearest = difflib.get_close_matches(str(problem["loc"][-1]), valid, n=1, cutoff=0.5)
            hint = f"did you mean {nearest[0]!r}?" if nearest else f"valid keys: {', '.join(valid)}"
            lines.append(f"  {where}: unknown key{shown}; {hint}")
        else:
            message = problem["msg"].removeprefix("Value error, ")
            if problem["type"] == "literal_error":
                choices = problem["ctx"]["expected"].replace("'", "").replace(" or ", ", ")
                nearest = difflib.get_close_matches(str(seen), choices.split(", "), n=1)
                message += f"; did you mean {nearest[0]!r}?" if nearest else ""
            lines.append(f"  {where}: {message}{shown}")
    return f"{path}: {len(lines)} problem{'s' if len(lines) > 1 else ''} in the config\n" + (
        "\n".join(lines)
    )


def _keys_at(location: Sequence[int | str]) -> list[str]:
    """List the keys that the schema allows at a place in the config."""
    model: type[BaseModel] = Config
    for part in location:
        if isinstance(part, int) or part not in model.model_fields:
            continue
        inner = _model_in(model.model_fields[part].annotation)
        if inner is None:
            return []
        model = inner
    return list(model.model_fields)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in typing.get_args(annotation):
        found = _model_in(argument)
        if found is not None:
            return found
    return None


def _with_absolute_paths(config: Config, folder: Path) -> Config:
    def absolute(patterns: list[str]) -> list[str]:
        return [str((folder / Path(pattern).expanduser()).resolve()) for pattern in patterns]

    def located(source: Source) -> Source:
        fields = ("files", "train", "dev", "test")
        return source.model_copy(update={name: absolute(getattr(source, name)) for name in fields})

    data = located(config.data).model_copy(
        update={"auxiliary": [located(source) for source in config.data.auxiliary]}
    )

    def folder_or_name(name: str) -> str:
        local = folder / Path(name).expanduser()
        return str(local.resolve()) if name.startswith((".", "~")) and local.is_dir() else name

    model = config.model.model_copy(update={"encoder": folder_or_name(config.model.encoder)})
    training = config.training
    if training.distillation:
        distillation = training.distillation.model_copy(
            update={
                "teachers": absolute(training.distillation.teachers),
                "unlabelled": [located(source) for source in training.distillation.unlabelled],
            }
        )
        training = training.model_copy(update={"distillation": distillation})
    return config.model_copy(update={"data": data, "model": model, "training": training})
