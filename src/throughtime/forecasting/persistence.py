"""A forecaster in a folder: its network, what it decided, and the history that its forecasts start from."""

from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

from throughtime.data.calendar import Frequency
from throughtime.data.panel import Panel
from throughtime.errors import InputError
from throughtime.forecasting.network import Design, ForecastNetwork
from throughtime.forecasting.plan import Plan
from throughtime.training import checkpoint

KIND = "forecaster"


class Fitted(NamedTuple):
    """All that a fitted forecaster has beyond its parameters; :class:`throughtime.Forecaster` says more."""

    panel: Panel
    plan: Plan
    network: ForecastNetwork | None
    losses: np.ndarray
    notes: list[str]


def save_fitted(path: str | Path, params: dict[str, Any], fitted: Fitted) -> None:
    """Write it to the folder ``path``, whole or not at all.

    With all of the history: what fills a gap, and which series the network serves, may hang on its beginning.
    """
    panel, plan = fitted.panel, fitted.plan
    config = {
        "params": params,
        "plan": plan._asdict() | {"design": plan.design._asdict()},
        "panel": {
            "ids": [name if isinstance(name, str | int | float) else str(name) for name in panel.ids.tolist()],
            "frequency": asdict(panel.frequency),
            "notes": list(panel.notes),
        },
        "notes": fitted.notes,
        "trained": fitted.network is not None,
    }
    history = {"values": panel.values, "offsets": panel.offsets, "starts": panel.starts, "losses": fitted.losses}
    checkpoint.save(path, KIND, config, {"history": history, "network": fitted.network})


def load_fitted(path: str | Path) -> tuple[dict[str, Any], Fitted]:
    """Parameters and fitted state from the folder ``path``.

    Raises:
        InputError: for a folder without a forecaster, and for a truncated, altered, foreign or newer one.
    """
    saved = checkpoint.load(path)
    if saved.kind != KIND:
        raise InputError(f"{path} holds a {saved.kind}: expected a {KIND}")
    config, arrays = saved.config, saved.arrays
    design = Design(**{name: _tuples(value) for name, value in config["plan"]["design"].items()})
    described = config["panel"]
    panel = Panel(
        np.array(described["ids"]),
        arrays["history.values"],
        arrays["history.offsets"],
        arrays["history.starts"],
        Frequency(**described["frequency"]),
        tuple(described["notes"]),
    )
    network = None
    if config["trained"]:
        network = checkpoint.restore(arrays, lambda: ForecastNetwork(design, key=jax.random.key(0)), "network")
    plan = Plan(**config["plan"] | {"design": design})
    return config["params"], Fitted(panel, plan, network, arrays["history.losses"], config["notes"])


def _tuples(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
