"""Training of a model on batches: at once, or step by step in a loop of the user's."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from typing import Any

import jax
import optax
from typing_extensions import TypeAliasType

from throughtime._arguments import whole_number
from throughtime._errors import InputError
from throughtime._types import KeyLike, Scalar, Whole
from throughtime.training.batch_loss import BatchLoss, takes_key
from throughtime.training.batches import source_of
from throughtime.training.callbacks import Run
from throughtime.training.chunks import CarryingLoss, Chunks
from throughtime.training.devices import Devices, first_devices
from throughtime.training.history import History
from throughtime.training.loop import Pace, Progress, calls, merged, require_interval, start
from throughtime.training.session import AnyCallback, Session
from throughtime.training.source import Source, on_device
from throughtime.training.step import TrainState

MOST = 1000  # steps of one compiled call
SECONDS = 0.25  # of one compiled call: interrupts and displays wait no longer
ModelLoss = TypeAliasType("ModelLoss", Callable[..., Scalar])
"""``loss(model, batch)`` or ``loss(model, batch, key)``; ``loss(model, batch, state)`` for chunks, likewise."""


def train(
    model: Any,
    loss: ModelLoss,
    batches: Any,
    *,
    optimizer: optax.GradientTransformation,
    steps: Whole,
    key: KeyLike,
    callbacks: Sequence[AnyCallback] = (),
    devices: Whole = 1,
) -> History:
    """Train a model, and return it with the history of its losses.

    The steps run in a compiled loop; nothing returns to Python between them but for callbacks.

    Args:
        model: anything that Equinox allows. Arrays of floats are trained; all else, such as functions, numbers of
            Python and arrays of whole numbers, stays as it is.
        loss: ``loss(model, batch)`` returns one number, such as a mean. A loss with an argument ``key``, or with a
            third one whose name tells that it is a key, gets a random key for each step, for dropout and noise; None in
            :class:`throughtime.EarlyStopping`, which wants none. The loss is compiled: what it reads from outside is a
            constant of the program. If a value is assigned anew, or the function is defined again, the next call
            compiles it again. Elements that change inside of an array or a list are not seen: pass them in ``batches``.
        batches: one of

            - arrays, in any tree (a tuple, a dict): all of it is the batch of each step;
            - :class:`throughtime.Minibatches`: examples in shuffled epochs;
            - :class:`throughtime.Chunks`: long sequences, cut through time; the loss takes and returns their state;
            - a function ``draw(key)`` that makes a batch on the device, inside of the compiled loop;
            - an iterator or another iterable (a generator, a data loader of PyTorch) of trees of arrays. A thread
              gathers them ahead of their use. An exhausted iterator ends the run; an iterable that can be iterated
              again starts again. Each shape of batches is compiled.

        optimizer: any of Optax. Those that use the loss, such as ``optax.lbfgs``, get it.
        steps: the number of steps.
        key: makes everything that is random in the run: a key, or its seed.
        callbacks: functions of :class:`throughtime.training.Progress`, called every 100 steps and after the last, which
            may return True to end the run; and :class:`throughtime.EarlyStopping`, :class:`throughtime.Checkpoints`,
            :class:`throughtime.Watch`, :class:`throughtime.ProgressBar`.
        devices: the number of devices that split each batch along its first axis: the first of
            ``jax.local_devices()``, or with ``jax.device_count()`` those of all processes, which then all make the same
            call. The numbers are those of one device, up to rounding. An iterable yields the process's own rows of each
            batch; all else is the same in all processes.

    Raises:
        DivergedError: if a loss or a weight is not finite; names the step, the array and the likely cause. Its
            ``history`` has what was good.
        InputError: for a loss or batches that cannot be used, for more devices than there are, and for a batch that
            they cannot split evenly.
        ConnectionError: if another process of the training has ended.
    """
    own = first_devices(devices)
    source, batch_loss, first = _parts(model, loss, batches, optimizer, key, own)
    run = Run(first, batch_loss, optimizer, whole_number("steps", steps, least=0), source.arrays, own)
    with Session(run, callbacks) as session:
        first, pace = session.state, Pace(run.steps, session.intervals, MOST, own.patience(SECONDS), devices=own)
        if not session.is_over:
            with closing(source.blocks(first.key, int(first.step), MOST)) as blocks:
                session.follow(calls(first, batch_loss, optimizer, blocks, pace, session.watch))
    return session.history()


def steps(
    model: Any,
    loss: ModelLoss,
    batches: Any,
    *,
    optimizer: optax.GradientTransformation,
    steps: Whole,
    key: KeyLike,
    every: Whole = 100,
    devices: Whole = 1,
) -> Iterator[Progress]:
    """Train a model, and yield the progress after every ``every`` steps: :func:`throughtime.train` as a loop.

    Leave it with ``break``; ``progress.model`` is the model after ``progress.step`` steps. The numbers depend neither
    on ``every`` nor on where the loop is left. The loop ends early if an iterator of batches is exhausted.

    Args:
        model: as for :func:`throughtime.train`.
        loss: likewise.
        batches: likewise.
        optimizer: likewise.
        steps: the number of steps.
        key: a key, or its seed.
        every: the number of steps from progress to progress.
        devices: the number of devices that split each batch, likewise.

    Raises:
        DivergedError: if a loss or a weight is not finite.
        InputError: for a loss or batches that cannot be used, and for devices likewise.
        ConnectionError: if another process of the training has ended.
    """
    require_interval(every := whole_number("every", every, least=None))
    own = first_devices(devices)
    source, batch_loss, first = _parts(model, loss, batches, optimizer, key, own)
    most = min(every, MOST)
    pace = Pace(whole_number("steps", steps, least=0), (every,), most, own.patience(SECONDS), devices=own)
    parts: list[Progress] = []
    with closing(source.blocks(first.key, 0, most)) as blocks:
        for part in calls(first, batch_loss, optimizer, blocks, pace, None):
            parts.append(part)
            if part.step % every == 0 or part.is_last:
                yield merged(parts)
                parts = []
    if parts:
        yield merged(parts)


def _parts(
    model: Any, loss: ModelLoss, batches: Any, optimizer: optax.GradientTransformation, key: KeyLike, devices: Devices
) -> tuple[Source, BatchLoss, TrainState]:
    """Return the source of the batches, the loss of the loop, and the state before the first step."""
    _require_trainable(model, optimizer)
    source, first = source_of(batches, devices), start(model, optimizer, key)
    if not isinstance(batches, Chunks):
        return source, BatchLoss(loss, takes_key(loss), source.pick), first
    carrying = CarryingLoss(loss, takes_key(loss, ("model", "batch", "state")), source.pick)
    carried = carrying.first_state(model, on_device(batches.first()), first.key)
    return source, carrying, first._replace(carried=carried)


def _require_trainable(model: Any, optimizer: Any) -> None:
    """Refuse what is no optimizer, and a call inside of a transformation of JAX."""
    if not isinstance(optimizer, optax.GradientTransformation):
        raise InputError(
            f"optimizer is {optimizer!r}: expected one of Optax, such as optax.adam(0.001)",
            code="not-an-optimizer",
            found=repr(optimizer),
            expected="optax.GradientTransformation",
        )
    if any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves(model)):
        raise InputError(
            "the model holds tracers: expected arrays; a training compiles its own loop and cannot be inside of jit, "
            "grad or vmap; throughtime.fit_many trains many networks",
            code="inside-transformation",
            expected="arrays",
        )
