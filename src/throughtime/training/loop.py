"""The training loop: chunks of compiled steps, with a report after each."""

import time
from bisect import bisect_left
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax

from throughtime._arguments import random_key
from throughtime._errors import InputError
from throughtime._fork import require_threads
from throughtime._types import KeyLike
from throughtime.training.constants import LossOfArrays, join, split
from throughtime.training.diagnosis import diagnose
from throughtime.training.leaves import is_inexact
from throughtime.training.program import Program, program_for
from throughtime.training.step import Loss, TrainState
from throughtime.training.watch import Record, Watch, gradient_norm, observer

LEAST_ROOM = 256  # losses


class Progress(NamedTuple):
    """The progress of a training run since the last report.

    Attributes:
        state: the state after the last step.
        steps: the number of steps that the run will do in all.
        losses: (n,) the loss of each step's batch, before its update.
        seconds: the time the steps took, without compiling and watching.
        compile_seconds: the time that compiling took; 0 after the first report.
        record: the record of the :class:`Watch`; None without one.
    """

    state: TrainState
    steps: int
    losses: np.ndarray
    seconds: float
    compile_seconds: float
    record: Record | None = None


Callback = Callable[[Progress], bool | None]
"""A function that is called with each progress of a training run. If it returns True, the run stops early."""


def start(model: Any, optimizer: optax.GradientTransformation, key: KeyLike) -> TrainState:
    """Return the state at step 0. All batches are drawn with ``key``.

    The model may hold anything that Equinox allows. Arrays of floats are trained, all else stays as it is.
    """
    return TrainState(model, optimizer.init(eqx.filter(model, is_inexact)), jnp.int32(0), random_key(key))


def train(
    state: TrainState,
    loss: Loss,
    optimizer: optax.GradientTransformation,
    data: Any,
    *,
    steps: int,
    every: int = 100,
    watch: Watch | None = None,
) -> Iterator[Progress]:
    """Train until ``steps`` steps are done in all, and yield the progress after every ``every`` steps.

    Leave the loop with ``break`` to stop early: the state that was yielded last is complete. Each step draws its batch
    with the state's key and the number of the step. So the numbers depend neither on ``every`` nor on interruptions.

    The loss is compiled (``jax.jit``): it is traced once, and what it reads from outside is a constant of the program.
    A value that is assigned anew before the next call of ``train`` (a closure, a global variable, an attribute of a
    captured object, an entry of a dict) compiles it again. A change inside of an array or a list is not noticed: pass
    such values in ``data``, which is an argument of the program, or make a new array.

    Args:
        state: the first state, from :func:`start` or an earlier run. Arrays of floats in its model are trained; other
            leaves stay as they are.
        loss: draws a batch and returns its loss.
        optimizer: turns gradients into updates.
        data: the second argument of ``loss``.
        steps: the number of steps in all, including those of ``state``.
        every: the number of steps from report to report.
        watch: the settings of the records; without one, nothing for them is compiled.

    Raises:
        DivergedError: if a loss or a weight is not finite; names the step, the array and the likely cause. All states
            that were yielded before are good.
        InputError: if ``every`` is below 1, or ``watch`` does not fit the model.
    """
    if every < 1:
        raise InputError(
            f"every is {every}: expected at least 1 step", code="every-below-1", found=every, expected="at least 1"
        )
    require_threads()
    began = time.perf_counter()
    arrays, constants = split(state.model)
    state = first = state._replace(model=arrays)
    loss = loss if constants is None else LossOfArrays(loss, constants)
    program = program_for(loss, optimizer, _room(every), gradient_norm(watch))
    observe = None if watch is None else observer(loss, optimizer, watch, state, data)
    jax.block_until_ready(program(state, data, jnp.int32(0)))  # no steps: this compiles
    compile_seconds = time.perf_counter() - began
    while (done := int(state.step)) < steps:
        count = min(every - done % every, steps - done)
        began = time.perf_counter()
        chunk = jax.block_until_ready(program(state, data, jnp.int32(count)))
        seconds = time.perf_counter() - began
        if not chunk.is_good():
            raise diagnose(first, _last_good(program, state, data, count), loss, optimizer, data)
        state, losses = chunk.state, np.asarray(chunk.losses)[:count]
        record = None if observe is None else observe(state, data, losses, chunk.norms)
        whole = state._replace(model=join(state.model, constants))
        yield Progress(whole, steps, losses, seconds, compile_seconds, record)
        compile_seconds = 0.0


def _room(every: int) -> int:
    """Return a power of two as the room for the losses of a call: runs with other reports share a program."""
    return max(LEAST_ROOM, 1 << (every - 1).bit_length())


def _last_good(program: Program, state: TrainState, data: Any, count: int) -> TrainState | None:
    """Return the state before the step that failed, one of the ``count`` steps after ``state``.

    Return None if ``state`` itself is bad. The steps are repeated by the same program, so they are the same to the last
    bit, and bisection finds the first bad one.
    """

    def is_bad(steps: int) -> bool:
        return not program(state, data, jnp.int32(steps)).is_good()

    bad = bisect_left(range(count), True, key=is_bad)
    return None if bad == 0 else program(state, data, jnp.int32(bad - 1)).state
