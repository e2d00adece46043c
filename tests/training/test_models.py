"""Models of everything that Equinox allows, and optimizers that want the loss, train as any other."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import throughtime as tt
from throughtime.training import Watch, averaged, checkpoint
from throughtime.training.diagnosis import DivergedError
from throughtime.training.loop import run_steps, start

KEY = jax.random.key(4)


class Model(eqx.Module):
    """A cell and a perceptron, whose activation is a leaf, and every other kind of leaf."""

    cell: tt.GRU
    mlp: eqx.nn.MLP
    dropout: eqx.nn.Dropout
    places: jax.Array
    flags: jax.Array
    noise: jax.Array
    fixed: np.ndarray
    scale: float
    depth: int
    name: str
    nothing: None

    def __init__(self, scale=2.0):
        self.cell = tt.GRU(2, 3, key=KEY)
        self.mlp = eqx.nn.MLP(3, 1, 4, 1, jax.nn.tanh, key=KEY)
        self.dropout = eqx.nn.Dropout(0.1, inference=True)
        self.places, self.flags, self.noise = jnp.array([2, 0, 1]), jnp.array([True, False, True]), jax.random.key(7)
        self.fixed, self.scale, self.depth, self.name, self.nothing = np.arange(3), scale, 1, "name", None

    def __call__(self, xs):
        _, ys = tt.unroll(self.cell, xs)
        ys = jnp.where(self.flags, ys, 0.5 * ys)[..., self.places] * self.scale**self.depth
        return jax.vmap(jax.vmap(lambda y: self.mlp(self.dropout(y))))(ys)


def loss(model, data, key):
    xs = jax.random.normal(key, (4, 5, 2))
    return jnp.mean((model(xs)[..., 0] - data * xs[..., 0]) ** 2)


def trained(optimizer, steps=12, **options):
    *_, last = run_steps(start(Model(), optimizer, KEY), loss, optimizer, jnp.float32(0.5), steps=steps, **options)
    return last


def by_hand(optimizer, steps):
    """Train as Equinox's documentation shows."""
    model = Model()
    state = optimizer.init(eqx.filter(model, eqx.is_inexact_array))
    for step in range(steps):
        _, gradient = eqx.filter_jit(eqx.filter_value_and_grad(loss))(
            model, jnp.float32(0.5), jax.random.fold_in(KEY, step)
        )
        updates, state = optimizer.update(gradient, state, eqx.filter(model, eqx.is_inexact_array))
        model = eqx.apply_updates(model, updates)
    return model


@pytest.mark.parametrize("optimizer", [optax.sgd(0.1), optax.adam(0.02), averaged(optax.adamw(0.02), 0.9)])
def test_a_model_of_anything_trains_as_equinox_does(optimizer):
    came, due = trained(optimizer, every=5).state.model, by_hand(optimizer, 12)
    assert jax.tree.structure(came) == jax.tree.structure(due)
    for leaf, expected in zip(jax.tree.leaves(came), jax.tree.leaves(due), strict=True):
        if eqx.is_inexact_array(expected):
            np.testing.assert_allclose(leaf, expected, rtol=1e-4, atol=1e-6)
        elif not eqx.is_array(expected):
            assert leaf is expected or leaf == expected
    first = Model()
    assert not np.array_equal(came.mlp.layers[0].weight, first.mlp.layers[0].weight)
    np.testing.assert_array_equal(came.places, first.places)
    np.testing.assert_array_equal(came.fixed, first.fixed)
    assert (came.scale, came.depth, came.name) == (2.0, 1, "name")
    assert came.mlp.activation is jax.nn.tanh


def test_another_constant_is_another_program():
    ends = []
    for scale in (2.0, 0.0, 2):
        state = start(Model(scale), optax.sgd(0.1), KEY)
        *_, last = run_steps(state, loss, optax.sgd(0.1), jnp.float32(0.5), steps=2)
        ends.append(last.losses[-1])
    assert ends[0] != ends[1]
    assert ends[0] == ends[2]


def test_it_is_saved_and_continues_bit_for_bit(tmp_path):
    adam = optax.adam(0.02)
    half, whole = trained(adam, 6).state, trained(adam, 12).state
    checkpoint.save(tmp_path, "training", {}, {"training": half})
    state = checkpoint.restore(checkpoint.load(tmp_path).arrays, lambda: start(Model(), adam, KEY), "training")
    *_, last = run_steps(state, loss, adam, jnp.float32(0.5), steps=12)
    for leaf, expected in zip(jax.tree.leaves(last.state.model), jax.tree.leaves(whole.model), strict=True):
        if eqx.is_inexact_array(expected):
            np.testing.assert_array_equal(leaf, expected)


def test_it_is_watched_and_diagnosed():
    last = trained(optax.adam(0.02), 4, watch=Watch(clip_norm=0.1))
    names = set(last.record.update_ratio)
    assert {"model.cell.w_h", "model.mlp.layers.0.weight"} < names
    assert not {"model.places", "model.flags", "model.noise", "model.scale"} & names
    assert all(np.isfinite(ratio) for name, ratio in last.record.update_ratio.items())
    with pytest.raises(DivergedError) as caught:
        trained(optax.sgd(1e30), 20)
    assert caught.value.step is not None
    assert caught.value.step <= 3


def quadratic(model, data, _key):
    return jnp.sum((model["w"] - data) ** 2 * jnp.array([1.0, 10.0, 100.0]))


WANT_THE_LOSS = {
    "lbfgs": optax.lbfgs(),
    "backtracking": optax.chain(optax.sgd(1.0), optax.scale_by_backtracking_linesearch(15)),
    "plateau": optax.chain(optax.adam(0.3), optax.contrib.reduce_on_plateau(patience=5, accumulation_size=2)),
    "polyak": optax.polyak_sgd(),
    "averaged": averaged(optax.chain(optax.adam(0.3), optax.contrib.reduce_on_plateau(patience=5)), 0.5),
}


@pytest.mark.parametrize("optimizer", WANT_THE_LOSS.values(), ids=WANT_THE_LOSS)
def test_optimizers_that_want_the_loss(optimizer):
    """Varied: the value alone, the value and gradient, the function; inside a chain, and inside an average."""
    data = jnp.array([3.0, -1.0, 0.5])
    losses = []
    for progress in run_steps(
        start({"w": jnp.zeros(3)}, optimizer, KEY), quadratic, optimizer, data, steps=60, every=20
    ):
        losses.extend(progress.losses)
    assert losses[-1] < 0.1 * losses[0]


def test_a_plateau_lowers_the_rate():
    plateau = optax.chain(optax.sgd(0.0), optax.contrib.reduce_on_plateau(factor=0.5, patience=3))
    *_, last = run_steps(start({"w": jnp.zeros(3)}, plateau, KEY), quadratic, plateau, jnp.ones(3), steps=8)
    assert float(last.state.optimizer[1].scale) == 0.25


def test_line_search_is_watched():
    optimizer = optax.lbfgs()
    network = tt.RecurrentNetwork(tt.Elman(1, 4, key=KEY), 1, key=KEY)

    def squares(network, data, _key):
        return jnp.mean((network(data)[1] - data[::-1]) ** 2)

    data = jnp.asarray(np.random.default_rng(1).normal(size=(2, 5, 1)), jnp.float32)
    *_, last = run_steps(start(network, optimizer, KEY), squares, optimizer, data, steps=9, every=3, watch=Watch())
    assert last.losses[-1] < float(squares(network, data, None))
    assert np.isfinite(last.record.gradient_norm)
