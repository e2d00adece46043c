"""Types of inputs, state and weights that do not fit each other.

Varied: every cell and a wrapped one; weights, inputs and state in bfloat16, float16, float32, float64, complex and
whole numbers; one sequence and a batch, short and long enough for a kernel.
"""

import inspect

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tests.contract import CELLS, random_cell

import throughtime as tt

unroll = inspect.unwrap(tt.unroll)  # the type checker of the tests would refuse wrong arguments first
NAMES = [name for name in CELLS if not name.startswith("elman-") or name == "elman-relu"]


def converted(tree, dtype):
    return jax.tree.map(lambda leaf: jnp.asarray(leaf, dtype), tree)


def inputs_of(cell, *leading, dtype=np.float32):
    return np.random.default_rng(0).normal(size=(*leading, cell.inputs)).astype(dtype)


@pytest.fixture(autouse=True)
def standard_types():
    with jax.numpy_dtype_promotion("standard"):
        yield


@pytest.fixture(params=[*NAMES, "zoneout"])
def cell(request):
    return tt.Zoneout(random_cell("lstm"), 0.2) if request.param == "zoneout" else random_cell(request.param)


@pytest.mark.parametrize("leading", [(4, 6), (6,), (4, 200)])
def test_inputs_that_do_not_fit_the_weights(cell, leading):
    for weights, dtype in (("bfloat16", np.float32), ("float16", np.float32), ("float32", np.complex64)):
        with pytest.raises(tt.InputError) as caught:
            unroll(converted(cell, weights), inputs_of(cell, *leading, dtype=dtype))
        assert caught.value.code == "wrong-dtype"
        assert caught.value.found["xs"] == np.dtype(dtype).name
        assert caught.value.found["weights"] == caught.value.expected == weights


@pytest.mark.parametrize("dtype", ["int32", "bfloat16"])
def test_a_state_that_does_not_fit(cell, dtype):
    state = jax.tree.map(lambda leaf: jnp.zeros((4, *leaf.shape), dtype), cell.initial_state())
    with pytest.raises(tt.InputError) as caught:
        unroll(cell, inputs_of(cell, 4, 6), state)
    assert caught.value.code == "wrong-dtype"
    assert caught.value.found["state"] == dtype


@pytest.mark.parametrize("leading", [(4, 6), (200,)])
def test_numpy_numbers_in_double_precision(cell, leading):
    """A network that was built without x64, and NumPy's numbers."""
    single = converted(cell, "float32")
    with jax.enable_x64(True), pytest.raises(tt.InputError, match="x64") as caught:
        unroll(single, inputs_of(cell, *leading, dtype=np.float64))
    assert caught.value.found == {"xs": "float64", "state": "float32", "weights": "float32"}


@pytest.mark.parametrize(("dtype", "leading"), [("bfloat16", (4, 6)), ("float16", (6,)), ("bfloat16", (4, 200))])
def test_one_type_of_16_bits(cell, dtype, leading):
    half, xs = converted(cell, dtype), jnp.asarray(inputs_of(cell, *leading), dtype)
    results = unroll(half, xs)
    assert {str(leaf.dtype) for leaf in jax.tree.leaves(results)} == {dtype}
    _, expected = unroll(converted(half, "float32"), xs.astype("float32"))
    early = np.s_[..., :6, :]  # errors add up
    np.testing.assert_allclose(np.asarray(results[1], np.float32)[early], expected[early], atol=0.1)


@pytest.mark.parametrize("dtype", ["int32", "bfloat16", "bool"])
def test_inputs_that_become_the_weights_type(cell, dtype):
    xs = jnp.asarray(3 * inputs_of(cell, 4, 6), dtype)
    _, ys = unroll(cell, xs)
    np.testing.assert_allclose(ys, unroll(cell, xs.astype("float32"))[1], rtol=1e-5, atol=1e-6)


def test_what_is_no_cell():
    network = tt.RecurrentNetwork(random_cell("gru"), 1, key=jax.random.key(0))
    for wrong in (tt.GRU, network, tt.Stack([random_cell("gru")]), "gru", None):
        with pytest.raises(tt.InputError) as caught:
            unroll(wrong, np.ones((4, 6, 2), np.float32))
        assert caught.value.code == "wrong-cell"
