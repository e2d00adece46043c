"""Ctrl-C at any moment: exit code 130, one message, nothing half-written. The moments are made, not waited for."""

import json
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from throughtime.cli.interrupts import INTERRUPTED, Interrupts, deferred

SHORT = "ds,y\n2024-01-01,5\n2024-01-02,7\n2024-01-03,6\n"  # too short for a network: nothing to compile

# A finder that imports nothing, but presses Ctrl-C when a module is looked for.
WHEN_IMPORTED = """
class Press:
    def find_spec(self, name, path=None, target=None):
        if name == {name!r}:
            signal.raise_signal(signal.SIGINT)

sys.meta_path.insert(0, Press())
"""
# What Python does with an exception here: it tells of it, and goes on.
IN_THE_GARBAGE_COLLECTOR = """
import gc
def press(phase, info):
    if "throughtime.cli.sine_wave" in sys.modules:
        gc.callbacks.remove(press)
        signal.raise_signal(signal.SIGINT)

gc.callbacks.append(press)
"""
WHILE_FILES_MOVE = """
import os
real = os.replace
def replace(source, place):
    real(source, place)
    if ".writing-" not in str(place):  # where a checkpoint is written with it
        signal.raise_signal(signal.SIGINT)

os.replace = replace
"""
WHILE_THE_TABLE_IS_WRITTEN = """
import polars
def write_csv(frame, file):
    file.write_text("half")
    signal.raise_signal(signal.SIGINT)

polars.DataFrame.write_csv = write_csv
"""


def command(tmp_path: Path, moment: str, *arguments: str) -> subprocess.CompletedProcess:
    """A command line in a process of its own, in which Ctrl-C is pressed at the given moment."""
    (tmp_path / "short.csv").write_text(SHORT)
    script = f"import signal, sys\nsys.argv = ['throughtime', *{arguments!r}]\n{moment}\n"
    script += "from throughtime.__main__ import main\nmain()\nsys.exit('it was not interrupted')"
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path)


def assert_interrupted(done: subprocess.CompletedProcess, words: str) -> None:
    assert done.returncode == INTERRUPTED, done.stderr
    assert done.stderr == f"throughtime: interrupted. {words}\n"


@pytest.mark.parametrize(
    "module", ["cyclopts", "rich.console", "numpy._core._multiarray_umath", "jaxlib._jax", "polars"]
)
def test_while_modules_are_imported(tmp_path: Path, module: str) -> None:
    """Also within an extension module, where an exception ends in a crash."""
    arguments = ("forecast", "long.csv", "--horizon", "3", "--preset", "best", "--quiet")
    (tmp_path / "long.csv").write_text("ds,y\n" + "".join(f"{step},{step % 7}\n" for step in range(40)))
    assert_interrupted(command(tmp_path, WHEN_IMPORTED.format(name=module), *arguments), "Nothing was written.")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["long.csv", "short.csv"]


def test_where_python_throws_exceptions_away(tmp_path: Path) -> None:
    done = command(tmp_path, IN_THE_GARBAGE_COLLECTOR, "demo", "--quiet", "--no-pictures")
    assert_interrupted(done, "There is no checkpoint yet.")


def test_json_is_told_so(tmp_path: Path) -> None:
    done = command(tmp_path, WHEN_IMPORTED.format(name="cyclopts"), "demo", "--json")
    assert json.loads(done.stdout) == {"error": "interrupted. Nothing was written."}
    assert_interrupted(done, "Nothing was written.")


def test_before_results_are_moved_nothing_is_left(tmp_path: Path) -> None:
    done = command(tmp_path, WHILE_THE_TABLE_IS_WRITTEN, "forecast", "short.csv", "--horizon", "3", "--quiet")
    assert_interrupted(done, "Nothing was written.")
    assert [path.name for path in tmp_path.iterdir()] == ["short.csv"]


def test_a_backtest_too(tmp_path: Path) -> None:
    moment = WHEN_IMPORTED.format(name="throughtime.forecasting.backtest")
    done = command(tmp_path, moment, "backtest", "short.csv", "--horizon", "3", "--quiet")
    assert_interrupted(done, "Nothing was written.")
    assert [path.name for path in tmp_path.iterdir()] == ["short.csv"]


def test_results_are_moved_whole(tmp_path: Path) -> None:
    moment = WHILE_FILES_MOVE
    done = command(tmp_path, moment, "forecast", "short.csv", "--horizon", "3", "--quiet", "--out", "there")
    assert_interrupted(done, "The results were already in there.")
    written = sorted(path.name for path in (tmp_path / "there").iterdir())
    assert written == ["forecasts.csv", "model", "report.html"]


def test_what_is_held_is_done_whole() -> None:
    steps = []

    def interrupted() -> None:
        with deferred():
            signal.raise_signal(signal.SIGINT)
            steps.append("whole")
        steps.append("not reached")

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert steps == ["whole"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_holding_outside_the_main_thread_is_nothing() -> None:
    steps = []

    def work() -> None:
        with deferred(), Interrupts().cleaning(lambda: steps.append("cleaned")):
            steps.append("done")

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert steps == ["done", "cleaned"]


def test_where_ctrl_c_is_ignored_it_stays_so(tmp_path: Path) -> None:
    """As below nohup, or in the background of a script."""
    moment = "signal.signal(signal.SIGINT, signal.SIG_IGN)" + WHEN_IMPORTED.format(name="cyclopts")
    done = command(tmp_path, moment, "--version")
    assert done.returncode == 0
    assert done.stdout.startswith("throughtime ")


WHILE_TRAINING = """
import time
from throughtime.cli.progress_bar import TrainingBar
show = TrainingBar.show
def press(bar, stage, done, *rest, **named):
    if stage.startswith("training") and done == 20:
        signal.raise_signal(signal.SIGINT)
        time.sleep(1)  # the main thread has it within that
    show(bar, stage, done, *rest, **named)

TrainingBar.show = press
"""


def test_what_a_forecast_has_learned_is_kept(tmp_path: Path) -> None:
    rows = "\n".join(f"{2000 + i // 12}-{i % 12 + 1:02d}-01,{i % 12 + i % 5}" for i in range(60))
    (tmp_path / "long.csv").write_text(f"ds,y\n{rows}\n")
    arguments = ["forecast", "long.csv", "--horizon", "3", "--steps", "400", "--preset", "fast", "--json"]
    process = command(tmp_path, WHILE_TRAINING, *arguments)
    assert process.returncode == INTERRUPTED, process.stderr
    assert "finishing with what has been learned" in process.stderr
    answer = json.loads(process.stdout)
    assert answer["interrupted"]
    assert "Training was interrupted after 20 of 400 steps." in answer["notes"]
    assert {path.name for path in (tmp_path / "out/forecast").iterdir()} == {"forecasts.csv", "report.html", "model"}
