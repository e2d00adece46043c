"""Covariates as JSON values and arrays, as saved forecasters and streams hold them."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from throughtime.data import Column, Covariates

ROLES = ("static", "past", "future")
Json = Mapping[str, Any]


def covariates_as_dict(covariates: Covariates | None) -> dict[str, Any] | None:
    """Return the names and categories of covariates as JSON values; None without covariates."""
    if covariates is None:
        return None
    columns = {role: [[column.name, column.categories] for column in getattr(covariates, role)] for role in ROLES}
    return {
        "id": covariates.id,
        "time": covariates.time,
        "sources": names_as_list(covariates.sources),
        "form": covariates.form,
        **columns,
    }


def covariate_arrays(covariates: Covariates | None) -> dict[str, Any]:
    """Return the numbers of covariates, by name; none without covariates."""
    if covariates is None:
        return {}
    columns = {
        f"{role}.{place}": column.values for role in ROLES for place, column in enumerate(getattr(covariates, role))
    }
    arrays = {"starts": covariates.starts, "offsets": covariates.offsets, "came": covariates.has_row, **columns}
    return {f"covariates.{name}": array for name, array in arrays.items()}


def covariates_from(saved: Json | None, arrays: Mapping[str, np.ndarray]) -> Covariates | None:
    """Return the covariates of :func:`covariates_as_dict` and :func:`covariate_arrays`."""
    if saved is None:
        return None
    static, past, future = (
        tuple(
            Column(name, arrays[f"covariates.{role}.{place}"], as_tuples(categories))
            for place, (name, categories) in enumerate(saved[role])
        )
        for role in ROLES
    )
    starts, offsets, has_row = (arrays[f"covariates.{name}"] for name in ("starts", "offsets", "came"))
    sources = np.array(saved["sources"])
    columns = (static, past, future)
    return Covariates(saved["id"], saved["time"], sources, *columns, starts, offsets, has_row, saved.get("form"))


def as_tuples(value: Any) -> Any:
    """Return JSON's lists, nested or not, as tuples."""
    return tuple(map(as_tuples, value)) if isinstance(value, list) else value


def names_as_list(names: np.ndarray) -> list[str | int | float]:
    """Return names of series as JSON values."""
    return [name if isinstance(name, str | int | float) else str(name) for name in names.tolist()]
