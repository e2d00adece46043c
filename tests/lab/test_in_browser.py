"""The laboratory in Chromium, as a person uses it; screenshots are kept in out/screenshots, to be looked at."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

import throughtime as tt
from throughtime._serving import listen
from throughtime.lab import Course, LabInput, Learner, make_experiment

pytestmark = pytest.mark.browser
SCREENSHOTS = Path(__file__).parents[2] / "out" / "screenshots"
TIMEOUT = 60_000  # milliseconds: machines may be busy
DESKTOP = {"viewport": {"width": 1280, "height": 800}}
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}


class Lab:
    """A laboratory that a command line has started."""

    def __init__(self, out, *arguments):
        command = [sys.executable, "-m", "throughtime", "lab", "--no-browser", "--json", "--out", str(out), *arguments]
        plain = {name: value for name, value in os.environ.items() if name != "XLA_FLAGS"}
        plain["XDG_STATE_HOME"] = str(out / "state")
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=plain)
        self.address = json.loads(self.process.stdout.readline())["address"]

    def stop(self):
        """Ctrl-C: the exit code, and what it says."""
        self.process.send_signal(signal.SIGINT)
        _, words = self.process.communicate(timeout=30)
        return self.process.returncode, words

    def number(self, name):
        """``Threads`` or ``VmRSS`` of the process, in kB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"^{name}:\s+(\d+)", status, re.M)[1])


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "two series.csv"
    days = np.datetime64("2024-03-01") + np.arange(90)
    waves = [(name, np.sin(np.arange(90) / 4 + k)) for k, name in enumerate(("<b>a</b>", "b & c"))]
    rows = [
        f"{name},{day},{1000 + 50 * value:.4f}" for name, wave in waves for day, value in zip(days, wave, strict=True)
    ]
    path.write_text("unique_id,day,sold\n" + "\n".join(rows))
    return path


@pytest.fixture(scope="module")
def lab(tmp_path_factory, file):
    started = Lab(tmp_path_factory.mktemp("lab"), "--data", str(file))
    yield started
    assert started.stop()[0] == 130


@pytest.fixture
def open_page(chromium, lab):
    """Open the laboratory; whatever it complained of, or asked for elsewhere, fails the test in the end."""
    contexts, complaints = [], []

    def opened(query="curve=sine&window=12&hidden=8&paused=1", at=None, **options):
        at = at or lab
        context = chromium.new_context(**(DESKTOP | options))
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(TIMEOUT)
        page.complain = lambda message: complaints.append(message.text)
        page.on("console", page.complain)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        home = at.address.split("//")[1].split("/")[0]
        page.on("request", lambda asked: home in asked.url or asked.url[:5] == "data:" or complaints.append(asked.url))
        page.goto(f"{at.address}?{query}")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


def wait_until(page, holds, what):
    for _ in range(TIMEOUT // 50):
        if holds():
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"it did not happen: {what}; the page says {page.inner_text('#verdict')!r}")


def ready(page):
    """A network is shown, and none is being prepared."""
    state = "document.body.dataset.state === 'ready' && document.body.dataset.step !== undefined"
    wait_until(page, lambda: page.evaluate(state), "a network is ready")


def steps(page):
    """Training steps done."""
    return int(page.evaluate("document.body.dataset.step ?? 0"))


def done(page):
    wait_until(page, lambda: "done" in page.inner_text("#verdict"), "all steps are done")


def line(page, chart, name):
    """The y values of a line of a chart."""
    found = f"charts.{chart}.picture.lines.find((each) => each.name === {json.dumps(name)})"
    return np.array(page.evaluate(f"Array.from({found}.y, (value) => value ?? NaN)"), float)


def paint(page, selector):
    return page.evaluate("selector => document.querySelector(selector).toDataURL()", selector)


def open_settings(page):
    page.evaluate("document.getElementById('settings').open = true")


def set_number(page, name, value):
    open_settings(page)
    page.fill(f"[name={name}]", str(value))


def fault(page, name):
    """The sentence beside a field."""
    told = page.locator(f"label:has([name={name}]) .fault")
    return told.inner_text() if told.count() else ""


def learned_and_saved(page):
    """The folder that the page says, after all its training steps."""
    done(page)
    page.click("#save")
    wait_until(page, lambda: page.is_visible("#saved"), "it is saved")
    return Path(re.search(r"Saved to (.+): model, picture.png, run.py", page.inner_text("#saved"))[1])


def picture(page, name, *, whole=False):
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"lab-{name}.png", full_page=whole)


def test_it_moves_when_it_opens_and_all_is_in_sight(open_page):
    page = open_page("")
    ready(page)
    assert page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime") < 2000
    wait_until(page, lambda: steps(page) > 0, "it trains without a click")
    assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for chart in ("window", "loss", "gradient", "gates"):
        box = page.locator(f"#{chart} canvas").bounding_box()
        assert box["y"] + box["height"] <= 800
    wait_until(page, lambda: page.evaluate("charts.gradient.picture !== null"), "the gradient is measured")
    picture(page, "light")


def test_it_pauses_steps_and_begins_anew(open_page):
    page = open_page("curve=sine&window=12&hidden=8&steps=1000000&pace=0")
    ready(page)
    wait_until(page, lambda: steps(page) > 100, "it trains")
    page.click("#go")
    assert page.inner_text("#go") == "Start"
    assert "paused=1" in page.url
    page.wait_for_timeout(600)
    stood = steps(page)
    page.wait_for_timeout(500)
    assert steps(page) == stood
    page.click("#step")
    wait_until(page, lambda: steps(page) == stood + 1, "one step")
    page.click("#again")
    wait_until(page, lambda: steps(page) == 0, "it begins anew")


def test_two_losses_and_words_that_follow_from_them(open_page):
    page = open_page("curve=sine&window=12&hidden=8&steps=500&pace=0&rate=0.01")
    done(page)
    name = "Plain RNN"
    held_out, naive = line(page, "loss", name), line(page, "loss", "repeating the last value")[0]
    assert held_out[0] > naive > held_out[-1]
    assert np.nanmin(line(page, "loss", f"{name}, training")) > 0
    percent = re.search(
        r"the plain RNN is better than repeating the last value \(error ([\d.]+) % of it\)", page.inner_text("#verdict")
    )
    assert float(percent[1]) == pytest.approx(100 * held_out[-1] / naive, rel=0.06)


def test_on_the_nile_nothing_suggests_that_a_network_is_better_than_naive(open_page, tmp_path):
    lab = Lab(tmp_path / "out", "--data", str(Path(__file__).parents[2] / "examples" / "nile.csv"))
    page = open_page("pace=0&steps=1500&compare=1&cell=gru&cell2=lstm", at=lab)
    done(page)
    words, naive = page.inner_text("#verdict"), line(page, "loss", "predicting the mean")[0]
    assert "is not better than predicting the mean" in words
    assert "is better" not in words
    assert "overfit" in words
    for name in ("GRU", "LSTM"):
        held_out, training = line(page, "loss", name), line(page, "loss", f"{name}, training")
        assert training[-1] < naive < held_out[-1]
    assert page.inner_text("#task-title") == "flow"
    assert page.evaluate("charts.window.picture.x.range[0]") == 1921
    picture(page, "nile")
    lab.stop()


def test_watch_it_overfit(open_page):
    page = open_page()
    ready(page)
    page.select_option("#pace", "0")
    page.click("text=Watch it overfit")
    wait_until(page, lambda: page.evaluate("document.body.dataset.state") == "ready", "it is prepared")
    done(page)
    training, held_out = line(page, "loss", "16 examples, training"), line(page, "loss", "16 examples")
    assert training[-1] < 0.3 * held_out[-1]
    assert held_out[-1] > 1.5 * held_out.min()
    assert line(page, "loss", "ever new windows")[-1] < held_out[-1]
    assert "The LSTM (16 examples) overfits" in page.inner_text("#verdict")
    assert page.get_attribute("[data-preset=overfitting]", "aria-current") == "true"
    picture(page, "overfitting")


def test_what_is_left_of_the_gradient_is_one_number_everywhere(open_page):
    """The card, the beam and ``throughtime gradients`` measure the same; the bound comes with a switch."""
    page = open_page("curve=sines&window=20&hidden=6&compare=1&cell2=lstm&paused=1")
    ready(page)
    wait_until(page, lambda: page.evaluate("charts.gradient.picture !== null"), "the gradient is measured")
    wait_until(page, lambda: "is left" in page.inner_text("[data-lane='1'] .left"), "and told")
    memory = line(page, "gradient", "Plain RNN")
    made = make_experiment(Course(curve="sines", window=20), Learner(hidden=6), LabInput())
    flow = tt.gradient_flow(made.start.model, jnp.asarray(made.curve.values[780:800, None]))
    np.testing.assert_allclose(memory, flow.memory, rtol=1e-3)
    left = re.search(r"After 19 steps back, (?:less than )?([\d.]+) %", page.inner_text("[data-lane='0'] .left"))
    assert float(left[1]) == pytest.approx(max(100 * flow.memory[19], 0.01), rel=0.06)
    rate = page.inner_text("[data-lane='0'] .left small")
    assert ("halves every" in rate) == flow.is_straight
    assert page.evaluate("charts.gradient.picture.lines.length") == 2
    page.check("#bound")
    np.testing.assert_allclose(line(page, "gradient", "Plain RNN, at most"), flow.bound, rtol=1e-3)


def test_one_hover_reaches_all_pictures(open_page):
    page = open_page("curve=sines&window=20&hidden=8&compare=1&cell2=lstm&paused=1")
    ready(page)
    wait_until(page, lambda: page.evaluate("charts.gradient.picture !== null"), "the gradient is measured")
    canvases = ["[data-lane='0'] .units canvas", "[data-lane='1'] .units canvas"]
    before = [paint(page, canvas) for canvas in canvases]
    box = page.locator("[data-lane='0'] .units").bounding_box()
    page.mouse.move(box["x"] + 0.4 * box["width"], box["y"] + 0.3 * box["height"])
    assert all(paint(page, canvas) != was for canvas, was in zip(canvases, before, strict=True))
    number = int(re.search(r"step (\d+)$", page.inner_text("#unit-title"))[1])
    assert page.inner_text("#gradient .reading strong") == f"{20 - number} steps back"
    assert page.inner_text("#window .reading strong").startswith(f"step {780 + number - 1}")
    assert page.locator("#gates .reading").is_visible()
    page.mouse.click(box["x"] + 0.4 * box["width"], box["y"] + 0.45 * box["height"])
    wait_until(page, lambda: page.inner_text("#unit-title") == f"Inside unit 4, step {number}", "another unit")
    assert page.inner_text("#unit-of") == "Plain RNN, tanh, 8 units"
    assert "tanh(" in page.inner_text("#equation")
    box = page.locator("#window canvas").bounding_box()
    page.mouse.move(box["x"] + 0.9 * box["width"], box["y"] + 0.5 * box["height"])
    assert re.match(r"step \d+, \d+ steps alone, held out", page.inner_text("#window .reading strong"))


def test_the_numbers_of_a_unit_satisfy_its_equation_by_keyboard(open_page):
    page = open_page("curve=sines&window=20&hidden=8&cell=lstm&paused=1")
    ready(page)
    page.focus("[data-lane='1']")
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowLeft")
    wait_until(page, lambda: page.inner_text("#unit-title") == "Inside unit 4, step 19", "the unit")
    page.wait_for_timeout(300)
    words = page.inner_text("#equation").replace("\N{MINUS SIGN}", "-")
    f, c_before, i, g, c = map(float, re.findall(r"= ([-\d.]+)·([-\d.]+) \+ ([-\d.]+)·([-\d.]+) = ([-\d.]+)", words)[0])
    assert f * c_before + i * g == pytest.approx(c, abs=0.02)
    page.focus("#go")
    page.keyboard.press("Enter")
    wait_until(page, lambda: steps(page) > 0, "it trains")


def test_a_click_is_seen_at_once(open_page):
    """Within 200 ms of a click the page says that it prepares another network, however long that takes."""
    page = open_page()
    ready(page)
    seen = """preset => new Promise((told) => {
        const began = performance.now(), words = document.getElementById("verdict");
        const watch = () => document.body.dataset.state === "preparing" && words.textContent.startsWith("Preparing")
            ? told(performance.now() - began) : requestAnimationFrame(watch);
        document.querySelector(`[data-preset=${preset}]`).click();
        watch();
    })"""
    assert page.evaluate(seen, "vanishing") < 200
    picture(page, "preparing")
    assert page.get_attribute("[data-preset=vanishing]", "aria-current") == "true"
    ready(page)
    page.click("#again")
    assert page.evaluate("document.body.dataset.state") == "preparing"


def test_errors_stand_at_their_fields_at_once(open_page):
    page = open_page("curve=file&window=12&hidden=8&steps=1000000&paused=1")
    ready(page)
    set_number(page, "hidden", 600)
    assert fault(page, "hidden") == "Expected from 1 to 512."
    set_number(page, "hidden", "2.5")
    assert fault(page, "hidden").startswith("Expected a whole number")
    set_number(page, "hidden", "")
    assert fault(page, "hidden").startswith("Expected a number")
    assert page.get_attribute("[name=hidden]", "aria-invalid") == "true"
    picture(page, "error-at-field")
    set_number(page, "hidden", 6)
    assert fault(page, "hidden") == ""
    wait_until(page, lambda: "hidden=6" in page.url, "it is applied while it is typed")
    set_number(page, "window", 90)
    wait_until(
        page, lambda: "a window of 90 steps does not fit" in fault(page, "window"), "the server's word at the field"
    )
    assert page.is_hidden("#told")
    set_number(page, "window", 20)
    ready(page)
    assert fault(page, "window") == ""
    page.keyboard.press("Escape")
    page.fill("[name=series]", "nobody")
    page.press("[name=series]", "Tab")
    wait_until(page, lambda: "there is no series 'nobody'" in fault(page, "series"), "no such series")
    page.fill("[name=series]", "b & c")
    page.press("[name=series]", "Tab")
    ready(page)
    strange = open_page("curve=sine&hidden=many&window=12&paused=1")
    assert "The address says many" in fault(strange, "hidden")
    ready(strange)
    misfit = open_page("curve=sine&cell=lru&init=chrono&window=12")
    wait_until(misfit, lambda: "cannot start with 'chrono'" in fault(misfit, "init"), "a misfit")


def test_dates_and_units_of_a_file_and_another_window(open_page):
    page = open_page("curve=file&window=12&hidden=8&series=b+%26+c&paused=1")
    ready(page)
    assert page.inner_text("#task-title") == "sold"
    axis = page.evaluate("charts.window.picture.x")
    assert (axis["kind"], axis["resolution"]) == ("time", "day")
    assert np.datetime64(int(axis["range"][0]), "ms") == np.datetime64("2024-03-01") + 60
    series = line(page, "window", "the series")
    np.testing.assert_allclose(series[0], 1000 + 50 * np.sin(60 / 4 + 1), atol=0.01)
    page.fill("#start", "9")
    wait_until(page, lambda: page.evaluate("charts.window.picture.x.range[0]") != axis["range"][0], "another window")
    assert "start=9" in page.url
    picture(page, "dates")


def test_the_address_survives_a_restart(open_page, tmp_path):
    with closing(listen(0)) as free:
        port = free.getsockname()[1]
    lab = Lab(tmp_path / "out", "--port", str(port))
    page = open_page("curve=square&window=14&hidden=7&cell=gru&steps=1000000", at=lab)
    page.remove_listener("console", page.complain)  # that nobody answers, Chromium itself complains
    ready(page)
    address = page.url
    lab.stop()
    wait_until(page, lambda: "has stopped" in page.inner_text("#verdict"), "it says that it has stopped")
    again = Lab(tmp_path / "out", "--port", str(port))
    ready(page)
    assert page.url == address
    assert page.inner_text("[data-lane='1'] h2") == "GRU, 7 units"
    other = open_page(address.split("?")[1], at=again)
    ready(other)
    assert other.input_value("[name=curve]") == "square"
    assert other.inner_text("[data-lane='1'] h2") == "GRU, 7 units"
    again.stop()


def test_a_run_that_diverges_says_why(open_page):
    page = open_page("curve=sine&window=60&hidden=8&activation=identity&rate=10&steps=1000000&pace=0")
    wait_until(page, lambda: page.is_visible("#told"), "it diverges")
    assert "step" in page.inner_text("#told")
    set_number(page, "rate", 0.001)
    wait_until(page, lambda: page.is_hidden("#told"), "it is forgotten")


def test_saving_keeps_picture_script_and_model(open_page):
    page = open_page("curve=sine&window=12&hidden=8&steps=50&pace=0")
    folder = learned_and_saved(page)
    assert (folder / "picture.png").read_bytes().startswith(b"\x89PNG")
    assert tt.load(folder / "model").cell.hidden == 8
    again = Lab(folder / "again", "--model", f"{folder}/model")
    page = open_page("curve=sine&window=12&paused=1", at=again)
    ready(page)
    assert page.evaluate("document.querySelector('[name=cell]').offsetParent") is None
    assert "better than" in page.inner_text("#verdict") or "not trained yet" in page.inner_text("#verdict")
    again.stop()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone(open_page, scheme):
    page = open_page("curve=sines&window=12&hidden=8&compare=1&steps=200", color_scheme=scheme, **PHONE)
    done(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    wait_until(page, lambda: page.evaluate("charts.gradient.picture !== null"), "the gradient is measured")
    picture(page, f"phone-{scheme}", whole=True)


def test_dark(open_page):
    page = open_page("", color_scheme="dark")
    wait_until(page, lambda: steps(page) > 200, "it trains")
    wait_until(page, lambda: page.evaluate("charts.gradient.picture !== null"), "the gradient is measured")
    picture(page, "dark")


def test_a_trained_forecaster_can_be_looked_into(open_page, tmp_path, file):
    import polars as pl

    tt.Forecaster(horizon=5, season=1, steps=20, preset="fast").fit(pl.read_csv(file)).save(tmp_path / "model")
    lab = Lab(tmp_path / "out", "--model", str(tmp_path / "model"))
    page = open_page("", at=lab)
    wait_until(page, lambda: "A gradient" in page.inner_text("#forecaster-verdict"), "the forecaster's verdict")
    assert page.evaluate("document.querySelector('#forecaster-map').height") == 5
    picture(page, "forecaster", whole=True)
    lab.stop()


def test_ten_pages_come_and_go(open_page, lab, chromium):
    def once():
        context = chromium.new_context()
        page = context.new_page()
        page.goto(f"{lab.address}?curve=sine&window=12&hidden=8&steps=1000000&pace=0")
        wait_until(page, lambda: steps(page) > 0, "it trains")
        context.close()

    def settled():
        for _ in range(200):
            if lab.number("Threads") <= threads + 2:  # the server's pool may have grown; a leak would be ten
                return True
            time.sleep(0.05)
        return False

    for _ in range(3):  # what is made once and kept
        once()
    time.sleep(1)
    threads, memory = lab.number("Threads"), lab.number("VmRSS")
    for _ in range(10):
        once()
    assert settled(), (threads, lab.number("Threads"))
    assert lab.number("VmRSS") - memory < 50_000, (memory, lab.number("VmRSS"))  # kB


def test_a_file_that_cannot_be_used_is_told_before_anything_is_served(tmp_path):
    (tmp_path / "bad.csv").write_text("ds,y\n2020-01-01,one\n")
    command = [sys.executable, "-m", "throughtime", "lab", "--no-browser", "--data", str(tmp_path / "bad.csv")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "bad.csv" in done.stderr
    assert "Traceback" not in done.stderr
