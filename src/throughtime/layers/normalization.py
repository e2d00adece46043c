"""Layer normalization of a cell's pre-activations."""

import jax.numpy as jnp

from throughtime._errors import InputError
from throughtime._types import Array, GateBias, Hidden, Projected
from throughtime.cells import Cell, MatrixCell, State
from throughtime.layers.wrapper import Wrapper

EPSILON = 1e-5  # keeps the first step finite, where W_h h is zero


class LayerNorm(Wrapper, MatrixCell):  # type: ignore[override]
    """A cell whose pre-activations are normalized within each step (Ba, Kiros & Hinton 2016, arXiv 1607.06450).

    Their LSTM, ``LN(W_h h) + LN(W_x x) + b``, for any cell with one recurrent product.

    Equations::

        gx = LN(Wx @ x) * gain_x + b
        gh = LN(Wh @ h) * gain_h
        h, c = cell(h, c, gx, gh)
        y = h

    where ``LN(z) = (z - mean(z)) / sqrt(variance(z) + 1e-5)`` and ``cell`` is the inner one, with c if it has one.

    - Mean and variance are those of all G*H numbers of a product together, as in the paper's equation. Some
      implementations take them a gate at a time.
    - The bias is the cell's own and stands behind the normalization, which would otherwise cancel its mean. The paper's
      biases within LN would only add to it.
    - The paper also normalizes the LSTM's c on its way to h. This is left out: ``update`` is the inner cell's own.

    Attributes:
        cell: an Elman, GRU, LSTM, SLSTM, or another MatrixCell.
        gain_x: (G*H,), of the input's share; starts at 1.
        gain_h: (G*H,), of the state's share; starts at 1.
    """

    cell: MatrixCell
    gain_x: GateBias
    gain_h: GateBias

    def __init__(self, cell: Cell):
        """Gains of 1.

        Raises:
            InputError: for a cell without one recurrent product.
        """
        self.cell = require_matrix_cell("LayerNorm", cell)
        self.gain_x = self.gain_h = jnp.ones_like(cell.b)

    @property
    def slopes(self) -> tuple[None, ...]:
        """Not known: normalizing multiplies them by what the step holds."""
        return (None,) * len(self.GATES)

    def project(self, xs: Array) -> Projected:
        """The input's share, normalized, with the bias: (..., D) -> (..., G*H)."""
        products = xs @ self.w_x.T
        gain, bias = (jnp.broadcast_to(each, products.shape) for each in (self.gain_x, self.b))
        return _normal(products) * gain + bias

    def initial_state(self) -> State:
        """The inner cell's."""
        return self.cell.initial_state()

    def activate(self, gx: GateBias, gh: GateBias) -> tuple[Hidden, ...]:
        """The inner cell's gates from a normalized ``gh``; ``gx`` is normalized already."""
        return self.cell.activate(gx, _normal(gh) * self.gain_h)

    def update(self, state: State, gates: tuple[Hidden, ...]) -> State:
        """The inner cell's."""
        return self.cell.update(state, gates)


def require_matrix_cell(wrapper: str, cell: Cell) -> MatrixCell:
    """``cell``, if its state enters through one product that ``wrapper`` can take hold of.

    Raises:
        InputError: for any other.
    """
    if isinstance(cell, MatrixCell):
        return cell
    raise InputError(
        f"{wrapper} got a {type(cell).__name__}: expected a cell whose state enters through one matrix product, a "
        "MatrixCell such as Elman, GRU, LSTM or SLSTM"
    )


def _normal(z: Array) -> Array:
    """Mean 0 and variance 1 over the last axis."""
    z = z - jnp.mean(z, axis=-1, keepdims=True)
    return z / jnp.sqrt(jnp.mean(jnp.square(z), axis=-1, keepdims=True) + EPSILON)
