"""The page docs/remember in Chromium, as a reader uses it; screenshots are kept in out/screenshots, to be looked at."""

import re
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.browser
CHECKOUT = Path(__file__).parents[2]
SCREENSHOTS = CHECKOUT / "out" / "screenshots"
TIMEOUT = 90_000  # milliseconds: machines may be busy
DESKTOP = {"viewport": {"width": 1280, "height": 800}}
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
LONGEST = 500_000  # bytes of the page with all that it loads


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the page as the site has it."""
    return tmp_path_factory.mktemp("remember")


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    """The address of the page on a server of this test."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(CHECKOUT / "docs" / "making"))
        import remember

        remember.put(folder)
        with remember.server(folder) as server:
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            yield f"http://127.0.0.1:{server.server_port}/index.html"
            server.shutdown()
            thread.join()
        sys.modules.pop("remember")


@pytest.fixture
def open_page(chromium: Any, address: str) -> Iterator[Any]:
    """Return a function that opens the page; afterwards no page may have had an error or asked elsewhere."""
    problems: list[str] = []
    contexts = []

    def opened(hash_: str = "", **settings: Any) -> Any:
        context = chromium.new_context(**(settings or DESKTOP))
        contexts.append(context)
        context.set_default_timeout(TIMEOUT)
        page = context.new_page()
        page.on("console", lambda message: problems.append(message.text) if message.type != "log" else None)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("requestfailed", lambda request: problems.append(f"failed: {request.url}"))
        page.on("request", lambda request: request.url.startswith(address[:-10]) or problems.append(request.url))
        page.goto(address + hash_)
        return page

    yield opened
    found = list(problems)  # to close a page ends its requests
    for context in contexts:
        context.close()
    assert found == []


def shot(page: Any, name: str) -> None:
    """Keep a screenshot."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"remember-{name}.png")


def wait(page: Any, words: str) -> str:
    """Wait until the verdict says something; return it."""
    page.wait_for_function("words => new RegExp(words).test(document.getElementById('verdict').textContent)", arg=words)
    return page.inner_text("#verdict")


def step(page: Any) -> int:
    """Return the training step that the page shows."""
    return int(re.search(r"([\d,]+)( steps)?\.$", page.inner_text("#verdict"))[1].replace(",", ""))


def link(page: Any) -> str:
    """Return the part of the address after #; ``page.url`` follows a little later."""
    return page.evaluate("location.hash")


def paint(page: Any, selector: str) -> str:
    """Return what is painted on a canvas."""
    return page.evaluate("selector => document.querySelector(selector).toDataURL()", selector)


def test_all_that_the_page_loads_is_small(folder: Path, address: str) -> None:
    """With the network, uncompressed."""
    assert sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) < LONGEST


def test_it_moves_when_it_opens_and_both_learn_a_short_gap(open_page: Any) -> None:
    """Nothing is pressed: two networks learn, all of the page is in sight, and it is light."""
    page = open_page()
    assert "Gap 20: both networks have learned it" in wait(page, "both networks have learned")
    assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    shot(page, "light")


def test_the_gap_decides(open_page: Any) -> None:
    """Dragged to 60, the LSTM learns and the plain RNN does not; its gradient is lost on the way."""
    page = open_page(viewport=DESKTOP["viewport"], color_scheme="dark")
    page.locator("#gap").focus()
    page.locator("#gap").fill("60")
    assert link(page) == "#two-networks&gap=60"
    wait(page, "Gap 60: the plain RNN is still guessing, the LSTM has learned it")
    left = [page.inner_text(f"[data-lane='{lane}'] .left") for lane in (0, 1)]
    assert all(re.match(r"After 5\d steps back|After 60 steps back", words) for words in left)
    assert int(page.inner_text("[data-lane='1'] .right").split()[0]) > 50  # of one sequence; all decide what is learned
    shot(page, "dark")
    page.locator("#gap").press("ArrowRight")
    assert link(page) == "#two-networks&gap=61"


def test_one_hover_reaches_all_pictures(open_page: Any) -> None:
    """A step lights its column in each strip and its place in the charts; a click chooses a unit."""
    page = open_page("#vanishing")
    wait(page, "step (?!0)")
    page.click("#go")
    page.wait_for_timeout(300)
    canvases = ["#sequence canvas", "[data-lane='0'] .units canvas", "[data-lane='1'] .units canvas"]
    before = [paint(page, canvas) for canvas in canvases]
    box = page.locator("[data-lane='0'] .units").bounding_box()
    page.mouse.move(box["x"] + 0.4 * box["width"], box["y"] + 0.3 * box["height"])
    assert all(paint(page, canvas) != was for canvas, was in zip(canvases, before, strict=True))
    assert page.locator("#gradient .reading").is_visible()
    assert page.locator("#gates .reading").is_visible()
    number = int(re.search(r"step (\d+)$", page.inner_text("#unit-title"))[1])
    assert page.inner_text("#gradient .reading strong") == f"{61 - number} steps back"

    page.mouse.click(box["x"] + 0.4 * box["width"], box["y"] + 0.3 * box["height"])
    assert page.inner_text("#unit-title") == f"Inside unit 10, step {number}"
    assert page.inner_text("#unit-of") == "Plain RNN"
    assert "tanh(" in page.inner_text("#equation")
    box = page.locator("#gradient canvas").bounding_box()
    page.mouse.move(box["x"] + 0.7 * box["width"], box["y"] + 0.5 * box["height"])
    assert int(re.search(r"step (\d+)$", page.inner_text("#unit-title"))[1]) < number


def test_numbers_of_a_unit_satisfy_its_equation(open_page: Any) -> None:
    """The keyboard reaches every unit and step, and the numbers of an LSTM's equation agree."""
    page = open_page("#vanishing")
    wait(page, "step (?!0)")
    page.click("#go")
    page.focus("[data-lane='1']")
    for _ in range(4):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowLeft")
    assert page.inner_text("#unit-title") == "Inside unit 5, step 60"
    words = page.inner_text("#equation").replace("\N{MINUS SIGN}", "-")
    f, c_before, i, g, c = map(float, re.findall(r"= ([-\d.]+)·([-\d.]+) \+ ([-\d.]+)·([-\d.]+) = ([-\d.]+)", words)[0])
    assert f * c_before + i * g == pytest.approx(c, abs=0.05)


def test_a_drawn_curve_is_learned_and_continued(open_page: Any) -> None:
    """A zigzag is drawn; both networks continue it in the same chart, and the link has it."""
    page = open_page("#your-curve")
    wait(page, "has learned it|have learned it")
    box = page.locator("#curve canvas").bounding_box()
    page.mouse.move(box["x"] + 50, box["y"] + 90)
    page.mouse.down()
    for place in range(1, 18):
        page.mouse.move(box["x"] + 50 + 40 * place, box["y"] + (40 if place % 2 else 100), steps=2)
    page.mouse.up()
    assert re.match(r"#your-curve&curve=[\w-]{120}$", link(page))
    wait(page, "step [1-9]")
    lines = page.evaluate("charts.curve.picture.lines.map(({ name, x }) => ({ name, first: x[0] }))")
    assert [line["name"] for line in lines[:2]] == ["Plain RNN, alone", "LSTM, alone"]
    assert lines[0]["first"] == 97
    shot(page, "curve")
    again = open_page(link(page))
    wait(again, "step (?!0)")
    heights = "charts.curve.picture.lines.find(({ name }) => name === 'your curve').y"
    assert again.evaluate(heights) == page.evaluate(heights)


@pytest.mark.parametrize(
    ("preset", "names"),
    [
        ("#exploding", ["no clipping", "clipping at 1"]),
        ("#forget-bias", ["forget bias 0", "forget bias 1"]),
        ("#overfitting", ["16 examples", "ever new examples"]),
    ],
)
def test_presets_compare_what_they_say(open_page: Any, preset: str, names: list[str]) -> None:
    """A preset is a link; it names what differs, and shows held-out beside training losses."""
    page = open_page()
    page.click(f"a[href='{preset}']")
    wait(page, "step (?!0)")
    assert link(page) == preset
    for lane, name in enumerate(names):
        assert name in page.inner_text(f"[data-lane='{lane}'] h2")
    assert page.evaluate("charts.loss.picture.lines.length") == 5
    page.wait_for_timeout(4000)
    shot(page, preset[1:])


def test_the_tour_has_six_captions(open_page: Any) -> None:
    """Each caption sets the page up; the last one leads back."""
    page = open_page()
    links = []
    for place in range(1, 7):
        assert page.inner_text("#tour-place") == f"{place}/6"
        links.append(link(page)[1:])
        page.click("#next")
    adding = "vanishing&task=adding&gap=40"
    assert links[1:] == ["vanishing", adding, adding, "forget-bias", "your-curve"]
    assert page.inner_text("#tour-place") == "1/6"
    assert page.locator("#back").is_disabled()


def test_settings_make_another_run(open_page: Any) -> None:
    """A changed setting goes into the link; an impossible one is refused at its field."""
    page = open_page()
    page.click("summary")
    page.fill("[name=units]", "16")
    page.press("[name=units]", "Tab")
    assert "units=16" in link(page)
    page.select_option("[name=cell0]", "gru")
    assert "cell=gru,lstm" in link(page)
    page.fill("[name=rate]", "7")
    page.press("[name=rate]", "Tab")
    assert page.evaluate("document.querySelector('[name=rate]').validity.rangeOverflow")
    assert "rate" not in link(page)
    wait(page, "step (?!0)")
    assert page.inner_text("[data-lane='0'] h2") == "GRU"


def test_pause_and_restart(open_page: Any) -> None:
    """A pause holds the step; a restart begins anew with the same run."""
    page = open_page("#vanishing")
    wait(page, "step [1-9]\\d")
    page.click("#go")
    page.wait_for_timeout(300)
    held = step(page)
    page.wait_for_timeout(500)
    assert step(page) == held
    page.click("#again")
    wait(page, "step [1-9]")


def test_a_phone_shows_everything(open_page: Any) -> None:
    """In one column, nothing is wider than the screen, and a finger reads a step."""
    page = open_page("#two-networks&task=adding", **PHONE)
    wait(page, "step [1-9]\\d")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.locator("[data-lane='1'] .units").tap()
    assert page.locator("#gradient .reading").is_visible()
    page.evaluate("scrollTo(0, 0)")
    shot(page, "phone")


def test_still_for_those_who_want_no_motion(open_page: Any) -> None:
    """Without motion no light runs: the beam alone shows the gradient."""
    page = open_page(viewport=DESKTOP["viewport"], reduced_motion="reduce")
    wait(page, "step [1-9]\\d")
    page.click("#go")
    page.wait_for_timeout(300)
    light = paint(page, "[data-lane='1'] .light canvas")
    page.wait_for_timeout(400)
    assert paint(page, "[data-lane='1'] .light canvas") == light
