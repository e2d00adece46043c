"""Noise in training: each sequence is unrolled with its own randomly drawn cell.

At inference a ``RandomCell`` is deterministic. In training, ``cell.draw(key)`` returns a cell for one sequence. For a
batch::

    keys = jax.random.split(key, len(xs))
    state, ys = jax.vmap(lambda key, x: tt.unroll(cell.draw(key), x))(keys, xs)

:func:`unroll_drawn` does the same for random cells at any depth inside wrappers, and so does ``RecurrentNetwork`` if it
is called with a key.
"""

from abc import abstractmethod
from typing import Any, NamedTuple, SupportsFloat

import equinox as eqx
import jax
import jax.numpy as jnp

from throughtime._devices import split_alike
from throughtime._errors import InputError
from throughtime._keys import random_key
from throughtime._mesh import device_count
from throughtime._types import Array, Bool, GateBias, Hidden, Int, Key, KeyLike, Outputs
from throughtime.cells import Cell, MatrixCell, State
from throughtime.layers.arguments import ArrayOrLists, as_inputs
from throughtime.layers.normalization import require_matrix_cell
from throughtime.layers.wrapper import Wrapper
from throughtime.recurrence import unroll


class RandomCell(Cell):
    """A cell that is deterministic at inference, and drawn for each sequence in training."""

    @abstractmethod
    def draw(self, key: KeyLike) -> Cell:
        """Draw a cell for one sequence."""


def draw_cells(tree: Any, *, key: KeyLike) -> Any:
    """Return a cell, or anything that holds cells, with a draw in place of each random cell."""
    key = random_key(key)
    if _is_random(tree):
        return tree.draw(key)
    nodes, structure = jax.tree.flatten(tree, is_leaf=_is_random)
    draws = [node.draw(jax.random.fold_in(key, n)) if _is_random(node) else node for n, node in enumerate(nodes)]
    return jax.tree.unflatten(structure, draws)


def unroll_drawn(
    cell: Cell,
    xs: ArrayOrLists,
    state: Any = None,
    *,
    mask: ArrayOrLists | None = None,
    reverse: bool = False,
    key: KeyLike,
) -> tuple[Any, Outputs]:
    """Unroll in training: each sequence of a batch gets its own draw of the cell.

    Args:
        cell: any cell, with random cells at any depth inside it.
        xs: inputs (T, D), or a batch (B, T, D).
        state: a state that this function returned; a draw's state can hold more than the state at inference.
        mask: (T,) or (B, T), True for steps with an input.
        reverse: run from the last step to the first.
        key: of all draws.

    Returns:
        The last state and the outputs (T, H) or (B, T, H), as :func:`throughtime.unroll` returns them.

    Raises:
        InputError: if a shape does not fit, or the mask is not boolean.
    """
    xs, mask = as_inputs(cell.inputs, xs, mask)

    if device_count() > 1 and not any(map(_is_random, jax.tree.leaves(cell, is_leaf=_is_random))):
        return unroll(cell, xs, state, mask=mask, reverse=reverse)  # devices share no kernel of single sequences

    def one_sequence(key: Key, xs: Array, state: Any, mask: Any) -> tuple[Any, Array]:
        return unroll(draw_cells(cell, key=key), xs, state, mask=mask, reverse=reverse)

    if xs.ndim == 2:
        return one_sequence(random_key(key), xs, state, mask)
    keys = jax.random.split(random_key(key), len(xs))
    if state is None:  # made here, as JAX cannot map a loop's state that it meets without the mesh of xs
        keys, _ = split_alike((keys, xs))
        state = jax.vmap(lambda key: draw_cells(cell, key=key).initial_state())(keys)
    return jax.vmap(one_sequence)(*split_alike((keys, xs, state, mask)))


class Zoneout(Wrapper, RandomCell, MatrixCell):  # type: ignore[override]
    """A cell whose units keep their old state at random (Krueger et al. 2017, arXiv 1606.01305, section 3).

    Equations::

        new_h, new_c = cell(h, c, Wx @ x + b, Wh @ h)
        h = rate * h + (1 - rate) * new_h
        c = rate * c + (1 - rate) * new_c
        y = h

    where ``cell`` is the inner one, with c if it has one. This is the expectation, used at inference. In a draw, each
    unit of h and of c keeps its old value in each step with probability ``rate``, and takes the new one otherwise.

    The paper has separate rates for h and c; here there is one.

    Attributes:
        cell: an Elman, GRU, LSTM, or another MatrixCell with a state of h, or of h and c.
        rate: the probability that a unit keeps its value.
    """

    cell: MatrixCell
    rate: float = eqx.field(static=True)

    def __init__(self, cell: Cell, rate: SupportsFloat):
        """Wrap ``cell``.

        Raises:
            InputError: for a rate outside [0, 1), for a cell that is not a MatrixCell, for a state whose arrays belong
                together (SLSTM), and for a cell with another random cell inside.
        """
        self.cell = require_matrix_cell("Zoneout", cell)
        self.rate = require_rate("Zoneout", rate)
        names = cell.initial_state()._fields
        if not set(names) <= {"h", "c"}:
            raise InputError(
                f"Zoneout got a {type(cell).__name__}, whose state is {', '.join(names)}: expected a state of h, or of "
                "h and c, whose units can keep their values independently",
                code="wrong-state",
                found=names,
                expected=("h", "c"),
            )
        if any(_is_random(node) for node in jax.tree.leaves(cell, is_leaf=_is_random)):
            raise InputError(
                "Zoneout got a cell with another random cell inside: expected one without", code="nested-noise"
            )

    @property
    def slopes(self) -> tuple[float | None, ...]:
        """Return the inner cell's slopes."""
        return self.cell.slopes

    def activate(self, gx: GateBias, gh: GateBias) -> tuple[Hidden, ...]:
        """Return the inner cell's gates."""
        return self.cell.activate(gx, gh)

    def update(self, state: State, gates: tuple[Hidden, ...]) -> State:
        """Return the expected next state, between the old state and the inner cell's next one."""
        updated = self.cell.update(state, gates)
        return jax.tree.map(lambda old, new: self.rate * old + (1 - self.rate) * new, state, updated)

    def draw(self, key: KeyLike) -> "ZoneoutDraw":
        """Draw a cell for one sequence, which keeps different units in each step."""
        return ZoneoutDraw(self.cell, self.rate, key=random_key(key))


class ZoneoutState(NamedTuple):
    """The state of a draw of zoneout: the inner cell's state and t (), the number of steps taken."""

    cell: State
    t: Int[Array, ""]

    @property
    def h(self) -> Hidden:
        """Return the last output."""
        return self.cell.h


class ZoneoutDraw(Wrapper, MatrixCell):  # type: ignore[override]
    """A draw of :class:`Zoneout`: its noise in step t depends on the key and on t alone.

    Attributes:
        cell: the inner cell.
        key: of the noise of all steps.
        rate: the probability that a unit keeps its value.
    """

    cell: MatrixCell
    key: Key
    rate: float = eqx.field(static=True)

    def __init__(self, cell: MatrixCell, rate: float, *, key: Key):
        """Wrap ``cell`` with the noise of ``key``."""
        self.cell, self.rate, self.key = cell, rate, key

    @property
    def slopes(self) -> tuple[float | None, ...]:
        """Return the inner cell's slopes."""
        return self.cell.slopes

    def initial_state(self) -> ZoneoutState:
        """Return the inner cell's initial state at step 0."""
        return ZoneoutState(self.cell.initial_state(), jnp.zeros((), jnp.int32))

    def activate(self, gx: GateBias, gh: GateBias) -> tuple[Hidden, ...]:
        """Return the inner cell's gates."""
        return self.cell.activate(gx, gh)

    def update(self, state: ZoneoutState, gates: tuple[Hidden, ...]) -> ZoneoutState:
        """Return the next state; the units that the noise selects keep their old values."""
        updated = self.cell.update(state.cell, gates)
        keep = bernoulli(jax.random.fold_in(self.key, state.t), self.rate, (len(updated), self.hidden))
        mixed = jax.tree.map(jnp.where, type(updated)(*keep), state.cell, updated)
        return ZoneoutState(mixed, state.t + 1)


class VariationalDropout(Wrapper, RandomCell):
    """A cell with dropout of the same inputs and units in all steps of a sequence.

    Gal & Ghahramani 2016 (arXiv 1512.05287, section 4).

    At inference it is the inner cell. In a draw, with k and m of independent 0 and 1, each 0 with probability
    ``rate``::

        Wx = Wx * k[None, :] / (1 - rate)
        Wh = Wh * m[None, :] / (1 - rate)

    All gates drop the same inputs and units, as with the paper's tied weights. Scaling the columns of a weight matrix
    equals scaling x and h before the product. A cell without ``w_h`` drops inputs only. A draw has the inner cell's
    class, so a cell that is linear in its state keeps its parallel scan.

    Attributes:
        cell: any cell that holds its ``w_x`` as a field.
        rate: the probability that an input or a unit is dropped.
    """

    cell: Cell
    rate: float = eqx.field(static=True)

    def __init__(self, cell: Cell, rate: SupportsFloat):
        """Wrap ``cell``.

        Raises:
            InputError: for a rate outside [0, 1), and for a cell that computes its ``w_x`` (Residual).
        """
        self.cell, self.rate = cell, require_rate("VariationalDropout", rate)
        if not any(leaf is cell.w_x for leaf in jax.tree.leaves(cell)):
            name = type(cell).__name__
            raise InputError(
                f"VariationalDropout got a {name}, which computes its w_x: expected a cell that holds its w_x; "
                f"write {name}(VariationalDropout(cell, rate))",
                code="wrong-cell",
                found=name,
            )

    def step(self, state: State, gx: GateBias) -> tuple[State, Hidden]:
        """Run one step of the inner cell."""
        return self.cell.step(state, gx)

    def draw(self, key: KeyLike) -> Cell:
        """Return the inner cell with some columns of its weights set to zero."""
        key_inside, key_x, key_h = jax.random.split(random_key(key), 3)
        w_x, w_h = self.cell.w_x, getattr(self.cell, "w_h", None)  # a cell that is linear in its state has no w_h

        def drop(leaf: Array) -> Array:
            if leaf is w_x:
                return self._drop_columns(leaf, key_x)
            return self._drop_columns(leaf, key_h) if leaf is w_h else leaf

        return draw_cells(jax.tree.map(drop, self.cell), key=key_inside)

    def _drop_columns(self, weights: Array, key: Key) -> Array:
        dropped = bernoulli(key, self.rate, (1, weights.shape[1]))
        return jnp.where(dropped, 0, weights / (1 - self.rate))


def _is_random(node: Any) -> bool:
    return isinstance(node, RandomCell)


def bernoulli(key: Key, rate: float, shape: tuple[int, ...]) -> Bool[Array, "..."]:
    """Draw flags that are True with probability ``rate``; the same in float32 and in float64."""
    return jax.random.bernoulli(key, jnp.float32(rate), shape)


def require_rate(wrapper: str, rate: SupportsFloat) -> float:
    """Return the rate as a number of Python, which a configuration can hold."""
    probability = float(rate)
    if not 0 <= probability < 1:
        raise InputError(
            f"{wrapper} got rate={rate}: expected a probability of at least 0 and below 1",
            code="wrong-rate",
            found=rate,
            expected="0 <= rate < 1",
        )
    return probability
