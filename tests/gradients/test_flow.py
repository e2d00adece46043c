"""The figures of a gradient flow against JAX's own derivative of an unrolled cell, and what the result can do."""

import json

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import polars as pl
import pytest
from tests.contract import CELLS, random_cell, random_inputs

import throughtime as tt
from throughtime.gradients import measure
from throughtime.gradients.jacobians import spectral_norm
from throughtime.layers.batch_normalization import BatchNorm
from throughtime.layers.network import RecurrentNetwork
from throughtime.layers.normalization import LayerNorm

T, B = 7, 3


@pytest.fixture(scope="module")
def lstm_flow():
    cell = random_cell("lstm")
    return tt.gradient_flow(cell, random_inputs(B, T, cell.inputs))


@eqx.filter_jit
def last_h_by_state(cell, xs, state):
    """dh_T / ds_(T-k), (H, S), for the sequence's last steps: JAX's derivative of all of them at once."""

    def last(state):
        after, _ = tt.unroll(cell, xs, state)
        return after.h if hasattr(after, "h") else jnp.concatenate(after)

    return jnp.concatenate(jax.tree.leaves(jax.jacobian(last)(state)), axis=-1)


@pytest.mark.parametrize("name", [name for name in CELLS if not name.startswith("elman") or name == "elman-tanh"])
def test_norms_are_those_of_the_unrolled_cell(name):
    cell = random_cell(name)
    xs = random_inputs(T, cell.inputs)
    flow = tt.gradient_flow(cell, xs)
    h = cell.hidden if hasattr(cell.initial_state(), "h") else 2 * cell.hidden
    for lag in (0, 1, 4, T):
        state, _ = tt.unroll(cell, xs[: T - lag])
        block = np.asarray(last_h_by_state(cell, xs[T - lag :], state), float)
        singular = np.linalg.svd(block[:, :h], compute_uv=False)
        np.testing.assert_allclose(flow.singular_values[lag], singular, rtol=1e-4, atol=1e-6 * singular[0])
        assert flow.norms[lag] == pytest.approx(singular[0], rel=1e-4)
        assert flow.memory[lag] == pytest.approx(np.linalg.norm(block, 2), rel=1e-4)
    assert (flow.norms <= flow.bound * (1 + 1e-6)).all()


def test_a_path_is_the_product_of_its_own_blocks():
    """Of the LSTM's c it is the product of the forget gates, unit by unit."""
    cell = random_cell("lstm")
    xs = random_inputs(T, cell.inputs)
    state, forgets = cell.initial_state(), []
    for x in xs:
        forgets.append(np.asarray(cell.gates(state, cell.project(x))[1], float))
        state, _ = cell.step(state, cell.project(x))
    path = tt.gradient_flow(cell, xs).paths["c"]
    expected = [np.prod(forgets[T - lag :], axis=0).max() for lag in range(1, T + 1)]
    np.testing.assert_allclose(path, [1.0, *expected], rtol=1e-5)


def test_several_sequences_give_their_median(lstm_flow):
    cell = random_cell("lstm")
    xs = random_inputs(B, T, cell.inputs)
    singles = [tt.gradient_flow(cell, x) for x in xs]
    for name in ("norms", "memory", "singular_values"):
        expected = np.median([getattr(single, name) for single in singles], axis=0)
        np.testing.assert_allclose(getattr(lstm_flow, name), expected, rtol=1e-12)
    np.testing.assert_allclose(lstm_flow.per_sequence, [single.memory for single in singles], rtol=1e-12)
    np.testing.assert_allclose(lstm_flow.paths["c"], np.median([one.paths["c"] for one in singles], axis=0))
    np.testing.assert_allclose(lstm_flow.gates["o"], np.mean([one.gates["o"] for one in singles], axis=0), rtol=1e-6)


def test_states_come_one_a_sequence():
    cell = random_cell("gru")
    xs = random_inputs(B, T, cell.inputs)
    states, _ = tt.unroll(cell, random_inputs(B, 4, cell.inputs, seed=9))
    flow = tt.gradient_flow(cell, xs, states)
    last = jax.tree.map(lambda leaf: leaf[-1], states)
    np.testing.assert_allclose(flow.per_sequence[-1], tt.gradient_flow(cell, xs[-1], last).memory, rtol=1e-12)


def test_estimates_keep_within_their_errors(monkeypatch):
    """Of a state too large for exact norms, which this one is not."""
    cell = tt.LSTM(3, 24, key=jax.random.key(4))
    xs = random_inputs(12, 3)
    exact = tt.gradient_flow(cell, xs)
    monkeypatch.setattr(measure, "MOST_NUMBERS", 1)
    estimated = tt.gradient_flow(cell, xs)
    assert (estimated.errors[1:] > 0).all()
    assert (np.abs(estimated.norms - exact.norms) <= estimated.errors + 1e-5 * exact.norms).all()
    for name in ("norms", "memory", "bound"):
        np.testing.assert_allclose(getattr(estimated, name), getattr(exact, name), rtol=5e-3)
    assert estimated.singular_values.shape == (13, 1)
    assert "estimates" in estimated.verdict
    assert "estimates" not in exact.verdict


def test_the_norm_of_a_large_matrix():
    matrix = np.random.default_rng(0).standard_normal((530, 520))
    assert spectral_norm(matrix) == pytest.approx(np.linalg.svd(matrix, compute_uv=False)[0], rel=1e-10)


def test_extremes_neither_underflow_nor_overflow():
    """Over 2,000 steps: 0.5^2000 is no float64, its half-life is still 1; 2^2000 is infinite, and said to explode."""
    for rho, half_life, word in ((0.5, 1.0, "vanishes"), (2.0, np.inf, "explodes")):
        cell = tt.Elman(1, 2, "identity", recurrent_init=tt_identity(rho), key=jax.random.key(0))
        flow = tt.gradient_flow(cell, jnp.zeros((2000, 1)))
        assert flow.half_life == pytest.approx(half_life, rel=1e-6)
        assert word in flow.verdict


def tt_identity(scale):
    return lambda key, shape, dtype: scale * jnp.eye(*shape, dtype=dtype)


def test_the_first_value_that_is_not_finite_is_named():
    cell = random_cell("elman-relu")
    xs = random_inputs(T, cell.inputs)
    flow = tt.gradient_flow(cell, xs.at[3, 1].set(jnp.nan))
    assert flow.not_finite == (3, "xs", "the input is not finite")
    assert "not finite from step 3 on, in xs" in flow.verdict
    np.testing.assert_array_equal(np.isfinite(flow.norms), np.arange(T + 1) == 0)  # h_T itself is no number
    overflowing = eqx.tree_at(lambda cell: cell.w_h, cell, jnp.full_like(cell.w_h, 1e30))
    flow = tt.gradient_flow(overflowing, jnp.abs(xs) + 10)
    assert (flow.not_finite.step, flow.not_finite.array) == (2, "h")
    assert "overflows" in flow.verdict
    json.loads(flow.to_json())
    flow.plot()


def test_a_slope_that_is_infinite_is_named():
    cell = tt.Elman(1, 2, lambda a: jnp.sqrt(jnp.maximum(a, 0)), key=jax.random.key(0))
    flow = tt.gradient_flow(cell, jnp.zeros((T, 1)))
    assert flow.not_finite[:2] == (0, "the step's Jacobian")


def test_words_for_each_fate():
    def flow(rho, steps=60):
        cell = tt.Elman(1, 2, "identity", recurrent_init=tt_identity(rho), key=jax.random.key(0))
        return tt.gradient_flow(cell, jnp.zeros((steps, 1))).verdict

    assert "vanishes. A gradient halves every 1 steps; over more than 6 steps" in flow(0.5)
    assert "fades slowly" in flow(0.99)
    assert "keeps. Over all 60 steps 100% of a gradient is left" in flow(1.0)
    assert "explodes. Over 60 steps a gradient grows 5.5e+10 times, 51% a step" in flow(1.51)
    dead = tt.Elman(1, 2, "relu", key=jax.random.key(0))
    dead = eqx.tree_at(lambda cell: cell.b, dead, jnp.full(2, -5.0))
    verdict = tt.gradient_flow(dead, jnp.zeros((T, 1))).verdict
    assert "vanishes for good. Nothing at all flows back over 1 step" in verdict
    assert "100% of the gates are dead" in verdict
    assert "does not prove" in verdict


def test_table_json_and_words(lstm_flow):
    frame = lstm_flow.to_frame()
    assert frame.columns == ["lag", "norm", "bound", "memory", "error", "path_h", "path_c"]
    assert frame["lag"].to_list() == list(range(T + 1))
    np.testing.assert_array_equal(frame["path_c"], lstm_flow.paths["c"])
    content = json.loads(lstm_flow.to_json())
    assert content["half_life"] == lstm_flow.half_life
    assert content["verdict"] == lstm_flow.verdict == str(lstm_flow)
    assert content["paths"]["c"] == lstm_flow.paths["c"].tolist()
    assert repr(lstm_flow).startswith("GradientFlow('LSTM, 7 units', steps=7, half_life=")
    with pytest.raises(AttributeError):
        lstm_flow.norms = None


def test_notebooks_see_the_picture_and_the_figures(lstm_flow):
    page = lstm_flow._repr_html_()
    assert "<svg" in page
    assert "half-life" in page
    assert "LSTM, 7 units" in page
    titles = [axes.get_title("left") for axes in lstm_flow.plot().axes]
    assert titles[0] == "What is left of a gradient"
    assert len(titles) == 4


def test_a_network_is_measured_by_its_cell():
    cell = random_cell("gru")
    network = RecurrentNetwork(cell, 2, key=jax.random.key(1))
    xs = random_inputs(T, cell.inputs)
    np.testing.assert_array_equal(tt.gradient_flow(network, xs).norms, tt.gradient_flow(cell, xs).norms)


def test_wrapped_cells_and_cells_of_ones_own():
    """A wrapper's inner h is h; a cell without named gates has no shares."""
    cell = random_cell("lstm")
    xs = random_inputs(T, cell.inputs)
    assert set(tt.gradient_flow(BatchNorm(cell, T), xs).paths) == {"h", "c"}
    assert set(tt.gradient_flow(LayerNorm(cell), xs).gates) == set(cell.GATES)
    plain = tt.gradient_flow(tt.Residual(random_square("gru")), random_inputs(T, 4))
    assert plain.gates == {}
    np.testing.assert_allclose(plain.norms, tt.gradient_flow(random_square("gru"), random_inputs(T, 4)).norms)


def random_square(name):
    kind = {"gru": tt.GRU}[name]
    return kind(4, 4, key=jax.random.key(3))


@pytest.mark.parametrize(
    ("model", "xs", "message"),
    [
        ("lstm", jnp.zeros((T, 3)), "got a str: expected a cell, a RecurrentNetwork or a fitted Forecaster"),
        (random_cell("lstm"), None, r"needs the inputs of a cell: xs \(T, 3\), or \(B, T, 3\)"),
        (random_cell("lstm"), jnp.zeros((T, 2)), r"xs has shape \(7, 2\): expected \(T, 3\)"),
        (random_cell("lstm"), jnp.zeros((0, 3)), "at least one step"),
        (tt.Forecaster(3), None, "no trained network"),
    ],
)
def test_what_cannot_be_measured(model, xs, message):
    with pytest.raises(tt.InputError, match=message):
        tt.gradient_flow(model, xs)


def test_to_frame_is_polars(lstm_flow):
    assert isinstance(lstm_flow.to_frame(), pl.DataFrame)
