"""Fine-tuning: the pretrained network goes on training on the windows of a panel."""

from functools import lru_cache
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax

from throughtime._compiler import OFTEN
from throughtime._types import Array, Bool, Float, Key, Scalar
from throughtime.data import Panel
from throughtime.forecasting.observations import LEAST_OBSERVED
from throughtime.forecasting.plan import Plan
from throughtime.forecasting.zero_shot import ZeroShot, seasons_of
from throughtime.pretraining import MixtureNetwork, network_with, weights_of
from throughtime.training import Callback, Loss, Pace, calls, endless, masked_mean, pinball, start
from throughtime.zero_shot import LEVELS, Inputs, Weights, inputs_of_histories, shape_names

POOL = 768  # windows; their inputs are made once, which takes seconds
BATCH = 32  # windows in each step
REPORTS = 20  # calls of the callback
PEAK = 3e-4  # of the learning rate: 1e-3 gains more on long panels, and loses on short ones
DECAY_OF_SQUARES, WEIGHT_DECAY, CLIP_NORM = 0.99, 1e-2, 1.0
FARTHEST = 100.0  # units of the window: values beyond are cut
LARGEST_LOSS = 20.0  # of a step, in units of the window: what cannot be learned moves no weight
LEAST_HISTORY, LONGEST_HISTORY = 8, 1024  # steps of a window
SEASONS_BEFORE = 3  # or half of the series before a window's end, whatever is less


class Windows(NamedTuple):
    """The M windows of a pool.

    Attributes:
        inputs: of the network.
        future: (M, F) what came after them, in units of the window; 0 where it was not observed.
        known: (M, F) if it was observed.
    """

    inputs: Inputs
    future: Float[Array | np.ndarray, "M F"]
    known: Bool[Array | np.ndarray, "M F"]


class Recipe(NamedTuple):
    """The loss of a network on :class:`Windows`, and the optimizer."""

    loss: Loss
    optimizer: optax.GradientTransformation


def tuned(
    panel: Panel, cutoffs: np.ndarray, zero_shot: ZeroShot, plan: Plan, *, callback: Callback, seed: int
) -> ZeroShot:
    """Return the pretrained network after ``plan.tuning`` steps on windows of a panel.

    The shape of the windows is that of the median series; the layers of other shapes stay as they are.

    Args:
        panel: N series.
        cutoffs: (N,) the steps of each series that may be seen.
        zero_shot: the pretrained network.
        plan: the horizon, at most that of the longest shape, the season, and the number of steps.
        callback: ends the training by returning True.
        seed: makes the windows that are drawn.

    Returns:
        The network with other weights, as files have them, and a card that says so; the same network if no series has
        room for a window.
    """
    name = str(shape_names(np.median(cutoffs, keepdims=True), plan.design.horizon)[0])
    windows = _draw(panel, cutoffs, plan, name, np.random.default_rng(seed))
    if windows is None:
        return zero_shot
    how, state = _recipe(name, plan.design.horizon, plan.tuning), None
    first = start(_with_ports(network_with(zero_shot.weights), name), how.optimizer, seed)
    every = max(plan.tuning // REPORTS, 1)
    pace = Pace(plan.tuning, (every,), every, compiler=OFTEN)
    for progress in calls(first, how.loss, how.optimizer, endless(jax.tree.map(jnp.asarray, windows)), pace, None):
        state = progress.state
        if callback(progress):
            break
    assert state is not None
    done = {"tuning_steps": int(state.step), "tuning_seed": seed}
    return ZeroShot({**zero_shot.weights, **_weights(state.model)}, {**zero_shot.card, **done})


def _with_ports(network: MixtureNetwork, name: str) -> MixtureNetwork:
    """Return a network for one shape of windows alone."""
    return eqx.tree_at(lambda network: network.ports, network, {name: network.ports[name]})


def _weights(network: MixtureNetwork) -> Weights:
    """Return the weights with the digits that files have."""
    return {name: leaf.astype(np.float16).astype(np.float32) for name, leaf in weights_of(network).items()}


@lru_cache(maxsize=4)
def _recipe(name: str, horizon: int, steps: int) -> Recipe:
    """Return the parts of a training run: the same objects for the same numbers, so that runs share a program."""
    rate = optax.cosine_decay_schedule(PEAK, steps)

    def loss(network: MixtureNetwork, pool: Windows, key: Key) -> Scalar:
        places = jax.random.randint(key, (BATCH,), 0, POOL)
        inputs, future, known = jax.tree.map(lambda array: array[places], pool)
        quantiles = network(name, inputs)[:, :horizon]
        losses = 2 * pinball(quantiles, future, jnp.asarray(LEVELS, quantiles.dtype)).mean(axis=-1)
        return masked_mean(jnp.minimum(losses, LARGEST_LOSS), known)

    adamw = optax.adamw(rate, b2=DECAY_OF_SQUARES, weight_decay=WEIGHT_DECAY)
    return Recipe(loss, optax.chain(optax.clip_by_global_norm(CLIP_NORM), adamw))


def _draw(panel: Panel, cutoffs: np.ndarray, plan: Plan, name: str, rng: np.random.Generator) -> Windows | None:
    """Draw a pool of windows, long series more often; None if there is none with known values on both sides."""
    horizon, season = plan.design.horizon, plan.design.seasons[0]
    least = np.maximum(np.minimum(cutoffs // 2, SEASONS_BEFORE * season + horizon), LEAST_HISTORY)
    counts = np.maximum(cutoffs - horizon - least + 1, 0)
    if not counts.any():
        return None
    rows = rng.choice(len(panel), POOL, p=counts / counts.sum())
    ends = least[rows] + rng.integers(counts[rows])
    begins = panel.offsets[rows]
    histories = [panel.values[b + max(e - LONGEST_HISTORY, 0) : b + e] for b, e in zip(begins, ends, strict=True)]
    future = panel.after(rows, ends, horizon)
    seen = np.array([np.isfinite(history).sum() >= LEAST_OBSERVED for history in histories])
    usable = np.flatnonzero(seen & np.isfinite(future).any(axis=1))
    if not len(usable):
        return None
    kept = np.resize(usable, POOL)
    inputs = inputs_of_histories(name, [histories[place] for place in kept], seasons_of(plan))
    with np.errstate(over="ignore"):
        scaled = np.clip((future[kept] - inputs.center) / inputs.scale, -FARTHEST, FARTHEST)
    in_units = inputs._replace(center=np.zeros((POOL, 1), np.float32), scale=np.ones((POOL, 1), np.float32))
    return Windows(in_units, np.nan_to_num(scaled).astype(np.float32), np.isfinite(future[kept]))
