"""The contracts of every cell, as functions that check them.

A contract is a function of a cell that raises if the cell breaks it; its name and its docstring become the message.
``CONTRACTS`` lists them in the order in which they build on each other. A new contract is one function and one line in
that table. A cell is checked with its own weights on random inputs of a fixed seed. Use random weights: a cell of zeros
keeps many contracts by accident.
"""

import tempfile
from collections.abc import Callable
from dataclasses import fields
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from throughtime._errors import InputError
from throughtime._types import Array
from throughtime.cells import Cell, State
from throughtime.recurrence import unroll
from throughtime.training import checkpoint

Contract = Callable[[Cell], None]
# All sizes differ, so that no axis can be mistaken for another.
STEPS, FIRST_STEPS, SEQUENCES = 6, 2, 3
MASK = np.array([0, 1, 0, 1, 1, 0, 0, 1, 1, 1, 0], bool)  # STEPS are True; holes inside, padding at the ends
_unroll = eqx.filter_jit(unroll)  # compiled once for all calls with equal shapes


class ContractError(AssertionError):
    """A broken contract: its message names the cell, the contract, the actual result and the expected one.

    Attributes:
        contract: the name of the contract; empty until :func:`hold` adds it.
    """

    def __init__(self, message: str, contract: str = ""):
        super().__init__(message)
        self.contract = contract


def check_cell(cell: object) -> None:
    """Hold a cell to every contract of the library, for instance in a test of your own cell.

    Takes a few seconds, mostly for compilation, and does not change the cell.

    Raises:
        InputError: for anything that is not a cell.
        ContractError: for the first contract that the cell breaks.
    """
    if not isinstance(cell, Cell):
        raise InputError(
            f"check_cell got {cell!r}: expected an instance of a class derived from throughtime.Cell",
            code="not-a-cell",
            found=type(cell).__name__,
            expected="throughtime.Cell",
        )
    for contract in CONTRACTS:
        hold(cell, contract)


def hold(cell: Cell, contract: Contract) -> None:
    """Hold a cell to one contract.

    Raises:
        ContractError: if the cell breaks it, or raises any other error.
    """
    try:
        contract(cell)
    except Exception as error:  # a user's cell may raise anything
        reason = str(error) if isinstance(error, ContractError) else f"It raised {type(error).__name__}: {error}"
        kind, name = type(cell).__name__, contract.__name__
        raise ContractError(f"{kind} breaks the contract {name}: {contract.__doc__} {reason}", name) from error


def frozen(cell: Cell) -> None:
    """Fields of a cell and their arrays cannot be changed."""
    for field in fields(cell):
        try:
            setattr(cell, field.name, getattr(cell, field.name))
        except AttributeError:
            continue
        raise ContractError(f"The field {field.name} could be set: expected a frozen dataclass, such as eqx.Module.")
    writable = [jax.tree_util.keystr(path) for path, leaf in _leaves(cell) if isinstance(leaf, np.ndarray)]
    if writable:
        raise ContractError(f"Writable NumPy arrays at {', '.join(writable)}: expected JAX arrays.")


def layout(cell: Cell) -> None:
    """The weights are w_x (G*H, D), b (G*H,) and, if there is one, w_h (G*H, H), with H rows for each of G GATES."""
    if len(set(cell.GATES)) != len(cell.GATES):
        raise ContractError(f"GATES is {cell.GATES}: expected distinct names.")
    matrix = getattr(cell, "w_h", None)  # a cell that is linear in its state has no w_h
    hidden = len(cell.b) // len(cell.GATES) if matrix is None else matrix.shape[1]
    rows = len(cell.GATES) * hidden
    expected = {"w_x": (rows, cell.inputs), "b": (rows,)} | ({} if matrix is None else {"w_h": (rows, hidden)})
    for name, shape in expected.items():
        _require_equal(f"The shape of {name}", getattr(cell, name).shape, shape)


def state_keeps_shape(cell: Cell) -> None:
    """The state starts as a NamedTuple of zeros and keeps its shapes and dtypes; the output is (H,)."""
    state = cell.initial_state()
    if not isinstance(state, tuple) or getattr(state, "_fields", None) is None:
        raise ContractError(f"The state is a {type(state).__name__}: expected a NamedTuple.")
    if any(np.any(np.asarray(leaf)) for leaf in jax.tree.leaves(state)):
        raise ContractError(f"The first state is {state}: expected zeros.")
    after, y = cell.step(state, cell.project(_inputs(cell)))
    _require_equal("The state after a step", _shapes(after), _shapes(state))
    _require_equal("The output", (y.shape, y.dtype), ((cell.hidden,), cell.w_x.dtype))


def step_is_pure(cell: Cell) -> None:
    """The same state and input give the same results, and the cell does not change."""
    before = jax.tree.flatten(cell)
    gx = cell.project(_inputs(cell))
    state, _ = cell.step(cell.initial_state(), gx)  # not by unroll, whose traces would leak from an impure step
    first, second = cell.step(state, gx), cell.step(state, gx)
    _require_same("The result of the second call", second, first)
    after = jax.tree.flatten(cell)
    _require_equal("The cell after step", after[1], before[1])
    if any(new is not old for new, old in zip(after[0], before[0], strict=True)):
        raise ContractError("An array of the cell was replaced during step: expected the cell not to change.")


def project_works_row_by_row(cell: Cell) -> None:
    """Projecting all leading axes at once, (..., D) -> (..., G*H), gives the numbers of each row alone."""
    xs = _inputs(cell, FIRST_STEPS, STEPS)
    rows = np.stack([np.stack([cell.project(x) for x in row]) for row in xs])
    _require_equal("The shape of one row", rows.shape[2:], (len(cell.GATES) * cell.hidden,))
    _require_same("The projection of all rows at once", cell.project(xs), rows)


def jit_equals_eager(cell: Cell) -> None:
    """The compiled, unrolled cell gives the numbers of a Python loop over its steps."""
    xs = _inputs(cell, STEPS)
    state, ys = cell.initial_state(), []
    for x in xs:
        state, y = cell.step(state, cell.project(x))
        ys.append(y)
    _require_same("The compiled result", _run(cell, xs), (state, np.stack(ys)))


def batch_equals_loop(cell: Cell) -> None:
    """A batch of sequences, each from its own state, gives the numbers of the sequences one by one."""
    xs = _inputs(cell, SEQUENCES, STEPS)
    states = [cell.initial_state(), _used_state(cell), _run(cell, xs[0])[0]]
    batch = _unroll(cell, xs, jax.tree.map(lambda *leaves: np.stack(leaves), *states))
    for b, state in enumerate(states):
        row = jax.tree.map(lambda leaf, b=b: leaf[b], batch)
        _require_same(f"Sequence {b} of the batch", row, _run(cell, xs[b], state))


def state_carries_over(cell: Cell) -> None:
    """Unrolling T steps equals unrolling the first T1, then the other T2 from the state after T1."""
    xs = _inputs(cell, STEPS)
    state, early = _run(cell, xs[:FIRST_STEPS])
    state, late = _run(cell, xs[FIRST_STEPS:], state)
    _require_same("The two parts", (state, np.concatenate([early, late])), _run(cell, xs))


def masked_equals_shorter(cell: Cell) -> None:
    """A sequence with masked steps gives the numbers and gradients of the one without them, even if they hold NaN."""
    xs, state = _inputs(cell, STEPS), _used_state(cell)

    def padded(rows: Any, filler: float = 0.0) -> Any:
        longer = np.full((len(MASK), *rows.shape[1:]), filler, rows.dtype)
        longer[MASK] = rows
        return longer

    (last, ys), (by_cell, by_xs, by_state) = _results_and_gradients((cell, xs, state))
    results, gradients = _results_and_gradients((cell, padded(xs, np.nan), state), MASK)
    _require_same("The masked result", results, (last, padded(ys)))
    _require_same("The masked gradient", gradients, (by_cell, padded(by_xs), by_state))


def reverse_equals_flipped(cell: Cell) -> None:
    """Unrolling the flipped sequence in reverse gives the flipped outputs."""
    xs, state = _inputs(cell, STEPS), _used_state(cell)
    last, ys = _run(cell, xs, state)
    _require_same("The reversed result", _unroll(cell, xs[::-1], state, reverse=True), (last, ys[::-1]))


def works_in_float64(cell: Cell) -> None:
    """With x64 enabled, float64 weights give float64 states and outputs, which agree with those of float32."""
    with jax.enable_x64(True):
        precise = _in_float64(cell)
        result = _run(precise, _inputs(precise, STEPS))
        kinds = {str(leaf.dtype) for leaf in jax.tree.leaves(eqx.filter(result, eqx.is_inexact_array))}
    _require_equal("The dtypes of the result", kinds, {"float64"})
    _require_same("The result in float64", result, _run(cell, _inputs(cell, STEPS)))


def gradient_equals_differences(cell: Cell) -> None:
    """The slope along a random direction of weights and inputs agrees with a finite difference, in float64."""
    with jax.enable_x64(True):
        precise = _in_float64(cell)
        point, first = (precise, _inputs(precise, STEPS)), precise.initial_state()
        draw = np.random.default_rng(1)
        direction = jax.tree.map(lambda leaf: draw.standard_normal(leaf.shape), eqx.filter(point, eqx.is_inexact_array))
        small = 1e-6  # short enough that a kink, as of ReLU, is unlikely in between

        def energy_at(distance: float) -> Array:
            moved, xs = eqx.apply_updates(point, jax.tree.map(lambda part: distance * part, direction))
            return _energy(_run(moved, xs, first))

        _, gradients = _results_and_gradients((*point, first))
        slope = sum(jax.tree.leaves(jax.tree.map(np.vdot, direction, gradients[:2])))
        difference = (energy_at(small) - energy_at(-small)) / (2 * small)
    _require_same("The slope", np.float32(slope), np.float32(difference))  # a difference has fewer digits than float64


def comes_back_from_disk(cell: Cell) -> None:
    """A cell that is saved and loaded is bit-identical."""
    with tempfile.TemporaryDirectory() as folder:
        checkpoint.save(folder, "cell", {}, {"cell": cell})
        loaded = checkpoint.restore(checkpoint.load(folder).arrays, lambda: cell, "cell")
    _require_equal("The loaded cell", bool(eqx.tree_equal(loaded, cell)), True)


CONTRACTS: tuple[Contract, ...] = (
    frozen,
    layout,
    state_keeps_shape,
    step_is_pure,
    project_works_row_by_row,
    jit_equals_eager,
    batch_equals_loop,
    state_carries_over,
    masked_equals_shorter,
    reverse_equals_flipped,
    works_in_float64,
    gradient_equals_differences,
    comes_back_from_disk,
)


def _inputs(cell: Cell, *leading: int) -> Array:
    """Return normal numbers (*leading, D), the same in each call."""
    return jnp.asarray(np.random.default_rng(0).standard_normal((*leading, cell.inputs)), cell.w_x.dtype)


def _run(cell: Cell, xs: Array, state: State = None) -> tuple[State, Array]:
    """Unroll one sequence, always with a state, so that most contracts share one compiled program."""
    return _unroll(cell, xs, cell.initial_state() if state is None else state)


def _used_state(cell: Cell) -> State:
    """Return a state that is not zero: the state after a few steps."""
    state, _ = _run(cell, _inputs(cell, FIRST_STEPS))
    return state


def _in_float64(cell: Cell) -> Cell:
    return jax.tree.map(lambda leaf: leaf.astype(np.float64) if eqx.is_inexact_array(leaf) else leaf, cell)


def _energy(results: Any) -> Array:
    """Return the sum of squares, to which zeros at masked steps add nothing."""
    squares = [jnp.sum(jnp.square(leaf)) for leaf in jax.tree.leaves(results) if eqx.is_inexact_array(leaf)]
    return jnp.sum(jnp.stack(squares))


@eqx.filter_jit
def _results_and_gradients(arguments: tuple[Cell, Array, State], mask: Any = None) -> tuple[Any, Any]:
    """Return the results of unroll, and the gradient of their energy by cell, inputs and state."""

    def energy(arguments: tuple[Cell, Array, State]) -> tuple[Array, Any]:
        results = unroll(*arguments, mask=mask)
        return _energy(results), results

    (_, results), gradients = eqx.filter_value_and_grad(energy, has_aux=True)(arguments)
    return results, gradients


def _leaves(tree: Any) -> list[tuple[Any, Any]]:
    return jax.tree_util.tree_flatten_with_path(tree)[0]


def _shapes(tree: Any) -> Any:
    return jax.tree.map(lambda leaf: f"{leaf.dtype}{leaf.shape}", tree)


def _require_equal(subject: str, actual: Any, expected: Any) -> None:
    if actual != expected:
        raise ContractError(f"{subject} is {actual}: expected {expected}.")


def _require_same(subject: str, actual: Any, expected: Any) -> None:
    """Require equal trees, up to half the digits of the coarser dtype: far more than rounding, far less than a bug."""
    _require_equal(f"The structure of {subject}", jax.tree.structure(actual), jax.tree.structure(expected))
    for (path, leaf), wanted in zip(_leaves(actual), jax.tree.leaves(expected), strict=True):
        place = f"{subject} at {jax.tree_util.keystr(path)}"
        _require_equal(f"The shape of {place}", np.shape(leaf), np.shape(wanted))
        tolerance = max(_rounding(leaf), _rounding(wanted)) ** 0.5 * np.max(np.abs(wanted), initial=0.0)
        if not np.allclose(leaf, wanted, rtol=0.0, atol=tolerance):
            raise ContractError(f"{place} is {leaf}: expected {wanted}.")


def _rounding(leaf: Any) -> float:
    """Return the machine epsilon of an array's dtype; 0 for whole numbers."""
    dtype = np.asarray(leaf).dtype
    return float(np.finfo(dtype).eps) if np.issubdtype(dtype, np.inexact) else 0.0
