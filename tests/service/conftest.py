"""Models in folders, and rows that come after their series."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import throughtime as tt

FIRST = date(2024, 1, 1)


def daily(name: str, steps: range, seed: int = 0) -> pl.DataFrame:
    """Days of a series with a week's season."""
    noise = np.random.default_rng(seed).normal(size=500)[steps.start : steps.stop]
    days = [FIRST + timedelta(step) for step in steps]
    return pl.DataFrame({"shop": name, "day": days, "sold": 20 + 5 * np.sin(2 * np.pi * np.array(steps) / 7) + noise})


@pytest.fixture(scope="session")
def instant(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a model of the pretrained network: north of 40 days, south of 25."""
    folder = tmp_path_factory.mktemp("service") / "instant"
    frame = pl.concat([daily("north", range(40)), daily("south", range(25), seed=1)])
    tt.Forecaster(horizon=3, preset="instant").fit(frame, id="shop", time="day", target="sold").save(folder)
    return folder


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a model with two small trained networks, which know the calendar."""
    folder = tmp_path_factory.mktemp("service") / "trained"
    frame = pl.concat([daily("north", range(60)), daily("south", range(45), seed=1)])
    settings = {"hidden": 4, "steps": 3, "members": 2, "lookback": 14, "calendar": True}
    tt.Forecaster(horizon=3, **settings).fit(frame, id="shop", time="day", target="sold").save(folder)
    return folder
