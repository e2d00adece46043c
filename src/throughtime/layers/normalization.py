"""Layer normalization of a cell's pre-activations."""

import jax.numpy as jnp

from throughtime._errors import InputError
from throughtime._types import Array, GateBias, Hidden, Projected
from throughtime.cells import Cell, MatrixCell, State
from throughtime.layers.wrapper import Wrapper

EPSILON = 1e-5  # keeps the first step finite: there W_h h is zero


class LayerNorm(Wrapper, MatrixCell):  # type: ignore[override]
    """A cell whose pre-activations are normalized within each step (Ba, Kiros & Hinton 2016, arXiv 1607.06450).

    It generalizes the paper's LSTM, ``LN(W_h h) + LN(W_x x) + b``, to any cell with one recurrent product.

    Equations::

        gx = LN(Wx @ x) * gain_x + b
        gh = LN(Wh @ h) * gain_h
        h, c = cell(h, c, gx, gh)
        y = h

    where ``LN(z) = (z - mean(z)) / sqrt(variance(z) + 1e-5)`` and ``cell`` is the inner one, with c if it has one.

    - Mean and variance are over all G*H entries of a product, as in the paper's equation. Some implementations
      normalize each gate separately.
    - The inner cell's bias is added after the normalization, which would otherwise cancel its mean. The paper's biases
      within LN would only add to it.
    - The paper also normalizes the LSTM's c before it enters h. Here it does not: ``update`` is the inner cell's.

    Attributes:
        cell: an Elman, GRU, LSTM, SLSTM, or another MatrixCell.
        gain_x: (G*H,), for the input's product; starts at 1.
        gain_h: (G*H,), for the state's product; starts at 1.
    """

    cell: MatrixCell
    gain_x: GateBias
    gain_h: GateBias

    def __init__(self, cell: Cell):
        """Wrap ``cell``, with gains of 1.

        Raises:
            InputError: if the cell is not a MatrixCell.
        """
        self.cell = require_matrix_cell("LayerNorm", cell)
        self.gain_x = self.gain_h = jnp.ones_like(cell.b)

    @property
    def slopes(self) -> tuple[None, ...]:
        """Return None for each gate: normalization scales slopes by a factor that depends on the step."""
        return (None,) * len(self.GATES)

    def project(self, xs: Array) -> Projected:
        """Project inputs (..., D), normalize the products and add the bias: (..., G*H)."""
        products = xs @ self.w_x.T
        gain, bias = (jnp.broadcast_to(row, products.shape) for row in (self.gain_x, self.b))
        return _standardized(products) * gain + bias

    def activate(self, gx: GateBias, gh: GateBias) -> tuple[Hidden, ...]:
        """Return the inner cell's gates from ``gx``, normalized by ``project``, and ``gh``, normalized here."""
        return self.cell.activate(gx, _standardized(gh) * self.gain_h)

    def update(self, state: State, gates: tuple[Hidden, ...]) -> State:
        """Return the inner cell's next state."""
        return self.cell.update(state, gates)


def require_matrix_cell(wrapper: str, cell: Cell) -> MatrixCell:
    """Return ``cell`` if its state enters through one matrix product; ``wrapper`` is named in the error.

    Raises:
        InputError: for any other cell.
    """
    if isinstance(cell, MatrixCell):
        return cell
    raise InputError(
        f"{wrapper} got a {type(cell).__name__}: expected a cell whose state enters through one matrix product, a "
        "MatrixCell such as Elman, GRU, LSTM or SLSTM",
        code="wrong-cell",
        found=type(cell).__name__,
        expected="MatrixCell",
    )


def _standardized(z: Array) -> Array:
    """Return values of mean 0 and variance 1 over the last axis."""
    z = z - jnp.mean(z, axis=-1, keepdims=True)
    return z / jnp.sqrt(jnp.mean(jnp.square(z), axis=-1, keepdims=True) + EPSILON)
