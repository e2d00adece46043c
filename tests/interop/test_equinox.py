"""Equinox's cells against ours: values, states and gradients."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tests.contract import random_inputs, random_weights

import throughtime as tt

CELLS = {"gru": eqx.nn.GRUCell, "lstm": eqx.nn.LSTMCell}


def drawn(kind, **options):
    return random_weights(lambda: kind(2, 5, key=jax.random.key(0), **options))


@pytest.mark.parametrize("name", CELLS)
def test_cells_agree(name):
    module, xs = drawn(CELLS[name]), random_inputs(6, 2)

    def theirs(module):
        def step(h, x):
            h = module(x, h)
            return h, h[0] if name == "lstm" else h

        zeros = jnp.zeros(5)
        return jax.lax.scan(step, (zeros, zeros) if name == "lstm" else zeros, xs)

    def loss(run):
        return lambda module: (jnp.sum(jnp.sin(run(module)[1])), run(module))

    of_theirs, (state, ys) = eqx.filter_jit(eqx.filter_grad(loss(theirs), has_aux=True))(module)
    ours = eqx.filter_jit(eqx.filter_grad(loss(lambda module: tt.unroll(tt.from_equinox(module), xs)), has_aux=True))
    of_ours, (our_state, our_ys) = ours(module)
    np.testing.assert_allclose(our_ys, ys, atol=1e-5)
    for ours_, theirs_ in zip(our_state, state if name == "lstm" else (state,), strict=True):
        np.testing.assert_allclose(ours_, theirs_, atol=1e-5)
    for ours_, theirs_ in zip(jax.tree.leaves(of_ours), jax.tree.leaves(of_theirs), strict=True):
        np.testing.assert_allclose(ours_, theirs_, atol=1e-5)
    assert eqx.tree_equal(tt.to_equinox(tt.from_equinox(module)), module)


def test_a_network_and_its_file(tmp_path):
    first, second = drawn(eqx.nn.LSTMCell), random_weights(lambda: eqx.nn.GRUCell(5, 4, key=jax.random.key(0)), 1)
    readout = random_weights(lambda: eqx.nn.Linear(4, 3, key=jax.random.key(0)), 2)
    network = tt.from_equinox({"a": first, "b": second, "c": readout})
    assert type(network) is tt.ManyToMany
    assert [type(layer) for layer in network.layer.layers] == [tt.LSTM, tt.GRU]
    assert eqx.tree_equal(tt.to_equinox(network), (first, second, readout))
    eqx.tree_serialise_leaves(tmp_path / "network.eqx", (first, second, readout))
    assert eqx.tree_equal(tt.from_equinox(tmp_path / "network.eqx"), network)


def test_a_cell_without_biases_has_zeros(tmp_path):
    module = drawn(eqx.nn.GRUCell, use_bias=False)
    cell = tt.from_equinox(module)
    assert not cell.b.any()
    assert not cell.b_h.any()
    eqx.tree_serialise_leaves(tmp_path / "cell.eqx", module)
    assert eqx.tree_equal(tt.from_equinox(tmp_path / "cell.eqx"), cell)


@pytest.mark.parametrize("tree", [(), jnp.ones(3), eqx.nn.Linear(2, 3, key=jax.random.key(0))])
def test_other_trees_are_refused(tree):
    with pytest.raises(tt.InputError) as caught:
        tt.from_equinox(tree)
    assert caught.value.code == "unsupported-stack"
