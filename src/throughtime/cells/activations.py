"""Activation functions by name: elementwise, ``phi(a)`` for a pre-activation ``a`` of any shape."""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from throughtime._registry import resolve
from throughtime._types import Array

Activation = Callable[[Array], Array]


def identity(a: Array) -> Array:
    """Return a: the activation of the linear RNN, whose gradient is a power of its recurrent matrix."""
    return a


ACTIVATIONS: dict[str, Activation] = {
    "sigmoid": jax.nn.sigmoid,
    "tanh": jnp.tanh,
    "relu": jax.nn.relu,
    "leaky_relu": jax.nn.leaky_relu,  # slope 0.01 below zero
    "elu": jax.nn.elu,  # exp(a) - 1 below zero
    "identity": identity,
}


def activation(choice: str | Activation) -> Activation:
    """Return the activation of this name, or ``choice`` itself if it is a function.

    Raises:
        InputError: for an unknown name.
    """
    return resolve("activation", ACTIVATIONS, choice)


# The largest factor by which an activation multiplies a gradient, over all pre-activations.
LARGEST_SLOPES: dict[Activation, float] = {
    ACTIVATIONS["sigmoid"]: 0.25,
    ACTIVATIONS["tanh"]: 1.0,
    ACTIVATIONS["relu"]: 1.0,
    ACTIVATIONS["leaky_relu"]: 1.0,
    ACTIVATIONS["elu"]: 1.0,
    ACTIVATIONS["identity"]: 1.0,
}
