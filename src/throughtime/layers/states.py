"""The state of a network after a sequence of any length."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp

from throughtime._errors import InputError
from throughtime._types import Array
from throughtime.cells import Cell
from throughtime.layers.arguments import ArrayOrLists, as_inputs, as_tokens
from throughtime.layers.bidirectional import require_forward
from throughtime.layers.encoder_decoder import EncoderDecoder
from throughtime.layers.layer import Layer, Network, run_layer

CHUNK = 1024  # steps whose outputs exist at the same time

Recurrent = Cell | Layer | Network
"""What reads a sequence with a state: ``network(xs, state, mask=mask)``, or a cell."""


def encode(network: Recurrent, xs: ArrayOrLists, state: Any = None, *, mask: ArrayOrLists | None = None) -> Any:
    """Return the state of a network after a sequence, or after each sequence of a batch.

    It is the state that ``network(xs, state, mask=mask)`` returns, but outputs are not kept: beside the inputs, memory
    does not grow with T. A state is a tree of arrays that nothing changes, so two continuations can start from one.
    After no steps it is the initial state.

    Args:
        network: a cell, a layer such as a :class:`throughtime.Stack`, or a network that reads forward.
        xs: inputs (T, D), or a batch (B, T, D); tokens (T,) or (B, T).
        state: the state to start from, as an earlier call returned it. By default the initial state.
        mask: (T,) or (B, T), True for steps with an input.

    Returns:
        The state, with a leading B for a batch.

    Raises:
        InputError: if the network reads ahead or is an :class:`throughtime.EncoderDecoder`, or a shape does not fit.
    """
    _require_forward_network(network)
    as_arrays = as_tokens if _reads_tokens(network) else as_inputs
    sequences, flags = as_arrays(network.inputs, xs, mask)
    return _encode(network, sequences, state, flags)


def first_state(network: Recurrent, batch: tuple[int, ...]) -> Any:
    """Return the state of a network before the first step: of a batch (B,), or of one sequence ()."""
    if _reads_tokens(network):
        return encode(network, jnp.zeros((*batch, 0), jnp.int32))
    floats = [leaf.dtype for leaf in jax.tree.leaves(network) if eqx.is_inexact_array(leaf)]
    dtype = jnp.finfo(floats[0]).dtype if floats else jnp.zeros(()).dtype  # that of the real part of complex weights
    return encode(network, jnp.zeros((*batch, 0, network.inputs), dtype))


@eqx.filter_jit
def _encode(network: Recurrent, xs: Array, state: Any, mask: Array | None) -> Any:
    """Read the remainder of T / CHUNK first, then whole chunks, one after the other."""
    time = -1 if _reads_tokens(network) else -2
    rest = xs.shape[time] % CHUNK

    def read(state: Any, begin: Array | int, steps: int) -> Any:
        piece = jax.lax.dynamic_slice_in_dim(xs, begin, steps, xs.ndim + time)
        flags = None if mask is None else jax.lax.dynamic_slice_in_dim(mask, begin, steps, mask.ndim - 1)
        if isinstance(network, Network):
            return network(piece, state, mask=flags)[0]  # type: ignore[operator]
        return run_layer(network, piece, state, mask=flags)[0]

    state = read(state, 0, rest)
    begins = jnp.arange(rest, xs.shape[time], CHUNK)
    if not begins.size:
        return state
    return jax.lax.scan(lambda state, begin: (read(state, begin, CHUNK), None), state, begins)[0]


def _require_forward_network(network: Any) -> None:
    """Check that something reads a sequence piece by piece.

    Raises:
        InputError: if it is neither a cell nor a layer nor a network, or does not read forward.
    """
    if not isinstance(network, Recurrent) or isinstance(network, EncoderDecoder):
        found = f"the class {network.__name__}" if isinstance(network, type) else f"a {type(network).__name__}"
        raise InputError(
            f"encode got {found}: expected a cell, a layer such as a tt.Stack, or a network such as a tt.ManyToMany",
            code="wrong-network",
            found=found,
            expected="Cell, Layer or Network",
        )
    require_forward("encode", network)


def _reads_tokens(network: Recurrent) -> bool:
    return not isinstance(network, Cell) and network.reads_tokens
