"""One small panel and one forecaster of it. Tests that keep to their shapes share the compiled programs."""

from datetime import date

import numpy as np
import polars as pl
import pytest

import throughtime as tt

LENGTHS = {"b": 40, "a": 31, "short": 3}
# With a lookback, a fit and backtests of the same series have one design, and so one compiled program.
SMALL = {"horizon": 3, "season": 12, "hidden": 4, "steps": 12, "members": 1, "lookback": 24}


def seasonal_values(length: int, seed: int) -> np.ndarray:
    steps = np.arange(length)
    noise = np.random.default_rng(seed).normal(0.0, 0.1, length)
    return 10 + seed + 3 * np.sin(2 * np.pi * steps / 12) + 0.1 * steps + noise


def monthly_frame() -> pl.DataFrame:
    """Series with a trend and a season, one of them as long as the horizon."""
    months = pl.date_range(date(2000, 1, 1), date(2009, 12, 1), "1mo", eager=True).alias("ds")
    return pl.concat(
        pl.DataFrame({"unique_id": name, "ds": months[:length], "y": seasonal_values(length, seed)})
        for seed, (name, length) in enumerate(LENGTHS.items())
    )


@pytest.fixture(scope="session")
def frame() -> pl.DataFrame:
    return monthly_frame()


@pytest.fixture(scope="session")
def model(frame: pl.DataFrame) -> tt.Forecaster:
    """Fitted on the frame; not to be changed."""
    return tt.Forecaster(**SMALL).fit(frame)
