"""The secret of a server's address or requests: the same at each start, so that bookmarks and clients stay good."""

import os
import re
import secrets
from contextlib import suppress
from pathlib import Path

from platformdirs import user_state_path

TOKEN = re.compile(r"[\w-]{22}")  # 16 bytes


def token_file(name: str) -> Path:
    """Return the file of a token, in the user's folder of states."""
    return user_state_path("throughtime") / name


def kept_token(name: str) -> str:
    """Return the token in a file that its owner alone can read; a new one if there is none, or others can read it."""
    file = token_file(name)
    with suppress(OSError, UnicodeDecodeError):
        text = file.read_text()
        if TOKEN.fullmatch(text) and not file.stat().st_mode & 0o077:
            return text
    token = secrets.token_urlsafe(16)
    with suppress(OSError):  # then the next start makes another one
        _keep(file, token)
    return token


def _keep(file: Path, token: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.unlink(missing_ok=True)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as out:
        out.write(token)
