"""Lesson 5: its mistakes break the contracts that it says, and its cell keeps them all and is the paper's."""

import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import jax
import numpy as np
import pytest
from tests.contract import random_inputs, random_weights
from tests.docs.lessons import imported

import throughtime as tt
from throughtime.cells.catalog import CELLS

SCRIPT = Path(__file__).parents[2] / "docs" / "lessons" / "your_own_cell.py"


@pytest.fixture(scope="module")
def lesson() -> ModuleType:
    return imported("your_own_cell")


def test_each_attempt_breaks_what_the_lesson_says(lesson):
    key = jax.random.key(0)
    first, second, third = (
        lesson.complaint(kind(3, 5, key=key)) for kind in (lesson.FirstAttempt, lesson.SecondAttempt, lesson.UGRNN)
    )
    assert first.startswith("FirstAttempt breaks the contract state_keeps_shape")
    assert second.startswith("SecondAttempt breaks the contract works_in_float64")
    assert third == "UGRNN keeps every contract."


def test_it_is_the_papers_cell(lesson):
    """Random weights everywhere: nothing is zero, and no gate can stand in for the other."""
    cell = random_weights(lambda: lesson.UGRNN(3, 5, key=jax.random.key(0)))
    xs, h = random_inputs(7, 3), np.zeros(5)
    _, ys = tt.unroll(cell, xs)
    for x, y in zip(np.asarray(xs, np.float64), ys, strict=True):
        h = lesson.step_by_hand(cell, h, x)
        np.testing.assert_allclose(y, h, rtol=0, atol=1e-5)


def test_it_starts_by_keeping(lesson):
    np.testing.assert_array_equal(lesson.UGRNN(3, 5, key=jax.random.key(0)).b, [1.0] * 5 + [0.0] * 5)


def test_a_forecaster_takes_it_by_name(lesson, monkeypatch):
    monkeypatch.setitem(CELLS, "ugrnn-of-a-test", tt.GRU)  # the table is as before afterwards
    forecast = lesson.forecast_with("ugrnn-of-a-test", lesson.UGRNN)
    assert forecast.columns == ["unique_id", "ds", "throughtime", "throughtime-lo-80", "throughtime-hi-80"]
    assert forecast["throughtime"].is_between(9, 16).all()


@pytest.mark.slow
def test_it_runs_and_its_cell_learns(tmp_path):
    plain = {name: value for name, value in os.environ.items() if name != "XLA_FLAGS"}
    command = [sys.executable, str(SCRIPT), "--picture", str(tmp_path / "flow.png")]
    finished = subprocess.run(command, capture_output=True, text=True, check=False, env=plain)
    assert finished.returncode == 0, finished.stderr
    last = {}
    for name in ("Elman", "UGRNN", "GRU"):
        (line,) = (line for line in finished.stdout.splitlines() if line.startswith(f"  {name:<6} 0."))
        last[name] = float(line.split()[-1])
    assert last["Elman"] > 0.15  # the mean of all answers has 1/6
    assert last["UGRNN"] < 0.01
    assert last["GRU"] < 0.01
    assert (tmp_path / "flow.png").read_bytes().startswith(b"\x89PNG")
