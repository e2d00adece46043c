"""The surroundings of a command: console, output folder, Ctrl-C and errors."""

import json
import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from cyclopts import CycloptsError
from rich.console import Console

from throughtime._errors import InputError, describe_os_error
from throughtime.cli.interrupts import Interrupts
from throughtime.cli.options import RunOptions
from throughtime.cli.outputs import OutputFolder

UNUSABLE, BROKEN_PIPE = 2, 1  # exit codes


class PatientConsole(Console):
    """A console that goes on if its reader has had enough, such as ``head``: the results are still to be written."""

    def on_broken_pipe(self) -> None:
        """Print nothing from now on, where rich would end the process too."""
        with suppress(SystemExit):
            super().on_broken_pipe()


class Runtime:
    """One run of a command.

    Attributes:
        console: prints for a person: on standard error if standard output is for JSON, nothing if quiet.
        out: the folder to write to.
        interrupts: the handling of Ctrl-C.
        began: when the command began, in seconds of ``time.perf_counter``.
        result: the JSON object that ``--json`` prints at the end.
    """

    def __init__(self, options: RunOptions, folder: Path, interrupts: Interrupts):
        self.console = PatientConsole(
            stderr=options.json, quiet=options.quiet, soft_wrap=True, markup=False, emoji=False, highlight=False
        )
        self.out = OutputFolder(folder)
        self.interrupts = interrupts
        self.began = time.perf_counter()
        self.result: dict[str, Any] = {}

    def say(self, message: str) -> None:
        """Print a line for a person."""
        self.console.print(message)


@contextmanager
def running(command: str, options: RunOptions, interrupts: Interrupts) -> Iterator[Runtime]:
    """Run a command: prepare JAX, and print its result as JSON at the end if that is asked for.

    Args:
        command: its name, which is that of its default folder below ``out``.
        options: as the user typed them.
        interrupts: the process's handling of Ctrl-C.
    """
    runtime = Runtime(options, options.out or Path("out") / command, interrupts)
    interrupts.kept = runtime.out.kept
    with interrupts.cleaning(runtime.out.close):
        from throughtime import configure

        configure()
        quiet_matplotlib()
        yield runtime
        interrupts.finish()
        if options.json:
            _print_json(runtime.result)


def quiet_matplotlib() -> None:
    """Silence matplotlib about a cache that it cannot write or must build: no picture changes."""
    logging.getLogger("matplotlib").setLevel(logging.ERROR)


def _print_json(result: dict[str, Any]) -> None:
    try:
        print(json.dumps(result), flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OSError(error.errno, error.strerror, "standard output") from error


def report_error(error: Exception, *, as_json: bool) -> int:
    """Print one message and return the exit code. Bugs (any other exception) are raised again."""
    fields: dict[str, Any] = {}
    if isinstance(error, BrokenPipeError):
        return BROKEN_PIPE  # the reader has had enough
    elif isinstance(error, InputError):
        message, fields = str(error), error.fields()
    elif isinstance(error, ConnectionError) and error.errno is None:  # the training's own, not the system's
        message = str(error)
    elif isinstance(error, OSError):
        message = describe_os_error(error)
    elif isinstance(error, MemoryError):
        message = "out of memory: the input is too large for this machine"
    elif isinstance(error, CycloptsError):
        message = _usage(error)
    else:
        raise error
    if as_json:
        with suppress(OSError):
            print(json.dumps({"error": message, **fields}), flush=True)
    print(f"throughtime: {message}", file=sys.stderr)
    return UNUSABLE


def _usage(error: CycloptsError) -> str:
    """Return what is wrong with the command's words, and how to see its help."""
    words = " ".join(str(error).split()).rstrip(".")
    command = " ".join(["throughtime", *(error.command_chain or ())])
    return f"{words or 'expected a command'}: see {command} --help"
