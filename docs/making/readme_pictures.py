"""The README's pictures: the sine wave at six steps of a training run, and a forecast with its backtest.

    python docs/making/readme_pictures.py

writes docs/pictures/steps.png and forecast.png. They change only with the library, so they are committed.
"""

from pathlib import Path

import jax
import optax
import polars as pl
from matplotlib.figure import Figure

import throughtime as tt
from throughtime.layers import RecurrentNetwork
from throughtime.plots import INK, LIGHT, house_style
from throughtime.training import masked_mean, run_steps, squared_error, start

CHECKOUT = Path(__file__).parents[2]
PICTURES = CHECKOUT / "docs" / "pictures"
SHOWN = (10, 30, 100, 300, 1000, 2000)  # about the same distance apart on a logarithmic scale
WINDOW = 30
SERIES = tt.TimeSeriesData(num_points=250, xmin=0, xmax=10)


def loss(network, data, key):
    """Return the mean squared error of one random window."""
    x, y, _ = SERIES.draw(key, 1, WINDOW)
    return masked_mean(squared_error(network(x)[1], y))


def draw_steps(path: Path) -> None:
    """Train the demo's network of 100 units, and draw its predictions on one window at six steps."""
    keys = jax.random.split(jax.random.key(0), 3)
    recurrent = tt.cells.initializers.orthogonal(0.8)
    cell = tt.Elman(1, 100, activation="relu", recurrent_init=recurrent, key=keys[0])
    optimizer = optax.adam(0.001)
    state = start(RecurrentNetwork(cell, 1, key=keys[1]), optimizer, keys[2])
    xs, targets, times = SERIES.instance(5.0, WINDOW)
    with house_style():
        figure = Figure(figsize=(10, 4.6))
        panels = figure.subplots(2, 3, sharex=True, sharey=True).flat
        for progress in run_steps(state, loss, optimizer, None, steps=SHOWN[-1], every=10):
            if int(progress.state.step) not in SHOWN:
                continue
            axes = next(panels)
            axes.plot(times[1:], targets, "o", color=INK, markersize=4, label="the next points of sin(t)")
            predictions = progress.state.model(xs)[1]
            axes.plot(times[1:], predictions, ".-", color=LIGHT["model"], markersize=4, label="the network")
            axes.set_title(f"after {int(progress.state.step):,} steps")
            axes.set_ylim(-1.35, 1.35)
        figure.supxlabel("t", fontsize=10)
        figure.legend(*axes.get_legend_handles_labels(), loc="outside lower left", ncols=2)
        figure.savefig(path)


def draw_forecast(path: Path) -> None:
    """Draw what ``throughtime forecast examples/co2_weekly.csv --horizon 26 --preset fast`` shows first."""
    frame = pl.read_csv(CHECKOUT / "examples" / "co2_weekly.csv", try_parse_dates=True)
    model = tt.Forecaster(horizon=26, preset="fast").fit(frame)
    figure = model.plot(backtest=model.backtest(frame, windows=3, level=[80, 95]))
    figure.axes[0].set_title("CO2 at Mauna Loa, parts per million", loc="left")
    figure.savefig(path)


if __name__ == "__main__":
    draw_steps(PICTURES / "steps.png")
    draw_forecast(PICTURES / "forecast.png")
