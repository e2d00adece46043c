"""A folder of partitions in Hive's layout and beside it, and a forecaster of the pretrained network."""

from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import throughtime as tt

LENGTHS = {"a": 31, "b": 44, "c": 38, "d": 25}
DAYS = pl.date_range(date(2024, 1, 1), date(2024, 3, 1), "1d", eager=True)


def series(name: str) -> pl.DataFrame:
    draw, length = np.random.default_rng(ord(name)), LENGTHS[name]
    values = 20 + 5 * np.sin(2 * np.pi * np.arange(length) / 7) + draw.normal(size=length)
    return pl.DataFrame({"unique_id": name, "ds": DAYS[:length], "y": values})


@pytest.fixture
def sales(tmp_path: Path) -> Path:
    """Series a and b of one region in two files, c and d in a file each."""
    folder = tmp_path / "sales"
    (folder / "region=4").mkdir(parents=True)
    for name, file in {"a": "region=4/x", "b": "region=4/y", "c": "c", "d": "d"}.items():
        series(name).write_parquet(folder / f"{file}.parquet")
    (folder / "_metadata.parquet").write_bytes(b"of another program")
    return folder


@pytest.fixture(scope="session")
def instant() -> tt.Forecaster:
    """Fitted on a series of the folder; not to be changed."""
    return tt.Forecaster(horizon=3, preset="instant").fit(series("b"))
