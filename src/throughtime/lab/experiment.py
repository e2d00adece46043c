"""From settings to all that training needs: the curve, a network, a loss and an optimizer."""

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
from throughtime.lab.curves import FILE, Curve, file_curve, made_curve
from throughtime.lab.inputs import LabInput
from throughtime.lab.settings import LIMITS, OWN, Course, Learner
from throughtime.layers import RecurrentNetwork
from throughtime.training import Loss, TrainState, start

MOST_COMPILED = 20  # settings whose programs are kept
_compiled: set[tuple[int, int, Learner]] = set()  # of this process, as the programs are


class Experiment(NamedTuple):
    """A run that can begin.

    Attributes:
        course: what is learned.
        learner: who learns it.
        curve: its values.
        start: the training state before the first step.
        loss: mean squared error of a batch of windows, one step ahead.
        optimizer: Adam, behind clipping where there is any.
    """

    course: Course
    learner: Learner
    curve: Curve
    start: TrainState
    loss: Loss
    optimizer: optax.GradientTransformation


def make_experiment(course: Course, learner: Learner, lab_input: LabInput) -> Experiment:
    """What these settings mean.

    Raises:
        InputError: where they make no sense together.
    """
    curve = _curve(course, lab_input)
    if len(curve.values) < course.window + 2:
        most = len(curve.values) - 2
        expected = f"a window of at most {most}" if most >= LIMITS["window"][0] else "a series of at least 4 values"
        raise InputError(
            f"a window of {course.window} steps does not fit: the series has {len(curve.values)} values; expected "
            f"{expected}"
        )
    _forget_programs(course, learner)
    optimizer = adam(learner.rate, learner.clip)
    if lab_input.network is None:
        state = _start(jax.random.key(course.seed), optimizer, learner, course.window)
    else:
        state = start(lab_input.network, optimizer, jax.random.split(jax.random.key(course.seed), 3)[0])
    return Experiment(course, learner, curve, state, window_loss(course.window, course.batch), optimizer)


def title(made: Experiment, lab_input: LabInput) -> str:
    """Who learns, in words."""
    return cell_label(made.start.model.cell) if lab_input.network is None else f"The network of {lab_input.folder}"


def _forget_programs(course: Course, learner: Learner) -> None:
    """Take compiled programs away when there are many: a setting's take 20 MB, and whoever plays tries hundreds.

    A run that goes on meanwhile, in another page, compiles its own once more.
    """
    _compiled.add((course.window, course.batch, learner))
    if len(_compiled) > MOST_COMPILED:
        jax.clear_caches()
        _compiled.clear()


def _curve(course: Course, lab_input: LabInput) -> Curve:
    if course.curve != FILE:
        return made_curve(course.curve)
    if lab_input.panel is None:
        raise InputError("there is no file: start the laboratory with throughtime lab --data FILE")
    return file_curve(lab_input.panel, course.series)


def cell_options(learner: Learner, window: int) -> dict[str, Any]:
    """What a cell is made with, besides its sizes and its key.

    Raises:
        InputError: for an initializer that is nothing for this cell.
    """
    options: dict[str, Any] = {"activation": learner.activation} if learner.cell == "elman" else {}
    if learner.init == OWN:
        return options
    if not takes(cell_type(learner.cell), learner.init):
        raise InputError(f"a cell of kind {learner.cell} cannot start with {learner.init!r}: choose another start")
    return options | init_arguments(learner.init, window)


@eqx.filter_jit  # one program: operations one by one take longer to compile than the network to train
def _start(key: Key, optimizer: optax.GradientTransformation, learner: Learner, window: int) -> TrainState:
    key_train, key_cell, key_readout = jax.random.split(key, 3)
    cell = cell_type(learner.cell)(1, learner.hidden, **cell_options(learner, window), key=key_cell)
    return start(RecurrentNetwork(cell, 1, key=key_readout), optimizer, key_train)


@lru_cache(maxsize=16)  # the same optimizer again: its training program is compiled already
def adam(rate: float, clip: float) -> optax.GradientTransformation:
    """Adam, of gradients whose norm is at most ``clip`` unless that is 0."""
    return optax.chain(optax.clip_by_global_norm(clip), optax.adam(rate)) if clip else optax.adam(rate)


@lru_cache(maxsize=16)
def window_loss(window: int, batch: int) -> Loss:
    """The mean squared error of ``batch`` random windows of a series (N,), one step ahead at each step."""

    def loss(network: RecurrentNetwork, values: Array, key: Key) -> Array:
        starts = jax.random.randint(key, (batch, 1), 0, len(values) - window)
        windows = values[starts + jnp.arange(window + 1)[None]][..., None]
        _, predictions = network(windows[:, :-1])
        return jnp.mean((predictions - windows[:, 1:]) ** 2)

    return loss
