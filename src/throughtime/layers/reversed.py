"""A layer that reads a sequence from its end."""

from typing import Any

import jax.numpy as jnp

from throughtime._types import Array, KeyLike, Outputs
from throughtime.layers.arguments import ArrayOrLists
from throughtime.layers.layer import AnyLayer, Layer, final_output, reads_tokens, require_layer, run_layer


class Reversed(Layer):
    """A layer that reads a sequence from its last step to its first: the backward half of a :class:`Bidirectional`.

    Equations::

        y[t] = outputs of the layer, which has read x[T-1] .. x[t]

    It starts at the last step with an input: a padded, masked sequence gives the numbers of the unpadded one.

    Attributes:
        layer: a cell or a layer, such as a Stack.
    """

    layer: AnyLayer

    def __init__(self, layer: AnyLayer):
        """Turn ``layer`` around.

        Raises:
            InputError: for anything but a cell or a layer.
        """
        require_layer("Reversed", layer)
        self.layer = layer

    @property
    def inputs(self) -> int:
        """Return D."""
        return self.layer.inputs

    @property
    def hidden(self) -> int:
        """Return H."""
        return self.layer.hidden

    @property
    def reads_tokens(self) -> bool:
        """Tell if the layer reads tokens."""
        return reads_tokens(self.layer)

    def __call__(
        self, xs: ArrayOrLists, state: Any = None, *, mask: ArrayOrLists | None = None, key: KeyLike | None = None
    ) -> tuple[Any, Outputs]:
        """Return the layer's state after the first step, and the outputs (T, H) or (B, T, H); masked steps give zeros.

        Raises:
            InputError: if a shape does not fit, or the mask is not boolean.
        """
        return run_layer(self.layer, xs, state, mask=mask, key=key, reverse=True)

    def final_output(self, ys: ArrayOrLists, mask: ArrayOrLists | None = None) -> Array:
        """Return the output of the first step with an input, which is read last, from this layer's outputs ``ys``."""
        flipped = None if mask is None else jnp.flip(jnp.asarray(mask), -1)
        return final_output(self.layer, jnp.flip(jnp.asarray(ys), -2), flipped)
