"""A fitted model in use: other series, new rows, anomalies; and that it learns nothing from them."""

import copy
from datetime import date, timedelta

import jax
import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from tests.forecasting.conftest import seasonal_values

import throughtime as tt
from throughtime._errors import InputError
from throughtime.data import Panel
from throughtime.forecasting import MEDIAN, QUANTILES, interval_columns
from throughtime.forecasting.intervals import shares_below

KINDS = {"polars": lambda frame: frame, "pandas": pl.DataFrame.to_pandas, "pyarrow": pl.DataFrame.to_arrow}
DAYS = [date(2024, 1, 1) + timedelta(day) for day in range(90)]


def daily_frame(lengths: dict[str, int], seed: int = 0) -> pl.DataFrame:
    """Series of a week's season, some of their values negative, one value in ten missing and one row in twenty."""
    draw, parts = np.random.default_rng(seed), []
    for number, (name, length) in enumerate(lengths.items()):
        y = 4 * number + 3 * np.sin(2 * np.pi * np.arange(length) / 7) + draw.normal(size=length)
        missing = draw.random(length) < 0.1
        part = pl.DataFrame({"unique_id": name, "ds": DAYS[:length], "y": np.where(missing, np.nan, y)})
        kept = draw.random(length) >= 0.05
        kept[[0, 1, -1]] = True
        parts.append(part.filter(kept).with_columns(pl.col("y").fill_nan(None)))
    return pl.concat(parts)


def instant(frame, horizon: int = 5, **arguments) -> tt.Forecaster:
    return tt.Forecaster(horizon=horizon, preset="instant").fit(frame, **arguments)


def with_panel(model: tt.Forecaster, panel: Panel) -> tt.Forecaster:
    """The same networks, plan and calibration, with other series."""
    other = copy.copy(model)
    other.fitted_ = model.fitted_._replace(panel=panel)
    return other


def series_of(panel: Panel) -> dict[str, str]:
    """The start and the values of each series, as text: NaN is equal to itself."""
    return {name: f"{panel.starts[k]} {panel.series(k).tolist()}" for k, name in enumerate(panel.ids.tolist())}


def by_series(forecasts: pl.DataFrame) -> pl.DataFrame:
    return forecasts.sort("unique_id", maintain_order=True)


@pytest.fixture(scope="module")
def daily() -> tt.Forecaster:
    return instant(daily_frame({"a": 61, "b": 34}))


# Other series


@pytest.mark.parametrize("values", [1, 40, 61])
def test_a_large_panel_is_forecast_in_blocks(daily, monkeypatch, values):
    frame = daily_frame({"c": 22, "a": 61, "d": 40, "b": 34})
    expected = daily.predict(frame, [80, 95])
    monkeypatch.setattr("throughtime.forecasting.forecasts.VALUES_AT_ONCE", values)
    assert_frame_equal(daily.predict(frame, [80, 95]), expected, rel_tol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_other_series_are_forecast_as_if_the_pretrained_network_had_been_given_them(daily, kind):
    """Of other lengths, with negative values, in the frame's own kind; and the model stays as it was."""
    fitted, frame = daily.fitted_, daily_frame({"low": 25, "b": 52, "short": 9}, seed=1)
    frame = KINDS[kind](frame.with_columns(pl.col("y") - 7))
    actual, expected = daily.predict(frame, level=[80, 95]), instant(frame).predict(level=[80, 95])
    assert type(actual) is type(frame)
    assert_frame_equal(pl.DataFrame(actual), pl.DataFrame(expected), check_exact=True)
    assert pl.DataFrame(actual)["throughtime"].min() < 0
    assert daily.fitted_ is fitted


def test_forecasts_of_another_series_are_those_that_it_had_in_training(model, frame):
    """Of trained networks: whatever its name, whether or not the others are there, and with fewer steps."""
    expected = model.predict(level=[80])
    assert_frame_equal(model.predict(frame, level=[80]), expected, check_exact=True)
    alone = frame.filter(unique_id="a").with_columns(unique_id=pl.lit("new"))
    found = model.predict(alone, level=[80])
    assert found["unique_id"].unique().to_list() == ["new"]
    assert_frame_equal(found.drop("unique_id"), expected.filter(unique_id="a").drop("unique_id"), rel_tol=1e-6)
    panel = Panel.from_frame(frame)
    assert_frame_equal(
        model.predict(panel, horizon=2), expected.group_by("unique_id", maintain_order=True).head(2)[:, :3]
    )


def test_another_number_of_series_or_length_compiles_nothing(model, frame):
    model.predict(frame)
    events: list[str] = []

    def hear(event: str, duration: float, **more: str) -> None:
        del duration, more
        if event.endswith("backend_compile_duration"):
            events.append(event)

    jax.monitoring.register_event_duration_secs_listener(hear)
    try:
        months = pl.date_range(date(1990, 1, 1), date(1999, 12, 1), "1mo", eager=True)
        for count, length in ((1, 17), (5, 29), (20, 120)):
            parts = [
                {"unique_id": f"n{k}", "ds": months[:length], "y": seasonal_values(length, k)} for k in range(count)
            ]
            assert len(model.predict(pl.concat(map(pl.DataFrame, parts)))) == 3 * count
        updated = copy.copy(model).update(pl.DataFrame({"unique_id": ["a"], "ds": [date(2002, 8, 1)], "y": [11.0]}))
        updated.predict()
    finally:
        jax.monitoring.unregister_event_duration_listener(hear)
    assert events == []


def test_the_columns_keep_their_names(daily, tmp_path):
    names = {"id": "shop", "time": "day", "target": ["sold", "left"]}
    frame = daily_frame({"a": 40}).select(shop="unique_id", day="ds", sold="y", left=pl.col("y") + 2, other=pl.lit(1.0))
    model = instant(frame, **names)
    longer = pl.concat([frame, frame.tail(1).with_columns(pl.col("day") + timedelta(3))])
    expected = instant(longer, **names).predict(level=80)
    model.save(tmp_path / "model")
    for same in (model, tt.load(tmp_path / "model")):
        assert_frame_equal(same.predict(longer, level=80), expected)
        assert_frame_equal(same.update(longer.tail(1)).predict(level=80), expected, check_dtypes=False)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"sold": pl.lit("many")}, "not-a-number"),
        ({"day": pl.lit("yesterday")}, "not-a-time"),
        ({"day": pl.lit(None)}, "missing-time"),
        ({"sold": pl.lit(None), "stock": 3.0, "since": pl.col("day")}, None),
    ],
)
def test_no_value_of_later_rows_decides_which_column_is_meant(change, code, tmp_path):
    """Those of the fit are, though they were found there: rows that have other columns are looked at as it looked."""
    frame = daily_frame({"a": 40}).rename({"unique_id": "shop", "ds": "day", "y": "sold"})
    later = frame.tail(1).with_columns(pl.col("day") + timedelta(3))
    instant(frame, id="shop").save(tmp_path / "model")
    for model in (instant(frame, id="shop"), tt.load(tmp_path / "model")):
        if code is None:
            assert model.update(later.with_columns(**change)).panel_.lengths.tolist() == [43]
            continue
        with pytest.raises(InputError) as caught:
            model.update(later.with_columns(**change))
        assert (caught.value.code, caught.value.line) == (code, 1)
        renamed = later.rename({"day": "date", "sold": "sales"})
        assert model.update(renamed).panel_.lengths.tolist() == [43]


def test_fewer_steps_are_the_first_ones(daily):
    whole = daily.predict(level=80)
    for steps in (1, np.int64(3), 5):
        expected = whole.group_by("unique_id", maintain_order=True).head(int(steps))
        assert_frame_equal(daily.predict(level=80, horizon=steps), expected, check_exact=True)


HOURS = pl.DataFrame({"ds": [date(2024, 1, 1)] * 30, "y": range(30)}).with_columns(
    pl.col("ds").cast(pl.Datetime) + pl.duration(hours=pl.int_range(30))
)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"frame": [80, 95]}, "level-without-name"),
        ({"frame": 80}, "level-without-name"),
        ({"horizon": 6}, "long-horizon"),
        ({"horizon": 0}, "bad-horizon"),
        ({"level": 0.8}, "impossible-level"),
        ({"frame": HOURS}, "other-frequency"),
        ({"frame": HOURS.gather_every(24, 5).head(1)}, "other-frequency"),
        ({"frame": pl.DataFrame({"ds": DAYS[::7], "y": range(13)})}, "other-frequency"),
        ({"frame": Panel.from_frame(pl.DataFrame({"ds": DAYS[::7], "y": range(13)}))}, "other-frequency"),
        ({"frame": pl.DataFrame({"ds": range(20), "y": range(20)})}, "other-time-stamps"),
        ({"frame": HOURS.gather_every(24).with_columns(pl.col("ds").dt.replace_time_zone("UTC"))}, "other-time-stamps"),
        ({"frame": pl.DataFrame({"ds": [*DAYS[:2], date(2029, 1, 1)], "y": [1, 2, 3]})}, "irregular-times"),
        ({"frame": pl.DataFrame({"ds": DAYS[:3], "y": [None, None, None]})}, "all-missing"),
        ({"frame": "sales.csv"}, "not-a-dataframe"),
    ],
)
def test_what_cannot_be_forecast(daily, arguments, code):
    with pytest.raises(InputError) as caught:
        daily.predict(**arguments)
    assert caught.value.code == code


def test_counts_stay_counts():
    """A head refuses values that it cannot have, wherever they come from."""
    model = instant(pl.DataFrame({"ds": DAYS[:9], "y": [3, 0, 2] * 3}))
    plan = model.plan_
    design = plan.design._replace(head="negative_binomial")
    model.fitted_ = fitted = model.fitted_._replace(plan=plan._replace(design=design))
    later = pl.DataFrame({"ds": DAYS[9:11], "y": [1.0, 0.5]})
    for use in (model.update, model.predict, model.anomalies):
        with pytest.raises(InputError):
            use(later)
    assert model.fitted_ is fitted
    assert len(model.predict(later.head(1))) == len(model.update(later.head(1)).predict()) == 5


# New rows


@pytest.mark.parametrize("seed", range(8))
def test_an_updated_model_is_one_that_was_given_all_rows(seed):
    """However they are split, series by series, in which order and kind they come, with whatever is missing."""
    draw = np.random.default_rng(seed)
    lengths = {name: int(length) for name, length in zip("abcde", draw.integers(30, 90, 5), strict=True)}
    rows = daily_frame(lengths, seed)
    splits = {name: sorted(int(split) for split in draw.integers(0, 60, 2)) for name in lengths}
    splits["a"][0] = max(splits["a"][0], 20)  # the first part tells the frequency
    place = rows.select(pl.int_range(pl.len()).over("unique_id")).to_series().to_numpy()
    first, second = (rows["unique_id"].replace_strict({k: v[n] for k, v in splits.items()}).to_numpy() for n in (0, 1))
    part = (place >= first).astype(int) + (place >= second)
    model = instant(rows.filter(part == 0))
    for number in (1, 2):
        chunk = rows.filter(part == number)
        if len(chunk):
            chunk = chunk.sample(fraction=1.0, shuffle=True, seed=seed)
            kind = draw.choice(list(KINDS))
            assert model.update(KINDS[kind](chunk)) is model
    expected = with_panel(model, instant(rows).panel_)
    assert_frame_equal(by_series(model.predict(level=80)), by_series(expected.predict(level=80)), check_exact=True)
    assert series_of(model.panel_) == series_of(expected.panel_)


def test_rows_come_one_after_the_other():
    """As in a stream: even one without a value; a saved model goes on; numbers as names of series may be text."""
    rows = pl.DataFrame(
        {"unique_id": 7, "ds": DAYS[:40], "y": [None if k in (30, 31, 39) else k % 7 for k in range(40)]}
    )
    model = instant(rows.head(29))
    for row in rows.slice(29).iter_slices(1):
        model.update(row.with_columns(pl.col("unique_id").cast(pl.String)))
    expected = with_panel(model, instant(rows).panel_)
    assert_frame_equal(model.predict(level=80), expected.predict(level=80), check_exact=True)


@pytest.mark.parametrize(
    ("name", "names"), [("9", [3, 7, 9]), ("09.0", [3, 7, 9]), ("1_0", ["3", "7", "1_0"]), ("x", ["3", "7", "x"])]
)
def test_numbered_series_keep_their_numbers_when_new_ones_come_as_text(name, names):
    """As from CSV, whose rows have no types; a name that is no number makes text of all."""
    frame = pl.concat([daily_frame({"x": 20}, seed).with_columns(unique_id=pl.lit(seed)) for seed in (3, 7)])
    model = instant(frame)
    lengths = model.panel_.lengths
    later = pl.DataFrame({"unique_id": ["3", name], "ds": [frame["ds"].max() + timedelta(1)] * 2, "y": [4.0, 5.0]})
    for days in (0, 1):
        model.update(later.with_columns(pl.col("ds") + timedelta(days)))
        assert model.panel_.ids.tolist() == names
    assert (model.panel_.lengths - [*lengths, 0]).tolist() == [2, 0, 2]


def test_any_whole_number_is_a_seed(daily):
    assert daily.sample(3, seed=-1).equals(daily.sample(3, seed=-1))
    assert not daily.sample(3, seed=-1).equals(daily.sample(3, seed=1))


def test_an_updated_trained_model_is_one_that_was_given_all_rows(model, frame, tmp_path):
    before = copy.copy(model)
    months = pl.date_range(date(2003, 5, 1), date(2003, 11, 1), "1mo", eager=True)
    later = pl.DataFrame({"unique_id": "b", "ds": months[1:], "y": seasonal_values(6, 5)})
    other = pl.DataFrame({"unique_id": "n", "ds": months, "y": seasonal_values(7, 6)})
    before.save(tmp_path / "model")
    for updated in (before, tt.load(tmp_path / "model")):
        updated.update(later).update(other)
        expected = with_panel(model, instant(pl.concat([frame, later, other]), horizon=3).panel_)
        assert_frame_equal(updated.predict(level=80), expected.predict(level=80), rel_tol=1e-5, check_dtypes=False)
    assert set(model.predict()["unique_id"]) == {"a", "b", "short"}


@pytest.mark.parametrize(
    ("rows", "code", "line"),
    [
        ({"unique_id": ["a", "b"], "ds": [DAYS[61], DAYS[33]]}, "row-before-end", 2),
        ({"unique_id": ["b", "b"], "ds": [DAYS[40], DAYS[40]]}, "duplicate-time", 2),
        ({"unique_id": ["a", "b"], "ds": [DAYS[61], date(2324, 1, 1)]}, "far-row", 2),
        ({"unique_id": ["c", "c"], "ds": [DAYS[0], date(2324, 1, 1)]}, "far-row", 2),
        ({"ds": DAYS[70:72], "unique_id": [None, "a"]}, "missing-id", 1),
        ({"ds": DAYS[70:72], "z": [1, 2]}, "other-series", None),
        ({"unique_id": ["a", "a"], "ds": [100, 101]}, "other-time-stamps", 1),
        ({"unique_id": ["a"] * 2, "ds": [DAYS[70], None]}, "missing-time", 2),
        ({"unique_id": ["a"] * 2, "ds": DAYS[70:72], "y": [1.0, np.inf]}, "not-finite", 2),
    ],
)
def test_refused_rows_change_nothing(rows, code, line):
    model = instant(daily_frame({"a": 61, "b": 34}))
    fitted, values = model.fitted_, model.panel_.values.copy()
    with pytest.raises(InputError) as caught:
        model.update(pl.DataFrame({"y": [1.0, 2.0]} | rows))
    assert (caught.value.code, caught.value.line) == (code, line)
    assert model.fitted_ is fitted
    np.testing.assert_array_equal(model.panel_.values, values)


def test_a_row_between_the_steps_of_its_series_is_refused():
    """Two weekly series may be on different days; each has its own."""
    week = pl.DataFrame({"ds": DAYS[::7], "y": range(13)})
    model = instant(pl.concat([week.with_columns(unique_id=pl.lit("a")), week.with_columns(unique_id=pl.lit("b"))]))
    with pytest.raises(InputError) as caught:
        model.update(pl.DataFrame({"unique_id": ["a", "b"], "ds": [date(2024, 4, 1), date(2024, 4, 2)], "y": [1, 2]}))
    assert (caught.value.code, caught.value.line) == ("other-frequency", 2)
    model.update(pl.DataFrame({"unique_id": ["a", "new"], "ds": [date(2024, 4, 1), date(2024, 4, 2)], "y": [1, 2]}))
    assert model.panel_.lengths.tolist() == [14, 13, 1]


# Anomalies


def test_a_value_is_flagged_if_it_is_outside_of_the_interval_that_was_forecast(daily):
    frame = daily_frame({"a": 40, "b": 23}, seed=3).with_columns(
        y=pl.when((pl.col("unique_id") == "b") & (pl.col("ds") == DAYS[22])).then(90.0).otherwise("y")
    )
    found = daily.anomalies(frame.to_pandas(), level=80)
    assert type(found) is type(frame.to_pandas())
    found = pl.DataFrame(found).with_columns(pl.col("ds").cast(pl.Date))
    assert found.columns == ["unique_id", "ds", "y", "quantile", "flag"]
    season = pl.col("ds") >= DAYS[14]
    judged = frame.filter(season & pl.col("y").is_not_null())
    assert_frame_equal(found.select("unique_id", "ds", "y"), judged, check_dtypes=False)
    for name, ds, y, quantile, flag in found.gather_every(6, offset=len(found) % 6).rows():
        history = frame.filter((pl.col("unique_id") == name) & (pl.col("ds") < ds))
        steps = (ds - history["ds"].max()).days  # a missing row before it is one of the steps
        if steps > 1:
            continue
        _, _, _, low, high = daily.predict(history, level=80, horizon=1).row(0)
        assert flag == (not low <= y <= high)
        assert (quantile < 0.5) == (y < (low + high) / 2) or 0.1 < quantile < 0.9
    assert found["flag"][-1]
    assert found["quantile"][-1] > 0.999
    later = frame.with_columns(y=pl.when(pl.col("ds") < DAYS[20]).then("y").otherwise(-90.0))
    changed = pl.DataFrame(daily.anomalies(later, level=80))
    assert_frame_equal(
        changed.filter(pl.col("ds") < DAYS[20]), found.filter(pl.col("ds") < DAYS[20]), check_dtypes=False
    )


def test_anomalies_of_trained_networks(model, frame, monkeypatch):
    """However many histories are forecast at once."""
    found = model.anomalies(frame)
    assert found.group_by("unique_id", maintain_order=True).len().rows() == [("b", 16), ("a", 7)]
    monkeypatch.setattr("throughtime.forecasting.anomalies.MOST_VALUES", 200)
    np.testing.assert_allclose(model.anomalies(frame)["quantile"], found["quantile"], atol=1e-5)
    known = frame.filter(unique_id="a").head(25)
    bounds = model.predict(known, level=[50], horizon=1).row(0)[3:]
    y = frame.filter(unique_id="a")["y"][25]
    quantile = found.filter(unique_id="a")["quantile"][25 - 24]
    assert (0.25 <= quantile <= 0.75) == (bounds[0] <= y <= bounds[1])


@pytest.mark.parametrize(("arguments", "code"), [((80,), "level-without-name"), ((HOURS, 0.99), "impossible-level")])
def test_anomalies_need_a_frame_and_a_level(daily, arguments, code):
    with pytest.raises(InputError) as caught:
        daily.anomalies(*arguments)
    assert caught.value.code == code


def test_the_share_below_a_bound_is_that_of_the_interval():
    quantiles = np.sort(np.random.default_rng(0).normal(size=(9, len(QUANTILES))), axis=1)
    for level in (20.0, 55.0, 80.0, 95.0, 99.0, 99.9):
        bounds = interval_columns(quantiles, [level])
        np.testing.assert_allclose(shares_below(bounds[f"throughtime-lo-{level:g}"], quantiles), 0.5 - level / 200)
        np.testing.assert_allclose(shares_below(bounds[f"throughtime-hi-{level:g}"], quantiles), 0.5 + level / 200)
    np.testing.assert_allclose(shares_below(quantiles[:, MEDIAN], quantiles), 0.5)


def test_the_share_below_values_of_a_distribution_with_steps():
    flat = np.zeros((1, len(QUANTILES)))
    floor = np.maximum(np.arange(len(QUANTILES)) - MEDIAN - 2.0, 0)[None]  # nine of them are 0
    shares = [shares_below(np.array([y]), q)[0] for y, q in [(-1.0, flat), (0.0, flat), (1.0, flat), (-1.0, floor)]]
    np.testing.assert_allclose(shares, [0, 0.5, 1, 0], atol=1e-12)
    assert QUANTILES[0] < shares_below(np.zeros(1), floor)[0] < QUANTILES[8]


def hourly(first: int, count: int) -> pl.DataFrame:
    """Rows whose time is split over two columns."""
    hours = np.arange(first, first + count)
    days = [date(2024, 1, 1) + timedelta(hour // 24) for hour in hours.tolist()]
    return pl.DataFrame({"date": days, "hour": hours % 24, "sales": np.sin(hours / 4)})


@pytest.mark.parametrize("target", [None, "sales"])
def test_a_row_of_a_split_time_keeps_its_hour(target):
    model = instant(hourly(0, 240), target=target)
    model.update(hourly(240, 1)).update(hourly(241, 1)).update(hourly(242, 5))
    assert model.panel_.lengths.tolist() == [247]
    np.testing.assert_array_equal(model.panel_.values, hourly(0, 247)["sales"])


def test_the_time_may_be_split_though_it_was_not_when_fitted():
    rows = hourly(0, 240)
    joined = rows.select(pl.col("date").dt.combine(pl.time(pl.col("hour"))), "sales")
    model = instant(joined)
    assert_frame_equal(model.predict(rows), model.predict(joined))
