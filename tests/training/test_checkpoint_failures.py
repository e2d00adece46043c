"""No kill and no failing disk leaves half a checkpoint."""

import errno
import os
import subprocess
import sys
import time
from contextlib import suppress

import numpy as np
import pytest
from tests.training.small_checkpoint import assert_holds, listing, save

from throughtime import _folder
from throughtime.training import checkpoint


class TestKilled:
    """SIGKILL at random moments of a process that does nothing but save."""

    # One process has the imports done; each saver is its fork, so that a kill costs milliseconds.
    SCRIPT = """
import itertools, os, random, signal, sys, time
import numpy as np
from throughtime.training import checkpoint

folder, moments = sys.argv[1], random.Random(int(sys.argv[2]))
trees = [{"w": np.full(size, value, np.float32)} for value, size in ((1, 300_000), (2, 200_000))]

def save_for_ever():
    for turn in itertools.count():
        value = 1 + turn % 2
        checkpoint.save(folder, "test", {"value": value, "turn": turn}, {"tree": trees[value - 1]})

checkpoint.save(folder, "test", {"value": 2, "turn": -1}, {"tree": trees[1]})
for go in sys.stdin:
    saver = os.fork()
    if saver == 0:
        save_for_ever()
    print("saving", flush=True)
    if go == "wait\\n":
        sys.stdin.readline()
    time.sleep(moments.uniform(0, 0.03))
    os.kill(saver, signal.SIGKILL)
    os.waitpid(saver, 0)
    print("killed", flush=True)
"""

    @pytest.fixture
    def saver(self, tmp_path):
        with subprocess.Popen(
            [sys.executable, "-c", self.SCRIPT, str(tmp_path / "model"), "11"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as process:
            yield process
            process.stdin.close()

    @staticmethod
    def tell(process, word):
        process.stdin.write(f"{word}\n")
        process.stdin.flush()

    @staticmethod
    def assert_whole(folder):
        saved = checkpoint.load(folder)
        value = saved.config["value"]
        np.testing.assert_array_equal(saved.arrays["tree.w"], np.full({1: 300_000, 2: 200_000}[value], value, "f4"))
        return saved.config["turn"]

    def test_a_kill_leaves_the_old_or_the_new_one(self, saver, tmp_path):
        folder, left_over = tmp_path / "model", 0
        for _ in range(25):
            self.tell(saver, "go")
            assert saver.stdout.readline() == "saving\n"
            assert saver.stdout.readline() == "killed\n"
            self.assert_whole(folder)
            left_over += len(listing(folder)) > 2
        assert left_over > 0, "no kill fell into a save"
        save(folder, 5.0)
        assert_holds(folder, 5.0)
        assert len(listing(folder)) == 2  # what the kills left is gone

    def test_a_reader_beside_a_saver_finds_a_whole_one(self, saver, tmp_path):
        self.tell(saver, "wait")
        assert saver.stdout.readline() == "saving\n"
        turns, deadline = set(), time.monotonic() + 60  # seconds: a slow disk takes many reads to one save
        while len(turns) < 10 and time.monotonic() < deadline:
            turns.add(self.assert_whole(tmp_path / "model"))
        assert len(turns) == 10
        self.tell(saver, "stop")
        assert saver.stdout.readline() == "killed\n"

    def test_a_save_between_header_and_arrays_is_read_instead(self, tmp_path, monkeypatch):
        save(tmp_path, 1.0)
        read = _folder._read_arrays

        def read_late(folder, expected):
            monkeypatch.undo()
            save(folder, 2.0)
            return read(folder, expected)

        monkeypatch.setattr(_folder, "_read_arrays", read_late)
        assert_holds(tmp_path, 2.0)


class TestFailingDisk:
    """Each call to the system fails once, at each place; 28 is a full disk."""

    CALLS = ("open", "fsync", "replace", "write")

    @pytest.mark.parametrize("call", CALLS)
    def test_the_old_one_stays_and_nothing_else(self, tmp_path, monkeypatch, call):
        folder = tmp_path / "model"
        failures = 0
        for place in range(10):
            save(folder, 1.0)
            before = listing(folder)
            with monkeypatch.context() as patch:
                failing = self.fail_at(patch, call, place)
                with suppress(OSError):
                    save(folder, 2.0)
                if not failing["failed"]:
                    break
                failures += 1
            assert len(listing(folder)) == 2
            if listing(folder) != before:
                assert_holds(folder, 2.0)  # it failed after the new one was in its place
                assert (call, place) in {("fsync", 3), ("open", 3)}
            else:
                assert_holds(folder, 1.0)
        assert failures == {"open": 4, "fsync": 4, "replace": 2, "write": 2}[call]
        assert_holds(folder, 2.0)

    @pytest.mark.parametrize("call", CALLS)
    def test_a_first_save_that_fails_leaves_no_checkpoint(self, tmp_path, monkeypatch, call):
        self.fail_at(monkeypatch, call, 0)
        with pytest.raises(OSError, match="No space"):
            save(tmp_path, 1.0)
        assert listing(tmp_path) == {}

    @staticmethod
    def fail_at(patch, call, place):
        """The call number ``place`` to the system's ``call``, made by the checkpoint, fails."""
        state = {"calls": 0, "failed": False}

        def failing(function):
            def wrapped(*args, **options):
                state["calls"] += 1
                if state["calls"] == place + 1:
                    state["failed"] = True
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                return function(*args, **options)

            return wrapped

        class FullFile:
            def __init__(self, *args):
                self.file = open(*args)  # noqa: SIM115

            def __enter__(self):
                return self

            def __exit__(self, *_error):
                self.file.close()

            def __getattr__(self, name):
                return getattr(self.file, name)

            def write(self, content):
                self.file.write(content[: len(content) // 2])
                failing(lambda: self.file.write(content[len(content) // 2 :]))()

        if call == "write":
            patch.setattr(_folder, "open", FullFile, raising=False)
        elif call == "open":
            opens = failing(open)
            patch.setattr(_folder, "open", opens, raising=False)
            patch.setattr(_folder.os, "open", failing(os.open))
        else:
            patch.setattr(_folder.os, call, failing(getattr(os, call)))
        return state
