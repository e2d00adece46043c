"""Cells from the attributes and arrays of ONNX's operators RNN, GRU and LSTM."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from throughtime._errors import InputError
from throughtime._types import Array
from throughtime.cells import GRU, LSTM, Activation, Elman, GatedCell, ResetFirstGRU
from throughtime.interop import layout
from throughtime.interop.onnx.nodes import GATE_ORDERS, NODE_ACTIVATIONS

DIRECTIONS = {"forward": 1, "reverse": 1, "bidirectional": 2}
USUAL = {"RNN": ["Tanh"], "GRU": ["Sigmoid", "Tanh"], "LSTM": ["Sigmoid", "Tanh", "Tanh"]}
"""The activations of an operator for one direction, if it names none; GRU and LSTM here have these alone."""

# Functions of x and the parameters alpha and beta, with the defaults that ONNX's documentation of RNN gives them.
FUNCTIONS: dict[str, tuple[Callable[..., Array], float, float]] = {
    "affine": (lambda x, alpha, beta: alpha * x + beta, 1.0, 0.0),
    "elu": (lambda x, alpha, beta: jax.nn.elu(x, alpha), 1.0, 0.0),
    "hardsigmoid": (lambda x, alpha, beta: jnp.clip(alpha * x + beta, 0, 1), 0.2, 0.5),
    "leakyrelu": (lambda x, alpha, beta: jax.nn.leaky_relu(x, alpha), 0.01, 0.0),
    "relu": (lambda x, alpha, beta: jax.nn.relu(x), 0.0, 0.0),
    "scaledtanh": (lambda x, alpha, beta: alpha * jnp.tanh(beta * x), 1.0, 1.0),
    "sigmoid": (lambda x, alpha, beta: jax.nn.sigmoid(x), 0.0, 0.0),
    "softplus": (lambda x, alpha, beta: jax.nn.softplus(x), 0.0, 0.0),
    "softsign": (lambda x, alpha, beta: jax.nn.soft_sign(x), 0.0, 0.0),
    "tanh": (lambda x, alpha, beta: jnp.tanh(x), 0.0, 0.0),
    "thresholdedrelu": (lambda x, alpha, beta: jnp.where(x > alpha, x, 0), 1.0, 0.0),
}
WITH_ALPHA = {"affine", "elu", "hardsigmoid", "leakyrelu", "scaledtanh", "thresholdedrelu"}
WITH_BETA = {"affine", "hardsigmoid", "scaledtanh"}


@dataclass(frozen=True)
class OnnxActivation:
    """An activation of ONNX: a function with parameters, of values that ``clip`` limits first."""

    name: str
    alpha: float
    beta: float
    clip: float | None = None

    def __call__(self, a: Array) -> Array:
        """Return the activation of a."""
        limited = a if self.clip is None else jnp.clip(a, -self.clip, self.clip)
        return FUNCTIONS[self.name][0](limited, self.alpha, self.beta)


def cells_of(
    operator: str, attributes: Mapping[str, Any], arrays: Sequence[np.ndarray], peepholes: np.ndarray | None
) -> list[GatedCell]:
    """Return the cells of an operator, one for each direction.

    Args:
        operator: "RNN", "GRU" or "LSTM".
        attributes: those that the file sets.
        arrays: W (directions, G*H, D), R (directions, G*H, H), and B (directions, 2*G*H) if there are biases.
        peepholes: of an LSTM, (directions, 3*H).

    Raises:
        InputError: for arrays of other shapes, and for what no cell here computes.
    """
    direction = attributes.get("direction", "forward")
    if direction not in DIRECTIONS:
        raise _unsupported(operator, "direction", direction, ", ".join(DIRECTIONS))
    count = DIRECTIONS[direction]
    _refuse(operator, attributes, peepholes)
    activations = _activations(operator, attributes, count)
    w, r, *biases = arrays
    hidden = attributes.get("hidden_size", r.shape[-1])
    of_gru = GRU if attributes.get("linear_before_reset", 0) else ResetFirstGRU
    kind: Any = {"RNN": Elman, "GRU": of_gru, "LSTM": LSTM}[operator]
    order = GATE_ORDERS[kind]
    rows = len(order) * hidden
    b = biases[0] if biases else np.zeros((count, 2 * rows), np.float32)
    found = w.shape, r.shape, b.shape
    expected = (count, rows, w.shape[-1]), (count, rows, hidden), (count, 2 * rows)
    if found != expected:
        raise InputError(
            f"W, R and B of the {operator} have shapes {found}: expected {expected}",
            code="wrong-shape",
            found=found,
            expected=expected,
        )
    cells = []
    for number, activation in enumerate(activations):
        of_one = (w[number], r[number], *np.split(b[number], 2))
        ours = [layout.reorder(jnp.asarray(array, jnp.float32), order, kind.GATES) for array in of_one]
        settings = {"activation": activation} if kind is Elman else {}
        named = {"w_x": ours[0], "w_h": ours[1], **layout.merge_biases(kind, *ours[2:])}
        cells.append(layout.build_cell(kind, named, settings))
    return cells


def _activations(operator: str, attributes: Mapping[str, Any], count: int) -> list[Activation | None]:
    """Return the activation of an RNN for each direction; None for the others, which have their own.

    Raises:
        InputError: for an activation that ONNX does not have, and for a GRU or an LSTM with others than its own.
    """
    names = [name.lower() for name in attributes.get("activations", USUAL[operator] * count)]
    if operator != "RNN":
        usual = [name.lower() for name in USUAL[operator] * count]
        if names != usual:
            raise _unsupported(operator, "activations", names, usual)
        return [None] * count
    if len(names) != count or not set(names) <= set(FUNCTIONS):
        raise _unsupported(operator, "activations", names, sorted(FUNCTIONS))
    alphas, betas = (iter(attributes.get(f"activation_{name}", ())) for name in ("alpha", "beta"))
    clip, made = attributes.get("clip"), list[Activation | None]()
    known = {(node.name.lower(), node.alpha, node.beta): function for function, node in NODE_ACTIVATIONS.items()}
    for name in names:
        _, alpha, beta = FUNCTIONS[name]
        alpha = round(next(alphas, alpha), 7) if name in WITH_ALPHA else alpha  # the file has float32
        beta = round(next(betas, beta), 7) if name in WITH_BETA else beta
        parameters = (alpha if name in WITH_ALPHA else None, beta if name in WITH_BETA else None)
        ours = known.get((name, *parameters)) if clip is None else None
        made.append(ours or OnnxActivation(name, alpha, beta, clip))
    return made


def _refuse(operator: str, attributes: Mapping[str, Any], peepholes: np.ndarray | None) -> None:
    """Refuse what no cell here computes.

    Raises:
        InputError: with its name.
    """
    if peepholes is not None and peepholes.any():
        raise _unsupported(operator, "P", "peepholes", "none")
    if attributes.get("input_forget", 0):
        raise _unsupported(operator, "input_forget", 1, 0)
    if operator != "RNN" and "clip" in attributes:
        raise _unsupported(operator, "clip", attributes["clip"], "none")


def _unsupported(operator: str, name: str, found: Any, expected: Any) -> InputError:
    return InputError(
        f"the {operator} has {name} {found}, and no cell here computes that: expected {expected}",
        code="unsupported-attribute",
        column=name,
        found=found,
        expected=expected,
    )
