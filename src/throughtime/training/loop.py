"""The training loop: compiled calls of many steps, with a report after each."""

import math
import time
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from typing_extensions import TypeAliasType

from throughtime._compiler import Options
from throughtime._errors import InputError
from throughtime._fork import require_threads
from throughtime._keys import random_key
from throughtime._types import KeyLike
from throughtime.training.constants import LossOfArrays, join, split
from throughtime.training.devices import ONE, Devices
from throughtime.training.diagnosis import diagnose
from throughtime.training.leaves import is_inexact
from throughtime.training.program import Program, program_for
from throughtime.training.source import Blocks, endless
from throughtime.training.step import Loss, TrainState
from throughtime.training.watch import Record, Recorder, Watch, gradient_norm, observer

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

    @property
    def model(self) -> Any:
        """The model after the last step."""
        return self.state.model

    @property
    def step(self) -> int:
        """The number of steps done."""
        return int(self.state.step)

    @property
    def is_last(self) -> bool:
        """True if no step is left."""
        return self.step >= self.steps


def merged(parts: Sequence[Progress]) -> Progress:
    """Return the progress over several parts that follow each other, with the last record."""
    records = [part.record for part in parts if part.record is not None]
    return parts[-1]._replace(
        losses=np.concatenate([part.losses for part in parts]),
        seconds=sum(part.seconds for part in parts),
        compile_seconds=sum(part.compile_seconds for part in parts),
        record=records[-1] if records else None,
    )


Callback = TypeAliasType("Callback", Callable[[Progress], bool | None])
"""A function that is called with each progress of a training run. If it returns True, the run stops early."""


def start(model: Any, optimizer: optax.GradientTransformation, key: KeyLike) -> TrainState:
    """Return the state at step 0. All batches are drawn with ``key``.

    The model may hold anything that Equinox allows. Arrays of floats are trained, all else stays as it is.
    """
    return TrainState(model, optimizer.init(eqx.filter(model, is_inexact)), jnp.int32(0), random_key(key))


def run_steps(
    state: TrainState,
    loss: Loss,
    optimizer: optax.GradientTransformation,
    data: Any,
    *,
    steps: int,
    every: int = 100,
    watch: Watch | None = None,
) -> Iterator[Progress]:
    """Train from a state until ``steps`` steps are done in all, and yield the progress after every ``every`` steps.

    :func:`throughtime.steps` is the same for a model and a loss of batches. Here the loss draws its own batch, with the
    state's key and the number of the step. So the numbers depend neither on ``every`` nor on interruptions. Leave the
    loop with ``break`` to stop early: the state that was yielded last is complete.

    The loss is compiled (``jax.jit``): it is traced once, and what it reads from outside is a constant of the program.
    A value that is assigned anew before the next call (a closure, a global variable, an attribute of a captured object,
    an entry of a dict) compiles it again. A change inside of an array or a list is not noticed: pass such values in
    ``data``, which is an argument of the program, or make a new array.

    Args:
        state: the first state, from :func:`start` or an earlier run. Arrays of floats in its model are trained; other
            leaves stay as they are.
        loss: draws a batch and returns its loss.
        optimizer: turns gradients into updates.
        data: the second argument of ``loss``.
        steps: the number of steps in all, including those of ``state``.
        every: the number of steps from report to report.
        watch: the settings of the records, one with each report; without one, nothing for them is compiled.

    Raises:
        DivergedError: if a loss or a weight is not finite; names the step, the array and the likely cause. All states
            that were yielded before are good.
        InputError: if ``every`` is below 1, or ``watch`` does not fit the model.
    """
    require_interval(every)
    own_watch = None if watch is None else watch._replace(every=every)
    yield from calls(state, loss, optimizer, endless(data), Pace(steps, (every,), every), own_watch)


def require_interval(every: int) -> None:
    """Refuse a number of steps from report to report that is below 1."""
    if every < 1:
        raise InputError(
            f"every is {every}: expected at least 1 step", code="every-below-1", found=every, expected="at least 1"
        )


class Pace(NamedTuple):
    """The lengths of compiled calls and the devices that run them; they change no number of a run beyond rounding.

    Attributes:
        steps: the number of steps in all.
        intervals: a call ends at multiples of these numbers of steps.
        most: the largest number of steps of one call.
        seconds: the time that one call should not exceed, so that interrupts and displays need not wait longer.
        compiler: options of the compiler.
        devices: which split each batch.
    """

    steps: int
    intervals: tuple[int, ...]
    most: int
    seconds: float = math.inf
    compiler: Options = ()
    devices: Devices = ONE

    def next_count(self, done: int, left: int, seconds_per_step: float) -> int:
        """Return the number of steps of the next call, with ``done`` steps done and data for ``left`` more."""
        pauses = [self.steps, *(done - done % every + every for every in self.intervals)]
        count = min(min(pauses) - done, self.most, left)
        return count if count * seconds_per_step <= self.seconds else max(int(self.seconds / seconds_per_step), 1)


def calls(
    first: TrainState,
    loss: Loss,
    optimizer: optax.GradientTransformation,
    blocks: Blocks,
    pace: Pace,
    watch: Watch | None,
) -> Iterator[Progress]:
    """Train, and yield the progress after each compiled call.

    Args:
        first: the state to start from.
        loss: of a model, a block's data and a key.
        optimizer: turns gradients into updates.
        blocks: the data; the run ends with them.
        pace: the number of steps, in all and of each call.
        watch: the settings of the records.

    Raises:
        DivergedError: if a loss or a weight is not finite.
        InputError: if ``watch`` does not fit the model, and for a batch that the devices cannot split.
        ConnectionError: if another process of the training has ended.
    """
    require_threads()
    devices = pace.devices
    began = time.perf_counter()
    arrays, constants = split(first.model)
    state = first = devices.put(first._replace(model=arrays))
    loss = loss if constants is None else LossOfArrays(loss, constants)
    program = program_for(loss, optimizer, _room(pace.most), gradient_norm(watch), pace.compiler)
    records: Recorder | None = None
    done, seconds_per_step, compile_seconds = int(state.step), math.inf if pace.seconds < math.inf else 0.0, -1.0
    for data, left in devices.blocks(blocks):
        if compile_seconds < 0:
            with devices.active():
                if watch is not None:
                    records = Recorder(watch, observer(loss, optimizer, watch, state, data), pace.steps)
                jax.block_until_ready(program(state, data, devices.put(jnp.int32(0))))  # no steps: this compiles
            compile_seconds = time.perf_counter() - began
        while left and done < pace.steps:
            count = pace.next_count(done, left, seconds_per_step)
            began = time.perf_counter()
            with devices.active():
                results = jax.block_until_ready(program(state, data, devices.put(jnp.int32(count))))
                seconds = time.perf_counter() - began
                if not results.is_good():
                    raise diagnose(first, _last_good(program, state, data, count), loss, optimizer, data)
            state, losses = results.state, np.asarray(results.losses)[:count]
            done, left, seconds_per_step = done + count, left - count, seconds / count
            with devices.active():
                record = None if records is None else records.after(state, data, losses, results.norms)
            own = devices.take(state)
            whole = own._replace(model=join(own.model, constants))
            yield Progress(whole, pace.steps, losses, seconds, compile_seconds, record)
            compile_seconds = 0.0
        if done >= pace.steps:
            break


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
