"""What a notebook and a terminal show of a forecaster, fitted or not."""

import copy
import pickle

import jax
import numpy as np
import polars as pl
import pytest
from sklearn.base import clone
from tests.forecasting.conftest import LENGTHS, SMALL
from tests.plots.pages import Shown, bands, curves, points, texts, words

import throughtime as tt
from throughtime._errors import InputError
from throughtime.forecasting.forecasts import forecast_quantiles
from throughtime.plots.forecaster import LETTERS, MOST_PAST, NOTES, SHOWN, forecaster_block


def test_before_fit_it_shows_what_was_chosen():
    model = tt.Forecaster(7, cell="lstm", hidden=5)
    shown = Shown(model._repr_html_())
    assert shown.title == "Forecaster, not fitted"
    assert shown.table("horizon")["horizon"] == ["7"]
    assert shown.table("horizon")["cell"] == ["lstm"]
    assert shown.table("horizon")["steps"] == ["found by fit"]
    assert list(shown.table("horizon")) == list(model.get_params())
    assert str(model) == repr(model) == repr(clone(model))


def test_after_fit_it_shows_plan_notes_and_training(model):
    shown = Shown(model._repr_html_())
    assert shown.title == "Forecaster, 3 steps ahead"
    facts = shown.table("series")
    assert facts["series"] == [f"{len(LENGTHS)}, {sum(LENGTHS.values())} steps in all"]
    assert facts["networks"][0].startswith(f"1, each of 2 GRU blocks of {SMALL['hidden']} units, {SMALL['steps']} ")
    assert facts["loss at the end"] == [f"{model.losses_[0, -1]:.4g}"]
    assert shown.items == model.notes_
    assert len(curves(shown.figure("training loss"))) == 1
    names = [str(name) for name in model.panel_.ids]
    assert [caption for caption in shown.captions if caption in LENGTHS] == names
    assert all(len(curves(shown.figure(name))) == 1 for name in names)
    assert "predict()" in words(shown.root[1])
    assert str(model).startswith("Forecaster, 3 steps ahead\n")
    assert model.notes_[0] in str(model)


def test_forecasts_that_are_passed_are_shown_with_intervals(model):
    quantiles = forecast_quantiles(model.fitted_, model.panel_, model.panel_.lengths)
    shown = Shown(forecaster_block(model, quantiles).html())
    for name in map(str, model.panel_.ids):
        figure = shown.figure(name)
        assert len(curves(figure)) == 2
        assert [len(points(curve)) for curve in curves(figure)] == [min(LENGTHS[name], 24), 3]
        assert len(bands(figure)) == 2
    assert "predict()" not in forecaster_block(model, quantiles).html()


def test_to_show_it_compiles_and_computes_nothing(model, caplog):
    with jax.log_compiles():
        model._repr_html_()
        str(model)
        assert not caplog.records
        jax.jit(lambda x: x - 3)(1.0)  # what would be told
        assert any("Compiling" in record.message for record in caplog.records)


def test_it_remains_an_estimator(model):
    shown = model._repr_html_()
    model.predict()
    assert model._repr_html_() == shown
    assert clone(model).get_params() == model.get_params()
    assert not hasattr(clone(model), "plan_")
    assert repr(model) == repr(clone(model))
    again = pickle.loads(pickle.dumps(model))
    assert again._repr_html_() == shown


def test_large_panels_and_strange_names(model):
    n, steps = 200, 2000
    names = ["<script>alert(1)</script>", "x" * 99, "", *map(str, range(n - 3))]
    frame = pl.DataFrame(
        {"unique_id": np.repeat(names, steps), "ds": np.tile(np.arange(steps), n), "y": np.arange(n * steps) * 1.0}
    )
    model = copy.copy(model)
    notes = [f"note {number}" for number in range(NOTES + 4)]
    model.fitted_ = model.fitted_._replace(panel=tt.Panel.from_frame(frame), notes=notes)
    page = model._repr_html_()
    assert "<script>" not in page
    assert len(page) < 100_000
    shown = Shown(page)
    assert shown.items[-1] == "... and 4 more"
    assert len(shown.captions) == SHOWN + 1
    assert all(len(caption) <= LETTERS for caption in shown.captions)
    figure = shown.figure(str(model.panel_.ids[0]) or "(no name)")
    assert {str(steps - 24), str(steps - 1)} <= set(texts(figure))
    assert steps > MOST_PAST


def test_without_networks_it_says_so():
    frame = pl.DataFrame({"ds": np.arange(5), "y": [1.0, 2.0, None, 4.0, 5.0]})
    model = tt.Forecaster(2).fit(frame)
    shown = Shown(model._repr_html_())
    assert shown.table("series")["networks"] == ["the pretrained one"]
    assert len(shown.captions) == 1


def test_plot_draws_the_end_and_the_forecast_of_a_series_by_its_name(frame):
    model = tt.Forecaster(3, season=12, preset="instant").fit(frame)
    for name, row in ((None, 0), ("a", 1)):
        (axes,) = model.plot(name).axes
        past, ahead = (line for line in axes.lines if not line.get_label().startswith("_"))
        series, forecast = model.panel_.series(row), model.predict().filter(unique_id=str(model.panel_.ids[row]))
        np.testing.assert_array_equal(past.get_ydata(), series[-len(past.get_ydata()) :])
        np.testing.assert_allclose(ahead.get_ydata(), forecast["throughtime"], rtol=1e-6)
        np.testing.assert_array_equal(ahead.get_xdata(), forecast["ds"].to_numpy())
    with pytest.raises(InputError) as caught:
        model.plot("c")
    assert (caught.value.code, caught.value.found) == ("unknown-name", "c")


def test_plot_draws_the_windows_of_a_backtest(frame):
    model = tt.Forecaster(3, season=12, preset="instant").fit(frame)
    rows = model.backtest(frame, windows=2, level=[80], baselines=["drift"])
    (axes,) = model.plot("a", backtest=rows).axes
    own = rows.filter(unique_id="a").sort("ds")
    lines = [line for line in axes.lines if len(line.get_xdata()) == 3]
    named = [line.get_label() for line in lines if not line.get_label().startswith("_")]
    assert named == ["seasonal naive", "drift", "throughtime"]
    for name, places in (("throughtime", (0, 3)), ("seasonal_naive", (1, 4)), ("drift", (2, 5))):
        np.testing.assert_array_equal(np.concatenate([lines[place].get_ydata() for place in places]), own[name])
    assert len(axes.collections) == 2 + 2  # an interval in each window, two of the forecast
