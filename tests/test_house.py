"""The plan of the house: which floor may know which, and what an import costs."""

import ast
import subprocess
import sys
from pathlib import Path

import actorstance
import pytest

HOUSE = Path(actorstance.__file__).parent
MAY_IMPORT = {
    "configs": set(),
    "data": {"configs"},
    "model": {"configs", "data"},
    "serving": {"configs", "data", "model"},
    "training": {"configs", "data", "model"},
}


def floors_imported_by(file: Path) -> set[str]:
    """Top-level folders of ours that a module imports, relative or absolute, lazily or not."""
    depth = len(file.relative_to(HOUSE).parts)
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level == depth:
            names = [node.module] if node.module else [alias.name for alias in node.names]
            found |= {name.split(".")[0] for name in names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("actorstance"):
            found.add((node.module or "").partition(".")[2].split(".")[0])
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
            found |= {n.split(".")[1] for n in names if n.startswith("actorstance.")}
    return found


@pytest.mark.parametrize("floor", MAY_IMPORT)
def test_every_floor_knows_only_the_floors_under_it(floor: str) -> None:
    files = list((HOUSE / floor).rglob("*.py"))
    assert files
    for file in files:
        assert floors_imported_by(file) <= MAY_IMPORT[floor], file


def test_the_check_sees_a_forbidden_arrow() -> None:
    assert floors_imported_by(HOUSE / "training" / "train.py") >= {"configs", "data", "model"}


def modules_after(statement: str) -> set[str]:
    code = f"import sys; {statement}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_the_package_loads_nothing_heavy() -> None:
    loaded = modules_after("import actorstance")
    assert not loaded & {"torch", "transformers", "numpy", "pyarrow", "pydantic", "rich"}


def test_inference_works_without_the_training_dependencies(dispute_run: Path) -> None:
    code = f"""
import sys
for name in ("accelerate", "datasets", "evaluate", "matplotlib", "sklearn", "scipy"):
    sys.modules[name] = None
import actorstance
print(actorstance.load({str(dispute_run)!r})("Voss won.").side)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() in {"for_voss", "neither", "for_rehl"}


def test_only_configs_know_the_labels() -> None:
    for file in HOUSE.rglob("*.py"):
        floor = file.relative_to(HOUSE).parts[0]
        if floor in {"tests", "benchmarks"} or floor.startswith("."):
            continue
        assert "pro_maduro" not in file.read_text(encoding="utf-8"), file
