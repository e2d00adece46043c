"""The command that installs an extra's libraries."""

import shlex
import sys

import pytest

from throughtime import _extras
from throughtime._extras import install_command, libraries

LISTED = ["numpy>=2", "starlette>=1; extra == 'lab'", 'uvicorn>=0.40 ; extra=="lab"', "x; extra == 'lab2'"]


def test_it_names_the_libraries_not_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_extras, "requires", lambda name: LISTED)
    assert libraries("lab") == ["starlette>=1", "uvicorn>=0.40"]
    words = shlex.split(install_command("lab"))
    assert words == [sys.executable, "-m", "pip", "install", "starlette>=1", "uvicorn>=0.40"]
    monkeypatch.setattr(_extras, "find_spec", lambda name: None)
    words = shlex.split(install_command("lab"))
    assert words == ["uv", "pip", "install", "--python", sys.executable, "starlette>=1", "uvicorn>=0.40"]


def test_sources_that_were_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    def requires(name: str) -> list[str]:
        raise _extras.PackageNotFoundError(name)

    monkeypatch.setattr(_extras, "requires", requires)
    assert libraries("lab") == ["throughtime[lab]"]


@pytest.mark.parametrize("extra", ["baselines", "tune", "lab", "serve", "ray"])
def test_the_extras_of_the_messages_exist(extra: str) -> None:
    assert all(">=" in requirement for requirement in libraries(extra))
    assert libraries(extra)
