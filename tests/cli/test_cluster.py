"""Several processes that forecast together: options that do not fit, and the forecasts of one process."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import jax
import numpy as np
import polars as pl
import pytest

from throughtime import InputError
from throughtime.cli.cluster import ClusterOptions, leave_others
from throughtime.cli.options import ReportOptions

NILE = Path(__file__).parents[2] / "examples" / "nile.csv"
COMMAND = [sys.executable, "-m", "throughtime", "forecast", str(NILE), "--horizon", "4", "--steps", "30"]
Told = Callable[[int, int], tuple[list[str], dict[str, str]]]


@pytest.mark.parametrize(
    "options",
    [
        ClusterOptions(processes=2, process=0),
        ClusterOptions("localhost:9", processes=2),
        ClusterOptions("localhost:9", process=0),
        ClusterOptions("localhost", processes=2, process=0),
        ClusterOptions("auto", processes=2, process=0),
    ],
)
def test_options_that_do_not_fit(options: ClusterOptions) -> None:
    with pytest.raises(InputError) as caught:
        options.join()
    assert caught.value.code == "incomplete-cluster"


def test_a_process_that_is_alone_joins_nothing_and_prints() -> None:
    alone, shown = ClusterOptions(), ReportOptions(json=True)
    alone.join()
    assert alone.writes
    assert alone.own(shown) is shown
    assert alone.arguments() == {}


@pytest.mark.parametrize(("index", "events"), [(0, [1.0, "left with 2"]), (1, ["left with 2"])])
def test_the_first_process_leaves_last(index: int, events: list, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[object] = []
    monkeypatch.setattr(jax.distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(jax, "process_index", lambda: index)
    monkeypatch.setattr("throughtime.cli.cluster.time.sleep", seen.append)
    monkeypatch.setattr("throughtime.cli.cluster.os._exit", lambda code: seen.append(f"left with {code}"))
    leave_others(2)
    assert seen == events


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    """The forecasts of one process."""
    folder = tmp_path_factory.mktemp("alone")
    subprocess.run([*COMMAND, "--quiet", "--out", str(folder)], check=True, timeout=300)
    return pl.read_csv(folder / "forecasts.csv")


def typed(number: int, port: int) -> tuple[list[str], dict[str, str]]:
    """The options of a process."""
    return ["--coordinator", f"localhost:{port}", "--processes", "2", "--process", str(number)], {}


def within_slurm(number: int, port: int) -> tuple[list[str], dict[str, str]]:
    """What Slurm tells a task; JAX makes the port of the number of the job."""
    job = {"JOB_ID": str(port), "STEP_NODELIST": "localhost", "STEP_NUM_NODES": "1", "NTASKS": "2"}
    task = {"PROCID": str(number), "LOCALID": str(number)}
    return ["--coordinator", "auto"], {f"SLURM_{name}": value for name, value in (job | task).items()}


@pytest.mark.slow
@pytest.mark.parametrize("told", [typed, within_slurm])
def test_two_processes_write_the_forecasts_of_one(told: Told, tmp_path: Path, alone: pl.DataFrame) -> None:
    """The first writes, the second stays silent; the windows of each step are shared."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    running = []
    for number in range(2):
        options, variables = told(number, port)
        command = [*COMMAND, *options, "--out", str(tmp_path / f"of-{number}")]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        running.append(subprocess.Popen(command, env=os.environ | variables, **pipes))
    try:
        answers = [process.communicate(timeout=300) for process in running]
    finally:
        for process in running:
            process.kill()
    assert [process.returncode for process in running] == [0, 0], answers
    assert "Warning" not in answers[0][1]
    assert "forecasts.csv" in answers[0][0]
    assert "forecasts.csv" not in answers[1][0]
    assert not (tmp_path / "of-1").exists()
    together = pl.read_csv(tmp_path / "of-0" / "forecasts.csv")
    numbers = [name for name in alone.columns if name.startswith("throughtime")]
    np.testing.assert_allclose(together[numbers].to_numpy(), alone[numbers].to_numpy(), rtol=1e-4)
