"""Temporary folders: nothing of them stays, whatever ends the process."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from throughtime import _temporary
from throughtime._temporary import STAGE, remove_temporary_folders, temporary_folder

KILLED = """
import os, signal, sys
from pathlib import Path
from throughtime._temporary import temporary_folder

with temporary_folder(Path(sys.argv[1])) as folder:
    (folder / "array").write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_nothing_stays_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), temporary_folder(tmp_path) as folder:
        (folder / "below" / "it").mkdir()
    assert not list(tmp_path.iterdir())


def test_the_next_one_removes_what_a_killed_process_has_left(tmp_path: Path) -> None:
    (tmp_path / ".writing-of-another-program").mkdir()
    with temporary_folder(tmp_path) as living:
        subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False)
        assert len(list(tmp_path.iterdir())) == 3
        with temporary_folder(tmp_path) as folder:
            kept = {living.name, folder.name, ".writing-of-another-program"}
            assert {path.name for path in tmp_path.iterdir()} == kept


@pytest.mark.parametrize("call", [(os, "open"), (_temporary.fcntl, "flock")])
def test_one_that_is_removed_before_it_is_locked_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: tuple[Any, str]
) -> None:
    real, removed = getattr(*call), list[Path]()

    def late(*arguments: Any) -> Any:
        if not removed:
            removed.append(next(tmp_path.iterdir()))
            removed[0].rmdir()
        return real(*arguments)

    monkeypatch.setattr(*call, late)
    with temporary_folder(tmp_path) as folder:
        assert removed == [folder]
        assert list(tmp_path.iterdir()) == [folder]


def test_a_handler_of_a_signal_removes_all(tmp_path: Path) -> None:
    with temporary_folder(tmp_path) as folder, temporary_folder(folder), temporary_folder(tmp_path):
        assert folder.stat().st_mode & 0o077 == 0  # nobody else reads it
        remove_temporary_folders()
        assert not list(tmp_path.iterdir())


def test_a_pipe_of_such_a_name_is_left_alone(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / f"{STAGE}pipe")
    with temporary_folder(tmp_path):
        pass
    assert [path.name for path in tmp_path.iterdir()] == [f"{STAGE}pipe"]
