"""The model of a server: readers see it whole, and updates come one after the other."""

import threading
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import narwhals as nw
import numpy as np

from throughtime._errors import InputError
from throughtime.data import Source, require_future, with_future
from throughtime.forecasting import Fitted, as_levels, other_panel, require_trained_horizon
from throughtime.service.forecasts import forecast_objects, quantiles_ahead
from throughtime.service.kept import append, kept_steps, recent_steps
from throughtime.service.lines import table_of

ROWS, FUTURE = Source("the rows"), Source("the rows of the future")
Rows = Sequence[Mapping[str, Any]]


class Model(NamedTuple):
    """A forecaster at one moment; nothing changes it.

    Attributes:
        fitted: the forecaster.
        places: the number of each series by its name.
    """

    fitted: Fitted
    places: Mapping[str, int]


class Served:
    """A model that takes rows; each update makes another one."""

    def __init__(self, fitted: Fitted, most_series: int):
        """Begin with a fitted forecaster.

        Args:
            fitted: the forecaster.
            most_series: that it may have; an update with more is refused.
        """
        self._most_series = most_series
        self._model = Model(fitted, _places(fitted))
        self._updating = threading.Lock()

    @property
    def fitted(self) -> Fitted:
        """The forecaster as it is now."""
        return self._model.fitted

    def update(self, rows: Rows) -> list[dict[str, Any]]:
        """Append rows, all or none of them, and return the names of the series that grew, and by how many steps.

        Raises:
            InputError: for rows that cannot be used, and for too many series.
        """
        table = nw.from_native(table_of(rows, ROWS))
        with self._updating:
            model = self._model
            step = append(model.fitted, table, ROWS)
            panel = step.fitted.panel
            if len(panel) > self._most_series:
                raise InputError(
                    f"the rows would make {len(panel)} series: expected at most {self._most_series}",
                    code="too-many-series",
                    found=len(panel),
                    expected=self._most_series,
                )
            places = model.places if len(panel) == len(model.places) else _places(step.fitted)
            self._model = Model(step.fitted, places)
        names, added = panel.ids[step.series].tolist(), step.added.tolist()
        return [{"unique_id": name, "steps": steps} for name, steps in zip(names, added, strict=True)]

    def forecast(
        self,
        series: Sequence[str] | None,
        rows: Rows | None,
        horizon: int | None,
        levels: Sequence[int | float],
        future: Rows | None = None,
    ) -> list[dict[str, Any]]:
        """Return the forecasts of series, as JSON values.

        Args:
            series: the names of some of the model's; all by default.
            rows: other series, or longer histories, to forecast in their place.
            horizon: the steps; those of the model if None.
            levels: coverage of the intervals in per cent.
            future: rows with the future covariates of the model's whole horizon, if the series have none yet.

        Raises:
            InputError: for a name, rows or numbers that cannot be used, and if future covariates are missing.
        """
        model = self._model
        fitted, steps, coverage = model.fitted, require_trained_horizon(model.fitted, horizon), as_levels(levels)
        if rows is not None:
            panel = recent_steps(other_panel(fitted, table_of(rows, ROWS), ROWS), kept_steps(fitted))
        elif series is not None:
            panel = fitted.panel.of_series(np.array([_place(model, name) for name in series], np.int64))
        else:
            panel = fitted.panel
        most = fitted.plan.design.horizon
        if future is not None:
            panel = with_future(panel, nw.from_native(table_of(future, FUTURE)), FUTURE, most)
        require_future(panel, panel.lengths, most)
        return forecast_objects(fitted, panel, quantiles_ahead(fitted, panel), coverage, steps)


def _place(model: Model, name: str) -> int:
    if name not in model.places:
        raise InputError(
            f"unknown series {name!r}: the model has {len(model.places)} others", code="unknown-series", found=name
        )
    return model.places[name]


def _places(fitted: Fitted) -> dict[str, int]:
    return {str(name): place for place, name in enumerate(fitted.panel.ids.tolist())}
