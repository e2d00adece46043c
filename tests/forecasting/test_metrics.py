"""Scores by hand, and as the libraries have them."""

import narwhals as nw
import numpy as np
import polars as pl
import pytest
import scoringrules
from utilsforecast import losses

import throughtime as tt
from throughtime.data.frequency import Frequency
from throughtime.data.panel import Panel
from throughtime.forecasting.intervals import QUANTILES, interval_columns
from throughtime.forecasting.metrics import DECILES, decile_crps, mase_by_series, score_table, scores
from throughtime.forecasting.results import BacktestResult

HISTORIES = {"b": [1.0, 2.0, 4.0, 9.0], "a": [3.0, 5.0, np.nan, 8.0, 4.0], "constant": [2.0] * 5, "short": [7.0]}
AHEAD, SEASON = 3, 2


def panel_of(values):
    lengths = [len(series) for series in values.values()]
    offsets = np.append(0, np.cumsum(lengths))
    flat, starts = np.concatenate(list(values.values())), np.zeros(len(lengths), int)
    return Panel(np.array(list(values)), flat, offsets, starts, Frequency("integer", stamp="int64"))


def made_up(models=("throughtime", "seasonal_naive", "naive2")):
    """One window of all series, forecast at random, one truth missing."""
    rng = np.random.default_rng(0)
    panel = panel_of({name: [*history, *rng.normal(5, 2, AHEAD)] for name, history in HISTORIES.items()})
    known = panel.lengths - AHEAD
    places = (panel.offsets[:-1] + known)[:, None] + np.arange(AHEAD)
    panel.values[places[1, 1]] = np.nan
    rows = {
        "unique_id": np.repeat(panel.ids, AHEAD),
        "ds": (known[:, None] + np.arange(AHEAD)).ravel(),
        "cutoff": np.repeat(known - 1, AHEAD),
        "y": panel.values[places].ravel(),
    }
    quantiles = {name: np.sort(rng.normal(5, 2, (len(rows["y"]), len(QUANTILES)))) for name in models}
    crps = {}
    for name, values in quantiles.items():
        crps[name] = decile_crps(rows["y"], values)
        rows |= interval_columns(values, [80], name)
    return BacktestResult(rows, crps, dict.fromkeys(models, 1.0), SEASON, []), panel, quantiles


@pytest.fixture(scope="module")
def scored():
    tested, panel, quantiles = made_up()
    return tested, panel, quantiles, score_table(tested, panel, levels=[80])


def of(table, metric, series=""):
    return table.filter((pl.col("metric") == metric) & (pl.col("unique_id") == series)).to_dicts()[0]


def test_the_table(scored):
    table = scored[-1]
    assert table.columns == ["unique_id", "metric", "throughtime", "seasonal_naive", "naive2"]
    overall = table.filter(unique_id="")
    assert table[: len(overall)].equals(overall)
    metrics = ["mase", "rmsse", "smape", "mae", "rmse", "wql", "crps", "coverage-80", "msis-80", "owa"]
    assert sorted(overall["metric"]) == sorted(metrics)
    assert table.filter(metric="mae")["unique_id"].to_list() == ["", "b", "a", "constant", "short"]


def test_series_without_a_scale_are_left_out(scored):
    for metric in ("mase", "rmsse", "msis-80"):
        assert scored[-1].filter(metric=metric)["unique_id"].to_list() == ["", "b", "a"]


def test_scaled_errors_by_hand(scored):
    """Seasonal naive errors: of b 3, 7; of a 3 (8 less 5) and none beside, as 4 has a gap two steps before."""
    tested, _, _, table = scored
    rows = tested.rows
    errors = rows["throughtime"] - rows["y"]
    for series, scale, squared in (("b", 5.0, 29.0), ("a", 3.0, 9.0)):
        mine = errors[(rows["unique_id"] == series) & ~np.isnan(rows["y"])]
        assert of(table, "mase", series)["throughtime"] == pytest.approx(np.abs(mine).mean() / scale)
        assert of(table, "rmsse", series)["throughtime"] == pytest.approx(np.sqrt((mine**2).mean() / squared))
    means = [of(table, "mase", series)["naive2"] for series in ("a", "b")]
    assert of(table, "mase")["naive2"] == pytest.approx(np.mean(means))


def test_as_the_libraries_have_them(scored):
    tested, _, quantiles, table = scored
    frame = pl.DataFrame({name: column for name, column in tested.rows.items() if name != "cutoff"})
    models = list(quantiles)
    decile = {f"{name}-{i}": quantiles[name][:, i] for name in models for i in DECILES}
    frame = frame.with_columns(**{key: pl.Series(column) for key, column in decile.items()}).filter(
        ~pl.col("y").is_nan()
    )
    asked = {name: [f"{name}-{i}" for i in DECILES] for name in models}
    reference = {
        "wql": losses.scaled_crps(frame, asked, np.array([QUANTILES[i] for i in DECILES])),
        "coverage-80": losses.coverage(frame, models, 80),
        "mae": losses.mae(frame, models),
    }
    for metric, expected in reference.items():
        for row in expected.to_dicts():
            name = row.pop("unique_id")
            mine = of(table, metric, name)
            assert {key: mine[key] for key in models} == pytest.approx(row)


def test_as_scoringrules_has_them():
    """The CRPS of quantiles and the interval score, of forecasts on both sides of the values."""
    draw = np.random.default_rng(7)
    y, quantiles = draw.normal(size=50), np.sort(draw.normal(size=(50, len(QUANTILES))))
    deciles = np.array([QUANTILES[place] for place in DECILES])
    expected = scoringrules.crps_quantile(y, quantiles[:, DECILES], deciles)
    np.testing.assert_allclose(decile_crps(y, quantiles), expected)
    columns = {"unique_id": ["a"] * 50, "y": y, **interval_columns(quantiles, [80, 95])}
    found = dict(scores(pl.DataFrame(columns)).rows())
    for level in (80, 95):
        bounds = (columns[f"throughtime-{side}-{level}"] for side in ("lo", "hi"))
        expected = scoringrules.interval_score(y, *bounds, 1 - level / 100)
        assert found[f"mis-{level}"] == pytest.approx(expected.mean())
        assert 0 < found[f"coverage-{level}"] < 1


def test_overall_pools_what_has_units(scored):
    tested, _, _, table = scored
    y = tested.rows["y"]
    known = ~np.isnan(y)
    errors = (tested.rows["naive2"] - y)[known]
    assert of(table, "mae")["naive2"] == pytest.approx(np.abs(errors).mean())
    assert of(table, "rmse")["naive2"] == pytest.approx(np.sqrt((errors**2).mean()))
    crps = tested.crps["naive2"][known]
    assert of(table, "crps")["naive2"] == pytest.approx(crps.mean())
    assert of(table, "wql")["naive2"] == pytest.approx(crps.sum() / np.abs(y[known]).sum())


def test_the_interval_score_by_hand(scored):
    tested, _, _, table = scored
    rows = tested.rows
    mine = rows["unique_id"] == "b"
    y, low, high = (rows[name][mine] for name in ("y", "throughtime-lo-80", "throughtime-hi-80"))
    width = (high - low) + 10 * np.maximum(low - y, 0) + 10 * np.maximum(y - high, 0)  # 2 over 1 - 80 %
    assert of(table, "msis-80", "b")["throughtime"] == pytest.approx(width.mean() / 5)


def test_smape_goes_to_200_and_owa_is_relative_to_naive2(scored):
    tested, _, _, table = scored
    rows = tested.rows
    known = ~np.isnan(rows["y"])
    terms = 200 * np.abs(rows["y"] - rows["throughtime"]) / (np.abs(rows["y"]) + np.abs(rows["throughtime"]))
    expected = np.mean([terms[known & (rows["unique_id"] == name)].mean() for name in HISTORIES])
    assert of(table, "smape")["throughtime"] == pytest.approx(expected)
    smape, mase, owa = (of(table, metric) for metric in ("smape", "mase", "owa"))
    ratios = [values["throughtime"] / values["naive2"] for values in (smape, mase)]
    assert owa["throughtime"] == pytest.approx(np.mean(ratios))
    assert owa["naive2"] == 1


def test_without_naive2_there_is_no_owa():
    tested, panel, _ = made_up(models=("throughtime", "seasonal_naive"))
    assert "owa" not in score_table(tested, panel, levels=[80])["metric"].to_list()


def test_a_table_without_any_scale():
    tested, panel, _ = made_up()
    keep = np.isin(tested.rows["unique_id"], ["constant", "short"])
    fewer = BacktestResult(
        {name: column[keep] for name, column in tested.rows.items()},
        {name: column[keep] for name, column in tested.crps.items()},
        tested.seconds,
        SEASON,
        [],
    )
    table = score_table(fewer, panel, levels=[])
    assert not {"mase", "rmsse", "owa"} & set(table["metric"])
    assert mase_by_series(table).is_empty()
    assert mase_by_series(table).columns == ["unique_id", "throughtime", "seasonal_naive", "naive2"]


def test_a_gap_in_the_history_shifts_no_season():
    """Period 3 repeats exactly but for the end: with the missing row dropped, later seasons would be compared askew."""
    panel = panel_of({"a": [1.0, 5.0, 9.0, 1.0, np.nan, 9.0, 1.0, 5.0, 10.0, 3.0]})
    rows = {"unique_id": np.array(["a"]), "ds": np.array([9]), "cutoff": np.array([8]), "y": np.array([3.0])}
    rows |= {"throughtime": np.array([2.0]), "seasonal_naive": np.array([1.0])}
    crps = {"throughtime": np.array([1.0]), "seasonal_naive": np.array([2.0])}
    scores = mase_by_series(score_table(BacktestResult(rows, crps, {}, 3, []), panel, levels=[]))
    scale = np.mean([0.0, 0.0, 0.0, 1.0])  # 1-1, 9-9, 1-1, 10-9; two differences are not known
    assert scores["throughtime"][0] == pytest.approx(1 / scale)
    assert scores["seasonal_naive"][0] == pytest.approx(2 / scale)


def test_the_scale_ends_at_the_first_cutoff():
    """Two windows of one series; what comes after the first cutoff is no part of the scale."""
    panel = panel_of({"a": [1.0, 2.0, 4.0, 9.0, 60.0, 10.0]})
    rows = {
        "unique_id": np.array(["a", "a"]),
        "ds": np.array([4, 5]),
        "cutoff": np.array([3, 4]),
        "y": np.array([60.0, 10.0]),
        "throughtime": np.array([59.0, 13.0]),
        "seasonal_naive": np.array([4.0, 9.0]),
    }
    crps = {"throughtime": np.zeros(2), "seasonal_naive": np.zeros(2)}
    scores = mase_by_series(score_table(BacktestResult(rows, crps, {}, 2, []), panel, levels=[]))
    assert scores["throughtime"][0] == pytest.approx(np.mean([1, 3]) / np.mean([3, 7]))


KINDS = ("pandas", "polars", "pyarrow")


def frame_of(result, kind="polars"):
    return nw.from_dict(result.rows, backend=kind).to_native()


@pytest.mark.parametrize("kind", KINDS)
def test_scores_of_a_frame_are_those_of_utilsforecast(scored, kind):
    """Over all values for what has units, over series for sMAPE; coverage and MAE as in the table of scores."""
    result, _, _, table = scored
    frame = frame_of(result, kind)
    by_model = tt.scores(frame)
    assert type(by_model) is type(frame)
    columns = nw.from_native(by_model).to_dict(as_series=False)
    models = list(result.crps)
    assert list(columns) == ["metric", *models]
    assert columns["metric"] == ["mae", "rmse", "smape", "rmae", "coverage-80", "mis-80"]
    metrics = {name: np.array([columns[model][i] for model in models]) for i, name in enumerate(columns["metric"])}
    known = pl.DataFrame(result.rows).drop("cutoff").filter(~pl.col("y").is_nan())
    pooled = known.with_columns(unique_id=pl.lit("all"))
    reference = {
        "mae": losses.mae(pooled, models).select(models).row(0),
        "rmse": losses.rmse(pooled, models).select(models).row(0),
        "smape": 200 * np.array(losses.smape(known, models).select(models).mean().row(0)),
        "coverage-80": losses.coverage(pooled, models, 80).select(models).row(0),
    }
    for name, values in reference.items():
        np.testing.assert_allclose(metrics[name], values, rtol=1e-12)
        np.testing.assert_allclose([of(table, name)[model] for model in models], values, rtol=1e-12)
    np.testing.assert_allclose(metrics["rmae"], metrics["mae"] / metrics["mae"][models.index("seasonal_naive")])


def test_the_mean_interval_score_of_a_frame_by_hand():
    """An interval of width 4; one value inside, one 1 below, one 2 above: 2 / (1 - 80 %) is 10."""
    rows = {"unique_id": ["a"] * 4, "y": [5.0, 2.0, 9.0, np.nan], "throughtime": [5.0] * 4}
    frame = pl.DataFrame(rows | {"throughtime-lo-80": [3.0] * 4, "throughtime-hi-80": [7.0] * 4})
    by_metric = dict(scores(frame).rows())
    assert by_metric["mis-80"] == pytest.approx(4 + 10 * (0 + 1 + 2) / 3)
    assert by_metric["coverage-80"] == pytest.approx(1 / 3)
    assert by_metric["mae"] == pytest.approx((0 + 3 + 4) / 3)
    assert "rmae" not in by_metric  # there is no seasonal naive


def test_levels_without_the_bounds_of_a_model_have_no_score():
    rows = {"unique_id": ["a"], "y": [5.0], "throughtime": [4.0], "other": [8.0]}
    frame = pl.DataFrame(rows | {"throughtime-lo-80": [3.0], "throughtime-hi-80": [7.0]})
    assert scores(frame)["metric"].to_list() == ["mae", "rmse", "smape"]


def test_two_zeros_agree_and_opposite_signs_are_200_apart():
    frame = pl.DataFrame({"unique_id": ["a", "a", "b"], "y": [0.0, 3.0, 0.0], "throughtime": [0.0, -1.0, 0.0]})
    assert dict(scores(frame).rows())["smape"] == pytest.approx((200 / 2 + 0) / 2)


@pytest.mark.parametrize(
    ("columns", "code", "column"),
    [
        ({"y": [1.0], "throughtime": [1.0]}, "missing-column", "unique_id"),
        ({"unique_id": ["a"], "throughtime": [1.0]}, "missing-column", "y"),
        ({"unique_id": ["a"], "y": ["1"], "throughtime": [1.0]}, "missing-column", "y"),
        ({"unique_id": ["a"], "y": [1.0], "model": ["x"]}, "no-scores", None),
        ({"unique_id": ["a"], "y": [np.nan], "throughtime": [1.0]}, "no-scores", None),
    ],
)
def test_frames_without_scores_are_refused(columns, code, column):
    with pytest.raises(tt.InputError, match="expected the frame of a backtest") as raised:
        scores(pl.DataFrame(columns))
    assert (raised.value.code, raised.value.column) == (code, column)
