"""The sine wave, from data to gallery: the training run of ``throughtime demo``, its checkpoints and its pictures."""

import json
import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax

from throughtime._errors import InputError
from throughtime._types import Array, Key
from throughtime.cells import cell_type, orthogonal
from throughtime.cli.alone import learn_alone
from throughtime.data import TimeSeriesData
from throughtime.layers import RecurrentNetwork, network_config, rollout
from throughtime.training import Progress, TrainState, checkpoint, masked_mean, run_steps, squared_error, start

HIDDEN, WINDOW, BATCH, LEARNING_RATE = 100, 30, 1, 0.001  # the reference step
EVERY = 100  # steps between evaluations
GALLERY = 2000  # the steps of which the gallery has a picture each; of longer runs it has the last step too
SECONDS = 3.0  # between checkpoints: each takes as long as 100 steps
INSTANCE_START = 5.0  # where the window of the gallery begins, in units of t
CONTINUATION = 200  # points that the network generates alone
NEAR = 0.1  # the distance up to which a continuation follows the curve
EVALUATION_WINDOWS = 50
# The pictures that an earlier run may have left, by the folder that holds them.
PICTURES = {
    ".": re.compile(r"(series|training_instance|testing|continuation|gallery)\.png"),
    "gallery": re.compile(r"step_[0-9]{4,}\.png"),
}


class Learned(NamedTuple):
    """A run so far.

    Attributes:
        state: the training state.
        mse: (step, mean squared error over evenly spaced windows), from step 0.
        snapshots: the predictions (T, 1) on the training instance, by step: of the first 2000 steps and the last.
        seconds: spent in the training loop.
        compile_seconds: spent on compiling it.
    """

    state: TrainState
    mse: list[tuple[int, float]]
    snapshots: dict[int, np.ndarray]
    seconds: float
    compile_seconds: float


class Continued(NamedTuple):
    """The points (N, 1) that networks generate from the instance on, each output fed back.

    Attributes:
        taught: by the network that was trained on true values alone.
        alone: by the one that was also trained on its own outputs.
    """

    taught: np.ndarray
    alone: np.ndarray


def learn(
    *,
    steps: int = 2000,
    cell: str = "elman",
    seed: int = 0,
    folder: Path | None = None,
    resume: bool = False,
    callback: Callable[[Learned], bool | None] = lambda learned: None,
) -> Learned:
    """Train the notebook's network: 100 units, windows of 30 points of sin(t), batch 1, Adam 0.001.

    Args:
        steps: training steps in all.
        cell: the cell's name; an Elman cell has ReLU units, as the notebook's.
        seed: makes the weights and the batches.
        folder: where a checkpoint is kept: every few seconds and at the end, also if an error ends the run.
        resume: go on from the checkpoint in ``folder``.
        callback: called every 100 steps, and before the first; by returning True it ends the run.

    Raises:
        InputError: for fewer than one step, and where ``resume`` finds no checkpoint of this run.
    """
    if steps < 1:
        raise InputError(
            f"expected at least 1 training step, got {steps}", code="too-few-steps", found=steps, expected=1
        )
    data, optimizer = TimeSeriesData(), optax.adam(LEARNING_RATE)
    evaluate = _evaluator(data)
    if resume and folder is not None:
        learned = _read(folder, cell, seed, optimizer)
    else:
        state = _start(cell, jnp.asarray(seed, jnp.uint32), optimizer)
        learned = Learned(state, [(0, float(evaluate(state.model)[0]))], {}, 0.0, 0.0)
    kept = -np.inf
    try:
        callback(learned)
        for progress in run_steps(learned.state, _loss_on(data), optimizer, None, steps=steps, every=EVERY):
            learned = _continued(learned, progress, evaluate)
            if folder is not None and time.monotonic() - kept >= SECONDS:
                _write(folder, learned, seed)
                kept = time.monotonic()
            if callback(learned):
                break
    finally:
        if folder is not None:
            _write(folder, learned, seed)
    return learned


def _loss_on(data: TimeSeriesData) -> Callable[[RecurrentNetwork, None, Key], Array]:
    """Return the mean squared error on windows drawn at random."""

    def loss(network: RecurrentNetwork, _data: None, key: Key) -> Array:
        x, y, _ = data.draw(key, BATCH, WINDOW)
        return masked_mean(squared_error(network(x)[1], y))

    return loss


def _evaluator(data: TimeSeriesData) -> Callable[[RecurrentNetwork], tuple[Array, Array]]:
    """Return the function of a network that gives its error over the whole series, and its training instance (T, 1)."""
    windows = _evaluation_windows(data)
    xs, _, _ = data.instance(INSTANCE_START, WINDOW)
    batch = jnp.concatenate([windows[:, :-1], jnp.asarray(xs)[None]])

    @jax.jit
    def evaluate(network: RecurrentNetwork) -> tuple[Array, Array]:
        predictions = network(batch)[1]
        return masked_mean(squared_error(predictions[:-1], windows[:, 1:])), predictions[-1]

    return evaluate


def _continued(learned: Learned, progress: Progress, evaluate: Callable[..., tuple[Array, Array]]) -> Learned:
    """Return the run after more steps, evaluated."""
    mse, predictions = evaluate(progress.state.model)
    step = int(progress.state.step)
    snapshots = {former: snapshot for former, snapshot in learned.snapshots.items() if former <= GALLERY}
    return Learned(
        progress.state,
        [*learned.mse, (step, float(mse))],
        snapshots | {step: np.asarray(predictions)},
        learned.seconds + progress.seconds,
        learned.compile_seconds + progress.compile_seconds,
    )


def write_results(folder: Path, learned: Learned, seed: int, *, pictures: bool = True) -> dict[str, Any]:
    """Write ``metrics.json`` and the pictures to ``folder``, and return the metrics."""
    data = TimeSeriesData()
    seen = jnp.asarray(data.instance(INSTANCE_START, WINDOW)[0])
    network = learned.state.model
    networks = network, learn_alone(network, data, window=WINDOW, seed=seed)
    continued = Continued(*(np.asarray(rollout(each, seen, CONTINUATION)) for each in networks))
    metrics = _metrics(learned, data, continued) | {"seed": seed}
    (folder / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n")
    if pictures:
        _draw(folder, learned, data, continued, metrics)
    return metrics


def _metrics(learned: Learned, data: TimeSeriesData, continued: Continued) -> dict[str, Any]:
    """Return the errors of the network and the times of its training."""
    steps = int(learned.state.step)
    _, targets, _ = data.instance(INSTANCE_START, WINDOW)
    truth = data.ret_true(_ahead(data)[WINDOW:])
    errors, errors_alone = (generated[:, 0] - truth for generated in continued)
    return {
        "steps": steps,
        "mse": learned.mse,
        "test_mse": float(np.mean((learned.snapshots[steps] - targets) ** 2)),
        "continuation_points": CONTINUATION,
        "continuation_mse": float(np.mean(errors**2)),
        "continuation_follows": _points_followed(errors),
        "alone_mse": float(np.mean(errors_alone**2)),
        "alone_follows": _points_followed(errors_alone),
        "train_seconds": learned.seconds,
        "us_per_step": learned.seconds / steps * 1e6,
        "compile_seconds": learned.compile_seconds,
    }


def _draw(
    folder: Path, learned: Learned, data: TimeSeriesData, continued: Continued, metrics: Mapping[str, Any]
) -> None:
    """Draw the pictures of a run."""
    from throughtime.plots import sine_wave as pictures  # matplotlib takes a second to load

    xs, targets, times = data.instance(INSTANCE_START, WINDOW)
    predictions = learned.snapshots[int(learned.state.step)]
    pictures.series_picture(folder / "series.png", data, times)
    pictures.instance_picture(folder / "training_instance.png", times, xs, targets)
    pictures.testing_picture(folder / "testing.png", times, xs, targets, predictions, metrics["test_mse"])
    pictures.gallery_pictures(folder, times, targets, learned.snapshots)
    follows = metrics["continuation_follows"], metrics["alone_follows"]
    pictures.continuation_picture(folder / "continuation.png", data, _ahead(data), continued, follows)


def _ahead(data: TimeSeriesData) -> np.ndarray:
    """Return the times of the instance and of its continuation."""
    return INSTANCE_START + np.arange(WINDOW + CONTINUATION) * data.resolution


def _points_followed(errors: np.ndarray) -> int:
    """Return how many points a continuation stays near the curve: fed back, small errors of one step add up."""
    astray = np.flatnonzero(np.abs(errors) > NEAR)
    return int(astray[0]) if len(astray) else len(errors)


def _evaluation_windows(data: TimeSeriesData) -> Array:
    """Return evenly spaced windows (B, T + 1, 1): a batch of one says little about the rest of the series."""
    starts = np.linspace(data.xmin, data.xmax - WINDOW * data.resolution, EVALUATION_WINDOWS)
    return jnp.asarray(data.ret_true(starts[:, None] + np.arange(WINDOW + 1) * data.resolution)[..., None])


@eqx.filter_jit  # one program: drawn one by one, the weights take longer to compile than to train
def _start(cell: str, seed: Array, optimizer: optax.GradientTransformation) -> TrainState:
    key, key_cell, key_readout = jax.random.split(jax.random.key(seed), 3)
    # Below 1: with a norm of 1, Adam's steps at batch 1 end one run in four above 1e-3; with 0.8, one in thirty.
    options: dict[str, Any] = {"recurrent_init": orthogonal(0.8)} if cell in ("elman", "gru", "lstm") else {}
    if cell == "elman":
        options["activation"] = "relu"
    network = RecurrentNetwork(cell_type(cell)(1, HIDDEN, **options, key=key_cell), 1, key=key_readout)
    return start(network, optimizer, key)


def _write(folder: Path, learned: Learned, seed: int) -> None:
    config = {
        "network": network_config(learned.state.model),
        "optimizer": {"name": "adam", "learning_rate": LEARNING_RATE},
        "seed": seed,
        "seconds": learned.seconds,
        "compile_seconds": learned.compile_seconds,
        "mse": learned.mse,
    }
    snapshots = {str(step): predictions for step, predictions in learned.snapshots.items()}
    checkpoint.save(folder, "training", config, {"training": learned.state, "snapshots": snapshots})


def _read(folder: Path, cell: str, seed: int, optimizer: optax.GradientTransformation) -> Learned:
    """Read the run in ``folder``, which must have the same cell and seed."""
    saved = checkpoint.load(folder)
    if saved.kind != "training" or "mse" not in saved.config:
        message = f"{folder} holds a {saved.kind}: expected the checkpoint of a demo to resume"
        raise InputError(message, code="not-a-demo", file=folder, found=saved.kind)
    options = {"seed": (saved.config["seed"], seed), "cell": (saved.config["network"]["cell"]["cell"], cell)}
    for option, (found, expected) in options.items():
        if found != expected:
            raise InputError(
                f"{folder} was trained with {option} {found}, not {expected}: give --{option} {found} to resume it",
                code=f"another-{option}",
                file=folder,
                found=found,
                expected=expected,
            )
    state = checkpoint.restore(saved.arrays, lambda: _start(cell, jnp.asarray(seed, jnp.uint32), optimizer), "training")
    snapshots = {int(name.partition(".")[2]): a for name, a in saved.arrays.items() if name.startswith("snapshots.")}
    mse = [(int(step), float(value)) for step, value in saved.config["mse"]]
    ordered = dict(sorted(snapshots.items()))
    return Learned(state, mse, ordered, saved.config["seconds"], saved.config["compile_seconds"])
