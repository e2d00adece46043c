"""Programs that are compiled in little time, because they run for less: about a third of the usual time."""

import os
from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any, TypeVar

OPTIONS = {"xla_backend_optimization_level": 0, "xla_cpu_use_fusion_emitters": False}
F = TypeVar("F", bound=Callable[..., Any])


def compiled_quickly(function: F) -> F:
    """Return ``equinox.filter_jit(function)``, on a CPU compiled without optimization; for functions that run rarely.

    Flags that the user has set in the environment stay as they are.
    """

    @lru_cache(1)
    def compiled() -> Callable[..., Any]:
        import equinox as eqx
        import jax

        flags = os.environ.get("XLA_FLAGS", "")
        options = {name: value for name, value in OPTIONS.items() if name not in flags}
        on_cpu = jax.default_backend() == "cpu"
        return eqx.filter_jit(function, **({"compiler_options": options} if on_cpu else {}))  # type: ignore[call-overload]

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        return compiled()(*args, **kwargs)

    return call  # type: ignore[return-value]
