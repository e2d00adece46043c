"""A way past a cell."""

import jax
import jax.numpy as jnp

from throughtime._errors import InputError
from throughtime._types import Array, GateBias, Hidden, InputWeights, Projected, RecurrentWeights
from throughtime.cells import Cell, LinearCell, State
from throughtime.layers.wrapper import Wrapper


class Residual(Wrapper):
    """A cell whose output has its input added to it (He et al. 2016, arXiv 1512.03385, eq. 1).

    Equations::

        h, c = cell(h, c, Wx @ x + b, Wh @ h)
        y = h + x

    where ``cell`` is the inner one, with c if it has one. The gradient from y to x holds an identity, whatever the cell
    does; between layers it does not vanish. Through time it is the inner cell's, whose state this cell has.

    The input travels beside the projection as one more gate, ``residual``, whose rows of ``w_x`` are the identity and
    whose rows of ``w_h`` and ``b`` are zero. They are no weights: training leaves them as they are.

    A residual cell is unrolled step by step, also where the inner one is linear in its state.

    Attributes:
        cell: any cell with as many inputs as units.
    """

    cell: Cell

    def __init__(self, cell: Cell):
        """A way past ``cell``.

        Raises:
            InputError: where it has not as many inputs as units.
        """
        if cell.inputs != cell.hidden:
            raise InputError(
                f"Residual got a {type(cell).__name__} of {cell.inputs} inputs and {cell.hidden} units: expected as "
                "many inputs as units, so that they can be added"
            )
        self.cell = cell

    @property
    def GATES(self) -> tuple[str, ...]:  # type: ignore[override]  # noqa: N802
        """The inner cell's gates, and ``residual``."""
        return (*self.cell.GATES, "residual")

    @property  # type: ignore[misc]
    def w_x(self) -> InputWeights:  # type: ignore[override]
        """The inner cell's, above the identity."""
        return jnp.concatenate([self.cell.w_x, jnp.eye(self.cell.inputs, dtype=self.cell.w_x.dtype)])

    @property
    def w_h(self) -> RecurrentWeights:
        """The inner cell's, above zeros; an AttributeError, as of the cell itself, where it has none."""
        w_h = self.cell.w_h  # type: ignore[attr-defined]
        return jnp.concatenate([w_h, jnp.zeros((w_h.shape[1], w_h.shape[1]), w_h.dtype)])

    @property  # type: ignore[misc]
    def b(self) -> GateBias:  # type: ignore[override]
        """The inner cell's, above zeros."""
        return jnp.concatenate([self.cell.b, jnp.zeros(self.cell.inputs, self.cell.b.dtype)])

    def project(self, xs: Array) -> Projected:
        """The inner cell's projection and the input as it is: (..., D) -> (..., (G+1)*H)."""
        return jnp.concatenate([self.cell.project(xs), xs], axis=-1)

    def initial_state(self) -> State:
        """The inner cell's."""
        return self.cell.initial_state()

    def step(self, state: State, gx: GateBias) -> tuple[State, Hidden]:
        """One time step of the inner cell, with its input added to its output."""
        state, y = self.cell.step(state, gx[: -self.hidden])
        return state, y + gx[-self.hidden :]


class SignedEigenvalues(Wrapper, LinearCell):
    """A linear cell that can change the sign of its memory (Grazzi et al. 2025, arXiv 2411.12537).

    Equations::

        a, c = coefficients(x)
        h = (2 * a - 1) * h + c
        y = h

    for a cell that moves by ``h = a * h + c`` with a in [0, 1], such as MinGRU and MinLSTM. With a in [0, 1] no such
    cell can tell the parity of a sequence, however long it trains; with a in [-1, 1] it can. What the input adds, c,
    stays the inner cell's, as in the paper.

    Attributes:
        cell: a LinearCell with real a in [0, 1].
    """

    cell: LinearCell

    def __init__(self, cell: Cell):
        """The cell with 2a - 1 for a.

        Raises:
            InputError: for a cell that is not linear in its state, and where a is complex (LRU) or signed already.
        """
        if not isinstance(cell, LinearCell) or isinstance(cell, SignedEigenvalues) or _is_complex(cell):
            raise InputError(
                f"SignedEigenvalues got a {type(cell).__name__}: expected a LinearCell that keeps a share between 0 "
                "and 1 of its memory, such as MinGRU or MinLSTM"
            )
        self.cell = cell

    @property
    def slopes(self) -> tuple[float | None, ...]:
        """The inner cell's."""
        return self.cell.slopes

    def initial_state(self) -> State:
        """The inner cell's."""
        return self.cell.initial_state()

    def gates(self, state: State, gx: GateBias) -> tuple[Hidden, ...]:
        """The inner cell's."""
        return self.cell.gates(state, gx)

    def coefficients(self, gx: Array) -> tuple[Array, Array]:
        """``2a - 1`` and c."""
        a, c = self.cell.coefficients(gx)
        return 2 * a - 1, c

    def state_to_array(self, state: State) -> Array:
        """The inner cell's memory."""
        return self.cell.state_to_array(state)

    def array_to_state(self, s: Array) -> State:
        """The inner cell's state."""
        return self.cell.array_to_state(s)

    def output(self, s: Array, gx: Array) -> Array:
        """The inner cell's output."""
        return self.cell.output(s, gx)


def _is_complex(cell: LinearCell) -> bool:
    a, _ = jax.eval_shape(lambda: cell.coefficients(cell.b))
    return jnp.issubdtype(a.dtype, jnp.complexfloating)
