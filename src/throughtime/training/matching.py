"""Saved arrays, matched by name, shape and type with a tree that takes them."""

from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from throughtime._errors import InputError
from throughtime.training.leaves import former_name


def match_arrays(arrays: Mapping[str, np.ndarray], expected: Mapping[str, Any], prefix: str) -> dict[str, np.ndarray]:
    """Return the arrays below ``prefix`` by their present names.

    Args:
        arrays: all saved arrays by name.
        expected: the arrays of the tree, or their shapes and types, by name.
        prefix: the place of the tree among the saved ones.

    Raises:
        InputError: if names, shapes or types differ; names all that do.
    """
    inside = _renamed({name: array for name, array in arrays.items() if name.startswith(f"{prefix}.")}, expected)
    problems = [f"{name} is missing" for name in expected if name not in inside]
    problems += [f"{name} is not expected" for name in inside if name not in expected]
    both = {name: (array, expected[name]) for name, array in inside.items() if name in expected}
    wrong = {name: pair for name, pair in both.items() if _kind(pair[0]) != _kind(pair[1])}
    problems += [f"{name} is {_described(array)}, expected {_described(due)}" for name, (array, due) in wrong.items()]
    if problems:
        wide = any(array.dtype in (np.float64, np.complex128, np.int64) for array, _ in wrong.values())
        advice = ADVICE if wide and _narrow() else ""
        raise InputError(
            f"the arrays do not fit the configuration: {'; '.join(sorted(problems))}{advice}",
            code="arrays-misfit",
            found=sorted(problems),
        )
    return inside


ADVICE = '. To load arrays of 64 bits, call jax.config.update("jax_enable_x64", True) first'


def _narrow() -> bool:
    """Return True if JAX has no arrays of 64 bits, because the user did not enable them."""
    return jax.dtypes.canonicalize_dtype(np.float64) != np.float64


def _kind(array: Any) -> tuple[tuple[int, ...], Any]:
    return array.shape, array.dtype


def _described(array: Any) -> str:
    return f"{array.dtype}{list(array.shape)}"


def _renamed(arrays: Mapping[str, np.ndarray], expected: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Return the arrays with present names, where former versions left points inside of parts as they were."""
    former = {former_name(name): name for name in expected if name not in arrays}
    return {name if name in expected else former.get(name, name): array for name, array in arrays.items()}
