"""The training loop, compiled whole: batch, gradient and optimiser step never leave the device."""

import time
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from throughtime.errors import InputError
from throughtime.shapes import Array, Float, Int, Key, Scalar

Loss = Callable[[Any, Any, Key], Scalar]
"""``loss(model, data, key)``: draws a batch from ``data`` with ``key`` and returns its loss."""


class TrainState(NamedTuple):
    """All that training carries from step to step: from here it goes on bit for bit."""

    model: Any
    optimiser: optax.OptState
    step: Int[Array, ""]
    key: Key


class Progress(NamedTuple):
    """What happened since the last report.

    Attributes:
        state: after the last step.
        steps: how many steps there will be in all.
        losses: (n,) the loss of each step's batch, before its update.
        seconds: what the steps took, compilation apart.
        compile_seconds: what compiling took; 0 after the first report.
    """

    state: TrainState
    steps: int
    losses: np.ndarray
    seconds: float
    compile_seconds: float


class DivergedError(InputError):
    """The loss is no longer a number."""


def start(model: Any, optimiser: optax.GradientTransformation, key: Key) -> TrainState:
    """Training at step 0; ``key`` makes all the batches."""
    return TrainState(model, optimiser.init(model), jnp.int32(0), key)


def train(
    state: TrainState,
    loss: Loss,
    optimiser: optax.GradientTransformation,
    data: Any,
    *,
    steps: int,
    every: int = 100,
) -> Iterator[Progress]:
    """Train until ``steps`` are done in all, and report every ``every`` steps.

    Every step draws its batch with a key made of the state's key and the step's number, so the numbers depend neither
    on ``every`` nor on where training was interrupted.

    Raises:
        DivergedError: when a loss is not finite; names the step. The states reported before are good.
    """
    if every < 1:
        raise InputError(f"every must be at least 1 step, got {every}")
    advance = _advance(loss, optimiser, every)
    began = time.perf_counter()
    advance(state, data, jnp.int32(0))[1].block_until_ready()  # no steps: compiles, unless the program is there already
    compile_seconds = time.perf_counter() - began
    while (done := int(state.step)) < steps:
        count = min(every - done % every, steps - done)
        began = time.perf_counter()
        state, losses = advance(state, data, jnp.int32(count))
        losses.block_until_ready()
        seconds = time.perf_counter() - began
        values = np.asarray(losses)[:count]
        if not np.isfinite(values).all():
            first = done + int(np.argmin(np.isfinite(values))) + 1
            raise DivergedError(
                f"training diverged: the loss of step {first} is {values[first - done - 1]}. Inputs that are not "
                "finite, a learning rate that is too high or exploding gradients do this: check the data, lower the "
                "learning rate or clip the gradient."
            )
        yield Progress(state, steps, values, seconds, compile_seconds)
        compile_seconds = 0.0


@lru_cache(maxsize=16)  # the same loss and optimiser again, as in a backtest: the same program, compiled once
def _advance(loss: Loss, optimiser: optax.GradientTransformation, most: int) -> Any:
    """A compiled function ``(state, data, count) -> (state, losses (most,))`` that does ``count <= most`` steps."""

    def one_step(state: TrainState, data: Any) -> tuple[TrainState, Scalar]:
        model, moments, step, key = state
        value, gradient = jax.value_and_grad(loss)(model, data, jax.random.fold_in(key, step))
        updates, moments = optimiser.update(gradient, moments, model)
        return TrainState(optax.apply_updates(model, updates), moments, step + 1, key), value

    def advance(state: TrainState, data: Any, count: Int[Array, ""]) -> tuple[TrainState, Float[Array, "N"]]:
        def body(i: Array, carry: tuple[TrainState, Array]) -> tuple[TrainState, Array]:
            state, value = one_step(carry[0], data)
            return state, carry[1].at[i].set(value)

        # The count is an argument, not a constant: one program serves every length.
        return jax.lax.fori_loop(0, count, body, (state, jnp.zeros(most)))

    return jax.jit(advance)
