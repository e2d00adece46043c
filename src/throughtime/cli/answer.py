"""How a command answers: words for a person, one JSON object, one message for a failure, an exit code."""

import json
import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import typer
from rich.console import Console

from throughtime._errors import InputError, describe_os_error
from throughtime.cli import interrupts
from throughtime.cli.outputs import is_filled, remove_empty

BROKEN_PIPE = 1
USAGE_ERROR: Any = typer.BadParameter.__base__  # Typer has it from click, or from a private copy


class Answer:
    """Where a command's words go, and what ``--json`` prints in the end."""

    def __init__(self, as_json: bool, quiet: bool):
        self.console = Console(stderr=as_json, quiet=quiet, soft_wrap=True, markup=False, emoji=False, highlight=False)
        self.result: dict[str, Any] = {}


@contextmanager
def answering(as_json: bool, quiet: bool, kept: Callable[[], str]) -> Iterator[Answer]:
    """Run a command: its result as JSON where asked, every failure as one message and an exit code.

    ``kept`` says what there is when it is interrupted.
    """
    answer = Answer(as_json, quiet)
    try:
        with interrupts.saying(kept), interrupts.cleaning(remove_empty):
            from throughtime import configure

            configure()
            prepare_matplotlib()
            yield answer
            interrupts.answered()
            if as_json:
                _print_json(answer.result)
    except Exception as error:
        raise typer.Exit(tell_error(error, as_json)) from None


def _print_json(result: dict[str, Any]) -> None:
    try:
        print(json.dumps(result), flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OSError(error.errno, error.strerror, "standard output") from error


def tell_error(error: Exception, as_json: bool) -> int:
    """One message for what went wrong, and the exit code; what is no user's affair is raised again."""
    interrupts.answered()
    if isinstance(error, BrokenPipeError):
        return BROKEN_PIPE  # whoever reads has had enough
    elif isinstance(error, InputError):
        message, code = str(error), UNUSABLE
    elif isinstance(error, OSError):
        message, code = describe_os_error(error), UNUSABLE
    elif isinstance(error, MemoryError):
        message, code = "out of memory: the input is too large for this machine", UNUSABLE
    elif isinstance(error, USAGE_ERROR):
        message, code = (
            f"{error.format_message() or 'expected a command'}: see {error.ctx.command_path} --help",
            UNUSABLE,
        )
    else:
        raise error
    tell(message, as_json=as_json)
    return code


def all_or_nothing(out: Path) -> Callable[[], str]:
    """What there is when a command is interrupted that writes all of its results at once."""
    return lambda: f"The results were already in {out}." if is_filled(out) else "Nothing was written."


def show_training(bar: Any) -> Callable[[str, Any], None]:
    """A report of training that moves the bar."""

    def report(stage: str, progress: Any) -> None:
        loss, speed = float(progress.losses.mean()), len(progress.losses) / progress.seconds
        bar.show(stage, int(progress.state.step), progress.steps, loss=loss, speed=speed)

    return report


UNUSABLE = 2


def tell(message: str, *, as_json: bool) -> None:
    """One line on standard error; on standard output a JSON object, where that is asked for and can be written."""
    if as_json:
        with suppress(OSError):
            print(json.dumps({"error": message}), flush=True)
    print(f"throughtime: {message}", file=sys.stderr)


def prepare_matplotlib() -> None:
    """No word about a cache that it cannot write or must build: pictures come out the same."""
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
