"""Errors that a user can act on, and how a command tells them."""


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
