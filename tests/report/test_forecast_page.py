"""The report: the verdict first, nothing from the network, names as they are, pictures that parse."""

import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import polars as pl
import pytest

import throughtime as tt
from throughtime.data.calendar import Frequency
from throughtime.data.panel import Panel
from throughtime.forecasting import verdict as verdicts
from throughtime.pipeline import forecast_columns
from throughtime.report.forecast_page import MOST_SHOWN, forecast_page
from throughtime.report.forecast_plots import backtest_svg, forecast_svg

NAMES = ["<script>alert(1)</script>", 'a "quoted" & <b>bold</b> one', "$x_$ each", "北京", "</svg><h1>"]
LEVELS = [80, 95]
F = 3


def fitted(names, kind="datetime64[D]"):
    """A forecaster of series that are too short for a network: nothing is compiled."""
    count, steps = len(names), F
    frequency = Frequency("integer" if kind == "int64" else "month", stamp=kind)
    values = np.random.default_rng(0).normal(size=count * steps)
    panel = Panel(
        np.array(names), values, steps * np.arange(count + 1), np.zeros(count, int), frequency, ("read <it>",)
    )
    return tt.Forecaster(F, season=1).fit(panel)


def made_up_backtest(model, better=True):
    """A backtest of one window, made up."""
    panel = model.panel_
    ids, times = panel.future(F)
    y = np.arange(len(ids), dtype=float)
    bounds = {
        f"throughtime-{side}-{level}": y + sign * level for level in LEVELS for side, sign in (("lo", -1), ("hi", 1))
    }
    rows = {"unique_id": ids, "ds": times, "cutoff": np.repeat(times[::F], F), "y": y, "throughtime": y + 0.5}
    scores = pl.DataFrame(
        {
            "unique_id": panel.ids,
            "throughtime": np.arange(len(panel)) + (0.25 if better else 1.25),
            "seasonal_naive": np.arange(len(panel)) + 0.75,
        }
    )
    said = verdicts.verdict(scores, rows | {"seasonal_naive": y - 0.5}, windows=1, horizon=F, season=1)
    return verdicts.Tested(rows | bounds | {"seasonal_naive": y - 0.5}, 1, scores, {80: 0.75, 95: 1.0}, said)


def page_of(model, tested):
    return forecast_page("file <a>.csv", model, forecast_columns(model, LEVELS), tested, LEVELS, seconds=1.0)


@pytest.fixture(scope="module")
def model():
    return fitted(NAMES)


@pytest.fixture(scope="module")
def page(model):
    return page_of(model, made_up_backtest(model))


class Elements(HTMLParser):
    """Every tag with its attributes, and the text of headings, table cells, notes and pictures."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.text, self._open = [], {}, []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._open.append(tag)
        self.text.setdefault(tag, []).append("")

    def handle_endtag(self, tag):
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data):
        if self._open:
            self.text[self._open[-1]][-1] += data


@pytest.mark.parametrize("better", [True, False])
def test_the_verdict_is_the_first_line(better):
    model = fitted(["a"])
    tested = made_up_backtest(model, better)
    elements = Elements(page_of(model, tested))
    first = next(tag for tag, _ in elements.tags[[tag for tag, _ in elements.tags].index("body") + 1 :])
    assert first == "h1"
    assert elements.text["h1"] == [tested.verdict.words]
    assert elements.text["h1"][0].startswith("throughtime is better" if better else "The naive forecast")


def test_it_opens_without_a_network(page):
    for tag, attributes in Elements(page).tags:
        assert tag not in ("script", "link", "iframe", "img", "object", "embed", "base")
        for name in ("src", "href", "xlink:href", "srcset", "data", "action", "style"):
            assert not re.search(r"//|@import", attributes.get(name) or "")
        assert not any(name.startswith("on") for name in attributes)
    assert not re.search(r"url\((?!#)", page)
    assert "@import" not in page


def test_names_are_text(page):
    elements = Elements(page)
    assert elements.text["td"].count(NAMES[0]) == 1
    assert "read <it>" in elements.text["li"]
    assert any("file <a>.csv" in text for text in elements.text["p"])
    labels = [attributes["aria-label"] for tag, attributes in elements.tags if tag == "figure"]
    assert labels == [f"{name}: forecast" for name in NAMES] + [f"{name}: backtest" for name in NAMES]
    assert elements.text["h1"][1:] == []


def test_pictures_are_xml_and_hold_their_names_as_text(page):
    pictures = re.findall(r"<svg.*?</svg>", page, flags=re.DOTALL)
    assert len(pictures) == 2 * len(NAMES)
    texts = ["".join(ElementTree.fromstring(picture).itertext()) for picture in pictures]
    for name, text in zip(NAMES, texts, strict=False):
        assert f"{name}: forecast" in text


def test_without_a_backtest_there_is_no_picture_of_one(model):
    page = page_of(model, verdicts.Tested({}, 0, pl.DataFrame(), {}, verdicts.no_verdict("too short")))
    elements = Elements(page)
    assert elements.text["h1"] == ["Not compared with seasonal naive: too short."]
    assert len([tag for tag, _ in elements.tags if tag == "figure"]) == len(NAMES)
    assert "none: the series are too short" in elements.text["td"]


def test_of_many_series_the_worst_and_the_best_are_shown():
    model = fitted([f"s{i:02}" for i in range(MOST_SHOWN + 3)])
    elements = Elements(page_of(model, made_up_backtest(model)._replace(windows=0)))
    labels = [attributes["aria-label"] for tag, attributes in elements.tags if tag == "figure"]
    half = MOST_SHOWN // 2
    shown = [f"s{i:02}: forecast" for i in [*range(MOST_SHOWN + 2, MOST_SHOWN + 2 - half, -1), *range(half)]]
    assert labels == shown
    assert any("6 series of 15 that throughtime forecast worst" in text for text in elements.text["p"])


def test_integer_times_and_missing_values():
    model = fitted(["a"], "int64")
    times, values = np.arange(9), np.array([1.0, np.nan, 2, 3, np.nan, np.nan, 5, 6, 7])
    forecast = {name: column[:F] for name, column in forecast_columns(model, LEVELS).items()}
    ElementTree.fromstring(forecast_svg(times, values, forecast, LEVELS, title="t"))
    windows = [forecast | {"seasonal_naive": np.zeros(F)}] * 2
    ElementTree.fromstring(backtest_svg(times, values, windows, [80], title="t"))
