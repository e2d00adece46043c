"""The network of a forecaster: patches through a recurrent cell, and quantiles of the whole horizon at once."""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp

from throughtime.cells import Cell, cell_type
from throughtime.data.encoding import CovariateSizes
from throughtime.data.scaling import Units, to_units, window_units
from throughtime.data.windows import Windows
from throughtime.forecasting.covariates import (
    CovariateInputs,
    CovariateNetwork,
    ahead,
    covariate_inputs,
    covariate_network,
    extra_widths,
)
from throughtime.recurrence import unroll
from throughtime.shapes import Array, Bool, Float, Key

FEATURES = 2


class Design(NamedTuple):
    """The sizes of a forecast network.

    Attributes:
        cell: the cell's name.
        hidden: H, the units of the cell and of the head.
        horizon: F, steps ahead.
        length: L, how many past values the network reads: a whole number of patches.
        patch: P, how many values make one time step of the cell.
        seasons: the periods, in steps, of the seasonal naive forecasts that the network starts from.
        quantiles: Q levels, ascending; the middle one is 0.5.
        covariates: how many covariates there are; None without any.
    """

    cell: str
    hidden: int
    horizon: int
    length: int
    patch: int
    seasons: tuple[int, ...]
    quantiles: tuple[float, ...]
    covariates: CovariateSizes | None = None

    @property
    def reach(self) -> int:
        """R, how many past values must be there: the longest season may exceed what the network reads."""
        return max(self.length, 2 * self.seasons[0], *self.seasons)

    @property
    def span(self) -> int:
        """How many of the last values make the level: one season, or the last value where there is none."""
        return min(self.seasons[0], self.length)


class ForecastNetwork(eqx.Module):
    """Quantiles of the next F values from the last L of a series.

    The window is cut into patches; a cell reads one patch a time step; its last state and two features of the window
    give the quantiles through one hidden layer. A linear map from the window to the horizon is added, and a base: a
    mixture, weighted by the window, of the last value and of each season's naive forecast. The head reads the last
    state, so the first step ahead depends on the last observation.
    """

    embed: eqx.nn.Linear
    cell: Cell
    hidden: eqx.nn.Linear
    head: eqx.nn.Linear
    skip: eqx.nn.Linear
    gate: eqx.nn.Linear
    covariates: CovariateNetwork | None
    design: Design = eqx.field(static=True)

    def __init__(self, design: Design, *, key: Key):
        """Random weights, but for the skip, which starts at zero: training starts near the base."""
        keys = jax.random.split(key, 6)
        width, quantiles = design.hidden, len(design.quantiles)
        self.covariates = covariate_network(design.covariates, width, quantiles, key=jax.random.fold_in(key, 1))
        channels, features = extra_widths(self.covariates)
        self.embed = eqx.nn.Linear((2 + channels) * design.patch, width, key=keys[0])
        self.cell = cell_type(design.cell)(width, width, key=keys[1])
        self.hidden = eqx.nn.Linear(width + FEATURES + features, width, key=keys[2])
        self.head = eqx.nn.Linear(width, design.horizon * quantiles, key=keys[3])
        skip = eqx.nn.Linear(design.length, design.horizon, use_bias=False, key=keys[4])
        self.skip = eqx.tree_at(lambda linear: linear.weight, skip, jnp.zeros_like(skip.weight))
        self.gate = eqx.nn.Linear(width, 2 + len(design.seasons), key=keys[5])
        self.design = design

    def __call__(self, windows: Windows) -> tuple[Float[Array, "B F Q"], Units]:
        """The quantiles in each window's own units, which come with them; not sorted yet."""
        design = self.design
        given = covariate_inputs(self.covariates, windows)
        past, units = self.unexplained(windows, given)
        values = jnp.where(windows.inside, past, 0)[:, -design.length :]
        _, ys = unroll(self.cell, self.read(windows, values, given))
        state = jax.vmap(self.hidden)(jnp.concatenate([ys[:, -1], _features(values), given.static], axis=1))
        state = jax.nn.gelu(state)
        spread = jax.vmap(self.head)(state).reshape(-1, design.horizon, len(design.quantiles))
        mixture = jax.nn.softmax(jax.vmap(self.gate)(state))
        base = jnp.einsum("bk,bkf->bf", mixture, _bases(past, windows.inside, design))
        forecast = spread + (base + jax.vmap(self.skip)(values))[:, :, None]
        return forecast + ahead(self.covariates, given, state), units

    def unexplained(self, windows: Windows, given: CovariateInputs) -> tuple[Float[Array, "B R"], Units]:
        """The past in each window's own units, less what future covariates explain of it, and these units."""
        units = window_units(windows, self.design.span, self.design.length)
        return to_units(windows.past, units) - given.explained[:, : windows.past.shape[1]], units

    def read(self, windows: Windows, values: Float[Array, "B L"], given: CovariateInputs) -> Float[Array, "B T H"]:
        """What the cell reads of windows whose last L values are these."""
        length = self.design.length
        return self.embedded(values, windows.seen[:, -length:], given.past[:, -length:])

    def embedded(
        self, values: Float[Array, "B L"], seen: Bool[Array, "B L"], extra: Float[Array, "B L E"] | None = None
    ) -> Float[Array, "B T H"]:
        """Each patch of values, of whether they were observed, and of extra channels, as one time step."""
        patches = jnp.stack([values, seen.astype(values.dtype)], axis=-1)
        patches = patches if extra is None else jnp.concatenate([patches, extra], axis=-1)
        patches = patches.reshape(len(values), -1, patches.shape[-1] * self.design.patch)
        return jax.vmap(jax.vmap(self.embed))(patches)


def _features(values: Float[Array, "B L"]) -> Float[Array, "B 2"]:
    """What scaling hides: where the last value stands, and how rough the window is from step to step."""
    rough = jnp.mean(jnp.abs(jnp.diff(values, axis=1)), axis=1) if values.shape[1] > 1 else jnp.zeros(len(values))
    return jnp.stack([values[:, -1], rough], axis=1)


def _bases(past: Float[Array, "B R"], inside: Array, design: Design) -> Float[Array, "B K F"]:
    """What the network starts from: the last value; each season's naive forecast; the main season's with its drift.

    Where a season reaches before the series, the last value stands for its forecast, and there is no drift.
    """
    reach, steps = past.shape[1], jnp.arange(design.horizon)
    last = jnp.broadcast_to(past[:, -1:], (len(past), design.horizon))
    bases = [last]
    for season in design.seasons:
        places = reach - season + steps % season
        bases.append(jnp.where(inside[:, places], past[:, places], last))
    bases.append(bases[1] + _drift(past, inside, design.seasons[0])[:, None] * (steps // design.seasons[0] + 1.0)[None])
    return jnp.stack(bases, axis=1)


def _drift(past: Float[Array, "B R"], inside: Array, season: int) -> Float[Array, "B"]:
    """By how much the last season's mean exceeds that of the season before."""
    ahead, behind = past[:, -season:], past[:, -2 * season : -season]
    return jnp.where(inside[:, -2 * season], ahead.mean(axis=1) - behind.mean(axis=1), 0)
