"""The small forecaster of the forecasting tests, to be shown."""

from tests.forecasting.conftest import frame, model

__all__ = ["frame", "model"]
