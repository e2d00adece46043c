"""Arguments of public functions: NumPy's numbers and truth values as Python's."""

import operator
from collections.abc import Mapping
from typing import Any

import numpy as np

from throughtime._errors import InputError


def whole_number(name: str, value: Any, *, least: int | None = 1, code: str = "not-a-size") -> int:
    """Return a whole number of Python, of NumPy, or of an array without axes, as Python's.

    Args:
        name: of the argument, for the message.
        value: the argument.
        least: the smallest number that is allowed; None for any.
        code: of the error.

    Raises:
        InputError: for a truth value, another type, and a number that is too small.
    """
    number = whole_or_none(value)
    if number is None or (least is not None and number < least):
        expected = "a whole number" if least is None else f"a whole number of at least {least}"
        raise InputError(f"{name} is {plain(value)!r}: expected {expected}", code=code, found=value, expected=expected)
    return number


def real_number(name: str, value: Any) -> float:
    """Return a number of Python or of NumPy, or of an array without axes, as Python's float.

    Raises:
        InputError: for text, truth values and arrays with axes.
    """
    if isinstance(value, bool | np.bool_ | str) or np.ndim(value) > 0 or not hasattr(value, "__float__"):
        raise InputError(
            f"{name} is {plain(value)!r}: expected a number", code="not-a-number", found=value, expected="a number"
        )
    return float(value)


def truth_value(name: str, value: Any, *, code: str = "not-a-truth-value") -> bool:
    """Return a truth value of Python or of NumPy, or 0 or 1, as Python's.

    Raises:
        InputError: for anything else, such as text.
    """
    if isinstance(value, bool | np.bool_) or whole_or_none(value) in (0, 1):
        return bool(value)
    raise InputError(
        f"{name} is {plain(value)!r}: expected True or False", code=code, found=value, expected=[True, False]
    )


def plain(value: Any) -> Any:
    """Return NumPy's numbers, truth values and arrays as Python's, also inside of mappings, lists and tuples."""
    if hasattr(value, "tolist"):  # also an array of JAX
        return value.tolist()
    if isinstance(value, Mapping):
        return {plain(name): plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def whole_or_none(value: Any) -> int | None:
    """Return a whole number as Python's; None for anything else, and for truth values."""
    if isinstance(value, bool | np.bool_) or (isinstance(value, np.ndarray) and value.dtype == bool):
        return None
    try:
        return operator.index(value)
    except TypeError:
        return None
