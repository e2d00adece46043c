"""Pictures of the sine-wave demo: the series, the training instance, predictions during and after training."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from throughtime.data import TimeSeriesData
from throughtime.plots.theme import BLUE, GREEN, INK, RED, SKY, house_style

PANELS_PER_ROW = 5


def series_picture(path: Path, data: TimeSeriesData, times: np.ndarray) -> None:
    """Draw the whole curve, and the training instance on it; times (T + 1,)."""
    with house_style():
        figure = Figure(figsize=(8, 4))
        axes = figure.subplots()
        axes.plot(data.x_data, data.y_true, color=SKY, label="the series")
        axes.plot(times[:-1], data.ret_true(times[:-1]), "o", color=BLUE, markersize=4, label="the training instance")
        _finish(axes, "The series, and the training instance on it")
        figure.savefig(path)


def instance_picture(path: Path, times: np.ndarray, xs: np.ndarray, targets: np.ndarray) -> None:
    """Draw the training instance and its target, one point ahead; times (T + 1,), xs and targets (T, 1)."""
    with house_style():
        figure = Figure(figsize=(8, 4))
        axes = figure.subplots()
        _instance(axes, times, xs, targets)
        _finish(axes, "A training instance: the target is the series one point ahead")
        figure.savefig(path)


def testing_picture(
    path: Path, times: np.ndarray, xs: np.ndarray, targets: np.ndarray, predictions: np.ndarray, mse: float
) -> None:
    """Draw the training instance, its target and the network's predictions (T, 1)."""
    with house_style():
        figure = Figure(figsize=(8, 4))
        axes = figure.subplots()
        _instance(axes, times, xs, targets)
        axes.plot(times[1:], predictions, ".", color=RED, markersize=5, label="prediction")
        _finish(axes, f"Testing the model: mean squared error {mse:.2e}")
        figure.savefig(path)


def gallery_pictures(
    folder: Path, times: np.ndarray, targets: np.ndarray, predictions: Mapping[int, np.ndarray]
) -> None:
    """Draw ``gallery.png`` with one panel per snapshot, and each panel alone as in ``gallery/step_0100.png``.

    Args:
        folder: the output folder.
        times: (T + 1,).
        targets: (T, 1).
        predictions: (T, 1) of the network, by training step.
    """
    (folder / "gallery").mkdir(exist_ok=True)
    rows = -(-len(predictions) // PANELS_PER_ROW)
    with house_style():
        wall = Figure(figsize=(2.9 * PANELS_PER_ROW, 2.3 * rows + 0.5))
        panels = wall.subplots(rows, PANELS_PER_ROW, sharex=True, sharey=True, squeeze=False).flat
        for (step, predicted), axes in zip(predictions.items(), panels, strict=False):  # panels last: none is lost
            _snapshot(axes, times, targets, predicted, step)
            single = Figure(figsize=(5, 3.5))
            single_axes = single.subplots()
            _snapshot(single_axes, times, targets, predicted, step)
            _finish(single_axes, f"Step: {step}")
            single.savefig(folder / "gallery" / f"step_{step:04d}.png")
        for unused in panels:
            unused.set_axis_off()
        handles, labels = wall.axes[0].get_legend_handles_labels()
        wall.legend(handles, labels, loc="outside upper right", ncols=2)
        wall.savefig(folder / "gallery.png")


def continuation_picture(
    path: Path,
    data: TimeSeriesData,
    times: np.ndarray,
    generated: Sequence[np.ndarray],
    follows: Sequence[int],
) -> None:
    """Draw what two networks generate from the points before: one that saw true values alone, and one that did not.

    Args:
        path: of the picture.
        data: the curve.
        times: (T + N,).
        generated: (N, 1) of each network.
        follows: the number of points for which each stays near the curve.
    """
    ahead = times[-len(generated[0]) :]
    seen = times[: -len(ahead)]
    names = "trained on true values alone", "and then on its own outputs"
    with house_style():
        figure = Figure(figsize=(8, 4))
        axes = figure.subplots()
        axes.plot(times, data.ret_true(times), color=SKY, label="the curve")
        axes.plot(seen, data.ret_true(seen), "o", color=BLUE, markersize=4, label="seen")
        for points, name, color, style in zip(generated, names, (RED, GREEN), ("-", "--"), strict=True):
            axes.plot(ahead, points, style, color=color, label=name)
        if ahead[-1] > data.xmax:
            axes.axvline(data.xmax, color="#888888", linestyle=":", linewidth=1)
            axes.annotate(" never trained on", (data.xmax, 0.02), xycoords=("data", "axes fraction"), color="#666666")
        first, second = follows
        _finish(axes, f"Going on alone, each output fed back: near for {first} and {second} of {len(ahead)} points")
        figure.savefig(path)


def _instance(axes: Axes, times: np.ndarray, xs: np.ndarray, targets: np.ndarray) -> None:
    axes.plot(times[:-1], xs, "o", color=BLUE, markersize=9, alpha=0.45, label="instance")
    axes.plot(times[1:], targets, "o", color=INK, markersize=4, label="target")


def _snapshot(axes: Axes, times: np.ndarray, targets: np.ndarray, predicted: np.ndarray, step: int) -> None:
    axes.plot(times[1:], targets, "o", color=INK, markersize=4, label="target")
    axes.plot(times[1:], predicted, ".", color=RED, markersize=4, label="prediction")
    axes.set_title(f"Step: {step}")
    axes.set_ylim(-1.35, 1.35)


def _finish(axes: Axes, title: str) -> None:
    axes.set_title(title)
    axes.set_xlabel("time")
    axes.legend(loc="best")
