"""These tests are of the native kernels: where they were not built, there is nothing to test."""

import pytest

from throughtime.kernels import available, through_time


@pytest.fixture(autouse=True)
def kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are taken however little there is to do."""
    found = available()
    if not found:
        pytest.skip(f"no native kernels: {found.why}")
    monkeypatch.setattr(through_time, "LEAST_WORK", 0)
