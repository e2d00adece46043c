"""The simple recurrent network of Elman, with any activation."""

from typing import Any, ClassVar, NamedTuple

import equinox as eqx
import jax.numpy as jnp

from throughtime._types import GateBias, Hidden, InputWeights, KeyLike, RecurrentWeights, Whole
from throughtime.cells import initializers
from throughtime.cells.activations import LARGEST_SLOPES, Activation, from_reference, to_reference
from throughtime.cells.activations import activation as activation_named
from throughtime.cells.base import MatrixCell


class ElmanState(NamedTuple):
    """The state of an Elman cell: h (H,), its last output."""

    h: Hidden


class Elman(MatrixCell):
    """A simple recurrent cell (Elman 1990, "Finding structure in time").

    Equations::

        h = phi(Wx_a @ x + Wh_a @ h + b_a)
        y = h

    ======  =======================================================
    gates   ``a``, the pre-activation
    w_x     (H, D)
    w_h     (H, H)
    b       (H,); PyTorch's pair is its sum here
    state   ``ElmanState(h)``
    ======  =======================================================

    ``step(state, gx) = update(state, activate(gx, w_h @ h))``, with ``gx = project(x)``.

    Attributes:
        activation: phi: sigmoid, tanh, relu, leaky_relu, elu, identity, or any elementwise function.
    """

    GATES: ClassVar[tuple[str, ...]] = ("a",)
    w_x: InputWeights
    w_h: RecurrentWeights
    b: GateBias
    activation: Activation = eqx.field(static=True)

    def __init__(
        self,
        inputs: Whole,
        hidden: Whole,
        activation: str | Activation = "tanh",
        *,
        input_init: str | initializers.MatrixInit = "glorot",
        recurrent_init: str | initializers.MatrixInit = "orthogonal",
        bias_init: str | initializers.BiasInit = "zeros",
        key: KeyLike,
    ):
        """Draw random weights for D ``inputs`` and H ``hidden`` units; initializers by name or as functions."""
        inits = (input_init, recurrent_init, bias_init)
        self.w_x, self.w_h, self.b = initializers.gated_weights(inputs, hidden, self.GATES, inits, key)
        self.activation = activation_named(activation)

    def __getstate__(self) -> dict[str, Any]:
        """Return the fields for a copy or a pickle, the activation by its name: JAX's functions cannot be copied."""
        return vars(self) | {"activation": to_reference(self.activation)}

    def __setstate__(self, fields: dict[str, Any]) -> None:
        """Take the fields of :meth:`__getstate__`."""
        vars(self).update(fields | {"activation": from_reference(fields["activation"])})

    def initial_state(self) -> ElmanState:
        """Return zeros."""
        return ElmanState(jnp.zeros(self.hidden, self.w_h.dtype))

    @property
    def slopes(self) -> tuple[float | None]:
        """Return the largest slope of phi, None for a custom function."""
        return (LARGEST_SLOPES.get(self.activation),)

    def activate(self, gx: GateBias, gh: GateBias) -> tuple[Hidden]:
        """Return phi of the pre-activation."""
        return (self.activation(gx + gh),)

    def update(self, state: ElmanState, gates: tuple[Hidden, ...]) -> ElmanState:
        """Return the activation as the new state."""
        return ElmanState(*gates)
