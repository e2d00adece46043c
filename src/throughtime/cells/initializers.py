"""How weights start.

A matrix initializer is called once for each gate, ``(key, (rows, columns), dtype) -> (rows, columns)``, with H
rows and D or H columns, so that each gate starts as the paper means it: Keras draws one orthogonal matrix for all gates
together, here each gate gets its own. A bias initializer is called once for the whole cell, because some treat gates
differently: ``(key, gates, hidden, dtype) -> (G*H,)``. Anything of the right signature can stand in place of a name.
"""

import inspect
from collections.abc import Callable
from typing import Any, cast

import jax
import jax.numpy as jnp
from jax.typing import DTypeLike

from throughtime._errors import InputError
from throughtime._registry import resolve
from throughtime._types import Array, GateBias, InputWeights, Key, RecurrentWeights
from throughtime.cells.base import Cell

MatrixInit = Callable[[Key, tuple[int, int], DTypeLike], Array]
BiasInit = Callable[[Key, tuple[str, ...], int, DTypeLike], Array]
# Weights are (out, in): the input's axis is the last one.
glorot: MatrixInit = jax.nn.initializers.glorot_uniform(in_axis=-1, out_axis=-2)
he: MatrixInit = jax.nn.initializers.he_normal(in_axis=-1, out_axis=-2)


def orthogonal(scale: float = 1.0) -> MatrixInit:
    """``scale`` times a random orthogonal matrix; of a rectangular one, the columns or rows are orthonormal.

    Saxe, McClelland, Ganguli 2014 (arXiv 1312.6120).
    """
    return jax.nn.initializers.orthogonal(scale)


def identity(scale: float = 1.0) -> MatrixInit:
    """``scale`` times the identity: the recurrent matrix of the IRNN (Le, Jaitly, Hinton 2015, arXiv 1504.00941)."""

    def init(key: Key, shape: tuple[int, int], dtype: DTypeLike) -> Array:
        del key  # the identity is not random
        return scale * jnp.eye(*shape, dtype=dtype)

    return init


def normal(stddev: float = 0.01) -> MatrixInit:
    """Independent normal entries with mean 0 and standard deviation ``stddev``."""
    return jax.nn.initializers.normal(stddev)


def uniform(key: Key, shape: tuple[int, int], dtype: DTypeLike) -> Array:
    """``U(-1/sqrt(H), 1/sqrt(H))`` with H rows: how PyTorch starts all weights of a recurrent layer."""
    return _symmetric_uniform(key, shape, shape[0], dtype)


def _symmetric_uniform(key: Key, shape: tuple[int, ...], hidden: int, dtype: DTypeLike) -> Array:
    limit = hidden**-0.5
    return jax.random.uniform(key, shape, dtype, minval=-limit, maxval=limit)


MATRICES: dict[str, MatrixInit] = {
    "glorot": glorot,
    "he": he,
    "orthogonal": orthogonal(),
    "identity": identity(),
    "normal": normal(),
    "uniform": uniform,
}


def zeros(key: Key, gates: tuple[str, ...], hidden: int, dtype: DTypeLike) -> Array:
    """No bias at the start."""
    del key
    return jnp.zeros(len(gates) * hidden, dtype)


def uniform_bias(key: Key, gates: tuple[str, ...], hidden: int, dtype: DTypeLike) -> Array:
    """``U(-1/sqrt(H), 1/sqrt(H))``, as PyTorch's; its two biases are one here, so the sum of two draws it is not."""
    return _symmetric_uniform(key, (len(gates) * hidden,), hidden, dtype)


def forget(value: float = 1.0) -> BiasInit:
    """``value`` at the gate that keeps the state (f of an LSTM, z of a GRU here) and zero at all others.

    Gers, Schmidhuber, Cummins 2000; Jozefowicz, Zaremba, Sutskever 2015, who recommend 1.
    """

    def init(key: Key, gates: tuple[str, ...], hidden: int, dtype: DTypeLike) -> Array:
        del key
        keeping = _keeping_gate(gates)
        return jnp.concatenate([jnp.full(hidden, value if gate == keeping else 0.0, dtype) for gate in gates])

    return init


def chrono(longest: int) -> BiasInit:
    """Biases for dependencies of up to ``longest`` time steps (Tallec & Ollivier 2018, arXiv 1804.11188, eq. 13-14).

    The keeping gate starts at ``log U[1, longest - 1]``, so that its units forget over times spread over that range; an
    LSTM's input gate starts at minus that, all other gates at zero.

    Raises:
        InputError: for ``longest`` below 2, which leaves no range.
    """
    if longest < 2:
        raise InputError(f"chrono needs dependencies of at least 2 steps, got longest={longest}")

    def init(key: Key, gates: tuple[str, ...], hidden: int, dtype: DTypeLike) -> Array:
        keep = jnp.log(jax.random.uniform(key, (hidden,), dtype, minval=1.0, maxval=max(longest - 1.0, 1.0)))
        start = {_keeping_gate(gates): keep, "i": -keep}
        return jnp.concatenate([start.get(gate, jnp.zeros_like(keep)) for gate in gates])

    return init


def has_keeping_gate(gates: tuple[str, ...]) -> bool:
    """Whether one of the gates multiplies the old state: f of an LSTM, z of a GRU in PyTorch's convention."""
    return "f" in gates or {"r", "z"} <= set(gates)


def _keeping_gate(gates: tuple[str, ...]) -> str:
    if not has_keeping_gate(gates):
        raise InputError(
            "forget and chrono biases need a gate that keeps the state, an LSTM's f or a GRU's z; this cell has "
            f"{', '.join(gates)}"
        )
    return "f" if "f" in gates else "z"


BIASES: dict[str, BiasInit] = {"zeros": zeros, "uniform": uniform_bias, "forget": forget()}


def matrix_init(choice: str | MatrixInit) -> MatrixInit:
    """The matrix initializer that ``choice`` names, or ``choice`` itself where it is a function."""
    return resolve("weight initializer", MATRICES, choice)


def bias_init(choice: str | BiasInit) -> BiasInit:
    """The bias initializer that ``choice`` names, or ``choice`` itself where it is a function."""
    return resolve("bias initializer", BIASES, choice)


def gated_weights(
    inputs: int,
    hidden: int,
    gates: tuple[str, ...],
    inits: tuple[str | MatrixInit, str | MatrixInit, str | BiasInit],
    key: Key,
) -> tuple[InputWeights, RecurrentWeights, GateBias]:
    """``w_x``, ``w_h`` and ``b`` of a cell with these gates; ``inits`` are those of input, recurrence and bias.

    Raises:
        InputError: where a size is not a positive whole number, or a name is unknown.
    """
    _require_sizes(inputs, hidden)
    key_x, key_h, key_b = jax.random.split(key, 3)
    w_x = _input_matrix(inputs, hidden, gates, inits[0], key_x)
    recurrent_init = matrix_init(inits[1])
    w_h = [recurrent_init(k, (hidden, hidden), w_x.dtype) for k in jax.random.split(key_h, len(gates))]
    return w_x, jnp.concatenate(w_h), bias_init(inits[2])(key_b, gates, hidden, w_x.dtype)


def input_weights(
    inputs: int, hidden: int, gates: tuple[str, ...], inits: tuple[str | MatrixInit, str | BiasInit], key: Key
) -> tuple[InputWeights, GateBias]:
    """``w_x`` and ``b`` of a cell without a recurrent matrix; ``inits`` are those of input and bias.

    Raises:
        InputError: where a size is not a positive whole number, or a name is unknown.
    """
    _require_sizes(inputs, hidden)
    key_x, key_b = jax.random.split(key)
    w_x = _input_matrix(inputs, hidden, gates, inits[0], key_x)
    return w_x, bias_init(inits[1])(key_b, gates, hidden, w_x.dtype)


def _input_matrix(inputs: int, hidden: int, gates: tuple[str, ...], init: str | MatrixInit, key: Key) -> InputWeights:
    draw = matrix_init(init)
    dtype = jnp.zeros(()).dtype  # float32, or float64 where the user enables it
    return jnp.concatenate([draw(k, (hidden, inputs), dtype) for k in jax.random.split(key, len(gates))])


def _require_sizes(inputs: Any, hidden: Any) -> None:
    for name, size in (("inputs", inputs), ("hidden", hidden)):
        if isinstance(size, bool) or not isinstance(size, int) or size < 1:
            raise InputError(f"{name} must be a whole number of at least 1, got {size!r}")


INITIALIZERS = (*MATRICES, *BIASES, "chrono")
KEEPING = ("forget", "chrono")  # initializers of the gate that keeps the state


def init_arguments(name: str, length: int) -> dict[str, Any]:
    """The constructor's argument for an initializer's name; "chrono" is for sequences of ``length`` steps.

    A name that both weights and biases know, "uniform", is that of weights.

    Raises:
        InputError: for an unknown name.
    """
    if name == "chrono":
        return {"bias_init": chrono(max(length, 2))}
    known: dict[str, Callable[..., Any]] = {**BIASES, **MATRICES, "chrono": chrono}
    resolve("initializer", known, name)
    return {"recurrent_init" if name in MATRICES else "bias_init": name}


def takes(kind: Callable[..., Cell], init: str) -> bool:
    """Whether a cell has such an argument, and the gate that the initializer is about."""
    has_gate = init not in KEEPING or has_keeping_gate(cast(type[Cell], kind).GATES)
    return has_gate and set(init_arguments(init, 2)) <= set(inspect.signature(kind).parameters)
