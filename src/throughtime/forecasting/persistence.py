"""A forecaster in a folder: its network, what it decided, and the history that its forecasts start from."""

from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

from throughtime._errors import InputError
from throughtime.data import Column, Covariates, CovariateSizes, Encoding, Encodings, Frequency, Panel, TableSizes
from throughtime.forecasting.config import Plan
from throughtime.forecasting.network import Design, ForecastNetwork
from throughtime.forecasting.train import Networks
from throughtime.training import checkpoint

KIND = "forecaster"
ROLES = ("static", "past", "future")


class Fitted(NamedTuple):
    """All that a fitted forecaster has beyond its parameters; :class:`throughtime.Forecaster` says more."""

    panel: Panel
    plan: Plan
    networks: Networks
    losses: np.ndarray
    notes: list[str]


def save_fitted(path: str | Path, params: dict[str, Any], fitted: Fitted) -> None:
    """Write it to the folder ``path``, whole or not at all.

    With all of the history: what fills a gap, and which series the network serves, may hang on its beginning.
    """
    panel, plan = fitted.panel, fitted.plan
    config = {
        "params": params,
        "plan": plan._asdict() | {"design": plan.design._asdict(), "encodings": _encodings_as_lists(plan.encodings)},
        "panel": {
            "ids": _names(panel.ids),
            "frequency": asdict(panel.frequency),
            "notes": list(panel.notes),
            "covariates": _described(panel.covariates),
        },
        "notes": fitted.notes,
        "members": len(fitted.networks),
    }
    history = {"values": panel.values, "offsets": panel.offsets, "starts": panel.starts, "losses": fitted.losses}
    trees = {"history": history, "covariates": _covariate_arrays(panel.covariates), "networks": fitted.networks}
    checkpoint.save(path, KIND, config, trees)


def load_fitted(path: str | Path) -> tuple[dict[str, Any], Fitted]:
    """Parameters and fitted state from the folder ``path``.

    Raises:
        InputError: for a folder without a forecaster, and for a truncated, altered, foreign or newer one.
    """
    saved = checkpoint.load(path)
    if saved.kind != KIND:
        raise InputError(f"{path} holds a {saved.kind}: expected a {KIND}")
    config, arrays = saved.config, saved.arrays
    if "history" not in config["plan"]["design"]:
        raise InputError(f"{path} was saved by an earlier version, whose network was another: fit the forecaster again")
    design = Design(**{name: _tuples(value) for name, value in config["plan"]["design"].items()})
    if design.covariates is not None:
        design = design._replace(covariates=CovariateSizes(*(TableSizes(*sizes) for sizes in design.covariates)))
    described = config["panel"]
    panel = Panel(
        np.array(described["ids"]),
        arrays["history.values"],
        arrays["history.offsets"],
        arrays["history.starts"],
        Frequency(**described["frequency"]),
        tuple(described["notes"]),
        _covariates(described.get("covariates"), arrays),
    )

    def like() -> Networks:
        return tuple(ForecastNetwork(design, key=jax.random.key(0)) for _ in range(config["members"]))

    networks = checkpoint.restore(arrays, like, "networks") if config["members"] else ()
    encodings = _encodings(config["plan"].get("encodings"))
    plan = Plan(
        **config["plan"] | {"design": design, "encodings": encodings, "stretch": tuple(config["plan"]["stretch"])}
    )
    return config["params"], Fitted(panel, plan, networks, arrays["history.losses"], config["notes"])


def _tuples(value: Any) -> Any:
    """JSON's lists, however deep, as tuples."""
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def _names(names: np.ndarray) -> list[str | int | float]:
    return [name if isinstance(name, str | int | float) else str(name) for name in names.tolist()]


def _encodings_as_lists(encodings: Encodings | None) -> list[list[dict[str, Any]]] | None:
    return None if encodings is None else [[encoding._asdict() for encoding in role] for role in encodings]


def _encodings(saved: list[list[dict[str, Any]]] | None) -> Encodings | None:
    if saved is None:
        return None
    roles = (tuple(Encoding(**{name: _tuples(value) for name, value in one.items()}) for one in role) for role in saved)
    return Encodings(*roles)


def _described(covariates: Covariates | None) -> dict[str, Any] | None:
    """Names and categories; the numbers are arrays."""
    if covariates is None:
        return None
    columns = {role: [[one.name, one.categories] for one in getattr(covariates, role)] for role in ROLES}
    return {"id": covariates.id, "time": covariates.time, "sources": _names(covariates.sources), **columns}


def _covariate_arrays(covariates: Covariates | None) -> dict[str, Any]:
    if covariates is None:
        return {}
    columns = {role: [column.values for column in getattr(covariates, role)] for role in ROLES}
    return {"starts": covariates.starts, "offsets": covariates.offsets, "came": covariates.has_row, **columns}


def _covariates(described: dict[str, Any] | None, arrays: dict[str, np.ndarray]) -> Covariates | None:
    if described is None:
        return None
    static, past, future = (
        tuple(
            Column(name, arrays[f"covariates.{role}.{place}"], _tuples(categories))
            for place, (name, categories) in enumerate(described[role])
        )
        for role in ROLES
    )
    grid = (arrays[f"covariates.{name}"] for name in ("starts", "offsets", "came"))
    sources = np.array(described["sources"])
    return Covariates(described["id"], described["time"], sources, static, past, future, *grid)
