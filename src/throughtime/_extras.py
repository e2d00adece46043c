"""The libraries of an extra, and the command that installs them."""

import re
import shlex
import sys
from importlib.metadata import PackageNotFoundError, requires
from importlib.util import find_spec


def install_command(extra: str) -> str:
    """Return the shell command that installs the libraries of an extra for this interpreter.

    It names them, not throughtime: so it works for an installation from an index, a wheel, a checkout or a repository,
    and builds nothing again.
    """
    installer = [sys.executable, "-m", "pip", "install"]
    if find_spec("pip") is None:  # an environment that uv made
        installer = ["uv", "pip", "install", "--python", sys.executable]
    return shlex.join([*installer, *libraries(extra)])


def libraries(extra: str) -> list[str]:
    """Return the requirements of an extra, such as ``["optuna>=4"]``."""
    try:
        listed = requires("throughtime") or []
    except PackageNotFoundError:  # sources that were not installed
        return [f"throughtime[{extra}]"]
    asked = re.compile(rf"""extra\s*==\s*["']{re.escape(extra)}["']""")
    pairs = (line.partition(";") for line in listed)
    return [name.strip() for name, _, marker in pairs if asked.search(marker)]
