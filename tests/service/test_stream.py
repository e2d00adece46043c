"""A stream: the same answers wherever it is interrupted, and what it refuses."""

import json
from io import BytesIO

import numpy as np
import polars as pl
import pytest
from tests.service.conftest import daily

import throughtime as tt
from throughtime._errors import InputError
from throughtime._folder import write_folder
from throughtime.service import (
    Progress,
    StreamSettings,
    follow,
    load_model,
    load_progress,
    new_rows,
    read_lines,
    save_progress,
)

BAD = {3: b"north,yesterday,4", 6: b"north,2024-01-01,4", 8: b"north,2024-02-13,many", 9: b"north"}


def text(rows: int = 15) -> bytes:
    """Rows of north with a gap and a missing value, of south, and of a new series; and some that are no rows."""
    parts = [daily("north", range(40, 44)), daily("south", range(25, 29), 1), daily("west", range(10, 14), 2)]
    frame = pl.concat(parts).with_columns(pl.int_range(4).over("shop").alias("k")).sort("k", "shop").drop("k")
    frame = frame.with_columns(sold=pl.when(pl.int_range(pl.len()) == 3).then(None).otherwise("sold"))
    lines = frame.filter(pl.int_range(pl.len()) != 4).write_csv().encode().splitlines()
    for place, line in BAD.items():
        lines.insert(place, line)
    return b"\n".join(lines[: rows + 1])


AFTER_GAP = ("south", "2024-01-28")
SETTINGS = StreamSettings(3, (80,), flag=0.9)


def taken(progress: Progress, content: bytes, settings: StreamSettings = SETTINGS, first: int = 1) -> list:
    lines = read_lines(BytesIO(content).readline, first)
    return list(follow(progress, new_rows(progress, lines, first), settings))


@pytest.fixture(scope="module")
def fitted(instant):
    return load_model(instant)


@pytest.fixture(scope="module")
def whole(fitted):
    """All that an uninterrupted stream does."""
    return taken(Progress(fitted), text())


def test_each_answer_is_the_models_own_after_the_rows(instant, whole):
    """And the quantile is that of the forecast before; bad rows change nothing."""
    model = tt.load(instant)
    frame = pl.read_csv(BytesIO(text()), truncate_ragged_lines=True, infer_schema=False)
    for number, step in enumerate(whole, 1):
        assert step.progress.rows == number
        if number in BAD:
            assert (step.answers, step.error.line) == ([], number)
            continue
        row = frame[number - 1].with_columns(pl.col("day").str.to_date(), pl.col("sold").cast(pl.Float64))
        (name,) = row["shop"]
        model.update(row)
        (answer,) = step.answers
        expected = model.predict(level=80).filter(unique_id=name)
        assert (answer["row"], answer["unique_id"], answer["ds"]) == (number, name, str(row["day"][0]))
        assert answer["y"] == row["sold"][0]
        np.testing.assert_allclose(answer["forecast"]["throughtime-lo-80"], expected["throughtime-lo-80"], rtol=1e-5)
        assert answer["forecast"]["ds"] == expected["ds"].cast(pl.String).to_list()
    codes = [step.error.code for step in whole if step.error is not None]
    assert codes == ["not-a-time", "row-before-end", "not-a-number", "field-count"]
    assert whole[-1].progress.skipped == 4


def test_values_are_judged_as_the_model_does_it(instant, whole):
    """By the forecast made before, of two steps after a step without a row; no series of a few steps is judged."""
    model = tt.load(instant)
    judged = {(answer["unique_id"], answer["ds"]): answer for step in whole for answer in step.answers}
    everything = pl.concat(
        [
            pl.concat([daily("north", range(40)), daily("south", range(25), seed=1)]),
            pl.DataFrame(
                {"shop": name, "day": answer["ds"], "sold": answer["y"]} for (name, _), answer in judged.items()
            ).with_columns(pl.col("day").str.to_date()),
        ]
    )
    found = model.anomalies(everything, level=90)
    rows = {(name, str(day)): (quantile, flag) for name, day, _, quantile, flag in found.rows()}
    for place, answer in judged.items():
        expected = rows.get(place)
        assert (answer["quantile"] is None) == (expected is None), place
        if expected is not None and place != AFTER_GAP:
            np.testing.assert_allclose(answer["quantile"], expected[0], rtol=1e-5)
            assert answer["flag"] == expected[1]
    assert sum(answer["quantile"] is not None for answer in judged.values()) == 6


@pytest.mark.parametrize("kind", ["instant", "trained"])
def test_a_stream_that_goes_on_gives_the_same_answers(kind, request, tmp_path):
    """To the last digit, from a folder, with all rows or with the new ones."""
    fitted = load_model(request.getfixturevalue(kind))
    content = text()
    expected = taken(Progress(fitted), content)
    header, *lines = content.splitlines()
    save_progress(tmp_path, expected[9].progress, "digest")
    found = load_progress(tmp_path, fitted, "digest")
    assert found._replace(fitted=None) == expected[9].progress._replace(fitted=None)
    rest = b"\n".join([header, *lines[10:]])
    for again in (taken(found, content), taken(found, rest, first=11)):
        assert [json.dumps(step.answers) for step in again] == [json.dumps(step.answers) for step in expected[10:]]
        assert again[-1].progress._replace(fitted=None) == expected[-1].progress._replace(fitted=None)


def test_rows_that_are_answered_already_are_taken_silently(fitted, whole):
    again = taken(Progress(fitted), text(), SETTINGS._replace(after=10))
    assert [step.answers for step in again] == [[]] * 10 + [step.answers for step in whole[10:]]


@pytest.mark.parametrize(
    ("content", "first", "code"),
    [
        (text().replace(b"north", b"south", 1), 1, "other-input"),
        (text(rows=6), 1, "other-input"),
        (text(), 12, "missing-rows"),
    ],
)
def test_another_input_is_refused(whole, content, first, code):
    with pytest.raises(InputError) as caught:
        taken(whole[9].progress, content, first=first)
    assert caught.value.code == code


def test_columns_are_found_in_the_first_row_or_never(fitted):
    other = fitted._replace(columns=type(fitted.columns)())
    with pytest.raises(InputError) as caught:
        taken(Progress(other), b"shop,price,sold\nnorth,2,3\n")
    assert caught.value.code == "no-time-column"
    lines = b'{"shop": "north", "sold": 3}\n{"shop": "north", "day": "2024-02-10", "sold": 3}\n'
    assert [step.error.code if step.error else None for step in taken(Progress(fitted), lines)] == [
        "no-such-column",
        None,
    ]


def test_a_row_without_a_name_is_skipped(fitted):
    """Even the first one: an empty field is a missing value, and no name."""
    found = taken(Progress(fitted), b"shop,day,sold\n  ,2024-02-10,3\nnorth,2024-02-10,3\n")
    assert [(step.error.code, step.error.line) if step.error else None for step in found] == [("missing-id", 1), None]


def test_another_first_line_ends_a_stream_that_goes_on(whole):
    """At once: rows that were skipped for it could not come again under the right one."""
    with pytest.raises(InputError) as caught:
        taken(whole[9].progress, b"shop,date,sold\nnorth,2024-03-01,3\n", first=11)
    assert (caught.value.code, caught.value.found) == ("no-such-column", "day")


def test_a_value_that_the_head_cannot_have_is_skipped_with_its_number(fitted):
    """In the first row too, whose other errors may be about the columns."""
    plan = fitted.plan
    counts = fitted._replace(plan=plan._replace(design=plan.design._replace(head="negative-binomial")))
    found = taken(Progress(counts), b"shop,day,sold\nnew,2024-02-10,1.5\nnew,2024-02-10,2\nnew,2024-02-11,0.5\n")
    errors = [(step.error.code, step.error.line) if step.error else None for step in found]
    assert errors == [("not-a-count", 1), None, ("not-a-count", 3)]
    assert found[-1].progress.fitted.panel.series(2).tolist() == [2]


def test_a_foreign_progress_is_refused(fitted, tmp_path):
    write_folder(tmp_path, "stream", {"model": "a"}, {})
    with pytest.raises(InputError) as caught:
        load_progress(tmp_path, fitted, "a")
    assert caught.value.code == "foreign"


def test_a_folder_of_another_model_is_refused(fitted, whole, instant, tmp_path):
    assert load_progress(tmp_path, fitted, "a") is None
    save_progress(tmp_path, whole[3].progress, "a")
    for folder, digest in ((tmp_path, "b"), (instant, "a")):
        with pytest.raises(InputError) as caught:
            load_progress(folder, fitted, digest)
        assert caught.value.code == "other-model"
