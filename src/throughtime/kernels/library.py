"""The native library: found, loaded and registered with JAX once, or the reason why not."""

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
LIBRARY = "THROUGHTIME_NATIVE"  # another build of the library, such as one with sanitizers
FORWARD, BACKWARD = "throughtime_forward", "throughtime_backward"
LINEAR = {"float32": "throughtime_linear_real", "complex64": "throughtime_linear_complex"}
_off: ContextVar[bool] = ContextVar("off", default=False)


class Availability(NamedTuple):
    """The availability of the native kernels; true in a condition if :func:`throughtime.unroll` may use them.

    Attributes:
        yes: True if it may.
        why: the reason if it may not, otherwise the instruction set that they use.
    """

    yes: bool
    why: str

    def __bool__(self) -> bool:
        """Return ``yes``."""
        return self.yes


def available() -> Availability:
    """Tell if the kernels can be used here and now, and why not."""
    if _off.get():
        return Availability(False, "native kernels are off in this context: throughtime.kernels.off()")
    if os.environ.get(SWITCH, "1").lower() in ("0", "off", "false", "no"):
        return Availability(
            False, f"native kernels are off: the environment variable {SWITCH} is {os.environ[SWITCH]!r}"
        )
    if jax.default_backend() != "cpu":
        return Availability(False, f"native kernels run on the CPU only; JAX is using {jax.default_backend()}")
    return _loaded()


@contextmanager
def off() -> Iterator[None]:
    """Use no kernel in this context: to compare, or for derivatives in forward mode."""
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
        return Availability(False, "native kernels were not built: the installation found no suitable C++ compiler")
    try:
        library = ctypes.CDLL(file)
        for name in (FORWARD, BACKWARD, *LINEAR.values()):
            jax.ffi.register_ffi_target(name, jax.ffi.pycapsule(getattr(library, name)), platform="cpu")
        library.throughtime_instruction_set.restype = ctypes.c_char_p
        return Availability(True, library.throughtime_instruction_set().decode())
    except (OSError, AttributeError, RuntimeError) as error:  # no library, a wrong one, or one for another JAX
        return Availability(False, f"native kernels cannot be loaded: {error}")
