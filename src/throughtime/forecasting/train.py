"""Training of forecast networks on a prepared panel: one network, or an ensemble.

A training run that was done before with the same design, batch and learning rate finds its programs compiled:
:func:`recipe` returns the same objects for the same numbers, and the training loop knows programs by them. All else,
such as the series and the number of steps, are arguments of the programs.
"""

from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any, NamedTuple

import equinox as eqx
import jax
import numpy as np
import optax

from throughtime._compiler import OFTEN, ONCE, for_this_backend
from throughtime._mesh import AXIS, by_rows, device_count, require_even, split_batch
from throughtime._types import Array, Float, Int, Key, Scalar
from throughtime.data import Series, Windows, draw_windows
from throughtime.forecasting.dataset import Prepared
from throughtime.forecasting.design import Design
from throughtime.forecasting.fitted import Networks
from throughtime.forecasting.network import ForecastNetwork, head_of
from throughtime.forecasting.optimizer import going_on, optimizer_of, parted, with_total
from throughtime.forecasting.plan import Plan
from throughtime.forecasting.stages import TRAINING, StageCallback, no_callback
from throughtime.training import (
    AveragedState,
    Blocks,
    Callback,
    Loss,
    Pace,
    TrainingRun,
    TrainState,
    calls,
    endless,
    first_devices,
    masked_mean,
    run_in_parallel,
    start,
)

REPORTS = 20  # calls of the callback in one training run
AVERAGE = 0.99  # decay of the weights' moving average
LEAST_DONE = 0.5  # of the steps of the furthest member: after an early end, members with less would spoil the mean
MEMBERS_APART = 7919  # between the seeds of members: the seeds of two forecasters should share no member


class TrainingData(NamedTuple):
    """The data of a training run.

    Attributes:
        series: the panel.
        skip: 1 if the linear map beside the blocks is learned; 0 if it stays at zero.
    """

    series: Series
    skip: Float[Array | np.ndarray, ""]


class Recipe(NamedTuple):
    """The parts of training runs.

    Attributes:
        loss: of a network on :class:`TrainingData`.
        optimizer: its state includes the number of steps that the learning rate is made for.
        begin: returns the first state for a seed and this number, in one compiled program.
        go_on: returns the first state for a network, a seed and this number: with the weights of the network, on the
            falling part of the learning rate.
    """

    loss: Loss
    optimizer: optax.GradientTransformation
    begin: Callable[[np.ndarray, np.ndarray], TrainState]
    go_on: Callable[[ForecastNetwork, np.ndarray, np.ndarray], TrainState]


def recipe(plan: Plan) -> Recipe:
    """Return the parts of a plan's training runs: the same objects for equal plans.

    Call it before the threads that use it start.
    """
    return _recipe(plan.design, plan.batch, plan.learning_rate)


@lru_cache(maxsize=16)
def _recipe(design: Design, batch: int, learning_rate: float) -> Recipe:
    head, optimizer = head_of(design), optimizer_of(learning_rate, AVERAGE)

    def loss(network: ForecastNetwork, data: TrainingData, key: Key) -> Scalar:
        windows = _windows(key, data.series, design, batch)
        # A map of zeros whose gradient is zero stays at zero: with and without it, the program is the same.
        network = eqx.tree_at(lambda n: n.skip.weight, network, replace_fn=lambda weight: weight * data.skip)
        raw, units = network(windows)
        counted = windows.future_observed if head.counts else windows.future_observed & (units.scale > 0)[:, None]
        return masked_mean(head.loss(raw, windows.future, units), counted)

    def begin(seed: Int[Array | np.ndarray, ""], total: Int[Array | np.ndarray, ""]) -> TrainState:
        key, key_weights = jax.random.split(jax.random.key(seed))
        state = start(ForecastNetwork(design, key=key_weights), optimizer, key)
        return state._replace(optimizer=with_total(state.optimizer, total))

    def go_on(
        network: ForecastNetwork, seed: Int[Array | np.ndarray, ""], total: Int[Array | np.ndarray, ""]
    ) -> TrainState:
        state = start(network, optimizer, jax.random.split(jax.random.key(seed))[0])
        return state._replace(optimizer=going_on(state.optimizer, total, learning_rate))

    compiled: Any = partial(eqx.filter_jit, compiler_options=for_this_backend(ONCE))
    return Recipe(loss, optimizer, compiled(begin), compiled(go_on))


def _windows(key: Key, series: Series, design: Design, batch: int) -> Windows:
    """Draw the windows of a step, split over the devices.

    Args:
        key: makes the windows.
        series: of all devices; or with a first axis of devices, each of which draws its part of the batch from its own.
        design: the sizes of the windows.
        batch: B.
    """
    draw = partial(draw_windows, lookback=design.reach, horizon=design.horizon, min_history=design.seasons[0])
    if series.values.ndim == 1:
        return split_batch(draw(key, series, batch=batch))
    require_even(batch, devices := device_count())

    def own(key: Key, series: Series) -> Windows:
        place = jax.lax.axis_index(AXIS)
        return draw(jax.random.fold_in(key, place), jax.tree.map(lambda leaf: leaf[0], series), batch=batch // devices)

    return by_rows(own, key, series)


def blocks_of(prepared: Prepared, plan: Plan) -> Blocks:
    """Return the data of a training run on one prepared panel, for :func:`train_network`."""
    return endless(training_data(prepared, plan))


def training_data(prepared: Prepared, plan: Plan) -> TrainingData:
    """Return the data of training steps on a prepared panel."""
    return TrainingData(prepared.series, np.asarray(plan.skip, np.float32))


def first_state(plan: Plan, how: Recipe, seed: int, start: ForecastNetwork | None = None) -> TrainState:
    """Return the state before the first step.

    Args:
        plan: the steps that the learning rate is made for.
        how: the plan's :func:`recipe`.
        seed: makes the weights and the windows that are drawn.
        start: the network whose weights training goes on from; new ones if None.
    """
    total = np.asarray(plan.steps, np.int32)
    return how.begin(np.asarray(seed), total) if start is None else how.go_on(start, np.asarray(seed), total)


def train_network(
    blocks: Blocks, plan: Plan, how: Recipe, state: TrainState, *, steps: int, callback: Callback
) -> tuple[TrainState, np.ndarray]:
    """Train one network for all series that are long enough.

    Args:
        blocks: the data of the steps, such as :func:`blocks_of` one panel.
        plan: the design, and the steps that the learning rate is made for.
        how: the plan's :func:`recipe`.
        state: the :func:`first_state`, or a later one that an earlier call returned.
        steps: after which training stops, at most those of the plan; those before the state are counted.
        callback: ends training by returning True.

    Returns:
        The state at the end, see :func:`averaged_network`, and the loss of each step that was done.
    """
    losses = []
    every = max(plan.steps // REPORTS, 1)
    devices = first_devices(plan.devices)
    pace = Pace(steps, (every,), every, compiler=OFTEN, devices=devices)
    for progress in calls(state, how.loss, how.optimizer, blocks, pace, None):
        state = progress.state
        losses.append(progress.losses)
        if devices.agreed(bool(callback(progress))):
            break
    return state, np.concatenate(losses)


def averaged_network(state: TrainState) -> ForecastNetwork:
    """Return the network with the moving average of its weights, from a state of :func:`train_network`."""
    assert isinstance(state.optimizer, AveragedState)
    trained, fixed = eqx.partition(state.model, eqx.is_inexact_array)
    average = {name: np.asarray(vector) for name, vector in state.optimizer.average.items()}
    return eqx.combine(jax.device_put(parted(average, trained)), fixed)


def train_networks(
    data: Callable[[], Blocks],
    plan: Plan,
    *,
    steps: int | None = None,
    callback: StageCallback = no_callback,
    seed: int,
    start: Networks = (),
) -> tuple[Networks, np.ndarray]:
    """Train the plan's members, several at once.

    After an early end, members that did less than half of the steps of the furthest are left out.

    Args:
        data: returns the data of the steps, for each member anew.
        plan: the design, and how many members.
        steps: after which training stops; the plan's if None. After none, the networks are those of the start.
        callback: hears of "training 1/2" and so on; by returning True it ends the training of that member.
        seed: makes the weights and the windows that are drawn.
        start: the networks that the members go on from, in their order; new ones if there are none.

    Returns:
        M networks, and the losses (M, steps) of their steps; NaN for steps that were not done.
    """
    most, how = plan.steps if steps is None else steps, recipe(plan)

    def run(member: int) -> TrainingRun[tuple[ForecastNetwork, np.ndarray]]:
        own, known = seed + MEMBERS_APART * member, start[member] if start else None

        def train(callback: Callback) -> tuple[ForecastNetwork, np.ndarray]:
            first = first_state(plan, how, own, known)
            state, losses = train_network(data(), plan, how, first, steps=most, callback=callback)
            return averaged_network(state), losses

        return train

    if not most:
        return start, np.empty((len(start), 0))
    names = [f"{TRAINING} {member + 1}/{plan.members}" for member in range(plan.members)]
    callbacks = [partial(callback, name) for name in (names if plan.members > 1 else [TRAINING])]
    trained = run_in_parallel([run(member) for member in range(plan.members)], callbacks, plan.devices)
    furthest = max(len(losses) for _, losses in trained)
    kept = [(network, losses) for network, losses in trained if len(losses) >= LEAST_DONE * furthest]
    rows = [np.pad(losses, (0, most - len(losses)), constant_values=np.nan) for _, losses in kept]
    return tuple(network for network, _ in kept), np.stack(rows)
