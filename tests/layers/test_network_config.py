"""Configurations of wrapped cells: plain values, and back."""

import json
import subprocess
import sys

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from tests.contract import random_cell, random_inputs, random_weights
from tests.layers.wrapped import WRAPPED, random_wrapped

import throughtime as tt
from throughtime.layers.network import WRAPPERS, cell_config, cell_from_config, network_config
from throughtime.layers.wrapper import Wrapper
from throughtime.training import checkpoint
from throughtime.training.loop import start


def test_every_wrapper_is_in_the_table_of_tests():
    assert {type(random_wrapped(name)) for name in WRAPPED} == set(WRAPPERS.values())


@pytest.mark.parametrize("name", WRAPPED)
def test_a_configuration_builds_the_same_cell(name):
    cell = random_wrapped(name)
    config = cell_config(cell)
    again = cell_from_config(json.loads(json.dumps(config)), key=jax.random.key(9))
    assert jax.tree.structure(again) == jax.tree.structure(cell)
    assert jax.tree.map(np.shape, again) == jax.tree.map(np.shape, cell)
    assert cell_config(again) == config


def test_a_configuration_is_plain_values():
    assert cell_config(tt.VariationalDropout(tt.LayerNorm(random_cell("gru")), 0.25)) == {
        "cell": "variational_dropout",
        "rate": 0.25,
        "of": {"cell": "layer_norm", "of": {"cell": "gru", "inputs": 2, "hidden": 4}},
    }


def test_load_brings_a_wrapped_network_back(tmp_path):
    cell = random_weights(lambda: tt.Zoneout(tt.LayerNorm(tt.LSTM(3, 5, key=jax.random.key(0))), 0.2))
    network = tt.RecurrentNetwork(cell, 2, key=jax.random.key(1))
    state = start(network, optax.sgd(0.1), jax.random.key(2))
    checkpoint.save(tmp_path, "training", {"network": network_config(network)}, {"training": state})
    loaded = tt.load(tmp_path)
    assert eqx.tree_equal(loaded, network)
    xs = random_inputs(4, 3)
    np.testing.assert_array_equal(loaded(xs)[1], network(xs)[1])


@pytest.mark.parametrize("number", [np.float32, np.float64, np.float16, jnp.float32])
def test_numbers_of_numpy_are_saved(tmp_path, number):
    """Varied: the type of the number; rates of both kinds of noise, the steps of statistics, a step of time."""
    key = jax.random.key(0)
    cells = [
        tt.Zoneout(tt.GRU(2, 3, key=key), number(0.25)),
        tt.VariationalDropout(tt.GRU(2, 3, key=key), number(0.25)),
        tt.BatchNorm(tt.GRU(2, 3, key=key), np.int64(4)),
        _lem(0.5),
    ]
    for cell in cells:
        network = tt.RecurrentNetwork(cell, 2, key=key)
        checkpoint.save(tmp_path, "training", {"network": network_config(network)}, {"training": {"model": network}})
        assert eqx.tree_equal(tt.load(tmp_path), network)


def _lem(dt):
    """Return an LEM whose time step is a number of NumPy."""
    cell = tt.LEM(2, 3, dt=dt, key=jax.random.key(1))
    object.__setattr__(cell, "dt", np.float32(dt))
    return cell


REFUSED = """
import jax, throughtime as tt
from throughtime.layers import network_config, unroll_batch_norm
key, xs = jax.random.key(0), jax.numpy.ones((2, 4, 3))
stack = tt.Stack([tt.GRU(3, 3, key=key)])
for call in (
    lambda: tt.RecurrentNetwork(stack, 1, key=key),
    lambda: tt.RecurrentNetwork(tt.GRU, 1, key=key),
    lambda: network_config(tt.StackedNetwork(3, [tt.GRU(3, 3, key=key)], 1, key=key)),
    lambda: network_config(stack),
    lambda: unroll_batch_norm(tt.Residual(tt.BatchNorm(tt.GRU(3, 3, key=key), 4)), xs),
    lambda: unroll_batch_norm(tt.GRU(3, 3, key=key), xs),
):
    try:
        call()
    except tt.InputError as error:
        print(error.code, error.found)
"""


def test_layers_in_the_place_of_cells_are_refused():
    """In a process of its own: the tests check types first."""
    result = subprocess.run([sys.executable, "-c", REFUSED], capture_output=True, text=True, check=True)
    assert result.stdout.split("\n")[:-1] == [
        "wrong-cell Stack",
        "wrong-cell GRU",
        "no-configuration StackedNetwork",
        "no-configuration Stack",
        "wrong-cell Residual",
        "wrong-cell GRU",
    ]


class Foreign(Wrapper):
    cell: tt.Cell

    def step(self, state, gx):
        return self.cell.step(state, gx)


def test_a_wrapper_without_a_name_cannot_be_saved():
    with pytest.raises(tt.InputError) as caught:
        cell_config(Foreign(random_cell("gru")))
    assert (caught.value.code, caught.value.found) == ("no-name", Foreign)


def test_a_draw_cannot_be_saved():
    draw = random_wrapped("zoneout").draw(jax.random.key(0))
    with pytest.raises(tt.InputError) as caught:
        cell_config(draw)
    assert (caught.value.code, caught.value.found) == ("no-name", type(draw))
