"""The time stamps of future covariates are read as those of the history were."""

import json
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from tests.data.test_covariates import future_of, on_steps

from throughtime.data.panel import Panel
from throughtime.forecasting.saved_covariates import covariates_as_dict, covariates_from


def continued(history: list, future: list, horizon: int = 2) -> list:
    """The last values of a covariate whose history and future are written in these ways."""
    table = pl.DataFrame({"ds": history, "y": np.arange(len(history)) + 1.0, "x": [0.0] * len(history)})
    panel = Panel.from_frame(table, future="x")
    frame = pl.DataFrame({"ds": future, "x": np.arange(len(future)) + 1.0})
    return on_steps(future_of(panel, frame, horizon), "x", 0)[-horizon:]


MAY = [date(2020, 4, 11) + timedelta(k) for k in range(26)]  # 1 to 12 of a month come after it


@pytest.mark.parametrize("form", ["%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%d/%m/%y", "%m-%d-%y 0:00", "%d/%m/%Y %H:%M"])
def test_the_future_has_the_day_or_the_month_first_as_the_history(form: str) -> None:
    future = [(MAY[-1] + timedelta(k)).strftime(form) for k in (1, 2)]
    assert continued([day.strftime(form) for day in MAY], future) == [1.0, 2.0]
    assert continued([day.strftime(form) for day in MAY], future[1:]) == [None, 1.0]


WEEKS = [100 * year + week for year in (2019, 2020) for week in range(1, 53)]


@pytest.mark.parametrize(
    ("history", "future"),
    [
        ([int(f"{day:%Y%m%d}") for day in MAY], 20200507),
        ([f"{day:%Y%m%d}" for day in MAY], 20200507),
        (MAY, "20200507"),
        ([f"{day:%Y-%m-%d}" for day in MAY], 20200507),
        ([201910, 201911, 201912, 202001], 202002),
        (WEEKS, 202053),
        ([f"{week // 100}-{week % 100}" for week in WEEKS[:-3]], "2020-50"),
        ([f"{week // 100}-{week % 100:02d}" for week in WEEKS[:62]], "2020-11"),
        ([f"{year}-{quarter}" for year in (2018, 2019) for quarter in range(1, 5)], "2020-1"),
        ([20191, 20192, 20193, 20194, 20201], 20202),
        ([2019.0, 2019.25, 2019.5, 2019.75], 2020.0),
        ([2019.07, 2019.08, 2019.09], 2019.1),
        ([1577836800 + 3600 * k for k in range(30)], 1577836800 + 3600 * 30),
        ([*range(1, 20)], 20),
        ([*range(43831, 43861)], 43861),
    ],
)
def test_one_row_of_the_future_is_read_as_the_history(history: list, future: object) -> None:
    assert continued(history, [future], 1) == [1.0]


def test_a_saved_panel_knows_how_its_time_stamps_were_read() -> None:
    history = [day.strftime("%d/%m/%Y") for day in MAY]
    covariates = Panel.from_frame(pl.DataFrame({"ds": history, "y": range(26), "x": range(26)}), future="x").covariates
    assert covariates is not None
    saved = json.loads(json.dumps(covariates_as_dict(covariates)))
    arrays = {"starts": covariates.starts, "offsets": covariates.offsets, "came": covariates.has_row}
    arrays["future.0"] = covariates.future[0].values
    again = covariates_from(saved, {f"covariates.{name}": array for name, array in arrays.items()})
    assert (again.form, again.time, again.id) == ("%d/%m/%Y", "ds", None)
    del saved["form"]  # as it was before
    assert covariates_from(saved, {f"covariates.{name}": array for name, array in arrays.items()}).form is None
