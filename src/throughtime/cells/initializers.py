"""Initial values of weights.

A matrix initializer is called once for each gate, ``(key, (rows, columns), dtype) -> (rows, columns)``, with H
rows and D or H columns, so that each gate starts as in the papers: Keras draws one orthogonal matrix for all gates
together, here each gate has its own. A bias initializer is called once for the whole cell, because some treat gates
differently: ``(key, gates, hidden, dtype) -> (G*H,)``. Any function of the right signature can replace a name.
"""

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any, cast

import jax
import jax.numpy as jnp
from jax.typing import DTypeLike
from typing_extensions import TypeAliasType

from throughtime._arguments import whole_number
from throughtime._errors import InputError
from throughtime._keys import random_key
from throughtime._registry import known_name, resolve
from throughtime._types import Array, Float, GateBias, InputWeights, Key, KeyLike, RecurrentWeights, Whole
from throughtime.cells.base import Cell

MatrixInit = TypeAliasType("MatrixInit", Callable[[Key, tuple[int, int], DTypeLike], Array])
BiasInit = TypeAliasType("BiasInit", Callable[[Key, tuple[str, ...], int, DTypeLike], Array])

# Matrices.

# Weights are (out, in): the input's axis is the last one.
glorot: MatrixInit = jax.nn.initializers.glorot_uniform(in_axis=-1, out_axis=-2)
he: MatrixInit = jax.nn.initializers.he_normal(in_axis=-1, out_axis=-2)


def orthogonal(scale: float = 1.0) -> MatrixInit:
    """Return ``scale`` times a random orthogonal matrix, or one with orthonormal columns or rows if it is rectangular.

    Saxe, McClelland, Ganguli 2014 (arXiv 1312.6120). The same matrices, apart from rounding, as those of
    ``jax.nn.initializers.orthogonal``, without its QR: that waits inside of XLA's threads for other tasks of the same
    threads, and a compiled function with as many of them as the machine has cores never ends.
    """

    def init(key: Key, shape: tuple[int, int], dtype: DTypeLike) -> Array:
        rows, columns = shape
        drawn = jax.random.normal(key, (max(shape), min(shape)), dtype)
        basis = _orthonormal(drawn)
        return scale * (basis if rows >= columns else basis.T)

    return init


def _orthonormal(matrix: Float[Array, "N M"]) -> Float[Array, "N M"]:
    """Return an orthonormal basis of the columns, each in the direction of what is new in its column.

    Gram-Schmidt with a second pass, which is enough (Giraud, Langou & Rozloznik 2005).
    """

    def add(column: Array, basis: Array) -> Array:
        new = matrix[:, column]
        for _ in range(2):
            new = new - basis @ (basis.T @ new)
        return basis.at[:, column].set(new / jnp.linalg.norm(new))

    return jax.lax.fori_loop(0, matrix.shape[1], add, jnp.zeros_like(matrix))


def identity(scale: float = 1.0) -> MatrixInit:
    """Return ``scale`` times the identity, as for the IRNN (Le, Jaitly, Hinton 2015, arXiv 1504.00941)."""

    def init(key: Key, shape: tuple[int, int], dtype: DTypeLike) -> Array:
        del key  # the identity is not random
        return scale * jnp.eye(*shape, dtype=dtype)

    return init


def normal(stddev: float = 0.01) -> MatrixInit:
    """Return independent normal numbers with mean 0 and standard deviation ``stddev``."""
    return jax.nn.initializers.normal(stddev)


def uniform(key: Key, shape: tuple[int, int], dtype: DTypeLike) -> Array:
    """Return ``U(-1/sqrt(H), 1/sqrt(H))`` for H rows, as PyTorch initializes all weights of a recurrent layer."""
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


def matrix_init(choice: str | MatrixInit) -> MatrixInit:
    """Return the matrix initializer of this name, or ``choice`` itself if it is a function.

    Raises:
        InputError: for an unknown name.
    """
    return resolve("weight initializer", MATRICES, choice)


# Biases.


def zeros(key: Key, gates: tuple[str, ...], hidden: int, dtype: DTypeLike) -> Array:
    """Return zeros."""
    del key
    return jnp.zeros(len(gates) * hidden, dtype)


def uniform_bias(key: Key, gates: tuple[str, ...], hidden: int, dtype: DTypeLike) -> Array:
    """Return ``U(-1/sqrt(H), 1/sqrt(H))``, as PyTorch does for each of its two biases; here there is one."""
    return _symmetric_uniform(key, (len(gates) * hidden,), hidden, dtype)


def forget(value: float = 1.0) -> BiasInit:
    """Return ``value`` at the gate that keeps the state (f of an LSTM, z of a GRU here) and zero at all others.

    Gers, Schmidhuber, Cummins 2000; Jozefowicz, Zaremba, Sutskever 2015, who recommend 1.
    """

    def init(key: Key, gates: tuple[str, ...], hidden: int, dtype: DTypeLike) -> Array:
        del key
        keeping = _keeping_gate(gates)
        return jnp.concatenate([jnp.full(hidden, value if gate == keeping else 0.0, dtype) for gate in gates])

    return init


def chrono(longest: Whole) -> BiasInit:
    """Return biases for dependencies of up to ``longest`` steps (Tallec & Ollivier 2018, arXiv 1804.11188, eq. 13-14).

    The keeping gate starts at ``log U[1, longest - 1]``, so that its units forget over times spread over that range; an
    LSTM's input gate starts at minus that, all other gates at zero.

    Raises:
        InputError: for ``longest`` below 2, which leaves no range.
    """
    longest = whole_number("longest", longest, least=None, code="too-short")
    if longest < 2:
        raise InputError(
            f"chrono got longest={longest}: expected dependencies of at least 2 steps",
            code="too-short",
            found=longest,
            expected=2,
        )

    def init(key: Key, gates: tuple[str, ...], hidden: int, dtype: DTypeLike) -> Array:
        keep = jnp.log(jax.random.uniform(key, (hidden,), dtype, minval=1.0, maxval=max(longest - 1.0, 1.0)))
        start = {_keeping_gate(gates): keep, "i": -keep}
        return jnp.concatenate([start.get(gate, jnp.zeros_like(keep)) for gate in gates])

    return init


def has_keeping_gate(gates: tuple[str, ...]) -> bool:
    """Tell if one of the gates multiplies the old state: f of an LSTM, z of a GRU in PyTorch's convention."""
    return "f" in gates or {"r", "z"} <= set(gates)


def _keeping_gate(gates: tuple[str, ...]) -> str:
    if not has_keeping_gate(gates):
        raise InputError(
            f"this cell has the gates {', '.join(gates)}: forget and chrono biases need a gate that keeps the state, "
            "as f of an LSTM or z of a GRU",
            code="no-keeping-gate",
            found=gates,
        )
    return "f" if "f" in gates else "z"


BIASES: dict[str, BiasInit] = {"zeros": zeros, "uniform": uniform_bias, "forget": forget()}


def bias_init(choice: str | BiasInit) -> BiasInit:
    """Return the bias initializer of this name, or ``choice`` itself if it is a function.

    Raises:
        InputError: for an unknown name.
    """
    return resolve("bias initializer", BIASES, choice)


# The weights of a cell.


def gated_weights(
    inputs: Whole,
    hidden: Whole,
    gates: tuple[str, ...],
    inits: tuple[str | MatrixInit, str | MatrixInit, str | BiasInit],
    key: KeyLike,
) -> tuple[InputWeights, RecurrentWeights, GateBias]:
    """Draw ``w_x``, ``w_h`` and ``b`` of a cell with these gates.

    Args:
        inputs: D.
        hidden: H.
        gates: the names of the G gates.
        inits: the initializers of input weights, recurrent weights and bias, by name or as functions.
        key: a random key.

    Returns:
        ``w_x`` (G*H, D), ``w_h`` (G*H, H) and ``b`` (G*H,).

    Raises:
        InputError: if a size is not a positive whole number, or a name is unknown.
    """
    w_x, w_h, b = _weights((inputs, hidden), gates, inits, key)
    return w_x, w_h, b


def input_weights(
    inputs: Whole, hidden: Whole, gates: tuple[str, ...], inits: tuple[str | MatrixInit, str | BiasInit], key: KeyLike
) -> tuple[InputWeights, GateBias]:
    """Draw ``w_x`` (G*H, D) and ``b`` (G*H,) of a cell without a recurrent matrix; ``inits`` are those two's.

    Raises:
        InputError: if a size is not a positive whole number, or a name is unknown.
    """
    w_x, b = _weights((inputs, hidden), gates, inits, key)
    return w_x, b


def _weights(sizes: tuple[Any, Any], gates: tuple[str, ...], inits: tuple[Any, ...], key: KeyLike) -> tuple[Array, ...]:
    """Draw the matrices of D and of H columns, if ``inits`` has an initializer for the latter, and the bias."""
    sizes = whole_number("inputs", sizes[0]), whole_number("hidden", sizes[1])
    named = all(isinstance(init, str) for init in inits)
    dtype = jnp.result_type(float)  # float32, or float64 if the user enables it
    # A function of the user's may return other numbers at each call, so it is called for each gate of each cell.
    return (_draw_at_once if named else _draw)(random_key(key), sizes, gates, inits, dtype)


def _draw(
    key: Key, sizes: tuple[int, int], gates: tuple[str, ...], inits: tuple[Any, ...], dtype: DTypeLike
) -> tuple[Array, ...]:
    *keys, key_b = jax.random.split(key, len(inits))
    matrices = [
        jnp.concatenate([matrix_init(init)(k, (sizes[1], columns), dtype) for k in jax.random.split(key, len(gates))])
        for init, key, columns in zip(inits[:-1], keys, sizes, strict=False)
    ]
    return *matrices, bias_init(inits[-1])(key_b, gates, sizes[1], dtype)


@partial(jax.jit, static_argnums=(1, 2, 3, 4))
def _draw_at_once(
    key: Key, sizes: tuple[int, int], gates: tuple[str, ...], inits: tuple[str, ...], dtype: DTypeLike
) -> tuple[Array, ...]:
    """Draw the same numbers, up to rounding, by one small program in place of twenty that take longer to compile."""

    def matrix(init: str, key: Key, columns: int) -> Array:
        draw, keys = matrix_init(init), jax.random.split(key, len(gates))
        return jax.lax.map(lambda key: draw(key, (sizes[1], columns), dtype), keys).reshape(-1, columns)

    *keys, key_b = jax.random.split(key, len(inits))
    matrices = map(matrix, inits[:-1], keys, sizes)
    return *matrices, bias_init(inits[-1])(key_b, gates, sizes[1], dtype)


# One name for a matrix or a bias, as the command line and the laboratory have it.

INITIALIZERS = (*MATRICES, *BIASES, "chrono")
KEEPING = ("forget", "chrono")  # initializers of the gate that keeps the state


def init_arguments(name: str, length: int) -> dict[str, Any]:
    """Return the argument of a cell's constructor for an initializer's name.

    "uniform", a name of both tables, means the recurrent weights. "chrono" is for sequences of ``length`` steps.

    Raises:
        InputError: for an unknown name.
    """
    name = known_name("initializer", (*BIASES, *MATRICES, "chrono"), name)
    if name == "chrono":
        return {"bias_init": chrono(max(length, 2))}
    return {"recurrent_init" if name in MATRICES else "bias_init": name}


def takes(kind: Callable[..., Cell], init: str) -> bool:
    """Tell if a type of cell has the argument for this initializer, and the gate that it needs."""
    has_gate = init not in KEEPING or has_keeping_gate(cast(type[Cell], kind).GATES)
    return has_gate and set(init_arguments(init, 2)) <= set(inspect.signature(kind).parameters)
