"""The processes to measure: as a user runs them, on the CPU only."""

import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any, NamedTuple

# Variables with these prefixes tune a framework; every process runs as a user would run it.
TUNING = ("JAX_", "KERAS_", "MKL_", "OMP_", "OPENBLAS_", "TF_", "TORCH", "XLA_")


class Ended(NamedTuple):
    """The result of a process.

    Attributes:
        code: its exit code.
        seconds: wall-clock time.
        worked: CPU seconds of the process and of those that it started.
        peak: its peak memory in bytes.
    """

    code: int
    seconds: float
    worked: float
    peak: int


def plain_environment() -> dict[str, str]:
    """Return the environment without tuning and accelerators, which would help only some of the peers."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith(TUNING)}
    return plain | {"CUDA_VISIBLE_DEVICES": ""}


def has_modules(python: str, modules: tuple[str, ...]) -> bool:
    """Return True if ``python`` exists and finds the modules; it does not import them."""
    code = "import sys, importlib.util as u; sys.exit(any(u.find_spec(name) is None for name in sys.argv[1:]))"
    try:
        return subprocess.run([python, "-c", code, "numpy", *modules]).returncode == 0
    except OSError:
        return False


def last_line(command: list[str], environment: dict[str, str]) -> tuple[float, Any]:
    """Return a process's seconds from start to end, and the JSON in the last line of its output.

    Raises:
        SystemExit: if the process fails, with the end of its output.
    """
    began = time.perf_counter()
    ended = subprocess.run(command, env=plain_environment() | environment, capture_output=True, text=True)
    seconds = time.perf_counter() - began
    if ended.returncode:
        raise SystemExit(f"{' '.join(command)} failed with exit code {ended.returncode}:\n{ended.stderr[-2000:]}")
    return seconds, json.loads(ended.stdout.splitlines()[-1])


def timed(command: list[str], environment: dict[str, str], log: Path) -> Ended:
    """Run a process from its start to its end, with its output in the file ``log``.

    If it starts other processes, the memory is that of the largest one.
    """
    with log.open("w") as said:
        began = time.perf_counter()
        process = subprocess.Popen(command, env=plain_environment() | environment, stdout=said, stderr=said)
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            raise
        seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    return Ended(process.returncode, seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)
