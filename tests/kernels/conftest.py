"""These tests are of the native kernels: where there is no compiler to build them, there is nothing to test."""

import os
import shutil

import pytest

from throughtime.kernels import available, library, linear, through_time


@pytest.fixture(autouse=True)
def kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are taken however little there is to do."""
    found = available()
    if not found:
        could = os.environ.get(library.LIBRARY) or any(map(shutil.which, ("c++", "g++", "clang++")))
        (pytest.fail if could else pytest.skip)(f"no native kernels: {found.why}")
    for module, least in ((through_time, "LEAST_WORK"), (through_time, "LEAST_STEPS"), (linear, "LEAST_NUMBERS")):
        monkeypatch.setattr(module, least, 0)
