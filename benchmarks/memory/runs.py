"""A run of a contest: a network with a limited number of parameters is trained on a task and tested on new examples."""

import bisect
import os
import time
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import optax

from throughtime.data import Batch, Task
from throughtime.training import DivergedError, cross_entropy, masked_mean, run_steps, squared_error, start

Network = Any  # called like a RecurrentNetwork
Build = Callable[[Task, int, Any], Network]
"""``build(task, units, key)``."""


Measure = Literal["squared error", "cross entropy", "accuracy"]


class Contestant(NamedTuple):
    """A network and its training settings.

    Attributes:
        title: its name on the page.
        build: the function that makes it.
        learning_rate: Adam's initial learning rate; it falls along a cosine to a twentieth.
        expected: the expected figure, such as (">=", 0.99); None if nothing is expected.
    """

    title: str
    build: Build
    learning_rate: float
    expected: tuple[Literal["<=", ">="], float] | None = None

    def as_expected(self, figure: float) -> bool | None:
        """Return True if the figure is as expected; None if nothing is expected."""
        if self.expected is None:
            return None
        sign, bound = self.expected
        return figure <= bound if sign == "<=" else figure >= bound


class Contest(NamedTuple):
    """A task and the settings that all contestants share.

    Attributes:
        title: its name on the page.
        training: the training task.
        test: the test task.
        measure: the figure of a test; the test task has the baseline for it.
        parameters: the largest number of parameters.
        batch: sequences per step.
        steps: the largest number of training steps.
        solved: training stops if a check on 512 examples reaches this figure.
        contestants: the networks.
    """

    title: str
    training: Task
    test: Task
    measure: Measure
    parameters: int
    batch: int
    steps: int
    solved: float
    contestants: tuple[Contestant, ...]

    @property
    def baseline(self) -> float | None:
        """The figure of the best answer that ignores the inputs."""
        return self.test.baseline if self.measure == self.test.loss else self.test.chance

    def is_solved(self, figure: float) -> bool:
        """Return True if a figure is good enough to stop."""
        return figure >= self.solved if self.measure == "accuracy" else figure <= self.solved


CHECKED, TESTED = 512, 4096  # examples, both multiples of PART
CHECKS = 20  # during a training
PART = 256  # examples tested at a time
CLIP = 1.0  # the largest global norm of a gradient
LAST = 0.05  # share of the learning rate at the last step


def run(contest: Contest, contestant: Contestant, seed: int) -> dict[str, Any]:
    """Train with checks, test at the end, and return the results as plain values."""
    began, load = time.process_time(), os.getloadavg()[0]
    units = widest(contest, contestant)
    keys = jax.random.split(jax.random.key(seed), 4)
    # One program, because separate programs for each weight take longer to compile.
    network = jax.jit(lambda key: contestant.build(contest.training, units, key))(keys[0])
    schedule = optax.cosine_decay_schedule(contestant.learning_rate, contest.steps, alpha=LAST)
    optimizer = optax.chain(optax.clip_by_global_norm(CLIP), optax.adam(schedule))
    loss = training_loss(contest)
    test = tester(contest)
    record: dict[str, Any] = {"seed": seed, "units": units, "parameters": parameters(network), "failure": None}
    curve, seconds, compiling = [(0, test(network, keys[1], CHECKED))], 0.0, 0.0
    state = start(network, optimizer, keys[2])
    try:
        for progress in run_steps(state, loss, optimizer, None, steps=contest.steps, every=contest.steps // CHECKS):
            state = progress.state
            seconds, compiling = seconds + progress.seconds, compiling + progress.compile_seconds
            curve.append((int(state.step), test(state.model, keys[1], CHECKED)))
            if contest.is_solved(curve[-1][1]):
                break
    except DivergedError as error:
        record["failure"] = str(error)
    figure = test(state.model, keys[3], TESTED)
    told = {"figure": figure, "steps": int(state.step), "seconds": seconds, "compile_seconds": compiling}
    return record | told | {"processor_seconds": time.process_time() - began, "load": load, "curve": curve}


def training_loss(contest: Contest) -> Callable[[Network, None, Any], jax.Array]:
    """Return the loss function for :func:`train`: the mean loss over the scored steps of a batch."""

    def loss(network: Network, _data: None, key: Any) -> jax.Array:
        batch = contest.training.draw(key, contest.batch)
        return masked_mean(errors(contest.training, answers(network, batch), batch), batch.scored)

    return loss


def tester(contest: Contest) -> Callable[[Network, Any, int], float]:
    """Return a function ``(network, key, examples)`` that computes the contest's measure over test examples."""
    task = contest.test

    @jax.jit
    def tested(network: Network, keys: Any) -> jax.Array:
        def part(key: Any) -> tuple[jax.Array, jax.Array]:
            batch = task.draw(key, PART)
            outputs = answers(network, batch)
            right = jnp.argmax(outputs, axis=-1) == batch.targets
            values = right.astype(outputs.dtype) if contest.measure == "accuracy" else errors(task, outputs, batch)
            return jnp.sum(jnp.where(batch.scored, values, 0)), jnp.sum(batch.scored)

        totals, counts = jax.lax.map(part, keys)
        return totals.sum() / counts.sum()

    return lambda network, key, examples: float(tested(network, jax.random.split(key, examples // PART)))


def answers(network: Network, batch: Batch) -> jax.Array:
    """Return the network's outputs at each step (B, T, O).

    No mask is used. It would cost time and change nothing, because padding follows the last scored answer.
    """
    return network(batch.xs)[1]


def errors(task: Task, outputs: jax.Array, batch: Batch) -> jax.Array:
    """Return the task's loss of each answer (B, T)."""
    if task.loss == "squared error":
        return squared_error(outputs[..., 0], batch.targets)
    return cross_entropy(outputs, batch.targets)


def widest(contest: Contest, contestant: Contestant) -> int:
    """Return the largest number of units within the contest's number of parameters."""
    # Every unit has at least one parameter, so there are at most this many sizes; the number that fits is the largest.
    sizes = range(1, contest.parameters + 1)
    return bisect.bisect_right(sizes, contest.parameters, key=lambda units: count(contest, contestant, units))


def count(contest: Contest, contestant: Contestant, units: int) -> int:
    """Return the number of parameters of a network with these units, without computing them."""
    return parameters(eqx.filter_eval_shape(contestant.build, contest.training, units, jax.random.key(0)))


def parameters(network: Network) -> int:
    """Return the number of parameters."""
    return sum(leaf.size for leaf in jax.tree.leaves(network))
