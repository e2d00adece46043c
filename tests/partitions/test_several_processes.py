"""Fits on a folder by several processes, each with its own partitions, and on several devices."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.partitions.test_fit_folder import promoted  # noqa: F401

pytestmark = pytest.mark.slow  # each process loads JAX and compiles
PROGRAM = Path(__file__).with_name("several_processes.py")
TWO_DEVICES = "--xla_force_host_platform_device_count=2"
TIMEOUT = 500  # seconds


def fits(processes: int, folder: Path, out: Path, kind: str, flags: str = "") -> list[dict]:
    """Return what each process found, after they all have ended well."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = str(free.getsockname()[1])
    out.mkdir()
    environment = os.environ | {"XLA_FLAGS": f"{os.environ.get('XLA_FLAGS', '')} {flags}".strip()}
    running = [
        subprocess.Popen(
            [sys.executable, str(PROGRAM), str(process), str(processes), port, str(folder), str(out), kind],
            env=environment, stderr=subprocess.PIPE, text=True,
        )
        for process in range(processes)
    ]  # fmt: skip
    try:
        errors = [process.communicate(timeout=TIMEOUT)[1] for process in running]
    finally:
        for process in running:
            process.kill()
    assert [process.returncode for process in running] == [0] * processes, errors
    return [json.loads(file.read_text()) for file in sorted(out.iterdir())]


def test_what_fits_in_memory_is_fitted_as_by_one_process(promoted: Path, tmp_path: Path) -> None:  # noqa: F811
    (one,) = fits(1, promoted, tmp_path / "one", "whole")
    first, second = fits(2, promoted, tmp_path / "two", "whole")
    assert (first["read"], second["read"]) == (["1", "1"], ["2", "3"])  # the first partition decides before all
    for found in (first, second):
        assert [found[name] for name in ("encodings", "ids")] == [one[name] for name in ("encodings", "ids")]
        np.testing.assert_allclose(found["losses"], one["losses"], rtol=1e-4)
    assert first["weights"] == second["weights"]


def test_each_process_learns_from_its_own_series(promoted: Path, tmp_path: Path) -> None:  # noqa: F811
    first, second = fits(2, promoted, tmp_path / "out", "turns")
    assert (first["read"], second["read"]) == (["1", "1"], ["2", "3"])
    for name in ("losses", "encodings", "ids", "weights"):
        assert first[name] == second[name]
    assert [found["windows"] for found in (first, second)] == [[[1.0], [4]], [[2.0], [4]]]


def test_a_process_without_a_partition_takes_part(promoted: Path, tmp_path: Path) -> None:  # noqa: F811
    whole = pl.read_parquet(promoted / "*.parquet", hive_partitioning=False)
    (tmp_path / "single").mkdir()
    whole.write_parquet(tmp_path / "single" / "all.parquet")
    (one,) = fits(1, tmp_path / "single", tmp_path / "one", "whole")
    first, second = fits(2, tmp_path / "single", tmp_path / "two", "whole")
    assert (first["read"], second["read"]) == (["all"], ["all"])  # the first process, to decide; the second, its own
    for found in (first, second):
        assert [found[name] for name in ("encodings", "ids")] == [one[name] for name in ("encodings", "ids")]
        np.testing.assert_allclose(found["losses"], one["losses"], rtol=1e-4)


def test_a_process_without_series_takes_part(promoted: Path, tmp_path: Path) -> None:  # noqa: F811
    """It draws its rows from the sample that all share."""
    empty = pl.read_parquet(promoted / "3.parquet").with_columns(y=pl.lit(None, pl.Float64))
    for file in "45":
        empty.with_columns(unique_id=pl.lit(file)).write_parquet(promoted / f"{file}.parquet")
    (promoted / "6.parquet").write_bytes(b"PAR1")
    first, second = fits(2, promoted, tmp_path / "out", "turns")
    assert (first["read"], second["read"]) == (["1", "1", "2", "3"], ["4", "5", "6"])
    for name in ("losses", "encodings", "ids", "weights"):
        assert first[name] == second[name]
    assert np.min(first["losses"]) > 0


@pytest.mark.parametrize(("kind", "code"), [("whole", "damaged-parquet"), ("large", "large-partition")])
def test_an_error_is_that_of_all_processes(promoted: Path, tmp_path: Path, kind: str, code: str) -> None:  # noqa: F811
    """Of the first process, which finds nothing to read, and of the second one."""
    if kind == "whole":
        for file in promoted.iterdir():
            file.write_bytes(b"PAR1")
    assert fits(2, promoted, tmp_path / "out", kind) == [{"error": code}] * 2


def test_two_devices_learn_from_a_folder_as_one(promoted: Path, tmp_path: Path) -> None:  # noqa: F811
    (one,), (two,) = (fits(1, promoted, tmp_path / (flags or "one"), "turns", flags) for flags in ("", TWO_DEVICES))
    assert one["notes"][-1] == two["notes"][-1]
    (few, many), (few_of_one, many_of_one) = (np.split(np.array(found["losses"]), [10], axis=1) for found in (two, one))
    np.testing.assert_allclose(few, few_of_one, rtol=1e-4)
    np.testing.assert_allclose(many, many_of_one, rtol=0.05)  # rounding grows


def test_a_command_in_each_process(promoted: Path, tmp_path: Path) -> None:  # noqa: F811
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    options = ["--horizon", "3", "--steps", "12", "--static", "color", "--future", "promotion", "--past", "visits"]
    command = [sys.executable, "-m", "throughtime", "forecast", str(promoted), *options]
    command += ["--coordinator", f"localhost:{port}", "--processes", "2"]
    running = [
        subprocess.Popen(
            [*command, "--process", str(number), "--out", str(tmp_path / str(number))],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for number in range(2)
    ]  # fmt: skip
    try:
        answers = [process.communicate(timeout=TIMEOUT) for process in running]
    finally:
        for process in running:
            process.kill()
    assert [process.returncode for process in running] == [0, 0], answers
    assert not (tmp_path / "1").exists()
    assert pl.read_parquet(tmp_path / "0" / "forecasts" / "*.parquet").height == 4 * 3
