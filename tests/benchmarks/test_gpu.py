"""The benchmark for GPUs on tiny networks: it runs, and asks for a GPU if there is none.

The weights that it gives to cuDNN are right if JAX's reference of cuDNN, from the same ones, gives the scan's outputs.
"""

import importlib
import json
import sys
from pathlib import Path

import jax
import pytest

FOLDER = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def gpu():
    sys.path.insert(0, str(FOLDER))
    yield importlib.import_module("gpu")
    sys.path.remove(str(FOLDER))


@pytest.fixture
def precision():
    former = jax.config.jax_default_matmul_precision
    yield
    jax.config.update("jax_default_matmul_precision", former)


def test_tiny_networks(gpu, precision, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["gpu.py", "--smoke", "--rounds", "1", "--results", str(tmp_path)])
    gpu.main()
    (file,) = tmp_path.glob("gpu-*.json")
    rows = json.loads(file.read_text())["rows"]
    assert {(row["cell"], row["side"]) for row in rows} >= {
        ("LSTM", "throughtime"),
        ("LSTM", "cuDNN through JAX"),
        ("GRU", "throughtime"),
    }
    assert max(row["difference"] for row in rows) < 1e-6
    assert all(row["milliseconds"][0] > 0 for row in rows)
    assert len(file.with_suffix(".md").read_text().splitlines()) > len(rows)


def test_a_machine_without_a_gpu(gpu, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["gpu.py"])
    with pytest.raises(SystemExit) as left:
        gpu.main()
    assert "NVIDIA GPU" in str(left.value)
