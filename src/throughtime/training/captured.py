"""The values that a loss reads from outside, which its compiled program holds as constants.

They are in the key of a kept program, so that a value that was assigned anew compiles a new one.
"""

import functools
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jax
import numpy as np

from throughtime.training.batch_loss import BatchLoss
from throughtime.training.constants import unbound
from throughtime.training.source import Drawn

PLAIN = (type(None), bool, int, float, complex, str, bytes)
DEPTH = 4  # of objects inside of objects
MOST = 1_000  # entries of a dict that is looked into
LIBRARIES = {*sys.stdlib_module_names, "equinox", "jax", "jaxlib", "numpy", "optax"} - {"__main__", "builtins"}
CLOSED = (types.ModuleType, type, jax.Array, np.ndarray, np.generic)
"""Objects that are known by their identity alone."""


class Same:
    """An object, equal to itself alone."""

    def __init__(self, item: Any):
        self.item = item

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and self.item is other.item

    def __hash__(self) -> int:
        return id(self.item)


class Keyed:
    """A loss, equal to another one if both have the same code and read the same values from outside."""

    def __init__(self, loss: Callable[..., Any]):
        """Look at ``loss`` now: values that are assigned later make another key."""
        self.loss, self.key = loss, captured(loss)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Keyed) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)


class _Place(NamedTuple):
    """An object to look at.

    Attributes:
        item: the object.
        depth: how many objects it is inside of.
        own: the global variables of the loss, if the object is one of them, else None.
    """

    item: Any
    depth: int
    own: dict[str, Any] | None


def captured(loss: Callable[..., Any]) -> tuple[Any, ...]:
    """Return a loss and what it reads from outside: closures, defaults, global variables and attributes.

    Functions of the same module are followed. Numbers and text count by value, functions that are followed by their
    code, all else by identity. So a function that is made again by the same line, with the same values, is the same;
    elements that change inside of an array or a list are not seen.
    """
    loss, constants = unbound(loss)
    found: list[Any] = [constants]
    looked_at: dict[int, Any] = {}  # with the objects, so that no other one gets the same id
    places = [_Place(loss, 0, None)]
    if isinstance(loss, BatchLoss):
        found.append((type(loss), loss.key_as, loss.pick))
        drawn = loss.pick.constants.leaves if isinstance(loss.pick, Drawn) and loss.pick.constants else ()
        places = [_Place(item, 0, None) for item in (loss.loss, *drawn)]
    while places:
        place = places.pop()
        if isinstance(place.item, PLAIN):
            found.append((type(place.item), place.item))
        elif id(place.item) not in looked_at:
            looked_at[id(place.item)] = place.item
            followed = _is_followed(place)
            if isinstance(place.item, types.FunctionType) and followed:
                found.extend((Same(place.item.__code__), Same(place.item.__globals__)))
            elif not isinstance(place.item, types.MethodType):  # made anew at each access
                found.append(Same(place.item))
            if followed:
                places.extend(_inside(place))
    return tuple(found)


def _is_followed(place: _Place) -> bool:
    """Return True if the objects that an object reads are looked at too."""
    if place.depth >= DEPTH or is_of_library(place.item):
        return False
    same_module = place.own is None or not isinstance(place.item, types.FunctionType)
    return same_module or place.item.__globals__ is place.own


def is_of_library(item: Any) -> bool:
    """Return True for a function or an object of a library whose values do not change."""
    if isinstance(item, (functools.partial, types.MethodType)):
        return False
    owner = item if isinstance(item, types.FunctionType) else type(item)
    return str(owner.__module__).partition(".")[0] in LIBRARIES


def _inside(place: _Place) -> Iterator[_Place]:
    """Yield the objects that an object reads."""
    item, below = place.item, place.depth + 1
    if isinstance(item, types.FunctionType):
        yield from (_Place(value, below, None) for value in closure(item))
        yield from (_Place(value, below, item.__globals__) for value in _globals(item))
    elif isinstance(item, types.MethodType):
        yield from (_Place(value, place.depth, None) for value in (item.__self__, item.__func__))
    elif isinstance(item, functools.partial):
        yield from (_Place(value, place.depth, None) for value in (item.func, *item.args, *item.keywords.values()))
    elif isinstance(item, dict):
        yield from (_Place(value, below, place.own) for value in item.values() if len(item) <= MOST)
    elif not isinstance(item, CLOSED):
        attributes = getattr(item, "__dict__", None)
        yield from (_Place(value, below, place.own) for value in dict(attributes or {}).values())
        call = getattr(type(item), "__call__", None)  # noqa: B004
        if place.depth == 0 and isinstance(call, types.FunctionType):
            yield _Place(call, below, None)


def closure(function: types.FunctionType) -> Iterator[Any]:
    """Yield the values of a function's closure and the defaults of its arguments."""
    for cell in function.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:  # not assigned yet
            continue
    yield from function.__defaults__ or ()
    yield from (function.__kwdefaults__ or {}).values()


def _globals(function: types.FunctionType) -> Iterator[Any]:
    """Yield the global variables that a function and the functions inside of it read."""
    codes = [function.__code__]
    while codes:
        code = codes.pop()
        codes.extend(constant for constant in code.co_consts if isinstance(constant, types.CodeType))
        yield from (function.__globals__[name] for name in code.co_names if name in function.__globals__)
