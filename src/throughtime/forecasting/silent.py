"""Layers that say nothing before they have learnt."""

import equinox as eqx
import jax
import jax.numpy as jnp


def silent(linear: eqx.nn.Linear) -> eqx.nn.Linear:
    """The layer with weights and biases of zero."""
    return jax.tree.map(jnp.zeros_like, linear)
