"""Lessons 13 to 15: the data are what they say, and the networks find it."""

import numpy as np
import polars as pl
import pytest
from tests.docs.lessons import imported


def test_sales_rise_by_promotions_and_the_future_has_a_plan_alone():
    lesson = imported("retail")
    table = lesson.sales()
    promoted = table.filter(pl.col("promotion") == 1)["truth"].mean()
    assert promoted / table.filter(pl.col("promotion") == 0)["truth"].mean() == pytest.approx(1.6, abs=0.15)
    assert (
        table.filter(pl.col("y").is_null()).group_by("unique_id").len()["len"].to_list()
        == [lesson.HORIZON] * lesson.SHOPS
    )


def test_load_rises_by_cold_hours_and_tomorrow_has_a_temperature_alone():
    lesson = imported("energy")
    table = lesson.load()
    cold, warm = table.filter(pl.col("temperature") < 5), table.filter(pl.col("temperature") > 12)
    assert cold["truth"].mean() > 1.1 * warm["truth"].mean()
    assert table["y"].null_count() == lesson.HORIZON


def test_visits_of_a_page_that_was_linked_to_are_unusual(capsys):
    _, told = imported("web_traffic").app.run()
    assert "page 07" in capsys.readouterr().out
    assert told["forecasts"].height == 40 * 14


@pytest.mark.slow
def test_promotions_and_the_temperature_lower_the_error(capsys):
    retail, energy = imported("retail"), imported("energy")
    _, told = retail.app.run()
    assert told["promoted"] > told["without"] * 1.02
    errors = {name: np.abs(values - told["plan"]["truth"].to_numpy()).sum() for name, values in told["said"].items()}
    assert errors["with promotions"] < 0.8 * min(errors["without"], errors["last week"])
    _, told = energy.app.run()
    with_it, alone = (
        np.abs(told[name]["throughtime"].to_numpy() - told["truth"]).mean() for name in ("ahead", "alone")
    )
    assert with_it < 0.7 * alone
    assert "of the mean load" in capsys.readouterr().out
