"""The layout: data flows down a list of stages, and imports go only the same way."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import throughtime

SOURCE = Path(throughtime.__file__).parent

# A module may import what stands before it. Folders and files of the package, in the order of the data's way.
STAGES = [
    "__init__",
    "errors",
    "interrupts",
    "shapes",
    "registry",
    "settings",
    "outputs",
    "style",
    "displays",
    "data",
    "cells",
    "kernels",
    "recurrence",
    "layers",
    "training",
    "contracts",
    "forecasting",
    "interop",
    "loading",
    "report",
    "gradients",
    "demo",
    "pipeline",
    "lab",
    "cli",
    "__main__",
]
MODULES = sorted(SOURCE.rglob("*.py"))


def stage(module: str) -> str:
    """The part of a dotted name that stands in the list: ``throughtime.data.panel`` -> ``data``."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def imported(file: Path) -> set[str]:
    """Every module of the package that a file imports, inside functions too, but not for types alone."""
    tree = ast.parse(file.read_text())
    typing_only = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING"
        for node in ast.walk(block)
    }
    names = set()
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("throughtime"):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names if alias.name.startswith("throughtime")}
    return names


@pytest.mark.parametrize("file", MODULES, ids=lambda file: str(file.relative_to(SOURCE)))
def test_imports_go_down_the_list(file: Path) -> None:
    own = file.relative_to(SOURCE).with_suffix("").parts[0]
    for module in imported(file):
        came = stage(module)
        came = came if came in STAGES else "__init__"  # throughtime.__version__
        assert STAGES.index(came) <= STAGES.index(own), f"{own} must not import {module}"


def test_every_part_has_a_place() -> None:
    parts = {file.relative_to(SOURCE).with_suffix("").parts[0] for file in MODULES}
    assert parts == set(STAGES)


@pytest.mark.parametrize("file", MODULES, ids=lambda file: str(file.relative_to(SOURCE)))
def test_no_file_is_long(file: Path) -> None:
    assert len(file.read_text().splitlines()) <= 310


@pytest.mark.parametrize(
    "command",
    [
        ["-c", "import throughtime; dir(throughtime); import sys; print(*sys.modules)"],
        [
            "-c",
            "import sys; sys.argv = ['throughtime', '--help']\nfrom throughtime.cli import main\ntry: main()\n"
            "except SystemExit: print(*sys.modules)",
        ],
    ],
    ids=["import throughtime", "throughtime --help"],
)
def test_nothing_heavy_is_loaded(command: list[str]) -> None:
    loaded = subprocess.run([sys.executable, *command], capture_output=True, text=True, check=True).stdout.split()
    assert "throughtime" in loaded
    assert not {"jax", "matplotlib", "polars", "pandas", "numpy", "equinox", "optax"} & set(loaded)


def test_every_public_name_is_there() -> None:
    for name in throughtime.__all__:
        assert getattr(throughtime, name) is not None
