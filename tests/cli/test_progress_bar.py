"""The bar says step, loss, steps per second and time left; a quiet one says nothing."""

import io

import pytest
from rich.console import Console

from throughtime.cli.interrupts import Interrupts
from throughtime.cli.progress_bar import ForecastBar, TrainingBar


def shown(*, terminal: bool = True, **options: bool) -> str:
    out = io.StringIO()
    console = Console(file=out, force_terminal=terminal, width=120, **options)
    with TrainingBar(console, Interrupts(), loss="MSE") as bar:
        bar.show("training", 0, 500)
        bar.show("training", 125, 500, loss=0.0123, speed=12345.6)
        bar.show("backtest", 7, 60, loss=4.5, speed=10.0)
        bar._bar.refresh()
    return out.getvalue()


def test_the_bar_says_where_training_is():
    text = shown()
    for words in ("training", "step", "125/500", "MSE 1.23e-02", "12,346 steps/s", "backtest", "7/60", "MSE 4.50e+00"):
        assert words in text
    assert "-:--:--" in text  # time left, before it can be known


def test_a_stage_without_a_loss_yet_is_compiling():
    out = io.StringIO()
    with TrainingBar(Console(file=out, force_terminal=True, width=120), Interrupts(), loss="MSE") as bar:
        bar.show("training", 0, 500)
        bar._bar.refresh()
    assert "compiling ..." in out.getvalue()
    assert "MSE" not in out.getvalue()


def test_forecasts_are_counted():
    out = io.StringIO()
    with TrainingBar(Console(file=out, force_terminal=True, width=120), Interrupts(), loss="MSE") as bar:
        bar.count("autoets", 3, 7)
        bar._bar.refresh()
    assert "autoets" in out.getvalue()
    assert "forecast 3/7" in out.getvalue()
    assert "compiling" not in out.getvalue()


def test_a_quiet_console_stays_quiet():
    assert shown(quiet=True) == ""


def test_a_file_gets_no_bar():
    assert shown(terminal=False) == ""


def test_the_bar_goes_away_when_training_fails():
    out = io.StringIO()
    bar = TrainingBar(Console(file=out, force_terminal=True, width=120), Interrupts(), loss="MSE")
    with pytest.raises(RuntimeError), bar:
        raise RuntimeError
    assert bar._bar.finished
    assert not bar._bar.live.is_started


@pytest.mark.parametrize(("options", "shows"), [({}, True), ({"quiet": True}, False), ({"stderr": True}, False)])
def test_a_forecast_shows_the_findings_and_the_time_left(options, shows, capsys):
    """Standard error is the console of a command that prints JSON."""
    console = Console(force_terminal=True, width=100, **options)
    bar = ForecastBar(console, Interrupts(), ["2 series of 40 steps, daily"])
    with bar:
        bar._bar.refresh()
        for done in (10, 40, 80):
            bar.show("backtest: held out 1/2", done, 90, loss=0.5, speed=10.0)
        bar._bar.refresh()
        bar.doing = "writing the report"
        bar._bar.refresh()
    text = "".join(capsys.readouterr())
    parts = ("2 series of 40 steps, daily", "loading", "held out 1/2", "80/90", "0:00 left", "writing the report")
    assert [part in text for part in parts] == [shows] * len(parts)
