"""Residual (skip) connection around a cell."""

import jax
import jax.numpy as jnp

from throughtime._errors import InputError
from throughtime._types import Array, GateBias, Hidden, InputWeights, Projected, RecurrentWeights
from throughtime.cells import Cell, LinearCell, State
from throughtime.layers.wrapper import Wrapper


class Residual(Wrapper):
    """A cell whose input is added to its output (He et al. 2016, arXiv 1512.03385, eq. 1).

    Equations::

        h, c = cell(h, c, Wx @ x + b, Wh @ h)
        y = h + x

    where ``cell`` is the inner one, with c if it has one. The derivative of y by x contains the identity, so between
    layers the gradient does not vanish. Through time the gradient is the inner cell's: the state is the inner cell's.

    The projection passes the input on as one more gate, ``residual``: its rows of ``w_x`` are the identity, its rows of
    ``w_h`` and ``b`` are zero. These rows are constants, not weights: training does not change them.

    A residual cell is unrolled step by step, even if the inner cell is linear in its state.

    Attributes:
        cell: any cell whose input size equals its hidden size.
    """

    cell: Cell

    def __init__(self, cell: Cell):
        """Wrap ``cell``.

        Raises:
            InputError: if its input size differs from its hidden size.
        """
        if cell.inputs != cell.hidden:
            raise InputError(
                f"Residual got a {type(cell).__name__} of {cell.inputs} inputs and {cell.hidden} units: expected as "
                "many inputs as units, so that they can be added",
                code="wrong-sizes",
                found=(cell.inputs, cell.hidden),
            )
        self.cell = cell

    @property
    def GATES(self) -> tuple[str, ...]:  # type: ignore[override]  # noqa: N802
        """Return the names of the inner cell's gates, and ``residual``."""
        return (*self.cell.GATES, "residual")

    @property  # type: ignore[misc]
    def w_x(self) -> InputWeights:  # type: ignore[override]
        """Return the inner cell's input weights above the identity."""
        return jnp.concatenate([self.cell.w_x, jnp.eye(self.cell.inputs, dtype=self.cell.w_x.dtype)])

    @property
    def w_h(self) -> RecurrentWeights:
        """Return the inner cell's recurrent weights above zeros.

        Raises:
            AttributeError: if the inner cell has none.
        """
        w_h = self.cell.w_h  # type: ignore[attr-defined]
        return jnp.concatenate([w_h, jnp.zeros((w_h.shape[1], w_h.shape[1]), w_h.dtype)])

    @property  # type: ignore[misc]
    def b(self) -> GateBias:  # type: ignore[override]
        """Return the inner cell's bias above zeros."""
        return jnp.concatenate([self.cell.b, jnp.zeros(self.cell.inputs, self.cell.b.dtype)])

    def project(self, xs: Array) -> Projected:
        """Return the inner cell's projection, then the input itself: (..., D) -> (..., (G+1)*H)."""
        return jnp.concatenate([self.cell.project(xs), xs], axis=-1)

    def step(self, state: State, gx: GateBias) -> tuple[State, Hidden]:
        """Run one step of the inner cell and add the input to its output."""
        state, y = self.cell.step(state, gx[: -self.hidden])
        return state, y + gx[-self.hidden :]


class SignedEigenvalues(Wrapper, LinearCell):
    """A linear cell whose memory can change its sign (Grazzi et al. 2025, arXiv 2411.12537).

    Equations::

        a, c = coefficients(x)
        h = (2 * a - 1) * h + c
        y = h

    for an inner cell with ``h = a * h + c`` and a in [0, 1], such as MinGRU and MinLSTM. With a in [0, 1] no such cell
    can compute the parity of a sequence, however long it trains; with a in [-1, 1] it can. As in the paper, c is the
    inner cell's.

    Attributes:
        cell: a LinearCell with real a in [0, 1].
    """

    cell: LinearCell

    def __init__(self, cell: Cell):
        """Wrap ``cell``.

        Raises:
            InputError: if the cell is not a LinearCell, or its a is complex (LRU) or signed already.
        """
        if not isinstance(cell, LinearCell) or isinstance(cell, SignedEigenvalues) or _is_complex(cell):
            raise InputError(
                f"SignedEigenvalues got a {type(cell).__name__}: expected a LinearCell that keeps a share between 0 "
                "and 1 of its memory, such as MinGRU or MinLSTM",
                code="wrong-cell",
                found=type(cell).__name__,
                expected="LinearCell with real coefficients in [0, 1]",
            )
        self.cell = cell

    @property
    def slopes(self) -> tuple[float | None, ...]:
        """Return the inner cell's slopes."""
        return self.cell.slopes

    def gates(self, state: State, gx: GateBias) -> tuple[Hidden, ...]:
        """Return the inner cell's gates."""
        return self.cell.gates(state, gx)

    def coefficients(self, gx: Array) -> tuple[Array, Array]:
        """Return ``2a - 1`` and c, (H,) each for one step."""
        a, c = self.cell.coefficients(gx)
        return 2 * a - 1, c

    def state_to_array(self, state: State) -> Array:
        """Return the inner cell's memory as an array."""
        return self.cell.state_to_array(state)

    def array_to_state(self, s: Array) -> State:
        """Return the inner cell's state from its memory."""
        return self.cell.array_to_state(s)

    def output(self, s: Array, gx: Array) -> Array:
        """Return the inner cell's output."""
        return self.cell.output(s, gx)


def _is_complex(cell: LinearCell) -> bool:
    a, _ = jax.eval_shape(lambda: cell.coefficients(cell.b))
    return jnp.issubdtype(a.dtype, jnp.complexfloating)
