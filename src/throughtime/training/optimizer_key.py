"""The identity of an optimizer: the functions of its update and the numbers inside, so that equal ones share programs.

``optax.adam(0.001)`` makes new functions each time. They are the same if they have the same code and hold the same
values. ``optax.inject_hyperparams`` puts numbers into the state, so that other numbers share the program too.
"""

import functools
import types
from collections.abc import Hashable
from typing import Any

import optax

from throughtime.training.captured import PLAIN, Same, captured, closure, is_of_library


class KeyedOptimizer:
    """An optimizer, equal to another one if their updates compute the same."""

    def __init__(self, optimizer: optax.GradientTransformation):
        """Look at the update of ``optimizer``: a program has no other part of it."""
        self.optimizer, self.key = optimizer, update_key(optimizer)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, KeyedOptimizer) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)


def update_key(optimizer: optax.GradientTransformation) -> Hashable:
    """Return the key of an optimizer's update: equal keys compute the same."""
    return _key(optimizer.update, ())


def _key(item: Any, outer: tuple[int, ...]) -> Hashable:
    """Return the key of an object inside of others, which are known by their ids."""
    inside = (*outer, id(item))
    if isinstance(item, PLAIN):
        return type(item), item
    if id(item) in outer:  # a function that calls itself
        return "outer", outer.index(id(item))
    if isinstance(item, functools.partial):
        return "partial", _key((item.func, item.args, item.keywords), inside)
    if isinstance(item, tuple | list):
        return type(item), tuple(_key(entry, inside) for entry in item)
    if isinstance(item, dict):
        return "dict", tuple((name, _key(entry, inside)) for name, entry in item.items())
    if isinstance(item, types.FunctionType):
        if not (is_of_library(item) or item.__module__.startswith("throughtime.")):
            return captured(item)
        return Same(item.__code__), tuple(_key(entry, inside) for entry in closure(item))
    return Same(item)
