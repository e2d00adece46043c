"""The server's contract, in this process: its answers are the model's, and nothing is lost among many clients."""

import asyncio
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta

import httpx2
import hypothesis
import numpy as np
import polars as pl
import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import strategies as st
from schemathesis.config import SchemathesisConfig
from starlette.testclient import TestClient
from tests.service.conftest import FIRST, daily

import throughtime as tt
from throughtime._errors import InputError
from throughtime.service import Served, load_model, service_app

URL, TOKEN, EXAMPLES = "http://localhost", "the-token", 30


def rows_of(frame: pl.DataFrame) -> list[dict]:
    return frame.with_columns(pl.col("day").cast(pl.String)).to_dicts()


def app_of(folder, most_bytes: int = 100_000, token: str | None = None, most_series: int = 100) -> FastAPI:
    return service_app(Served(load_model(folder), most_series), most_bytes, token)


@pytest.fixture
def client(instant) -> Iterator[TestClient]:
    with TestClient(app_of(instant), URL) as client:
        yield client


def assert_forecasts(found: list[dict], expected: pl.DataFrame) -> None:
    rows = [
        dict(zip(answer, row, strict=True))
        for answer in ({**answer, "unique_id": [answer["unique_id"]] * len(answer["ds"])} for answer in found)
        for row in zip(*answer.values(), strict=True)
    ]
    assert pl.DataFrame(rows).columns == expected.columns
    for name in expected.columns[2:]:
        np.testing.assert_allclose([row[name] for row in rows], expected[name], rtol=1e-5)
    assert [row["ds"] for row in rows] == expected["ds"].cast(pl.String).to_list()


def test_forecasts_and_updates_are_the_models_own(client, instant):
    model = tt.load(instant)
    assert_forecasts(client.post("/forecast", json={}).json()["forecasts"], model.predict(level=[80, 95]))
    rows = pl.concat([daily("south", range(25, 27), 1), daily("west", range(9), 2)])
    updated = client.post("/update", json={"rows": rows_of(rows)})
    assert updated.json() == {"series": [{"unique_id": "south", "steps": 2}, {"unique_id": "west", "steps": 9}]}
    expected = model.update(rows).predict(level=90, horizon=2)
    named = client.post("/forecast", json={"series": ["west", "north"], "level": [90], "horizon": 2})
    assert_forecasts(
        named.json()["forecasts"],
        pl.concat([expected.filter(unique_id=name) for name in ("west", "north")]),
    )
    other = daily("other", range(30), 3)
    found = client.post("/forecast", json={"rows": rows_of(other), "level": []})
    assert_forecasts(found.json()["forecasts"], model.predict(other))
    health = client.get("/health").json()
    assert (health["status"], health["series"], health["horizon"], health["frequency"]) == ("ok", 3, 3, "daily")
    numbers = client.get("/metrics").text
    for line in (
        "throughtime_series 3.0",
        "throughtime_rows_total 11.0",
        'throughtime_requests_total{path="/forecast",status="200"} 3.0',
    ):
        assert line in numbers


NEW = {"day": "2024-03-09", "sold": 1}


@pytest.mark.parametrize(
    ("path", "body", "code", "fields"),
    [
        ("/forecast", {"horizon": 4}, "long-horizon", {"found": 4, "expected": 3}),
        ("/forecast", {"level": [0.8]}, "impossible-level", {"found": 0.8}),
        ("/forecast", {"series": ["east"]}, "unknown-series", {"found": "east"}),
        ("/forecast", {"rows": [{"shop": "a", "day": 3, "sold": 4}]}, "other-time-stamps", {"file": "the rows"}),
        ("/update", {"rows": [{"shop": "north", "day": "2024-01-09", "sold": 4}]}, "row-before-end", {"line": 1}),
        ("/update", {"rows": [{"shop": "north", "day": "2024-03-09", "sold": "x"}]}, "not-a-number", {"line": 1}),
        ("/update", {"rows": [{"shop": "north", "sold": 1}]}, "no-such-column", {"found": "day"}),
        (
            "/update",
            {"rows": [{"shop": f"s{k}", "day": "2024-03-09", "sold": 1} for k in range(99)]},
            "too-many-series",
            {},
        ),
        ("/update", {"rows": [{"shop": ["north"]}]}, "bad-request", {}),
        ("/update", {"rows": []}, "bad-request", {"column": "body.rows"}),
        ("/update", {"row": []}, "bad-request", {}),
    ],
)
def test_what_cannot_be_used_is_refused_in_the_words_of_the_command_line(client, path, body, code, fields):
    before = client.post("/forecast", json={}).json()
    answer = client.post(path, json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert answer.json()["error"]
    assert {name: answer.json()[name] for name in fields} == fields
    assert client.post("/forecast", json={}).json() == before


def test_values_that_json_has_not_are_refused(client):
    infinite = '{"rows": [{"shop": "north", "day": "2024-02-10", "sold": Infinity}]}'
    for content, status in (
        (infinite, 422),
        ("[" * 100_001, 413),
        ("[" * 50_000, 400),
        ("{", 422),
        ('{"rows": "\\ud800"}', 422),
    ):
        answer = client.post("/update", content=content, headers={"content-type": "application/json"})
        assert answer.status_code == status, content[:50]
        assert set(answer.json()) >= {"error", "code"}


def test_a_body_may_come_in_parts_but_not_be_large(instant):
    with TestClient(app_of(instant, most_bytes=1000), URL) as client:
        for content in (b" " * 1001, (b" " * 600 for _ in range(3))):
            answer = client.post("/forecast", content=content, headers={"content-type": "application/json"})
            assert (answer.status_code, answer.json()["code"]) == (413, "large-body")
        parts = (bytes([sign]) for sign in b'{"level": []}')
        assert client.post("/forecast", content=parts, headers={"content-type": "application/json"}).status_code == 200


def test_a_token_is_asked_for_where_there_is_one(instant):
    with TestClient(app_of(instant, token=TOKEN), "http://anywhere") as client:
        for headers in ({}, {"authorization": "Bearer other"}, {"authorization": TOKEN}):
            for answer in (client.post("/forecast", json={}, headers=headers), client.get("/metrics", headers=headers)):
                assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
        allowed = {"authorization": f"Bearer {TOKEN}"}
        assert client.post("/forecast", json={}, headers=allowed).status_code == 200
        assert client.get("/health").status_code == 200


def test_another_name_of_this_machine_is_refused(instant):
    with TestClient(app_of(instant), "http://evil.example") as client:
        assert client.post("/forecast", json={}).status_code == 400


def test_fifty_clients_lose_nothing(instant):
    """Each appends a series of its own, row by row, and some the same one: of those, each step is taken once."""
    app, clients, steps = app_of(instant), 50, 2

    async def work(number: int) -> list[int]:
        transport, statuses = httpx2.ASGITransport(app=app), []
        async with httpx2.AsyncClient(transport=transport, base_url=URL) as client:
            for step in range(steps):
                day = str(FIRST + timedelta(40 + step))
                own = {"shop": f"own {number}", "day": day, "sold": number + step}
                statuses.append((await client.post("/update", json={"rows": [own]})).status_code)
                shared = {"shop": "north", "day": day, "sold": 1000 * number + step}
                statuses.append((await client.post("/update", json={"rows": [shared]})).status_code)
                if step == 0:
                    name = [f"own {number}"]
                    answer = await client.post("/forecast", json={"series": name, "level": []})
                    assert answer.json()["forecasts"][0]["unique_id"] == name[0]
        return statuses

    async def everybody() -> list[list[int]]:
        return await asyncio.gather(*(work(number) for number in range(clients)))

    found = asyncio.run(everybody())
    assert all(status == 200 for statuses in found for status in statuses[::2])
    shared = [status for statuses in found for status in statuses[1::2]]
    assert (shared.count(200), shared.count(422)) == (steps, (clients - 1) * steps)
    with TestClient(app, URL) as client:
        assert client.get("/health").json()["series"] == 2 + clients
        taken = [line for line in client.get("/metrics").text.splitlines() if line.startswith("throughtime_rows_total")]
        assert float(taken[0].split()[1]) == clients * steps + steps


def test_readers_see_all_of_an_update_or_nothing(instant):
    """Of many series at once, while rows of all of them come."""
    served = Served(load_model(instant), 100)
    names = [f"s{k}" for k in range(5)]

    def write() -> None:
        for step in range(15):
            served.update([{"shop": name, "day": str(FIRST + timedelta(step)), "sold": step % 4} for name in names])

    with ThreadPoolExecutor() as pool:
        writing = pool.submit(write)
        lengths = []
        while not writing.done():
            lengths.append(tuple(served.fitted.panel.lengths[2:].tolist()))
        writing.result()
    assert served.fitted.panel.lengths[2:].tolist() == [15] * 5
    assert all(len(set(found)) <= 1 for found in lengths)
    assert lengths == sorted(lengths)


def examine(folder) -> None:
    """Send a server requests of schemathesis; it must allow that rows cannot be used for reasons beyond any schema."""
    app, allowed = app_of(folder, token=TOKEN), {"Authorization": f"Bearer {TOKEN}"}
    config = SchemathesisConfig.from_dict({"checks": {"positive_data_acceptance": {"enabled": False}}})
    schema = schemathesis.openapi.from_asgi("/openapi.json", app, config=config)
    settings = hypothesis.settings(max_examples=EXAMPLES, suppress_health_check=list(hypothesis.HealthCheck))
    for found in schema.get_all_operations():

        @settings
        @hypothesis.given(case=found.ok().as_strategy())
        def send(case):
            case.call_and_validate(headers=allowed)

        send()


def test_schemathesis_finds_nothing(instant):
    examine(instant)


def test_the_openapi_names_each_answer(client):
    paths = client.get("/openapi.json").json()["paths"]
    assert set(paths) == {"/forecast", "/update", "/health", "/metrics"}
    assert set(paths["/update"]["post"]["responses"]) == {"200", "400", "413", "422"}
    assert json.dumps(paths).count("Problem") == 6


DAY = (
    st.dates().map(str)
    | st.datetimes().map(str)
    | st.sampled_from(["2024-02-10", "2024-02-11T00:00", "24:00", "2024-W07"])
)
ODD = st.none() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=["Cs"]), max_size=9)
SHOP = st.sampled_from(["north", "new"]) | ODD
ROW = st.fixed_dictionaries({"shop": SHOP, "day": DAY | ODD, "sold": ODD})


@hypothesis.given(st.lists(ROW, min_size=1, max_size=3))
def test_any_values_in_the_columns_are_taken_or_refused(instant, rows):
    served = Served(load_model(instant), 100)
    before = served.fitted
    with suppress(InputError):
        served.update(rows)
        before = served.fitted
    assert served.fitted is before
