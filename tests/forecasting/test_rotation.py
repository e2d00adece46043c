"""Training on panels in turn: the numbers are those of one panel, as long as the panels are equal."""

from collections.abc import Sequence
from itertools import cycle

import numpy as np
import polars as pl
import pytest
from tests.forecasting.conftest import SMALL

import throughtime as tt
from throughtime.data import Panel, as_panel
from throughtime.forecasting import Rotation, fit_panel


@pytest.fixture(scope="module")
def panel(frame: pl.DataFrame) -> Panel:
    return as_panel(frame)


def weights(model: tt.Forecaster, panel: Panel, panels: Sequence[Panel]) -> np.ndarray:
    rotation = Rotation(len(panels), lambda: cycle(panels))
    fitted = fit_panel(model.config, panel, panel.lengths, rotation=rotation)
    (network,) = fitted.networks
    assert fitted.panel is panel
    return np.asarray(network.skip.weight)


def test_equal_panels_give_the_numbers_of_one(
    model: tt.Forecaster, panel: Panel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("throughtime.forecasting.rotation.LEAST_STEPS", 1)
    assert SMALL["steps"] == 12
    expected = np.asarray(model.networks_[0].skip.weight)
    assert np.abs(expected).max() > 0
    for turns in (1, 3):
        np.testing.assert_array_equal(weights(model, panel, [panel] * turns), expected)
    longest = panel.of_series(np.array([0, 0, 0]))
    assert not np.array_equal(weights(model, panel, [panel, longest]), expected)
