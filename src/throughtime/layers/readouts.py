"""Networks of any layers and a linear readout: of each step, or of the whole sequence."""

from collections.abc import Callable, Sequence
from typing import Any

import equinox as eqx
import jax.numpy as jnp

from throughtime._arguments import whole_number
from throughtime._keys import random_key
from throughtime._registry import known_name
from throughtime._types import Array, KeyLike, Whole
from throughtime.layers.arguments import ArrayOrLists, zero_masked
from throughtime.layers.layer import AnyLayer, Network, final_output, reads_tokens, require_layer, run_layer
from throughtime.layers.pooling import max_output, mean_output
from throughtime.layers.stack import as_layer
from throughtime.layers.wrapper import per_step

POOLS: dict[str, Callable[[AnyLayer, Array, ArrayOrLists | None], Array]] = {
    "last": final_output,
    "mean": lambda layer, ys, mask: mean_output(ys, mask),
    "max": lambda layer, ys, mask: max_output(ys, mask),
}


class ManyToMany(Network):
    """A network with an output at each step: layers, and a linear readout of each of their outputs.

    Equations::

        y[t] = W @ h[t] + b

    for outputs h of the layers. It tags sequences, with a :class:`Bidirectional` layer for instance, or predicts the
    next value, from layers that read forward.

    Attributes:
        layer: a cell or a layer, such as a Stack.
        readout: H -> O.
    """

    layer: AnyLayer
    readout: eqx.nn.Linear

    def __init__(self, layers: AnyLayer | Sequence[AnyLayer], outputs: Whole, *, key: KeyLike):
        """Draw a readout with random weights ``U(-1/sqrt(H), 1/sqrt(H))`` for O ``outputs`` of a layer, or of a list.

        Raises:
            InputError: for anything but cells and layers, and if the layers of a list do not make a :class:`Stack`.
        """
        self.layer = as_layer(layers)
        require_layer("ManyToMany", self.layer)
        self.readout = eqx.nn.Linear(self.layer.hidden, whole_number("outputs", outputs), key=random_key(key))

    @property
    def inputs(self) -> int:
        """Return D, or the number of tokens."""
        return self.layer.inputs

    @property
    def reads_tokens(self) -> bool:
        """Tell if the layers read tokens."""
        return reads_tokens(self.layer)

    @property
    def outputs(self) -> int:
        """Return O."""
        return self.readout.weight.shape[0]

    def __call__(
        self, xs: ArrayOrLists, state: Any = None, *, mask: ArrayOrLists | None = None, key: KeyLike | None = None
    ) -> tuple[Any, Array]:
        """Return the state after the last step and the outputs (T, O), or (B, T, O) for a batch.

        Masked steps give zeros. A ``key``, in training, draws the noise of every layer; without one there is none.

        Raises:
            InputError: if a shape does not fit, or the mask is not boolean.
        """
        state, hidden = run_layer(self.layer, xs, state, mask=mask, key=key)
        outputs = per_step(self.readout, hidden)
        return state, zero_masked(outputs, None if mask is None else jnp.asarray(mask))


class ManyToOne(Network):
    """A network with one output for a whole sequence: layers, pooling over time, and a linear readout.

    Equations::

        y = W @ pool(h[0], .., h[T-1]) + b

    for outputs h of the layers. It classifies sequences of any length: masked steps do not count, so a padded, masked
    sequence gives the numbers of the unpadded one. A sequence without any input gives b.

    ======  ======================================================================================
    pool
    ======  ======================================================================================
    last    the output that has seen the whole sequence: of the last step with an input; of a
            Bidirectional layer, forward of the last step and backward of the first
    mean    the mean over all steps with an input
    max     the largest value of each unit over all steps with an input
    ======  ======================================================================================

    Attributes:
        layer: a cell or a layer, such as a Stack.
        readout: H -> O.
        pool: "last", "mean" or "max".
    """

    layer: AnyLayer
    readout: eqx.nn.Linear
    pool: str = eqx.field(static=True)

    def __init__(
        self,
        layers: AnyLayer | Sequence[AnyLayer],
        outputs: Whole,
        pool: str = "last",
        *,
        key: KeyLike,
    ):
        """Draw a readout with random weights ``U(-1/sqrt(H), 1/sqrt(H))`` for O ``outputs`` of a layer, or of a list.

        Raises:
            InputError: for anything but cells and layers, if the layers of a list do not make a :class:`Stack`, and for
                an unknown pool.
        """
        self.layer = as_layer(layers)
        require_layer("ManyToOne", self.layer)
        self.readout = eqx.nn.Linear(self.layer.hidden, whole_number("outputs", outputs), key=random_key(key))
        self.pool = known_name("pool", POOLS, pool)

    @property
    def inputs(self) -> int:
        """Return D, or the number of tokens."""
        return self.layer.inputs

    @property
    def reads_tokens(self) -> bool:
        """Tell if the layers read tokens."""
        return reads_tokens(self.layer)

    @property
    def outputs(self) -> int:
        """Return O."""
        return self.readout.weight.shape[0]

    def __call__(
        self, xs: ArrayOrLists, state: Any = None, *, mask: ArrayOrLists | None = None, key: KeyLike | None = None
    ) -> tuple[Any, Array]:
        """Return the state after the last step and the outputs (O,), or (B, O) for a batch.

        A ``key``, in training, draws the noise of every layer; without one there is none.

        Raises:
            InputError: if a shape does not fit, or the mask is not boolean.
        """
        state, hidden = run_layer(self.layer, xs, state, mask=mask, key=key)
        return state, per_step(self.readout, POOLS[self.pool](self.layer, hidden, mask))
