"""The models of statsforecast: their arguments, their results as quantiles, and the message without the package."""

import sys
from types import ModuleType

import numpy as np
import pytest

from throughtime._errors import InputError
from throughtime.forecasting.baselines import BASELINES, CLASSES, named_baselines, statistical_model
from throughtime.forecasting.intervals import MEDIAN, QUANTILES

HISTORY = np.array([3.0, 5.0, np.nan, 8.0, 4.0, 6.0, 9.0])


@pytest.fixture
def stand_in(monkeypatch):
    """A package with one model, whose forecast is the levels it was asked for."""
    asked = {}

    class AutoETS:
        def __init__(self, season_length):
            asked["season"] = season_length

        def forecast(self, y, h, level):
            asked.update(y=y, level=level)
            sides = {"lo": -1, "hi": 1}
            bounds = {f"{side}-{size}": np.full(h, sides[side] * size) for size in level for side in sides}
            return {"mean": np.zeros(h), **bounds}

    models = ModuleType("statsforecast.models")
    models.AutoETS = AutoETS
    monkeypatch.setitem(sys.modules, "statsforecast", ModuleType("statsforecast"))
    monkeypatch.setitem(sys.modules, "statsforecast.models", models)
    return asked


def test_intervals_become_quantiles(stand_in):
    result = named_baselines(["autoets"])["autoets"](HISTORY, 3, 2)
    assert result.shape == (2, len(QUANTILES))
    np.testing.assert_allclose(result[0], [np.sign(q - 0.5) * round(100 * abs(1 - 2 * q), 6) for q in QUANTILES])
    assert stand_in["season"] == 3
    assert stand_in["level"] == sorted({20, 40, 60, 80, 90, 95})
    np.testing.assert_array_equal(stand_in["y"], [3, 5, 5, 8, 4, 6, 9])  # the gap's season has no value before it


@pytest.mark.parametrize("name", CLASSES)
def test_a_missing_package_is_told_with_the_command_that_installs_it(monkeypatch, name):
    monkeypatch.setitem(sys.modules, "statsforecast", None)
    monkeypatch.setitem(sys.modules, "statsforecast.models", None)
    with pytest.raises(InputError, match=rf"{name} needs statsforecast.*pip install .*'statsforecast>=") as raised:
        named_baselines(["drift", name])
    assert (raised.value.code, raised.value.expected) == ("not-installed", "baselines")


def test_an_unknown_name_is_refused_with_the_known_ones():
    with pytest.raises(InputError, match="unknown baseline 'nope': expected one or more of seasonal_naive, ") as raised:
        named_baselines(["drift", "nope"])
    assert (raised.value.code, raised.value.found, raised.value.expected) == ("unknown-baseline", "nope", BASELINES)


def test_seasonal_naive_is_always_first():
    assert list(named_baselines(["drift"])) == ["seasonal_naive", "drift"]
    assert list(named_baselines([])) == ["seasonal_naive"]
    assert list(named_baselines(["naive2", "seasonal_naive", "naive2"])) == ["seasonal_naive", "naive2"]


@pytest.mark.parametrize("name", [name for name in BASELINES if name not in CLASSES])
def test_every_simple_baseline_bears_gaps(name):
    result = named_baselines([name])[name](np.append(HISTORY, np.nan), 3, 4)
    assert result.shape == (4, len(QUANTILES))
    assert np.isfinite(result).all()
    assert (np.diff(result, axis=-1) >= 0).all()


@pytest.mark.parametrize("name", ["autoets", "autotheta"])
def test_the_real_models(name):
    """A clear season of 4: both find it."""
    models = pytest.importorskip("statsforecast.models", reason="needs throughtime[baselines]")
    assert all(hasattr(models, class_name) for class_name in CLASSES.values())
    t = np.arange(40)
    history = 20 + 5 * np.sin(np.pi * t / 2) + np.random.default_rng(0).normal(0, 0.3, 40)
    result = statistical_model(name)(history, season=4, horizon=5, quantiles=QUANTILES)
    np.testing.assert_allclose(result[:, MEDIAN], 20 + 5 * np.sin(np.pi * np.arange(40, 45) / 2), atol=1.5)
    assert (result[:, 0] < result[:, MEDIAN]).all()
    assert (result[:, -1] > result[:, MEDIAN]).all()
