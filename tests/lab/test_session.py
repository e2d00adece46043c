"""The requests of a page and the answers of its session, without a browser."""

import base64
import threading
import time

import numpy as np
import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from throughtime.lab.curves import made_curve
from throughtime.lab.inputs import LabInput
from throughtime.lab.server import lab_app

TOKEN = "let-me-in"
LIVE = f"ws://127.0.0.1/{TOKEN}/live"
COURSE = {"window": "6", "batch": "2", "steps": "60"}


def lab_threads():
    return [thread for thread in threading.enumerate() if thread.name == "lab run"]


def nothing_runs():
    """Soon: a thread hears that it is over when it looks up again, and not while it compiles."""
    deadline = time.monotonic() + 60
    while lab_threads() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert lab_threads() == []


class Page:
    """The server's end of a conversation, as a page has it."""

    def __init__(self, socket):
        self.socket, self.number = socket, 0

    def ask(self, kind, **content):
        self.socket.send_json({"type": kind, **content})

    def apply(self, *learners, running=False, start=0, **course):
        self.number += 1
        asked = {"course": COURSE | course, "learners": list(learners) or [{"hidden": "4"}]}
        self.ask("apply", number=self.number, running=running, start=start, unit=0, **asked)

    def hear(self, kind, holds=lambda message: True):
        """The next message of a kind of which it holds; every picture is acknowledged, as a page does."""
        for _ in range(3000):
            message = self.socket.receive_json()
            if message["type"] == "frames":
                self.ask("shown")
            if message["type"] == kind and holds(message):
                return message
        raise AssertionError(f"no {kind} came")

    def frame(self, holds=lambda frame: True, side=0):
        def wanted(message):
            return message["number"] == self.number and any(
                frame["side"] == side and holds(frame) for frame in message["frames"]
            )

        return next(frame for frame in self.hear("frames", wanted)["frames"] if frame["side"] == side)


@pytest.fixture
def app(tmp_path):
    return lab_app(LabInput(), tmp_path / "out", TOKEN)


@pytest.fixture
def page(app):
    with TestClient(app, base_url="http://127.0.0.1") as client, client.websocket_connect(LIVE) as socket:
        yield Page(socket)
    nothing_runs()


def floats(text):
    return np.frombuffer(base64.b64decode(text), np.float32)


def test_settings_are_applied_and_a_first_picture_comes(page):
    page.apply({"cell": "lstm", "hidden": "5"}, start=17)
    ready = page.hear("ready")
    values = made_curve("sine").values
    assert (ready["number"], ready["start"], ready["last"], ready["steps"], ready["cut"]) == (1, 17, 993, 60, 800)
    (side,) = ready["sides"]
    assert (side["title"], side["hidden"], side["parameters"]) == ("LSTM, 5 units", 5, 4 * 5 * (1 + 5 + 1) + 5 + 1)
    assert (side["cell"], side["gates"]) == ("LSTM", ["i", "f", "g", "o"])
    assert ready["naive"]["last"] == pytest.approx(np.mean(np.diff(values)[799:] ** 2))
    frame = page.frame(lambda frame: frame["start"] == 17)
    np.testing.assert_array_equal(floats(frame["values"]), values[17:29])
    np.testing.assert_array_equal(np.frombuffer(base64.b64decode(frame["stamps"])), np.arange(17, 29))
    sizes = {"predictions": 6, "alone": 6, "activity": 30, "gates": 24, "memory": 6}
    assert {name: floats(frame[name]).size for name in sizes} == sizes
    assert frame["held_out"] > 0
    assert frame["step"] == 0


def test_two_learn_side_by_side_to_the_end(page):
    page.apply({"hidden": "3"}, {"cell": "gru", "hidden": "4"}, running=True)
    assert [side["title"] for side in page.hear("ready")["sides"]] == ["Elman, tanh, 3 units", "GRU, 4 units"]
    ended = set()

    def both_ended(message):
        ended.update(frame["side"] for frame in message["frames"] if frame["step"] == 60)
        return ended == {0, 1}

    page.hear("frames", both_ended)


def test_start_pause_step_and_another_place(page):
    page.apply(steps="1000000")
    page.hear("ready")
    page.ask("step")
    assert page.frame(lambda frame: frame["step"] > 0)["step"] == 1
    page.ask("pace", pace="200")
    page.ask("go", running=True)
    page.frame(lambda frame: frame["running"] and frame["step"] > 1)
    page.ask("go", running=False)
    stood = page.frame(lambda frame: not frame["running"])["step"]
    page.ask("look", start=5_000, unit=2)
    frame = page.frame(lambda frame: frame["unit"] == 2)
    assert (frame["start"], frame["step"]) == (993, stood)  # the last window that there is
    assert floats(frame["values"]).size == 7
    page.ask("look", start=-1, unit=50)
    frame = page.frame(lambda frame: frame["unit"] == 3)  # the last of 4 units
    assert frame["start"] == 794  # the window that ends where the held-out part begins


def test_what_makes_no_sense_is_told_and_changes_nothing(page):
    page.apply(steps="1000000", running=True)
    page.hear("ready")
    page.apply(window="1000")
    refused = page.hear("refused")
    assert (refused["asked"], refused["code"], refused["field"]) == ("apply", "beyond-limits", "window")
    assert refused["message"] == "the window is 1000: expected a whole number from 2 to 500"
    page.number = 1
    before = page.frame(lambda frame: frame["running"])["step"]
    assert page.frame(lambda frame: frame["step"] > before)["running"]


@pytest.mark.parametrize(
    ("course", "learners", "field"),
    [
        ({"window": "799"}, [{}], "window"),
        ({"window": "9"}, [{"hidden": "4"}, {"hidden": "0"}], "hidden2"),
        ({}, [{"cell": "lru", "init": "chrono"}, {}], "init"),
        ({"curve": "file"}, [{}], "curve"),
    ],
)
def test_a_refusal_names_the_field_at_fault(page, course, learners, field):
    page.apply(*learners, **course)
    assert page.hear("refused")["field"] == field


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "null",
        '{"type": "no such"}',
        '{"type": "apply"}',
        '{"type": "look", "start": "x"}',
        '{"type": "pace", "pace": {}}',
        '{"type": "look", "start": Infinity, "unit": 0}',
    ],
)
def test_a_message_that_is_none_is_told(page, text):
    page.socket.send_text(text)
    assert page.hear("refused")["code"] == "not-understood"
    page.apply()
    page.hear("ready")


def test_a_pace_that_is_none_is_told(page):
    for pace in ("NaN", "-1", "Infinity"):
        page.socket.send_text(f'{{"type": "pace", "pace": "{pace}"}}')
        assert page.hear("refused")["code"] == "bad-pace"


def test_nothing_is_saved_and_nobody_learns_where_there_is_none(page, tmp_path):
    page.ask("save")
    assert page.hear("refused")["code"] == "nothing-to-save"
    assert not (tmp_path / "out").exists()
    page.ask("apply", number=1, course={}, learners=[], start=0, unit=0, running=False)
    assert page.hear("refused")["code"] == "no-network"


def test_the_reach_comes_with_its_verdict(page):
    page.apply({"hidden": "3"}, {"cell": "gru", "hidden": "4"})
    page.hear("ready")
    page.ask("reach")
    one, other = page.hear("reach")["sides"]
    assert one["verdict"].startswith("Elman, tanh, 3 units: ")
    assert other["verdict"].startswith("GRU, 4 units: ")
    assert len(one["memory"]) == len(one["bound"]) == 7
    assert one["memory"][0] == pytest.approx(1)


def test_saving_says_where(page, tmp_path):
    page.apply()
    page.hear("ready")
    page.ask("step")
    page.frame(lambda frame: frame["step"] == 1)
    page.ask("save")
    saved = page.hear("saved")
    assert saved["files"] == ["model", "picture.png", "run.py"]
    assert saved["folder"].startswith(str(tmp_path / "out"))


def test_saving_where_nothing_can_be_written_is_told(app, page, tmp_path):
    (tmp_path / "out").write_text("a file")
    page.apply()
    page.hear("ready")
    page.ask("save")
    refused = page.hear("refused")
    assert refused["asked"] == "save"
    assert str(tmp_path / "out") in refused["message"]


def test_there_is_no_forecaster_where_none_was_given(page):
    page.ask("forecaster")
    refused = page.hear("refused")
    assert (refused["asked"], refused["code"]) == ("forecaster", "no-forecaster")
    assert "--model DIR" in refused["message"]


def test_twenty_pages_open_and_close_and_nothing_is_left(app):
    before = threading.active_count()
    with TestClient(app, base_url="http://127.0.0.1") as client:
        for number in range(20):
            with client.websocket_connect(LIVE) as socket:
                page = Page(socket)
                page.apply(running=True, steps="1000000")
                page.hear("ready")
                if number % 2:
                    page.frame(lambda frame: frame["step"] > 0)
            nothing_runs()
    assert threading.active_count() <= before + 1


def test_without_the_token_there_is_nothing(app):
    with TestClient(app, base_url="http://127.0.0.1") as client:
        for place in ("/", "/live", "/page/main.js", f"/{TOKEN}x/", f"/x{TOKEN}/"):
            answer = client.get(place)
            assert answer.status_code == 404
            assert "token" in answer.text
        with pytest.raises(WebSocketDisconnect), client.websocket_connect("ws://127.0.0.1/live"):
            pass
    with TestClient(app, base_url="http://evil.example") as client:  # another name for this machine
        assert client.get(f"/{TOKEN}/").status_code == 400


def test_the_page_and_all_that_it_names_come_from_here(app):
    import re

    with TestClient(app, base_url="http://127.0.0.1") as client:
        page = client.get(f"/{TOKEN}/")
        assert page.status_code == 200
        assert "default-src 'none'" in page.headers["content-security-policy"]
        named = re.findall(r'(?:src|href)="([^"]+)"', page.text)
        assert len(named) >= 8
        for place in named:
            assert place.startswith("data:") or client.get(f"/{TOKEN}/{place}").status_code == 200, place
