"""The page: the verdict first, nothing from the network, names as they are, all that is given and no more."""

import json

import numpy as np
import polars as pl
import pytest
from tests.report.pages import NAMES, Elements, content_of, contrast, data_of, panel_of

from throughtime.forecasting import Effect
from throughtime.plots.theme import DARK, LIGHT
from throughtime.report.page import render
from throughtime.report.reach import Line


@pytest.fixture(scope="module")
def page():
    return render(content_of())


@pytest.fixture(scope="module")
def elements(page):
    return Elements(page)


def test_the_verdict_is_the_first_line(elements):
    tags = [tag for tag, _ in elements.tags]
    assert tags[tags.index("body") + 1 :][:2] == ["header", "h1"]
    assert elements.text["h1"] == ["AutoETS is better than throughtime by 5%."]


def test_it_opens_without_a_network(page, elements):
    for tag, attributes in elements.tags:
        assert tag not in ("link", "iframe", "img", "object", "embed", "base")
        assert not {"src", "href", "srcset", "action"} & set(attributes)
        assert not any(name.startswith("on") for name in attributes)
    assert "url(" not in page
    assert "@import" not in page
    (policy,) = (a["content"] for tag, a in elements.tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none';")
    assert "http" not in policy


def test_a_page_of_one_series_is_small():
    assert len(render(content_of(panel_of(["a"], [2000])))) < 500_000


def test_names_are_text(page, elements):
    assert page.count("<script") == 2
    assert NAMES[0] not in page
    assert data_of(page)["ids"] == NAMES
    assert "read <it>" in elements.text["li"]
    assert "A season of <12> steps." in elements.text["li"]
    assert elements.text["title"] == ["Forecast of file <a>.csv"]


def test_the_scores_stand_side_by_side_and_the_best_is_marked(elements):
    cells = [text.strip() for text in elements.text["td"]]
    best = [attributes.get("class", "") for tag, attributes in elements.tags if tag == "td"]
    assert cells[:6] == ["0.400", "", "0.012 s", "0.500", "+25%", "2.1 min"]  # the leaderboard, of those with a MASE
    assert cells[6:15] == ["0.500", "0.400", "\N{EN DASH}"] * 2 + ["2.1 min", "0.012 s", "\N{EN DASH}"]
    assert [name.endswith("best") for name in best[:6]] == [True] + [False] * 5
    assert [name.endswith("best") for name in best[6:15]] == [False, True, False] * 2 + [False] * 3


def test_the_leaderboard_has_the_rivals_that_have_no_column():
    means = {"throughtime": 1.0, "seasonal_naive": 2.0, "naive": 0.5, "AutoETS": 0.5}
    page = render(content_of(means=means))
    leaders = [text for text in Elements(page).text["th"] if text.replace(" ", "_") in means]
    assert leaders[:4] == ["naive", "AutoETS", "throughtime", "seasonal naive"]
    assert "Models with one figure" in page


def test_the_effects_of_covariates_are_in_the_order_that_they_are_given():
    page = render(content_of(effects=(Effect("promo <b>", 0.864, 0.08), Effect("weather", -0.001, None))))
    cells = [text.strip() for text in Elements(page).text["td"]]
    place = cells.index("+86.4 %")
    assert cells[place : place + 4] == ["+86.4 %", "8.0 %", "-0.1 %", ""]
    assert "promo <b>" in Elements(page).text["th"]


def test_odd_places_are_marked_in_the_chart_and_told_in_words():
    panel = panel_of(["a", "b"], [60, 80])
    panel.values[20] += 100
    panel.values[60 + 30] = np.nan
    page = render(content_of(panel, scores=pl.DataFrame()))
    first, second = data_of(page)["series"]
    assert (first["outliers"], "shifts" in first, "outliers" in second) == ([20], False, False)
    words = next(text for text in Elements(page).text["li"] if text.startswith("Marked"))
    assert "1 value far from its neighbors in 1 of 2 series, 1 missing value in 1 of 2 series." in words


def test_calibration_is_told_on_the_page(elements):
    cells = [cell.strip() for cell in elements.text["td"]]
    assert set(content_of().judgments.values()) <= set(cells)


def test_what_is_not_given_has_no_part():
    bare = {"facts": (), "decisions": (), "notes": (), "levels": (), "backtest": {}, "seconds": {}}
    panel = panel_of(["a"])
    page = render(content_of(panel, **bare, scores=pl.DataFrame(), losses=(), reach=None))
    assert [text.strip() for text in Elements(page).text["h2"]] == ["Every series", "What was found in the data?"]
    data = data_of(page)
    assert data["models"] == ["throughtime"]
    assert (data["scores"], data["coverage"], data["losses"], data["reach"]) == ({}, [], [], None)


def test_a_backtest_alone_has_no_forecast():
    page = render(content_of(forecasts={}))
    assert all(not series["forecasts"] and series["backtest"] for series in data_of(page)["series"])
    assert "after the end" not in page


def test_long_curves_are_thinned_to_means(page):
    first, second = data_of(page)["losses"]
    assert len(first["x"]) == len(first["y"]) == 400
    assert first["x"][0] == 2.0  # of steps 1, 2 and 3
    assert first["y"][0] == pytest.approx((1 + 1 / 2 + 1 / 3) / 3, rel=1e-4)
    np.testing.assert_allclose(second["y"], 2 * np.array(first["y"]), rtol=1e-3)


def test_what_is_not_finite_becomes_null():
    losses = (Line("member 1", np.arange(1, 4), np.array([np.nan, np.inf, 0.5])),)
    page = render(content_of(losses=losses))
    assert data_of(page)["losses"][0]["y"] == [None, None, 0.5]
    assert "NaN" not in json.dumps(data_of(page))


@pytest.mark.parametrize("colors", [LIGHT, DARK], ids=["light", "dark"])
def test_colors_can_be_told_from_the_page(page, colors):
    for name, color in colors.items():
        assert f"--{name}: {color};" in page
        least = {"ink": 7, "soft": 4.5, "warn": 4.5, "line": 1, "page": 1, "card": 1}.get(name, 3)
        for ground in ("page", "card"):
            assert contrast(color, colors[ground]) >= least, (name, ground)


def test_the_same_content_makes_the_same_page(page):
    assert render(content_of()) == page


def test_without_a_season_seasonal_naive_is_naive():
    for season, name in ((1, "naive"), (12, "seasonal naive")):
        content = content_of(season=season)
        page = render(content)
        assert name in Elements(page).text["th"]
        assert data_of(page)["labels"]["seasonal_naive"] == name
        assert ("seasonal naive" in page) == (season > 1)
