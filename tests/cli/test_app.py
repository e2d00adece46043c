"""The command line as a user meets it: files, exit codes, one message for each mistake."""

import errno
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from unittest import mock

import numpy as np
import polars as pl
import pytest
from tests.bad_inputs import BAD_OPTIONS, ODD_INPUTS, SHOWN, BadInput, OddInput, without_rights
from tests.cli.command import Result, run

import throughtime as tt
from throughtime import __version__
from throughtime.cli.app import main
from throughtime.cli.interrupts import Interrupts

COMMAND = [sys.executable, "-m", "throughtime"]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Commands write to ``out`` below the working directory, set variables, and use the cache of the user."""
    monkeypatch.chdir(tmp_path)
    with mock.patch.dict(os.environ, JAX_ENABLE_COMPILATION_CACHE="false", XDG_CACHE_HOME=str(cache)):
        yield


def message_of(result: Result) -> str:
    """The one message of a command that failed."""
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    lines = result.stderr.splitlines()
    assert len(lines) == 1, lines
    assert lines[0].startswith("throughtime: ")
    return lines[0]


def two_series(path: Path, *, steps: int = 40) -> Path:
    """A wave with a trend, and the same backwards."""
    t = np.arange(steps)
    wave = 20 + 5 * np.sin(t * 2 * np.pi / 4) + 0.1 * t
    days = [str(day) for day in np.datetime64("2021-01-01") + t]
    pl.DataFrame({"unique_id": ["up"] * steps + ["down"] * steps, "ds": days * 2, "y": [*wave, *wave[::-1]]}).write_csv(
        path
    )
    return path


def forecast_bad_file(case: BadInput, folder: Path, *more: str) -> Result:
    """Run a forecast of a bad file; whatever is wrong with it, nothing is written."""
    case.write(folder / case.file)
    folder.chmod(0o777)  # the unprivileged user must be able to write the output
    options = [part for name, value in case.options.items() for part in (f"--{name}", value)]
    with without_rights() if case.unprivileged else nullcontext():
        result = run("forecast", case.file, "--horizon", "3", *options, *more)
    assert not [file for file in folder.rglob("*") if file.name in ("forecasts.csv", "report.html", "model")]
    return result


@pytest.mark.parametrize("case", SHOWN, ids=lambda case: case.name)
def test_a_bad_file_is_one_message(case: BadInput, tmp_path: Path) -> None:
    message = message_of(forecast_bad_file(case, tmp_path))
    for part in (case.file, case.found, None if case.line is None else f"line {case.line}", case.column):
        assert part is None or str(part) in message


@pytest.mark.parametrize("case", SHOWN, ids=lambda case: case.name)
def test_a_bad_file_is_json_with_the_fields_of_its_error(case: BadInput, tmp_path: Path) -> None:
    result = forecast_bad_file(case, tmp_path, "--json")
    assert result.exit_code == 2
    answer = json.loads(result.stdout)
    assert case.fields().items() <= answer.items()
    assert result.stderr == f"throughtime: {answer['error']}\n"


@pytest.mark.parametrize("case", ODD_INPUTS, ids=lambda case: case.name)
def test_odd_file(case: OddInput, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(case.content)
    result = run("forecast", "a.csv", "--horizon", "3")
    assert result.exit_code == 0, result.output
    for word in case.words:
        assert word in result.stdout
    assert len(pl.read_csv("out/forecast/forecasts.csv")) == 3


@pytest.mark.parametrize(("arguments", "words"), BAD_OPTIONS, ids=lambda value: " ".join(value))
def test_bad_option(arguments: list[str], words: tuple[str, ...], tmp_path: Path) -> None:
    file = two_series(tmp_path / "two.csv")
    message = message_of(run("forecast", str(file), *arguments, "--quiet"))
    for word in words:
        assert word in message
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["two.csv"]


def test_output_that_is_a_file(tmp_path: Path) -> None:
    file = two_series(tmp_path / "two.csv")
    (tmp_path / "taken").write_text("mine")
    assert "is a file" in message_of(run("forecast", str(file), "--horizon", "3", "--out", "taken"))
    assert (tmp_path / "taken").read_text() == "mine"


def test_names_are_printed_as_they_are(tmp_path: Path) -> None:
    assert "cell '[/x]'" in message_of(run("demo", "--cell", "[/x]", "--quiet"))
    result = run("demo", "--steps", "1", "--no-pictures", "--out", "[bold]:cat:")
    assert result.exit_code == 0
    assert "[bold]:cat:" in result.stdout


def test_dates_beyond_the_calendar(tmp_path: Path) -> None:
    (tmp_path / "far.csv").write_text("ds,y\n" + "".join(f"{year}-01-01,{year % 7}\n" for year in range(9940, 9999)))
    assert "9999-12-31" in message_of(run("forecast", "far.csv", "--horizon", "5", "--quiet"))


def test_a_backtest_takes_as_many_windows_as_there_are(tmp_path: Path) -> None:
    """One value, a gap of four years, then a year: two windows more would leave nothing to learn from."""
    rows = ["2000-01-01,1", *(f"2004-{month:02d}-01,{month}" for month in range(1, 13))]
    (tmp_path / "late.csv").write_text("ds,y\n" + "\n".join(rows) + "\n")
    result = run("forecast", "late.csv", "--horizon", "6", "--preset", "fast", "--steps", "5", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["backtest_windows"] == 1


def test_usage_errors_are_no_tracebacks() -> None:
    for arguments in (["forecast"], ["forecast", "a.csv"], ["nothing"], ["demo", "--steps", "many"]):
        result = run(*arguments)
        assert result.exit_code == 2
        assert "Traceback" not in result.output


def test_version() -> None:
    assert run("--version").stdout.strip() == f"throughtime {__version__}"


def test_forecast(tmp_path: Path) -> None:
    file = two_series(tmp_path / "two.csv")
    options = [
        "--horizon",
        "4",
        "--season",
        "4",
        "--preset",
        "fast",
        "--steps",
        "20",
        "--level",
        "50",
        "--level",
        "95",
        "--json",
    ]
    result = run("forecast", str(file), *options)
    assert result.exit_code == 0, result.output
    summary = json.loads(result.stdout)
    assert summary["series"] == 2
    assert summary["frequency"] == "daily"
    assert summary["mase"] > 0
    assert f"{summary['mase']:.3f}" in summary["verdict"]
    table = pl.read_csv("out/forecast/forecasts.csv", try_parse_dates=True)
    bounds = ["throughtime-lo-50", "throughtime-hi-50", "throughtime-lo-95", "throughtime-hi-95"]
    assert table.columns == ["unique_id", "ds", "throughtime", *bounds]
    assert table["ds"].to_list()[:4] == [
        np.datetime64("2021-02-10").astype(object) + np.timedelta64(k, "D").astype(object) for k in range(4)
    ]
    ordered = table.select(
        "throughtime-lo-95", "throughtime-lo-50", "throughtime", "throughtime-hi-50", "throughtime-hi-95"
    )
    assert (np.diff(ordered.to_numpy(), axis=1) >= 0).all()
    page = Path("out/forecast/report.html").read_text()
    assert page.index(summary["verdict"][:20]) < page.index('id="chart"')
    assert sorted(path.name for path in Path("out/forecast").iterdir()) == ["forecasts.csv", "model", "report.html"]


def test_demo_as_json() -> None:
    first, second = (run("demo", "--steps", "200", "--no-pictures", "--json", "--out", name) for name in "ab")
    metrics = json.loads(first.stdout)
    assert [step for step, _ in metrics["mse"]] == [0, 100, 200]
    assert {"steps", "mse", "test_mse", "seed", "train_seconds", "us_per_step"} <= metrics.keys()
    again = json.loads(second.stdout)
    assert (metrics["mse"], metrics["test_mse"]) == (again["mse"], again["test_mse"])
    assert sorted(path.name for path in Path("a").iterdir()) == ["metrics.json", "model"]


def test_demo_prints_a_line_each_hundred_steps_unless_quiet() -> None:
    lines = [line for line in run("demo", "--steps", "200", "--no-pictures").stdout.splitlines() if "MSE 0." in line]
    assert [line.split()[1] for line in lines] == ["0", "100", "200"]
    assert run("demo", "--steps", "100", "--no-pictures", "--quiet").output == ""


def test_interrupted_demo_keeps_its_checkpoint_and_resumes(tmp_path: Path) -> None:
    command = [*COMMAND, "demo", "--no-pictures", "--out", str(tmp_path / "demo"), "--steps"]
    with subprocess.Popen([*command, "10000000"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        while not process.stdout.readline().startswith("step    300"):
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors.count("\n") == 1
    assert "--resume" in errors
    reached = json.loads((tmp_path / "demo/model/checkpoint.json").read_text())["config"]["mse"][-1][0]
    assert reached >= 300
    result = run(
        "demo", "--no-pictures", "--resume", "--out", str(tmp_path / "demo"), "--steps", str(reached + 100), "--json"
    )
    assert [step for step, _ in json.loads(result.stdout)["mse"]] == list(range(0, reached + 101, 100))


@pytest.mark.parametrize(
    "arguments", [["demo", "--steps", "1", "--no-pictures"], ["forecast", "a.csv", "--horizon", "3"]]
)
def test_full_disk(arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system says so when what was written must reach the disk."""

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("os.fsync", full)
    (tmp_path / "a.csv").write_text("ds,y\n1,5\n2,7\n3,6\n")
    assert "No space left on device" in message_of(run(*arguments, "--quiet"))
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


def test_a_file_that_may_not_grow(tmp_path: Path) -> None:
    """As the system stops it, in a process of its own."""
    limited = ["bash", "-c", 'ulimit -f 8; exec "$@"', "bash", *COMMAND, "demo", "--steps", "100", "--no-pictures"]
    done = subprocess.run(limited, capture_output=True, text=True, cwd=tmp_path, env=os.environ | {"COLUMNS": "200"})
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "File too large" in done.stderr
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.parametrize("options", [["--json"], []])
def test_an_output_that_is_full(options: list[str], tmp_path: Path) -> None:
    """The result is printed at the very end, a line of what was found at the beginning."""
    (tmp_path / "short.csv").write_text("ds,y\n2024-01-01,5\n2024-01-02,7\n2024-01-03,6\n")
    with open("/dev/full", "w") as full:
        command = [*COMMAND, "forecast", "short.csv", "--horizon", "3", *options]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 2
    last = done.stderr.splitlines()[-1]
    assert last.startswith("throughtime: ")
    assert last.endswith(": No space left on device")
    assert "Exception" not in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("options", "code"), [(["--json"], 1), ([], 0)])
def test_a_reader_who_has_had_enough(options: list[str], code: int, tmp_path: Path) -> None:
    """The results are written nevertheless."""
    (tmp_path / "short.csv").write_text("ds,y\n2024-01-01,5\n2024-01-02,7\n2024-01-03,6\n")
    command = [*COMMAND, "forecast", "short.csv", "--horizon", "3", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        errors = process.stderr.read()
    assert process.returncode == code
    assert {file.name for file in (tmp_path / "out/forecast").iterdir()} == {"forecasts.csv", "report.html", "model"}
    assert "throughtime: " not in errors
    assert "Exception" not in errors


def test_a_failed_command_leaves_no_empty_folder(tmp_path: Path) -> None:
    message_of(run("forecast", "nowhere.csv", "--horizon", "3", "--out", "a/b"))
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "mine").mkdir()
    message_of(run("forecast", "nowhere.csv", "--horizon", "3", "--out", "mine/c"))
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_demo_takes_away_its_own_pictures_alone(tmp_path: Path) -> None:
    """Those of an earlier run contradict the new metrics; what the user keeps beside them is the user's."""
    ours = ["series.png", "gallery.png", "gallery/step_0900.png", "gallery/step_10000.png"]
    users = ["mine.png", "gallery/mine.png", "gallery/step_1.png", "gallery/step_0100.png.bak", "my_gallery/a.txt"]
    users += ["model/arrays-mine.safetensors", "model/checkpoint.json.old.tmp"]
    for name in [*ours, *users]:
        file = tmp_path / "out/demo" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)
    assert run("demo", "--steps", "1", "--no-pictures", "--quiet").exit_code == 0
    left = {str(file.relative_to("out/demo")) for file in Path("out/demo").rglob("*") if file.is_file()}
    arrays = {name for name in left if name.startswith("model/arrays-")} - set(users)
    assert left - arrays == {*users, "metrics.json", "model/checkpoint.json"}
    assert len(arrays) == 1


def usage_error(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["throughtime", *arguments])
    with pytest.raises(SystemExit) as left:
        main(Interrupts())
    assert isinstance(left.value.code, int)
    return left.value.code


@pytest.mark.parametrize("arguments", [["forecast", "a.csv", "--horizon", "x"], ["forecast"], ["demo", "--stps", "3"]])
def test_a_usage_error_is_one_message(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert usage_error(monkeypatch, *arguments) == 2
    plain = capsys.readouterr()
    assert plain.out == ""
    assert plain.err.count("\n") == 1
    assert plain.err.endswith(f": see throughtime {arguments[0]} --help\n")
    assert usage_error(monkeypatch, *arguments, "--json") == 2
    told = capsys.readouterr()
    assert told.err == plain.err
    assert f"throughtime: {json.loads(told.out)['error']}\n" == plain.err


def test_without_a_command_there_is_help(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert usage_error(monkeypatch) == 2
    told = capsys.readouterr()
    assert "forecast" in told.out
    assert told.err == "throughtime: expected a command: see throughtime --help\n"


def test_backtest(tmp_path: Path) -> None:
    file = two_series(tmp_path / "two.csv")
    protocol = ["--windows", "2", "--step", "3", "--train-size", "20", "--baselines", "drift, naive2", "--level", "50"]
    options = ["--horizon", "4", "--season", "4", "--steps", "5", "--json"]
    result = run("backtest", str(file), *protocol, *options)
    assert result.exit_code == 0, result.output
    summary = json.loads(result.stdout)
    assert (summary["step"], summary["train_size"], summary["windows"]) == (3, 20, 2)
    assert sorted(path.name for path in Path("out/backtest").iterdir()) == ["cv.csv", "report.html", "scores.csv"]
    rows = pl.read_csv("out/backtest/cv.csv")
    columns = ["unique_id", "ds", "cutoff", "y"]
    for name in ("throughtime", "seasonal_naive", "drift", "naive2"):
        columns += [name, f"{name}-lo-50", f"{name}-hi-50"]
    assert rows.columns == columns
    assert rows["cutoff"].unique().sort().to_list() == ["2021-02-02", "2021-02-05"]
    assert pl.read_csv("out/backtest/scores.csv").columns == ["unique_id", "metric", *columns[4::3]]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--windows", "0"], "at least 1 backtest window"),
        (["--windows", "30"], "the series are too short for a backtest of 30 windows of 4 steps"),
        (["--baselines", "drift,prophet"], "unknown baseline 'prophet'"),
        (["--train-size", "3"], "the training size is 3 steps"),
        (["--level", "100"], "level 100"),
    ],
)
def test_a_backtest_that_cannot_be(arguments: list[str], words: str, tmp_path: Path) -> None:
    file = two_series(tmp_path / "two.csv")
    assert words in message_of(run("backtest", str(file), "--horizon", "4", *arguments, "--quiet"))
    assert [path.name for path in tmp_path.iterdir()] == ["two.csv"]


@pytest.mark.parametrize("command", ["forecast", "backtest"])
def test_settings_of_a_file(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is typed comes before the file, the file before the defaults."""
    models = []

    class Nothing:
        interrupted = False

        def summary(self) -> dict:
            return {}

    def noted(*arguments: object) -> Nothing:
        models.extend(argument for argument in arguments if isinstance(argument, tt.Forecaster))
        return Nothing()

    monkeypatch.setattr(f"throughtime.cli.workflows.{command}_file", noted)
    two_series(tmp_path / "a.csv")
    (tmp_path / "best.json").write_text('{"horizon": 3, "cell": "lstm", "hidden": 16, "head": "normal", "steps": 9}')
    result = run(command, "a.csv", "--horizon", "3", "--settings", "best.json", "--cell", "gru", "--seed", "5")
    assert result.exit_code == 0, result.output
    (model,) = models
    chosen = (model.cell, model.hidden, model.head, model.steps, model.seed, model.preset)
    assert chosen == ("gru", 16, "normal", 9, 5, "balanced")
    words = message_of(run(command, "a.csv", "--horizon", "4", "--settings", "best.json"))
    assert "best.json was tuned for a horizon of 3 steps, not of 4" in words


def test_tune(tmp_path: Path) -> None:
    pytest.importorskip("optuna")
    file = two_series(tmp_path / "two.csv")
    options = ["--horizon", "4", "--season", "4", "--steps", "5", "--trials", "1", "--windows", "1", "--no-calendar"]
    result = run("tune", str(file), *options, "--json")
    assert result.exit_code == 0, result.output
    answer = json.loads(result.stdout)
    assert (answer["trials"], answer["states"], answer["horizon"]) == (1, {"complete": 1}, 4)
    assert answer["loss"] == answer["default_loss"] > 0
    assert json.loads(Path("out/tune/best.json").read_text()) == answer["arguments"]
    assert {"study.db", "trials.csv", "best.json"} <= {path.name for path in Path("out/tune").iterdir()}
    again = run("tune", str(file), *options, "--quiet")
    assert (again.exit_code, again.stdout, again.stderr) == (0, "", "")
