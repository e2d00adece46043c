"""A fork of a process that had computed is refused with the ways that work; it used to hang for ever.

Varied: what computes in the child, and the way the child is made (fork before and after, spawn, a thread).
"""

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
SCRIPT = """
import multiprocessing, sys
import jax, numpy as np
import throughtime as tt
from throughtime.data import Frequency

table = {"ds": np.arange(60), "y": np.arange(60) % 5.0}
panel = tt.Panel(np.array(["a"]), table["y"], np.array([0, 60]), np.array([0]), Frequency("integer", 1, "int64"))

def forecaster():
    return tt.Forecaster(2, hidden=2, steps=2, members=1).fit(panel)

def work(name):
    try:
        USES[name]()
    except tt.InputError as error:
        return error.code
    return "worked"

xs = np.ones((4, 1), "float32")
if sys.argv[1] == "after":
    cell, model = tt.GRU(1, 2, key=0), forecaster()
    model.save(sys.argv[2])
    USES = {"predict": model.predict, "sample": lambda: model.sample(2), "backtest": lambda: model.backtest(panel, 1),
            "fit": forecaster, "unroll": lambda: tt.unroll(cell, xs), "load": lambda: tt.Forecaster.load(sys.argv[2]),
            "cell": lambda: tt.LSTM(1, 2, key=0)}
else:
    USES = {"fit": forecaster, "cell": lambda: tt.LSTM(1, 2, key=0)}
for name in USES:
    with multiprocessing.get_context("fork").Pool(1) as pool:
        print(name, pool.apply_async(work, [name]).get(60))
"""


def run(when, folder):
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SCRIPT, when, str(folder)], capture_output=True, text=True, timeout=280
    )
    assert done.returncode == 0, done.stderr
    return dict(line.split() for line in done.stdout.splitlines())


def test_a_fork_after_a_computation_is_refused(tmp_path):
    answers = run("after", tmp_path / "model")
    assert set(answers) == {"predict", "sample", "backtest", "fit", "unroll", "load", "cell"}
    assert set(answers.values()) == {"forked"}


def test_a_fork_before_the_first_computation_works(tmp_path):
    assert run("before", tmp_path) == {"fit": "worked", "cell": "worked"}
