"""The equations in a wrapper's docstring, executed in float64 around a NumPy cell, give what the wrapper computes."""

from functools import partial

import numpy as np
import pytest
from tests.cells.test_equations import PHI, equations
from tests.contract import random_cell, random_inputs, random_weights
from tests.layers.wrapped import random_wrapped

import throughtime as tt

pytestmark = pytest.mark.usefixtures("x64")


def lstm(h, c, gx, gh):
    """Compute the inner cell of all wrappers here but one, from the two products of its pre-activations."""
    i, f, g, o = np.split(gx + gh, 4)
    c = PHI["sigmoid"](f) * c + PHI["sigmoid"](i) * np.tanh(g)
    return PHI["sigmoid"](o) * np.tanh(c), c


def layer_norm(z):
    return (z - z.mean()) / np.sqrt(z.var() + 1e-5)


def minlstm_coefficients(cell: tt.Cell):
    def coefficients(x):
        f, i, n = np.split(np.asarray(cell.w_x) @ x + np.asarray(cell.b), 3)
        f, i = PHI["sigmoid"](f), PHI["sigmoid"](i)
        return f / (f + i), i / (f + i) * n

    return coefficients


def names_in_equations(cell: tt.Cell) -> dict:
    """Return the arrays of the wrapper and of its inner cell, and the functions that the equations use."""
    inner = cell.cell
    names = {"cell": lstm, "LN": layer_norm, "sqrt": np.sqrt, "minimum": np.minimum}
    names |= {"coefficients": minlstm_coefficients(inner)} | {"Wx": np.asarray(inner.w_x), "b": np.asarray(inner.b)}
    if isinstance(inner, tt.MatrixCell):
        names["Wh"] = np.asarray(inner.w_h)
    for name, value in vars(cell).items():
        if hasattr(value, "_fields"):
            names |= {f"{name}_{field}": np.asarray(getattr(value, field)) for field in value._fields}
        elif name != "cell":
            names[name] = np.asarray(value) if hasattr(value, "shape") else value
    return names


def executed(cell: tt.Cell, xs: np.ndarray) -> tuple[dict, np.ndarray]:
    """Execute the equations and return the last state by name and all outputs."""
    code = compile(equations(cell), f"equations of {type(cell).__name__}", "exec")
    state = {"h": np.zeros(cell.hidden), "c": np.zeros(cell.hidden), "t": 0}
    names, ys = names_in_equations(cell), []
    for x in xs:
        step = {"x": x, **state}
        exec(code, names, step)
        state = {name: step[name] for name in state}
        ys.append(step["y"])
    return state, np.stack(ys)


CELLS = {
    "layer_norm": lambda: random_weights(lambda: tt.LayerNorm(random_cell("lstm"))),
    **{name: partial(random_wrapped, name) for name in ("batch_norm", "zoneout", "residual", "signed_eigenvalues")},
}


@pytest.mark.parametrize("name", CELLS)
def test_the_docstring_holds_the_equations(name):
    cell = CELLS[name]()
    xs = random_inputs(6, cell.inputs)  # more steps than batch_norm has statistics
    state, ys = tt.unroll(cell, xs)
    expected, expected_ys = executed(cell, np.asarray(xs))
    assert ys.dtype == np.float64
    np.testing.assert_allclose(ys, expected_ys, rtol=0, atol=1e-12)
    state = state.cell if isinstance(cell, tt.BatchNorm) else state
    for field in state._fields:
        np.testing.assert_allclose(getattr(state, field), expected[field], rtol=0, atol=1e-12)
