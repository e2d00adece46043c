"""The compiled program of a training run: many steps in one call, so that nothing leaves the device between them."""

from collections.abc import Callable
from functools import lru_cache
from threading import Lock
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from throughtime._compiler import Options, for_this_backend
from throughtime._mesh import on_every_device
from throughtime._types import Array, Bool, Float, Int, Scalar
from throughtime.training.captured import Keyed
from throughtime.training.diagnosis import all_finite
from throughtime.training.optimizer_key import KeyedOptimizer
from throughtime.training.step import Loss, TrainState, take_step

KEPT = 16  # programs; a large one takes some 20 MB


class Results(NamedTuple):
    """The results of some steps, at most N of them.

    Attributes:
        state: the state after the steps.
        losses: (N,) the loss of each step; 0 for steps that were not done.
        norms: (N,) the norm of each step's gradient, 0 likewise; None if norms are not wanted.
        finite: True if all weights are finite. The weights after the last step appear in no loss yet.
    """

    state: TrainState
    losses: Float[Array, "N"]
    norms: Float[Array, "N"] | None
    finite: Bool[Array, ""]

    def is_good(self) -> bool:
        """Return True if every loss and all weights are finite."""
        return bool(self.finite) and bool(np.isfinite(self.losses).all())


Program = Callable[[TrainState, Any, Int[Array, ""]], Results]
"""``program(state, data, count)`` does ``count`` steps from ``state``, in one compiled loop."""


def program_for(
    loss: Loss,
    optimizer: optax.GradientTransformation,
    most: int,
    norm: Callable[[Any], Scalar] | None,
    compiler: Options = (),
) -> Program:
    """Return the program with these parts, the same object for the same parts.

    Compiling takes seconds, and training a small network often less. So the last few programs are kept: the folds of a
    backtest, the members of an ensemble in their threads, and a run that is continued in portions compile once. The key
    is the code of ``loss`` and of the optimizer's update with the values that they hold: see
    :mod:`throughtime.training.captured` and :mod:`throughtime.training.optimizer_key`.

    Args:
        loss: draws a batch and returns its loss.
        optimizer: turns gradients into updates.
        most: N, the largest number of steps of one call.
        norm: computes the norm of a gradient; None if norms are not wanted.
        compiler: options of the compiler.
    """
    with _lookup:  # threads that ask at the same time must get one object: JAX compiles it once for all of them
        return _program(Keyed(loss), KeyedOptimizer(optimizer), most, norm, compiler)


_lookup = Lock()


@lru_cache(KEPT)
def _program(
    keyed: Keyed,
    keyed_optimizer: KeyedOptimizer,
    most: int,
    norm: Callable[[Any], Scalar] | None,
    compiler: Options,
) -> Program:
    """Return a new program."""
    loss, optimizer = keyed.loss, keyed_optimizer.optimizer

    def advance(state: TrainState, data: Any, count: Int[Array, ""]) -> Results:
        def body(i: Array, carry: tuple[TrainState, Array, Array | None]) -> tuple[TrainState, Array, Array | None]:
            state, losses, norms = carry
            step = take_step(loss, optimizer, state, data)
            if norm is not None and norms is not None:
                norms = norms.at[i].set(norm(step.gradient))
            weights = on_every_device((step.state.model, step.state.optimizer))
            return step.state._replace(model=weights[0], optimizer=weights[1]), losses.at[i].set(step.value), norms

        zeros = jnp.zeros(most)
        # The count is an argument, not a constant: one program serves every number of steps.
        state, losses, norms = jax.lax.fori_loop(0, count, body, (state, zeros, None if norm is None else zeros))
        return on_every_device(Results(state, losses, norms, all_finite(state.model)))

    return jax.jit(advance, compiler_options=for_this_backend(compiler))
