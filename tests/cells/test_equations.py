"""The equations in every cell's docstring, executed line by line in float64 NumPy, give the cell's results."""

import inspect
import textwrap
from dataclasses import fields

import jax
import numpy as np
import pytest
from tests.contract import CELLS, random_cell, random_inputs

import throughtime as tt

pytestmark = pytest.mark.usefixtures("x64")

# A second implementation: with the library's own the test would prove nothing.
PHI = {
    "sigmoid": lambda a: 1 / (1 + np.exp(-a)),
    "tanh": np.tanh,
    "relu": lambda a: np.maximum(a, 0),
    "leaky_relu": lambda a: np.where(a > 0, a, 0.01 * a),
    "elu": lambda a: np.where(a > 0, a, np.exp(a) - 1),
    "identity": lambda a: a,
}


def equations(cell: tt.Cell) -> str:
    """Return the indented block after ``Equations::``."""
    lines = inspect.getdoc(type(cell)).partition("Equations::\n\n")[2].splitlines()
    block = "\n".join(line for line in lines[: lines.index("")])
    return textwrap.dedent(block)


def names_in_equations(cell: tt.Cell, phi) -> dict:
    """Return the gates' blocks of the weights, by their names in the docstring."""
    names = {"phi": phi, "sigmoid": PHI["sigmoid"], "logsigmoid": lambda a: -np.log1p(np.exp(-a))}
    names |= {name: getattr(np, name) for name in ("tanh", "exp", "sqrt", "abs", "where", "maximum")}
    own = {field.name: getattr(cell, field.name) for field in fields(cell)}
    for name, prefix in (("w_x", "Wx"), ("w_h", "Wh"), ("b", "b")):
        if name in own:
            blocks = np.split(np.asarray(own.pop(name)), len(cell.GATES))
            names |= {f"{prefix}_{gate}": block for gate, block in zip(cell.GATES, blocks, strict=True)}
    return names | {name: np.asarray(value) if isinstance(value, jax.Array) else value for name, value in own.items()}


def executed(cell: tt.Cell, phi, xs: np.ndarray) -> tuple[dict, np.ndarray]:
    """Return the last state, by name, and all outputs of the equations."""
    code = compile(equations(cell), f"equations of {type(cell).__name__}", "exec")
    names, ys = names_in_equations(cell, phi), []
    state = {name: np.zeros(cell.hidden) for name in cell.initial_state()._fields}
    for x in xs:
        step = {"x": x}
        exec(code, names | state, step)  # an assignment in the equations hides the old state from the lines below it
        state = {name: step[name] for name in state}
        ys.append(step["y"])
    return state, np.stack(ys)


def assert_equations_hold(cell: tt.Cell, phi=None) -> None:
    xs = random_inputs(6, cell.inputs)
    state, ys = tt.unroll(cell, xs)
    expected_state, expected_ys = executed(cell, phi, np.asarray(xs))
    assert ys.dtype == np.float64
    np.testing.assert_allclose(ys, expected_ys, rtol=0, atol=1e-12)
    for name, expected in expected_state.items():
        np.testing.assert_allclose(getattr(state, name), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", CELLS)
def test_the_docstring_holds_the_equations(name):
    assert_equations_hold(random_cell(name), PHI.get(name.removeprefix("elman-")))


def test_elman_takes_any_function():
    assert_equations_hold(tt.Elman(3, 5, jax.numpy.sin, key=jax.random.key(3)), np.sin)


@pytest.mark.parametrize("name", CELLS)
def test_both_signs_of_each_activation_are_reached(name):
    """Otherwise the test above could not tell relu from identity."""
    cell = random_cell(name)
    pre_activations = cell.project(random_inputs(6, cell.inputs))
    assert (pre_activations < -0.1).any()
    assert (pre_activations > 0.1).any()
