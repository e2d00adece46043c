"""The forecaster as users meet it: frames in and out, short, constant and gappy series, seeds, and what is better."""

import copy
from datetime import date

import jax
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from polars.testing import assert_frame_equal
from sklearn.base import clone
from tests.forecasting.conftest import LENGTHS, SMALL

import throughtime as tt
from throughtime._errors import InputError
from throughtime.data.frequency import Frequency
from throughtime.forecasting import persistence
from throughtime.forecasting.config import ForecasterConfig
from throughtime.forecasting.dataset import prepare
from throughtime.forecasting.decisions import decisions, season_note
from throughtime.forecasting.fitting import fit_panel
from throughtime.forecasting.forecasts import forecast_quantiles
from throughtime.forecasting.infer import network_quantiles
from throughtime.forecasting.intervals import MEDIAN, QUANTILES
from throughtime.forecasting.observations import trainable
from throughtime.forecasting.plan import Calibration, make_plan

COLUMNS = ["unique_id", "ds", "throughtime", "throughtime-lo-80", "throughtime-hi-80"]


def fit(frame, **changed):
    return tt.Forecaster(**SMALL | changed).fit(frame)


def points(frame):
    return pl.DataFrame(frame)["throughtime"].to_numpy()


# The contract of scikit-learn


def test_parameters_come_back_and_a_clone_is_not_fitted(model):
    others = {"cell": "gru", "head": "quantiles", "preset": "balanced", "seed": 0, "calendar": False, "devices": 1}
    assert model.get_params() == SMALL | others
    copy = clone(model)
    assert copy.get_params() == model.get_params()
    assert not hasattr(copy, "plan_")
    assert copy.set_params(steps=7, cell="lstm") is copy
    assert (copy.steps, copy.cell, model.steps) == (7, "lstm", SMALL["steps"])
    assert repr(copy).startswith("Forecaster(horizon=3, season=12, cell='lstm', hidden=4, steps=7, members=1, ")
    assert repr(copy).endswith("head='quantiles', preset='balanced', seed=0, calendar=False, devices=1)")


def test_an_unknown_parameter_is_named(model):
    with pytest.raises(InputError) as caught:
        clone(model).set_params(units=3)
    error = caught.value
    assert (error.code, error.found, error.expected) == ("unknown-parameter", "units", tuple(model.get_params()))
    assert str(error).startswith("unknown parameter 'units' of Forecaster: expected one of horizon, season")


def test_fit_returns_the_forecaster_and_calls_back(frame):
    model, calls = tt.Forecaster(**SMALL), []
    assert model.fit(frame, callback=lambda stage, progress: calls.append((stage, int(progress.state.step)))) is model
    assert calls == [("training", step + 1) for step in range(SMALL["steps"])]
    assert model.losses_.shape == (1, SMALL["steps"])


@pytest.mark.parametrize("use", [lambda m: m.predict(), lambda m: m.sample(3), lambda m: m.save("x")])
def test_nothing_before_fit(use):
    with pytest.raises(InputError) as caught:
        use(tt.Forecaster(3))
    assert caught.value.code == "not-fitted"


@pytest.mark.parametrize("name", ["season", "hidden", "steps", "members", "lookback"])
@pytest.mark.parametrize("size", [0, -4, True])
def test_the_constructor_refuses_sizes_below_1(name, size):
    with pytest.raises(InputError) as caught:
        tt.Forecaster(3, **{name: size})
    assert (caught.value.code, caught.value.found) == (f"bad-{name}", size)


def test_an_impossible_horizon_leaves_nothing_fitted(frame):
    model = tt.Forecaster(1000)
    with pytest.raises(InputError) as caught:
        model.fit(frame)
    assert (caught.value.code, caught.value.found) == ("long-horizon", 1000)
    assert not hasattr(model, "plan_")
    assert not hasattr(model, "fitted_")


def test_the_number_of_samples_is_a_size(model):
    with pytest.raises(InputError) as caught:
        model.sample(0)
    assert (caught.value.code, caught.value.found) == ("bad-n", 0)


# Frames


def test_columns_rows_and_future_dates(model, frame):
    forecast = model.predict(level=[80])
    assert forecast.columns == COLUMNS
    assert forecast["unique_id"].to_list() == [name for name in LENGTHS for _ in range(SMALL["horizon"])]
    first = {name: forecast.filter(unique_id=name)["ds"].to_list() for name in LENGTHS}
    assert first["b"] == [date(2003, 5, 1), date(2003, 6, 1), date(2003, 7, 1)]
    assert first["short"] == [date(2000, 4, 1), date(2000, 5, 1), date(2000, 6, 1)]
    assert (forecast["throughtime-lo-80"] < forecast["throughtime"]).all()
    assert (forecast["throughtime"] < forecast["throughtime-hi-80"]).all()
    assert forecast.drop("unique_id", "ds").select(pl.all().is_finite().all()).row(0) == (True, True, True)


def test_levels_come_in_the_order_asked(model):
    assert model.predict(level=[95, 80]).columns == [
        *COLUMNS[:3],
        *(f"throughtime-{s}-95" for s in ("lo", "hi")),
        *COLUMNS[3:],
    ]
    with pytest.raises(InputError, match="level 150"):
        model.predict(level=[80, 150])


@pytest.mark.parametrize(
    ("convert", "kind"),
    [(pl.DataFrame.to_pandas, pd.DataFrame), (pl.DataFrame.to_arrow, pa.Table)],
    ids=["pandas", "pyarrow"],
)
def test_a_frame_of_the_same_kind_comes_back(frame, model, convert, kind):
    forecast = fit(convert(frame)).predict(level=[80])
    assert isinstance(forecast, kind)
    back = pl.DataFrame(forecast)
    assert back.columns == COLUMNS
    np.testing.assert_array_equal(points(back), points(model.predict()))
    assert back["ds"].cast(pl.Date).to_list() == model.predict()["ds"].to_list()


def test_a_plain_series_of_two_columns(frame):
    forecast = fit(frame.filter(unique_id="short").select("ds", "y")).predict()
    assert forecast["ds"].to_list() == [date(2000, 4, 1), date(2000, 5, 1), date(2000, 6, 1)]


# Short, constant and gappy series


def test_a_series_not_longer_than_the_horizon_has_the_pretrained_forecast_and_is_named(model, frame):
    short = points(model.predict().filter(unique_id="short"))
    values = frame.filter(unique_id="short")["y"].to_numpy()
    pretrained = tt.pretrained().quantiles([values], 3, (12, 1))
    np.testing.assert_allclose(short, pretrained[0, :, MEDIAN], rtol=1e-6)
    made = decisions(model.panel_, model.panel_.lengths, model.fitted_, model.config)
    assert (made.short, made.series, made.horizon) == (("short",), 3, 3)
    assert [note for note in model.notes_ if "1 of 3 series" in note and "(short)" in note]


def test_all_series_too_short(frame, tmp_path):
    model = tt.Forecaster(6, season=2).fit(frame.group_by("unique_id", maintain_order=True).head(5))
    assert model.networks_ == ()
    assert model.losses_.shape == (0, 0)
    histories = [frame.filter(unique_id=name)["y"][:5].to_numpy() for name in sorted(LENGTHS)]
    expected = tt.pretrained().quantiles(histories, 6, (2, 1))[:, :, MEDIAN]
    forecast = model.predict().sort("unique_id", maintain_order=True)
    np.testing.assert_allclose(points(forecast), expected.ravel(), rtol=1e-6)
    model.save(tmp_path / "model")
    assert_frame_equal(tt.load(tmp_path / "model").predict(), model.predict(), check_dtypes=False)


@pytest.mark.parametrize("constant", [5.0, 0.0, -3.25e6, 0.1])
def test_a_constant_series_has_the_constant(frame, constant):
    """Among others that move; its intervals have no width."""
    flat = frame.with_columns(y=pl.when(pl.col("unique_id") == "a").then(constant).otherwise("y"))
    forecast = fit(flat).predict(level=[80]).filter(unique_id="a")
    assert (forecast.select(COLUMNS[2:]).to_numpy() == constant).all()


def test_constant_series_alone(frame):
    forecast = fit(frame.with_columns(y=pl.lit(7.0))).predict(level=[80])
    assert (forecast.select(COLUMNS[2:]).to_numpy() == 7.0).all()


def test_gaps_are_no_obstacle(frame, model):
    """Missing values in the middle, at the end, and whole rows that are not there."""
    place = pl.int_range(pl.len()).over("unique_id")
    gappy = frame.with_columns(y=pl.when(place.is_in([4, 5, 17, 30])).then(None).otherwise("y")).filter(place != 20)
    forecast = fit(gappy).predict(level=[80])
    assert forecast["ds"].to_list() == model.predict()["ds"].to_list()
    assert np.isfinite(forecast.select(COLUMNS[2:]).to_numpy()).all()


def test_a_series_without_any_movement_to_learn_from_is_no_crash(frame):
    """All futures of all windows are missing but three values."""
    place = pl.int_range(pl.len()).over("unique_id")
    forecast = fit(frame.with_columns(y=pl.when(place.is_in([0, 1, 2])).then("y"))).predict()
    assert np.isfinite(points(forecast)).all()


def test_padding_a_series_with_missing_values_changes_nothing(frame, model):
    """Five months before the first observation of two series, one of which has the baseline."""
    before = pl.date_range(date(1999, 8, 1), date(1999, 12, 1), "1mo", eager=True)
    padding = [
        pl.DataFrame({"unique_id": name, "ds": before, "y": None}, schema=frame.schema) for name in ("a", "short")
    ]
    for padded in (fit(pl.concat([frame, *padding])), tt.Forecaster(**SMALL).fit(tt.Panel.from_frame(frame))):
        assert_frame_equal(
            padded.predict(level=[80]).sort("unique_id", "ds"),
            model.predict(level=[80]).sort("unique_id", "ds"),
            check_exact=True,
        )
    rows = tt.Forecaster(**SMALL).backtest(pl.concat([frame, *padding]), windows=2)
    assert_frame_equal(rows, tt.Forecaster(**SMALL).backtest(frame, windows=2), check_exact=True)


# Numbers


def test_the_same_seed_gives_the_same_numbers(frame, model):
    again, other = fit(frame), fit(frame, seed=1)
    for new, old in zip(jax.tree.leaves(again.networks_), jax.tree.leaves(model.networks_), strict=True):
        np.testing.assert_array_equal(new, old)
    np.testing.assert_array_equal(points(again.predict()), points(model.predict()))
    assert not np.array_equal(points(other.predict())[:3], points(model.predict())[:3])


def test_members_that_hardly_began_are_left_out_of_an_early_end(frame, model, monkeypatch):
    """One after the other: the first is done, the second two thirds, the third had one step."""
    monkeypatch.setattr("os.cpu_count", lambda: 1)

    def stop(stage, progress):
        return stage == "training 3/3" or (stage == "training 2/3" and progress.state.step == 8)

    early = tt.Forecaster(**SMALL | {"members": 3}).fit(frame, callback=stop)
    assert len(early.networks_) == 2
    assert [np.isfinite(losses).sum() for losses in early.losses_] == [12, 8]
    np.testing.assert_array_equal(early.losses_[0], model.losses_[0])
    assert np.isfinite(points(early.predict())).all()


@pytest.mark.parametrize("season", [12, None])
def test_a_lookback_shorter_than_two_seasons_is_told(model, season):
    panel = model.panel_
    config = ForecasterConfig(**SMALL | {"season": season, "lookback": 20})
    plan = make_plan(config, panel.values, panel.lengths, usual_season=12)
    made = decisions(panel, panel.lengths, model.fitted_._replace(plan=plan), config)
    assert (made.seasons, made.asked_season, made.usual_season) == ((1,), season, 12)
    assert season_note(made) == "No season: the lookback is shorter than two of 12 steps."


@pytest.fixture(scope="module")
def pair(frame):
    """Two members, trained in one thread after the other."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.cpu_count", lambda: 1)
        return fit(frame, members=2)


def test_members_differ_and_their_quantiles_are_averaged(pair, model):
    assert pair.losses_.shape == (2, SMALL["steps"])
    np.testing.assert_array_equal(pair.losses_[0], model.losses_[0])  # the first is what it is alone
    assert not np.allclose(pair.losses_[0], pair.losses_[1], rtol=1e-3)
    panel, plan, both = pair.panel_, pair.plan_, pair.networks_
    cutoffs = panel.lengths
    rows = np.array([0, 1])
    prepared = prepare(panel, cutoffs, plan)
    alone = [network_quantiles((network,), prepared, rows, cutoffs[rows]) for network in both]
    assert not np.allclose(*alone, rtol=1e-3)
    assert all((np.diff(quantiles, axis=-1) >= 0).all() for quantiles in alone)
    expected = prepared.first[rows, None, None] * np.exp(np.mean(alone, axis=0) - prepared.center[rows, None, None])
    np.testing.assert_allclose(forecast_quantiles(pair.fitted_, pair.panel_, cutoffs)[rows], expected, rtol=1e-12)


def test_the_number_of_threads_changes_no_number(pair, frame, monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    stages = set()
    again = tt.Forecaster(**SMALL | {"members": 2}).fit(frame, callback=lambda stage, _: stages.add(stage))
    assert stages == {"training 1/2", "training 2/2"}
    for new, old in zip(jax.tree.leaves(again.networks_), jax.tree.leaves(pair.networks_), strict=True):
        np.testing.assert_array_equal(new, old)
    np.testing.assert_array_equal(again.losses_, pair.losses_)
    np.testing.assert_array_equal(points(again.predict()), points(pair.predict()))


def test_fit_again_forgets_the_first_frame(frame, model):
    again = fit(frame.with_columns(y=100 - 2 * pl.col("y")))
    again.fit(frame)
    np.testing.assert_array_equal(points(again.predict()), points(model.predict()))


@pytest.mark.parametrize("factor", [1000.0, 1 / 3])
def test_units_do_not_matter(frame, model, factor):
    """The network sees logarithms here, and plain values where some are negative."""
    scaled = fit(frame.with_columns(pl.col("y") * factor))
    np.testing.assert_allclose(points(scaled.predict()), factor * points(model.predict()), rtol=1e-4)
    negative = frame.with_columns(pl.col("y") - 13)
    plain, scaled = fit(negative), fit(negative.with_columns(pl.col("y") * factor))
    assert (model.plan_.log, plain.plan_.log) == (True, False)
    np.testing.assert_allclose(
        points(scaled.predict()), factor * points(plain.predict()), rtol=1e-3, atol=1e-3 * factor
    )


def test_a_far_level_costs_no_digits(frame):
    """Movements of 1 around ten million: what float32 could not tell apart."""
    near, far = (fit(frame.with_columns(pl.col("y") + level)) for level in (-13.0, -13.0 - 1e7))
    trained = pl.col("unique_id") != "short"  # the pretrained network looks at the level of a series, too
    np.testing.assert_allclose(
        points(far.predict().filter(trained)) + 1e7, points(near.predict().filter(trained)), atol=1e-3
    )


def test_quantiles_ascend_in_the_datas_units(model):
    quantiles = forecast_quantiles(model.fitted_, model.panel_, np.array([40, 30, 3]))
    assert quantiles.shape == (3, SMALL["horizon"], len(QUANTILES))
    assert (np.diff(quantiles, axis=-1) > 0).all()


# On disk


def hourly(frame):
    """The same values, hour by hour through the night in which clocks are set forward."""
    hours = pd.date_range("2024-03-30", periods=max(LENGTHS.values()), freq="h", tz="Europe/Vienna")
    return frame.to_pandas().assign(ds=hours[np.concatenate([np.arange(length) for length in LENGTHS.values()])])


@pytest.mark.parametrize("times", [lambda frame: frame, hourly], ids=["months", "hours in a zone"])
def test_a_saved_forecaster_forecasts_the_same(frame, tmp_path, times):
    """With several series, one of which has the baseline, and a gap whose filling comes from long before."""
    place = pl.int_range(pl.len()).over("unique_id")
    frame = times(frame.with_columns(y=pl.when((place < 4) | (place > 7)).then("y")))
    model = fit(frame)
    model.save(tmp_path / "model")
    loaded = tt.load(tmp_path / "model")
    assert loaded.get_params() == model.get_params()
    assert (loaded.plan_, loaded.calibration_) == (model.plan_, model.calibration_)
    assert loaded.notes_ == model.notes_
    np.testing.assert_array_equal(loaded.losses_, model.losses_)
    actual, expected = loaded.predict(level=[80]), model.predict(level=[80])
    assert isinstance(actual, pl.DataFrame)
    expected = pl.DataFrame(expected).with_columns(pl.col("ds").cast(actual["ds"].dtype))
    assert_frame_equal(actual, expected, check_exact=True)


def test_a_saved_ensemble_forecasts_the_same(pair, tmp_path):
    pair.save(tmp_path / "model")
    loaded = tt.load(tmp_path / "model")
    assert (loaded.get_params(), loaded.plan_) == (pair.get_params(), pair.plan_)
    assert loaded.calibration_ == pair.calibration_
    assert len(loaded.networks_) == 2
    np.testing.assert_array_equal(loaded.losses_, pair.losses_)
    actual, expected = (forecast_quantiles(m.fitted_, m.panel_, np.array([40, 30, 3])) for m in (loaded, pair))
    np.testing.assert_array_equal(actual, expected)


def save_changed(model, path, monkeypatch, change):
    """Save a model after ``change(config, arrays)``, without a pretrained network, which former versions had not."""
    write = persistence.write_folder

    def write_another(path, kind, config, arrays):
        config.pop("zero_shot")
        change(config, arrays)
        write(path, kind, config, arrays)

    monkeypatch.setattr(persistence, "write_folder", write_another)
    model.save(path)


def as_one_plan(config):
    """Turn the configuration into that of version 0.1.0, which had no calibration."""
    calibration, plan = config.pop("calibration"), config["plan"]
    plan["most_steps"], plan["steps"], plan["stretch"] = plan["steps"], calibration["steps"], calibration["stretch"]
    plan["design"]["skip"] = plan.pop("skip")


def without_members(config, arrays):
    """As before 0.1.0, with one network and one stretch."""
    as_one_plan(config)
    config.pop("members")
    config["params"].pop("members")
    for name in ("members", "encodings"):
        config["plan"].pop(name)
    config["plan"]["stretch"] = 1.0
    for name in ("blocks", "covariates", "history"):
        config["plan"]["design"].pop(name)
    config["panel"].pop("covariates")
    for name in [name for name in arrays if name.startswith("networks.")]:
        arrays[name.replace("networks.0.", "network.")] = arrays.pop(name)


def without_history(config, arrays):
    """As before 0.1.0, with one base fewer: its arrays would not fit, and their names would tell a user nothing."""
    as_one_plan(config)
    config["plan"]["design"].pop("history")


@pytest.mark.parametrize("change", [without_members, without_history])
def test_a_model_with_another_network_is_refused(model, tmp_path, monkeypatch, change):
    save_changed(model, tmp_path / "model", monkeypatch, change)
    with pytest.raises(InputError) as caught:
        tt.load(tmp_path / "model")
    assert (caught.value.code, caught.value.file) == ("former-network", str(tmp_path / "model"))
    assert str(caught.value).endswith("fit the forecaster again")


def test_a_model_that_was_saved_with_one_plan_is_the_same(model, tmp_path, monkeypatch):
    """Version 0.1.0 wrote the steps and the stretch that it had found into the plan."""
    model = copy.copy(model)
    model.fitted_ = model.fitted_._replace(calibration=Calibration(7, tuple(np.linspace(1, 2, len(QUANTILES)))))
    save_changed(model, tmp_path / "model", monkeypatch, lambda config, arrays: as_one_plan(config))
    loaded = tt.load(tmp_path / "model")
    assert (loaded.plan_, loaded.calibration_) == (model.plan_, model.calibration_)
    former = [m.predict(level=[80]).filter(pl.col("unique_id") != "short") for m in (loaded, model)]
    assert_frame_equal(*former, check_dtypes=False, check_exact=True)


# Backtests


def test_backtest_rows(frame, model):
    rows = tt.Forecaster(**SMALL).backtest(frame, windows=2, level=[80])
    naive = ["seasonal_naive", "seasonal_naive-lo-80", "seasonal_naive-hi-80"]
    assert rows.columns == ["unique_id", "ds", "cutoff", "y", *COLUMNS[2:], *naive]
    assert rows["unique_id"].to_list() == 2 * (["b"] * 3 + ["a"] * 3)  # the short one takes no part
    truth = rows.join(frame, on=["unique_id", "ds"], suffix="_true")
    assert len(truth) == len(rows)
    assert (truth["y"] == truth["y_true"]).all()
    before = rows.with_columns(pl.col("ds").dt.offset_by("-12mo")).join(frame, on=["unique_id", "ds"], suffix="_true")
    assert (before["seasonal_naive"] == before["y_true"]).all()
    cutoffs = rows.group_by("unique_id", maintain_order=True).agg(pl.col("cutoff").unique(maintain_order=True))
    assert cutoffs.rows() == [
        ("b", [date(2002, 10, 1), date(2003, 1, 1)]),
        ("a", [date(2002, 1, 1), date(2002, 4, 1)]),
    ]
    ahead = rows.group_by("unique_id", "cutoff").agg(pl.col("ds").min() == pl.col("cutoff").first().dt.offset_by("1mo"))
    assert ahead["ds"].all()


def test_a_backtest_is_training_before_all_windows_and_forecasting_from_each(frame):
    rows = tt.Forecaster(**SMALL).backtest(frame, windows=2)
    panel = tt.Panel.from_frame(frame)
    lengths = np.maximum(panel.lengths - 2 * SMALL["horizon"], 0)
    fitted = fit_panel(ForecasterConfig(**SMALL), panel, lengths)
    last_cutoffs = np.maximum(panel.lengths - SMALL["horizon"], 0)
    medians = forecast_quantiles(fitted, panel, last_cutoffs)[:, :, QUANTILES.index(0.5)]
    last = rows.filter(pl.col("cutoff") == pl.col("cutoff").max().over("unique_id"))
    np.testing.assert_array_equal(points(last), medians[:2].ravel())


def test_a_backtest_leaves_the_forecaster_as_it_is(frame, model):
    before, fitted = points(model.predict()), model.fitted_
    model.backtest(frame, windows=1)
    assert model.fitted_ is fitted
    np.testing.assert_array_equal(points(model.predict()), before)


def test_a_parameter_that_changes_after_fit_waits_for_the_next_fit(frame, model):
    changed = fit(frame).set_params(horizon=5, seed=4)
    np.testing.assert_array_equal(points(changed.predict()), points(model.predict()))
    assert len(changed.sample(2)) == 2 * len(LENGTHS) * SMALL["horizon"]


def test_to_predict_changes_nothing(frame):
    model = fit(frame)
    before = dict(vars(model))
    model.predict(level=[80])
    model.sample(2)
    assert vars(model) == before


@pytest.mark.parametrize(("windows", "message"), [(0, "at least 1 backtest window, got 0"), (13, "the longest has 40")])
def test_impossible_backtests_are_refused(model, frame, windows, message):
    with pytest.raises(InputError, match=message):
        model.backtest(frame, windows=windows)


def test_a_trend_with_a_season_is_forecast_better_than_by_the_season_alone(frame, monkeypatch):
    """With what is decided by itself, by a held-out run too; but for small networks and fewer steps."""
    monkeypatch.setattr("throughtime.forecasting.plan.STEPS", (450,) * 3)
    rows = tt.Forecaster(3, hidden=4, season=12, preset="fast").backtest(frame, windows=2)
    errors = {name: (rows[name] - rows["y"]).abs().mean() for name in ("throughtime", "seasonal_naive")}
    assert errors["throughtime"] < 0.6 * errors["seasonal_naive"]


# Odd series


@pytest.mark.parametrize("factor", [2.0**900, 2.0**-900])
def test_values_of_any_size_are_forecast(frame, model, factor):
    """A power of two changes no digit, so the network sees the same."""
    plain = tt.Forecaster(**SMALL).fit(frame.with_columns(y=pl.col("y") - 12))  # no logarithms
    large = tt.Forecaster(**SMALL).fit(frame.with_columns(y=(pl.col("y") - 12) * factor))
    np.testing.assert_array_equal(points(large.predict())[:6], points(plain.predict())[:6] * factor)


def test_a_bound_of_positive_values_is_not_below_zero(frame):
    wild = frame.with_columns(y=(pl.col("y").hash(0) % 1000 / 100.0).exp())
    forecast = fit(wild).predict(level=[99.99])
    assert (forecast["throughtime-lo-99.99"] >= 0).all()
    assert (forecast["throughtime-lo-99.99"] <= forecast["throughtime"]).all()


def test_a_pandas_index_that_is_a_column_too(frame, model):
    native = frame.to_pandas()
    doubled = native.set_index("ds", drop=False)
    np.testing.assert_array_equal(points(fit(doubled).predict()), points(fit(native).predict()))


@pytest.mark.parametrize(
    ("lengths", "horizon", "enough"),
    [
        ([36], 12, True),
        ([35], 12, False),
        ([20, 20, 20], 12, True),
        ([20, 20, 12, 12], 12, False),
        ([9], 1, True),
        ([8], 1, False),
    ],
)
def test_a_network_takes_windows_enough(lengths, horizon, enough):
    offsets = np.append(0, np.cumsum(lengths))
    starts, axis = np.zeros(len(lengths), int), Frequency("integer", stamp="int64")
    panel = tt.Panel(np.arange(len(lengths)), np.ones(offsets[-1]), offsets, starts, axis)
    assert trainable(panel, panel.lengths, horizon) == enough


@pytest.mark.parametrize("horizon", [29, 25, 15])
def test_a_series_hardly_longer_than_the_horizon_has_the_pretrained_forecast(horizon):
    """A random walk: a trained network would have seen one future or two, and be sure of it."""
    walk = np.cumsum(np.random.default_rng(1).normal(size=30))
    model = tt.Forecaster(horizon).fit(pl.DataFrame({"ds": np.arange(30), "y": walk}))
    forecast = model.predict(level=[95])
    quantiles = tt.pretrained().quantiles([walk], horizon)[0]
    bounds = forecast.select("throughtime-lo-95", "throughtime", "throughtime-hi-95").to_numpy()
    np.testing.assert_allclose(bounds, quantiles[:, [0, MEDIAN, -1]], rtol=1e-6)
    assert [note for note in model.notes_ if f"{30 - horizon} different windows with {horizon} steps" in note]


def test_nothing_is_below_zero_where_no_value_was(frame):
    """Zeros have no logarithm, so the network sees plain values and could."""
    model = fit(frame.with_columns(y=(pl.col("y") - 12.5).clip(0)))
    assert not model.plan_.log
    forecast = model.predict(level=[80, 99.99])
    lowest = forecast.drop("unique_id", "ds").to_numpy().min()
    assert lowest == 0
    assert forecast_quantiles(model.fitted_, model.panel_, model.panel_.lengths).min() == 0
    below = fit(frame.with_columns(y=pl.col("y") - 12.5)).predict(level=[80, 99.99])
    assert below.drop("unique_id", "ds").to_numpy().min() < 0


@pytest.mark.parametrize(
    "effort", [{"preset": "fast", "steps": 200}, pytest.param({}, marks=pytest.mark.slow)], ids=["fast", "defaults"]
)
def test_the_air_passengers_are_forecast_better_than_by_seasonal_naive(shared_data, effort):
    """The headline: the last twelve months held back."""
    table = pl.read_csv(shared_data / "air_passengers.csv")
    forecast = tt.Forecaster(horizon=12, **effort).fit(table.head(-12)).predict()
    y = table[:, 1].to_numpy().astype(float)
    scale = np.abs(y[12:-12] - y[:-24]).mean()
    network, naive = (np.abs(y[-12:] - guess).mean() / scale for guess in (points(forecast), y[-24:-12]))
    assert network < naive
