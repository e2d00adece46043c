"""The checks of what :func:`throughtime.unroll` gets: a cell, shapes, types."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from throughtime._errors import InputError
from throughtime._types import Array, Sizes
from throughtime.cells import Cell, LinearCell


def require_cell(cell: Any) -> None:
    """Check that a cell is one.

    Raises:
        InputError: if it is a class of cells, a network, or anything else.
    """
    if isinstance(cell, Cell):
        return
    if isinstance(cell, type) and issubclass(cell, Cell):
        found, remedy = f"the class {cell.__name__}", f"tt.{cell.__name__}(inputs, hidden, key=key)"
    else:
        found, remedy = f"a {type(cell).__name__}", "such as tt.GRU(inputs, hidden, key=key)"
        if callable(cell):
            remedy += "; call a network or a stack itself, network(xs)"
    raise InputError(f"unroll got {found}: expected a cell, {remedy}", code="wrong-cell", found=found, expected="Cell")


def require_shapes(cell: Cell, xs: Array, mask: Array | None) -> None:
    """Check that inputs and mask fit each other and the cell.

    Raises:
        InputError: if they do not.
    """
    if xs.ndim not in (2, 3) or xs.shape[-1] != cell.inputs:
        expected = f"(T, {cell.inputs}) or (B, T, {cell.inputs})"
        raise InputError(
            f"xs has shape {xs.shape}: expected {expected} for a cell of {cell.inputs} inputs",
            code="wrong-shape",
            found=xs.shape,
            expected=expected,
        )
    if mask is not None and mask.shape != xs.shape[:-1]:
        raise InputError(
            f"mask has shape {mask.shape}: expected {xs.shape[:-1]}, one value for each step of xs",
            code="wrong-mask-shape",
            found=mask.shape,
            expected=xs.shape[:-1],
        )
    if mask is not None and mask.dtype != bool:
        raise InputError(
            f"mask has dtype {mask.dtype}: expected bool, True where xs holds an input",
            code="wrong-mask-dtype",
            found=str(mask.dtype),
            expected="bool",
        )


def require_state(cell: Cell, state: Any, batch: Sizes) -> None:
    """Check that a state has the structure and the shapes of the cell's own.

    Raises:
        InputError: if it has not, or is a mask.
    """
    if state is None:
        return
    require_no_mask(state)
    own = jax.eval_shape(cell.initial_state)
    shapes = [jnp.shape(leaf) for leaf in jax.tree.leaves(state)]
    expected = [(*batch, *leaf.shape) for leaf in jax.tree.leaves(own)]
    if (jax.tree.structure(state), shapes) != (jax.tree.structure(own), expected):
        kind, own_kind = type(state).__name__, type(own).__name__
        raise InputError(
            f"state is a {kind} with shapes {shapes}: expected a {own_kind} with shapes {expected}, as unroll returns "
            "it for the same cell and batch",
            code="wrong-state",
            found=(kind, shapes),
            expected=(own_kind, expected),
        )


def require_no_mask(state: Any) -> None:
    """Check that a state is not a mask, which is the second array that a call needs but the third argument.

    Raises:
        InputError: if it is an array of truth values, or a list of some; states are tuples.
    """
    leaves = [] if isinstance(state, tuple) else jax.tree.leaves(state)
    if leaves and (isinstance(leaves[0], bool) or getattr(leaves[0], "dtype", None) == jnp.dtype(bool)):
        raise InputError(
            "state holds truth values: expected the state of an earlier call; pass a mask by its name, mask=mask",
            code="mask-as-state",
            found=type(state).__name__,
            expected="state",
        )


def require_types(cell: Cell, xs: Array, state: Any) -> None:
    """Check that a step keeps the types of the state, for one sequence xs (T, D).

    Raises:
        InputError: if it does not, because xs, the state or the weights have types that do not fit each other.
    """
    if xs.shape[0] == 0:  # not its len(), which is no number where a program is traced for any T
        return
    try:
        gx, after = jax.eval_shape(partial(_first_step, cell), state, xs)
        fits = _dtypes(after) == _dtypes(state) and (gx.dtype == cell.w_x.dtype or not isinstance(cell, LinearCell))
    except TypeError:  # a function that takes no complex numbers, or no mixture
        fits = False
        if len(set(_dtypes((cell, xs, state)))) == 1:
            raise
    if not fits:
        raise _types_error(cell, xs, state)


def _first_step(cell: Cell, state: Any, xs: Array) -> tuple[Array, Any]:
    gx = cell.project(xs)[0]
    return gx, cell.step(state, gx)[0]


def _types_error(cell: Cell, xs: Array, state: Any) -> InputError:
    found = {"xs": xs, "state": state, "weights": cell}
    names = {name: ", ".join(sorted(set(_dtypes(tree)))) for name, tree in found.items()}
    x64 = "float64" in ", ".join(names.values()) and jnp.zeros(()).dtype == "float64"
    hint = " JAX's x64 mode is on, in which NumPy's float64 stays float64." if x64 else ""
    return InputError(
        f"the types do not fit: xs is {names['xs']}, the state {names['state']}, the weights of the "
        f"{type(cell).__name__} {names['weights']}. Expected one type; convert xs and state to the weights' type: "
        f"jnp.asarray(xs, {str(cell.w_x.dtype)!r}).{hint}",
        code="wrong-dtype",
        found=names,
        expected=str(cell.w_x.dtype),
    )


def _dtypes(tree: Any) -> list[str]:
    return [str(leaf.dtype) for leaf in jax.tree.leaves(tree) if hasattr(leaf, "dtype")]
