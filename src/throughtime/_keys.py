"""Random keys from seeds."""

import jax
import numpy as np

from throughtime._arguments import whole_or_none
from throughtime._errors import InputError
from throughtime._fork import require_threads
from throughtime._types import Key, KeyLike


def random_key(key: KeyLike) -> Key:
    """Return a random key; a whole number is a seed: 0 is ``jax.random.key(0)``.

    Raises:
        InputError: for None, text, and other values that are neither.
    """
    require_threads()
    seed = None if isinstance(key, jax.Array) else whole_or_none(key)
    if seed is not None:
        return jax.random.key(seed)
    if isinstance(key, jax.Array | np.ndarray):
        return key
    raise InputError(
        f"key is {key!r}: expected a random key, such as jax.random.key(0), or its seed, such as 0",
        code="not-a-key",
        found=key,
    )
