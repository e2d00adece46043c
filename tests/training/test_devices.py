"""Training on several devices gives the numbers of one: of one process, and of two that meet.

Varied: minibatches, chunks, iterators, drawn windows; means with a mask, which differs from device to device; a batch
as a whole and sequence by sequence; noise; records of a watch; the forecaster with two members.
"""

import json
import socket
import subprocess
import sys
from pathlib import Path

import jax
import numpy as np
import pytest

import throughtime as tt
from throughtime.training import checkpoint, first_devices

HERE = Path(__file__).parent
CLOSE = 1e-5
TIMEOUT = 300  # seconds


def two_devices(*names: str) -> dict:
    command = [sys.executable, str(HERE / "two_devices.py"), *names]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, check=False)
    assert ran.returncode == 0, ran.stderr[-3000:]
    report: dict = json.loads(ran.stdout.splitlines()[-1])
    assert sorted(report["differences"]) == sorted(names)
    return report


def test_two_devices_give_the_numbers_of_one_and_share_the_work():
    report = two_devices("masked", "forecaster")
    assert max(report["differences"].values()) < CLOSE
    assert report["rows"] == [3, 32]  # of 6 and 64 sequences in each native call
    assert report["refused"] == [["uneven-batch", 5], ["uneven-batch", 5]]
    assert set(report["devices"]) == {1}  # that hold the trained weights


@pytest.mark.slow
def test_two_devices_give_the_numbers_of_one_for_all_batches():
    report = two_devices("watched", "mapped", "carried")
    assert max(report["differences"].values()) < CLOSE


def test_more_devices_than_there_are():
    with pytest.raises(tt.InputError) as caught:
        first_devices(jax.device_count() + 1)
    assert (caught.value.code, caught.value.found) == ("too-many-devices", jax.device_count() + 1)


def run_processes(folder: Path, *arguments: str, count: int = 2) -> list[tuple[int, str]]:
    """Run the program in so many processes, and return their exit codes and messages."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = str(free.getsockname()[1])
    commands = [
        [sys.executable, str(HERE / "two_processes.py"), str(process), str(count), port, str(folder), *arguments]
        for process in range(count)
    ]
    running = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for command in commands]
    try:
        messages = [process.communicate(timeout=TIMEOUT)[1] for process in running]
        return [(process.returncode, message) for process, message in zip(running, messages, strict=True)]
    finally:
        for process in running:
            process.kill()


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> dict[str, np.ndarray]:
    """The numbers of one process."""
    folder = tmp_path_factory.mktemp("alone")
    ((code, message),) = run_processes(folder, count=1)
    assert code == 0, message[-3000:]
    return dict(np.load(folder / "1-0.npz"))


@pytest.mark.slow
def test_two_processes_give_the_numbers_of_one(tmp_path: Path, alone: dict[str, np.ndarray]):
    for code, message in run_processes(tmp_path):
        assert code == 0, message[-3000:]
        assert "data-not-finite 1" in message  # in both processes, though one alone has such rows
    first, second = (dict(np.load(tmp_path / f"2-{process}.npz")) for process in range(2))
    for name in first:
        np.testing.assert_array_equal(first[name], second[name])
    for name in ("drawn", "weights"):
        np.testing.assert_allclose(first[name], alone[name], rtol=CLOSE)
    np.testing.assert_allclose(first["rows"], alone["rows"][:41], rtol=CLOSE)
    assert len(first["rows"]) == 41  # as many as the process that has fewer
    assert len(first["stopped"]) == 200  # where the other process wished to end


@pytest.mark.slow
def test_a_killed_process_ends_the_other_and_both_go_on_later(tmp_path: Path, alone: dict[str, np.ndarray]):
    (first, message), (second, _) = run_processes(tmp_path, "200")
    assert second == -9
    assert first != 0
    assert "ConnectionError: another process" in message
    kept = checkpoint.load(tmp_path / "run").arrays["run.losses"]
    np.testing.assert_allclose(kept, alone["drawn"][:100], rtol=CLOSE)
    assert [code for code, _ in run_processes(tmp_path)] == [0, 0]
    np.testing.assert_allclose(np.load(tmp_path / "2-1.npz")["drawn"], alone["drawn"], rtol=CLOSE)
