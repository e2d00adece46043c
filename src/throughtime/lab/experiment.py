"""Experiments: a curve, a network, a loss and an optimizer, made from settings."""

from functools import lru_cache
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import optax

from throughtime._errors import InputError
from throughtime._types import Array, Key
from throughtime.cells import cell_type, init_arguments, takes
from throughtime.gradients import cell_label
from throughtime.lab.curves import FILE, Curve, made_curve
from throughtime.lab.files import file_curve
from throughtime.lab.inputs import LabInput
from throughtime.lab.settings import LIMITS, OWN, Course, Learner
from throughtime.layers import RecurrentNetwork
from throughtime.training import Loss, TrainState, start

KEPT = 16  # losses and optimizers; with the same ones again, the program of the training is compiled already


class Experiment(NamedTuple):
    """A task, a network, and how it learns.

    Attributes:
        course: the settings of the task.
        learner: the settings of the network and of its training.
        curve: the series.
        start: the training state before the first step.
        loss: the mean squared error of a batch of windows, one step ahead.
        optimizer: Adam, with the gradient clipped if the settings say so.
    """

    course: Course
    learner: Learner
    curve: Curve
    start: TrainState
    loss: Loss
    optimizer: optax.GradientTransformation


def make_experiment(course: Course, learner: Learner, lab_input: LabInput) -> Experiment:
    """Return the experiment with these settings.

    Raises:
        InputError: if the settings do not fit each other or the user's files.
    """
    curve = _curve(course, lab_input)
    _require_length(curve, course.window)
    optimizer = adam(learner.rate, learner.clip)
    if lab_input.network is None:
        state = _start(jax.random.key(course.seed), optimizer, learner, course.window)
    else:
        state = start(lab_input.network, optimizer, jax.random.split(jax.random.key(course.seed), 3)[0])
    loss = window_loss(course.window, course.batch, curve.noise, learner.examples)
    return Experiment(course, learner, curve, state, loss, optimizer)


def title(experiment: Experiment, lab_input: LabInput) -> str:
    """Return the name of the network."""
    if lab_input.network is not None:
        return f"The network of {lab_input.folder}"
    return cell_label(experiment.start.model.cell)


def _require_length(curve: Curve, window: int) -> None:
    """Refuse a window that does not fit twice, one step apart, into the part of the series that is learned."""
    longest = longest_window(curve.cut)
    if window > longest:
        possible = longest >= LIMITS["window"][0]
        expected = f"a window of at most {longest}" if possible else "a series of at least 5 values"
        raise InputError(
            f"a window of {window} steps does not fit: of {len(curve.values)} values {curve.cut} are learned; expected "
            f"{expected}",
            code="window-too-long",
            column="window",
            found=window,
            expected=expected,
        )


def longest_window(cut: int) -> int:
    """Return the most steps of a window: two of them, one step apart, fit into ``cut`` learned values."""
    return cut - 2


def _curve(course: Course, lab_input: LabInput) -> Curve:
    """Return the series that the settings name."""
    if course.curve != FILE:
        return made_curve(course.curve, course.noise)
    if lab_input.panel is None:
        raise InputError(
            "there is no file: start the laboratory with throughtime lab --data FILE", code="no-file", column="curve"
        )
    return file_curve(lab_input.panel, course.series)


def cell_options(learner: Learner, window: int) -> dict[str, Any]:
    """Return the arguments of a cell besides its sizes and its key.

    Raises:
        InputError: for an initializer that this cell does not have.
    """
    options: dict[str, Any] = {"activation": learner.activation} if learner.cell == "elman" else {}
    if learner.init == OWN:
        return options
    if not takes(cell_type(learner.cell), learner.init):
        raise InputError(
            f"a cell of kind {learner.cell} cannot start with {learner.init!r}: choose another initializer",
            code="initializer-misfit",
            column="init",
            found=learner.init,
        )
    return options | init_arguments(learner.init, window)


@eqx.filter_jit  # one program: compiled one by one, the operations take longer than the training
def _start(key: Key, optimizer: optax.GradientTransformation, learner: Learner, window: int) -> TrainState:
    """Return the first state of a new network."""
    key_train, key_cell, key_readout = jax.random.split(key, 3)
    cell = cell_type(learner.cell)(1, learner.hidden, **cell_options(learner, window), key=key_cell)
    return start(RecurrentNetwork(cell, 1, key=key_readout), optimizer, key_train)


@lru_cache(KEPT)
def adam(rate: float, clip: float) -> optax.GradientTransformation:
    """Return Adam, with gradients clipped to the norm ``clip`` unless that is 0."""
    return optax.chain(optax.clip_by_global_norm(clip), optax.adam(rate)) if clip else optax.adam(rate)


@lru_cache(KEPT)
def window_loss(window: int, batch: int, noise: float, examples: int) -> Loss:
    """Return the mean squared error of ``batch`` random windows of a series (N,), one step ahead at each step.

    Args:
        window: T.
        batch: B.
        noise: the standard deviation of the noise that is added to the windows.
        examples: the windows, with their noise, that there are; 0 for no end of them.
    """

    def draw(values: Array, key: Key, count: int) -> Array:
        starts = jax.random.randint(key, (count, 1), 0, len(values) - window)
        windows = values[starts + jnp.arange(window + 1)[None]]
        return windows + noise * jax.random.normal(jax.random.fold_in(key, 1), windows.shape) if noise else windows

    def loss(network: RecurrentNetwork, values: Array, key: Key) -> Array:
        if examples:
            windows = draw(values, jax.random.key(0), examples)[jax.random.randint(key, (batch,), 0, examples)]
        else:
            windows = draw(values, key, batch)
        _, predictions = network(windows[:, :-1, None])
        return jnp.mean((predictions[..., 0] - windows[:, 1:]) ** 2)

    return loss
