"""Errors that a user can act on."""

from pathlib import Path
from typing import Any


class InputError(ValueError):
    """Unusable input: its message says what came, what was expected and what to do.

    The command line prints the message alone and exits with code 2; with ``--json`` it prints the fields too.

    Attributes:
        code: the kind of error, a few words joined by hyphens, such as ``"not-a-number"``, for programs and tests.
        file: the file, or the name of the frame, if there is one.
        line: the line in the file, or the row of a frame or a Parquet file, counted from 1.
        column: the name of the column, parameter or setting.
        found: the value that came.
        expected: the value, or the values, that would be accepted.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str = "",
        file: str | Path | None = None,
        line: int | None = None,
        column: str | None = None,
        found: Any = None,
        expected: Any = None,
    ):
        super().__init__(message)
        self.code, self.found, self.expected = code, found, expected
        self.file, self.line, self.column = None if file is None else str(file), line, column

    def fields(self) -> dict[str, Any]:
        """Return the fields that are set, as JSON values."""
        values = {
            "code": self.code or None,
            "file": self.file,
            "line": self.line,
            "column": self.column,
            "found": self.found,
            "expected": self.expected,
        }
        return {name: _as_json(value) for name, value in values.items() if value is not None}


def _as_json(value: Any) -> Any:
    """Return numbers and text as they are, lists item by item, and everything else as text."""
    if isinstance(value, (str, int, float, bool)) or value is None:
        return value
    if isinstance(value, (list, tuple)):
        return [_as_json(item) for item in value]
    return str(value)


def not_installed(feature: str, missing: ModuleNotFoundError, extra: str) -> InputError:
    """Return the error for a library that is missing, with the command that installs the extra it belongs to."""
    from throughtime._extras import install_command  # for this error alone

    return InputError(
        f"{feature} needs {missing.name}, which is not installed: {install_command(extra)}",
        code="not-installed",
        found=missing.name,
        expected=extra,
    )


def describe_os_error(error: OSError) -> str:
    """Return the file and the reason of an error of the file system."""
    return f"{error.filename or 'the file system'}: {error.strerror or error}"
