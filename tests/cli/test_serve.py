"""``throughtime serve``: a real process that is told to end."""

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest
from tests.cli.command import run
from tests.service.conftest import instant  # noqa: F401 - a fixture

ELSEWHERE_UNUSED = pytest.mark.skipif(sys.platform != "linux", reason="only Linux listens at all of 127/8")
ROW = {"shop": "north", "day": "2024-02-10", "sold": 21.5}


@contextmanager
def server(model: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen, str]]:
    """A server and its address."""
    command = [sys.executable, "-m", "throughtime", "serve", str(model), "--port", "0", "--json", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process, json.loads(process.stdout.readline())["address"]
        finally:
            process.kill()


def test_two_servers_of_one_folder_and_an_end_that_finishes_what_was_accepted(instant):  # noqa: F811
    """The first has a request in hand, half of whose body has come, when it is told to end."""
    before = {path: path.read_bytes() for path in instant.iterdir()}
    with server(instant) as (first, address), server(instant) as (_, other):
        content = json.dumps({"rows": [ROW]}).encode()
        begun = threading.Event()

        def slowly() -> Iterator[bytes]:
            yield content[:9]
            begun.set()
            time.sleep(0.5)
            yield content[9:]

        def end() -> None:
            begun.wait()
            time.sleep(0.2)
            first.send_signal(signal.SIGTERM)

        ending = threading.Thread(target=end)
        ending.start()
        headers = {"content-type": "application/json"}
        answer = httpx2.post(f"{address}/update", content=slowly(), headers=headers, timeout=60)
        ending.join()
        assert answer.json() == {"series": [{"unique_id": "north", "steps": 1}]}
        assert first.wait(timeout=60) == 130
        assert first.stderr is not None
        assert "The server has stopped." in first.stderr.read()
        assert httpx2.post(f"{other}/update", json={"rows": [ROW]}, timeout=60).status_code == 200
    assert {path: path.read_bytes() for path in instant.iterdir()} == before


def test_an_address_of_another_machine_is_refused(instant):  # noqa: F811
    result = run("serve", str(instant), "--port", "0", "--host", "256.0.0.1", "--json")
    assert (result.exit_code, json.loads(result.stdout)["code"]) == (2, "port-in-use")


@pytest.mark.parametrize("host", ["0.0.0.0", pytest.param("127.0.0.2", marks=ELSEWHERE_UNUSED)])
def test_a_token_that_no_client_could_read_is_refused(instant, tmp_path, monkeypatch, host):  # noqa: F811
    """Also at an address of this machine that is none of the names that need no token."""
    (tmp_path / "file").touch()
    monkeypatch.setattr("throughtime._token.user_state_path", lambda name: tmp_path / "file" / name)
    result = run("serve", str(instant), "--port", "0", "--host", host, "--json")
    assert (result.exit_code, json.loads(result.stdout)["code"]) == (2, "no-token-file")
