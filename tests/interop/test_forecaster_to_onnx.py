"""A trained forecaster as an ONNX file: raw values in, the quantiles of predict out."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from tests.interop.test_to_onnx import operators, session

import throughtime as tt
from throughtime.forecasting import QUANTILES, Fitted, forecast_quantiles

SEASON, HORIZON = 6, 4


def history(length: int, level: float, *, gaps: tuple[int, ...] = ()) -> np.ndarray:
    draw = np.random.default_rng(length)
    steps = np.arange(length)
    values = level + 3 * np.sin(2 * np.pi * steps / SEASON) + 0.3 * draw.normal(size=length) + 0.02 * steps
    values[list(gaps)] = np.nan
    return values


def frame_of(histories: list[np.ndarray]) -> pl.DataFrame:
    rows = [(f"s{number}", step, value) for number, values in enumerate(histories) for step, value in enumerate(values)]
    return pl.DataFrame(rows, schema=["unique_id", "ds", "y"], orient="row").with_columns(pl.col("y").fill_nan(None))


def padded(histories: list[np.ndarray]) -> np.ndarray:
    longest = max(map(len, histories))
    return np.stack([np.concatenate([np.full(longest - len(values), np.nan), values]) for values in histories])


def fitted(histories: list[np.ndarray], **settings: Any) -> tt.Forecaster:
    model = tt.Forecaster(HORIZON, season=SEASON, steps=4, hidden=8, **settings)
    return model.fit(frame_of(histories))


@pytest.fixture(scope="module")
def positive() -> list[np.ndarray]:
    return [history(61, 20.0, gaps=(20, 50, 51, 60)), history(40, 90.0), history(33, 7.0)]


@pytest.fixture(scope="module")
def trained(positive: list[np.ndarray]) -> tt.Forecaster:
    """Two networks, with a calibration that moves each quantile, some of them beyond zero."""
    model = fitted(positive, members=2)
    stretch = tuple(np.geomspace(400, 0.8, len(QUANTILES)))
    model.fitted_ = model.fitted_._replace(calibration=model.calibration_._replace(stretch=stretch))
    return model


def forecasts(path: Path, histories: list[np.ndarray]) -> np.ndarray:
    return session(path).run(None, {"values": padded(histories)})[0]


def predicted(model: tt.Forecaster, histories: list[np.ndarray]) -> np.ndarray:
    """The columns of predict, at the levels that the networks have: (N, F, Q)."""
    columns = ["throughtime"]
    for level in (20, 40, 60, 80, 90, 95):
        columns = [f"throughtime-lo-{level}", *columns, f"throughtime-hi-{level}"]
    frame = model.predict(frame_of(histories), level=[20, 40, 60, 80, 90, 95])
    return frame.select(columns).to_numpy().reshape(len(histories), HORIZON, len(QUANTILES))


def test_it_gives_the_quantiles_of_predict(trained: tt.Forecaster, positive: list[np.ndarray], tmp_path: Path) -> None:
    """Of the series of the fit, of others, and of one with a value that has no logarithm; with every kind of gap."""
    tt.to_onnx(trained, tmp_path / "model.onnx")
    assert operators(tmp_path / "model.onnx").count("GRU") == 4  # two networks of two blocks
    others = [
        history(25, 0.0),
        history(13, 1000.0, gaps=(5, 11)),
        history(70, -40.0),
        np.full(20, 5.0),
        np.tile([0.0, 0.0, 9.0], 9),
    ]
    for histories in (positive, others):
        expected = predicted(trained, histories)
        found = forecasts(tmp_path / "model.onnx", histories)
        if histories is others:
            expected, found = (np.delete(numbers, 3, axis=0) for numbers in (expected, found))  # without movement
            assert (expected[-1] == 0).any()  # where forecasts stop
        scale = np.abs(expected).max(axis=(1, 2), keepdims=True)
        np.testing.assert_allclose(found / scale, expected / scale, atol=1e-4)


def test_a_distribution_and_another_cell(positive: list[np.ndarray], tmp_path: Path) -> None:
    lowered = [values - 60 for values in positive]
    model = fitted(lowered, members=1, head="normal", cell="mingru")
    tt.to_onnx(model, tmp_path / "model.onnx")
    found = forecasts(tmp_path / "model.onnx", lowered)
    np.testing.assert_allclose(found, forecast_quantiles(model.fitted_, model.panel_, model.panel_.lengths), rtol=1e-4)


def test_series_that_the_networks_do_not_serve_are_nan(
    trained: tt.Forecaster, positive: list[np.ndarray], tmp_path: Path
) -> None:
    tt.to_onnx(trained, tmp_path / "model.onnx")
    short, empty = history(HORIZON, 5.0), np.full(9, np.nan)
    found = forecasts(tmp_path / "model.onnx", [positive[2], short, empty])
    assert np.isnan(found).all(axis=(1, 2)).tolist() == [False, True, True]


def with_record(fitted: Fitted) -> tt.Forecaster:
    """A forecaster with this record."""
    model = tt.Forecaster(HORIZON)
    model.fitted_ = fitted
    return model


def test_what_no_file_holds_is_named(trained: tt.Forecaster, positive: list[np.ndarray], tmp_path: Path) -> None:
    record, plan = trained.fitted_, trained.plan_
    student = plan._replace(design=plan.design._replace(head="student_t"))
    for model, found in (
        (tt.Forecaster(HORIZON, preset="instant").fit(frame_of(positive)), "the pretrained network"),
        (
            with_record(record._replace(calibration=trained.calibration_._replace(zero_shot=0.3))),
            "the pretrained network",
        ),
        (with_record(record._replace(plan=student)), "the head student_t"),
        (with_record(record._replace(plan=plan._replace(encodings=()))), "covariates"),
    ):
        with pytest.raises(tt.InputError) as error:
            tt.to_onnx(model, tmp_path / "model.onnx")
        assert (error.value.code, error.value.found) == ("unsupported-forecaster", found)
    with pytest.raises(tt.InputError) as error:
        tt.to_onnx(tt.Forecaster(HORIZON), tmp_path / "model.onnx")
    assert error.value.code == "not-fitted"
