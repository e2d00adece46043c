"""Kernels for every test of this folder, however small its arrays are; without a compiler there is nothing to test."""

import os
import shutil

import pytest

from throughtime.kernels import library
from throughtime.kernels.library import available
from throughtime.recurrence import method


@pytest.fixture(autouse=True)
def kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    """Choose a kernel wherever one can run, at any size; fail if there is a compiler but no kernels."""
    availability = available()
    if not availability:
        could = os.environ.get(library.LIBRARY) or any(map(shutil.which, ("c++", "g++", "clang++")))
        (pytest.fail if could else pytest.skip)(availability.why)
    monkeypatch.setattr(method, "_kernel_is_faster", lambda cell, xs: True)
