"""A layer that turns tokens into vectors."""

from typing import Any

import equinox as eqx

from throughtime._arguments import whole_number
from throughtime._devices import take_rows
from throughtime._keys import random_key
from throughtime._types import KeyLike, Outputs, Whole
from throughtime.layers.arguments import ArrayOrLists, as_tokens, zero_masked
from throughtime.layers.layer import Layer
from throughtime.recurrence import require_no_mask


class Embedding(Layer):
    """A table with a trained vector for each token, a whole number such as the number of a character.

    Equations::

        y = W[x]

    Masked steps may hold any number: they give zeros. A token out of range is an error; inside of ``jax.jit``, where
    numbers are not known, it gives NaN.

    Attributes:
        table: an ``equinox.nn.Embedding``; its ``weight`` is W (tokens, H), drawn from a normal distribution.
    """

    table: eqx.nn.Embedding

    def __init__(self, tokens: Whole, hidden: Whole, *, key: KeyLike):
        """Draw H normal numbers for each of the ``tokens`` 0 .. tokens - 1."""
        tokens, hidden = whole_number("tokens", tokens), whole_number("hidden", hidden)
        self.table = eqx.nn.Embedding(tokens, hidden, key=random_key(key))

    @property
    def inputs(self) -> int:
        """Return the number of tokens."""
        return self.table.weight.shape[0]

    @property
    def hidden(self) -> int:
        """Return H."""
        return self.table.weight.shape[1]

    @property
    def reads_tokens(self) -> bool:
        """Return True."""
        return True

    def __call__(
        self, xs: ArrayOrLists, state: Any = None, *, mask: ArrayOrLists | None = None, key: KeyLike | None = None
    ) -> tuple[Any, Outputs]:
        """Return an empty state and the vectors (T, H) or (B, T, H) of tokens (T,) or (B, T); masked steps give zeros.

        A ``key`` changes nothing: there is no noise in this layer.

        Raises:
            InputError: if a shape or a type does not fit, the mask is not boolean, or a token is out of range.
        """
        require_no_mask(state)
        tokens, mask = as_tokens(self.inputs, xs, mask)
        return (), zero_masked(take_rows(self.table.weight, tokens), mask)
