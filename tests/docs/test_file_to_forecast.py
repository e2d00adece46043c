"""Lesson 4: its arithmetic is the product's, it decides by its own rule, and it tells its story whoever wins."""

import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import polars as pl
import pytest
from tests.docs.lessons import imported

import throughtime as tt
from throughtime.forecasting.metrics import score_table
from throughtime.forecasting.results import BacktestResult

SCRIPT = Path(__file__).parents[2] / "docs" / "lessons" / "file_to_forecast.py"
SEASON, HORIZON = 7, 5


@pytest.fixture(scope="module")
def lesson() -> ModuleType:
    return imported("file_to_forecast")


@pytest.fixture(scope="module")
def case(lesson):
    return lesson.Case("made.csv", HORIZON, SEASON, "unit", lesson.last_year_moved)


@pytest.fixture(scope="module")
def panel() -> tt.Panel:
    """A rising week with noise, and a gap in the history and in the second window."""
    rng = np.random.default_rng(3)
    steps = np.arange(90)
    values = 20 + 0.2 * steps + 3 * np.sin(2 * np.pi * steps / SEASON) + rng.normal(0, 0.5, 90)
    values[[20, 21, 22, 60, 52]] = np.nan
    return tt.Panel.from_frame(pl.DataFrame({"ds": steps, "y": values}))


@pytest.fixture(scope="module")
def past(lesson, panel, case):
    return lesson.cut(panel, case)


class Told:
    """A forecaster that errs by as much as it is told, and always to the same side."""

    def __init__(self, lesson: ModuleType, case, error: float):
        self.lesson, self.case, self.error = lesson, case, error

    def fit(self, panel: tt.Panel) -> "Told":
        return self

    def backtest(self, panel: tt.Panel, *, windows: int, level: list[int], baselines: list[str]) -> pl.DataFrame:
        past = self.lesson.cut(panel, self.case)
        naive = self.lesson.by_hand(self.lesson.seasonal_naive, past, self.case)
        said = np.nan_to_num(past.truth, nan=25.0) + self.error * np.linspace(0.9, 1.1, windows)[:, None]
        table = dict.fromkeys(baselines, naive + 9) | {
            "y": past.truth,
            "seasonal_naive": naive,
            "throughtime": said,
        }
        for one in level:
            table |= {f"throughtime-lo-{one}": said - 1, f"throughtime-hi-{one}": said + 1}
        table |= {"cutoff": np.repeat(np.arange(windows), self.case.horizon), "ds": np.arange(45, 90)}
        return pl.DataFrame({name: column.ravel() for name, column in table.items()})

    def predict(self, level: list[int]) -> pl.DataFrame:
        ids, ds, said = ["made"] * HORIZON, np.arange(HORIZON), np.arange(HORIZON, dtype=float)
        bounds = {f"throughtime-{side}-{one}": said for one in level for side in ("lo", "hi")}
        return pl.DataFrame({"unique_id": ids, "ds": ds, "throughtime": said, **bounds})


def test_simple_methods(lesson):
    """On a line with a season the napkin is exact; seasonal naive misses by what a season rises."""
    steps = np.arange(40)
    series = 0.5 * steps + np.array([1, -2, 4, 0, 3, -1, 7])[steps % SEASON]
    history, truth = series[:29], series[29:40]
    np.testing.assert_allclose(lesson.last_year_moved(history, SEASON, 7), truth[:7])
    np.testing.assert_allclose(
        truth[:11] - lesson.seasonal_naive(history, SEASON, 11), 3.5 * (1 + (np.arange(11) >= 7))
    )
    np.testing.assert_allclose(lesson.thirty_years(steps, 1, 3), [24.5] * 3)


def test_longest_gap(lesson):
    assert lesson.longest_gap(np.array([np.nan, 1, np.nan, np.nan, 2, 3, np.nan, np.nan, np.nan])) == 3
    assert lesson.longest_gap(np.arange(4.0)) == 0


def test_windows_end_where_the_series_ends(lesson, panel, case, past):
    assert past.truth.shape == (lesson.WINDOWS, HORIZON)
    np.testing.assert_array_equal(past.truth.ravel(), panel.series(0)[-lesson.WINDOWS * HORIZON :])
    for history, at in zip(past.histories, range(45, 90, HORIZON), strict=True):
        assert len(history) == at
        assert np.isfinite(history).all()


def test_histories_know_nothing_of_their_window(lesson, panel, case, past):
    later = panel.values.copy()
    later[45:] = 1e6
    changed = lesson.cut(tt.Panel.from_frame(pl.DataFrame({"ds": np.arange(90), "y": later})), case)
    np.testing.assert_array_equal(changed.histories[0], past.histories[0])
    assert changed.scale == past.scale


def test_the_score_is_the_products(lesson, panel, case, past):
    said = lesson.by_hand(case.napkin, past, case)
    ids, steps = np.repeat(panel.ids, past.truth.size), np.arange(45, 90)
    rows = {"unique_id": ids, "ds": steps, "cutoff": np.repeat(np.arange(44, 89, HORIZON), HORIZON)}
    rows |= {"y": past.truth.ravel(), "napkin": said.ravel()}
    crps = {"napkin": np.zeros(len(ids))}
    table = score_table(BacktestResult(rows, crps, {}, SEASON, []), panel, levels=[])
    (expected,) = table.filter(unique_id="", metric="mase")["napkin"]
    scores = lesson.mase(said, past.truth, past.scale)
    known = (~np.isnan(past.truth)).sum(axis=1)
    assert np.average(scores, weights=known) == pytest.approx(expected)


def scores_of(lesson: ModuleType, leads: list[float]) -> dict[str, np.ndarray]:
    """The network's lead over the napkin in each window."""
    napkin = np.linspace(0.8, 1.2, lesson.WINDOWS)
    return {"throughtime": napkin - leads, "seasonal_naive": napkin + 1, "napkin": napkin}


def test_the_rule(lesson):
    """More than twice the standard error of the lead; the drawer has no say."""
    made = lesson.decide(scores_of(lesson, [0.1, 0.2, 0.3, 0.1, 0.2, 0.3, 0.2, -0.1, 9.0]))
    assert (made.rival, made.won) == ("napkin", 7)
    assert made.lead == pytest.approx(1.3 / 8)
    assert made.doubt == pytest.approx(np.std([0.1, 0.2, 0.3, 0.1, 0.2, 0.3, 0.2, -0.1], ddof=1) / np.sqrt(8))
    assert made.network
    assert not lesson.decide(scores_of(lesson, [0.1, -0.2, 0.3, -0.1, 0.2, -0.3, 0.2, 0.1, 9.0])).network
    assert not lesson.decide(scores_of(lesson, [-0.1, -0.2, -0.3, -0.1, -0.2, -0.3, -0.2, -0.1, 9.0])).network


def test_coverage_does_not_count_what_is_missing(lesson, panel, case, past):
    rows = Told(lesson, case, 0.0).backtest(panel, windows=lesson.WINDOWS, level=[80], baselines=[])
    shifted = rows.with_columns(pl.when(pl.int_range(pl.len()) == 0).then(99.0).otherwise("y").alias("y"))
    np.testing.assert_allclose(lesson.covered(shifted, 80), [0.8] + [1.0] * 8)
    assert [lesson.kept(share, 80) for share in (0.78, 0.9)] == [
        "promise kept within 5 points",
        "wider than necessary",
    ]
    assert lesson.kept(0.7, 80).startswith("too narrow")


def test_a_simple_range_holds_its_share_of_the_windows(lesson, panel, case, past):
    rows = Told(lesson, case, 0.0).backtest(panel, windows=lesson.WINDOWS, level=[80], baselines=["drift"])
    told = lesson.Told(panel, past, rows, {}, None)
    frame = lesson.of_simple("napkin", told, case)
    off = (frame["hi-80"] - frame["lo-80"])[0] / 2
    errors = np.abs(lesson.by_hand(case.napkin, past, case) - past.truth)
    assert (errors[~np.isnan(errors)] <= off).mean() == pytest.approx(0.8, abs=0.03)
    history = panel.series(0)
    np.testing.assert_allclose(frame["point"], history[83:88] + history[89] - history[82])
    drift = lesson.of_simple("drift", told, case)["point"].to_numpy()
    np.testing.assert_allclose(drift, history[-1] + np.arange(1, 6) * (history[-1] - history[0]) / 89)


def test_the_forecast_moves_with_what_it_reads(lesson, panel, case):
    """Not with missing values; with the others together about as far as they move."""
    history = panel.series(0)
    moves = lesson.influence(history, case, len(history))
    assert (moves[np.isnan(history[::-1])] == 0).all()
    assert moves[:SEASON].min() > 0
    assert moves.sum() > case.horizon / 2


@pytest.mark.parametrize(("error", "says", "sent"), [(0.01, "use the network", "throughtime"), (7.0, "Use ", "napkin")])
def test_the_story_whoever_wins(lesson, panel, case, monkeypatch, capsys, error, says, sent):
    fake = Told(lesson, case, error)
    monkeypatch.setattr(lesson, "forecaster", lambda case: fake)
    monkeypatch.setattr(lesson.tt, "read_panel", lambda path: panel)
    told = lesson.tell_past(case)
    forecast = lesson.tell_future(told, case, fake)
    out = capsys.readouterr().out
    assert says in out
    assert f"Method: {sent}." in out
    assert forecast.columns == ["point", "lo-80", "hi-80", "lo-95", "hi-95"]
    assert lesson.picture(told, forecast, case).axes[0].get_ylabel() == "unit"


@pytest.mark.slow
def test_it_runs(tmp_path):
    plain = {name: value for name, value in os.environ.items() if name != "XLA_FLAGS"}
    picture = tmp_path / "forecast.png"
    command = [sys.executable, str(SCRIPT), "--picture", str(picture)]
    finished = subprocess.run(command, capture_output=True, text=True, check=False, env=plain)
    assert finished.returncode == 0, finished.stderr
    for words in ("59 values missing", "co2_weekly.csv: the decision", "how far back", "nile.csv: the forecast"):
        assert words in finished.stdout
    assert picture.read_bytes().startswith(b"\x89PNG")
