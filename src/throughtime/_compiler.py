"""Options of XLA's compiler on a CPU, for programs whose compilation would take longer than they run.

Measured for the forecaster of one monthly series, in CPU seconds of compilation and in time to run:

- ``ONCE``: a quarter of the default's compilation, two to four times as slow. For programs that run a few times.
- ``SELDOM``: half of it, a sixth to a half slower. For programs that run hundreds of times.
- ``OFTEN``: three quarters of it, as fast if a program's work is in matrix products and native kernels. A loop of
  small products by itself is 6 % slower: the default is for those.
"""

import os
import weakref
from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any, TypeVar

Options = tuple[tuple[str, int | bool], ...]
OFTEN: Options = (("xla_backend_optimization_level", 1),)
SELDOM: Options = (*OFTEN, ("xla_cpu_use_fusion_emitters", False))
ONCE: Options = (("xla_backend_optimization_level", 0), ("xla_cpu_use_fusion_emitters", False))
PROGRAMS = 64  # of a function, for modules of different structures, that are kept
F = TypeVar("F", bound=Callable[..., Any])


def for_this_backend(options: Options) -> dict[str, int | bool]:
    """Return the options as ``jax.jit`` takes them; none for accelerators, and none that the user's XLA_FLAGS set."""
    import jax

    flags = os.environ.get("XLA_FLAGS", "")
    on_cpu = jax.default_backend() == "cpu"
    return {name: value for name, value in options if on_cpu and name not in flags}


def compiled(options: Options) -> Callable[[F], F]:
    """Return a decorator that compiles a function of a module and of arrays, whose results are arrays, with options.

    Leaves of the module that are no arrays are constants of the program, as for ``equinox.filter_jit``, whose calls
    take 0.15 ms more: as long as a small network for a window. A module is parted into leaves at its first call alone,
    for as long as it lives. JAX starts at the first call.
    """

    def decorate(function: F) -> F:
        @lru_cache(PROGRAMS)
        def program(constants: tuple[Any, ...], structure: Any) -> Callable[..., Any]:
            import jax

            def run(arrays: tuple[Any, ...], *args: Any) -> Any:
                pairs = zip(constants, arrays, strict=True)
                leaves = [array if constant is None else constant for constant, array in pairs]
                return function(jax.tree.unflatten(structure, leaves), *args)

            run.__name__ = function.__name__
            return jax.jit(run, compiler_options=for_this_backend(options))

        parted: dict[int, tuple[Callable[..., Any], tuple[Any, ...]]] = {}

        @wraps(function)
        def call(module: Any, *args: Any) -> Any:
            if id(module) not in parted:
                arrays, *rest = _parted(module)
                parted[id(module)] = program(*rest), arrays
                weakref.finalize(module, parted.pop, id(module), None)
            run, arrays = parted[id(module)]
            return run(arrays, *args)

        return call  # type: ignore[return-value]

    return decorate


def _parted(module: Any) -> tuple[tuple[Any, ...], tuple[Any, ...], Any]:
    """Return the arrays among the leaves of a module, None in place of others; the others; and its structure."""
    import equinox as eqx
    import jax

    leaves, structure = jax.tree.flatten(module)
    arrays = tuple(leaf if eqx.is_array(leaf) else None for leaf in leaves)
    constants = tuple(leaf if array is None else None for leaf, array in zip(leaves, arrays, strict=True))
    return arrays, constants, structure
