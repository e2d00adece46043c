"""Folders of earlier versions are read and give the same numbers; other folders are refused.

``saved_before/0.1.0`` was written by throughtime 0.1.0 (format version 1, jax 0.10.2, x86-64): a Forecaster of two LSTM
members with a Student t head, static, past and future covariates and the calendar; and a training run of a wrapped GRU.
"""

from pathlib import Path

import jax.numpy as jnp
import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

import throughtime as tt
from throughtime.training import checkpoint

SAVED = Path(__file__).parent / "saved_before" / "0.1.0"


def test_a_forecaster_saved_before_forecasts_the_same() -> None:
    model = tt.load(SAVED / "forecaster")
    future = pl.read_csv(SAVED / "future.csv", try_parse_dates=True)
    expected = pl.read_csv(SAVED / "forecasts.csv", try_parse_dates=True)
    forecasts = model.predict(level=[80], future=future)
    assert_frame_equal(forecasts.with_columns(pl.col("ds").cast(pl.Date)), expected, rel_tol=1e-5)


def test_a_network_saved_before_computes_the_same() -> None:
    network = tt.load(SAVED / "training")
    arrays = np.load(SAVED / "training_outputs.npz")
    _, ys = network(jnp.asarray(arrays["xs"]))
    np.testing.assert_allclose(ys, arrays["ys"], rtol=1e-5, atol=1e-6)


def test_a_folder_of_a_newer_format_is_refused(tmp_path: Path) -> None:
    text = (SAVED / "training" / "checkpoint.json").read_text()
    (tmp_path / "checkpoint.json").write_text(text.replace('"version": 1', '"version": 3'))
    with pytest.raises(tt.InputError) as caught:
        tt.load(tmp_path)
    assert caught.value.code == "newer-version"


def test_a_training_run_without_its_configuration_is_refused(tmp_path: Path) -> None:
    checkpoint.save(tmp_path, "training", {}, {"training": {"w": jnp.ones(2)}})
    with pytest.raises(tt.InputError) as caught:
        tt.load(tmp_path)
    assert (caught.value.code, caught.value.file) == ("no-network", str(tmp_path))


def test_a_folder_of_another_kind_is_refused(tmp_path: Path) -> None:
    """As is a file, and a network that is saved as its own state."""
    checkpoint.save(tmp_path / "folder", "embedding", {}, {"w": jnp.ones(2)})
    with pytest.raises(tt.InputError) as caught:
        tt.load(tmp_path / "folder")
    assert (caught.value.code, caught.value.found) == ("unknown-kind", "embedding")
    (tmp_path / "file").touch()
    with pytest.raises(tt.InputError) as caught:
        tt.load(tmp_path / "file")
    assert (caught.value.code, caught.value.file) == ("not-a-folder", str(tmp_path / "file"))
    with pytest.raises(tt.InputError) as caught:
        tt.save_state(tmp_path / "state", tt.GRU(2, 3, key=0))
    assert caught.value.code == "not-a-state"
    assert not (tmp_path / "state").exists()
