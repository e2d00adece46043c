"""The network of a forecaster: patches through a recurrent cell, and quantiles of the whole horizon at once."""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp

from throughtime._types import Array, Bool, Float, Key
from throughtime.cells import cell_type
from throughtime.data import CovariateSizes, LevelScale, Windows, last_steps, scale_values, window_level_scale
from throughtime.forecasting.basis import base_count, bases
from throughtime.forecasting.covariate_network import (
    CovariateInputs,
    CovariateNetwork,
    ahead,
    covariate_inputs,
    covariate_network,
    extra_widths,
    silent,
)
from throughtime.forecasting.heads import Head, head_type
from throughtime.layers import Block, FeedForward, Stack

FEATURES = 2


class Design(NamedTuple):
    """The sizes of a forecast network.

    Attributes:
        cell: the cell's name.
        hidden: H, the units of the cells and of the head.
        horizon: F, steps ahead.
        length: L, how many past values the network reads: a whole number of patches.
        patch: P, how many values make one time step of the cell.
        seasons: the periods, in steps, of the seasonal naive forecasts that the network starts from.
        quantiles: Q levels, ascending; the middle one is 0.5.
        blocks: how many recurrent blocks stand one above the other.
        skip: whether a linear map leads past them, from the window to the horizon.
        head: what the network's raw numbers mean: a head, by its name.
        covariates: how many covariates there are; None without any.
        history: how many past values the bases may use beyond what the network reads; 0 for no more than that.
    """

    cell: str
    hidden: int
    horizon: int
    length: int
    patch: int
    seasons: tuple[int, ...]
    quantiles: tuple[float, ...]
    blocks: int = 2
    skip: bool = True
    head: str = "quantiles"
    covariates: CovariateSizes | None = None
    history: int = 0

    @property
    def measured(self) -> int:
        """How many of the last values make a window's units: the longest season may exceed what the network reads."""
        return max(self.length, 2 * self.seasons[0], *self.seasons)

    @property
    def reach(self) -> int:
        """R, how many past values must be there."""
        return max(self.measured, self.history)

    @property
    def span(self) -> int:
        """How many of the last values make the level: one season, or the last value where there is none."""
        return min(self.seasons[0], self.length)


class ForecastNetwork(eqx.Module):
    """The next F values, as quantiles or distributions, from the last L of a series.

    The window is cut into patches; the first of a stack of residual recurrent blocks, with a feed-forward layer behind
    each, reads one patch a time step. The last step's output and features of the window give the head's numbers through
    one hidden layer. Added to their location are a base, a mixture of simple forecasts weighted by the window, and a
    linear map from the window to the horizon. The head reads the last step, so the first step ahead depends on the last
    value.
    """

    embed: eqx.nn.Linear
    stack: Stack
    hidden: eqx.nn.Linear
    head: eqx.nn.Linear
    skip: eqx.nn.Linear | None
    gate: eqx.nn.Linear
    covariates: CovariateNetwork | None
    design: Design = eqx.field(static=True)

    def __init__(self, design: Design, *, key: Key):
        """Random weights, but for head and skip, which start at zero: training starts at the base."""
        keys = jax.random.split(key, 6)
        width, outputs = design.hidden, head_of(design).outputs
        self.covariates = covariate_network(design.covariates, width, outputs, key=jax.random.fold_in(key, 1))
        channels, features = extra_widths(self.covariates)
        self.embed = eqx.nn.Linear((2 + channels) * design.patch, width, key=keys[0])
        self.stack = _stack(design, key=keys[1])
        self.hidden = eqx.nn.Linear(width + FEATURES + features, width, key=keys[2])
        self.head = silent(eqx.nn.Linear(width, design.horizon * outputs, key=keys[3]))
        linear = eqx.nn.Linear(design.length, design.horizon, use_bias=False, key=keys[4])
        self.skip = silent(linear) if design.skip else None
        self.gate = eqx.nn.Linear(width, base_count(design.seasons), key=keys[5])
        self.design = design

    def __call__(self, windows: Windows) -> tuple[Float[Array, "B F O"], LevelScale]:
        """The head's raw numbers in each window's own units, which come with them."""
        design = self.design
        given = covariate_inputs(self.covariates, windows)
        past, units = self.unexplained(windows, given)
        values = jnp.where(windows.inside, past, 0)[:, -design.length :]
        _, ys = self.stack(self.read(windows, values, given))
        state = jax.vmap(self.hidden)(jnp.concatenate([ys[:, -1], _features(values), given.static], axis=1))
        state = jax.nn.gelu(state)
        shift = jnp.asarray(head_of(design).shift, state.dtype)
        spread = jax.vmap(self.head)(state).reshape(-1, design.horizon, len(shift))
        mixture = jax.nn.softmax(jax.vmap(self.gate)(state))
        location = jnp.einsum("bk,bkf->bf", mixture, bases(past, windows.inside, design.seasons, design.horizon))
        if self.skip is not None:
            location = location + jax.vmap(self.skip)(values)
        regression, more = ahead(self.covariates, given, state)
        return spread + more + (location + regression)[:, :, None] * shift[None, None], units

    @property
    def first_block(self) -> Block:
        """The one that reads the patches."""
        block = self.stack.layers[0]
        assert isinstance(block, Block)
        return block

    def unexplained(self, windows: Windows, given: CovariateInputs) -> tuple[Float[Array, "B R"], LevelScale]:
        """The past in each window's own units, less what future covariates explain of it, and these units."""
        units = window_level_scale(last_steps(windows, self.design.measured), self.design.span, self.design.seasons[0])
        return scale_values(windows.past, units) - given.explained[:, : windows.past.shape[1]], units

    def read(self, windows: Windows, values: Float[Array, "B L"], given: CovariateInputs) -> Float[Array, "B T H"]:
        """What the cell reads of windows whose last L values are these."""
        length = self.design.length
        return self.embedded(values, windows.past_observed[:, -length:], given.past[:, -length:])

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


def head_of(design: Design) -> Head:
    """What the raw numbers of a network of this design mean."""
    return head_type(design.head)()


def _stack(design: Design, *, key: Key) -> Stack:
    """Recurrent blocks of the design's cell, a feed-forward layer behind each."""
    layers: list[Block | FeedForward] = []
    for block in jax.random.split(key, design.blocks):
        key_cell, key_forward = jax.random.split(block)
        layers.append(Block(cell_type(design.cell)(design.hidden, design.hidden, key=key_cell)))
        layers.append(FeedForward(design.hidden, key=key_forward))
    return Stack(layers)
