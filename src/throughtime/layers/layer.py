"""The bases of layers and networks, and the one way to run a layer or a cell."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from typing_extensions import TypeAliasType

from throughtime._errors import InputError
from throughtime._keys import random_key
from throughtime._types import Array, Key, KeyLike, Outputs
from throughtime.cells import Cell
from throughtime.layers.arguments import ArrayOrLists, as_inputs
from throughtime.layers.noise import unroll_drawn
from throughtime.layers.pooling import last_output
from throughtime.recurrence import unroll


class Layer(eqx.Module):
    """A function of whole sequences: inputs (T, D) or (B, T, D) -> outputs (T, H) or (B, T, H), with a state.

    Derive your own layer from it. A layer gives zeros at masked steps, and the numbers of the sequence without them at
    the others. Its state after the last step, passed on with the next piece of the sequence, continues it.
    """

    @property
    @abstractmethod
    def inputs(self) -> int:
        """Return D, or the number of tokens of a layer that reads tokens."""

    @property
    @abstractmethod
    def hidden(self) -> int:
        """Return H, the number of outputs at one step."""

    @property
    def reads_tokens(self) -> bool:
        """Tell if the inputs are whole numbers (T,) or (B, T), as those of an :class:`Embedding`."""
        return False

    @abstractmethod
    def __call__(
        self, xs: ArrayOrLists, state: Any = None, *, mask: ArrayOrLists | None = None, key: KeyLike | None = None
    ) -> tuple[Any, Outputs]:
        """Return the state after the last step and the outputs; a ``key``, in training, draws the noise."""

    def final_output(self, ys: ArrayOrLists, mask: ArrayOrLists | None = None) -> Array:
        """Return the output (H,) or (B, H) that has seen the whole sequence, from this layer's outputs ``ys``."""
        return last_output(ys, mask)

    def _repr_html_(self) -> str:
        """Return a table of its parts with their sizes, for a notebook."""
        from throughtime.plots import network_block

        return network_block(self).html()

    def __str__(self) -> str:
        """Return the same as text; ``repr`` names each array with its shape."""
        from throughtime.plots import network_block

        return network_block(self).text()


class Network(eqx.Module):
    """Layers with a readout: what one trains."""

    @property
    @abstractmethod
    def inputs(self) -> int:
        """Return D, or the number of tokens of a network that reads tokens."""

    @property
    def reads_tokens(self) -> bool:
        """Tell if the inputs are whole numbers (T,) or (B, T)."""
        return False

    @property
    @abstractmethod
    def outputs(self) -> int:
        """Return O."""

    def _repr_html_(self) -> str:
        """Return a table of its parts with their sizes, for a notebook."""
        from throughtime.plots import network_block

        return network_block(self).html()

    def __str__(self) -> str:
        """Return the same as text; ``repr`` names each array with its shape."""
        from throughtime.plots import network_block

        return network_block(self).text()


AnyLayer = TypeAliasType("AnyLayer", Cell | Layer)


def run_layer(
    layer: AnyLayer,
    xs: ArrayOrLists,
    state: Any = None,
    *,
    mask: ArrayOrLists | None = None,
    key: KeyLike | None = None,
    reverse: bool = False,
) -> tuple[Any, Array]:
    """Run a layer or a cell over a sequence or a batch; ``reverse``, from the last step to the first.

    Returns:
        The last state, and the outputs at the places of their inputs.
    """
    if isinstance(layer, Cell):
        xs, mask = as_inputs(layer.inputs, xs, mask)
        if key is None:
            return unroll(layer, xs, state, mask=mask, reverse=reverse)
        return unroll_drawn(layer, xs, state, mask=mask, key=key, reverse=reverse)
    if not reverse:
        return layer(xs, state, mask=mask, key=key)
    xs = jnp.flip(jnp.asarray(xs), -1 if layer.reads_tokens else -2)
    mask = None if mask is None else jnp.flip(jnp.asarray(mask), -1)
    state, ys = layer(xs, state, mask=mask, key=key)
    return state, jnp.flip(ys, -2)


def final_output(layer: AnyLayer, ys: ArrayOrLists, mask: ArrayOrLists | None = None) -> Array:
    """Return the output (H,) or (B, H) that has seen the whole sequence, from the outputs ``ys`` of a layer or cell."""
    return last_output(ys, mask) if isinstance(layer, Cell) else layer.final_output(ys, mask)


def reads_tokens(layer: AnyLayer) -> bool:
    """Tell if the inputs of a layer or a cell are tokens."""
    return isinstance(layer, Layer) and layer.reads_tokens


def noise_keys(key: KeyLike | None, count: int) -> Sequence[Key | None]:
    """Return a key for each part of a layer; None for each if there is none."""
    return [None if key is None else jax.random.fold_in(random_key(key), number) for number in range(count)]


def require_layer(owner: str, layer: Any) -> None:
    """Check that something is a cell or a layer; ``owner`` is named in the error.

    Raises:
        InputError: for a class, a network, or anything else.
    """
    if not isinstance(layer, Cell | Layer):
        found = f"the class {layer.__name__}" if isinstance(layer, type) else f"a {type(layer).__name__}"
        raise InputError(
            f"{owner} got {found}: expected a cell, such as tt.GRU(inputs, hidden, key=key), or a layer, such as a "
            "tt.Stack",
            code="wrong-layer",
            found=found,
            expected="Cell or Layer",
        )
