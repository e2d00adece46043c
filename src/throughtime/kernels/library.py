"""The native library: found, loaded and made known to JAX once, or the reason why not."""

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from importlib.util import find_spec
from typing import NamedTuple

import jax

SWITCH = "THROUGHTIME_KERNELS"
LIBRARY = "THROUGHTIME_NATIVE"  # another build of the library, such as one for looking for mistakes
FORWARD, BACKWARD = "throughtime_forward", "throughtime_backward"
LINEAR = {"float32": "throughtime_linear_real", "complex64": "throughtime_linear_complex"}
_off: ContextVar[bool] = ContextVar("off", default=False)


class Availability(NamedTuple):
    """Whether the native kernels are used, and why not, or what they run on.

    Attributes:
        yes: whether :func:`throughtime.unroll` may take them.
        why: the reason where it may not, otherwise the instructions that they were compiled for.
    """

    yes: bool
    why: str

    def __bool__(self) -> bool:
        """``yes``."""
        return self.yes


def available() -> Availability:
    """Whether the kernels are there and may be used here and now."""
    if _off.get():
        return Availability(False, "they are off here: throughtime.kernels.off()")
    if os.environ.get(SWITCH, "1").lower() in ("0", "off", "false", "no"):
        return Availability(False, f"they are off: the environment variable {SWITCH} is {os.environ[SWITCH]!r}")
    if jax.default_backend() != "cpu":
        return Availability(False, f"they are for the processor, and JAX computes on {jax.default_backend()}")
    return _loaded()


@contextmanager
def off() -> Iterator[None]:
    """In this context :func:`throughtime.unroll` scans, step by step: for comparison, and for forward derivatives."""
    token = _off.set(True)
    try:
        yield
    finally:
        _off.reset(token)


@lru_cache(maxsize=1)
def _loaded() -> Availability:
    spec = find_spec("throughtime.kernels._native")
    file = os.environ.get(LIBRARY) or (None if spec is None else spec.origin)
    if file is None:
        return Availability(False, "they were not built, as at the installation there was no C++ compiler that could")
    try:
        library = ctypes.CDLL(file)
        for name in (FORWARD, BACKWARD, *LINEAR.values()):
            jax.ffi.register_ffi_target(name, jax.ffi.pycapsule(getattr(library, name)), platform="cpu")
        library.throughtime_instruction_set.restype = ctypes.c_char_p
        return Availability(True, library.throughtime_instruction_set().decode())
    except (OSError, AttributeError, RuntimeError) as error:  # no library, another one, or one for another JAX
        return Availability(False, f"they cannot be loaded: {error}")
