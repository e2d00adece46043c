"""Errors that a user can act on."""


class InputError(ValueError):
    """Input that cannot be used: says what came, what was expected and what to do.

    The command line prints the message alone and leaves with exit code 2.
    """
