"""These tests are of the native kernels: where there is no compiler to build them, there is nothing to test."""

import os
import shutil

import pytest

from throughtime.kernels import autodiff, library, linear
from throughtime.kernels.library import available


@pytest.fixture(autouse=True)
def kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are taken however little there is to do."""
    found = available()
    if not found:
        could = os.environ.get(library.LIBRARY) or any(map(shutil.which, ("c++", "g++", "clang++")))
        (pytest.fail if could else pytest.skip)(f"no native kernels: {found.why}")
    leasts = {
        autodiff: ("LEAST_WORK", "LEAST_STEPS"),
        linear: ("LEAST_OF_ONE", "LEAST_OF_ALL", "LEAST_OF_MANY_GATES"),
    }
    for module, names in leasts.items():
        for name in names:
            monkeypatch.setattr(module, name, 0)
