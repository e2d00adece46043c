"""Held-out runs: networks learn from what precedes the held-out windows, and are judged by their forecasts of these."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from throughtime.forecasting.dataset import Prepared
from throughtime.forecasting.fitted import Networks
from throughtime.forecasting.held_out import HeldOut, held_out_loss
from throughtime.forecasting.infer import network_quantiles, original_quantiles
from throughtime.forecasting.network import ForecastNetwork
from throughtime.forecasting.plan import Plan
from throughtime.forecasting.stages import FIRST_LAP, HELD_OUT, LEFT, StageCallback
from throughtime.forecasting.train import averaged_network, blocks_of, first_state, recipe, train_network
from throughtime.training import Callback, Progress, TrainingRun, TrainState, first_devices, run_in_parallel

WORSE = 1.25  # times the least loss of a run so far: from there on none has come back
PATIENCE = 0.5  # of a run without a new least loss


class Moment(NamedTuple):
    """A moment of a run: the held-out loss, the steps that were done, and the quantiles that were forecast then."""

    loss: float
    steps: int
    quantiles: np.ndarray


class Trial(NamedTuple):
    """A run that trains a variant of the plan.

    Attributes:
        plan: the variant.
        moment: the best one so far.
        state: from which the run can go on; None if it is over.
    """

    plan: Plan
    moment: Moment
    state: TrainState | None = None


def race(
    held: HeldOut, prepared: Mapping[bool, Prepared], variants: Sequence[Plan], *, callback: StageCallback, seed: int
) -> Trial:
    """Return the best moment of all variants: after a quarter of the steps the best two go on to the end.

    This is successive halving with one round (Jamieson & Talwalkar 2016, "Non-stochastic best arm identification and
    hyperparameter optimization").

    Args:
        held: the windows.
        prepared: the panel before them, by the variant's ``log``.
        variants: plans of one number of steps.
        callback: hears of "held out 1/4" and so on; by returning True it ends that run.
        seed: makes the weights and the windows that are drawn.
    """
    callbacks = [partial(callback, f"{HELD_OUT} {number + 1}/{len(variants)}") for number in range(len(variants))]
    devices = variants[0].devices
    lap = round(FIRST_LAP * variants[0].steps)
    runs = [trial(held, prepared[plan.log], plan, seed, until=max(lap, 1)) for plan in variants]
    trials = run_in_parallel(runs, callbacks, devices)
    ahead = sorted(range(len(trials)), key=lambda number: trials[number].moment.loss)[:LEFT]
    going_on = [number for number in ahead if trials[number].state is not None]
    rest = [go_on(held, prepared[variants[number].log], trials[number]) for number in going_on]
    ended = run_in_parallel(rest, [callbacks[number] for number in going_on], devices) if rest else []
    return min([*trials, *ended], key=lambda trial: trial.moment.loss)


def trial(
    held: HeldOut,
    prepared: Prepared,
    plan: Plan,
    seed: int,
    start: ForecastNetwork | None = None,
    *,
    until: int | None = None,
) -> TrainingRun[Trial]:
    """Return a training run of a variant that judges it by its forecasts of the held-out windows, and ends early.

    Args:
        held: the windows.
        prepared: the panel before them.
        plan: the variant.
        seed: makes the weights and the windows that are drawn.
        start: goes on from the weights of this network, which is judged itself too; new ones if None.
        until: the step after which it pauses; None if it does not.
    """
    how = recipe(plan)
    best = None if start is None else _moment(start, 0, held, prepared, plan)
    return _run(held, prepared, plan, lambda: first_state(plan, how, seed, start), best=best, until=until)


def go_on(held: HeldOut, prepared: Prepared, paused: Trial) -> TrainingRun[Trial]:
    """Return the rest of a run that has paused, as if it had not."""
    plan, best, state = paused
    assert state is not None
    return _run(held, prepared, plan, lambda: state, best=best, until=None)


def _run(
    held: HeldOut,
    prepared: Prepared,
    plan: Plan,
    begin: Callable[[], TrainState],
    *,
    best: Moment | None,
    until: int | None,
) -> TrainingRun[Trial]:
    how, steps = recipe(plan), plan.steps if until is None else min(until, plan.steps)
    devices = first_devices(plan.devices)

    def run(callback: Callback) -> Trial:
        least, over = best, False

        def judge(progress: Progress) -> bool:
            nonlocal least, over
            now = _moment(averaged_network(progress.state), progress.step, held, prepared, plan)
            if least is None or now.loss < least.loss:
                least = now
            over = devices.agreed(bool(callback(progress)) or is_over(now, least, plan.steps))  # by all processes
            return over

        state, _ = train_network(blocks_of(prepared, plan), plan, how, begin(), steps=steps, callback=judge)
        assert least is not None
        return Trial(plan, least, None if over or steps == plan.steps else state)

    return run


def _moment(network: ForecastNetwork, steps: int, held: HeldOut, prepared: Prepared, plan: Plan) -> Moment:
    quantiles = held_out_quantiles((network,), held, prepared, plan)
    return Moment(held_out_loss(quantiles, held, plan), steps, quantiles)


def is_over(now: Moment, best: Moment, steps: int) -> bool:
    """Return True if a run of this many steps will hardly become better than its best moment so far.

    The loss is far above the least one (Prechelt 1998, "Early stopping -- but when?", the class GL), or the least one
    is long ago.
    """
    return now.loss > WORSE * best.loss or now.steps - best.steps > PATIENCE * steps


def held_out_quantiles(networks: Networks, held: HeldOut, prepared: Prepared, plan: Plan) -> np.ndarray:
    """Return the quantiles (K * R, F, Q) of all held-out windows, in the data's own units."""
    rows, cutoffs = held.judged
    return original_quantiles(network_quantiles(networks, prepared, rows, cutoffs), prepared, rows)
