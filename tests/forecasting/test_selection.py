"""The selected network, its training steps and the width of its intervals, against the same judgment by hand."""

from collections import defaultdict

import numpy as np
import polars as pl
import pytest
from tests.forecasting.conftest import SMALL

import throughtime as tt
from throughtime.data.frequency import Frequency
from throughtime.forecasting import held_out, selection, trials
from throughtime.forecasting.config import ForecasterConfig
from throughtime.forecasting.fitted import Fitted
from throughtime.forecasting.forecasts import forecast_quantiles
from throughtime.forecasting.held_out import held_out_loss, hold_out, stretch_factors
from throughtime.forecasting.intervals import MEDIAN, QUANTILES
from throughtime.forecasting.observations import known_values
from throughtime.forecasting.plan import NO_STRETCH, Calibration, make_plan
from throughtime.forecasting.selection import select_plan
from throughtime.forecasting.train import averaged_network
from throughtime.forecasting.trials import Moment, Trial, is_over

F, SEASON = SMALL["horizon"], SMALL["season"]
WINDOWS = 3
LEVELS = np.array(QUANTILES)


def judged_by_hand(networks, panel, plan):
    """The loss of all held-out windows, value by value, and the stretch that would have covered them."""
    scaled, relative, forecasts, truths = [], [], [], []
    for window in range(WINDOWS, 0, -1):
        cutoffs = np.maximum(panel.lengths - window * F, 0)
        fitted = Fitted(panel, plan, Calibration(plan.steps), networks, np.empty(0), [])
        quantiles = forecast_quantiles(fitted, panel, cutoffs)
        for i in (0, 1):  # the third series is too short
            series = panel.series(i)
            before = series[: len(series) - WINDOWS * F]
            scale = np.nanmean(np.abs(before[SEASON:] - before[:-SEASON]))
            for forecast, y in zip(quantiles[i], series[cutoffs[i] :], strict=False):
                forecasts.append(forecast)
                truths.append(y)
                loss = np.maximum(LEVELS * (y - forecast), (LEVELS - 1) * (y - forecast)).mean()
                scaled.append(loss / scale)
                relative.append(loss / ((y + forecast[MEDIAN]) / 2))
    loss = np.sqrt(np.nanmean(scaled) * np.nanmean(relative)) if plan.positive else np.nanmean(scaled)
    return loss, stretch_factors(np.array(forecasts)[:, None], np.array(truths)[:, None])


@pytest.mark.parametrize(
    ("level", "gap", "variants"),
    [(0.0, False, 4), (-13.0, True, 2), (-1e9, False, 2)],
    ids=["positive", "around zero, with gaps", "far from zero"],
)
def test_the_least_held_out_loss_decides(frame, level, gap, variants, monkeypatch):
    """Among the variants and the steps of each. In the data's own units, where float32 would tell nothing apart."""
    monkeypatch.setattr(trials, "is_over", lambda now, best, steps: False)
    monkeypatch.setattr(trials, "LEFT", 4)
    place = pl.int_range(pl.len()).over("unique_id")
    values = pl.when(place.is_in([7, 29, 36]) & gap).then(None).otherwise(pl.col("y") + level)
    panel = tt.Panel.from_frame(frame.with_columns(y=values))
    plan = plan_of(panel)._replace(learning_rate=0.5)  # overshoots
    reports = defaultdict(list)
    selected = select_plan(
        panel,
        panel.lengths,
        plan,
        zero_shot=None,
        callback=lambda stage, progress: reports[stage].append(progress),
        seed=0,
    )
    assert sorted(reports) == [f"held out {number + 1}/{variants}" for number in range(variants)]
    judged = {}
    for stage, heard in reports.items():
        assert [int(progress.state.step) for progress in heard] == list(range(1, SMALL["steps"] + 1))
        number = int(stage[9]) - 1
        for progress in heard:
            network = averaged_network(progress.state)
            variant = plan._replace(skip=number % 2 == 0, log=plan.log and number < 2)
            learned = variant.skip and progress.state.step > 1  # the learning rate of the first step is zero
            assert np.asarray(network.skip.weight).any() == learned
            loss, factors = judged_by_hand((network,), panel, variant)
            judged[loss] = variant, int(progress.state.step), factors
    variant, steps, factors = judged[min(judged)]
    calibration = selected.calibration
    if level == 0:  # the last step is not the best, nor are the intervals wide enough
        assert calibration.steps < SMALL["steps"]
        assert max(calibration.stretch) > 1
    assert (selected.plan, calibration.steps) == (variant, steps)
    assert calibration.stretch == pytest.approx(factors, rel=1e-3)
    assert calibration.loss == pytest.approx(min(judged), rel=1e-4)


@pytest.mark.parametrize(
    ("loss", "step", "over"),
    [(2.4, 60, False), (2.6, 60, True), (2.1, 90, False), (2.1, 91, True), (2.0, 40, False), (np.inf, 60, True)],
)
def test_a_run_is_over_once_it_is_much_worse_or_its_best_is_long_ago(loss, step, over):
    best, now = (Moment(*at, np.empty(0)) for at in ((2.0, 40), (loss, step)))
    assert is_over(now, best, 100) == over


def test_a_run_ends_early(frame):
    """As soon as it is over, and not before."""
    panel, reports = tt.Panel.from_frame(frame), defaultdict(list)
    plan = plan_of(panel)._replace(learning_rate=9.0, log=False)  # far too much
    select_plan(
        panel,
        panel.lengths,
        plan,
        zero_shot=None,
        callback=lambda stage, now: reports[stage].append(now.state.step),
        seed=0,
    )
    assert all(1 < len(steps) < SMALL["steps"] for steps in reports.values())


def test_the_best_two_go_on_after_the_first_lap(frame, monkeypatch):
    """As if they had not paused: each report of theirs is that of a run that nothing has stopped."""
    monkeypatch.setattr(trials, "is_over", lambda now, best, steps: False)
    panel = tt.Panel.from_frame(frame)
    plan = plan_of(panel, steps=20)._replace(learning_rate=0.5)

    def losses(left):
        monkeypatch.setattr(trials, "LEFT", left)
        reports, found = defaultdict(list), []
        judge = trials.held_out_loss
        monkeypatch.setattr(trials, "held_out_loss", lambda *judged: found.append(judge(*judged)) or found[-1])
        selected = select_plan(
            panel,
            panel.lengths,
            plan,
            zero_shot=None,
            callback=lambda stage, now: reports[stage].append((int(now.state.step), now.losses.tolist())),
            seed=0,
        )
        monkeypatch.setattr(trials, "held_out_loss", judge)
        return reports, selected

    (all_the_way, free), (raced, chosen) = losses(4), losses(2)
    assert sorted(raced) == sorted(all_the_way)
    assert all([step for step, _ in reports] == list(range(1, 21)) for reports in all_the_way.values())
    assert sorted(len(reports) for reports in raced.values()) == [5, 5, 20, 20]
    assert all(reports == all_the_way[stage][: len(reports)] for stage, reports in raced.items())
    assert chosen.calibration.loss >= free.calibration.loss


def plan_of(panel, **changed):
    return make_plan(ForecasterConfig(**SMALL | changed), known_values(panel, panel.lengths), panel.lengths)


@pytest.mark.parametrize(
    ("stopped", "screened", "steps"),
    [(650, 1000, 650), (800, 1000, 800), (850, 1000, 2500), (1000, 1000, 2500), (1000, 700, 700)],
)
def test_the_best_at_the_end_of_a_shorter_run_is_trained_all_the_way(frame, monkeypatch, stopped, screened, steps):
    """The best run is made up. A plan of 2,500 steps is screened for 1,000."""
    panel = tt.Panel.from_frame(frame)
    most = 2500 if screened == 1000 else screened
    plan = plan_of(panel, steps=most, members=3)
    held = hold_out(panel, panel.lengths, plan, needed=8)
    forecasts = np.nan_to_num(held.truth)[..., None] + np.linspace(-1, 3, len(QUANTILES))
    assert selection.MOST_STEPS == 1000

    def made_up(held, prepared, variants, *, callback, seed):
        assert len(variants) == 4
        tried, steps = plan._replace(steps=screened, log=True), min(stopped, screened)
        return Trial(tried, Moment(0.5, steps, forecasts))

    trained = []
    fitted = tt.Forecaster(**SMALL).fit(panel)

    def train_all_the_way(prepared, plan, *, callback, seed):
        trained.append(plan)
        callback("training 1/2", None)
        return fitted.networks_, None

    monkeypatch.setattr(selection, "race", made_up)
    monkeypatch.setattr(selection, "train_networks", train_all_the_way)
    stages = []
    selected = select_plan(
        panel, panel.lengths, plan, zero_shot=None, callback=lambda stage, _: stages.append(stage), seed=0
    )
    assert (selected.plan.log, selected.calibration.steps) == (True, steps)
    if steps != 2500:
        assert trained == stages == []
        found = stretch_factors(forecasts, held.truth), held_out_loss(forecasts, held, plan)
        assert selected.calibration == Calibration(steps, *found)
        assert selected.plan.steps == screened
        return
    assert [(few.steps, few.members) for few in trained] == [(2500, 2)]
    assert stages == ["held out: training 1/2"]
    assert (selected.plan.steps, selected.plan.members) == (2500, 3)
    loss, factors = judged_by_hand(fitted.networks_, panel, plan._replace(log=True))
    assert selected.calibration.stretch == pytest.approx(factors, rel=1e-5)
    assert selected.calibration.loss == pytest.approx(loss, rel=1e-5)


def panel_of(*series):
    lengths = [len(values) for values in series]
    offsets = np.append(0, np.cumsum(lengths))
    starts, axis = np.zeros(len(lengths), int), Frequency("integer", stamp="int64")
    return tt.Panel(np.arange(len(lengths)), np.concatenate(series), offsets, starts, axis)


def walks(lengths, seed=0):
    draw = np.random.default_rng(seed)
    return panel_of(*(np.cumsum(draw.normal(size=length)) for length in lengths))


@pytest.mark.parametrize(
    ("lengths", "horizon", "windows"),
    [
        pytest.param([40, 31, 3], 3, 3, id="few values are judged, so more are taken"),
        pytest.param([50] * 400, 3, 3, id="9 of 50 steps are little enough"),
        pytest.param([45] * 400, 4, 2, id="12 of 45 are not, 8 are"),
        pytest.param([20] * 400, 4, 1, id="one window always"),
        pytest.param([20] * 399 + [2000], 4, 1, id="of the median series"),
        pytest.param([60], 12, 2, id="as many as leave something to train on"),
        pytest.param([36], 12, 0, id="nothing would be left"),
        pytest.param([12, 9], 12, 0, id="no series is longer than the horizon"),
    ],
)
def test_how_many_windows_are_held_out(lengths, horizon, windows):
    panel = walks(lengths)
    held = hold_out(panel, panel.lengths, plan_of(panel, horizon=horizon, season=1), needed=max(2 * horizon, 8))
    if not windows:
        assert held is None
        return
    assert len(held.cutoffs) == len(held.rows) == windows
    for number, (cut, rows) in enumerate(zip(held.cutoffs, held.rows, strict=True)):
        np.testing.assert_array_equal(cut, np.maximum(panel.lengths - (windows - number) * horizon, 0))
        np.testing.assert_array_equal(rows, np.flatnonzero(cut > horizon))


def test_where_nothing_can_be_held_out_the_plan_stays():
    panel = walks([36])
    plan = plan_of(panel, horizon=12, season=1, steps=None)
    selected = select_plan(panel, panel.lengths, plan, zero_shot=None, callback=pytest.fail, seed=0)
    assert selected.plan is plan
    assert selected.calibration == Calibration(plan.steps, NO_STRETCH)


def test_of_many_series_some_are_judged(monkeypatch):
    """Evenly chosen among those that are long enough, the first and the last among them."""
    monkeypatch.setattr(held_out, "MOST_SERIES", 5)
    panel = walks([3, 5, *range(20, 37), 2])
    held = hold_out(panel, panel.lengths, plan_of(panel, season=1), needed=8)
    assert len(held.rows) == 3
    for rows in held.rows:
        np.testing.assert_array_equal(rows, [2, 6, 10, 14, 18])


def test_the_scale_is_the_error_of_seasonal_naive_before_all_windows():
    """By hand, with gaps; where it is zero there is none."""
    draw = np.random.default_rng(6)
    noisy, gappy, short = draw.normal(size=30), draw.normal(size=26), draw.normal(size=14)
    gappy[[3, 9, 10]] = np.nan
    panel = panel_of(noisy, gappy, np.tile([1.0, 2.0, 7.0, 4.0], 8), short)
    held = hold_out(panel, panel.lengths, plan_of(panel, season=4), needed=8)
    expected = []
    for row in range(4):
        history = panel.series(row)[: held.cutoffs[0][row]]
        errors = [abs(history[i] - history[i - 4]) for i in range(4, len(history))]
        expected.append(np.nanmean(errors))
    expected[2] = np.nan
    np.testing.assert_allclose(held.scale, expected, rtol=1e-12)
    constant = panel_of(*[np.full(30, 3.0)] * 3)
    np.testing.assert_array_equal(hold_out(constant, constant.lengths, plan_of(constant), needed=8).scale, 1.0)
