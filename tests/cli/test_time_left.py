"""The time left of a forecast: the arithmetic of the estimate, with a clock that the tests set."""

import subprocess
import sys
from pathlib import Path

import pytest

from throughtime.cli.time_left import LENGTH, REPORT, TRAINED, TimeLeft
from throughtime.forecasting import FIRST_LAP

LOADING, PACE, ALIKE, STEPS = 20.0, 0.01, 3, 200  # seconds until the first steps, seconds per step; stages, their steps


class Clock:
    """A clock that stands still until it is moved."""

    now = 7.0

    def __call__(self) -> float:
        return self.now


class Forecast:
    """A forecast whose steps all take ``PACE`` seconds, after ``LOADING`` seconds."""

    def __init__(self, cores: int = 1) -> None:
        self.clock = Clock()
        self.left = TimeLeft(self.clock, cores)
        self.clock.now += LOADING - 20 * PACE  # the first steps are counted when they are done

    def train(self, stage: str, total: int, *, upto: int | None = None, every: int = 20) -> None:
        """Train stages one after the other, up to a step of the last one."""
        for number in range(1, ALIKE + 1):
            last = total if upto is None or number < ALIKE else upto
            for done in range(every, last + 1, every):
                self.clock.now += every * PACE
                self.left.count(f"{stage} {number}/{ALIKE}", done, total)


def test_nothing_is_known_before_the_first_steps():
    forecast = Forecast()
    assert (forecast.left.seconds(), forecast.left.share()) == (None, 0.0)
    for done in (20, 60, 120):  # the time of the first includes that of compiling; five more are too few
        forecast.left.count("backtest: held out 1/3", done, STEPS)
        assert forecast.left.seconds() is None


def test_two_networks_side_by_side():
    forecast = Forecast(cores=2)
    for done in (20, 40, 60, 80):
        for number in (1, 2):
            forecast.clock.now += 20 * PACE  # the other trains meanwhile
            forecast.left.count(f"training {number}/2", done, STEPS)
    assert forecast.left.seconds() == pytest.approx(240 * PACE + REPORT * LOADING)


def test_each_phase_corrects_what_is_expected():
    forecast = Forecast()
    done, report = ALIKE * STEPS - 100, REPORT * LOADING
    forecast.train("backtest: held out", STEPS, upto=100)  # the last of them is behind, so it is over
    expected = done + 2 * TRAINED * done  # the final fit, as long as the backtest's, and both trainings
    assert forecast.left.seconds() == pytest.approx(expected * PACE + report)
    forecast.train("backtest: training", 60, upto=40)
    assert forecast.left.seconds() == pytest.approx((20 + done + ALIKE * 60) * PACE + report)
    forecast.train("held out", STEPS)
    assert forecast.left.seconds() == pytest.approx((ALIKE * 60 - 20) * PACE + report)
    forecast.train("training", 80)
    assert forecast.left.seconds() == pytest.approx(report)
    forecast.clock.now += 2
    assert forecast.left.seconds() == pytest.approx(report - 2)
    passed = forecast.clock.now - 7.0
    assert forecast.left.share() == pytest.approx(passed / (passed + report - 2))
    forecast.clock.now += 100
    assert forecast.left.seconds() == 0


def test_held_out_runs_of_which_two_go_on():
    forecast = Forecast()
    lap = round(FIRST_LAP * STEPS)
    for number in (1, 2, 3):
        for done in range(10, lap + 1, 10):
            forecast.clock.now += 10 * PACE
            forecast.left.count(f"backtest: held out {number}/3", done, STEPS)
    held_out, report = 2 * LENGTH * STEPS + lap, REPORT * (LOADING - 10 * PACE)  # the first report is at 10 steps
    expected = held_out - 3 * lap + held_out + 2 * TRAINED * held_out
    assert forecast.left.seconds() == pytest.approx(expected * PACE + report)
    for done in range(lap + 10, 141, 10):  # the first of three goes on, and beyond the likely end
        forecast.clock.now += 10 * PACE
        forecast.left.count("backtest: held out 1/3", done, STEPS)
    held_out = 140 + LENGTH * STEPS + lap
    expected = held_out - (140 + 2 * lap) + held_out + 2 * TRAINED * held_out
    assert forecast.left.seconds() == pytest.approx(expected * PACE + report)
    forecast.left.count("backtest: training 1/3", 20, 60)
    done = 140 + 2 * lap
    expected = 160 + done + 180  # the training that began, and the final fit as long
    assert forecast.left.seconds() == pytest.approx(expected * PACE + report)


def test_a_fit_without_held_out_runs_or_without_a_backtest():
    forecast = Forecast()
    forecast.train("backtest: training", 80, upto=60)
    assert forecast.left.seconds() == pytest.approx((20 + ALIKE * 80) * PACE + REPORT * LOADING)
    forecast = Forecast()
    forecast.train("training", 80, upto=60)
    assert forecast.left.seconds() == pytest.approx(20 * PACE + REPORT * LOADING)


def test_one_network_and_members_of_a_longer_run():
    forecast = Forecast()
    for done in range(50, 351, 50):
        forecast.clock.now += 50 * PACE
        forecast.left.count("training", done, 400)
    assert forecast.left.seconds() == pytest.approx(50 * PACE + REPORT * (LOADING + 30 * PACE))
    forecast = Forecast()
    forecast.train("held out", STEPS)
    forecast.train("held out: training", 500, upto=300)
    work = ALIKE * (STEPS + 500)
    assert forecast.left.seconds() == pytest.approx((200 + TRAINED * work) * PACE + REPORT * LOADING)


def test_reading_a_file_loads_neither_jax_nor_scipy(tmp_path: Path):
    (tmp_path / "a.csv").write_text("ds,y\n2024-01-01,5\n2024-01-02,7\n2024-01-03,6\n")
    code = f"import sys\nsys.path[:] = {sys.path!r}\nfrom pathlib import Path\nimport throughtime.cli.progress_bar\n"
    code += (
        "from throughtime.cli.series_file import SeriesFile, read_series\nfrom throughtime.data import ColumnNames\n"
    )
    code += "read_series(SeriesFile(Path('a.csv'), ColumnNames()))\n"
    code += "print([name for name in ('jax', 'equinox', 'scipy', 'matplotlib') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
