"""These tests are of the native kernels: where they were not built, there is nothing to test."""

import pytest

from throughtime.kernels import available


@pytest.fixture(autouse=True)
def kernels() -> None:
    found = available()
    if not found:
        pytest.skip(f"no native kernels: {found.why}")
