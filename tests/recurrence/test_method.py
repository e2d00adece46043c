"""The methods of unroll: their choice, their equality, and errors for those that cannot run."""

import inspect

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tests.contract import random_cell, random_inputs

import throughtime as tt
from throughtime.kernels import available, off
from throughtime.recurrence import choose_method

B, T = 3, 7
plain_unroll = inspect.unwrap(tt.unroll)  # the type checker of the tests would refuse an unknown method first
needs_kernels = pytest.mark.skipif(not available(), reason=available().why)


def state_of(cell, *batch):
    """Return a random state."""
    return jax.tree.map(lambda leaf: random_inputs(*batch, *leaf.shape, seed=5), cell.initial_state())


@needs_kernels
@pytest.mark.parametrize(
    ("kind", "shape", "hidden", "method"),
    [
        (tt.Elman, (30, 1), 100, "kernel"),  # the reference step
        (tt.Elman, (300, 1), 8, "scan"),  # 19,200 multiplications in one sequence
        (tt.Elman, (1, 313, 1), 8, "kernel"),
        (tt.Elman, (11, 1), 100, "scan"),
        (tt.Elman, (2, 11, 1), 100, "kernel"),
        (tt.GRU, (2, 10, 1), 8, "kernel"),
        (tt.GRU, (2, 10, 1), 7, "scan"),
        (tt.GRU, (20, 10, 1), 7, "kernel"),  # 29,400 multiplications
        (tt.LSTM, (0, 10, 1), 100, "scan"),
        (tt.SLSTM, (20, 10, 1), 100, "scan"),
    ],
)
def test_cells_with_little_work_are_scanned(kind, shape, hidden, method):
    cell = kind(1, hidden, key=jax.random.key(0))
    assert choose_method(cell, jnp.zeros(shape), cell.initial_state()) == method


@needs_kernels
@pytest.mark.parametrize(
    ("kind", "shape", "hidden", "method"),
    [
        (tt.MinGRU, (10, 1), 149, "parallel"),
        (tt.MinGRU, (10, 1), 150, "kernel"),
        (tt.MinGRU, (3, 10, 1), 50, "kernel"),
        (tt.MinGRU, (0, 10, 1), 99, "scan"),
        (tt.MinGRU, (99, 10, 1), 19, "scan"),
        (tt.MinGRU, (99, 10, 1), 20, "kernel"),
        (tt.LRU, (99, 10, 1), 20, "kernel"),
        (tt.LRU, (1000, 300, 1), 10, "kernel"),
        (tt.LRU, (1000, 301, 1), 10, "scan"),
        (tt.MinGRU, (1000, 301, 1), 10, "kernel"),
        (tt.MinLSTM, (9, 10, 1), 29, "scan"),
        (tt.MinLSTM, (9, 10, 1), 30, "kernel"),
        (tt.MinLSTM, (1, 30, 1), 99, "kernel"),
        (tt.MinLSTM, (1, 30, 1), 100, "scan"),
        (tt.MinLSTM, (30, 1), 100, "kernel"),
        (tt.MinLSTM, (2, 30, 1), 100, "kernel"),
        (tt.MinGRU, (1, 30, 1), 100, "kernel"),
        (tt.LRU, (1, 30, 1), 100, "kernel"),
    ],
)
def test_linear_cells_run_by_the_fastest_method(kind, shape, hidden, method):
    cell = kind(1, hidden, key=jax.random.key(0))
    assert choose_method(cell, jnp.zeros(shape), cell.initial_state()) == method


def test_without_kernels_one_sequence_of_a_linear_cell_is_scanned_in_parallel():
    cell, elman = (kind(1, 200, key=jax.random.key(0)) for kind in (tt.MinGRU, tt.Elman))
    with off():
        assert choose_method(cell, jnp.zeros((99, 1)), cell.initial_state()) == "parallel"
        assert choose_method(cell, jnp.zeros((9, 99, 1)), cell.initial_state()) == "scan"
        assert choose_method(elman, jnp.zeros((99, 1)), elman.initial_state()) == "scan"


METHODS = [
    *((name, "scan") for name in ("elman-relu", "lem", "mingru", "lru")),
    *((name, "parallel") for name in ("mingru", "minlstm", "lru")),
    *(pytest.param(name, "kernel", marks=needs_kernels) for name in ("elman-relu", "gru", "lstm", "mingru", "lru")),
]


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("batch", [(), (B,), (0,)], ids=str)
@pytest.mark.parametrize(("name", "method"), METHODS)
def test_every_method_gives_the_same_numbers(name, method, batch, reverse):
    cell = random_cell(name)
    xs, state = random_inputs(*batch, T, cell.inputs), state_of(cell, *batch)
    mask = jnp.asarray(np.random.default_rng(0).random((*batch, T)) < 0.7)
    with off():
        expected = tt.unroll(cell, xs, state, mask=mask, reverse=reverse)
    results = tt.unroll(cell, xs, state, mask=mask, reverse=reverse, method=method)
    assert jax.tree.structure(results) == jax.tree.structure(expected)
    jax.tree.map(lambda new, old: np.testing.assert_allclose(new, old, rtol=1e-5, atol=1e-6), results, expected)


@pytest.mark.parametrize(("name", "method"), METHODS)
def test_the_wanted_method_runs(name, method):
    """Small arrays, for which no kernel would be chosen, and a batch, which would not be scanned in parallel."""
    cell = random_cell(name)
    for shape in ((T, cell.inputs), (B, T, cell.inputs)):
        program = str(jax.make_jaxpr(lambda xs: tt.unroll(cell, xs, method=method))(random_inputs(*shape)))
        assert ("scan[" in program, "ffi_call" in program) == (method == "scan", method == "kernel")


def off_here():
    """Turn kernels off in a context that ends with the test's own call."""
    with off():
        return unroll_with_kernel(random_cell("gru"))


def unroll_with_kernel(cell, dtype=None):
    return plain_unroll(cell, random_inputs(T, cell.inputs).astype(dtype or "float32"), method="kernel")


@needs_kernels
@pytest.mark.parametrize(
    ("run", "reason"),
    [
        (lambda: unroll_with_kernel(random_cell("lem")), "LEM"),
        (lambda: unroll_with_kernel(tt.LayerNorm(random_cell("gru"))), "LayerNorm"),
        (lambda: unroll_with_kernel(tt.Elman(2, 5, jnp.sin, key=jax.random.key(0))), "activation"),
        (lambda: unroll_with_kernel(random_cell("gru"), "bfloat16"), "bfloat16"),
        (off_here, "throughtime.kernels.off()"),
    ],
)
def test_a_kernel_that_cannot_run_is_an_error_with_the_reason(run, reason):
    with pytest.raises(tt.InputError) as error:
        run()
    assert error.value.code == "no-kernel"
    assert reason in error.value.found


@needs_kernels
def test_no_kernel_in_double_precision(x64):
    for name, dtype in (("lstm", "float64"), ("mingru", "float64"), ("lru", "complex128")):
        with pytest.raises(tt.InputError, match=dtype) as error:
            unroll_with_kernel(random_cell(name), "float64")
        assert error.value.code == "no-kernel"


@needs_kernels
def test_no_kernel_while_the_environment_turns_them_off(monkeypatch):
    monkeypatch.setenv("THROUGHTIME_KERNELS", "0")
    with pytest.raises(tt.InputError) as error:
        unroll_with_kernel(random_cell("gru"))
    assert str(error.value) == (
        "no native kernel can run this GRU: native kernels are off: the environment variable THROUGHTIME_KERNELS is "
        "'0'. Use method='auto' or method='scan'."
    )


def test_no_parallel_scan_of_a_cell_that_is_not_linear():
    cell = random_cell("gru")
    with pytest.raises(tt.InputError) as error:
        tt.unroll(cell, random_inputs(T, cell.inputs), method="parallel")
    assert error.value.fields() == {"code": "not-linear", "found": "GRU", "expected": "LinearCell"}
    assert str(error.value) == (
        "a parallel scan cannot run a GRU: expected a LinearCell such as MinGRU, MinLSTM or LRU. "
        "Use method='auto' or method='scan'."
    )


def test_an_unknown_method():
    cell = random_cell("gru")
    with pytest.raises(tt.InputError) as error:
        plain_unroll(cell, random_inputs(T, cell.inputs), method="fast")
    assert (error.value.code, error.value.found) == ("unknown-method", "fast")
    assert str(error.value) == "unknown method 'fast': expected one of auto, scan, parallel, kernel"
