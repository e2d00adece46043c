"""Errors that a user can act on, and how a command tells them."""

import json
import sys
from contextlib import suppress

UNUSABLE = 2


class InputError(ValueError):
    """Input that cannot be used: says what came, what was expected and what to do.

    The command line prints the message alone and leaves with exit code 2.
    """


def not_installed(what: str, missing: ModuleNotFoundError, extra: str) -> InputError:
    """What needs a library that is not there, and the command that installs it: the extra of that name."""
    return InputError(f"{what} needs {missing.name}, which is not installed: pip install 'throughtime[{extra}]'")


def file_system_words(error: OSError) -> str:
    """Which file, and what is wrong with it."""
    return f"{error.filename or 'the file system'}: {error.strerror or error}"


def tell(message: str, *, as_json: bool) -> None:
    """One line on standard error; on standard output a JSON object, where that is asked for and can be written."""
    if as_json:
        with suppress(OSError):
            print(json.dumps({"error": message}), flush=True)
    print(f"throughtime: {message}", file=sys.stderr)
