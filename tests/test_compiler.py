"""Compiled functions of modules: one program for those of one structure, none kept longer than its module."""

import gc
import weakref

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from throughtime._compiler import SELDOM, compiled


class Scaled(eqx.Module):
    """An array and a constant."""

    weight: jax.Array
    power: int = eqx.field(static=True)
    shift: float | None = None


def test_modules_of_one_structure_share_a_program():
    """Each with its own arrays; another constant, which no array of the program holds, is another program."""
    traced = []

    @compiled(SELDOM)
    def apply(module: Scaled, x: jax.Array) -> jax.Array:
        traced.append(type(module.shift))
        return module.weight * x**module.power + (module.shift or 0)

    two, three = Scaled(jnp.asarray(2.0), 2), Scaled(jnp.asarray(3.0), 2)
    x = np.arange(4.0, dtype=np.float32)
    for _ in range(2):
        np.testing.assert_array_equal(apply(two, x), 2 * x**2)
        np.testing.assert_array_equal(apply(three, x), 3 * x**2)
    assert len(traced) == 1
    np.testing.assert_array_equal(apply(Scaled(jnp.asarray(2.0), 3), x), 2 * x**3)
    np.testing.assert_array_equal(apply(Scaled(jnp.asarray(2.0), 2, 0.5), x), 2 * x**2 + 0.5)
    assert traced == [type(None), type(None), float]


def test_a_module_is_forgotten_when_nothing_else_holds_it():
    @compiled(SELDOM)
    def apply(module: Scaled) -> jax.Array:
        return 2 * module.weight

    for number in range(50):  # numbers of objects in memory come again
        module = Scaled(jnp.full(3, float(number)), 2)
        np.testing.assert_array_equal(apply(module), 2.0 * number)
    arrays = weakref.ref(module.weight)
    del module
    gc.collect()
    assert arrays() is None
