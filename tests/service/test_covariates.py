"""Models with covariates in use: rows bring them, and their future, to a stream and to a server."""

import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from io import BytesIO
from itertools import pairwise
from pathlib import Path

import hypothesis
import numpy as np
import polars as pl
import pytest
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from starlette.testclient import TestClient
from tests.service.conftest import daily
from tests.service.test_api import DAY, ODD, SHOP, URL, app_of, assert_forecasts, examine, rows_of
from tests.service.test_forecasts import compiled  # noqa: F401 - a fixture

import throughtime as tt
from throughtime._errors import InputError
from throughtime.data import future_steps
from throughtime.forecasting import judge_next
from throughtime.service import (
    Progress,
    Served,
    StreamSettings,
    follow,
    kept_steps,
    load_model,
    load_progress,
    new_rows,
    quantiles_ahead,
    read_lines,
    save_progress,
    warm_up,
)
from throughtime.service.kept import recent_steps

HORIZON = 3
SETTINGS = StreamSettings(HORIZON, (80,), flag=0.9)
COVARIATES = {"static": "region", "past": "price", "future": ["promo", "mood"]}


def frame(name: str, steps: range, seed: int = 0) -> pl.DataFrame:
    """Days of a shop whose prices are known up to the present, and whose promotions and moods before."""
    draw = np.random.default_rng([seed, len(name)])
    promo, price = draw.random(500) < 0.3, draw.normal(size=500)
    mood = np.array(["good", "bad"])[draw.integers(0, 2, 500)]
    days = daily(name, steps, seed)
    return days.with_columns(
        pl.col("sold") + 4 * promo[steps.start : steps.stop],
        pl.Series("price", price[steps.start : steps.stop]),
        pl.Series("promo", promo[steps.start : steps.stop]),
        pl.Series("mood", mood[steps.start : steps.stop]),
        region=pl.lit("hill" if name == "north" else "sea"),
    )


def future(name: str, steps: range, seed: int = 0) -> pl.DataFrame:
    """Rows without a value, and without what is known up to the present alone."""
    return frame(name, steps, seed).with_columns(sold=pl.lit(None, pl.Float64), price=pl.lit(None, pl.Float64))


@pytest.fixture(scope="module")
def with_covariates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a trained model with covariates: north of 40 days, whose future is known, south of 30."""
    folder = tmp_path_factory.mktemp("covariates") / "model"
    history = pl.concat([frame("north", range(40)), future("north", range(40, 43)), frame("south", range(30), 1)])
    network = {"hidden": 4, "steps": 3, "members": 1, "lookback": 14}
    tt.Forecaster(horizon=HORIZON, **network).fit(history, id="shop", time="day", target="sold", **COVARIATES).save(
        folder
    )
    return folder


def later() -> list[pl.DataFrame]:
    """Rows one by one: values before and after their future, a corrected future, a gap, a new series."""
    north, coming = frame("north", range(40, 47)), future("north", range(43, 50))
    south, ahead = frame("south", range(30, 34), 1), future("south", range(31, 38), 1)
    west, soon = frame("west", range(38, 52), 2), future("west", range(52, 55), 2)
    corrected = coming[0].with_columns(promo=~pl.col("promo"))
    parts = [north[:2], coming[:4], corrected, south[:1], ahead[:3], north[2:4], ahead[3:], south[2:], west, soon]
    return [row for part in [*parts, coming[4:], north[4:]] for row in part.iter_slices(1)]


UNVALUED = [number for number, row in enumerate(later(), 1) if row["sold"][0] is None]


def text(rows: list[pl.DataFrame], kind: str) -> bytes:
    if kind == "csv":
        return pl.concat(rows).write_csv().encode()
    lines = pl.concat(rows).with_columns(pl.col("day").cast(pl.String)).to_dicts()
    return "\n".join(map(json.dumps, lines)).encode()


def taken(progress: Progress, content: bytes, settings: StreamSettings = SETTINGS, first: int = 1) -> list:
    lines = read_lines(BytesIO(content).readline, first)
    return list(follow(progress, new_rows(progress, lines, first), settings))


@pytest.fixture(scope="module")
def fitted(with_covariates):
    return load_model(with_covariates)


@pytest.fixture(scope="module")
def whole(with_covariates) -> list:
    """All that an uninterrupted stream does."""
    return taken(Progress(load_model(with_covariates)), text(later(), "csv"))


def forecast_of(known: tt.Forecaster, name: str) -> pl.DataFrame | None:
    """What the model forecasts for one of its series; None if its future is not known."""
    series = np.flatnonzero(known.panel_.ids == name)
    alone = tt.Forecaster(**known.get_params())
    alone.fitted_ = known.fitted_._replace(panel=known.panel_.of_series(series))
    known_steps = future_steps(alone.panel_, HORIZON)
    if known_steps[0] == HORIZON:
        return alone.predict(level=80)
    with pytest.raises(InputError) as caught:
        alone.predict()
    assert caught.value.code == "future-missing"
    return None


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_each_answer_is_the_models_own_after_the_rows(with_covariates, whole, kind):
    """A row without a value is answered if it completes a future; where one is missing, the answer says so."""
    known, steps = (
        tt.load(with_covariates),
        whole if kind == "csv" else taken(Progress(load_model(with_covariates)), text(later(), kind)),
    )
    forecasts = {name: forecast_of(known, name) for name in ("north", "south")}
    absent = completed = 0
    for row, step in zip(later(), steps, strict=True):
        assert step.error is None
        ((name, day, value),) = row.select("shop", "day", "sold").rows()
        before, expected = forecasts.get(name), forecast_of(known.update(row), name)
        forecasts[name] = expected
        if value is None and (before is not None or expected is None):
            assert step.answers == []
            continue
        (answer,) = step.answers
        assert (answer["unique_id"], answer["row"]) == (name, step.progress.rows)
        if value is not None:
            assert (answer["ds"], answer["y"]) == (str(day), value)
        completed += value is None
        if expected is None:
            absent += 1
            assert (answer["forecast"], answer["code"]) == (None, "future-missing")
            assert name in answer["error"]
            continue
        assert answer["forecast"]["ds"] == expected["ds"].cast(pl.String).to_list()
        for column in ("throughtime", "throughtime-lo-80"):
            np.testing.assert_allclose(answer["forecast"][column], expected[column], rtol=1e-5)
    assert absent >= 2
    assert completed >= 2
    found, expected = steps[-1].progress.fitted.panel, known.panel_
    for name in ("ids", "values", "offsets", "starts"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))


@pytest.mark.parametrize("seed", range(3))
def test_a_stream_ends_as_a_model_that_was_given_all_rows(with_covariates, seed):
    """However values of some series, and rows of their future, come among each other."""
    draw, lasts = np.random.default_rng(seed), {"north": (40, 47), "south": (30, 36), "west": (35, 53)}
    rows, whole = [], [frame("north", range(40)), frame("south", range(30), 1)]
    for of_series, (name, (first, last)) in enumerate(lasts.items()):
        values, coming = (kind(name, range(first, last + HORIZON), of_series) for kind in (frame, future))
        rows += [(step, row) for step, row in enumerate(values[:-HORIZON].iter_slices(1), first)]
        for step, row in enumerate(coming.iter_slices(1), first):
            least = first + 0.1 if name == "west" else 0.0  # a new series begins with a value
            if (draw.random() < 0.7 or step >= last) and step > least:
                rows.append((max(step - draw.uniform(0, 9), least), row))
        whole += [values[:-HORIZON], coming[-HORIZON:]]
    lines = text([row for _, row in sorted(rows, key=lambda row: row[0])], "csv")
    *_, final = taken(Progress(load_model(with_covariates)), lines, SETTINGS._replace(after=len(rows)))
    assert final.progress.skipped == 0
    model = tt.load(with_covariates)
    expected = model.predict(pl.concat(whole), level=80)
    model.fitted_ = final.progress.fitted
    assert_frame_equal(model.predict(level=80), expected, rel_tol=1e-5, check_dtypes=False)


def test_values_are_judged_by_the_forecast_before(with_covariates, whole):
    """As the model does it; not if the future of that forecast was unknown, nor after its future was corrected."""
    known = tt.load(with_covariates)
    answers = {day: answer for step in whole for day, answer in _judged(step, "north")}
    rows = pl.concat([frame("north", range(41)), future("north", range(41, 44))])
    expected = known.anomalies(rows, level=90).tail(1)
    assert expected["ds"].cast(pl.String).to_list() == ["2024-02-10"]
    np.testing.assert_allclose(answers["2024-02-10"]["quantile"], expected["quantile"][0], rtol=1e-4)
    assert answers["2024-02-10"]["flag"] == expected["flag"][0]
    assert answers["2024-02-11"]["quantile"] is None
    before = whole[10].progress.fitted
    north, value = before.panel.of_series(np.array([0])), np.array([answers["2024-02-12"]["y"]])
    shares = judge_next(before, north, value, quantiles_ahead(before, north)[:, 0])
    np.testing.assert_allclose(answers["2024-02-12"]["quantile"], shares[0], rtol=1e-5)


def _judged(step, name: str) -> list[tuple[str, dict]]:
    found = [answer for answer in step.answers if answer["unique_id"] == name and step.progress.rows not in UNVALUED]
    return [(answer["ds"], answer) for answer in found]


def test_a_stream_that_goes_on_gives_the_same_answers(with_covariates, whole, tmp_path):
    """To the last byte, from a folder, wherever it was ended."""
    fitted, content = load_model(with_covariates), text(later(), "csv")
    header, *lines = content.splitlines()
    for place in range(5, len(lines), 13):
        folder = tmp_path / str(place)
        save_progress(folder, whole[place - 1].progress, "digest")
        found = load_progress(folder, fitted, "digest")
        rest = b"\n".join([header, *lines[place:]])
        again = taken(found, rest, first=place + 1)
        assert [json.dumps(step.answers) for step in again] == [json.dumps(step.answers) for step in whole[place:]]


def test_rows_without_a_covariate_are_reported(with_covariates):
    rows = frame("north", range(40, 42))
    lines = b"\n".join(text([part], "json") for part in (rows[:1].drop("price"), rows[:1]))
    found = taken(Progress(load_model(with_covariates)), lines)
    assert [step.error.code if step.error else None for step in found] == ["no-such-column", None]


@pytest.mark.parametrize(
    ("column", "value", "code"),
    [
        ("region", "sea", "static-covariate-changes"),
        ("region", "moon", "static-covariate-changes"),
        ("mood", "true", "other-categories"),
        ("day", "4", "other-time-stamps"),
        ("day", "2206-02-10", "far-row"),
    ],
)
def test_a_bad_value_in_the_first_row_skips_this_row_alone(with_covariates, column, value, code):
    """With its number: other errors of a first row are about the columns, which no later row changes."""
    rows = frame("north", range(40, 42)).cast({"day": pl.String})
    bad = rows[:1].with_columns(pl.lit(value).alias(column))
    found = taken(Progress(load_model(with_covariates)), text([pl.concat([bad, rows])], "csv"))
    assert [(step.error.code, step.error.line) if step.error else None for step in found] == [(code, 1), None, None]


CELL = st.text(st.characters(exclude_categories=["C"], exclude_characters='",'), max_size=9) | st.sampled_from(
    ["", "-1", "1e999", "true", "9" * 30, "nan", "2024-02-10", "2206-01-01", "24:00", "north", "sea", "good"]
)


@hypothesis.settings(max_examples=60)
@hypothesis.given(
    cells=st.dictionaries(
        st.sampled_from(["shop", "day", "sold", "region", "price", "promo", "mood"]), CELL, min_size=1, max_size=3
    )
)
def test_no_value_of_the_first_row_ends_a_stream(fitted, cells):
    row = (
        frame("north", range(40, 41)).cast({"day": pl.String, "promo": pl.String, "sold": pl.String}).row(0, named=True)
    )
    content = "\n".join(",".join(line) for line in (row, map(str, (row | cells).values())))
    (step,) = taken(Progress(fitted), content.encode(), SETTINGS._replace(after=1))
    assert step.error is None or step.error.line == 1


@pytest.mark.parametrize("value", [None, 20.0])
def test_a_mistyped_time_is_reported_and_loses_nothing(with_covariates, whole, value):
    """The stream goes on as it would have without the row, which the server refuses in the same words."""
    rows, place = later(), 9
    far = rows[place].with_columns(sold=pl.lit(value, pl.Float64), day=pl.lit(date(2206, 2, 20)))
    found = taken(Progress(load_model(with_covariates)), text([*rows[:place], far, *rows[place:]], "csv"))
    error = found[place].error
    assert (error.code, error.line, found[-1].progress.skipped) == ("far-row", place + 1, 1)
    for step, expected in zip([*found[:place], *found[place + 1 :]], whole, strict=True):
        assert [answer | {"row": 0} for answer in step.answers] == [answer | {"row": 0} for answer in expected.answers]
    offsets = [step.progress.fitted.panel.covariates.offsets.tolist() for step in (found[-1], whole[-1])]
    assert offsets[0] == offsets[1]
    served = Served(found[place].progress.fitted, 100)
    with pytest.raises(InputError) as caught:
        served.update(rows_of(far))
    assert str(caught.value).removeprefix("the rows, row 1") == str(error).removeprefix(
        f"standard input, row {place + 1}"
    )


def test_new_categories_are_no_more_than_missing_values(with_covariates):
    """To the forecasts, and to the memory: a stream may bring any number of them, but one static one a series."""
    fitted = load_model(with_covariates)
    rows = [frame("north", range(40, 47)), future("north", range(47, 50)), frame("west", range(38, 52), 2)]
    odd, known = (
        pl.concat(rows).with_columns(mood=pl.when(pl.int_range(pl.len()) % 2 == 0).then("mood"), region=region)
        for region in (pl.when(pl.col("shop") == "north").then("region"), pl.lit(None, pl.String))
    )
    names = pl.format("category {}", pl.int_range(pl.len()))
    odd = odd.with_columns(pl.col("mood").fill_null(names), pl.col("region").fill_null(pl.lit("moon")))
    found, expected = (taken(Progress(fitted), text([table], "csv")) for table in (odd, known))
    assert [step.answers for step in found] == [step.answers for step in expected]
    assert all(step.answers for step in found[-3:])
    before, after = fitted.panel.covariates, found[-1].progress.fitted.panel.covariates
    of_steps = [[column.categories for column in (*kept.past, *kept.future)] for kept in (before, after)]
    assert of_steps[0] == of_steps[1]


def test_covariates_are_dropped_with_the_values(with_covariates):
    """The last steps of each series keep theirs, and the steps ahead."""
    fitted = load_model(with_covariates)
    steps = 2 * fitted.plan.design.reach
    assert kept_steps(fitted) >= steps
    panel = fitted.panel
    cut = recent_steps(panel, steps // 4)
    assert cut.lengths.tolist() != panel.lengths.tolist()
    assert cut.covariates.starts.tolist() == cut.starts.tolist()
    assert np.diff(cut.covariates.offsets).tolist() == [cut.lengths[0] + 3, cut.lengths[1]]
    kept, before = cut.covariates, panel.covariates
    pairs = [(kept.has_row, before.has_row)]
    for new, old in ((kept.past, before.past), (kept.future, before.future)):
        pairs += [(column.values, former.values) for column, former in zip(new, old, strict=True)]
    for values, former in pairs:
        for number, (begin, end) in enumerate(pairwise(kept.offsets)):
            last = before.offsets[number + 1]
            np.testing.assert_array_equal(values[begin:end], former[last - (end - begin) : last])


@pytest.mark.slow
def test_nothing_is_compiled_after_warming_up(with_covariates, compiled):  # noqa: F811
    fitted = load_model(with_covariates)
    warm_up(fitted)
    compiled.clear()
    taken(Progress(fitted), text(later(), "csv"))
    assert compiled == []


# A server


@pytest.fixture
def client(with_covariates) -> Iterator[TestClient]:
    with TestClient(app_of(with_covariates), URL) as client:
        yield client


def test_a_server_takes_covariates_and_their_future(client, with_covariates):
    known = tt.load(with_covariates)
    coming = future("south", range(30, 33), 1)
    columns = ["shop", "day", "promo", "mood"]
    missing = client.post("/forecast", json={})
    with pytest.raises(InputError) as caught:
        known.predict()
    assert (missing.status_code, missing.json()["error"]) == (422, str(caught.value))
    body = {"future": rows_of(coming.select(columns)), "level": [80]}
    found = client.post("/forecast", json=body)
    assert_forecasts(found.json()["forecasts"], known.predict(level=80, future=coming.select(columns)))
    assert client.post("/forecast", json={"series": ["north"]}).status_code == 200
    rows = pl.concat([frame("north", range(40, 41)), coming])
    updated = client.post("/update", json={"rows": rows_of(rows)})
    assert updated.json() == {"series": [{"unique_id": "north", "steps": 1}]}
    known.update(rows)
    ahead = future("north", range(43, 44))
    client.post("/update", json={"rows": rows_of(ahead)})
    found = client.post("/forecast", json={"level": [80]})
    assert_forecasts(found.json()["forecasts"], known.update(ahead).predict(level=80))
    other = pl.concat([frame("other", range(20), 5), future("other", range(20, 23), 5)])
    found = client.post("/forecast", json={"rows": rows_of(other), "level": []})
    assert_forecasts(found.json()["forecasts"], known.predict(other))


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("/forecast", {"future": [{"shop": "north", "day": "2024-03-01"}]}, "no-such-column"),
        ("/forecast", {"future": []}, "bad-request"),
        ("/update", {"rows": [{"shop": "north", "day": "2024-02-10", "sold": 1}]}, "no-such-column"),
    ],
)
def test_what_cannot_be_used_changes_nothing(client, path, body, code):
    before = client.post("/forecast", json={"series": ["north"]}).json()
    answer = client.post(path, json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert client.post("/forecast", json={"series": ["north"]}).json() == before


def test_a_model_without_future_covariates_refuses_them(instant):
    with TestClient(app_of(instant), URL) as client:
        answer = client.post("/forecast", json={"future": [{"shop": "north", "day": "2024-02-10"}]})
    assert (answer.status_code, answer.json()["code"]) == (422, "no-future-covariates")


@pytest.mark.slow
def test_schemathesis_finds_nothing(with_covariates):
    examine(with_covariates)


ROWS = st.lists(
    st.fixed_dictionaries(
        {"shop": SHOP, "day": DAY | ODD, "sold": st.none() | st.just(20.0) | ODD},
        optional={
            "region": st.sampled_from(["hill", "sea"]) | ODD,
            "price": st.just(1.5) | ODD,
            "promo": st.booleans() | ODD,
            "mood": st.sampled_from(["good", "bad"]) | ODD,
        },
    ),
    min_size=1,
    max_size=3,
)


@hypothesis.settings(max_examples=40)
@hypothesis.given(rows=ROWS, ahead=st.booleans())
def test_any_values_in_the_columns_are_taken_or_refused(fitted, rows, ahead):
    """All of them or none, and beside a forecast too."""
    served, before = Served(fitted, 100), fitted
    with suppress(InputError):
        if ahead:
            assert served.forecast(None, None, None, [80], rows)
        else:
            served.update(rows)
            before = served.fitted
    assert served.fitted is before


def test_a_series_of_a_new_static_category_is_one(with_covariates):
    """Another category in one of its rows is refused; the rows after that are taken."""
    tables = [frame("delta", range(k, k + 1)).with_columns(region=pl.lit(name)) for k, name in enumerate("mmhmm")]
    tables[2] = tables[2].with_columns(region=pl.lit("hill"))
    steps = taken(Progress(load_model(with_covariates)), text(tables, "csv"))
    assert [step.error.code if step.error else None for step in steps] == [
        None,
        None,
        "static-covariate-changes",
        None,
        None,
    ]
