"""The loss that a user writes, of a model and a batch, as the loop's loss of a model, the data and a key."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import jax.numpy as jnp

from throughtime._errors import InputError
from throughtime._types import Key, Scalar
from throughtime.training.source import Drawn, Pick

KeyAs = Literal["", "third", "key"]
"""How a loss takes a random key: not at all, as its third argument, or as the argument ``key``."""


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

    def __call__(self, model: Any, data: Any, key: Key) -> Scalar:
        """Return the loss of a step.

        Raises:
            InputError: if it is not a number.
        """
        batch, key = self.pick(data, key)
        return of_batch(self.loss, self.key_as, model, batch, key)


def of_batch(loss: Callable[..., Any], key_as: KeyAs, model: Any, batch: Any, key: Key | None) -> Scalar:
    """Return the loss of a batch.

    Raises:
        InputError: if it is not a number.
    """
    if key_as == "key":
        value = loss(model, batch, key=key)
    else:
        value = loss(model, batch, key) if key_as == "third" else loss(model, batch)
    if not isinstance(value, jnp.ndarray) or value.shape or not jnp.issubdtype(value.dtype, jnp.floating):
        found = f"shape {value.shape} of {value.dtype}" if isinstance(value, jnp.ndarray) else type(value).__name__
        raise InputError(
            f"the loss returned {found}: expected one number, an array of floats without axes; take the mean",
            code="loss-not-a-number",
            found=found,
        )
    return value


def takes_key(loss: Callable[..., Any]) -> KeyAs:
    """Return how a loss takes a key, by its signature.

    An argument with the name ``key`` gets it, else a third one without a default value.

    Raises:
        InputError: if it cannot be called with a model and a batch.
    """
    try:
        signature = inspect.signature(loss)
    except (TypeError, ValueError):  # a function without a signature
        return ""
    named = "key" in signature.parameters and signature.parameters["key"].kind != inspect.Parameter.POSITIONAL_ONLY
    if named and _accepts(signature, 2, key=None):
        return "key"
    if not named and _accepts(signature, 2):
        return ""
    if not named and _accepts(signature, 3):
        return "third"
    raise InputError(
        f"the loss takes {signature}: expected loss(model, batch) or loss(model, batch, key)",
        code="wrong-loss",
        found=str(signature),
        expected=["(model, batch)", "(model, batch, key)"],
    )


def _accepts(signature: inspect.Signature, count: int, **named: Any) -> bool:
    """Return True if a function can be called with so many arguments by place, and with others by name."""
    try:
        signature.bind(*range(count), **named)
    except TypeError:
        return False
    return True
