"""A check that the parts of a forecaster from a folder fit each other, so that it can forecast."""

import numpy as np

from throughtime.data import Covariates, Panel, to_native
from throughtime.forecasting.config import ForecasterConfig, require_horizon
from throughtime.forecasting.design import Design
from throughtime.forecasting.fitted import Fitted
from throughtime.forecasting.intervals import QUANTILES
from throughtime.forecasting.plan import Calibration, Plan
from throughtime.forecasting.zero_shot import shipped

ROOM = 4  # times the longest series that sizes of windows may be: they are rounded up


def require_consistent(config: ForecasterConfig, fitted: Fitted) -> None:
    """Refuse a forecaster whose parts do not fit each other.

    Raises:
        ValueError: names the part.
        InputError: for a horizon that the series cannot support.
    """
    _require_panel(fitted.panel)
    longest = int(fitted.panel.lengths.max())
    _require_plan(fitted.plan)
    _require_design(fitted.plan.design, config, longest)
    _require_calibration(fitted.calibration)
    if fitted.zero_shot is not None:
        weights, known = fitted.zero_shot.weights, shipped().weights
        shapes = {name: array.shape for name, array in weights.items()}
        _require(shapes == {name: array.shape for name, array in known.items()}, "the pretrained network")
        _require(all(np.isfinite(array).all() for array in weights.values()), "the pretrained network")
    learned = fitted.learned
    if learned is not None:
        series = len(learned) if learned.ndim == 1 else -1
        _require(0 <= series <= len(fitted.panel) and learned.dtype == np.int64, "the steps that were learned from")
        _require(bool((learned <= fitted.panel.lengths[:series]).all()), "the steps that were learned from")
    _require(fitted.losses.ndim == 2 and fitted.losses.dtype.kind == "f", "the losses")
    _require(isinstance(fitted.notes, list) and all(isinstance(note, str) for note in fitted.notes), "the notes")


def _require(right: bool, part: str) -> None:
    if not right:
        raise ValueError(f"{part} cannot be used")


def _require_panel(panel: Panel) -> None:
    """Refuse series whose arrays do not fit each other, or whose time stamps cannot be told."""
    _require(panel.ids.ndim == 1 and panel.ids.dtype.kind in "iufU" and len(panel.ids) > 0, "the names of the series")
    _require(panel.values.dtype == np.float64, "the values")
    _require(all(isinstance(note, str) for note in panel.notes), "the notes about the data")
    _require_grid(panel.offsets, panel.starts, len(panel), panel.values.shape)
    names, times = panel.future(1)
    to_native({"unique_id": names, "ds": times}, zone=panel.frequency.zone)
    panel.frequency.describe()
    if panel.covariates is not None:
        _require_covariates(panel.covariates, len(panel))


def _require_covariates(covariates: Covariates, series: int) -> None:
    _require(covariates.sources.shape == (series,), "the sources of the covariates")
    _require_grid(covariates.offsets, covariates.starts, series, covariates.has_row.shape)
    _require(covariates.has_row.dtype == bool, "the rows of the covariates")
    for column in covariates.columns:
        shape = (series,) if column in covariates.static else covariates.has_row.shape
        known = column.values[~np.isnan(column.values)]
        codes = column.categories is None or bool(np.isin(known, np.arange(len(column.categories))).all())
        _require(column.values.shape == shape and codes, f"the covariate {column.name}")


def _require_grid(offsets: np.ndarray, starts: np.ndarray, series: int, steps: tuple[int, ...]) -> None:
    """Refuse offsets (N + 1,) and starts (N,) that are not of N series with this many steps in all."""
    _require(offsets.dtype == starts.dtype == np.int64 and starts.shape == (series,), "the beginnings of the series")
    rising = offsets.shape == (series + 1,) and offsets[0] == 0 and bool((np.diff(offsets) >= 0).all())
    _require(rising and steps == (offsets[-1],), "the lengths of the series")


def _require_plan(plan: Plan) -> None:
    sizes = (plan.batch, plan.members + 1, plan.steps + 1, plan.tuning + 1)
    _require(all(map(_is_size, sizes)), "the sizes of the plan")
    flags = (plan.log, plan.variants, plan.positive, plan.skip)
    _require(all(isinstance(flag, bool) for flag in flags), "the plan")
    _require(0 < plan.smallest < np.inf and 0 < plan.learning_rate < np.inf, "the numbers of the plan")


def _require_design(design: Design, config: ForecasterConfig, longest: int) -> None:
    """Refuse sizes that are none, that differ from the arguments, or that no series of this length leads to."""
    sizes = (design.hidden, design.length, design.patch, design.blocks, design.history + 1, *design.seasons)
    _require(all(map(_is_size, sizes)) and len(design.seasons) > 0, "the sizes of the networks")
    _require(design.horizon == config.horizon, "the horizon")
    require_horizon(design.horizon, longest)
    most = ROOM * max(longest, *design.seasons[:1], design.horizon)
    _require(max(design.seasons) <= max(longest, 1) and max(design.length, design.history) <= most, "the windows")
    _require(design.quantiles == QUANTILES, "the quantiles")


def _require_calibration(calibration: Calibration) -> None:
    widths = calibration.stretch
    _require(len(widths) == len(QUANTILES) and all(0 < width < np.inf for width in widths), "the widths of intervals")
    steps = all(_is_size(steps + 1) for steps in (calibration.steps, calibration.tuning))
    _require(0 <= calibration.zero_shot <= 1 and steps, "the calibration")


def _is_size(number: object) -> bool:
    """Return if a value is a whole number of at least 1."""
    return isinstance(number, int) and not isinstance(number, bool) and number >= 1
