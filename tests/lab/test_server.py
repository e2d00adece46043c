"""The address of the laboratory survives a restart; the command passes the names of columns on."""

import stat
from contextlib import closing

import pytest
from tests.cli.command import run

import throughtime.lab
from throughtime._serving import listen
from throughtime._token import TOKEN, kept_token
from throughtime.lab.server import _usual_listener


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """The file of the token."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return tmp_path / "throughtime" / "lab-token"


def test_the_token_stays_as_long_as_its_owner_alone_can_read_it(kept):
    token = kept_token("lab-token")
    assert TOKEN.fullmatch(token)
    assert (kept_token("lab-token"), stat.S_IMODE(kept.stat().st_mode)) == (token, 0o600)
    kept.chmod(0o644)
    second = kept_token("lab-token")
    assert second != token
    assert (kept_token("lab-token"), stat.S_IMODE(kept.stat().st_mode)) == (second, 0o600)
    kept.write_text("short")
    assert kept_token("lab-token") not in (second, "short")


def test_a_token_that_cannot_be_kept_is_a_new_one(kept):
    kept.parent.write_text("a file")
    assert kept_token("lab-token") != kept_token("lab-token")


def test_the_usual_port_unless_it_is_taken(monkeypatch):
    with closing(listen(0)) as free:
        usual = free.getsockname()[1]
    monkeypatch.setattr("throughtime.lab.server.USUAL_PORT", usual)
    with closing(_usual_listener()) as first, closing(_usual_listener()) as second:
        assert first.getsockname()[1] == usual
        assert second.getsockname()[1] != usual


def test_the_command_names_the_columns(tmp_path, monkeypatch):
    (tmp_path / "a.csv").write_text("shop,day,sold,stock\na,1,3.0,9\na,2,4.0,8\nb,1,5.0,7\nb,2,6.0,6\n")
    served = []
    monkeypatch.setattr(throughtime.lab, "serve", lambda lab_input, out, **rest: served.append(lab_input))
    options = ["--id", "shop", "--time", "day", "--target", "stock", "--target", "sold", "--out", str(tmp_path)]
    assert run("lab", "--data", str(tmp_path / "a.csv"), *options, "--no-browser", "--quiet").exit_code == 0
    (lab_input,) = served
    assert list(lab_input.panel.ids) == ["a/stock", "a/sold", "b/stock", "b/sold"]
    assert lab_input.columns == {"id": "shop", "time": "day", "target": ("stock", "sold")}
