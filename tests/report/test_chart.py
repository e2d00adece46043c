"""The charting script in Chromium: round places of axes, gaps, sizes, and what is read under the pointer."""

import datetime
import re

import pytest
from tests.report.pages import content_of, panel_of

from throughtime.report.page import render

pytestmark = pytest.mark.browser
PIXELS = 600  # of an axis


@pytest.fixture(scope="module")
def page(chromium, tmp_path_factory):
    file = tmp_path_factory.mktemp("page") / "report.html"
    file.write_text(render(content_of(panel_of(["a"], [30]))), encoding="utf-8")
    context = chromium.new_context(offline=True, viewport={"width": 1200, "height": 1600})
    opened = context.new_page()
    opened.goto(file.as_uri())
    opened.wait_for_selector("html[data-ready]", state="attached")
    yield opened
    context.close()


def stamp(text):
    """Milliseconds since 1970."""
    return datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.UTC).timestamp() * 1000


def ticks(page, axis, pixels=PIXELS, room=48):
    """The ticks of an axis, as value, text and second line."""
    found = page.evaluate("([axis, pixels, room]) => ticksOf(axis, pixels, room)", [axis, pixels, room])
    return [(tick["value"], tick["text"], tick.get("within")) for tick in found]


@pytest.mark.parametrize(
    ("first", "last", "resolution", "labels"),
    [
        ("1871-03-01", "1970-06-01", "day", "1880 1890 1900 1910 1920 1930 1940 1950 1960 1970"),
        ("2019-11-10", "2020-05-02", "day", "Dec/2019 Jan/2020 Feb Mar Apr May"),
        ("2020-02-27", "2020-03-03", "day", "Feb-27/2020 Feb-28 Feb-29 Mar-1 Mar-2 Mar-3"),
        ("2020-02-27", "2020-03-03", "month", "Mar/2020"),
        ("2020-02-27", "2020-03-03", "year", ""),
        ("2020-02-28T21:30", "2020-02-29T06:15", "minute",
         "22:00/Feb-28,-2020 23:00 00:00/Feb-29,-2020 01:00 02:00 03:00 04:00 05:00 06:00"),
        ("2020-02-28T23:59:50", "2020-02-29T00:00:12", "millisecond",
         "23:59:50/Feb-28,-2020 23:59:55 00:00:00/Feb-29,-2020 00:00:05 00:00:10"),
    ],
    ids=["decades", "months", "days", "monthly data", "yearly data", "hours", "seconds"],
)  # fmt: skip
def test_times_are_round_and_no_finer_than_the_data(page, first, last, resolution, labels):
    axis = {"range": [stamp(first), stamp(last)], "kind": "time", "resolution": resolution}
    found = ticks(page, axis)
    words = [f"{text}/{within}" if within else text for _, text, within in found]
    assert [each.replace(" ", "-") for each in words] == labels.split()
    assert all(stamp(first) <= value <= stamp(last) for value, _, _ in found)


def test_every_monday_begins_a_week(page):
    axis = {"range": [stamp("2020-01-01"), stamp("2020-03-01")], "kind": "time", "resolution": "day"}
    days = [datetime.datetime.fromtimestamp(value / 1000, datetime.UTC) for value, _, _ in ticks(page, axis)]
    assert len(days) == 8
    assert {day.weekday() for day in days} == {0}


@pytest.mark.parametrize(
    ("axis", "labels"),
    [
        ({"range": [-0.12, 0.31]}, "-0.10 -0.05 0 0.05 0.10 0.15 0.20 0.25 0.30"),
        ({"range": [2.31e9, 2.59e9]}, "2.35e9 2.40e9 2.45e9 2.50e9 2.55e9"),
        ({"range": [0, 2.2], "kind": "count"}, "0 1 2"),
        ({"range": [9000, 21000], "kind": "index"}, "9000 10000 11000 12000 13000 14000 15000 16000 17000 18000 "
         "19000 20000 21000"),
        ({"range": [0.01, 2], "log": True}, "0.01 0.02 0.05 0.1 0.2 0.5 1 2"),
        ({"range": [1e-4, 0.1], "log": True}, "0.0001 0.0002 0.0005 0.001 0.002 0.005 0.01 0.02 0.05 0.1"),
        ({"range": [4e-7, 3e-6], "log": True}, "5e-7 e-6 2e-6"),
        ({"range": [1e-8, 1], "log": True}, "e-8 e-7 e-6 e-5 e-4 e-3 e-2 e-1 e0"),
        ({"range": [3, 3]}, ""),
    ],
    ids=["numbers", "large", "whole", "integers of a time axis", "some powers of ten", "small", "smaller",
         "many powers of ten", "empty"],
)  # fmt: skip
def test_numbers_are_round(page, axis, labels):
    plain = str.maketrans("\N{SUPERSCRIPT MINUS}\N{SUPERSCRIPT ZERO}\N{SUPERSCRIPT ONE}²³⁴⁵⁶⁷⁸⁹", "-0123456789")
    words = [re.sub("(\N{MULTIPLICATION SIGN}|^)10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹])", r"e\2", text) for _, text, _ in ticks(page, axis)]
    assert [each.translate(plain) for each in words] == labels.split()


def test_what_is_not_known_is_a_gap_and_a_lonely_value_a_point(page):
    columns = page.evaluate("""() => {
        const element = document.createElement("div");
        element.id = "gaps";
        element.className = "chart";
        document.body.append(element);
        const chart = new Chart("gaps");
        chart.draw({
            x: { range: [0, 10], kind: "count" }, y: { range: [0, 4] },
            lines: [{
                name: "a", color: "model", width: 2, dash: [],
                x: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10], y: [2, 2, 2, null, null, 1, null, null, 3, 3, 3],
            }],
            bands: [{ x: [3, 4, 5, 6, 7], low: [1, 1, null, 1, 1], high: [3, 3, 3, 3, 3], color: "warn", opacity: 1 }],
        });
        const found = { line: [], band: [] };
        const channels = (name) => [1, 3, 5].map((at) => parseInt(color(name).slice(at, at + 2), 16));
        const line = channels("model"), band = channels("warn");
        const { width, height } = chart.canvas;
        const copy = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
        copy.drawImage(chart.canvas, 0, 0);
        for (let x = 0.25; x < 10; x += 0.25) {
            const { data } = copy.getImageData(Math.round(chart.leftOf(x)), 0, 1, height);
            const holds = (wanted) => Array.from({ length: height }, (_, row) => 4 * row).some(
                (at) => wanted.every((channel, place) => data[at + place] === channel));
            if (holds(line)) found.line.push(x);
            if (holds(band) && x % 1) found.band.push(x);
        }
        element.remove();
        return found;
    }""")
    assert columns["line"] == [0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75, 5, 8.25, 8.5, 8.75, 9, 9.25, 9.5, 9.75]
    assert columns["band"] == [3.25, 3.5, 3.75, 6.25, 6.5, 6.75]


def test_a_chart_follows_the_size_of_its_page(page):
    width = "document.querySelector('#chart canvas').width"
    wide = page.evaluate(width)
    page.set_viewport_size({"width": 800, "height": 1600})
    for _ in range(100):
        if page.evaluate(width) < wide - 300:
            break
        page.wait_for_timeout(50)
    assert page.evaluate(f"{width} === document.querySelector('#chart .plot').clientWidth")
    page.set_viewport_size({"width": 1200, "height": 1600})


def test_small_charts_tell_their_values(page):
    page.locator("#calibration").scroll_into_view_if_needed()
    box = page.locator("#calibration canvas").bounding_box()
    left = page.evaluate("charts.calibration.leftOf(81)")
    page.mouse.move(box["x"] + left, box["y"] + box["height"] / 2)
    assert page.inner_text("#calibration .reading").split("\n") == ["interval of 80 %", "covered", "100.0 %"]
    page.mouse.move(box["x"] + left, box["y"] - 30)
    assert page.locator("#calibration .reading").is_hidden()
    page.evaluate("scrollTo(0, 0)")


def test_a_click_selects_nothing_and_a_drag_to_the_left_zooms(page):
    shown = "charts.chart.picture.x.range"
    page.click("#zoom-all")
    whole, box = page.evaluate(shown), page.locator("#chart canvas").bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.click(box["x"] + box["width"] * 0.5, middle)
    assert page.evaluate(shown) == whole
    page.mouse.move(box["x"] + box["width"] * 0.8, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.4, middle, steps=3)
    assert page.locator("#chart .selection").is_visible()
    expected = page.evaluate(f"[0.4, 0.8].map((share) => charts.chart.valueAt(share * {box['width']}))")
    page.mouse.up()
    assert page.locator("#chart .selection").is_hidden()
    assert page.evaluate(shown) == pytest.approx(expected, rel=1e-3)
    page.click("#zoom-all")
