"""How weights start: what each initializer promises of its numbers, gate by gate."""

import inspect
from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import throughtime as tt
from throughtime.cells import initializers
from throughtime.cells.initializers import (
    BIASES,
    MATRICES,
    bias_init,
    chrono,
    forget,
    gated_weights,
    matrix_init,
    orthogonal,
)

KEY = jax.random.key(5)
SHAPES = [(5, 5), (7, 3), (3, 7)]


def matrix(name: str, shape: tuple[int, int]) -> np.ndarray:
    return np.asarray(matrix_init(name)(KEY, shape, jnp.float32))


@pytest.mark.parametrize("name", MATRICES)
@pytest.mark.parametrize("dtype", [jnp.float32, jnp.float64])
def test_every_matrix_has_the_shape_and_dtype_asked_for(name, dtype, x64):
    weights = jax.eval_shape(lambda: matrix_init(name)(KEY, (7, 3), dtype))
    assert (weights.shape, weights.dtype) == ((7, 3), dtype)


@pytest.mark.parametrize("name", [name for name in MATRICES if name != "identity"])
def test_random_matrices_depend_on_the_key_and_on_nothing_else(name):
    again, other = (matrix_init(name)(key, (5, 3), jnp.float32) for key in (KEY, jax.random.key(6)))
    np.testing.assert_array_equal(matrix(name, (5, 3)), again)
    assert not np.isclose(matrix(name, (5, 3)), other).any()


@pytest.mark.parametrize("shape", SHAPES)
def test_orthogonal(shape):
    weights = matrix("orthogonal", shape)
    gram = weights.T @ weights if shape[0] >= shape[1] else weights @ weights.T
    np.testing.assert_allclose(gram, np.eye(min(shape)), atol=1e-6)


def test_orthogonal_scaled():
    weights = initializers.orthogonal(1.5)(KEY, (5, 5), jnp.float32)
    np.testing.assert_allclose(np.linalg.svd(weights, compute_uv=False), np.full(5, 1.5), rtol=1e-5)


@pytest.mark.parametrize("shape", SHAPES)
def test_identity(shape):
    np.testing.assert_array_equal(matrix("identity", shape), np.eye(*shape))
    np.testing.assert_array_equal(initializers.identity(0.3)(KEY, shape, jnp.float32), np.float32(0.3) * np.eye(*shape))


# Of 60,000 numbers the standard deviation is within 2 % of the promised one, with many standard errors to spare.
ROWS, COLUMNS = 200, 300


@pytest.mark.parametrize(
    ("name", "stddev"),
    [
        ("glorot", (2 / (ROWS + COLUMNS)) ** 0.5),
        ("he", (2 / COLUMNS) ** 0.5),
        ("normal", 0.01),
        ("uniform", (1 / (3 * ROWS)) ** 0.5),
    ],
)
def test_mean_and_spread(name, stddev):
    weights = matrix(name, (ROWS, COLUMNS))
    assert weights.std() == pytest.approx(stddev, rel=0.02)
    assert abs(weights.mean()) < 0.02 * stddev


@pytest.mark.parametrize(("name", "limit"), [("glorot", (6 / (ROWS + COLUMNS)) ** 0.5), ("uniform", ROWS**-0.5)])
def test_bounds_are_kept_and_reached(name, limit):
    weights = np.abs(matrix(name, (ROWS, COLUMNS)))
    assert 0.999 * limit < weights.max() <= limit


def test_normal_scaled():
    weights = initializers.normal(2.0)(KEY, (ROWS, COLUMNS), jnp.float32)
    assert weights.std() == pytest.approx(2.0, rel=0.02)


def test_each_gate_gets_its_own_matrix():
    """Drawn for one gate's shape (H, D), not for all gates' (G*H, D), and never twice the same."""
    w_x, w_h, _ = gated_weights(3, 5, ("r", "z", "n"), ("glorot", "orthogonal", "zeros"), KEY)
    gates_x, gates_h = np.split(w_x, 3), np.split(w_h, 3)
    for gate in gates_h:
        np.testing.assert_allclose(gate @ gate.T, np.eye(5), atol=1e-6)
    assert (6 / (3 + 15)) ** 0.5 < np.abs(w_x).max() <= (6 / (3 + 5)) ** 0.5
    for blocks in (gates_x, gates_h):
        assert not any(np.isclose(blocks[i], blocks[j]).all() for i, j in ((0, 1), (0, 2), (1, 2)))


@pytest.mark.parametrize(("kind", "gate"), [(tt.LSTM, 1), (tt.GRU, 1)], ids=["lstm-f", "gru-z"])
def test_forget_opens_the_gate_that_keeps_the_state(kind, gate):
    bias = np.split(bias_init("forget")(KEY, kind.GATES, 4, jnp.float32), len(kind.GATES))
    for place, block in enumerate(bias):
        np.testing.assert_array_equal(block, np.full(4, 1.0 if place == gate else 0.0))


def test_forget_keeps_the_state():
    """With no other weight, the state decays by sigmoid(5) a step: the bias is where it acts."""

    def no_weights(key, shape, dtype):
        return jnp.zeros(shape, dtype)

    for kind in (tt.LSTM, tt.GRU):
        cell = kind(2, 3, input_init=no_weights, recurrent_init=no_weights, bias_init=forget(5.0), key=KEY)
        moved, _ = cell.step(jax.tree.map(jnp.ones_like, cell.initial_state()), cell.project(jnp.ones(2)))
        np.testing.assert_allclose(moved[-1], np.full(3, 1 / (1 + np.exp(-5))), rtol=1e-6)


def test_lstm_starts_with_an_open_forget_gate_and_gru_with_no_bias():
    lstm, gru = tt.LSTM(2, 3, key=KEY), tt.GRU(2, 3, key=KEY)
    np.testing.assert_array_equal(lstm.b, [0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0])
    np.testing.assert_array_equal(gru.b, np.zeros(9))
    np.testing.assert_array_equal(gru.b_h, np.zeros(3))


def test_chrono_spreads_the_lstm_over_the_range():
    i, f, g, o = np.split(chrono(100)(KEY, tt.LSTM.GATES, 1000, jnp.float32), 4)
    assert f.min() >= 0
    assert f.max() <= np.log(99)
    assert np.exp(f).mean() == pytest.approx(50, rel=0.05)  # U[1, 99]
    np.testing.assert_array_equal(i, -f)
    np.testing.assert_array_equal(np.concatenate([g, o]), np.zeros(2000))


def test_chrono_of_the_gru_moves_only_the_keeping_gate():
    r, z, n = np.split(chrono(100)(KEY, tt.GRU.GATES, 1000, jnp.float32), 3)
    assert np.exp(z).mean() == pytest.approx(50, rel=0.05)
    np.testing.assert_array_equal(np.concatenate([r, n]), np.zeros(2000))


def test_chrono_of_the_shortest_range_is_zero():
    np.testing.assert_array_equal(chrono(2)(KEY, tt.LSTM.GATES, 3, jnp.float32), np.zeros(12))


@pytest.mark.parametrize("longest", [1, 0, -5])
def test_chrono_needs_a_range(longest):
    with pytest.raises(tt.InputError) as error:
        chrono(longest)
    assert error.value.fields() == {"code": "too-short", "found": longest, "expected": 2}
    assert str(error.value) == f"chrono got longest={longest}: expected dependencies of at least 2 steps"


@pytest.mark.parametrize("bias", [forget(), chrono(9)], ids=["forget", "chrono"])
def test_a_cell_without_a_keeping_gate_cannot_forget(bias):
    with pytest.raises(tt.InputError) as error:
        bias(KEY, tt.Elman.GATES, 3, jnp.float32)
    assert error.value.fields() == {"code": "no-keeping-gate", "found": ["a"]}
    assert str(error.value) == (
        "this cell has the gates a: forget and chrono biases need a gate that keeps the state, as f of an LSTM or z "
        "of a GRU"
    )


def test_uniform_bias_is_pytorchs():
    bias = bias_init("uniform")(KEY, ("a", "b"), 5000, jnp.float32)
    assert bias.shape == (10000,)
    assert 0.999 * 5000**-0.5 < np.abs(bias).max() <= 5000**-0.5


@pytest.mark.parametrize("kind", [tt.LSTM, tt.MinGRU])
def test_names_draw_at_once_the_numbers_of_their_functions(kind):
    """Varied: a cell with recurrent weights, and one without; random matrices and biases."""
    names = {"input_init": "normal", "bias_init": "uniform"}
    names |= {"recurrent_init": "orthogonal"} if kind is tt.LSTM else {}
    tables = {"input_init": MATRICES, "recurrent_init": MATRICES, "bias_init": BIASES}
    functions = {argument: tables[argument][name] for argument, name in names.items()}
    cells = kind(3, 5, **names, key=KEY), kind(3, 5, **functions, key=KEY)
    jax.tree.map(partial(np.testing.assert_allclose, rtol=1e-6), *cells)


def test_a_function_is_called_for_each_gate_of_each_cell():
    random = np.random.default_rng(0)
    cells = [tt.GRU(2, 3, recurrent_init=lambda key, shape, dtype: random.normal(size=shape), key=1) for _ in range(2)]
    gates = np.concatenate([np.split(cell.w_h, 3) for cell in cells])
    assert len({gate.tobytes() for gate in gates}) == 6


def test_a_function_stands_in_place_of_a_name():
    def threes(key, shape, dtype):
        return jnp.full(shape, 3.0, dtype)

    cell = tt.GRU(2, 3, input_init=threes, recurrent_init="identity", key=KEY)
    np.testing.assert_array_equal(cell.w_x, np.full((9, 2), 3.0))
    np.testing.assert_array_equal(cell.w_h, np.tile(np.eye(3), (3, 1)))


@pytest.mark.parametrize("kind", [tt.Elman, tt.GRU, tt.LSTM])
@pytest.mark.parametrize(("inputs", "hidden"), [(0, 3), (2, 0), (-1, 3), (True, 3)])
def test_sizes_are_positive_whole_numbers(kind, inputs, hidden):
    with pytest.raises(tt.InputError) as error:
        kind(inputs, hidden, key=KEY)
    assert error.value.code == "not-a-size"
    assert error.value.found == (hidden if inputs == 2 else inputs)


def test_a_size_that_is_not_whole():
    plain = inspect.unwrap(gated_weights)  # the type checker of the tests would refuse it first
    with pytest.raises(tt.InputError, match=r"hidden is 2\.5: expected a whole number of at least 1"):
        plain(2, 2.5, ("a",), ("glorot", "glorot", "zeros"), KEY)


@pytest.mark.parametrize(
    ("argument", "name", "table", "closest"),
    [
        ("input_init", "xglorot", MATRICES, "glorot"),
        ("recurrent_init", "ortogonal", MATRICES, "orthogonal"),
        ("bias_init", "zero", BIASES, "zeros"),
    ],
)
def test_an_unknown_name_is_answered_with_the_closest(argument, name, table, closest):
    with pytest.raises(tt.InputError, match=f"Did you mean '{closest}'") as error:
        tt.LSTM(2, 3, **{argument: name}, key=KEY)
    assert error.value.fields() == {"code": "unknown-name", "found": name, "expected": list(table)}


@pytest.mark.parametrize("kind", [tt.Elman, tt.GRU, tt.LSTM])
def test_cells_follow_the_float_type_that_is_enabled(kind, x64):
    cell = eqx.filter_eval_shape(kind, 2, 3, key=KEY)
    assert {leaf.dtype for leaf in jax.tree.leaves(cell)} == {jnp.dtype("float64")}


@pytest.mark.parametrize("shape", [(5, 5), (31, 31), (13, 4), (7, 12)])
def test_orthogonal_matrices_are_those_of_jax(shape):
    actual = orthogonal(1.5)(jax.random.key(3), shape, jnp.float32)
    expected = jax.nn.initializers.orthogonal(1.5)(jax.random.key(3), shape, jnp.float32)
    np.testing.assert_allclose(actual, expected, atol=2e-6)


def test_orthogonal_matrices_need_no_lapack():
    """Its QR waits for tasks of the threads that it runs in: several in one program never end."""
    program = jax.jit(lambda key: orthogonal()(key, (64, 64), jnp.float32)).lower(jax.random.key(0))
    assert "lapack" not in program.as_text()
    assert "lapack" in jax.jit(jnp.linalg.qr).lower(jnp.eye(3)).as_text()
