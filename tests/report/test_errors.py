"""The errors of a backtest by step and by window, their bias and correlation, and the advice after them."""

import numpy as np
import pytest
from tests.report.pages import F, W, backtest_of, content_of, panel_of

from throughtime.forecasting.verdict import Comparison, Verdict
from throughtime.report.advice import HELP, LATER, MORE_WINDOWS, NO_SEASON, NOTHING_KNOWN, advice
from throughtime.report.errors import errors_of

MODELS = ["throughtime", "seasonal_naive"]


def windows(own, naive=(2.0, 2.0, 2.0, 2.0), series=("a",)):
    """Errors (W, F) of throughtime in each series, around values of zero, and of seasonal naive in each window."""
    own = np.atleast_2d(own)
    count, horizon = own.shape
    rows = len(series) * count * horizon
    return {
        "unique_id": np.repeat(series, count * horizon),
        "cutoff": np.tile(np.repeat(np.arange(count), horizon), len(series)),
        "y": np.zeros(rows),
        "throughtime": np.tile(-own.ravel(), len(series)),
        "seasonal_naive": np.tile(np.resize(naive, horizon), len(series) * count),
    }


def test_errors_are_in_units_of_the_baseline_by_step_and_by_window():
    found = errors_of(windows([[1.0, -2.0, 4.0, np.nan], [3.0, -2.0, 0.0, 6.0]]), MODELS)
    own, naive = found.by_step
    assert (own.name, naive.name, found.unit) == (*MODELS, "seasonal_naive")
    assert own.x.tolist() == [1, 2, 3, 4]
    np.testing.assert_allclose(own.y, [1, 1, 1, 3])
    np.testing.assert_allclose(naive.y, 1)
    np.testing.assert_allclose(found.by_window[0].y, [7 / 6, 11 / 8])
    assert found.counts.sum() == 7
    assert (found.edges[0], found.edges[-1]) == (-1, 3)


def test_every_series_counts_alike():
    small, large = windows([[1.0, 3.0]], (2.0,), ["a"]), windows([[5.0, 0.0]], (10.0,), ["b"])
    large |= {name: large[name] * 1.0 for name in MODELS}
    found = errors_of({name: np.concatenate([small[name], large[name]]) for name in small}, MODELS)
    np.testing.assert_allclose(found.by_step[0].y, [(0.5 + 0.5) / 2, (1.5 + 0) / 2])


@pytest.mark.parametrize(
    ("own", "words"),
    [
        ([[1.0, 1.2], [0.9, 1.1], [1.0, 0.8]], "too low, by 0.50"),
        ([[-1.0, -1.2], [-0.9, -1.1], [-1.0, -0.8]], "too high, by 0.50"),
        ([[3.0, -1.0], [-2.9, 1.0], [0.5, -0.4]], "neither"),
        ([[1.0, 1.2]], "which proves nothing"),
    ],
)
def test_whether_forecasts_lean(own, words):
    assert words in errors_of(windows(own), MODELS).leaning


def test_errors_that_go_together_are_told_from_those_that_do_not():
    draw = np.random.default_rng(0)
    shared = np.repeat(draw.normal(size=(600, 1)), 8, axis=1) + 0.5 * draw.normal(size=(600, 8))
    together, alone = (errors_of(windows(own, (1.0,)), MODELS).together for own in (shared, draw.normal(size=(600, 8))))
    assert together.x.tolist() == alone.x.tolist() == list(range(1, 8))
    assert np.abs(together.y - 0.8).max() < 0.08  # of variances 1 and 0.25
    assert np.abs(alone.y).max() < 0.15


def test_without_baselines_or_values_there_are_no_errors():
    assert errors_of({}, MODELS) is None
    assert errors_of(windows([[1.0, 2.0]]), ["throughtime"]) is None
    assert errors_of(windows([[1.0, 2.0]], (0.0,)), MODELS) is None
    assert errors_of(windows([[np.nan, np.nan]]), MODELS) is None


def test_the_backtest_of_the_page_has_them():
    """Its windows are off by 20 and 10, seasonal naive by 1 in each; series of one window less have none there."""
    content = content_of(panel_of(["a", "b"]))
    own, naive, other = content.errors.by_window
    np.testing.assert_allclose(own.y, [10.0 * window for window in range(W, 0, -1)])
    np.testing.assert_allclose([naive.y, other.y], [[1] * W, [2] * W])
    assert content.errors.by_step[0].x.tolist() == list(range(1, F + 1))
    assert len(backtest_of(content.panel)["y"]) == content.errors.counts.sum()


def verdict(model, doubt):
    return Verdict(Comparison("mase", model, 1.0, "naive2", 2, 3, 1, 3, doubt))


@pytest.mark.parametrize(
    ("found", "judgments", "season", "expected"),
    [
        (verdict(0.5, 0.1), {80: "as it should be"}, 12, (LATER,)),
        (verdict(1.5, 0.1), {80: "too wide"}, 12, (HELP, LATER)),
        (verdict(0.9, 0.2), {}, 1, (MORE_WINDOWS, NO_SEASON, LATER)),
        (Verdict(None, reason="too short"), {}, 12, (NOTHING_KNOWN, LATER)),
    ],
)
def test_advice_follows_from_the_verdict(found, judgments, season, expected):
    assert advice(found, judgments, season) == expected


def test_intervals_that_cover_too_little_are_not_to_be_relied_on():
    first, *_ = advice(verdict(0.5, 0.1), {80: "too narrow", 95: "too narrow", 50: "as it should be"}, 12)
    assert "95 %" in first
