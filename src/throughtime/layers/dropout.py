"""Dropout between layers."""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp

from throughtime._arguments import whole_number, whole_or_none
from throughtime._devices import split_alike
from throughtime._errors import InputError
from throughtime._keys import random_key
from throughtime._types import Array, Int, Key, KeyLike, Outputs, Real, Whole
from throughtime.layers.arguments import ArrayOrLists, as_inputs, zero_masked
from throughtime.layers.layer import Layer
from throughtime.layers.noise import bernoulli, require_rate
from throughtime.recurrence import require_no_mask


class DropoutState(NamedTuple):
    """The state of a dropout layer: t (), the number of steps so far, on which its noise depends."""

    t: Int[Array, "*batch"]


class Dropout(Layer):
    """A layer that drops units at random in training, others in each step (Zaremba et al. 2014, arXiv 1409.2329).

    Equations::

        y = x * k / (1 - rate)

    with k of independent 0 and 1 for each sequence, step and unit, each 0 with probability ``rate``. Without a key, at
    inference, y is x. Put it between layers; noise in a cell's own state is that of :class:`VariationalDropout` and
    :class:`Zoneout`. The draw of a step depends on the key and the number of the step alone: pieces of a sequence, run
    one after the other with one key, get the noise of the whole.

    Attributes:
        units: H, the number of inputs and outputs.
        rate: the probability that a unit is dropped.
    """

    units: int = eqx.field(static=True)
    rate: float = eqx.field(static=True)

    def __init__(self, units: Whole, rate: Real):
        """Drop some of ``units`` with probability ``rate``: sizes come first, as in all layers.

        Raises:
            InputError: for a rate outside [0, 1), and for the two in the other order.
        """
        if whole_or_none(units) is None and (whole_or_none(rate) or 0) >= 1:
            raise InputError(
                f"Dropout got units={units!r}, rate={rate!r}: expected the number of units before the rate, "
                f"Dropout({rate!r}, {units!r})",
                code="wrong-order",
                found=(units, rate),
                expected=("units", "rate"),
            )
        self.units, self.rate = whole_number("units", units), require_rate("Dropout", rate)

    @property
    def inputs(self) -> int:
        """Return H."""
        return self.units

    @property
    def hidden(self) -> int:
        """Return H."""
        return self.units

    def __call__(
        self, xs: ArrayOrLists, state: Any = None, *, mask: ArrayOrLists | None = None, key: KeyLike | None = None
    ) -> tuple[DropoutState, Outputs]:
        """Return the state and the outputs (T, H) or (B, T, H); masked steps give zeros.

        Raises:
            InputError: if a shape does not fit, the mask is not boolean, or is in the place of the state.
        """
        require_no_mask(state)
        xs, mask = as_inputs(self.units, xs, mask)
        *batch, steps, _ = xs.shape
        t = jnp.zeros(batch, jnp.int32) if state is None else state.t
        ys = xs if key is None else self._drop(xs, t, random_key(key))
        return DropoutState(t + steps), zero_masked(ys, mask)

    def _drop(self, xs: Array, t: Int[Array, "*batch"], key: Key) -> Array:
        def one_sequence(key: Key, xs: Array, t: Array) -> Array:
            keys = jax.vmap(lambda step: jax.random.fold_in(key, step))(t + jnp.arange(len(xs)))
            dropped = jax.vmap(lambda key: bernoulli(key, self.rate, (self.units,)))(keys)
            return jnp.where(dropped, 0, xs / (1 - self.rate))

        if xs.ndim == 2:
            return one_sequence(key, xs, t)
        return jax.vmap(one_sequence)(*split_alike((jax.random.split(key, len(xs)), xs, t)))
