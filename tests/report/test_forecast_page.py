"""A page's content comes from a fitted forecaster and its backtest."""

import numpy as np
import polars as pl
import pytest
from tests.report.pages import LEVELS, Elements, F, backtest_of, panel_of

import throughtime as tt
from throughtime.cli.workflows import forecast_columns
from throughtime.forecasting import verdict as verdicts
from throughtime.report.content import forecast_content, loss_lines
from throughtime.report.page import render


@pytest.fixture(scope="module")
def model():
    """Of series that are too short for a network: nothing is compiled."""
    return tt.Forecaster(F, season=1).fit(panel_of(["a", "b"], [3, 4]))


def content_of(model, tested):
    return forecast_content("file.csv", model, forecast_columns(model, LEVELS), tested, LEVELS, seconds=1.0)


def test_without_a_network_or_a_backtest_the_page_says_so(model):
    untested = verdicts.Evaluation({}, 0, pl.DataFrame(), {}, verdicts.no_verdict("too short"))
    content = content_of(model, untested)
    elements = Elements(render(content))
    assert elements.text["h1"] == ["Not compared with seasonal naive: too short."]
    assert "the pretrained one" in elements.text["dd"]
    assert any("stands in for it" in text for text in elements.text["li"])
    assert (content.losses, content.reach) == ((), None)


def test_the_page_has_all_that_the_backtest_gave(model):
    rows = backtest_of(model.panel_)
    scores = pl.DataFrame({"unique_id": ["a", "b"], "throughtime": [0.5, 1.0], "seasonal_naive": [0.75, 2.0]})
    verdict = verdicts.make_verdict(scores, rows, windows=2, horizon=F, season=1)
    table = pl.DataFrame(
        {
            "unique_id": ["", "a", "b"],
            "metric": "mase",
            "throughtime": [0.75, 0.5, 1.0],
            "seasonal_naive": [1.4, 0.8, 2.0],
        }
    )
    tested = verdicts.Evaluation(
        rows, 2, scores, {80.0: 0.75}, verdict, table, {"throughtime": 3.0, "seasonal_naive": 0.5}
    )
    content = content_of(model, tested)
    assert content.headline.startswith("throughtime is better than")
    assert content.scores.equals(table)
    assert list(content.coverage) == [*LEVELS]
    assert (content.seconds, content.means) == (tested.seconds, verdict.comparison.means)
    assert content.models == ["throughtime", "seasonal_naive"]
    assert content.notes == ("read <it>",)
    assert "read <it>" not in content.decisions


def test_an_ensemble_has_a_curve_a_member():
    curves = loss_lines(np.array([[3.0, 2.0, 1.0], [6.0, 5.0, 4.0]]))
    assert [curve.y.tolist() for curve in curves] == [[3, 2, 1], [6, 5, 4]]
    assert curves[1].x.tolist() == [1, 2, 3]
    assert [curve.name for curve in loss_lines(np.array([3.0, 2.0]))] == ["member 1"]
