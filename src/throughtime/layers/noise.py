"""Noise in training: each sequence runs through a cell of its own draw.

A ``RandomCell`` is the cell of use, without noise. In training, ``cell.draw(key)`` is a cell for one sequence, and a
batch is::

    keys = jax.random.split(key, len(xs))
    state, ys = jax.vmap(lambda key, x: tt.unroll(cell.draw(key), x))(keys, xs)

:func:`unroll_drawn` does the same for random cells anywhere inside others, and ``RecurrentNetwork`` where it is called
with a key.
"""

from abc import abstractmethod
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp

from throughtime._errors import InputError
from throughtime._types import Array, Bool, GateBias, Hidden, Inputs, Int, Key, Mask, Outputs
from throughtime.cells import Cell, MatrixCell, State
from throughtime.layers.normalization import require_matrix_cell
from throughtime.layers.wrapper import Wrapper
from throughtime.recurrence import unroll


class RandomCell(Cell):
    """A cell that is drawn anew for each sequence in training."""

    @abstractmethod
    def draw(self, key: Key) -> Cell:
        """A cell for one sequence."""


def drawn(tree: Any, *, key: Key) -> Any:
    """``cell.draw(key)``; of anything that holds cells, the same with a draw in the place of each random cell."""
    if _is_random(tree):
        return tree.draw(key)
    nodes, structure = jax.tree.flatten(tree, is_leaf=_is_random)
    draws = [node.draw(jax.random.fold_in(key, n)) if _is_random(node) else node for n, node in enumerate(nodes)]
    return jax.tree.unflatten(structure, draws)


def unroll_drawn(
    cell: Cell, xs: Inputs, state: Any = None, *, mask: Mask | None = None, key: Key
) -> tuple[Any, Outputs]:
    """:func:`throughtime.unroll` in training, each sequence of a batch through its own draw of the cell.

    The state of a draw is not always that of the cell in use: start from one that this function returned.
    """

    def one_sequence(key: Key, xs: Array, state: Any, mask: Any) -> tuple[Any, Array]:
        return unroll(drawn(cell, key=key), xs, state, mask=mask)

    if xs.ndim == 2:
        return one_sequence(key, xs, state, mask)
    return jax.vmap(one_sequence)(jax.random.split(key, len(xs)), xs, state, mask)


class Zoneout(Wrapper, RandomCell, MatrixCell):  # type: ignore[override]
    """A cell that keeps some units as they were, at random (Krueger et al. 2017, arXiv 1606.01305, § 3).

    Equations::

        new_h, new_c = cell(h, c, Wx @ x + b, Wh @ h)
        h = rate * h + (1 - rate) * new_h
        c = rate * c + (1 - rate) * new_c
        y = h

    where ``cell`` is the inner one, with c if it has one. This is the expectation, for use. In a draw, each unit of h
    and of c in each step is the old one with probability ``rate`` and the new one otherwise.

    The paper's rates of h and c may differ; here there is one.

    Attributes:
        cell: an Elman, GRU, LSTM, or another MatrixCell with a state of h, or of h and c.
        rate: how likely a unit is kept.
    """

    cell: MatrixCell
    rate: float = eqx.field(static=True)

    def __init__(self, cell: Cell, rate: float):
        """Keeps with probability ``rate``.

        Raises:
            InputError: for a rate outside [0, 1), for a cell without one recurrent product, for a state that means
                nothing when part of it is kept (that of SLSTM), and for a cell with zoneout inside.
        """
        self.cell = require_matrix_cell("Zoneout", cell)
        self.rate = _require_rate("Zoneout", rate)
        names = cell.initial_state()._fields
        if not set(names) <= {"h", "c"}:
            raise InputError(
                f"Zoneout got a {type(cell).__name__}, whose state is {', '.join(names)}: expected a state of h, or of "
                "h and c, each unit of which may be kept by itself"
            )
        if any(_is_random(node) for node in jax.tree.leaves(cell, is_leaf=_is_random)):
            raise InputError("Zoneout got a cell with zoneout inside: expected one without")

    @property
    def slopes(self) -> tuple[float | None, ...]:
        """The inner cell's."""
        return self.cell.slopes

    def initial_state(self) -> State:
        """The inner cell's."""
        return self.cell.initial_state()

    def activate(self, gx: GateBias, gh: GateBias) -> tuple[Hidden, ...]:
        """The inner cell's."""
        return self.cell.activate(gx, gh)

    def update(self, state: State, gates: tuple[Hidden, ...]) -> State:
        """Between the old state and the new."""
        moved = self.cell.update(state, gates)
        return jax.tree.map(lambda old, new: self.rate * old + (1 - self.rate) * new, state, moved)

    def draw(self, key: Key) -> "ZoneoutDraw":
        """A cell for one sequence that keeps other units in each step."""
        return ZoneoutDraw(self.cell, self.rate, key=key)


class ZoneoutState(NamedTuple):
    """cell: the inner cell's state; t (): how many steps it has made, which makes each step's noise another."""

    cell: State
    t: Int[Array, ""]

    @property
    def h(self) -> Hidden:
        """The last output."""
        return self.cell.h


class ZoneoutDraw(Wrapper, MatrixCell):  # type: ignore[override]
    """A draw of :class:`Zoneout`: its noise in step t is that of the key and t alone.

    Attributes:
        cell: the inner cell.
        key: makes the noise of all steps.
        rate: how likely a unit is kept.
    """

    cell: MatrixCell
    key: Key
    rate: float = eqx.field(static=True)

    def __init__(self, cell: MatrixCell, rate: float, *, key: Key):
        """The draw that ``key`` makes."""
        self.cell, self.rate, self.key = cell, rate, key

    @property
    def slopes(self) -> tuple[float | None, ...]:
        """The inner cell's."""
        return self.cell.slopes

    def initial_state(self) -> ZoneoutState:
        """The inner cell's, at step 0."""
        return ZoneoutState(self.cell.initial_state(), jnp.zeros((), jnp.int32))

    def activate(self, gx: GateBias, gh: GateBias) -> tuple[Hidden, ...]:
        """The inner cell's."""
        return self.cell.activate(gx, gh)

    def update(self, state: ZoneoutState, gates: tuple[Hidden, ...]) -> ZoneoutState:
        """The new state, and the old one where the noise keeps it."""
        moved = self.cell.update(state.cell, gates)
        noise = _bernoulli(jax.random.fold_in(self.key, state.t), self.rate, (len(moved), self.hidden))
        kept = jax.tree.map(jnp.where, type(moved)(*noise), state.cell, moved)
        return ZoneoutState(kept, state.t + 1)


class VariationalDropout(Wrapper, RandomCell):
    """A cell that misses the same inputs and units in all steps of a sequence.

    Gal & Ghahramani 2016 (arXiv 1512.05287, § 4).

    In use it is the inner cell. In a draw, with k and m of independent 0 and 1, each 0 with probability ``rate``::

        Wx = Wx * k[None, :] / (1 - rate)
        Wh = Wh * m[None, :] / (1 - rate)

    All gates miss the same ones: the paper's tied weights. Multiplying columns of the weights is multiplying x
    and h on their way into the products; a cell without ``w_h`` misses inputs only. A draw is of the inner cell's own
    class, so a cell that is linear in its state keeps its parallel scan.

    Attributes:
        cell: any cell that holds its weights itself.
        rate: how likely an input or a unit is missed.
    """

    cell: Cell
    rate: float = eqx.field(static=True)

    def __init__(self, cell: Cell, rate: float):
        """Misses with probability ``rate``.

        Raises:
            InputError: for a rate outside [0, 1), and for a cell that makes its ``w_x`` from others (Residual).
        """
        self.cell, self.rate = cell, _require_rate("VariationalDropout", rate)
        if not any(leaf is cell.w_x for leaf in jax.tree.leaves(cell)):
            name = type(cell).__name__
            raise InputError(
                f"VariationalDropout got a {name}, which does not hold its w_x itself: expected a cell that does; "
                f"write {name}(VariationalDropout(cell, rate))"
            )

    def initial_state(self) -> State:
        """The inner cell's."""
        return self.cell.initial_state()

    def step(self, state: State, gx: GateBias) -> tuple[State, Hidden]:
        """The inner cell's."""
        return self.cell.step(state, gx)

    def draw(self, key: Key) -> Cell:
        """The inner cell without some columns of its weights."""
        key_inside, key_x, key_h = jax.random.split(key, 3)
        w_x, w_h = self.cell.w_x, getattr(self.cell, "w_h", None)  # a cell that is linear in its state has no w_h

        def thinned(leaf: Array) -> Array:
            if leaf is w_x:
                return self._thinned(leaf, key_x)
            return self._thinned(leaf, key_h) if leaf is w_h else leaf

        return drawn(jax.tree.map(thinned, self.cell), key=key_inside)

    def _thinned(self, weights: Array, key: Key) -> Array:
        missed = _bernoulli(key, self.rate, (1, weights.shape[1]))
        return jnp.where(missed, 0, weights / (1 - self.rate))


def _is_random(node: Any) -> bool:
    return isinstance(node, RandomCell)


def _bernoulli(key: Key, rate: float, shape: tuple[int, ...]) -> Bool[Array, "..."]:
    """True with probability ``rate``: the same ones in float32 and in float64."""
    return jax.random.bernoulli(key, jnp.float32(rate), shape)


def _require_rate(wrapper: str, rate: float) -> float:
    if not 0 <= rate < 1:
        raise InputError(f"{wrapper} got rate={rate}: expected a probability of at least 0 and below 1")
    return rate
