"""The sum of the series: its intervals are right for errors that are alone, together and between."""

import numpy as np
import pytest
from tests.report.pages import LEVELS, F, backtest_of, content_of, forecasts_of, panel_of

from throughtime.report.payload import payload
from throughtime.report.totals import totals_of

MODELS = ["throughtime", "seasonal_naive", "AutoETS"]
SERIES, WINDOWS = 5, 400
SIGMA = np.array([1.0, 2.0, 3.0, 4.0, 10.0])
DEVIATIONS = {80: 1.2815515594, 95: 1.9599639861}


def backtest(together, draw):
    """Values around 0 that are forecast with the right intervals; errors of series correlate by ``together``."""
    shared = draw.normal(size=(WINDOWS, 1, F))
    own = draw.normal(size=(WINDOWS, SERIES, F))
    y = SIGMA[:, None] * (np.sqrt(together) * shared + np.sqrt(1 - together) * own)
    shape = (WINDOWS, SERIES, F)
    columns = {
        "unique_id": np.broadcast_to(np.array(list("abcde"))[:, None], shape),
        "ds": np.broadcast_to(np.arange(WINDOWS)[:, None, None] * F + np.arange(F), shape),
        "cutoff": np.broadcast_to(np.arange(WINDOWS)[:, None, None], shape),
        "y": y,
        "throughtime": np.zeros(shape),
        "seasonal_naive": np.ones(shape),
    }
    for level, deviations in DEVIATIONS.items():
        for side, sign in (("lo", -1), ("hi", 1)):
            columns[f"throughtime-{side}-{level}"] = np.broadcast_to(sign * deviations * SIGMA[:, None], shape)
    order = draw.permutation(y.size)
    return {name: column.ravel()[order] for name, column in columns.items()}


@pytest.mark.parametrize("together", [0.0, 0.4, 1.0])
def test_intervals_of_a_sum_are_as_wide_as_errors_go_together(together):
    rows = backtest(together, np.random.default_rng(1))
    found = totals_of(panel_of(list("abcde"), [40] * 5), {}, rows, MODELS[:2], LEVELS)
    assert abs(found.together - together) < 0.06
    variance = (1 - together) * np.sum(SIGMA**2) + together * SIGMA.sum() ** 2
    np.testing.assert_allclose(found.backtest["throughtime-hi-80"], DEVIATIONS[80] * np.sqrt(variance), rtol=0.05)
    np.testing.assert_allclose([share.share for share in found.coverage], np.array(LEVELS) / 100, atol=0.03)
    np.testing.assert_allclose(found.widest, SIGMA.sum() / np.sqrt(variance), rtol=0.05)
    assert found.errors["throughtime"] < found.errors["seasonal_naive"]


def test_a_sum_of_skewed_forecasts_is_the_sum_of_means():
    """Half-normal with deviations of 1 below and 3 above: the mean is 2 / sqrt(2 pi) above the median."""
    panel = panel_of(["a", "b"], [30, 30])
    ahead = forecasts_of(panel, levels=(80,))
    ahead["throughtime-lo-80"] = ahead["throughtime"] - DEVIATIONS[80]
    ahead["throughtime-hi-80"] = ahead["throughtime"] + 3 * DEVIATIONS[80]
    found = totals_of(panel, ahead, {}, MODELS[:1], (80,))
    medians = ahead["throughtime"].reshape(2, F).sum(axis=0)
    np.testing.assert_allclose(found.forecasts["throughtime"], medians + 2 * 2 / np.sqrt(2 * np.pi))
    assert (found.together, found.measured) == (1.0, False)


def test_the_history_of_a_sum_begins_when_all_series_have_and_has_their_gaps():
    panel = panel_of(["a", "b", "late"], [9, 7, 4])
    panel.values[-2] = np.nan
    panel.starts[2] -= 3  # it ends earlier than the others
    found = totals_of(panel, forecasts_of(panel), backtest_of(panel), MODELS, LEVELS)
    assert found.series == 2
    np.testing.assert_array_equal(found.values, panel.series(0)[2:] + panel.series(1))
    assert "AutoETS" not in found.forecasts
    np.testing.assert_array_equal(found.backtest["AutoETS"], (found.backtest["y"] - 4))


def test_a_series_without_a_forecast_is_in_no_sum():
    panel = panel_of(["a", "b", "empty"], [30, 30, 30])
    ahead = forecasts_of(panel)
    ahead["throughtime"][-F:] = np.nan
    found = totals_of(panel, ahead, backtest_of(panel), MODELS, LEVELS)
    assert (found.series, np.isfinite(found.forecasts["throughtime"]).all()) == (2, True)


@pytest.mark.parametrize("earlier", [2, 3])
def test_the_series_that_still_go_on_are_summed_rather_than_as_many_that_ended_long_ago(earlier):
    panel = panel_of(["old1", "old2", "old3", "live1", "live2"][3 - earlier :], [30] * earlier + [60, 60])
    panel.starts[:earlier] -= 60
    found = totals_of(panel, forecasts_of(panel), backtest_of(panel), MODELS, LEVELS)
    np.testing.assert_array_equal(found.values, panel.series(earlier) + panel.series(earlier + 1))
    assert list(found.left_out.values()) == [earlier]
    assert str(panel.times(earlier)[-1]) in next(iter(found.left_out))
    assert f"2 of {2 + earlier} series" in next(found.sentences({name: name for name in MODELS}))


def test_a_lone_last_series_leaves_the_sum_to_the_others():
    panel = panel_of(["a", "b", "lone"], [30, 30, 31])
    panel.starts[-1] += 1
    found = totals_of(panel, forecasts_of(panel), {}, MODELS, LEVELS)
    assert (found.series, list(found.left_out.values())) == (2, [1])


@pytest.mark.parametrize("windows", [0, 1])
def test_a_new_series_does_not_spoil_the_sum(windows):
    """Of three windows one is too few: the history and the measured windows would be as short as the series."""
    panel = panel_of(["a", "b", "new"], [30, 31, 1 + F * windows])
    rows = {name: np.tile(column, 2) for name, column in backtest_of(panel).items()}
    rows["cutoff"][len(rows["ds"]) // 2 :] -= 100
    kept = (rows["unique_id"] != "new") | (np.cumsum(rows["unique_id"] == "new") <= F * windows)
    rows = {name: column[kept] for name, column in rows.items()}
    found = totals_of(panel, forecasts_of(panel), rows, MODELS, LEVELS)
    assert (found.series, list(found.left_out.values()), len(found.values)) == (2, [1], 30)
    assert found.measured
    few = totals_of(panel.of_series(np.array([0, 2])), forecasts_of(panel), {}, MODELS, LEVELS)
    assert (few.series, few.left_out) == (2, {})  # nothing was tested, so nothing tells them apart


def test_a_sum_without_intervals_has_errors_and_no_word_of_intervals():
    panel = panel_of(["a", "b"], [30, 40])
    found = totals_of(panel, forecasts_of(panel, levels=()), backtest_of(panel, levels=()), MODELS, ())
    sentences = list(found.sentences({name: name for name in MODELS}))
    assert not any("interval" in sentence for sentence in sentences)
    assert all(f"{error:.1%}" in sentences[-1] for error in found.errors.values())
    assert set(found.errors) == set(MODELS)


def test_the_page_has_the_sum_at_its_steps():
    content = content_of(panel_of(["a", "b"], [30, 40]))
    data = payload(content)
    axis, total = np.cumsum(data["axis"]), data["total"]
    np.testing.assert_allclose(total["y"], content.panel.series(0) + content.panel.series(1)[10:], rtol=1e-5)
    first = content.panel.times(0).astype("datetime64[ms]").astype(int)[0]
    assert axis[total["at"]] == first
    assert [part["at"] - total["at"] for part in total["forecasts"]] == [30]
    assert [part["at"] - total["at"] for part in total["backtest"]] == [30 - 2 * F, 30 - F]
    assert [series["row"] for series in data["series"]] == [0, 1]
    assert payload(content_of(panel_of(["a"])))["total"] is None
