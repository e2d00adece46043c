"""The numbers of a gradient flow against JAX's own derivative of an unrolled cell, and the result's table and JSON."""

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
from throughtime.gradients.finite import NotFinite
from throughtime.gradients.jacobians import spectral_norm
from throughtime.layers import BatchNorm, LayerNorm, RecurrentNetwork

T, B = 7, 3


@pytest.fixture(scope="module")
def lstm_flow():
    cell = random_cell("lstm")
    return tt.gradient_flow(cell, random_inputs(B, T, cell.inputs))


@eqx.filter_jit
def last_h_by_state(cell, xs, state):
    """Return dh_T / ds_(T-k), (H, S), of the sequence's last steps: JAX's derivative of all of them at once."""

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
    assert flow.bound_kind == ("pascanu" if name == "elman-tanh" else "product")


def test_a_path_is_the_product_of_its_own_blocks():
    """For the LSTM's c it is the product of the forget gates, unit by unit."""
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
    paths, gates = [single.paths["c"] for single in singles], [single.gates["o"] for single in singles]
    np.testing.assert_allclose(lstm_flow.paths["c"], np.median(paths, axis=0))
    np.testing.assert_allclose(lstm_flow.gates["o"], np.mean(gates, axis=0), rtol=1e-6)


def test_every_sequence_has_its_first_state():
    cell = random_cell("gru")
    xs = random_inputs(B, T, cell.inputs)
    states, _ = tt.unroll(cell, random_inputs(B, 4, cell.inputs, seed=9))
    flow = tt.gradient_flow(cell, xs, states)
    last = jax.tree.map(lambda leaf: leaf[-1], states)
    np.testing.assert_allclose(flow.per_sequence[-1], tt.gradient_flow(cell, xs[-1], last).memory, rtol=1e-12)


def test_estimates_keep_within_their_errors(monkeypatch):
    """A lower limit makes this state too large for exact norms."""
    cell = tt.LSTM(3, 24, key=jax.random.key(4))
    xs = random_inputs(12, 3)
    exact = tt.gradient_flow(cell, xs)
    monkeypatch.setattr(measure, "MAX_JACOBIAN_ENTRIES", 1)
    estimated = tt.gradient_flow(cell, xs)
    assert (estimated.errors[1:] > 0).all()
    assert (exact.errors == 0).all()
    assert (np.abs(estimated.norms - exact.norms) <= estimated.errors + 1e-5 * exact.norms).all()
    for name in ("norms", "memory", "bound"):
        np.testing.assert_allclose(getattr(estimated, name), getattr(exact, name), rtol=5e-3)
    assert estimated.singular_values.shape == (13, 1)
    assert "estimates" in estimated.verdict
    assert "estimates" not in exact.verdict


def test_the_norm_of_a_large_matrix():
    matrix = np.random.default_rng(0).standard_normal((530, 520))
    assert spectral_norm(matrix) == pytest.approx(np.linalg.svd(matrix, compute_uv=False)[0], rel=1e-10)


def test_the_first_input_that_is_not_finite():
    cell = random_cell("elman-relu")
    xs = random_inputs(T, cell.inputs)
    flow = tt.gradient_flow(cell, xs.at[3, 1].set(jnp.nan))
    assert flow.not_finite == NotFinite(3, "input")
    np.testing.assert_array_equal(np.isfinite(flow.norms), np.arange(T + 1) == 0)  # h_T itself is NaN


def test_the_first_state_that_overflows():
    cell = random_cell("elman-relu")
    xs = jnp.abs(random_inputs(T, cell.inputs)) + 10
    overflowing = eqx.tree_at(lambda cell: cell.w_h, cell, jnp.full_like(cell.w_h, 1e30))
    problem = tt.gradient_flow(overflowing, xs).not_finite
    assert problem[:3] == (2, "state", "h")
    hs = tt.unroll(overflowing, xs[:2])[1]
    assert problem.largest_before == pytest.approx(float(jnp.max(jnp.abs(hs[1]))), rel=1e-5)


def test_the_first_slope_that_is_infinite():
    cell = tt.Elman(1, 2, lambda a: jnp.sqrt(jnp.maximum(a, 0)), key=jax.random.key(0))
    assert tt.gradient_flow(cell, jnp.zeros((T, 1))).not_finite == NotFinite(0, "jacobian")


def test_the_earliest_problem_of_several_sequences():
    cell = random_cell("elman-relu")
    xs = random_inputs(B, T, cell.inputs).at[0, 5].set(jnp.nan).at[2, 1].set(jnp.nan)
    assert tt.gradient_flow(cell, xs).not_finite == NotFinite(1, "input")


def test_a_flow_that_is_not_finite_has_json_and_a_picture():
    cell = random_cell("elman-relu")
    flow = tt.gradient_flow(cell, random_inputs(T, cell.inputs).at[3, 1].set(jnp.nan))
    content = json.loads(flow.to_json())
    assert content["norms"] == [1.0, *[None] * T]
    assert content["not_finite"] == {"step": 3, "kind": "input", "array": None, "largest_before": None}
    flow.plot()


def test_the_table(lstm_flow):
    frame = lstm_flow.to_frame()
    assert isinstance(frame, pl.DataFrame)
    assert frame.columns == ["lag", "norm", "bound", "memory", "error", "path_h", "path_c"]
    assert frame["lag"].to_list() == list(range(T + 1))
    np.testing.assert_array_equal(frame["path_c"], lstm_flow.paths["c"])


def test_the_json(lstm_flow):
    content = json.loads(lstm_flow.to_json())
    assert (content["cell"], content["label"]) == ("LSTM", "LSTM, 7 units")
    assert content["half_life"] == lstm_flow.half_life
    assert content["verdict"] == lstm_flow.verdict == str(lstm_flow)
    assert content["paths"]["c"] == lstm_flow.paths["c"].tolist()
    assert content["gates"]["o"] == lstm_flow.gates["o"].tolist()
    assert content["dead_by_unit"] == [0] * 7
    assert content["calendar_step"] is content["horizon_by_lag"] is None


def test_a_flow_is_frozen_and_shows_its_main_numbers(lstm_flow):
    assert repr(lstm_flow).startswith("GradientFlow('LSTM, 7 units', steps=7, half_life=")
    with pytest.raises(AttributeError):
        lstm_flow.decay = None


def test_notebooks_show_the_picture_and_the_numbers(lstm_flow):
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


def test_the_state_of_a_wrapped_cell_keeps_its_names():
    cell = random_cell("lstm")
    xs = random_inputs(T, cell.inputs)
    assert set(tt.gradient_flow(BatchNorm(cell, T), xs).paths) == {"h", "c"}
    assert set(tt.gradient_flow(LayerNorm(cell), xs).gates) == set(cell.GATES)


def test_a_cell_that_does_not_show_its_gates():
    cell = tt.GRU(4, 4, key=jax.random.key(3))
    flow, of_gru = (tt.gradient_flow(model, random_inputs(T, 4)) for model in (tt.Residual(cell), cell))
    assert flow.gates == flow.slopes == {}
    assert flow.saturated == flow.dead == 0
    assert (flow.cell, of_gru.cell) == ("Residual", "GRU")
    assert flow.recurrent_norm is None
    assert of_gru.recurrent_norm == pytest.approx(np.linalg.norm(np.asarray(cell.w_h), 2), rel=1e-5)
    np.testing.assert_allclose(flow.norms, of_gru.norms)


@pytest.mark.parametrize(
    ("model", "xs", "code", "found"),
    [
        ("lstm", jnp.zeros((T, 3)), "not-a-cell", "str"),
        (random_cell("lstm"), None, "no-inputs", None),
        (random_cell("lstm"), jnp.zeros((T, 2)), "wrong-shape", (T, 2)),
        (random_cell("lstm"), jnp.zeros((0, 3)), "wrong-shape", (0, 3)),
    ],
)
def test_unusable_arguments(model, xs, code, found):
    with pytest.raises(tt.InputError) as caught:
        tt.gradient_flow(model, xs)
    assert (caught.value.code, caught.value.found) == (code, found)


def test_a_forecaster_without_a_network_is_refused():
    with pytest.raises(tt.InputError):
        tt.gradient_flow(tt.Forecaster(3))


def test_the_message_of_a_wrong_shape():
    with pytest.raises(tt.InputError) as caught:
        tt.gradient_flow(random_cell("lstm"), jnp.zeros((T, 2)))
    assert str(caught.value) == (
        "xs has shape (7, 2): expected (T, 3) or (B, T, 3) with at least one step, for a cell of 3 inputs"
    )
