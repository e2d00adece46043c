"""A copied cell is the same cell.

Varied: every activation of the table, others of JAX, one's own, a lambda; copies, deep copies, pickles and
cloudpickles; the cell alone, wrapped, in a network, and of a derived class.
"""

import copy
import importlib.util
import pickle

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tests.contract import CELLS, random_cell, random_inputs

import throughtime as tt
from throughtime.cells import ACTIVATIONS
from throughtime.kernels import why_no_kernel
from throughtime.layers.network import cell_config

KEY = jax.random.key(0)
WAYS = {"copy": copy.copy, "deepcopy": copy.deepcopy, "pickle": lambda cell: pickle.loads(pickle.dumps(cell))}
if importlib.util.find_spec("cloudpickle"):
    import cloudpickle

    WAYS["cloudpickle"] = lambda cell: pickle.loads(cloudpickle.dumps(cell))


def own(a):
    return a * jnp.cos(a)


class Derived(tt.Elman):
    """A cell of a class of one's own."""


HOLDERS = {
    "cell": tt.Elman,
    "derived": Derived,
    "wrapped": lambda *args, **options: tt.Zoneout(tt.LayerNorm(tt.Elman(*args, **options)), 0.1),
    "network": lambda *args, **options: tt.RecurrentNetwork(tt.Elman(*args, **options), 2, key=KEY),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("activation", [*ACTIVATIONS, jax.nn.silu, jax.nn.gelu, jnp.sin, own])
@pytest.mark.parametrize("holder", HOLDERS)
def test_a_copy_is_equal(holder, activation, way):
    original = HOLDERS[holder](3, 5, activation, key=KEY)
    twin = WAYS[way](original)
    assert jax.tree.structure(twin) == jax.tree.structure(original)
    jax.tree.map(np.testing.assert_array_equal, twin, original)


@pytest.mark.parametrize("way", ["copy", "deepcopy"])
def test_a_lambda_stays_the_same_function(way):
    original = tt.Elman(3, 5, lambda a: a / 2, key=KEY)
    assert WAYS[way](original).activation is original.activation


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", CELLS)
def test_every_cell(name, way):
    original = random_cell(name)
    assert jax.tree.structure(WAYS[way](original)) == jax.tree.structure(original)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_copy_keeps_kernel_and_configuration(activation, way):
    original = tt.Elman(3, 5, activation, key=KEY)
    twin, xs = WAYS[way](original), random_inputs(2, 9, 3)
    assert why_no_kernel(twin, xs, None) == why_no_kernel(original, xs, None)
    assert cell_config(twin) == cell_config(original)
    np.testing.assert_array_equal(tt.unroll(twin, xs)[1], tt.unroll(original, xs)[1])
