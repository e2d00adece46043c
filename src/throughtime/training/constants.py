"""A model's arrays, apart from what a compiled program holds as constants: functions, numbers of Python, text."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import equinox as eqx
import jax

from throughtime._types import Key
from throughtime.training.leaves import is_array


class Constants(NamedTuple):
    """The leaves of a model that are no arrays, with their types: 1, 1.0 and True are different constants.

    Attributes:
        leaves: the constants, in the order of the tree.
        types: their types.
        structure: the tree, with None in the place of arrays.
    """

    leaves: tuple[Any, ...]
    types: tuple[type, ...]
    structure: Any


@dataclass(frozen=True)
class LossOfArrays:
    """A loss of the arrays of a model, without its constants: ``loss(arrays, data, key)``.

    Attributes:
        loss: the loss of whole models.
        constants: the constants of the model.
    """

    loss: Callable[..., Any]
    constants: Constants

    def __call__(self, arrays: Any, data: Any, key: Key, *carried: Any) -> Any:
        """Return the loss of the whole model."""
        return self.loss(join(arrays, self.constants), data, key, *carried)


def unbound(loss: Callable[..., Any]) -> tuple[Callable[..., Any], Constants | None]:
    """Return a loss of whole models, and the constants that a loss of arrays had."""
    return (loss.loss, loss.constants) if isinstance(loss, LossOfArrays) else (loss, None)


def split(model: Any) -> tuple[Any, Constants | None]:
    """Return a model with None in the place of its constants, and the constants; None if there are none."""
    arrays, others = eqx.partition(model, is_array)
    leaves, structure = jax.tree.flatten(others)
    if not leaves:
        return model, None
    return arrays, Constants(tuple(leaves), tuple(map(type, leaves)), structure)


def join(arrays: Any, constants: Constants | None) -> Any:
    """Return the model that :func:`split` split."""
    if constants is None:
        return arrays
    return eqx.combine(arrays, jax.tree.unflatten(constants.structure, constants.leaves))
