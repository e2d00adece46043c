"""Activation functions by name: elementwise, ``phi(a)`` for a pre-activation ``a`` of any shape."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

import jax
import jax.numpy as jnp
from typing_extensions import TypeAliasType

from throughtime._registry import resolve
from throughtime._types import Array

Activation = TypeAliasType("Activation", Callable[[Array], Array])


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


def to_reference(function: Activation) -> Any:
    """Return a name for an activation, which a copy in this or another process finds the same function by.

    It is a name of the table, a module and a name in it, or the function itself where nothing leads back to it.
    """
    for name, known in ACTIVATIONS.items():
        if known is function:
            return name
    path = getattr(function, "__module__", None), getattr(function, "__qualname__", None)
    try:
        found = from_reference(path)
    except (ImportError, AttributeError, TypeError):
        return function
    return path if found is function else function


def from_reference(reference: Any) -> Activation:
    """Return the activation of what :func:`to_reference` returned."""
    if isinstance(reference, tuple):
        module, name = reference
        return getattr(import_module(module), name)
    return activation(reference)


# The largest factor by which an activation multiplies a gradient, over all pre-activations.
LARGEST_SLOPES: dict[Activation, float] = {
    ACTIVATIONS["sigmoid"]: 0.25,
    ACTIVATIONS["tanh"]: 1.0,
    ACTIVATIONS["relu"]: 1.0,
    ACTIVATIONS["leaky_relu"]: 1.0,
    ACTIVATIONS["elu"]: 1.0,
    ACTIVATIONS["identity"]: 1.0,
}
