"""A forecaster in a folder: its networks, its decisions, and the history that its forecasts start from."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import numpy as np

from throughtime._arguments import plain
from throughtime._errors import InputError
from throughtime._folder import read_folder, write_folder
from throughtime._foreign import foreign_content
from throughtime._fork import require_threads
from throughtime._registry import class_or_name, import_path, imported_class
from throughtime.cells import CELLS
from throughtime.data import (
    ColumnNames,
    CovariateSizes,
    Encoding,
    Encodings,
    Frequency,
    Panel,
    TableSizes,
    several,
)
from throughtime.forecasting.config import ForecasterConfig
from throughtime.forecasting.consistency import require_consistent
from throughtime.forecasting.design import Design
from throughtime.forecasting.fitted import Fitted, Networks
from throughtime.forecasting.head_catalog import HEADS
from throughtime.forecasting.plan import Calibration, Plan
from throughtime.forecasting.saved_covariates import (
    as_tuples,
    covariate_arrays,
    covariates_as_dict,
    covariates_from,
    names_as_list,
)
from throughtime.forecasting.zero_shot import ZeroShot

KIND = "forecaster"
ZERO_SHOT = "zero_shot."  # the beginning of the names of the pretrained network's weights
TABLES: Mapping[str, Mapping[str, Any]] = {"cell": CELLS, "head": HEADS}
"""The table of each argument that may be a class."""
Json = Mapping[str, Any]
"""An object of JSON: names and plain values."""


def save_fitted(path: str | Path, params: Json, fitted: Fitted) -> None:
    """Write a fitted forecaster to the folder ``path``, in one step.

    All of the history is written: the filling of a gap, and the series that the network serves, may depend on its
    beginning.

    Args:
        path: the folder.
        params: the arguments of the forecaster.
        fitted: its plan, networks and history.

    Raises:
        InputError: if ``path`` is a file, and for a class that no file can name.
    """
    panel, plan = fitted.panel, fitted.plan
    design = plan.design._asdict() | _classes_as_text(plan.design._asdict())
    encodings = _encodings_as_lists(plan.encodings)
    config = {
        "params": {**params, **_classes_as_text(params)},
        "plan": plan._asdict() | {"design": design, "encodings": encodings},
        "calibration": _calibration_as_dict(fitted.calibration),
        "panel": {
            "ids": names_as_list(panel.ids),
            "frequency": asdict(panel.frequency),
            "notes": list(panel.notes),
            "form": panel.form,
            "names": asdict(panel.names),
            "covariates": covariates_as_dict(panel.covariates),
        },
        "notes": fitted.notes,
        "members": len(fitted.networks),
        "zero_shot": None if fitted.zero_shot is None else fitted.zero_shot.card,
        "columns": asdict(fitted.columns),
    }
    history = {"values": panel.values, "offsets": panel.offsets, "starts": panel.starts, "losses": fitted.losses}
    history |= {} if fitted.learned is None else {"learned": fitted.learned}
    arrays = {f"history.{name}": array for name, array in history.items()}
    arrays |= covariate_arrays(panel.covariates) | _network_arrays(fitted.networks)
    if fitted.zero_shot is not None:
        # They came as float16, so no digit is lost.
        arrays |= {f"{ZERO_SHOT}{name}": array.astype(np.float16) for name, array in fitted.zero_shot.weights.items()}
    write_folder(path, KIND, plain(config), arrays)


def load_fitted(path: str | Path) -> tuple[dict[str, Any], Fitted]:
    """Return the arguments of a forecaster, and its fitted state, from the folder ``path``.

    Raises:
        InputError: for a folder without a forecaster, and for a truncated, altered, foreign or newer one.
    """
    require_threads()
    saved = read_folder(path)
    if saved.kind != KIND:
        raise InputError(
            f"{path} holds a {saved.kind}: expected a {KIND}",
            code="other-kind",
            file=path,
            found=saved.kind,
            expected=KIND,
        )
    with foreign_content(path):
        if "history" not in saved.config["plan"]["design"]:
            raise InputError(
                f"{path} was saved by an earlier version, whose network was another: fit the forecaster again",
                code="former-network",
                file=path,
            )
        params, fitted = _params_and_fitted(saved.config, saved.arrays)
        require_consistent(ForecasterConfig(**params), fitted)
        return params, fitted


def _params_and_fitted(config: Json, arrays: Mapping[str, np.ndarray]) -> tuple[dict[str, Any], Fitted]:
    """Return the arguments of a forecaster, and its fitted state, from the content of a folder."""
    plan, calibration = _plan(config)
    networks = _networks(arrays, plan, config["members"])
    panel = _panel(config["panel"], arrays)
    params = {**config["params"], **_classes(config["params"])}
    zero_shot = _zero_shot(config.get("zero_shot"), arrays)
    columns = _names(config.get("columns", {}))
    losses, learned = arrays["history.losses"], arrays.get("history.learned")
    return params, Fitted(panel, plan, calibration, networks, losses, config["notes"], zero_shot, columns, learned)


def _zero_shot(card: dict[str, Any] | None, arrays: Mapping[str, np.ndarray]) -> ZeroShot | None:
    """Return the pretrained network that the forecaster was fitted with; former versions had none."""
    if card is None:
        return None
    names = [name for name in arrays if name.startswith(ZERO_SHOT)]
    weights = {name.removeprefix(ZERO_SHOT): arrays[name].astype(np.float32) for name in names}
    return ZeroShot(weights, card)


def _network_arrays(networks: Networks) -> dict[str, np.ndarray]:
    if not networks:
        return {}
    from throughtime.training import named_leaves  # loads JAX

    return {name: np.asarray(leaf) for name, leaf in named_leaves(networks, "networks").items()}


def _networks(arrays: Mapping[str, np.ndarray], plan: Plan, members: int) -> Networks:
    """Return the networks; former versions left out a linear map that was not learned: it is zero.

    Raises:
        ValueError: for more networks, or more blocks, than there are arrays: to make them might never end.
    """
    if not members:
        return ()
    if not 0 <= members * plan.design.blocks <= len(arrays):
        raise ValueError(f"{members} networks of {plan.design.blocks} blocks cannot be in {len(arrays)} arrays")
    import jax

    from throughtime.forecasting.network import ForecastNetwork
    from throughtime.training import checkpoint

    def like() -> Networks:
        return tuple(ForecastNetwork(plan.design, key=jax.random.key(0)) for _ in range(members))

    zeros = np.zeros((plan.design.horizon, plan.design.length), np.float32)
    unlearned = {} if plan.skip else {f"networks.{member}.skip.weight": zeros for member in range(members)}
    return cast(Networks, checkpoint.restore(unlearned | dict(arrays), like, "networks"))


def _plan(config: Json) -> tuple[Plan, Calibration]:
    """Read the plan and the calibration; version 0.1.0 had written both as one plan.

    There ``most_steps`` were the steps of the plan, ``steps`` those of the calibration, and ``skip`` was in the design.
    """
    saved, calibration = dict(config["plan"]), config.get("calibration")
    if "skip" in saved["design"]:
        saved["skip"] = saved["design"]["skip"]
        saved["design"] = {name: value for name, value in saved["design"].items() if name != "skip"}
    if calibration is None:
        saved = {"positive": False, "variants": True} | saved
        calibration = {"steps": saved.pop("steps"), "stretch": saved.pop("stretch"), "loss": None}
        saved["steps"] = saved.pop("most_steps")
    design = Design(**{name: as_tuples(value) for name, value in saved["design"].items()} | _classes(saved["design"]))
    if design.covariates is not None:
        design = design._replace(covariates=CovariateSizes(*(TableSizes(*sizes) for sizes in design.covariates)))
    plan = Plan(**saved | {"design": design, "encodings": _encodings(saved.get("encodings"))})
    loss = np.inf if calibration["loss"] is None else calibration["loss"]
    stretch = tuple(map(float, calibration["stretch"]))
    return plan, Calibration(**calibration | {"stretch": stretch, "loss": loss})


def _classes_as_text(config: Json) -> dict[str, str]:
    """Return cell and head by name, and the user's classes by import path."""
    texts = {}
    for what, table in TABLES.items():
        choice = class_or_name(what, table, config[what])
        texts[what] = choice if isinstance(choice, str) else import_path(what, choice)
    return texts


def _classes(saved: Json) -> dict[str, Any]:
    """Return cell and head as :func:`_classes_as_text` got them."""
    return {
        what: imported_class(what, saved[what], _base(what)) if ":" in saved[what] else saved[what]
        for what in TABLES
        if what in saved
    }


def _base(what: str) -> type:
    """Return the class that all cells, or heads, have as a base."""
    from throughtime.cells import Cell
    from throughtime.forecasting.heads import Head

    return {"cell": Cell, "head": Head}[what]


def _calibration_as_dict(calibration: Calibration) -> dict[str, Any]:
    """Return JSON values: infinity is not one."""
    return calibration._asdict() | {"loss": calibration.loss if np.isfinite(calibration.loss) else None}


def _panel(saved: Json, arrays: Mapping[str, np.ndarray]) -> Panel:
    return Panel(
        np.array(saved["ids"]),
        arrays["history.values"],
        arrays["history.offsets"],
        arrays["history.starts"],
        Frequency(**{name: as_tuples(value) for name, value in saved["frequency"].items()}),
        tuple(saved["notes"]),
        covariates_from(saved.get("covariates"), arrays),
        saved.get("form"),
        _names(saved.get("names", {})),
    )


def _names(saved: Json) -> ColumnNames:
    if not all(isinstance(name, str) for names in saved.values() for name in several(names)):
        raise ValueError(f"names that are no text: {saved}")
    return ColumnNames(**{name: as_tuples(value) for name, value in saved.items()})


def _encodings_as_lists(encodings: Encodings | None) -> list[list[dict[str, Any]]] | None:
    return None if encodings is None else [[encoding._asdict() for encoding in role] for role in encodings]


def _encodings(saved: list[list[dict[str, Any]]] | None) -> Encodings | None:
    if saved is None:
        return None
    roles = (
        tuple(Encoding(**{name: as_tuples(value) for name, value in encoding.items()}) for encoding in role)
        for role in saved
    )
    return Encodings(*roles)
