"""Backtests: the values that are learned from and forecast; nothing looks past a cutoff."""

import hypothesis.strategies as st
import numpy as np
import polars as pl
import pytest
from hypothesis import example, given, settings
from tests.forecasting.conftest import LENGTHS, SMALL, seasonal_values

import throughtime as tt
from throughtime._errors import InputError
from throughtime.data.frequency import Frequency
from throughtime.data.panel import Panel
from throughtime.forecasting import backtest as module
from throughtime.forecasting.backtest import ignore_progress, run_backtest
from throughtime.forecasting.baselines import BASELINES
from throughtime.forecasting.cutoffs import history_starts, rolling_cutoffs
from throughtime.forecasting.intervals import QUANTILES
from throughtime.forecasting.results import BacktestSettings
from throughtime.forecasting.stages import no_callback

H = SMALL["horizon"]
SIZES = np.array(list(LENGTHS.values()))
VALUES = np.concatenate([seasonal_values(size, seed) for seed, size in enumerate(SIZES)])
STEPS = np.concatenate([np.arange(size) for size in SIZES])


def panel_of(values):
    offsets, starts = np.append(0, np.cumsum(SIZES)), np.array([5, 0, 9])
    return Panel(np.array(list(LENGTHS)), values, offsets, starts, Frequency("integer", stamp="int64"))


class Recorder:
    """A stand-in for training, which records what it sees, and for forecasting, which forecasts the cutoff."""

    def __init__(self):
        self.fits = []

    def fit_panel(self, config, panel, cutoffs, *, callback):
        self.fits.append([panel.series(i)[: cutoffs[i]].tolist() for i in range(len(panel))])
        return tt.Forecaster(H, season=4, preset="best").fit(panel.cut(int(panel.lengths.max()) - 1)).fitted_

    def forecast_quantiles(self, fitted, panel, cutoffs):
        return np.broadcast_to(np.asarray(cutoffs, float)[:, None, None], (len(cutoffs), H, len(QUANTILES)))


def recorded_backtest(values, protocol, *, level=(), on_progress=ignore_progress):
    """What training saw, and the result."""
    recorder, model = Recorder(), tt.Forecaster(H, season=4, preset="best")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "fit_panel", recorder.fit_panel)
        patch.setattr(module, "forecast_quantiles", recorder.forecast_quantiles)
        calls = {"callback": no_callback, "on_progress": on_progress}
        return recorder.fits, run_backtest(model, panel_of(values), protocol, level=level, **calls)


def recorded(**protocol):
    fits, result = recorded_backtest(VALUES, BacktestSettings(**protocol))
    return fits, result.rows


def first_steps(rows):
    return rows["cutoff"][::H].tolist()


def test_cutoffs():
    came = rolling_cutoffs(np.array([20, 9, 3]), windows=3, step=2, horizon=4)
    np.testing.assert_array_equal(came, [[12, 1, 0], [14, 3, 0], [16, 5, 0]])


def test_histories_begin_with_a_value():
    panel = panel_of(np.where(np.isin(STEPS, [25, 26]), np.nan, VALUES))
    starts = history_starts(panel, np.array([30, 27, 2]), 5)
    np.testing.assert_array_equal(starts, [27, 22, 0])
    np.testing.assert_array_equal(history_starts(panel, np.array([30, 27, 2]), 2), [28, 27, 0])  # none: the cutoff
    np.testing.assert_array_equal(history_starts(panel, np.array([30, 27, 2]), None), 0)


def test_a_part_of_a_panel_keeps_its_times():
    panel = panel_of(VALUES)
    part = panel.between(np.array([4, 0, 1]), np.array([9, 31, 1]))
    np.testing.assert_array_equal(part.series(0), panel.series(0)[4:9])
    np.testing.assert_array_equal(part.times(0), panel.times(0)[4:9])
    np.testing.assert_array_equal(part.lengths, [5, 31, 0])


@pytest.mark.parametrize("step", [None, 1, 5])
def test_trained_once_before_all_windows(step):
    fits, rows = recorded(windows=3, step=step)
    apart = step or H
    assert len(fits) == 1
    assert [len(history) for history in fits[0]] == [max(size - H - 2 * apart, 0) for size in SIZES]
    due = [offset + size - H - k * apart - 1 for k in (2, 1, 0) for offset, size in ((5, 40), (0, 31))]
    assert first_steps(rows) == due
    np.testing.assert_array_equal(rows["throughtime"][::H], np.array(due) + 1 - np.array([5, 0] * 3))


def test_refit_trains_before_each_window():
    fits, _ = recorded(windows=3, step=2, refit=True)
    assert [[len(history) for history in fit] for fit in fits] == [[33, 24, 0], [35, 26, 0], [37, 28, 0]]


def test_sliding_training_sees_the_last_steps_alone():
    fits, rows = recorded(windows=2, step=4, refit=True, train_size=10)
    panel = panel_of(VALUES)
    for fit, back in zip(fits, (H + 4, H), strict=True):
        for row in (0, 1):
            end = SIZES[row] - back
            assert fit[row] == panel.series(row)[end - 10 : end].tolist()
    once, _ = recorded(windows=2, step=4, train_size=10)
    assert once == fits[:1]
    assert set(rows["throughtime"]) == {10.0}


def test_baselines_see_the_same_steps(monkeypatch):
    seen = []

    def spy(history, season, horizon):
        seen.append(history.tolist())
        return np.zeros((horizon, len(QUANTILES)))

    monkeypatch.setattr(module, "named_baselines", lambda names: {"seasonal_naive": spy})
    recorded(windows=2, step=4, train_size=10)
    panel = panel_of(VALUES)
    due = [panel.series(row)[SIZES[row] - back - 10 : SIZES[row] - back] for back in (H + 4, H) for row in (0, 1)]
    assert seen == [history.tolist() for history in due]


def test_a_baseline_that_fails_is_seasonal_naive_and_counted(monkeypatch):
    def fails(history, season, horizon):
        if len(history) > 30:
            raise ZeroDivisionError
        return np.full((horizon, len(QUANTILES)), np.nan if len(history) > 27 else 1.0)

    real = module.named_baselines(["drift"])
    monkeypatch.setattr(module, "named_baselines", lambda names: real | {"drift": fails})
    counted = []
    protocol = BacktestSettings(2, baselines=["drift"])
    _, came = recorded_backtest(VALUES, protocol, level=[80], on_progress=lambda *said: counted.append(said))
    assert (came.failures, came.forecasts) == ({"drift": 3}, 4)
    assert came.notes == ["drift failed on 3 of 4 forecasts: seasonal naive replaces these."]
    worked = came.rows["drift"] == 1
    assert worked.sum() == H
    for bound in ("", "-lo-80", "-hi-80"):
        naive = came.rows[f"seasonal_naive{bound}"]
        np.testing.assert_array_equal(came.rows[f"drift{bound}"][~worked], naive[~worked])
    assert counted[-1] == ("drift", 4, 4)
    assert list(came.seconds) == ["throughtime", "seasonal_naive", "drift"]


def test_filled_gaps_are_told():
    gappy = np.where(STEPS == 7, np.nan, VALUES)
    _, came = recorded_backtest(gappy, BacktestSettings(1, baselines=["naive2", "drift"]))
    assert came.filled == ["naive2"]
    assert came.notes == ["Missing values are filled for naive2: by the last value of the same season."]
    assert np.isfinite(came.rows["naive2"]).all()


@pytest.mark.parametrize(
    ("settings", "code", "found", "expected"),
    [
        ({"windows": 0}, "too-few-windows", 0, 1),
        ({"windows": 2, "step": 0}, "step-too-small", 0, 1),
        ({"windows": 2, "train_size": H}, "train-size-too-small", H, H + 1),
        ({"windows": 2, "train_size": 4}, "train-size-too-small", 4, 11),
        ({"windows": 13}, "series-too-short", 40, 50),
        ({"windows": 30, "step": 2}, "series-too-short", 40, 72),
        ({"windows": 2, "baselines": ["nope"]}, "unknown-baseline", "nope", BASELINES),
    ],
)
def test_impossible_settings_are_refused(settings, code, found, expected):
    with pytest.raises(InputError) as raised:
        recorded(**settings)
    error = raised.value
    assert (error.code, error.found, error.expected) == (code, found, expected)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"windows": 0}, "expected at least 1 backtest window, got 0"),
        ({"windows": 2, "step": 0}, "the step between backtest windows is 0: expected at least 1"),
        (
            {"windows": 2, "train_size": H},
            f"the training size is {H} steps: expected more than the horizon of {H}, as a network learns from windows "
            "with a whole horizon after them",
        ),
        (
            {"windows": 2, "train_size": 4},
            f"the training size of 4 steps is too small for a backtest of 2 windows of {H} steps: expected at least "
            "11, or several series",
        ),
        (
            {"windows": 13},
            f"the series are too short for a backtest of 13 windows of {H} steps: the longest has 40, expected at "
            "least 50, or several that are shorter",
        ),
    ],
)
def test_messages_name_what_was_found_and_what_is_needed(settings, message):
    with pytest.raises(InputError) as raised:
        recorded(**settings)
    assert str(raised.value) == message


PROTOCOLS = {
    "overlapping": BacktestSettings(2, step=2, baselines=["drift", "naive2"]),
    "refit": BacktestSettings(2, step=4, refit=True, baselines=["drift", "naive2"]),
    "sliding": BacktestSettings(2, step=4, refit=True, train_size=20, baselines=["drift", "naive2"]),
}
ODD = [np.nan, 0.0, -5.0, 3e5, 1e300]
changes = st.lists(st.one_of(st.sampled_from(ODD), st.floats(-100, 100)), min_size=5, max_size=5)


def forecasts(values, protocol, window):
    """All forecasts up to a window's, of one window after the other."""
    rows = run_backtest(tt.Forecaster(**SMALL), panel_of(values), protocol, level=[80], callback=no_callback).rows
    count = 2 * H * (window + 1)  # the short series takes no part
    names = [name for name in rows if name not in ("y", "unique_id")]
    return np.stack([rows[name][:count].astype(float) for name in names])


@pytest.fixture(scope="module", params=PROTOCOLS)
def due(request):
    protocol = PROTOCOLS[request.param]
    return protocol, forecasts(VALUES, protocol, 1)


@settings(max_examples=2)
@given(later=changes, window=st.sampled_from([0, 1]))
@example(later=[np.nan] * 5, window=0)
@example(later=[np.nan] * 5, window=1)
def test_nothing_after_a_cutoff_changes_a_forecast_with_it(due, later, window):
    """Forecasts from earlier cutoffs do not change either."""
    protocol, forecast = due
    cutoffs = rolling_cutoffs(SIZES, windows=2, step=protocol.step, horizon=H)[window]
    after = np.repeat(cutoffs, SIZES) <= STEPS
    changed = np.where(after, np.resize(later, len(VALUES)), VALUES)
    came = forecasts(changed, protocol, window)
    np.testing.assert_array_equal(came, forecast[:, : came.shape[1]])


def test_the_value_before_a_cutoff_changes_its_forecasts(due):
    """The last value that the second window knows, and the first does not."""
    protocol, forecast = due
    cutoffs = rolling_cutoffs(SIZES, windows=2, step=protocol.step, horizon=H)[1]
    changed = np.where(np.repeat(cutoffs - 1, SIZES) == STEPS, VALUES + 1, VALUES)
    came = forecasts(changed, protocol, 1)
    count = 2 * H
    np.testing.assert_array_equal(came[:, :count], forecast[:, :count])
    assert (came[2, count:] != forecast[2, count:]).all()  # ds, cutoff, throughtime


def test_the_frame_of_a_forecaster(frame):
    rows = tt.Forecaster(**SMALL).backtest(frame, 2, step=2, baselines=["drift"])
    assert rows.columns == ["unique_id", "ds", "cutoff", "y", "throughtime", "seasonal_naive", "drift"]
    cutoffs = rows.filter(unique_id="b")["cutoff"].unique().sort()
    assert cutoffs.dt.month().to_list() == [11, 1]
    assert isinstance(rows, pl.DataFrame)
