"""The training loop, compiled whole: batch, gradient and optimizer step never leave the device."""

import time
from bisect import bisect_left
from collections.abc import Callable, Iterator
from functools import lru_cache
from threading import Lock
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from throughtime._errors import InputError
from throughtime._types import Array, Bool, Float, Int, Key, Scalar
from throughtime.training.diagnosis import all_finite, explain
from throughtime.training.step import Loss, TrainState, take_step
from throughtime.training.watch import Record, Watch, observer, step_norm


class Progress(NamedTuple):
    """What happened since the last report.

    Attributes:
        state: after the last step.
        steps: how many steps there will be in all.
        losses: (n,) the loss of each step's batch, before its update.
        seconds: what the steps took, compilation and watching apart.
        compile_seconds: what compiling took; 0 after the first report.
        record: what a :class:`Watch` saw; None without one.
    """

    state: TrainState
    steps: int
    losses: np.ndarray
    seconds: float
    compile_seconds: float
    record: Record | None = None


Callback = Callable[[Progress], bool | None]
"""A function that is called with each progress of a training run. If it returns True, the run stops early."""


class DivergedError(InputError):
    """The loss or the weights are no longer numbers."""


def start(model: Any, optimizer: optax.GradientTransformation, key: Key) -> TrainState:
    """Training at step 0; ``key`` makes all the batches."""
    return TrainState(model, optimizer.init(model), jnp.int32(0), key)


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
    """Train until ``steps`` are done in all, and report every ``every`` steps.

    Every step draws its batch with a key made of the state's key and the step's number, so the numbers depend neither
    on ``every`` nor on where training was interrupted.

    Args:
        state: where to go on from.
        loss: draws a batch and judges it.
        optimizer: makes updates of gradients.
        data: what ``loss`` draws from.
        steps: how many in all, those of ``state`` among them.
        every: from report to report.
        watch: what to look at with each report. Without one nothing of it is compiled.

    Raises:
        DivergedError: when a loss or a weight is not finite; names the step, the array and the likely cause. The
            states reported before are good.
        InputError: where ``every`` is below 1, or ``watch`` cannot look at this model.
    """
    if every < 1:
        raise InputError(f"every must be at least 1 step, got {every}")
    began, first = time.perf_counter(), state
    advance = _advance(loss, optimizer, every, step_norm(watch))
    observe = _unwatched if watch is None else observer(loss, optimizer, watch, state, data)
    with _compiling:  # no steps: compiles, unless the program is there already
        jax.block_until_ready(advance(state, data, jnp.int32(0)))
    compile_seconds = time.perf_counter() - began
    while (done := int(state.step)) < steps:
        count = min(every - done % every, steps - done)
        began = time.perf_counter()
        chunk = jax.block_until_ready(advance(state, data, jnp.int32(count)))
        seconds = time.perf_counter() - began
        if not _is_good(chunk):
            before = _last_good(advance, state, data, count)
            raise DivergedError(explain(first, before, loss, optimizer, data))
        state, losses = chunk.state, np.asarray(chunk.losses)[:count]
        yield Progress(state, steps, losses, seconds, compile_seconds, observe(state, data, losses, chunk.norms))
        compile_seconds = 0.0


_compiling = Lock()  # runs side by side in threads share one program: the first compiles it, the others wait


class _Chunk(NamedTuple):
    """Some steps: the state after them; each one's loss and gradient norm (most,), zeros for those not done."""

    state: TrainState
    losses: Float[Array, "N"]
    norms: Float[Array, "N"] | None
    finite: Bool[Array, ""]


_Advance = Callable[[TrainState, Any, Array], _Chunk]


def _is_good(chunk: _Chunk) -> bool:
    """Whether every loss and all the weights are finite: a last step's weights show in no loss yet."""
    return bool(chunk.finite) and bool(np.isfinite(chunk.losses).all())


def _last_good(advance: _Advance, state: TrainState, data: Any, count: int) -> TrainState | None:
    """The state before the step that went wrong, one of ``count``; None where ``state`` itself is bad.

    Steps are done again, from ``state``: the program is that of the loop, so they are the same to the last bit.
    """

    def is_bad(steps: int) -> bool:
        return not _is_good(advance(state, data, jnp.int32(steps)))

    bad = bisect_left(range(count), True, key=is_bad)
    return None if bad == 0 else advance(state, data, jnp.int32(bad - 1)).state


def _unwatched(*_seen: Any) -> None:
    """What a run reports that nobody watches."""


@lru_cache(maxsize=16)  # the same loss and optimizer again, as in a backtest: the same program, compiled once
def _advance(
    loss: Loss, optimizer: optax.GradientTransformation, most: int, keep: Callable[[Any], Scalar | None]
) -> _Advance:
    """A compiled function ``(state, data, count) -> chunk`` that does ``count <= most`` steps.

    What ``keep`` makes of each gradient becomes the chunk's ``norms``.
    """

    def advance(state: TrainState, data: Any, count: Int[Array, ""]) -> _Chunk:
        def body(i: Array, carry: tuple[TrainState, Any]) -> tuple[TrainState, Any]:
            step = take_step(loss, optimizer, carry[0], data)
            seen = step.value, keep(step.gradient)  # None is no array: it is not carried
            return step.state, jax.tree.map(lambda kept, one: kept.at[i].set(one), carry[1], seen)

        kinds = jax.eval_shape(lambda: (jnp.zeros(()), keep(state.model)))
        none_yet = jax.tree.map(lambda one: jnp.zeros(most), kinds)
        # The count is an argument, not a constant: one program serves every length.
        state, (losses, norms) = jax.lax.fori_loop(0, count, body, (state, none_yet))
        return _Chunk(state, losses, norms, all_finite(state.model))

    return jax.jit(advance)
