"""``throughtime stream``: killed at any moment, it goes on, and nothing is lost or answered twice."""

import fcntl
import io
import json
import os
import random
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path

import polars as pl
import pytest
from tests.cli.command import Result, run
from tests.service.conftest import daily, instant  # noqa: F401 - a fixture
from tests.service.test_covariates import later, with_covariates  # noqa: F401 - a fixture

from throughtime.cli.streams import KeptProgress
from throughtime.data import ColumnNames
from throughtime.service import load_model

OPTIONS = ["--every", "4", "--flag", "0.9", "--quiet", "--out"]
COMMAND = [sys.executable, "-m", "throughtime", "stream"]
BAD = {4: "north,yesterday,1", 6: "north,2024-01-01,1", 9: "north;1"}


def rows(count: int = 9) -> list[str]:
    """The names of columns, and rows of north with some bad ones among them."""
    lines = daily("north", range(40, 40 + count)).write_csv().splitlines()
    for place, line in BAD.items():
        lines.insert(place, line)
    return lines


def stream(monkeypatch: pytest.MonkeyPatch, lines: list[str], *arguments: str) -> Result:
    content = io.BytesIO("\n".join(lines).encode())
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(content))
    return run("stream", *arguments)


def answers(text: str) -> list[dict]:
    return [json.loads(line) for line in text.splitlines()]


def test_rows_in_forecasts_out(instant, tmp_path, monkeypatch):  # noqa: F811
    monkeypatch.chdir(tmp_path)
    arguments = [str(instant), "--horizon", "2", "--level", "80", "--flag", "0.9"]
    before = {path: path.read_bytes() for path in instant.iterdir()}
    result = stream(monkeypatch, rows(), *arguments, "--every", "7", "--json")
    assert result.exit_code == 0, result.stderr
    *found, summary = answers(result.stdout)
    assert [answer["row"] for answer in found] == [number for number in range(1, 13) if number not in BAD]
    for answer in found:
        assert list(answer) == ["row", "unique_id", "ds", "y", "quantile", "flag", "forecast"]
        assert list(answer["forecast"]) == ["ds", "throughtime", "throughtime-lo-80", "throughtime-hi-80"]
        assert len(answer["forecast"]["ds"]) == 2
    counts = {"rows": 12, "skipped": 3, "resumed": None, "series": 2, "out": "out/stream", "model": str(instant)}
    assert summary == counts
    reported = [json.loads(line) for line in result.stderr.splitlines()]
    assert [(report["row"], report["code"], report["line"]) for report in reported] == [
        (4, "not-a-time", 4),
        (6, "row-before-end", 6),
        (9, "field-count", 9),
    ]
    again = stream(monkeypatch, rows(11), *arguments, "--id", "shop", "--time", "day", "--target", "sold")
    assert [answer["row"] for answer in answers(again.stdout)] == [13, 14]
    assert "after row 12" in again.stderr
    assert {path: path.read_bytes() for path in instant.iterdir()} == before


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--flag", "99.9"], "impossible-share"),
        (["--horizon", "4"], "long-horizon"),
        (["--level", "0.8"], "impossible-level"),
        (["--id", "price"], "no-such-column"),
        (["--first-row", "35"], "missing-rows"),
        (["--after", "8"], "answers-missing"),
        (["--time", "when"], "other-columns"),
    ],
)
def test_what_cannot_be_used_changes_nothing(instant, tmp_path, monkeypatch, arguments, code):  # noqa: F811
    monkeypatch.chdir(tmp_path)
    stated = code in ("missing-rows", "answers-missing", "other-columns")
    if stated:
        assert stream(monkeypatch, rows(), str(instant), "--quiet").stderr.count("skipped") == 3
    kept = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    result = stream(monkeypatch, rows(), str(instant), *arguments, "--json", "--quiet")
    assert (result.exit_code, answers(result.stdout)[-1]["code"]) == (2, code)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == kept


def test_each_skipped_row_is_told_with_its_number(instant, tmp_path, monkeypatch):  # noqa: F811
    monkeypatch.chdir(tmp_path)
    lines = ['{"shop": "north"}', '{"shop": "north", "day": "2024-01-01", "sold": 1}']
    told = stream(monkeypatch, lines, str(instant), "--quiet").stderr.splitlines()
    assert [line.count(f"row {number}") for number, line in enumerate(told, 1)] == [1, 1]


def answers_when_killed(model: Path, lines: list[str], folder: Path) -> str:
    """All answers of a stream that SIGKILL ends: the reader says what it has, and the whole input comes again."""
    draw, source = random.Random(5), folder / "rows.csv"
    source.write_text("\n".join(lines))

    def begin(after: int) -> subprocess.Popen:
        command = [*COMMAND, str(model), *OPTIONS, "killed", "--after", str(after)]
        with source.open("rb") as content:
            return subprocess.Popen(
                command, stdin=content, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=folder, text=True
            )

    found = ""
    for _ in range(2):
        process = begin(answers(found)[-1]["row"] if found else 0)
        assert process.stdout is not None
        for _ in range(draw.randrange(1, 6)):
            found += process.stdout.readline()
        process.kill()
        found += process.communicate()[0]
        assert process.returncode == -signal.SIGKILL
    assert len(answers(found)) < len(lines) - 1
    rest, _ = begin(answers(found)[-1]["row"]).communicate()
    return found + rest


def test_killed_at_random_nothing_is_lost_and_nothing_twice(instant, tmp_path, monkeypatch):  # noqa: F811
    expected = stream(monkeypatch, rows(24), str(instant), *OPTIONS, str(tmp_path / "undisturbed")).stdout
    assert answers_when_killed(instant, rows(24), tmp_path) == expected


@pytest.mark.slow
def test_killed_with_covariates(with_covariates, tmp_path, monkeypatch):  # noqa: F811
    """The state holds the future that rows without a value brought."""
    lines = pl.concat(later()).write_csv().splitlines()
    expected = stream(monkeypatch, lines, str(with_covariates), *OPTIONS, str(tmp_path / "undisturbed")).stdout
    assert '"code": "future-missing"' in expected
    assert answers_when_killed(with_covariates, lines, tmp_path) == expected


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stream_that_is_told_to_end_writes_a_checkpoint(instant, tmp_path, number):  # noqa: F811
    command = [*COMMAND, str(instant), "--out", "state"]
    lines = rows(5)
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, cwd=tmp_path, text=True, **pipes) as process:
        process.stdin.write("\n".join(lines[:4]) + "\n")
        process.stdin.flush()
        found = [json.loads(process.stdout.readline())["row"] for _ in range(3)]
        os.kill(process.pid, number)
        _, stderr = process.communicate()
    assert found == [1, 2, 3]
    assert process.returncode == 130
    assert "after row 3" in stderr
    assert json.loads((Path(tmp_path) / "state" / "checkpoint.json").read_text())["config"]["rows"] == 3


def test_a_reader_that_has_stalled_does_not_keep_a_stream_from_its_end(instant, tmp_path):  # noqa: F811
    """Its pipe is full, and takes no whole answer any more: the row is answered again, and nothing else."""
    levels = (word for level in range(50, 99) for word in ("--level", str(level)))  # long answers fill the pipe soon
    source, options = tmp_path / "rows.csv", [*COMMAND, str(instant), "--out", "state", "--quiet", *levels]
    source.write_text("\n".join(rows(40)))
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "env": os.environ | {"PYTHONUNBUFFERED": "1"}}
    with source.open("rb") as lines, subprocess.Popen(options, stdin=lines, cwd=tmp_path, **pipes) as process:
        assert process.stdout is not None
        waiting, before = b"", bytes(4)
        while waiting != before or not any(waiting):  # until no more comes
            before, waiting = waiting, fcntl.ioctl(process.stdout, termios.FIONREAD, bytes(4))
            time.sleep(0.3)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 130
        found = process.stdout.read().rpartition(b"\n")[0].decode()
    with source.open("rb") as lines:
        rest = subprocess.run(options, stdin=lines, capture_output=True, cwd=tmp_path, text=True).stdout
    numbers = [answer["row"] for answer in answers(found) + answers(rest)]
    assert numbers == [number for number in range(1, 44) if number not in BAD]
    assert answers(found)


def test_an_end_before_the_first_row_says_nothing_of_a_state(instant, tmp_path):  # noqa: F811
    kept = KeptProgress(tmp_path / "state", instant, load_model(instant), 1, ColumnNames())
    before = kept.words()
    kept.now = kept.now._replace(rows=2)
    kept.save()
    assert [str(tmp_path / "state") in words for words in (before, kept.words())] == [False, True]
