"""Unrolling on several devices gives the numbers of one: ``jax.shard_map``, and meshes with explicit axes.

Varied: cells with a kernel of the loop and of the linear recurrence, without one, wrapped and one's own; scan and
kernel; masks, states and directions; one and two mesh axes; first and second derivatives; with and without JAX's check;
which of inputs, mask and state is split; tokens, and noise in layers.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from throughtime.kernels import available

PROGRAM = Path(__file__).with_name("four_devices.py")
SECOND = 1e-3  # of a second derivative in float32


@pytest.mark.skipif(not available(), reason="the program asks for kernels")
def test_four_devices_give_the_numbers_of_one():
    ran = subprocess.run([sys.executable, str(PROGRAM)], capture_output=True, text=True, timeout=600, check=False)
    assert ran.returncode == 0, ran.stderr[-3000:]
    errors = json.loads(ran.stdout.splitlines()[-1])
    assert len(errors) == 28
    wrong = {name: error for name, error in errors.items() if not error < (SECOND if name == "second" else 3e-5)}
    assert not wrong
