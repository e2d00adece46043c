"""The page in Chromium, offline: it draws, it listens to mouse and keyboard, it asks nothing of the network."""

import numpy as np
import polars as pl
import pytest
from tests.report.pages import NAMES, backtest_of, content_of, forecasts_of, panel_of, scores_of

from throughtime.plots.theme import DARK, LIGHT
from throughtime.report.page import render

pytestmark = pytest.mark.browser
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
TIMEOUT = 120_000  # milliseconds: machines may be busy


@pytest.fixture
def open_page(chromium, tmp_path):
    """Open content offline; whatever it complained of or asked for fails the test in the end."""
    contexts, complaints = [], []

    def opened(content, **options):
        file = tmp_path / "report.html"
        file.write_text(render(content), encoding="utf-8")
        context = chromium.new_context(offline=True, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(TIMEOUT)
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: request.url.startswith("file:") or complaints.append(request.url[:200]))
        page.goto(file.as_uri())
        page.wait_for_selector("html[data-ready]", state="attached")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


def drawn(page, chart="chart"):
    """The lines and bands that a chart shows, by their key."""
    layers = page.evaluate(f"[...(charts.{chart}.picture.bands ?? []), ...charts.{chart}.picture.lines]")
    return {layer["key"]: layer for layer in layers}


def span(page):
    first, last = page.evaluate("charts.chart.picture.x.range")
    return last - first


def dots(page, chart, color):
    """The pixels of a chart's canvas that have exactly this color of the page."""
    return page.evaluate(
        """([chart, color]) => {
            const canvas = document.querySelector(`#${chart} canvas`);
            const { width, height } = canvas;
            const copy = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
            copy.drawImage(canvas, 0, 0);
            const { data } = copy.getImageData(0, 0, width, height);
            const wanted = [1, 3, 5].map((place) => parseInt(color.slice(place, place + 2), 16));
            let count = 0;
            for (let at = 0; at < data.length; at += 4) {
                count += data[at + 3] === 255 && wanted.every((channel, place) => data[at + place] === channel);
            }
            return count;
        }""",
        [chart, color],
    )


def wait_until(page, holds):
    """Look again and again; the page's own policy forbids Playwright to evaluate text while it waits."""
    for _ in range(100):
        if holds():
            return
        page.wait_for_timeout(100)
    raise AssertionError("it did not happen within 10 seconds")


def test_everything_is_drawn(open_page):
    page = open_page(content_of())
    assert page.inner_text("#chosen") == "(no name)"  # the last of the names is the worst
    assert set(drawn(page)) == {"level 95", "level 80", "observed", "throughtime", "seasonal_naive"}
    for chart, lines in {"calibration": 2, "reach": 1, "training": 2, "total": 3}.items():
        assert page.evaluate(f"charts.{chart}.picture.lines.length") == lines
    for chart in ("chart", "calibration", "reach"):
        wait_until(page, lambda chart=chart: dots(page, chart, LIGHT["model"]) > 20)
    wait_until(page, lambda: dots(page, "chart", LIGHT["ink"]) > 20)
    assert drawn(page)["throughtime"]["y"][-4:] == [112, 113, 114, None]
    assert page.evaluate("charts.chart.picture.starts.map(({ text }) => text)") == ["forecast"]
    for chart, lines in {"error-steps": 3, "error-windows": 3, "residuals": 1, "together": 2}.items():
        assert page.evaluate(f"charts['{chart}'].picture.lines.length") == lines


def test_the_chart_is_on_the_first_screen(open_page):
    page = open_page(content_of(panel_of(["a"])), viewport={"width": 1280, "height": 800})
    box = page.locator("#chart .plot").bounding_box()
    assert box["y"] + box["height"] < 800


def test_the_forecasts_and_the_scores_are_saved_as_csv(open_page):
    content = content_of()
    page = open_page(content)
    saved = {}
    for name in ("forecasts", "scores"):
        with page.expect_download() as download:
            page.click(f"#save-{name}")
        assert download.value.suggested_filename == f"{name}.csv"
        saved[name] = pl.read_csv(download.value.path()).fill_null("")
    assert saved["forecasts"].sort("throughtime")["throughtime"].to_list() == sorted(content.forecasts["throughtime"])
    assert set(saved["forecasts"]["unique_id"]) == set(NAMES)
    assert set(saved["scores"]["unique_id"]) == set(NAMES)
    assert saved["scores"].columns == ["unique_id", "metric", *content.models]


@pytest.mark.parametrize("place", range(len(NAMES) - 1))
def test_names_stay_text(open_page, place):
    page = open_page(content_of())
    page.fill("#search", NAMES[place][:8])
    page.click("#list tbody button")
    assert page.inner_text("#chosen") == NAMES[place]
    assert page.locator("h3 *").count() == 0


def test_the_list_is_searched_sorted_and_paged(open_page):
    panel = panel_of([f"s{place:04}" for place in range(10_000)], np.full(10_000, 12))
    page = open_page(content_of(panel, backtest={}))
    assert page.inner_text("#counted") == "1–50 of 10,000"  # noqa: RUF001
    assert page.locator("#list tbody tr").count() == 50
    assert page.inner_text("#chosen") == "s9999"
    page.click("#best")
    assert page.inner_text("#chosen") == "s0000"
    assert page.inner_text("#list tr[aria-current] button") == "s0000"
    page.click("#worst")
    page.click("#next")
    assert page.inner_text("#chosen") == "s9998"
    page.click("#page-on")
    assert page.inner_text("#counted") == "51–100 of 10,000"  # noqa: RUF001
    page.fill("#search", "S004")
    assert page.inner_text("#counted") == "1–10 of 10 found in 10,000"  # noqa: RUF001
    page.click("#list thead button >> nth=0")
    assert page.inner_text("#list tbody tr:first-child button") == "s0040"
    page.fill("#search", "none such")
    assert page.inner_text("#counted") == "none of 10,000 found"


def test_the_keyboard_reads_zooms_and_switches(open_page):
    page = open_page(content_of(panel_of(["a"], [30])))
    page.focus("#chart")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    reading = page.inner_text("#reading")
    assert reading == "1995-01. throughtime: 100, 80 %: 20 to 180, 95 %: 5 to 195"
    assert page.locator("#chart .reading").is_visible()
    whole = span(page)
    page.keyboard.press("+")
    assert span(page) == pytest.approx(0.6 * whole, rel=0.02)
    page.keyboard.press("0")
    assert span(page) >= whole
    page.focus("#legend button >> nth=1")
    page.keyboard.press("Enter")
    assert "throughtime" not in drawn(page)
    assert page.get_attribute("#legend button >> nth=1", "aria-pressed") == "false"


def test_dragging_zooms_and_hovering_tells_values(open_page):
    page = open_page(content_of(panel_of(["a"], [30])), viewport={"width": 1200, "height": 1600})
    whole, box = span(page), page.locator("#chart").bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.65, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.97, middle, steps=4)
    page.mouse.up()
    wait_until(page, lambda: span(page) < 0.5 * whole)
    page.mouse.move(box["x"] + box["width"] * 0.9, middle + 20, steps=5)
    told = page.inner_text("#chart .reading").split("\n")
    assert told[0] == "1995-02"  # the nearest step; of 1994-12, which is near, nothing is said
    assert told[1:3] == ["throughtime", "101"]
    assert "observed" not in told
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] - 50)
    assert page.locator("#chart .reading").is_hidden()
    page.click("#zoom-all")
    assert span(page) >= whole


def test_the_forecast_is_there_as_numbers(open_page):
    page = open_page(content_of(panel_of(["a"], [30])))
    page.click("#numbers summary")
    page.wait_for_selector("#values tr")
    assert page.locator("#values tr").count() == 1 + 3
    assert page.inner_text("#values tr >> nth=1").split() == ["1995-01", "100", "20", "180", "5", "195"]


def test_a_double_click_shows_all_and_a_tap_only_values(open_page):
    page = open_page(content_of(panel_of(["a"], [100])), **PHONE)
    recent = span(page)
    page.tap("#chart")
    assert page.locator("#chart .reading").is_visible()
    page.wait_for_timeout(500)
    assert span(page) == recent
    page.dblclick("#chart")
    wait_until(page, lambda: span(page) > 1.5 * recent)


def test_phones_and_the_dark(open_page):
    page = open_page(content_of(), color_scheme="dark", **PHONE)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    wait_until(page, lambda: dots(page, "chart", DARK["model"]) > 20)
    page.emulate_media(color_scheme="light")
    wait_until(page, lambda: dots(page, "chart", LIGHT["model"]) > 20)
    assert dots(page, "chart", DARK["model"]) == 0


@pytest.mark.parametrize("values", [np.full(40, 3.5), np.full(40, np.nan)], ids=["constant", "unknown"])
def test_odd_series_are_drawn(open_page, values):
    panel = panel_of(["a"], [40], values=values)
    page = open_page(content_of(panel, scores=pl.DataFrame(), losses=(), reach=None))
    assert page.inner_text("#chosen") == "a"


def test_one_step_and_twelve_levels(open_page):
    panel, levels = panel_of(["a"]), tuple(range(40, 100, 5))
    table = {"forecasts": forecasts_of(panel, 1, levels), "backtest": backtest_of(panel, 1, levels)}
    page = open_page(content_of(panel, levels=levels, scores=scores_of(panel), **table))
    bands = [layer for key, layer in drawn(page).items() if key.startswith("level")]
    assert len(bands) == 12
    widths = {max(band["x"][:2]) - min(band["x"][:2]) for band in bands}
    assert min(widths) > 10 * 86_400_000  # a single step's interval is a bar with a width


def test_a_series_without_a_chart_says_so(open_page, monkeypatch):
    from throughtime.report import choice

    monkeypatch.setattr(choice, "BUDGET", 300)
    page = open_page(content_of(panel_of([f"s{place}" for place in range(9)])))
    assert "of 9 series have a chart" in " ".join(page.inner_text("main").split())
    page.fill("#search", "s4")
    page.click("#list tbody button")
    assert "no chart here" in page.inner_text("#truncated")
    assert page.locator("#chart").is_hidden()


def test_small_charts_follow_the_list_and_choose(open_page):
    names = [f"s{row:02}" for row in range(15)]
    page = open_page(content_of(panel_of(names)))
    shown = page.locator("#multiples button:visible")
    assert shown.count() == 12
    assert shown.first.inner_text().startswith("s14")  # the worst
    page.click("#multiples-on")
    assert shown.count() == 3
    shown.last.click()
    assert page.inner_text("#chosen") == page.inner_text("#multiples button[aria-current=true]").split(" ·")[0]
    page.fill("#search", "s03")
    assert shown.count() == 1


def test_marks_are_switched_on_and_off(open_page):
    panel = panel_of(["a"], [80])
    panel.values[[60, 70]] = 200, np.nan
    page = open_page(content_of(panel))
    assert drawn(page)["outliers"]["y"] == [200]
    assert len(drawn(page)["missing"]["x"]) == 3
    page.click("#legend >> text=far from its neighbors")
    page.click("#legend >> text=missing")
    assert not {"outliers", "missing"} & set(drawn(page))
