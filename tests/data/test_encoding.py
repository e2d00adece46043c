"""Covariates as numbers and codes: from the training part alone, missing, unseen, padded, and by the calendar."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import polars as pl
import pytest
from tests.data.test_covariates import ROLES, TABLE, panel_of

from throughtime._errors import InputError
from throughtime.data import encoded
from throughtime.data.calendar_features import FEATURES, calendar_codes, calendar_names
from throughtime.data.encoded import encode
from throughtime.data.encoding import Encoding, Encodings, fit_encodings, sizes_of
from throughtime.data.frequency import Frequency
from throughtime.data.panel import Panel
from throughtime.data.windows import padded_series, windows_at

HORIZON = 2


def known(encodings: Encodings) -> tuple[Encoding, Encoding, Encoding]:
    return encodings.static[0], encodings.past[0], encodings.future[0]


def test_means_and_vocabularies_are_those_before_the_cutoffs() -> None:
    kind, sky, price = known(fit_encodings(panel_of(), np.array([2, 4]), calendar=False))
    prices = np.array([0.5, 0.6, 0.0, 0.2, 0.3])
    np.testing.assert_allclose([price.mean, price.deviation], [prices.mean(), prices.std()])
    assert (kind.vocabulary, sky.vocabulary, price.vocabulary) == (("big", "small"), ("rain", "sun"), None)
    kind, sky, _ = known(fit_encodings(panel_of(), np.array([0, 3]), calendar=False))
    assert (kind.vocabulary, sky.vocabulary) == (("small",), ("rain",))


def test_nothing_after_the_cutoffs_changes_them() -> None:
    cutoffs, panel = np.array([2, 4]), panel_of()
    later = pl.col("day") >= pl.date(2024, 1, 5)  # of both series
    changed = TABLE.with_columns(
        price=pl.when(later).then(1e300).otherwise("price"), sky=pl.when(later).then(pl.lit("fire")).otherwise("sky")
    )
    expected = fit_encodings(panel, cutoffs, calendar=False)
    assert fit_encodings(panel_of(changed), cutoffs, calendar=False) == expected
    assert fit_encodings(panel_of(changed.reverse()), cutoffs[::-1], calendar=False) == expected


def test_what_is_missing_or_unseen_counts_as_such() -> None:
    panel = panel_of()
    covariates = encode(panel, fit_encodings(panel, np.array([2, 4]), calendar=False), HORIZON)
    numbers, codes = np.asarray(covariates.future.numbers), np.asarray(covariates.past.codes)[:, 0]
    # Series b, then a: its steps and two more each.
    assert numbers[:12, 1].tolist() == [1, 1, 0, 1, 0, 1, 0, 1, 1, 1, 1, 1]
    assert (numbers[numbers[:, 1] == 0, 0] == 0).all()
    prices = np.array([0.5, 0.6, 0.0, 0.2, 0.3])
    np.testing.assert_allclose(numbers[[0, 11], 0], (np.array([0.5, 0.6]) - prices.mean()) / prices.std(), rtol=1e-6)
    assert codes[:12].tolist() == [2, 1, 2, 0, 0, 0, 0, 1, 2, 2, 1, 0]  # rain 1, sun 2; snow and hail are unseen
    assert np.asarray(covariates.static.codes)[:2, 0].tolist() == [1, 2]
    assert covariates.offsets[:2].tolist() == [0, 5]


def test_far_and_constant_values_stay_finite() -> None:
    panel = panel_of(TABLE.with_columns(price=pl.when(pl.col("sky") == "hail").then(1e300).otherwise(3.0)))
    encodings = fit_encodings(panel, panel.lengths, calendar=False)
    assert encodings.future[0] == Encoding("price", 3.0, 1.0)
    assert np.asarray(encode(panel, encodings, HORIZON).future.numbers)[:, 0].max() == 10


@pytest.mark.parametrize("cutoff", [1, 3, 5])
def test_windows_hold_the_covariates_of_their_steps(cutoff: int) -> None:
    """The past ones up to the cutoff, the future ones to the horizon; nothing before the series."""
    panel, lookback = panel_of(), 4
    encodings = fit_encodings(panel, panel.lengths, calendar=False)
    covariates = encode(panel, encodings, HORIZON)
    series = padded_series(np.zeros(8), np.ones(8, bool), panel.offsets[:-1], panel.lengths, np.ones(2, bool))
    cut = windows_at(
        series._replace(covariates=covariates), jnp.array([1]), jnp.array([cutoff]), lookback=lookback, horizon=HORIZON
    ).covariates
    steps = np.arange(cutoff - lookback, cutoff + HORIZON)
    expected = [float(covariates.future.numbers[5 + step, 0]) if step >= 0 else 0.0 for step in steps]
    assert cut.future.numbers[0, :, 0].tolist() == expected
    expected = [int(covariates.past.codes[5 + step, 0]) if step >= 0 else 0 for step in steps[:lookback]]
    assert cut.past.codes[0, :, 0].tolist() == expected
    assert cut.static.codes.tolist() == [[2]]


def test_other_covariates_than_those_of_the_training_are_refused() -> None:
    encodings = fit_encodings(panel_of(), np.array([2, 4]), calendar=False)
    with pytest.raises(InputError, match=r"fitted with the covariates .* the data have \[\]") as raised:
        encode(replace(panel_of(), covariates=None), encodings, HORIZON)
    fields = {"code": "other-covariates", "found": [], "expected": ["kind", "sky", "price"]}
    assert raised.value.fields() == fields


def test_no_covariates_no_encodings() -> None:
    panel = Panel.from_frame(TABLE, id="shop", time="day", target="sold")
    assert fit_encodings(panel, panel.lengths, calendar=False) is None


def test_sizes() -> None:
    encodings = fit_encodings(panel_of(**ROLES), np.array([2, 4]), calendar=True)
    static, past, future = sizes_of(encodings)
    assert (static, past) == ((0, (2,)), (0, (2,)))
    assert future == (1, (4, 4, 1))  # price; Monday, Wednesday, Thursday, Friday, the same days of the month; January


# The calendar


@pytest.mark.parametrize(
    ("frequency", "names"),
    [
        (Frequency("integer"), []),
        (Frequency("month"), ["month of the year"]),
        (Frequency("month", 12), []),
        (Frequency("day"), ["day of the week", "day of the month", "month of the year"]),
        (Frequency("day", 7), ["week of the year", "month of the year"]),
        (Frequency("business day"), ["day of the week", "day of the month", "month of the year"]),
        (Frequency("elapsed", 3_600_000_000), ["hour of the day", "day of the week", "month of the year"]),
        (
            Frequency("elapsed", 900_000_000),
            ["minute of the hour", "hour of the day", "day of the week", "month of the year"],
        ),
    ],
)
def test_the_columns_that_fit_the_frequency(frequency: Frequency, names: list[str]) -> None:
    assert list(calendar_names(frequency)) == names


def test_what_the_calendar_says() -> None:
    stamp = np.array(["2024-02-29T13:45"], "datetime64[us]")  # a Thursday
    said = [int(FEATURES[name](stamp)[0]) for name in FEATURES]
    assert said == [45, 13, 3, 28, 59 // 7, 1]


def test_hours_are_those_of_the_clocks_of_the_zone() -> None:
    frequency = Frequency("elapsed", 3_600_000_000, zone="Europe/Berlin")
    ordinals = np.array(["2024-01-01T12", "2024-07-01T12"], "datetime64[us]").astype(np.int64)  # in UTC
    assert calendar_codes(frequency, ordinals, "hour of the day").tolist() == [13, 14]


def test_the_calendar_goes_on_after_the_series() -> None:
    panel = Panel.from_frame(pl.DataFrame({"ds": [f"2024-{month:02d}" for month in range(1, 13)], "y": [1.0] * 12}))
    encodings = fit_encodings(panel, np.array([10]), calendar=True)
    codes = np.asarray(encode(panel, encodings, 3).future.codes)[:, 0]
    order = {name: place + 1 for place, name in enumerate(encodings.calendar[0].vocabulary)}
    assert codes[:15].tolist() == [order.get(str(k % 12), 0) for k in range(15)]
    assert codes[10:12].tolist() == [0, 0]  # November and December were never seen


def test_series_are_encoded_a_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    panel = panel_of()
    encodings = fit_encodings(panel, panel.lengths, calendar=True)
    whole = encode(panel, encodings, HORIZON)
    monkeypatch.setattr(encoded, "SERIES_AT_ONCE", 1)
    for one, all_of_it in zip(jax.tree.leaves(encode(panel, encodings, HORIZON)), jax.tree.leaves(whole), strict=True):
        np.testing.assert_array_equal(one, all_of_it)
