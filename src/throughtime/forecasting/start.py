"""A fitted forecaster whose networks another training goes on from: what must agree, and what it has learned from."""

from dataclasses import replace
from typing import Any

import numpy as np

from throughtime._errors import InputError
from throughtime._registry import shown_name
from throughtime.data import Encodings, Panel
from throughtime.forecasting.config import ForecasterConfig
from throughtime.forecasting.estimator import FittedEstimator
from throughtime.forecasting.fitted import Fitted
from throughtime.forecasting.plan import Plan

SHAPING = ("horizon", "season", "cell", "hidden", "members", "lookback", "head", "calendar")
"""The arguments of a forecaster that decide about the shapes of its networks."""


def require_same_shapes(config: ForecasterConfig, start: Any) -> None:
    """Refuse a start whose networks have other shapes than the settings ask for.

    Raises:
        InputError: names the arguments that differ; and for anything that is no forecaster.
    """
    if not isinstance(start, FittedEstimator):
        raise InputError(
            f"found {start!r} as the start: expected a fitted Forecaster, such as throughtime.load(path) returns",
            code="not-a-forecaster",
            found=start,
            expected="a fitted Forecaster",
        )
    known = start.config
    others = [name for name in SHAPING if getattr(config, name) != getattr(known, name)]
    if others:
        found, expected = (
            ", ".join(f"{name}={shown_name(getattr(settings, name))}" for name in others)
            for settings in (known, config)
        )
        raise InputError(
            f"the start was made with {found}, this forecaster with {expected}: expected the same, so that the "
            "networks have the same shapes; take the start's arguments, or fit without it",
            code="other-start",
            found=others,
            expected=SHAPING,
        )


def require_same_data(panel: Panel, start: Fitted) -> None:
    """Refuse series of another frequency than the start's, or with other covariates.

    Raises:
        InputError: with both.
    """
    known = start.panel.frequency
    if replace(panel.frequency, stamp=known.stamp) != known:
        raise InputError(
            f"another frequency: the series are {panel.frequency.describe()}, those of the start {known.describe()}",
            code="other-frequency",
            found=panel.frequency.describe(),
            expected=known.describe(),
        )
    found, expected = _columns(panel), _encoded(start.plan.encodings)
    if found != expected:
        raise InputError(
            f"other covariates: the series have {found}, the start has learned from {expected}",
            code="other-covariates",
            found=found,
            expected=expected,
        )


def plan_of_start(plan: Plan, start: Fitted) -> Plan:
    """Return the plan for a panel with everything from the start that its networks are made for."""
    known = start.plan
    return plan._replace(
        design=known.design, log=known.log, skip=known.skip, encodings=known.encodings, members=len(start.networks)
    )


def seen_steps(panel: Panel, start: Fitted) -> np.ndarray:
    """Return (N,) how many steps of each series are not after the end of what the start has learned from."""
    multiple, known = panel.frequency.multiple, start.panel
    learned = known.lengths if start.learned is None else start.learned
    ends = known.starts[: len(learned)] + multiple * learned  # series that came by updates are behind these
    names = map(str, known.ids[: len(learned)].tolist())
    by_name = dict(zip(names, ends.tolist(), strict=True))
    starts = zip(map(str, panel.ids.tolist()), panel.starts.tolist(), strict=True)
    steps = [(by_name.get(name, begin) - begin) // multiple for name, begin in starts]
    return np.clip(steps, 0, panel.lengths)


def _columns(panel: Panel) -> list[str]:
    """Return the covariates of a panel in words."""
    covariates = panel.covariates
    roles = {} if covariates is None else {role: getattr(covariates, role) for role in Encodings._fields[:3]}
    return [_column(role, column.name, column.categories) for role, columns in roles.items() for column in columns]


def _encoded(encodings: Encodings | None) -> list[str]:
    """Return the covariates that a network reads, in the same words."""
    roles = {} if encodings is None else {role: getattr(encodings, role) for role in Encodings._fields[:3]}
    return [_column(role, one.name, one.vocabulary) for role, columns in roles.items() for one in columns]


def _column(role: str, name: str, categories: tuple[str, ...] | None) -> str:
    return f"{name} ({role}, {'numbers' if categories is None else 'categories'})"
