"""Settings of JAX that small recurrent networks gain from: a compilation cache and two flags of its compiler."""

import os
import sys
import warnings
from contextlib import suppress
from pathlib import Path

from platformdirs import user_cache_path

CACHE_BYTES = 256 * 2**20
XLA_FLAGS = {
    # Loops that touch fewer bytes are compiled as one kernel: 68 us for the reference step instead of 97.
    "--xla_backend_extra_options": "xla_cpu_small_while_loop_byte_threshold=1000000",
    # Use vectors of 512 bits if the CPU has them: Adam's roots and quotients take half the time.
    "--xla_cpu_prefer_vector_width": "512",
}


def configure(*, cache: bool = True, xla_flags: bool = True) -> None:
    """Tell JAX to keep compiled programs on disk and to compile loops for small networks.

    Call it before JAX computes for the first time. The command line does. Settings that the user has made in the
    environment stay as they are.

    Args:
        cache: keep compiled programs, up to 256 MiB, in the user's cache folder if it can be written.
        xla_flags: compile small loops as one kernel, and use the widest vectors of the CPU.

    Warns:
        RuntimeWarning: if JAX has started already, so that flags of its compiler have no effect.
    """
    if xla_flags:
        _add_flags()
    if cache:
        _keep_programs()


def _has_started() -> bool:
    """Tell whether JAX has a backend, which has read the flags; JAX has no public function for it."""
    bridge = sys.modules.get("jax._src.xla_bridge")
    return bridge is not None and bool(bridge.backends_are_initialized())


def _add_flags() -> None:
    """Add the flags that the user has not set."""
    present = os.environ.get("XLA_FLAGS", "")
    missing = [f"{name}={value}" for name, value in XLA_FLAGS.items() if name not in present]
    if missing and _has_started():
        message = "JAX has started already: throughtime.configure() cannot set its compiler's flags any more"
        warnings.warn(message, RuntimeWarning, stacklevel=3)
    elif missing:
        os.environ["XLA_FLAGS"] = " ".join([present, *missing]).strip()


def _keep_programs() -> None:
    """Set the compilation cache."""
    settings = {"JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0"}
    folder = user_cache_path("throughtime") / "compiled"
    if "JAX_COMPILATION_CACHE_DIR" not in os.environ and _writable(folder):
        settings |= {"JAX_COMPILATION_CACHE_DIR": str(folder), "JAX_COMPILATION_CACHE_MAX_SIZE": str(CACHE_BYTES)}
        _drop_unfinished(folder)
    fresh = {name: value for name, value in settings.items() if name not in os.environ}
    os.environ.update(fresh)
    if "jax" in sys.modules:
        _tell_jax(fresh)


def _tell_jax(settings: dict[str, str]) -> None:
    """Repeat settings of the environment to a JAX that was imported before they were made."""
    import jax

    for name, value in settings.items():
        former = getattr(jax.config, name.lower())
        jax.config.update(name.lower(), value if former is None else type(former)(value))


def _writable(folder: Path) -> bool:
    """Make the folder; JAX would warn of each program that it cannot keep there."""
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
    return os.access(folder, os.W_OK)


def _drop_unfinished(folder: Path) -> None:
    """Remove entries that a killed process left without their access time: JAX would warn of them at every start."""
    with suppress(OSError):  # a cache that cannot be read is no reason to stop
        for entry in folder.glob("*-cache"):
            if not entry.with_name(entry.name.removesuffix("-cache") + "-atime").exists():
                entry.unlink(missing_ok=True)
