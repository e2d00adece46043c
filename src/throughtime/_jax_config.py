"""What the command line sets for JAX and matplotlib, before they are first imported. What the user has set stays."""

import os
from contextlib import suppress
from pathlib import Path

from platformdirs import user_cache_path

CACHE_BYTES = 256 * 2**20
XLA_FLAGS = {
    # Loops that touch fewer bytes are compiled as one kernel: 68 us for the reference step instead of 97.
    "--xla_backend_extra_options": "xla_cpu_small_while_loop_byte_threshold=1000000",
    # Where there are vectors of 512 bits, all of them: Adam's roots and quotients take half the time.
    "--xla_cpu_prefer_vector_width": "512",
}


def prepare_jax() -> None:
    """Keep compiled programs in the user's cache folder where it can be written; let XLA compile for small networks."""
    folder = user_cache_path("throughtime") / "compiled"
    if "JAX_COMPILATION_CACHE_DIR" not in os.environ and _writable(folder):
        os.environ["JAX_COMPILATION_CACHE_DIR"] = str(folder)
        os.environ.setdefault("JAX_COMPILATION_CACHE_MAX_SIZE", str(CACHE_BYTES))
        _drop_unfinished(folder)
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
    given = os.environ.get("XLA_FLAGS", "")
    ours = [f"{name}={value}" for name, value in XLA_FLAGS.items() if name not in given]
    os.environ["XLA_FLAGS"] = " ".join([given, *ours]).strip()


def _writable(folder: Path) -> bool:
    """Make the folder; JAX would warn of each program that it cannot keep there."""
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
    return os.access(folder, os.W_OK)


def _drop_unfinished(folder: Path) -> None:
    """Take away entries that a killed process left without their time of access: JAX would warn of them for ever."""
    with suppress(OSError):  # a cache that cannot be read is no reason to stop
        for entry in folder.glob("*-cache"):
            if not entry.with_name(entry.name.removesuffix("-cache") + "-atime").exists():
                entry.unlink(missing_ok=True)
