"""When kernels run, when not, and why not."""

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tests.contract import random_cell, random_inputs
from tests.kernels.compare import assert_same, cell_of, program

import throughtime as tt
from throughtime.kernels import library
from throughtime.kernels.ffi import BACKWARD, FORWARD
from throughtime.kernels.library import available, off

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", ["lstm", "gru", "elman-relu"])
def test_chosen(name):
    assert FORWARD in program(cell_of(name, 2, 5), random_inputs(3, 4, 2))
    assert FORWARD in program(cell_of(name, 2, 5), random_inputs(4, 2))
    with off():
        assert FORWARD not in program(cell_of(name, 2, 5), random_inputs(3, 4, 2))


@pytest.mark.parametrize("name", ["slstm", "lem", "antisymmetric"])
def test_other_cells_scan(name):
    cell = random_cell(name)
    assert FORWARD not in program(cell, random_inputs(3, 4, cell.inputs))


def test_a_custom_activation_scans():
    cell = tt.Elman(2, 5, lambda a: jnp.sin(a), key=jax.random.key(0))
    assert FORWARD not in program(cell, random_inputs(3, 4, 2))


def test_a_wrapped_cell_scans():
    assert FORWARD not in program(tt.LayerNorm(cell_of("gru", 2, 5)), random_inputs(3, 4, 2))


def test_double_precision_scans(x64):
    cell = cell_of("lstm", 2, 5)
    assert cell.b.dtype == jnp.float64
    assert FORWARD not in program(cell, random_inputs(3, 4, 2))


def test_inference_saves_no_residuals():
    """Only a gradient has a backward pass that needs them."""
    cell, xs = cell_of("lstm", 2, 5), random_inputs(3, 4, 2)
    assert "3x4x80xf32" not in program(cell, xs)
    gradient = jax.jit(jax.grad(lambda cell, xs: jnp.sum(tt.unroll(cell, xs)[1]))).lower(cell, xs).as_text()
    assert "3x4x80xf32" in gradient  # 5 blocks of 5, padded to 16


@pytest.mark.parametrize(("argnums", "width"), [(0, 0), (1, 2), ((0, 1), 2)])
def test_the_gradient_by_inputs_is_computed_only_if_needed(argnums, width):
    cell, xs = cell_of("gru", 2, 5), random_inputs(3, 4, 2)
    gradient = jax.grad(lambda cell, xs: jnp.sum(tt.unroll(cell, xs)[1]), argnums)
    (call,) = [line for line in jax.jit(gradient).lower(cell, xs).as_text().splitlines() if BACKWARD in line]
    assert f"tensor<1x3x4x{width}xf32>, tensor<1x3x5xf32>, tensor<1x3x0xf32>)" in call.rpartition("->")[2]


def test_the_environment_switches_them_off(monkeypatch):
    assert available().yes
    monkeypatch.setenv(library.SWITCH, "0")
    availability = available()
    assert not availability
    assert availability.why == "native kernels are off: the environment variable THROUGHTIME_KERNELS is '0'"


def test_off_is_for_its_block_only():
    with off():
        assert not available()
        assert "throughtime.kernels.off()" in available().why
    assert available()


def test_without_the_library_unroll_scans():
    """A fresh process in which the library cannot be found."""
    code = """
import importlib.util, sys
found = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name.endswith("_native") else found(name, *rest)
import jax
import throughtime as tt
print(tt.kernels.available())
print(tt.unroll(tt.GRU(1, 3, key=jax.random.key(0)), jax.numpy.ones((4, 1)))[1].shape)
"""
    environment = {name: value for name, value in os.environ.items() if name != library.LIBRARY}
    command = [sys.executable, "-c", code]
    ended = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert "yes=False" in ended.stdout
    assert "native kernels were not built" in ended.stdout
    assert "(4, 3)" in ended.stdout


def test_a_library_that_cannot_be_loaded(monkeypatch, tmp_path):
    broken = tmp_path / "_native.so"
    broken.write_bytes(b"no library")
    monkeypatch.setenv(library.LIBRARY, str(broken))
    assert "native kernels cannot be loaded" in library._loaded.__wrapped__().why


GRADIENT = """
import json, os, sys
from functools import partial
os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: int(sys.argv[1])])
import jax, numpy as np
from tests.contract import random_inputs
from tests.kernels.compare import cell_of, forward_and_back, padded, state_of
import throughtime as tt
from throughtime.kernels.linear import native_recurrence
cell = cell_of("lstm", 3, 37)
run = jax.jit(forward_and_back())
results = [run(cell, state_of(cell, rows), random_inputs(rows, 11, 3)) for rows in (30, 70)]
wide = cell_of("gru", 3, 32)
results.append(jax.jit(forward_and_back(padded(30, T=23)))(wide, state_of(wide, 30), random_inputs(30, 23, 3)))
for name, hidden in (("lstm", 150), ("gru", 70), ("elman-relu", 150)):
    one = cell_of(name, 2, hidden)
    results.append(run(one, state_of(one), random_inputs(13, 2)))
results.append(jax.vmap(run, in_axes=(None, 0, 0))(cell, state_of(cell, 2, 32), random_inputs(2, 32, 11, 3)))
a, c = random_inputs(20, 300, 70, seed=1), random_inputs(20, 300, 70)
linear = jax.vmap(partial(native_recurrence, reverse=True))(a, c)
leaves = [*jax.tree.leaves(results), linear[:, :4]]
print(json.dumps([tt.kernels.available().why, [np.asarray(leaf).tolist() for leaf in leaves]]))
"""


def gradient(cores=1, **environment):
    """Return the instruction set that a new process used, and its results and gradients."""
    command = [sys.executable, "-c", GRADIENT, str(cores)]
    variables = os.environ | environment
    ended = subprocess.run(command, capture_output=True, text=True, check=True, env=variables, cwd=ROOT)
    return json.loads(ended.stdout)


@pytest.fixture(scope="module")
def newest():
    """The instruction set of one thread if nothing is said, and its results and gradients."""
    return gradient()


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system cannot bind a process to cores")
def test_any_number_of_threads_gives_the_same_bits(newest):
    """70 rows are three parts, whichever thread runs them. 30 rows are two parts, which a single thread runs together,
    in their order or by length, and so are the 32 rows of each of two models. 20 sequences of a linear recurrence are
    shared among all threads.
    """
    if len(os.sched_getaffinity(0)) < 2:
        pytest.skip("there is only one core")
    assert newest == gradient(cores=2) == gradient(cores=2)


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="other CPUs have one instruction set")
def test_older_instructions_give_the_same(newest):
    """Kernels for every instruction set that this CPU has."""
    known = ["SSE2", "AVX2", "AVX-512"]
    names = known[: known.index(available().why) + 1]
    runs = [*(gradient(THROUGHTIME_INSTRUCTIONS=name) for name in names[:-1]), newest]
    assert [name for name, _ in runs] == names
    *older, last = ([np.asarray(leaf) for leaf in leaves] for _, leaves in runs)
    for leaves in older:
        assert_same(leaves, last)
