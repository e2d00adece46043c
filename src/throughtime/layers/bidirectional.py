"""A layer that reads a sequence in both directions."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from throughtime._errors import InputError
from throughtime._types import Array, KeyLike, Outputs
from throughtime.layers.arguments import ArrayOrLists
from throughtime.layers.layer import (
    AnyLayer,
    Layer,
    final_output,
    noise_keys,
    reads_tokens,
    require_layer,
    run_layer,
)
from throughtime.layers.reversed import Reversed
from throughtime.recurrence import require_no_mask


class BidirectionalState(NamedTuple):
    """The state of a bidirectional layer.

    Attributes:
        forward: the state after the last step.
        backward: the state after the first step, which the backward layer reads last.
    """

    forward: Any
    backward: Any


class Bidirectional(Layer):
    """A layer that reads a sequence forward with one layer, backward with another, and joins their outputs.

    Schuster & Paliwal 1997, "Bidirectional recurrent neural networks" (IEEE Transactions on Signal Processing 45).

    Equations::

        forward[t] = outputs of the forward layer, which has read x[0] .. x[t]
        backward[t] = outputs of the backward layer, which has read x[T-1] .. x[t]
        y[t] = concatenate([forward[t], backward[t]])

    The backward layer starts at the last step with an input: a padded, masked sequence gives the numbers of the
    unpadded one. With two GRUs or LSTMs the outputs are those of PyTorch's ``bidirectional=True``, and of Keras'
    ``Bidirectional`` with ``return_sequences=True``.

    Its outputs depend on the whole sequence, so it cannot predict the next value of a series, nor continue with the
    next piece of one.

    Attributes:
        forward: a cell or a layer, such as a Stack.
        backward: another with as many inputs; its hidden size may differ.
    """

    forward: AnyLayer
    backward: AnyLayer

    def __init__(self, forward: AnyLayer, backward: AnyLayer):
        """Join two layers, which should have random weights of their own.

        Raises:
            InputError: for anything but cells and layers, and if they read inputs of different sizes or kinds.
        """
        require_layer("Bidirectional", forward)
        require_layer("Bidirectional", backward)
        sizes = [f"{layer.inputs} {'tokens' if reads_tokens(layer) else 'inputs'}" for layer in (forward, backward)]
        if sizes[0] != sizes[1]:
            raise InputError(
                f"the forward layer reads {sizes[0]}, the backward layer {sizes[1]}: expected the same",
                code="wrong-sizes",
                found=sizes[1],
                expected=sizes[0],
            )
        self.forward, self.backward = forward, backward

    @property
    def inputs(self) -> int:
        """Return D."""
        return self.forward.inputs

    @property
    def hidden(self) -> int:
        """Return the sum of both hidden sizes."""
        return self.forward.hidden + self.backward.hidden

    @property
    def reads_tokens(self) -> bool:
        """Tell if both layers read tokens."""
        return reads_tokens(self.forward)

    def __call__(
        self, xs: ArrayOrLists, state: Any = None, *, mask: ArrayOrLists | None = None, key: KeyLike | None = None
    ) -> tuple[BidirectionalState, Outputs]:
        """Return the last state of both directions and the outputs (T, H) or (B, T, H); masked steps give zeros.

        ``state`` has the states from which the two start, the backward layer at the end of the sequence. With a
        ``key``, in training, each layer gets its own noise.

        Raises:
            InputError: if a shape does not fit, the mask is not boolean, or is in the place of the state.
        """
        require_no_mask(state)
        first = BidirectionalState(None, None) if state is None else state
        key_forward, key_backward = noise_keys(key, 2)
        forward, ahead = run_layer(self.forward, xs, first.forward, mask=mask, key=key_forward)
        backward, back = run_layer(self.backward, xs, first.backward, mask=mask, key=key_backward, reverse=True)
        return BidirectionalState(forward, backward), jnp.concatenate([ahead, back], axis=-1)

    def final_output(self, ys: ArrayOrLists, mask: ArrayOrLists | None = None) -> Array:
        """Return, from outputs ``ys``, what each direction gives once it has read the whole sequence.

        That is the forward output of the last step with an input beside the backward output of the first: PyTorch's
        ``h_n`` of both directions, and Keras' ``Bidirectional`` with ``return_sequences=False``.
        """
        outputs = jnp.asarray(ys)
        ahead, back = jnp.split(outputs, [self.forward.hidden], axis=-1)
        flipped = None if mask is None else jnp.flip(jnp.asarray(mask), -1)
        ends = final_output(self.forward, ahead, mask), final_output(self.backward, jnp.flip(back, -2), flipped)
        return jnp.concatenate(ends, axis=-1)


def require_forward(owner: str, layer: Any) -> None:
    """Check that a layer or a network does not read ahead, as one that reads its own outputs must not.

    Raises:
        InputError: if there is a layer in it that reads the end first; ``owner`` is named in the error.
    """
    reads_ahead = (Bidirectional, Reversed)
    nodes = jax.tree.leaves(layer, is_leaf=lambda node: isinstance(node, reads_ahead))
    found = [type(node).__name__ for node in nodes if isinstance(node, reads_ahead)]
    if found:
        raise InputError(
            f"{owner} got a {found[0]} layer: expected layers that read forward only, as the steps ahead are not known "
            "yet",
            code="reads-ahead",
            found=found[0],
        )
