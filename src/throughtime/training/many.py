"""Many networks side by side: each in its thread, all with one compiled program."""

from collections.abc import Sequence
from typing import Any

import jax
import optax

from throughtime._errors import InputError
from throughtime._keys import random_key
from throughtime._types import KeyLike, Whole
from throughtime.training.diagnosis import DivergedError
from throughtime.training.fit import ModelLoss, train
from throughtime.training.history import History
from throughtime.training.loop import Callback
from throughtime.training.parallel import TrainingRun, run_in_parallel
from throughtime.training.progress_bar import ProgressBar
from throughtime.training.resume import Checkpoints
from throughtime.training.session import AnyCallback, require_list


def fit_many(
    models: Sequence[Any],
    loss: ModelLoss,
    batches: Any,
    *,
    optimizer: optax.GradientTransformation | list[optax.GradientTransformation],
    steps: Whole,
    key: KeyLike,
    callbacks: Sequence[AnyCallback] = (),
) -> list[History]:
    """Train many networks on all cores, and return a history for each: ensembles, seeds, settings, series.

    Network n gets the numbers, to the last bit, of ``train(models[n], ..., key=jax.random.fold_in(key, n))``. Networks
    of the same shapes share one compiled program. Optimizers with other numbers, such as learning rates, share it too
    if the numbers are in the state: ``optax.inject_hyperparams(optax.adam)(learning_rate=rate)``.

    A network that diverges does not end the others: its history has ``ended`` "diverged" and its last good model.

    Args:
        models: N models.
        loss: as for :func:`throughtime.train`.
        batches: likewise, for all networks; or a list with those of each. Iterators are for one network only.
        optimizer: for all networks, or a list with one for each.
        steps: the number of steps of each.
        key: makes everything that is random: a key, or its seed.
        callbacks: as for :func:`throughtime.train`, for each network. Functions are called in threads. Checkpoints of
            network n are in the folder ``n`` inside of theirs. A progress bar is for one run.

    Raises:
        InputError: for lists that are not as long as ``models``, for a model or a callback that is in no list, and for
            a progress bar.
    """
    require_list("models", models)
    require_list("callbacks", callbacks)
    if any(isinstance(callback, ProgressBar) for callback in callbacks):
        raise InputError("fit_many got a ProgressBar: expected it in train, it is for one run", code="many-bars")
    key = random_key(key)
    own_batches, own_optimizers = _each("batches", batches, len(models)), _each("optimizer", optimizer, len(models))

    def run(place: int) -> TrainingRun[History]:
        def learn(stop: Callback) -> History:
            try:
                return train(
                    models[place],
                    loss,
                    own_batches[place],
                    optimizer=own_optimizers[place],
                    steps=steps,
                    key=jax.random.fold_in(key, place),
                    callbacks=[*(_of_network(callback, place) for callback in callbacks), stop],
                )
            except DivergedError as error:
                if error.history is None:
                    raise
                return error.history

        return learn

    return run_in_parallel([run(place) for place in range(len(models))], [_go_on] * len(models)) if models else []


def _each(name: str, value: Any, count: int) -> list[Any]:
    """Return a list as it is, and anything else once for each network.

    Raises:
        InputError: if a list has another length.
    """
    if not isinstance(value, list):
        return [value] * count
    if len(value) != count:
        raise InputError(
            f"{name} is a list of {len(value)}: expected one for each of {count} models; a batch is a tuple or a dict",
            code="wrong-number",
            found=len(value),
            expected=count,
        )
    return value


def _of_network(callback: AnyCallback, place: int) -> AnyCallback:
    """Return a callback of one of the networks."""
    if isinstance(callback, Checkpoints):
        return Checkpoints(callback.folder / str(place), callback.seconds)
    return callback


def _go_on(progress: Any) -> None:
    """Let a run go on."""
