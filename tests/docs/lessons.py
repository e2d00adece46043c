"""The lessons as modules, for their tests."""

import importlib.util
from pathlib import Path
from types import ModuleType

LESSONS = Path(__file__).parents[2] / "docs" / "lessons"


def imported(lesson: str) -> ModuleType:
    """A lesson by its name, made anew."""
    spec = importlib.util.spec_from_file_location(lesson, LESSONS / f"{lesson}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
