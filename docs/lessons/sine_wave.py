"""Lesson 2: a network of 100 neurons learns the sine wave.

Run it as a script, or open it as a notebook::

    python docs/lessons/sine_wave.py
    python docs/lessons/sine_wave.py --steps 300
    marimo edit docs/lessons/sine_wave.py
"""

import marimo

__generated_with = "0.25.2"
app = marimo.App(app_title="Lesson 2: the sine wave")

with app.setup(hide_code=True):
    import argparse
    import tempfile
    from pathlib import Path

    import jax
    import jax.numpy as jnp
    import marimo as mo
    import numpy as np
    import optax
    from matplotlib.figure import Figure

    import throughtime as tt
    from throughtime.layers import network_config, rollout
    from throughtime.plots import BLUE, INK, ORANGE, house_style
    from throughtime.training import TrainState, checkpoint, masked_mean, run_steps, squared_error, start

    WINDOW = 30
    SERIES = tt.TimeSeriesData(num_points=250, xmin=0, xmax=10)
    OPTIMIZER = optax.adam(0.001)


@app.cell(hide_code=True)
def _():
    # A script has arguments after its file name; a notebook has none.
    _parser = argparse.ArgumentParser(description="A network of 100 neurons learns the sine wave.")
    _parser.add_argument("--steps", type=int, default=1500, help="training steps (default 1500)")
    _parser.add_argument("--picture", type=Path, metavar="FILE", help="also draw what the network says")
    arguments = _parser.parse_args(None if mo.app_meta().mode == "script" else [])
    return (arguments,)


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    # Lesson 2: the sine wave

    A network of 100 neurons learns to predict the next point of sin(t). It is compared with repeating the last point,
    continues the curve alone, and is saved and loaded. `throughtime demo` does the same, with a gallery.

    The task: read 30 points of sin(t), 0.04 apart, and predict the next one at each point. `tt.TimeSeriesData` draws
    windows at random between 0 and 10.

    ## The network

    The network is a cell of 100 ReLU neurons, unrolled through time, with a linear readout of every output.
    """)
    return


@app.function
def make_network(seed: int) -> tt.RecurrentNetwork:
    """Return a network with one input, 100 units and one output."""
    key_cell, key_readout = jax.random.split(jax.random.key(seed))
    cell = tt.Elman(1, 100, activation="relu", recurrent_init="uniform", key=key_cell)
    return tt.RecurrentNetwork(cell, 1, key=key_readout)


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## Training

    One training step draws one window, compares prediction and truth, and updates the weights by Adam. `train` compiles
    the whole loop, so the loss draws its own batch from its key.
    """)
    return


@app.function
def loss(network: tt.RecurrentNetwork, data: None, key: jax.Array) -> jax.Array:
    """Return the mean squared error of one random window."""
    x, y, _ = SERIES.draw(key, 1, WINDOW)
    _, predictions = network(x)
    return masked_mean(squared_error(predictions, y))


@app.function
def learn(steps: int, seed: int = 0) -> TrainState:
    """Train, and print the mean loss of each 100 steps."""
    state = start(make_network(seed), OPTIMIZER, jax.random.key(seed))
    for progress in run_steps(state, loss, OPTIMIZER, None, steps=steps, every=100):
        state = progress.state
        print(f"step {int(state.step):>5}   MSE {progress.losses.mean():.6f}")
    return state


@app.cell
def _(arguments):
    print("1. Training: one window of 30 points a step\n")
    state = learn(arguments.steps)
    return (state,)


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## Is that good?

    A number alone means little. The curve moves slowly, so even repeating the last point is never far off. A network
    has learned something if it beats that.
    """)
    return


@app.function
def scores(network: tt.RecurrentNetwork) -> tuple[float, float]:
    """Return the mean squared errors one step ahead over 200 windows: the network's, and that of the last point."""
    x, y = tt.TimeSeriesData(seed=1).next_batch(200, WINDOW)
    _, predictions = network(jnp.asarray(x))
    return float(np.mean((predictions - y) ** 2)), float(np.mean((x - y) ** 2))


@app.function
def say_scores(state: TrainState) -> None:
    """Print both errors, and stop if the network has learned nothing."""
    network_mse, repeat_mse = scores(state.model)
    print(f"network                {network_mse:.6f}")
    print(f"repeat the last point  {repeat_mse:.6f}")
    if network_mse >= repeat_mse:
        raise SystemExit(
            f"\nThe network has not learned enough in {int(state.step)} steps: repeating the last point is better."
        )


@app.cell
def _(state):
    print("\n2. One step ahead, over 200 windows\n")
    say_scores(state)
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## Going on alone

    A harder test feeds the network its own predictions. Each small error becomes an input, and the next error adds to
    it. Nothing in this training prepares the network for that.
    """)
    return


@app.function
def alone(network: tt.RecurrentNetwork, points: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the network's rollout from t = 6.2 on, without further inputs, and the curve, (points,) each."""
    x, _, times = SERIES.instance(5.0, WINDOW)
    generated = rollout(network, jnp.asarray(x), points)
    return np.asarray(generated[:, 0]), SERIES.ret_true(times[-1] + SERIES.resolution * np.arange(points))


@app.cell
def _(state):
    print("\n3. Going on alone, each prediction the next input\n")
    generated, truth = alone(state.model, 200)
    for _points in (10, 50, 200):
        _own, _zero = np.mean((generated - truth)[:_points] ** 2), np.mean(truth[:_points] ** 2)
        print(f"{_points:>4} points: network {_own:.6f}, always 0 {_zero:.6f}")
    return generated, truth


@app.function
def picture(network: tt.RecurrentNetwork, generated: np.ndarray, truth: np.ndarray) -> Figure:
    """Draw a window with the predictions one step ahead, and the rollout."""
    x, _, times = SERIES.instance(5.0, WINDOW)
    _, said = network(jnp.asarray(x))
    ahead = times[-1] + SERIES.resolution * np.arange(len(truth))
    with house_style():
        figure = Figure(figsize=(9, 3.6))
        window, later = figure.subplots(1, 2, sharey=True, width_ratios=[1, 2])
        window.plot(times[1:], SERIES.ret_true(times[1:]), color=INK, label="sin(t)")
        window.plot(times[1:], np.asarray(said)[:, 0], ".", color=BLUE, label="network, one step ahead")
        later.plot(ahead, truth, color=INK, label="sin(t)")
        later.plot(ahead, generated, color=ORANGE, linestyle="--", label="network, alone")
        window.set(title="one window", xlabel="t")
        later.set(title="200 points on its own predictions", xlabel="t")
        for axes in (window, later):
            axes.legend(fontsize=8.5)
    return figure


@app.cell
def _(generated, state, truth):
    drawn = picture(state.model, generated, truth)
    drawn
    return (drawn,)


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## Saved and loaded

    A checkpoint is a folder with the weights, the optimizer's state, the step and the random key. `tt.load` returns the
    network; `checkpoint.restore` returns the whole training state, to continue training.
    """)
    return


@app.function
def save(state: TrainState, folder: Path) -> None:
    """Write the training state."""
    checkpoint.save(folder, "training", {"network": network_config(state.model)}, {"training": state})


@app.function
def resume(folder: Path) -> TrainState:
    """Return the training state that `save` wrote."""
    arrays = checkpoint.load(folder).arrays
    return checkpoint.restore(arrays, lambda: start(make_network(0), OPTIMIZER, jax.random.key(0)), "training")


@app.cell
def _(state):
    with tempfile.TemporaryDirectory() as _folder:
        save(state, Path(_folder))
        _x = jnp.asarray(SERIES.instance(5.0, WINDOW)[0])
        np.testing.assert_array_equal(tt.load(_folder)(_x)[1], state.model(_x)[1])
        _again = resume(Path(_folder))
    print(f"\n4. Saved and loaded: the same predictions, and training would go on at step {int(_again.step) + 1}.")
    return


@app.cell(hide_code=True)
def _(arguments, drawn):
    if arguments.picture:
        drawn.savefig(arguments.picture)
        print(f"Written to {arguments.picture}.")
    return


if __name__ == "__main__":
    app.run()
