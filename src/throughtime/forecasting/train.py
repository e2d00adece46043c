"""Training of a forecast network on a prepared panel: one network, or an ensemble."""

from collections.abc import Callable
from functools import lru_cache, partial

import jax
import numpy as np
import optax

from throughtime._types import Key, Scalar
from throughtime.data import Series, draw_windows
from throughtime.forecasting.config import Plan
from throughtime.forecasting.dataset import Prepared
from throughtime.forecasting.network import Design, ForecastNetwork, head_of
from throughtime.training import (
    AveragedState,
    Callback,
    Loss,
    Progress,
    TrainingRun,
    TrainState,
    adamw_cosine,
    averaged,
    masked_mean,
    run_in_parallel,
    start,
    train,
)

Networks = tuple[ForecastNetwork, ...]
"""The members of an ensemble; none where the series are too short."""
TRAINING = "training"  # how the names of its stages begin
REPORTS = 20  # progress reports of one training run
AVERAGE = 0.99  # decay of the weights' moving average
LEAST_DONE = 0.5  # of the steps of the furthest member, that a member must have done where training ended early
MEMBERS_APART = 7919  # from member to member's seed: the seeds of two forecasters should share no member


def train_network(prepared: Prepared, plan: Plan, *, report: Callback, seed: int) -> tuple[ForecastNetwork, np.ndarray]:
    """One network for all series that are long enough, its weights averaged, and the loss of each training step.

    It ends before its last step if ``report`` returns True.
    """
    key, key_weights = jax.random.split(jax.random.key(seed))
    loss, optimizer = _recipe(plan.design, plan.batch, plan.learning_rate, plan.most_steps)
    state = start(ForecastNetwork(plan.design, key=key_weights), optimizer, key)
    losses = []
    every = max(plan.most_steps // REPORTS, 1)
    for progress in train(state, loss, optimizer, prepared.series, steps=plan.steps, every=every):
        state = progress.state
        losses.append(progress.losses)
        if report(progress):
            break
    return averaged_network(state), np.concatenate(losses)


def averaged_network(state: TrainState) -> ForecastNetwork:
    """The moving average of the network's weights, of a run as :func:`train_network` does it."""
    assert isinstance(state.optimizer, AveragedState)
    return state.optimizer.average


def train_networks(
    prepared: Prepared, plan: Plan, *, report: Callable[[str, Progress], bool | None], seed: int
) -> tuple[Networks, np.ndarray]:
    """The plan's members, several at once, and their losses (M, steps); NaN for steps that were not done.

    Where an early end came before some had done half of what the furthest had, these are left out: a member that has
    hardly begun would spoil the mean.
    """

    def run(member: int) -> TrainingRun[tuple[ForecastNetwork, np.ndarray]]:
        return lambda heard: train_network(prepared, plan, report=heard, seed=seed + MEMBERS_APART * member)

    names = [
        f"{TRAINING} {member + 1}/{plan.members}" if plan.members > 1 else TRAINING for member in range(plan.members)
    ]
    _recipe(plan.design, plan.batch, plan.learning_rate, plan.most_steps)  # once for all threads
    trained = run_in_parallel(
        [run(member) for member in range(plan.members)], [partial(report, name) for name in names]
    )
    furthest = max(len(losses) for _, losses in trained)
    networks, losses = zip(*(one for one in trained if len(one[1]) >= LEAST_DONE * furthest), strict=True)
    done = [np.pad(one, (0, plan.steps - len(one)), constant_values=np.nan) for one in losses]
    return networks, np.stack(done)


@lru_cache(maxsize=16)
def _recipe(design: Design, batch: int, learning_rate: float, steps: int) -> tuple[Loss, optax.GradientTransformation]:
    """Loss and optimizer; the same objects for the same arguments, so that their program is compiled once."""
    head = head_of(design)

    def loss(network: ForecastNetwork, series: Series, key: Key) -> Scalar:
        windows = draw_windows(
            key, series, batch=batch, lookback=design.reach, horizon=design.horizon, min_history=design.seasons[0]
        )
        raw, units = network(windows)
        counted = windows.future_observed if head.counts else windows.future_observed & (units.scale > 0)[:, None]
        return masked_mean(head.loss(raw, windows.future, units), counted)

    return loss, averaged(adamw_cosine(learning_rate, steps), AVERAGE)
