"""Activations by name, at points with known values."""

import inspect
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import throughtime as tt
from throughtime.cells.activations import ACTIVATIONS, activation

E = math.e


@pytest.mark.parametrize(
    ("name", "at_minus_one", "at_zero", "at_two"),
    [
        ("sigmoid", 1 / (1 + E), 0.5, E**2 / (E**2 + 1)),
        ("tanh", (1 - E**2) / (1 + E**2), 0.0, (E**4 - 1) / (E**4 + 1)),
        ("relu", 0.0, 0.0, 2.0),
        ("leaky_relu", -0.01, 0.0, 2.0),
        ("elu", 1 / E - 1, 0.0, 2.0),
        ("identity", -1.0, 0.0, 2.0),
    ],
)
def test_values(name, at_minus_one, at_zero, at_two):
    images = activation(name)(jnp.array([[-1.0, 0.0, 2.0]]))
    np.testing.assert_allclose(images, [[at_minus_one, at_zero, at_two]], rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", ["relu", "leaky_relu", "elu", "identity"])
def test_rectifiers_have_no_ceiling(name):
    assert activation(name)(jnp.float32(1e4)) == 1e4


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_gradients_stay_finite_far_out(name):
    """A saturated or dead unit has a gradient of zero, never NaN."""
    slopes = jax.vmap(jax.grad(activation(name)))(jnp.array([-1e4, -100.0, 0.0, 100.0, 1e4]))
    assert np.isfinite(slopes).all()


def test_a_function_stands_for_itself():
    assert activation(jnp.cos) is jnp.cos


def test_the_table_names_what_the_documentation_promises():
    documented = inspect.getdoc(tt.Elman).partition("activation: phi:")[2]
    assert all(name in documented for name in ACTIVATIONS)


def test_an_unknown_name_is_answered_with_the_closest():
    with pytest.raises(tt.InputError, match=r"unknown activation 'rellu': .*Did you mean 'relu'\?") as error:
        activation("rellu")
    assert error.value.fields() == {"code": "unknown-name", "found": "rellu", "expected": list(ACTIVATIONS)}
