"""The part of a forecast network that reads covariates: channels of the past, and terms for each step ahead."""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp

from throughtime._types import Array, Float, Key
from throughtime.data import CovariateSizes, CovariateTable, TableSizes, Windows
from throughtime.layers import per_step

MOST_FACTORS = 8  # numbers that represent a category


def zero_initialized(linear: eqx.nn.Linear) -> eqx.nn.Linear:
    """Return the layer with weights and biases of zero: training starts as if it were not there."""
    return jax.tree.map(jnp.zeros_like, linear)


class TableReader(eqx.Module):
    """A table's numbers beside a learned vector for each category; the vector of an unseen category starts at zero."""

    vectors: tuple[Float[Array, "K E"], ...]
    width: int = eqx.field(static=True)

    def __init__(self, sizes: TableSizes, *, key: Key):
        """Draw vectors of unit variance; the first, of missing and unseen categories, is zero."""
        keys = jax.random.split(key, len(sizes.vocabularies))
        widths = [min(MOST_FACTORS, 1 + size // 2) for size in sizes.vocabularies]
        self.vectors = tuple(
            jax.random.normal(key_column, (size + 1, width)).at[0].set(0.0)
            for key_column, size, width in zip(keys, sizes.vocabularies, widths, strict=True)
        )
        self.width = 2 * sizes.numbers + sum(widths)

    def __call__(self, table: CovariateTable) -> Float[Array, "*S X"]:
        """Return each row as one vector of X numbers."""
        categories = [vectors[table.codes[..., k]] for k, vectors in enumerate(self.vectors)]
        return jnp.concatenate([table.numbers, *categories], axis=-1)


class CovariateInputs(NamedTuple):
    """The covariates of B windows as a network reads them; E, S and X are 0 without covariates.

    Attributes:
        past: (B, R, E) the covariates of each step of the past.
        static: (B, S) the covariates of the series.
        future: (B, R + F, X) the future covariates of each step of past and horizon, and the static ones.
        explained: (B, R + F) the part of the values that these explain by themselves, in the window's units.
    """

    past: Float[Array, "B R E"]
    static: Float[Array, "B S"]
    future: Float[Array, "B RF X"]
    explained: Float[Array, "B RF"]


class CovariateNetwork(eqx.Module):
    """A regression on the covariates, whose errors the recurrent network forecasts, and terms of both together.

    ``explained = g(future covariates of the step, static ones)`` is subtracted from the past and added to the forecast:
    the dynamic regression of Hyndman & Athanasopoulos 2021, chapter 10, with a hidden layer for g and a recurrent
    network for the errors. So the seasonal naive base does not repeat the promotion of a season ago. A second hidden
    layer makes a term for each of the head's numbers of the recurrent network's state and the covariates of the step.
    Both start at zero.
    """

    static: TableReader
    past: TableReader
    future: TableReader
    regression: eqx.nn.Linear
    sum: eqx.nn.Linear
    step: eqx.nn.Linear
    context: eqx.nn.Linear
    head: eqx.nn.Linear

    def __init__(self, sizes: CovariateSizes, hidden: int, outputs: int, *, key: Key):
        """Draw the weights for a network of ``hidden`` units whose head takes O numbers for each step."""
        keys = jax.random.split(key, 7)
        self.static = TableReader(sizes.static, key=keys[0])
        self.past = TableReader(sizes.past, key=keys[1])
        self.future = TableReader(sizes.future, key=keys[2])
        width = self.future.width + self.static.width
        self.regression = eqx.nn.Linear(width, hidden, key=keys[3])
        self.sum = zero_initialized(eqx.nn.Linear(hidden, 1, key=keys[3]))
        self.step = eqx.nn.Linear(width, hidden, key=keys[4])
        self.context = eqx.nn.Linear(hidden, hidden, use_bias=False, key=keys[5])
        self.head = zero_initialized(eqx.nn.Linear(hidden, outputs, key=keys[6]))

    @property
    def channels(self) -> int:
        """E, the numbers that covariates add to each step of the past."""
        return self.past.width + self.future.width

    @property
    def features(self) -> int:
        """S, the numbers that covariates add to each window."""
        return self.static.width

    def __call__(self, windows: Windows) -> CovariateInputs:
        """Read the covariates of windows, and explain the values by them."""
        assert windows.covariates is not None
        reach = windows.past.shape[1]
        static = self.static(windows.covariates.static)
        future = self.future(windows.covariates.future)
        past = jnp.concatenate([self.past(windows.covariates.past), future[:, :reach]], axis=-1)
        static_everywhere = jnp.broadcast_to(static[:, None], (*future.shape[:2], static.shape[-1]))
        future = jnp.concatenate([future, static_everywhere], axis=-1)
        explained = per_step(self.sum, jax.nn.gelu(per_step(self.regression, future)))[..., 0]
        before = jnp.where(windows.inside, explained[:, :reach], 0)  # there are no values before a series begins
        past = jnp.where(windows.inside[..., None], past, 0)
        return CovariateInputs(past, static, future, jnp.concatenate([before, explained[:, reach:]], axis=1))

    def ahead(self, future: Float[Array, "B F X"], state: Float[Array, "B H"]) -> Float[Array, "B F O"]:
        """Return the terms for the head's numbers of each step ahead, from its covariates and the network's state."""
        steps = per_step(self.step, future) + jax.vmap(self.context)(state)[:, None]
        return per_step(self.head, jax.nn.gelu(steps))


class NoCovariates(eqx.Module):
    """The covariate network of a panel without covariates: it has no weights, reads nothing and adds nothing."""

    channels: int = eqx.field(default=0, static=True)
    features: int = eqx.field(default=0, static=True)

    def __call__(self, windows: Windows) -> CovariateInputs:
        """Return inputs of width 0, which explain nothing of the values."""
        batch, reach = windows.past.shape
        steps = reach + windows.future.shape[1]
        empty = jnp.zeros((batch, steps, 0))
        return CovariateInputs(empty[:, :reach], empty[:, 0], empty, jnp.zeros((batch, steps)))

    def ahead(self, future: Float[Array, "B F X"], state: Float[Array, "B H"]) -> Float[Array, ""]:
        """Return 0 for the terms of all steps."""
        return jnp.zeros(())


def covariate_network(
    sizes: CovariateSizes | None, hidden: int, outputs: int, *, key: Key
) -> CovariateNetwork | NoCovariates:
    """Return the network for covariates of these sizes, or the one for none."""
    return NoCovariates() if sizes is None else CovariateNetwork(sizes, hidden, outputs, key=key)
