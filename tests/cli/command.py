"""A command run in this process, and what a user sees of it."""

import io
from contextlib import redirect_stderr, redirect_stdout
from typing import NamedTuple

from throughtime.cli.app import run as run_command


class Result(NamedTuple):
    """The exit code and what was printed."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def output(self) -> str:
        """Both streams."""
        return self.stdout + self.stderr


def run(*arguments: str) -> Result:
    """Run ``throughtime`` with these arguments."""
    stdout, stderr = io.StringIO(), io.StringIO()
    with redirect_stdout(stdout), redirect_stderr(stderr):
        code = run_command(arguments)
    return Result(code, stdout.getvalue(), stderr.getvalue())
