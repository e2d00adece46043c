"""The network of a forecaster: patches through a recurrent cell, and the distributions of all steps ahead at once."""

from functools import lru_cache

import equinox as eqx
import jax
import jax.numpy as jnp

from throughtime._types import Array, Bool, Float, Key
from throughtime.cells import cell_type
from throughtime.data import LevelScale, Windows, last_steps, scale_values, window_level_scale
from throughtime.forecasting.basis import base_count, bases
from throughtime.forecasting.covariate_network import (
    CovariateInputs,
    CovariateNetwork,
    NoCovariates,
    covariate_network,
    zero_initialized,
)
from throughtime.forecasting.design import Design
from throughtime.forecasting.head_catalog import head_type
from throughtime.forecasting.heads import Head
from throughtime.layers import Block, FeedForward, Stack

FEATURES = 2  # of a window: see _features


class ForecastNetwork(eqx.Module):
    """The distributions of the next F values from the last L values of a series.

    The window is cut into patches, one for each time step of the cell. Stacked recurrent blocks with residual
    connections read them, each followed by a feed-forward layer. The output of the last time step and features of the
    window give the head's numbers through one hidden layer. To the head's location are added a mixture of the bases,
    whose weights depend on the window, and a linear map from the window to the horizon. Because the head reads the last
    time step, the first step ahead depends on the last value.
    """

    embed: eqx.nn.Linear
    stack: Stack
    hidden: eqx.nn.Linear
    head: eqx.nn.Linear
    skip: eqx.nn.Linear
    gate: eqx.nn.Linear
    covariates: CovariateNetwork | NoCovariates
    design: Design = eqx.field(static=True)

    def __init__(self, design: Design, *, key: Key):
        """Draw the weights, except those of head and skip, which are zero: training starts at the bases."""
        keys = jax.random.split(key, 6)
        width, outputs = design.hidden, head_of(design).outputs
        self.covariates = covariate_network(design.covariates, width, outputs, key=jax.random.fold_in(key, 1))
        self.embed = eqx.nn.Linear((2 + self.covariates.channels) * design.patch, width, key=keys[0])
        self.stack = _stack(design, key=keys[1])
        self.hidden = eqx.nn.Linear(width + FEATURES + self.covariates.features, width, key=keys[2])
        self.head = zero_initialized(eqx.nn.Linear(width, design.horizon * outputs, key=keys[3]))
        self.skip = zero_initialized(eqx.nn.Linear(design.length, design.horizon, use_bias=False, key=keys[4]))
        self.gate = eqx.nn.Linear(width, base_count(design.seasons), key=keys[5])
        self.design = design

    def __call__(self, windows: Windows) -> tuple[Float[Array, "B F O"], LevelScale]:
        """Return the head's raw numbers in each window's own units, and these units."""
        design = self.design
        covariates = self.covariates(windows)
        past, units = self.unexplained(windows, covariates)
        values = jnp.where(windows.inside, past, 0)[:, -design.length :]
        _, ys = self.stack(self.read(windows, values, covariates))
        state = jax.vmap(self.hidden)(jnp.concatenate([ys[:, -1], _features(values), covariates.static], axis=1))
        state = jax.nn.gelu(state)
        shift = jnp.asarray(head_of(design).shift, state.dtype)
        spread = jax.vmap(self.head)(state).reshape(-1, design.horizon, len(shift))
        mixture = jax.nn.softmax(jax.vmap(self.gate)(state))
        location = jnp.einsum("bk,bkf->bf", mixture, bases(past, windows.inside, design.seasons, design.horizon))
        location = location + jax.vmap(self.skip)(values)
        reach = windows.past.shape[1]
        terms = self.covariates.ahead(covariates.future[:, reach:], state)
        location = location + covariates.explained[:, reach:]
        return spread + terms + location[:, :, None] * shift[None, None], units

    @property
    def first_block(self) -> Block:
        """The recurrent block that reads the patches."""
        block = self.stack.layers[0]
        assert isinstance(block, Block)
        return block

    def unexplained(self, windows: Windows, covariates: CovariateInputs) -> tuple[Float[Array, "B R"], LevelScale]:
        """Return the past in each window's own units, less the part that covariates explain, and these units."""
        units = window_level_scale(last_steps(windows, self.design.measured), self.design.span, self.design.seasons[0])
        return scale_values(windows.past, units) - covariates.explained[:, : windows.past.shape[1]], units

    def read(self, windows: Windows, values: Float[Array, "B L"], covariates: CovariateInputs) -> Float[Array, "B T H"]:
        """Return the embedded patches of windows: ``values`` are their last L, in the windows' own units."""
        length = self.design.length
        return self.embedded(values, windows.past_observed[:, -length:], covariates.past[:, -length:])

    def embedded(
        self, values: Float[Array, "B L"], observed: Bool[Array, "B L"], extra: Float[Array, "B L E"] | None = None
    ) -> Float[Array, "B T H"]:
        """Return each patch of values, flags of observed values and extra channels as one time step."""
        patches = jnp.stack([values, observed.astype(values.dtype)], axis=-1)
        patches = patches if extra is None else jnp.concatenate([patches, extra], axis=-1)
        patches = patches.reshape(values.shape[0], -1, patches.shape[-1] * self.design.patch)
        return jax.vmap(jax.vmap(self.embed))(patches)


def _features(values: Float[Array, "B L"]) -> Float[Array, "B 2"]:
    """Return two numbers that scaling hides: the last value, and the mean absolute difference from step to step."""
    rough = jnp.mean(jnp.abs(jnp.diff(values, axis=1)), axis=1) if values.shape[1] > 1 else jnp.zeros(values.shape[0])
    return jnp.stack([values[:, -1], rough], axis=1)


def head_of(design: Design) -> Head:
    """Return the head of a design, which gives the network's raw numbers their meaning."""
    return _made(head_type(design.head))


@lru_cache(8)
def _made(kind: type[Head]) -> Head:
    """Return the one head of a class: heads have no state, and checks of their own."""
    return kind()


def _stack(design: Design, *, key: Key) -> Stack:
    """Return recurrent blocks of the design's cell, each followed by a feed-forward layer."""

    def pair(key: Key) -> tuple[Block, FeedForward]:
        key_cell, key_forward = jax.random.split(key)
        block = Block(cell_type(design.cell)(design.hidden, design.hidden, key=key_cell))
        return block, FeedForward(design.hidden, key=key_forward)

    # Drawn at the same time, because each draw is compiled by itself.
    pairs = eqx.filter_vmap(pair)(jax.random.split(key, design.blocks))
    layers: list[Block | FeedForward] = []
    for number in range(design.blocks):
        layers.extend(jax.tree.map(lambda leaf, k=number: leaf[k] if eqx.is_array(leaf) else leaf, pairs))
    return Stack(layers)
