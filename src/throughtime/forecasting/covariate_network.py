"""What covariates add to a forecast network: channels of its past, and what the future says of each step ahead."""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp

from throughtime._types import Array, Float, Key
from throughtime.data import CovariateSizes, CovariateTable, TableSizes, Windows
from throughtime.layers import per_step


def silent(linear: eqx.nn.Linear) -> eqx.nn.Linear:
    """The layer with weights and biases of zero."""
    return jax.tree.map(jnp.zeros_like, linear)


MOST_FACTORS = 8  # numbers that stand for a category


class TableReader(eqx.Module):
    """A table's numbers, and for each of its categories a vector: learned, of zeros for one that was never seen."""

    vectors: tuple[Float[Array, "K E"], ...]
    width: int = eqx.field(static=True)

    def __init__(self, sizes: TableSizes, *, key: Key):
        """Random vectors of unit variance; the first, of what is missing or unseen, is zeros."""
        keys = jax.random.split(key, len(sizes.vocabularies))
        widths = [min(MOST_FACTORS, 1 + size // 2) for size in sizes.vocabularies]
        self.vectors = tuple(
            jax.random.normal(one, (size + 1, width)).at[0].set(0.0)
            for one, size, width in zip(keys, sizes.vocabularies, widths, strict=True)
        )
        self.width = 2 * sizes.numbers + sum(widths)

    def __call__(self, table: CovariateTable) -> Float[Array, "*S X"]:
        """Each row as one vector."""
        categories = [vectors[table.codes[..., k]] for k, vectors in enumerate(self.vectors)]
        return jnp.concatenate([table.numbers, *categories], axis=-1)


class CovariateInputs(NamedTuple):
    """The covariates of B windows as a network takes them in; widths are 0 without any.

    Attributes:
        past: what is known of each step of the past, (B, R, E).
        static: what is known of the series, (B, S).
        future: what is known of each step of the past and the horizon, and of the series, (B, R + F, X).
        explained: what these make of the values by themselves, in the window's units, (B, R + F).
    """

    past: Float[Array, "B R E"]
    static: Float[Array, "B S"]
    future: Float[Array, "B RF X"]
    explained: Float[Array, "B RF"]


class CovariateNetwork(eqx.Module):
    """A regression whose errors the recurrent network forecasts, and what the two have to say together.

    ``explained = g(future covariates of the step, static ones)`` is taken off the past and added to the forecast: the
    dynamic regression of Hyndman & Athanasopoulos 2021, chapter 10, with a hidden layer for g and a recurrent network
    for the errors. So what a promotion did a season ago does not come back through the seasonal naive base. What the
    state of the network makes of a step's covariates, another hidden layer adds to each of the head's numbers. Both
    start at zero.
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
        """For a network of ``hidden`` units whose head takes O numbers for each step."""
        keys = jax.random.split(key, 7)
        self.static = TableReader(sizes.static, key=keys[0])
        self.past = TableReader(sizes.past, key=keys[1])
        self.future = TableReader(sizes.future, key=keys[2])
        width = self.future.width + self.static.width
        self.regression = eqx.nn.Linear(width, hidden, key=keys[3])
        self.sum = silent(eqx.nn.Linear(hidden, 1, key=keys[3]))
        self.step = eqx.nn.Linear(width, hidden, key=keys[4])
        self.context = eqx.nn.Linear(hidden, hidden, use_bias=False, key=keys[5])
        self.head = silent(eqx.nn.Linear(hidden, outputs, key=keys[6]))

    def __call__(self, windows: Windows) -> CovariateInputs:
        """What the covariates of windows say before the network has seen the values."""
        assert windows.covariates is not None
        reach = windows.past.shape[1]
        static = self.static(windows.covariates.static)
        future = self.future(windows.covariates.future)
        past = jnp.concatenate([self.past(windows.covariates.past), future[:, :reach]], axis=-1)
        everywhere = jnp.broadcast_to(static[:, None], (*future.shape[:2], static.shape[-1]))
        future = jnp.concatenate([future, everywhere], axis=-1)
        explained = per_step(self.sum, jax.nn.gelu(per_step(self.regression, future)))[..., 0]
        before = jnp.where(windows.inside, explained[:, :reach], 0)  # there are no values before a series begins
        past = jnp.where(windows.inside[..., None], past, 0)
        return CovariateInputs(past, static, future, jnp.concatenate([before, explained[:, reach:]], axis=1))

    def ahead(self, future: Float[Array, "B F X"], state: Float[Array, "B H"]) -> Float[Array, "B F O"]:
        """What the state makes of each step's covariates."""
        steps = per_step(self.step, future) + jax.vmap(self.context)(state)[:, None]
        return per_step(self.head, jax.nn.gelu(steps))


def covariate_network(sizes: CovariateSizes | None, hidden: int, outputs: int, *, key: Key) -> CovariateNetwork | None:
    """The network for covariates of these sizes; None without any."""
    return None if sizes is None else CovariateNetwork(sizes, hidden, outputs, key=key)


def extra_widths(network: CovariateNetwork | None) -> tuple[int, int]:
    """How many channels covariates add to each step of the past, and how many features to the window."""
    return (0, 0) if network is None else (network.past.width + network.future.width, network.static.width)


def covariate_inputs(network: CovariateNetwork | None, windows: Windows) -> CovariateInputs:
    """The covariates of windows; nothing, which explains nothing, without any."""
    if network is not None:
        return network(windows)
    batch, reach = windows.past.shape
    steps = reach + windows.future.shape[1]
    nothing = jnp.zeros((batch, steps, 0))
    return CovariateInputs(nothing[:, :reach], nothing[:, 0], nothing, jnp.zeros((batch, steps)))


def ahead(
    network: CovariateNetwork | None, inputs: CovariateInputs, state: Float[Array, "B H"]
) -> tuple[Float[Array, "B F"], Array]:
    """What covariates add to the forecast's location, and to each of the head's numbers (B, F, O), or 0 without any."""
    reach = inputs.past.shape[1]
    more = jnp.zeros(()) if network is None else network.ahead(inputs.future[:, reach:], state)
    return inputs.explained[:, reach:], more
