"""The loss that a user writes, of a model and a batch, as the loop's loss of a model, the data and a key."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import jax.numpy as jnp

from throughtime._errors import InputError
from throughtime._mesh import split_batch
from throughtime._types import Key, Scalar
from throughtime.training.source import Drawn, Pick

KeyAs = Literal["", "last", "key"]
"""How a loss takes a random key: not at all, as its last argument, or as the argument ``key``."""


@dataclass(frozen=True)
class BatchLoss:
    """A loss of the loop, ``loss(model, data, key)``, made of a loss of batches.

    Attributes:
        loss: ``loss(model, batch)`` or ``loss(model, batch, key)``.
        key_as: how it takes the key.
        pick: picks the batch of a step.
    """

    loss: Callable[..., Any]
    key_as: KeyAs
    pick: Pick | Drawn

    def __call__(self, model: Any, data: Any, key: Key) -> Any:
        """Return the loss of a step.

        Raises:
            InputError: if it is not a number.
        """
        batch, key = self.pick(data, key)
        return require_number(of_batch(self.loss, self.key_as, model, (split_batch(batch),), key))

    def alone(self, model: Any, batch: Any) -> Scalar:
        """Return the loss of a batch, without noise.

        Raises:
            InputError: if it is not a number.
        """
        return require_number(of_batch(self.loss, self.key_as, model, (batch,), None))


def of_batch(loss: Callable[..., Any], key_as: KeyAs, model: Any, arguments: tuple[Any, ...], key: Key | None) -> Any:
    """Return what a loss returns for a model, the arguments after it, and a key."""
    if key_as == "key":
        return loss(model, *arguments, key=key)
    return loss(model, *arguments, key) if key_as == "last" else loss(model, *arguments)


def require_number(value: Any) -> Scalar:
    """Return a loss.

    Raises:
        InputError: if it is not a number.
    """
    if not isinstance(value, jnp.ndarray) or value.shape or not jnp.issubdtype(value.dtype, jnp.floating):
        found = f"shape {value.shape} of {value.dtype}" if isinstance(value, jnp.ndarray) else type(value).__name__
        raise InputError(
            f"the loss returned {found}: expected one number, an array of floats without axes; take the mean",
            code="loss-not-a-number",
            found=found,
        )
    return value


def takes_key(loss: Callable[..., Any], names: tuple[str, ...] = ("model", "batch")) -> KeyAs:
    """Return how a loss takes a key, by its signature.

    An argument with the name ``key`` gets it, else one more than ``names`` without a default value, if its name tells
    that it is a key: ``rng``, ``dropout_key``.

    Args:
        loss: the loss.
        names: what it takes besides.

    Raises:
        InputError: if it cannot be called with these.
    """
    try:
        signature = inspect.signature(loss)
    except (TypeError, ValueError):  # a function without a signature
        return ""
    named = "key" in signature.parameters and signature.parameters["key"].kind != inspect.Parameter.POSITIONAL_ONLY
    if named and _accepts(signature, len(names), key=None):
        return "key"
    if not named and _accepts(signature, len(names)):
        return ""
    if not named and _accepts(signature, len(names) + 1) and _is_key(list(signature.parameters)[len(names)]):
        return "last"
    expected = [f"({', '.join(names)})", f"({', '.join(names)}, key)"]
    raise InputError(
        f"the loss takes {signature}: expected loss{expected[0]} or loss{expected[1]}; a batch of several arrays is "
        "one argument",
        code="wrong-loss",
        found=str(signature),
        expected=expected,
    )


def _is_key(name: str) -> bool:
    """Return True if the name of an argument tells that it takes a random key."""
    return name.lower().split("_")[-1] in ("key", "rng")


def _accepts(signature: inspect.Signature, count: int, **named: Any) -> bool:
    """Return True if a function can be called with so many arguments by place, and with others by name."""
    try:
        signature.bind(*range(count), **named)
    except TypeError:
        return False
    return True
