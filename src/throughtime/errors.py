"""Errors that a user can act on, and how a command tells them."""

import json
import sys
from contextlib import suppress

UNUSABLE = 2


class InputError(ValueError):
    """Input that cannot be used: says what came, what was expected and what to do.

    The command line prints the message alone and leaves with exit code 2.
    """


def tell(message: str, *, as_json: bool) -> None:
    """One line on standard error; on standard output a JSON object, where that is asked for and can be written."""
    if as_json:
        with suppress(OSError):
            print(json.dumps({"error": message}), flush=True)
    print(f"throughtime: {message}", file=sys.stderr)
