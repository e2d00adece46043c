"""The long short-term memory."""

from typing import ClassVar, NamedTuple

import jax.numpy as jnp
from jax.nn import sigmoid

from throughtime._types import GateBias, Hidden, InputWeights, KeyLike, RecurrentWeights, Whole
from throughtime.cells import initializers
from throughtime.cells.base import MatrixCell


class LSTMState(NamedTuple):
    """The state of an LSTM: h (H,), its last output, and c (H,), its memory."""

    h: Hidden
    c: Hidden


class LSTM(MatrixCell):
    """Long short-term memory with a forget gate and no peepholes.

    Hochreiter & Schmidhuber 1997, "Long short-term memory", with the forget gate of Gers, Schmidhuber & Cummins 2000,
    "Learning to forget".

    Equations::

        i = sigmoid(Wx_i @ x + Wh_i @ h + b_i)
        f = sigmoid(Wx_f @ x + Wh_f @ h + b_f)
        g = tanh(Wx_g @ x + Wh_g @ h + b_g)
        o = sigmoid(Wx_o @ x + Wh_o @ h + b_o)
        c = f * c + i * g
        h = o * tanh(c)
        y = h

    ======  =======================================================
    gates   ``i f g o``, as PyTorch and cuDNN
    w_x     (4H, D)
    w_h     (4H, H)
    b       (4H,); PyTorch's pair is its sum here
    state   ``LSTMState(h, c)``
    ======  =======================================================

    ``step(state, gx) = update(state, activate(gx, w_h @ h))``, with ``gx = project(x)``.

    The bias of f starts at 1 (``bias_init="forget"``), in the weights: TensorFlow 1 added it at run time instead.
    """

    GATES: ClassVar[tuple[str, ...]] = ("i", "f", "g", "o")
    w_x: InputWeights
    w_h: RecurrentWeights
    b: GateBias

    def __init__(
        self,
        inputs: Whole,
        hidden: Whole,
        *,
        input_init: str | initializers.MatrixInit = "glorot",
        recurrent_init: str | initializers.MatrixInit = "orthogonal",
        bias_init: str | initializers.BiasInit = "forget",
        key: KeyLike,
    ):
        """Draw random weights for D ``inputs`` and H ``hidden`` units; initializers by name or as functions."""
        inits = (input_init, recurrent_init, bias_init)
        self.w_x, self.w_h, self.b = initializers.gated_weights(inputs, hidden, self.GATES, inits, key)

    def initial_state(self) -> LSTMState:
        """Return zeros."""
        zeros = jnp.zeros(self.hidden, self.w_h.dtype)
        return LSTMState(zeros, zeros)

    @property
    def slopes(self) -> tuple[float, float, float, float]:
        """Return the largest slopes of three sigmoids and the tanh of g."""
        return 0.25, 0.25, 1.0, 0.25

    def activate(self, gx: GateBias, gh: GateBias) -> tuple[Hidden, Hidden, Hidden, Hidden]:
        """Return i, f, g and o."""
        i, f, g, o = jnp.split(gx + gh, 4)
        return sigmoid(i), sigmoid(f), jnp.tanh(g), sigmoid(o)

    def update(self, state: LSTMState, gates: tuple[Hidden, ...]) -> LSTMState:
        """Keep as much of the memory as f says, add as much of g as i says, and output its tanh as far as o says."""
        i, f, g, o = gates
        c = f * state.c + i * g
        return LSTMState(o * jnp.tanh(c), c)
