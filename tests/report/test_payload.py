"""The data of the charts: the right values at the right steps, short, and not too many."""

import numpy as np
import polars as pl
import pytest
from tests.report.pages import LEVELS, MONTH, F, W, backtest_of, content_of, forecasts_of, panel_of, scores_of

from throughtime.data.frequency import Frequency
from throughtime.report import choice
from throughtime.report.axis import time_axis
from throughtime.report.content import ForecastContent
from throughtime.report.numbers import shortened
from throughtime.report.payload import payload
from throughtime.report.scores import metric_name, overall_rows
from throughtime.report.tables import segments_of

DAY_MS = 86_400_000


def stamps(data):
    return np.cumsum(data["axis"])


def test_segments_are_at_their_steps_for_any_order_of_rows():
    panel = panel_of(["b", "a"], [9, 14])  # ids are not sorted
    table = backtest_of(panel)
    shuffled = np.random.default_rng(0).permutation(len(table["y"]))
    segments = segments_of(panel, {name: column[shuffled] for name, column in table.items()})
    places = [(segment.row, segment.begin, segment.end) for segment in segments]
    assert places == [(0, 3, 6), (0, 6, 9), (1, 8, 11), (1, 11, 14)]
    np.testing.assert_array_equal(segments[1].columns["throughtime"], [10, 11, 12])
    np.testing.assert_array_equal(segments[2].columns["seasonal_naive"], [2, 3, 4])
    assert set(segments[0].columns) == set(table) - {"unique_id", "ds", "cutoff", "y"}


def test_segments_may_overlap():
    panel = panel_of(["a"], [9])
    first, second = (forecasts_of(panel.cut(cut)) for cut in (3, 2))
    table = {name: np.concatenate([first[name], second[name]]) for name in first} | {"cutoff": np.repeat([6, 7], F)}
    assert [(segment.begin, segment.end) for segment in segments_of(panel, table)] == [(6, 9), (7, 10)]


def test_every_value_is_where_it_belongs():
    panel = panel_of(["a", "b"], [9, 14])
    data = payload(content_of(panel))
    axis = stamps(data)
    ids, ends = panel.future(F)
    for row, series in enumerate(data["series"]):
        assert series["row"] == row
        np.testing.assert_allclose(series["y"], panel.series(row), rtol=1e-6)
        times = panel.times(row).astype("datetime64[ms]").astype(int)
        np.testing.assert_array_equal(axis[series["at"] :][: len(times)], times)
        (ahead,) = series["forecasts"]
        own = ends[ids == panel.ids[row]].astype("datetime64[ms]").astype(int)
        np.testing.assert_array_equal(axis[ahead["at"] :][:F], own)
        assert ahead["throughtime"] == [100 + F * row + step for step in range(F)]
        assert [segment["at"] - series["at"] for segment in series["backtest"]] == [len(times) - 2 * F, len(times) - F]
        assert {f"throughtime-hi-{level}" for level in LEVELS} < set(ahead)


def test_series_between_the_steps_of_others_have_a_part_of_the_axis_to_themselves():
    hours = Frequency("elapsed", multiple=3_600_000_000)
    starts = np.array([0, 1_800_000_000, 2 * 3_600_000_000])
    axis = time_axis(hours, starts, np.array([4, 2, 3]))
    np.testing.assert_array_equal(axis.stamps[axis.first[0] :][:4], 3_600_000 * np.arange(4))
    np.testing.assert_array_equal(axis.stamps[axis.first[1] :][:2], 1_800_000 + 3_600_000 * np.arange(2))
    np.testing.assert_array_equal(axis.stamps[axis.first[2] :][:3], 3_600_000 * np.arange(2, 5))
    assert axis.resolution == "minute"


def test_times_are_those_of_the_datas_own_clocks():
    days = Frequency("day", stamp="datetime64[us]", zone="Europe/Berlin")
    axis = time_axis(days, np.array([0]), np.array([3]))
    np.testing.assert_array_equal(axis.stamps, DAY_MS * np.arange(3))
    assert axis.resolution == "day"


def test_integers_stay_integers():
    panel = panel_of(["a"], [30], Frequency("integer", multiple=7, stamp="int64"))
    data = payload(content_of(panel, backtest={}))
    assert data["resolution"] == ""
    assert stamps(data).tolist() == list(range(7 * 270, 7 * 300 + 7 * F, 7))


def test_numbers_are_short_and_exact_enough():
    values = np.array([316.1, 1234567.89, 1e9 + 0.5, -0.000123456789, 0.0, np.nan, np.inf, 1e300, 5e-324])
    texts = shortened(values, digits=6)
    assert texts[:5] == [316.1, 1234570.0, 1000000000.0, -0.000123457, 0.0]
    assert texts[5:7] == [None, None]
    assert texts[7:] == [1e300, 5e-324]
    assert shortened(1e9 + np.array([0.0, 1.25]), digits=6, spans=1.25) == [1e9, 1e9 + 1.25]  # almost constant


@pytest.mark.parametrize("values", [np.full(40, 3.5), np.full(40, np.nan), np.r_[np.nan, np.inf, np.arange(38.0)]])
def test_constant_and_unknown_series_are_drawn(values):
    (series,) = payload(content_of(panel_of(["a"], [40], values=values)))["series"]
    assert series["y"] == [value if np.isfinite(value) else None for value in values]


def test_one_step_and_twelve_levels():
    panel, levels = panel_of(["a", "b"]), tuple(range(40, 100, 5))
    table = {"forecasts": forecasts_of(panel, 1, levels), "backtest": backtest_of(panel, 1, levels)}
    data = payload(content_of(panel, levels=levels, **table))
    assert data["levels"] == list(levels)
    for series in data["series"]:
        assert len(series["forecasts"][0]["throughtime"]) == 1
        assert len(series["backtest"]) == W


def test_the_worst_and_the_best_are_kept_where_there_are_too_many(monkeypatch):
    panel = panel_of([f"s{place:02}" for place in range(30)], np.full(30, 60))
    content = content_of(panel)
    monkeypatch.setattr(choice, "BUDGET", 12 * (48 + 7 * 2 * F + 5 * F) + 100)
    data = payload(content)
    rows = [series["row"] for series in data["series"]]
    assert len(rows) == 12
    assert rows == sorted(rows)
    assert {29, 28, 27, 26} < set(rows)  # the worst
    assert {0, 2, 3} < set(rows)  # the best; the second has no score
    assert len(data["ids"]) == len(data["scores"]["mase"]["AutoETS"]) == 30
    assert all(len(series["y"]) == 48 and series["steps"] == 60 for series in data["series"])


def test_histories_are_shortened_before_series_are_left_out(monkeypatch):
    panel = panel_of(["a", "b"], [500, 700])
    monkeypatch.setattr(choice, "BUDGET", 2 * (100 + 7 * 2 * F + 5 * F))
    shown = payload(content_of(panel))["series"]
    assert [len(series["y"]) for series in shown] == [100, 100]
    for series in shown:
        assert [segment["at"] - series["at"] for segment in (*series["backtest"], *series["forecasts"])] == [
            94,
            97,
            100,
        ]
    monkeypatch.setattr(choice, "BUDGET", 10_000)
    assert [len(series["y"]) for series in payload(content_of(panel))["series"]] == [500, 700]


def test_scores_by_series_are_in_the_order_of_ids_and_mase_first():
    panel = panel_of(["b", "", "a"])
    data = payload(content_of(panel, scores=scores_of(panel)))
    assert list(data["scores"]) == ["mase", "smape"]
    assert data["scores"]["smape"]["throughtime"] == [0.25, None, 2.25]
    assert data["scores"]["mase"]["AutoETS"] == [1.125, None, 3.125]


def test_a_series_may_have_an_empty_name():
    panel = panel_of(["", "b"])
    content = content_of(panel, scores=scores_of(panel, ["mase"]))
    assert payload(content)["scores"]["mase"]["throughtime"] == [0.25, None]
    assert [row.name for row in overall_rows(content)] == ["MASE", "time"]


def test_coverage_is_best_near_its_level():
    scores = pl.DataFrame({"unique_id": [""], "metric": ["coverage_80"], "throughtime": [0.5], "AutoETS": [0.99]})
    (row,) = overall_rows(ForecastContent(title="", headline="", panel=panel_of(), season=1, scores=scores))
    assert (row.name, row.cells) == ("coverage 80 %", [("50.0%", False), ("99.0%", True)])


@pytest.mark.parametrize(
    ("name", "words"),
    [("mase", "MASE"), ("msis-95", "MSIS 95 %"), ("coverage_97.5", "coverage 97.5 %"), ("own", "own")],
)
def test_metrics_have_names(name, words):
    assert metric_name(name) == words


def test_months_are_written_as_months():
    assert time_axis(MONTH, np.array([0]), np.array([2])).resolution == "month"
