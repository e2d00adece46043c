"""The layout: data flows through a list of rooms, imports go one way and through doors."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

import throughtime

SOURCE = Path(throughtime.__file__).parent
CHECKOUT = Path(__file__).parents[1]

# The rooms and files of the package in the order of the data's way: each may import those before it.
STAGES = [
    "__init__",
    "_extras",
    "_errors",
    "_numbers",
    "_types",
    "_devices",
    "_fork",
    "_arguments",
    "_keys",
    "_mesh",
    "_tensors",
    "_foreign",
    "_folder",
    "_registry",
    "_temporary",
    "_files",
    "_token",
    "_serving",
    "_jax_config",
    "_compiler",
    "_blas",
    "data",
    "zero_shot",
    "cells",
    "kernels",
    "recurrence",
    "layers",
    "training",
    "pretraining",
    "testing",
    "gradients",
    "forecasting",
    "interop",
    "loading",
    "plots",
    "report",
    "lab",
    "service",
    "partitions",
    "cli",
    "__main__",
]
ROOMS = [stage for stage in STAGES if (SOURCE / stage).is_dir()]
PICTURES = "plots"  # the one room that earlier ones import: inside functions, where an object draws itself
MOST_LINES = 310


class Import(NamedTuple):
    """An import of the package: the file and line that has it, the module, and whether a function holds it."""

    file: Path
    line: int
    module: str
    name: str
    inside: bool

    def __str__(self) -> str:
        return f"{self.file.relative_to(CHECKOUT)}:{self.line} imports {self.name} from {self.module}"


def imports(file: Path) -> Iterator[Import]:
    """Every import of the package in a file, apart from those for types alone."""
    tree = ast.parse(file.read_text())
    blocks = [node for node in ast.walk(tree) if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)]
    typing_only = {id(node) for block in blocks for node in ast.walk(block)}
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    inside = {id(node) for function in functions for node in ast.walk(function)}
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "throughtime":
            for alias in node.names:
                yield Import(file, node.lineno, str(node.module), alias.name, id(node) in inside)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == "throughtime":
                    yield Import(file, node.lineno, alias.name, "", id(node) in inside)


def stage(found: Import) -> str:
    """The entry of the list that an import leads to: ``throughtime.data.panel`` -> ``data``."""
    parts = [*found.module.split("."), found.name]
    return parts[1] if parts[1] in STAGES else "__init__"


def test_imports_go_one_way() -> None:
    """A room imports earlier ones only; a picture is the exception, where an object draws itself."""
    files = sorted(SOURCE.rglob("*.py"))
    assert {file.relative_to(SOURCE).with_suffix("").parts[0] for file in files} == set(STAGES)
    wrong = []
    for file in files:
        own = STAGES.index(file.relative_to(SOURCE).with_suffix("").parts[0])
        for found in imports(file):
            picture = stage(found) == PICTURES and found.inside
            if STAGES.index(stage(found)) > own and not picture:
                wrong.append(str(found))
    assert wrong == []


def test_imports_go_through_doors() -> None:
    """What another room, the docs, the lessons, the examples and the benchmarks import, its room's door names."""
    wrong = []
    for folder in ("src", "docs", "examples", "benchmarks"):
        for file in sorted((CHECKOUT / folder).rglob("*.py")):
            own = file.relative_to(SOURCE).parts[0] if file.is_relative_to(SOURCE) else ""
            for found in imports(file):
                parts = found.module.split(".")
                behind = len(parts) > 2 and parts[1] in ROOMS
                if behind and parts[1] != own and own != "__main__.py":
                    wrong.append(str(found))
    assert wrong == []


def test_no_door_hides_a_name_behind_a_file() -> None:
    """Importing a file sets its name on the room: a function of the same name would be gone."""
    hidden = []
    for room in ROOMS:
        door = SOURCE / room / "__init__.pyi"
        for node in ast.parse(door.read_text()).body if door.exists() else []:
            if isinstance(node, ast.ImportFrom) and node.module:
                hidden += [
                    f"{room}.{alias.name}" for alias in node.names if (SOURCE / room / f"{alias.name}.py").exists()
                ]
    assert hidden == []


def test_no_file_is_long() -> None:
    lengths = {str(file.relative_to(SOURCE)): len(file.read_text().splitlines()) for file in SOURCE.rglob("*.py")}
    assert {name: length for name, length in lengths.items() if length > MOST_LINES} == {}


@pytest.mark.parametrize(
    "command",
    [
        ["-c", "import throughtime; dir(throughtime); import sys; print(*sys.modules)"],
        [
            "-c",
            "import sys; sys.argv = ['throughtime', '--help']\nfrom throughtime.__main__ import main\ntry: main()\n"
            "except SystemExit: print(*sys.modules)",
        ],
    ],
    ids=["import throughtime", "throughtime --help"],
)
def test_nothing_heavy_is_loaded(command: list[str]) -> None:
    loaded = subprocess.run([sys.executable, *command], capture_output=True, text=True, check=True).stdout.split()
    assert "throughtime" in loaded
    assert not {"jax", "matplotlib", "polars", "pandas", "numpy", "equinox", "optax"} & set(loaded)


def test_training_loads_no_statistics() -> None:
    """Half a second, which only one head and the synthetic series need."""
    command = "import throughtime.forecasting.trained, sys; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=True).stdout.split()
    assert "throughtime.pretraining.weights" in loaded
    assert not {"scipy.stats", "scipy.signal"} & set(loaded)


def test_every_public_name_is_there() -> None:
    for name in throughtime.__all__:
        assert getattr(throughtime, name) is not None
