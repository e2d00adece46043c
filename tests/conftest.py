"""What all tests share: strict arithmetic, types checked at run time, and where the shared data lie."""

import gc
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ["MPLBACKEND"] = "Agg"  # before anything imports matplotlib
# Small tables, each step of which would wait for a thread of Polars: a fifth of the time, half of it in the system.
os.environ["POLARS_MAX_THREADS"] = "1"

import hypothesis
import jax
import jaxtyping
import pytest
import tests.quickly  # noqa: F401

# Every annotation of the package is checked at run time; the hook must stand before its first import.
jaxtyping.install_import_hook("throughtime", "beartype.beartype")

# No array is broadcast that the code did not mean to. Nor converted, where optax allows it: see cells/conftest.py.
jax.config.update("jax_numpy_rank_promotion", "raise")

# Compiling is most of what the tests do, and their programs are small: unoptimized, without XLA's newer emitters of
# fused operations, and each in one piece, less than half the time is left. What a test starts as a process of its own
# does the same, so that it comes to the same bits. JAX reads the flags when its backend starts: now, before a test of
# the command line sets others for one of its own.
QUICKLY = (
    "--xla_backend_optimization_level=0 --xla_cpu_use_fusion_emitters=false --xla_cpu_parallel_codegen_split_count=1 "
    "--xla_cpu_prefer_vector_width=256 --xla_backend_extra_options=xla_cpu_small_while_loop_byte_threshold=1024"
)
FLAGS = os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {QUICKLY}".strip()
jax.devices()
MAPS = Path("/proc/self/maps")

# Compilation takes longer than any deadline; the same examples in each run, so that a failure is one for everybody.
hypothesis.settings.register_profile("throughtime", deadline=None, derandomize=True)
hypothesis.settings.load_profile("throughtime")


def pytest_collection_finish() -> None:
    """Look for no garbage among the modules and the tests, which stay."""
    gc.freeze()


@pytest.fixture(autouse=True)
def same_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep this process's settings of JAX, which the command line, run inside it, would change."""
    monkeypatch.setenv("XLA_FLAGS", FLAGS)
    monkeypatch.setattr("throughtime._jax_config._tell_jax", lambda settings: None)


@pytest.fixture(scope="module", autouse=True)
def room_for_programs() -> Iterator[None]:
    """Linux lets a process map 65,530 pieces of memory, each program takes about thirty, and past them XLA crashes."""
    yield
    if MAPS.exists() and MAPS.read_bytes().count(b"\n") > 45_000:
        jax.clear_caches()


@pytest.fixture
def x64() -> Iterator[None]:
    """Float64 for this test."""
    with jax.enable_x64(True):
        yield


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of series that lies beside the checkout and is no part of it."""
    checkout = Path(__file__).parents[1]
    for folder in (checkout, *checkout.parents):
        if (folder / "shared" / "data").is_dir():
            return folder / "shared" / "data"
    pytest.skip("needs the folder shared/data beside the checkout")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """A browser without a window: the system's Chromium, or Playwright's own."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="make test-browser installs Playwright")
    with sync_api.sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        except sync_api.Error as error:
            pytest.skip(f"no Chromium starts: {error.message.splitlines()[0]}")
        yield browser
        browser.close()
