"""Settings of JAX that ``tt.configure`` makes."""

import os
import subprocess
import sys
from pathlib import Path
from unittest import mock

import pytest

from throughtime import _jax_config
from throughtime._jax_config import XLA_FLAGS, configure

OURS = [f"{name}={value}" for name, value in XLA_FLAGS.items()]


@pytest.fixture(autouse=True)
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.setattr(_jax_config, "_has_started", lambda: False)
    with mock.patch.dict(os.environ, {"XDG_CACHE_HOME": str(tmp_path)}, clear=True):
        yield


def test_compiled_programs_lie_in_the_users_cache(tmp_path: Path) -> None:
    configure()
    assert Path(os.environ["JAX_COMPILATION_CACHE_DIR"]) == tmp_path / "throughtime" / "compiled"
    assert int(os.environ["JAX_COMPILATION_CACHE_MAX_SIZE"]) > 0
    assert os.environ["XLA_FLAGS"].split() == OURS


def test_what_the_user_has_set_stays(tmp_path: Path) -> None:
    mine = {"JAX_COMPILATION_CACHE_DIR": str(tmp_path / "mine"), "JAX_COMPILATION_CACHE_MAX_SIZE": "7"}
    os.environ.update(mine, XLA_FLAGS="--xla_backend_extra_options=other=1 --xla_dump_to=here")
    configure()
    assert {name: os.environ[name] for name in mine} == mine
    flags = os.environ["XLA_FLAGS"].split()
    assert flags[:2] == ["--xla_backend_extra_options=other=1", "--xla_dump_to=here"]
    assert flags[2:] == ["--xla_cpu_prefer_vector_width=512"]
    os.environ["XLA_FLAGS"] = "--xla_dump_to=here"
    configure()
    assert os.environ["XLA_FLAGS"].split() == ["--xla_dump_to=here", *OURS]


def test_what_a_killed_process_left_is_taken_away(tmp_path: Path) -> None:
    folder = tmp_path / "throughtime" / "compiled"
    folder.mkdir(parents=True)
    for name in ("whole-cache", "whole-atime", "torn-cache"):
        (folder / name).write_text(name)
    configure()
    assert sorted(path.name for path in folder.iterdir()) == ["whole-atime", "whole-cache"]


def test_the_users_own_cache_is_left_alone(tmp_path: Path) -> None:
    os.environ["JAX_COMPILATION_CACHE_DIR"] = str(tmp_path)
    (tmp_path / "mine-cache").write_text("mine")
    configure()
    assert (tmp_path / "mine-cache").exists()
    assert "JAX_COMPILATION_CACHE_MAX_SIZE" not in os.environ


def test_a_cache_that_cannot_be_written_is_left_out(tmp_path: Path) -> None:
    """JAX would warn of every program."""
    (tmp_path / "throughtime").write_text("a file")
    configure()
    assert "JAX_COMPILATION_CACHE_DIR" not in os.environ


def run(code: str) -> str:
    """The standard output of a new process that runs the code."""
    script = f"import sys\nsys.path[:] = {sys.path!r}\n{code}"
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout


def test_a_jax_that_was_imported_before_is_told(tmp_path: Path) -> None:
    code = "import jax, throughtime as tt\ntt.configure()\n"
    code += "print(jax.config.jax_compilation_cache_dir, jax.config.jax_compilation_cache_max_size, sep='|')\n"
    folder, size = run(code).strip().split("|")
    assert Path(folder) == tmp_path / "throughtime" / "compiled"
    assert int(size) == 256 * 2**20


def test_a_jax_that_has_started_cannot_take_flags(tmp_path: Path) -> None:
    code = "import jax, os, warnings, throughtime as tt\njax.devices()\nbefore = os.environ.get('XLA_FLAGS')\n"
    code += "with warnings.catch_warnings(record=True) as caught:\n    warnings.simplefilter('always')\n"
    code += "    tt.configure()\n    tt.configure(xla_flags=False)\n"
    code += "print([one.category.__name__ for one in caught], os.environ.get('XLA_FLAGS') == before)\n"
    assert run(code).strip() == "['RuntimeWarning'] True"


def test_parts_can_be_left_out() -> None:
    configure(cache=False)
    assert "JAX_COMPILATION_CACHE_DIR" not in os.environ
    assert os.environ.pop("XLA_FLAGS").split() == OURS
    configure(xla_flags=False)
    assert "JAX_COMPILATION_CACHE_DIR" in os.environ
    assert "XLA_FLAGS" not in os.environ
