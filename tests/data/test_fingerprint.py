"""Panels that differ in anything a forecast may hang on have different fingerprints."""

from dataclasses import replace
from datetime import date, timedelta

import polars as pl

from throughtime.data.panel import Panel, fingerprint


def panel(first: date = date(2021, 3, 1), name: str = "a", last: float = 4.0, sold: str | None = None) -> Panel:
    days = [first + timedelta(days=day) for day in range(5)]
    frame = pl.DataFrame({"unique_id": [name] * 5, "ds": days, "y": [1.0, 5.0, 2.0, 3.0, last]})
    if sold is None:
        return Panel.from_frame(frame)
    return Panel.from_frame(frame.with_columns(kind=pl.lit(sold)), static="kind")


def test_the_same_series_have_the_same_one() -> None:
    assert fingerprint(panel()) == fingerprint(panel())
    assert fingerprint(panel(sold="x")) == fingerprint(panel(sold="x"))
    assert fingerprint(panel()) == fingerprint(replace(panel(), notes=("what was found",)))


def test_others_have_another() -> None:
    others = [
        panel(),
        panel(first=date(2021, 3, 2)),
        panel(name="b"),
        panel(last=4.5),
        panel(last=float("nan")),
        panel(sold="x"),
        panel(sold="y"),
        replace(panel(), frequency=replace(panel().frequency, multiple=7)),
    ]
    assert len({fingerprint(one) for one in others}) == len(others)
