"""A watch's records against gradients by hand, NumPy and the steps themselves; and watching changes no number."""

import math
from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import polars as pl
import pytest
from tests.contract import random_cell, random_inputs

import throughtime as tt
from throughtime.cells import GatedCell
from throughtime.cells.initializers import orthogonal
from throughtime.layers.network import RecurrentNetwork
from throughtime.training.loop import run_steps, start
from throughtime.training.records import Records
from throughtime.training.watch import Watch

B, T, O, STEPS, EVERY, CLIP = 3, 6, 2, 11, 4, 0.4  # noqa: E741
OPTIMIZER = optax.chain(optax.clip_by_global_norm(CLIP), optax.adam(0.02))


def draw(data, key):
    """A batch (B, T, D) of the data (N, T, D), and targets (B, T, O)."""
    x = data[jax.random.randint(key, (B,), 0, len(data))]
    return x, jnp.sin(x.sum(axis=2, keepdims=True) * jnp.arange(1.0, O + 1)[None, None])


def loss(model, data, key):
    x, y = draw(data, key)
    return jnp.mean((model(x)[1] - y) ** 2)


def begin(name):
    cell = random_cell(name)
    network = RecurrentNetwork(cell, O, key=jax.random.key(1))
    return start(network, OPTIMIZER, jax.random.key(2)), 2 * random_inputs(7, T, cell.inputs)


def watched(state, data, watch, *, steps=STEPS, every=EVERY):
    return list(run_steps(state, loss, OPTIMIZER, data, steps=steps, every=every, watch=watch))


def next_key(state):
    return jax.random.fold_in(state.key, state.step)


@pytest.fixture(scope="module")
def lstm():
    """A run of an LSTM: its start, its data and its reports."""
    state, data = begin("lstm")
    return state, data, watched(state, data, Watch(CLIP))


@pytest.fixture(scope="module")
def unwatched(lstm):
    """The same run, a report each step."""
    state, data, _ = lstm
    return list(run_steps(state, loss, OPTIMIZER, data, steps=STEPS, every=1))


def by_hand(state, data):
    """(T + 1,) the norm of dLoss/ds_(T-k): a nudge for each state of each sequence, added between the steps."""
    network, (x, y) = state.model, draw(data, next_key(state))
    cell = network.cell

    def output(state, gx):
        """From the state alone, as each cell's docstring says."""
        if isinstance(cell, tt.LRU):
            return cell.c_re @ state.re - cell.c_im @ state.im + gx[-cell.hidden :]
        return state.h

    def error(nudges, x, y):
        def step(state, at):
            gx, nudge, target = at
            state = jax.tree.map(jnp.add, cell.step(state, gx)[0], nudge)
            return state, jnp.sum((network.readout(output(state, gx)) - target) ** 2)

        first, others = (jax.tree.map(lambda leaf, part=part: leaf[part], nudges) for part in (0, slice(1, None)))
        state = jax.tree.map(jnp.add, cell.initial_state(), first)
        return jnp.sum(jax.lax.scan(step, state, (cell.project(x), others, y))[1]) / y.size / B

    nudges = jax.tree.map(lambda leaf: jnp.zeros((T + 1, *leaf.shape)), cell.initial_state())
    gradients = jax.jit(jax.vmap(jax.grad(error), (None, 0, 0)))(nudges, x, y)
    squares = sum(np.sum(np.square(leaf), axis=(0, 2)) for leaf in jax.tree.leaves(gradients))
    return np.sqrt(squares)[::-1]


@pytest.mark.parametrize("name", ["elman-relu", "lstm", "mingru", "lru", "lem"])
def test_the_gradient_by_lag_is_that_of_nudged_states(name):
    state, data = begin(name)
    (report,) = watched(state, data, Watch(lags=T + 3), steps=1)
    norms = report.record.gradient_by_lag
    np.testing.assert_allclose(norms[: T + 1], by_hand(report.state, data), rtol=2e-4, atol=1e-8)
    assert np.isnan(norms[T + 1 :]).all()


def test_a_linear_network_s_gradient_is_a_power():
    """W = rho times an orthogonal matrix, a loss of the last state alone: rho^k, followed to the lag asked for."""
    rho, lags = 0.7, T - 2
    cell = tt.Elman(2, 5, "identity", recurrent_init=orthogonal(rho), key=jax.random.key(0))
    model = RecurrentNetwork(cell, 1, key=jax.random.key(1))

    def of_the_last(model, _data, _key):
        return jnp.sum(model(jnp.ones((1, T, 2)))[0].h @ jnp.arange(5.0))

    state = start(model, optax.sgd(0.0), jax.random.key(2))
    (report,) = run_steps(state, of_the_last, optax.sgd(0.0), None, steps=1, watch=Watch(lags=lags))
    expected = np.sqrt(30) * rho ** np.arange(lags + 1)
    np.testing.assert_allclose(report.record.gradient_by_lag, expected, rtol=1e-5)
    ratios = report.record.update_ratio
    assert math.isnan(ratios["model.cell.b"])  # the bias is zero: there is no ratio to it
    assert ratios["model.cell.w_h"] == 0


def test_shares_of_units_are_those_of_the_states(lstm):
    """The LSTM's gates at the last report, again in NumPy; a sigmoid's slope is s (1 - s), a tanh's 1 - n^2."""
    _, data, reports = lstm
    state, record = reports[-1].state, reports[-1].record
    cell = jax.tree.map(np.asarray, state.model.cell)
    x, _ = draw(data, next_key(state))
    sigmoid, low = lambda a: 1 / (1 + np.exp(-a)), []
    for sequence in np.asarray(x):
        h = c = np.zeros(cell.hidden)
        for step in sequence:
            a = cell.w_x @ step + cell.w_h @ h + cell.b
            i, f, g, o = np.split(a, 4)
            i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
            low.append([s * (1 - s) < 0.0125 for s in (i, f)] + [1 - g**2 < 0.05, o * (1 - o) < 0.0125])
            c = f * c + i * g
            h = o * np.tanh(c)
    shares = np.mean(low, axis=(0, 2))
    assert len(set(shares)) > 2
    np.testing.assert_allclose([record.saturated[gate] for gate in "ifgo"], shares, atol=1e-6)
    assert record.dead == dict.fromkeys("ifgo", 0.0)


def test_dead_units_are_counted_step_by_step():
    """ReLU units of biases that outweigh all else: 2 of 5 never live; the others always do."""
    state, data = begin("elman-relu")
    cell = state.model.cell
    cell = eqx.tree_at(lambda cell: (cell.w_x, cell.w_h, cell.b), cell, (cell.w_x * 0, cell.w_h * 0, cell.b))
    cell = eqx.tree_at(lambda cell: cell.b, cell, jnp.asarray([1.0, -1.0, 2.0, -3.0, 0.5]))
    state = start(eqx.tree_at(lambda model: model.cell, state.model, cell), OPTIMIZER, state.key)
    (report,) = watched(state, data, Watch(), steps=1)
    assert report.record.dead == {"a": pytest.approx(0.4)}
    assert report.record.saturated == {"a": pytest.approx(0.4)}


def test_norms_and_clipping_are_those_of_the_steps(lstm, unwatched):
    """Each step's gradient once more."""
    state, data, reports = lstm
    before = [state, *(report.state for report in unwatched[:-1])]
    gradient = jax.jit(jax.grad(loss))
    norms = np.array([float(optax.tree.norm(gradient(s.model, data, next_key(s)))) for s in before])
    for report, steps in zip(reports, (norms[:4], norms[4:8], norms[8:]), strict=True):
        assert report.record.clip_share == np.mean(steps > CLIP)
        assert report.record.loss == pytest.approx(report.losses.mean())
    for report, ahead in zip(reports, (4, 8), strict=False):
        assert report.record.gradient_norm == pytest.approx(norms[ahead], rel=1e-5)
    shares = [report.record.clip_share for report in reports]
    assert 0 < np.mean(shares) < 1
    assert len(set(shares)) > 1


def test_the_update_is_the_one_that_the_next_step_makes(lstm, unwatched):
    """It is w' = w + update, so the record at step n tells |w_(n+1) - w_n| / |w_n|."""
    _, _, reports = lstm
    before, after = reports[0].state, unwatched[EVERY].state
    names = {"model.cell.w_x", "model.cell.w_h", "model.cell.b", "model.readout.weight", "model.readout.bias"}
    assert reports[0].record.update_ratio.keys() == names
    for name, ratio in reports[0].record.update_ratio.items():
        w, new = (np.asarray(eval(name, {"model": state.model})) for state in (before, after))
        assert ratio == pytest.approx(np.linalg.norm(new - w) / np.linalg.norm(w), rel=1e-4)


def test_watching_changes_nothing(lstm, unwatched):
    _, _, reports = lstm
    assert [report.record for report in unwatched] == [None] * STEPS
    assert np.array_equal(
        np.concatenate([report.losses for report in reports]), np.concatenate([report.losses for report in unwatched])
    )
    for report in reports:
        assert eqx.tree_equal(report.state, unwatched[int(report.state.step) - 1].state)


def test_records_as_columns(lstm):
    records = [report.record for report in lstm[2]]
    columns = Records.of(records)
    assert list(columns.step) == [4, 8, 11]
    assert columns.gradient_by_lag.shape == (3, T + 1)
    frame = columns.to_frame()
    assert isinstance(frame, pl.DataFrame)
    assert frame.height == 3
    assert frame["clip_share"].to_list() == [record.clip_share for record in records]
    assert frame["gradient_lag_2"].to_list() == [record.gradient_by_lag[2] for record in records]
    assert frame["update_ratio.model.cell.w_h"].to_list() == [r.update_ratio["model.cell.w_h"] for r in records]
    assert frame["saturated.o"].to_list() == [record.saturated["o"] for record in records]
    assert frame.width == 4 + (T + 1) + 5 + 4 + 4


def test_records_of_nothing_is_refused():
    with pytest.raises(tt.InputError) as caught:
        Records.of([])
    assert caught.value.code == "no-records"


@pytest.mark.parametrize(
    ("watch", "code", "found"),
    [
        (Watch(lags=-1), "negative-lags", -1),
        (Watch(cell=lambda model: model.readout), "not-a-gated-cell", "Linear"),
    ],
)
def test_a_watch_that_does_not_fit_is_refused(watch, code, found):
    with pytest.raises(tt.InputError) as caught:
        watched(*begin("gru"), watch)
    assert (caught.value.code, caught.value.found) == (code, found)


class Faint(GatedCell):
    """A cell whose slope is 1 % of its largest, at every step of every sequence."""

    GATES: ClassVar[tuple[str, ...]] = ("a",)
    w_x: jax.Array
    b: jax.Array
    slopes = (1.0,)

    def initial_state(self):
        return tt.ElmanState(jnp.zeros(self.hidden))

    def gates(self, state, gx):
        return (0.01 * (gx + state.h),)

    def step(self, state, gx):
        state = tt.ElmanState(*self.gates(state, gx))
        return state, state.h


@pytest.mark.parametrize("batched", [True, False])
def test_shares_that_do_not_depend_on_the_batch_are_shares_all_the_same(batched):
    """A slope that is the same for all sequences, by a batch in one call or by vmap of the user's own."""
    model = RecurrentNetwork(Faint(jnp.ones((3, 2)), jnp.zeros(3)), O, key=jax.random.key(0))

    def unrolled(model, x):
        return model(x)[1] if batched else jax.vmap(lambda sequence: model(sequence)[1])(x)

    def loss(model, data, key):
        x, y = draw(data, key)
        return jnp.mean((unrolled(model, x) - y) ** 2)

    state = start(model, OPTIMIZER, jax.random.key(1))
    (report,) = run_steps(state, loss, OPTIMIZER, random_inputs(7, T, 2), steps=1, watch=Watch(lags=T + 2))
    assert report.record.saturated == {"a": 1.0}
    assert report.record.dead == {"a": 0.0}
    assert list(np.isnan(report.record.gradient_by_lag)) == [False] * (T + 1) + [True] * 2


class Twice(tt.MatrixCell):
    """A cell whose output is not its state's h."""

    GATES: ClassVar[tuple[str, ...]] = ("a",)
    w_x: jax.Array
    w_h: jax.Array
    b: jax.Array
    slopes = (1.0,)

    def initial_state(self):
        return tt.ElmanState(jnp.zeros(self.hidden))

    def activate(self, gx, gh):
        return (jnp.tanh(gx + gh),)

    def update(self, state, gates):
        return tt.ElmanState(*gates)

    def step(self, state, gx):
        state = self.update(state, self.gates(state, gx))
        return state, 2 * state.h


def test_a_cell_whose_output_is_not_its_h_is_refused():
    cell = Twice(jnp.ones((3, 2)), jnp.eye(3), jnp.zeros(3))
    state = start(RecurrentNetwork(cell, O, key=jax.random.key(0)), OPTIMIZER, jax.random.key(1))
    with pytest.raises(tt.InputError) as caught:
        watched(state, random_inputs(7, T, 2), Watch())
    assert (caught.value.code, caught.value.found) == ("output-is-not-h", "Twice")
