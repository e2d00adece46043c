"""What happens at every step by itself."""

import math
from collections.abc import Callable

import jax

from throughtime.shapes import Array


def per_step(fn: Callable[[Array], Array], xs: Array) -> Array:
    """A function of one step's vector, at every step of a sequence (T, D) or of a batch (B, T, D).

    The steps become one axis: of two, XLA would lay them on their side before it multiplies them by a matrix.
    """
    *leading, width = xs.shape
    steps = jax.vmap(fn)(xs.reshape(math.prod(leading), width))
    return steps.reshape(*leading, *steps.shape[1:])
